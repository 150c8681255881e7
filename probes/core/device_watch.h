#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "kernels/device/telemetry.h"
#include "probes/core/clock.h"
#include "probes/core/telemetry_series.h"

namespace assay {

/// Puts readings together to series. Pure but for what it keeps.
class TelemetryRecord {
  public:
    void add(double at, const TelemetryReading& reading);
    std::vector<TelemetrySeries> take() { return std::move(series_); }

  private:
    TelemetrySeries& named(const std::string& name, Unit unit, const std::string& reason = {});
    void add_value(const std::string& name, Unit unit, double at, double value,
                   const std::string& reason = {});
    void add_reasons(double at, const std::vector<std::string>& reasons);

    std::vector<TelemetrySeries> series_;
    std::vector<double> throttle_times_;  ///< first and last reading with reasons told
};

/// Reads a device's telemetry in a thread of its own, from construction until finish() or destruction: ten
/// times a second, and a hundredth as often as the case is long, so that a day makes some thousands of
/// readings. Telemetry that throws is not asked again.
class DeviceWatch {
  public:
    explicit DeviceWatch(Telemetry& telemetry, Seconds period = Seconds(0.1));
    ~DeviceWatch();
    DeviceWatch(const DeviceWatch&) = delete;
    DeviceWatch& operator=(const DeviceWatch&) = delete;

    /// Since construction, as the series have it.
    double seconds() const { return seconds_of(clock_.now() - began_); }

    /// Ends the thread after a last reading.
    std::vector<TelemetrySeries> finish();

  private:
    void read();
    void run();
    void stop();

    Telemetry& telemetry_;
    const Seconds period_;
    mutable SteadyClock clock_;
    const Nanoseconds began_;
    TelemetryRecord record_;
    bool broken_ = false;

    std::mutex mutex_;
    std::condition_variable stopping_;
    bool stop_ = false;
    std::thread thread_;
};

}  // namespace assay
