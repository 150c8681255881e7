#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace assay {

/// What a card tells of itself at one moment; absent where it does not. NVML on NVIDIA's, hwmon elsewhere.
struct TelemetryReading {
    std::optional<double> power;               ///< watt
    std::optional<double> power_limit;         ///< watt, enforced
    std::optional<double> temperature;         ///< celsius
    std::optional<double> memory_temperature;  ///< celsius
    std::optional<double> clock;               ///< hertz, of the multiprocessors
    std::optional<double> maximum_clock;       ///< hertz, the highest that it may run at
    std::optional<double> memory_clock;        ///< hertz
    std::optional<double> utilisation;         ///< 0..1, share of time with a kernel running
    std::optional<std::uint64_t> ecc_corrected, ecc_uncorrected;  ///< errors since the driver was loaded
    std::optional<std::uint64_t> used_bytes;                      ///< of its memory, by all processes
    std::vector<std::string> throttle_reasons;                    ///< "software power cap"; idle is none
};

/// Watches a card. Reading is cheap (below a millisecond) and safe beside running work.
class Telemetry {
  public:
    virtual ~Telemetry() = default;
    virtual TelemetryReading read() = 0;
    virtual std::string source() const = 0;  ///< "NVML 13.580", "hwmon"
};

}  // namespace assay
