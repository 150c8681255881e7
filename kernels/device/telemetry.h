#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace assay {

struct DeviceInfo;  // kernels/device/device.h
struct Absent;

/// The throttle reason of a card that draws what its own power limit allows. At the limit that it comes with
/// this is how a card is meant to run.
inline constexpr std::string_view software_power_cap = "software power cap";

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
    /// What holds the clock down: "software power cap"; idle is none. Absent: the card does not tell.
    std::optional<std::vector<std::string>> throttle_reasons;
    std::optional<double> default_power_limit = {};  ///< watt, the limit that the card comes with
    std::vector<std::uint64_t> xids = {};  ///< critical errors that the driver told since the last reading
};

/// Watches a card. Reading is cheap (below a millisecond) and safe beside running work and other readings.
class Telemetry {
  public:
    virtual ~Telemetry() = default;
    virtual TelemetryReading read() = 0;
    virtual std::string source() const = 0;  ///< "NVML 13.580", "hwmon"
    /// One sentence that a reader of its figures must know; empty: none.
    virtual std::string remark() const { return {}; }
};

/// Whoever watches the card at the device's PCI address: NVML for NVIDIA's, else the kernel's hwmon; or why
/// nobody does. CPUs have none.
std::variant<std::unique_ptr<Telemetry>, Absent> find_telemetry(const DeviceInfo& device);

/// A device's telemetry, found when first asked for.
class LazyTelemetry {
  public:
    Telemetry* of(const DeviceInfo& device);  ///< null where there is none

  private:
    bool asked_ = false;
    std::unique_ptr<Telemetry> found_;
};

}  // namespace assay
