#include "probes/core/device_watch.h"

#include <algorithm>
#include <exception>
#include <utility>

namespace assay {

TelemetrySeries& TelemetryRecord::named(const std::string& name, Unit unit, const std::string& reason) {
    for (TelemetrySeries& series : series_)
        if (series.name == name && series.reason == reason) return series;
    return series_.emplace_back(TelemetrySeries{name, unit, {}, reason});
}

void TelemetryRecord::add_value(const std::string& name, Unit unit, double at, double value,
                                const std::string& reason) {
    std::vector<SeriesPoint>& points = named(name, unit, reason).points;
    const std::size_t count = points.size();
    if (count >= 2 && points[count - 1].value == value && points[count - 2].value == value)
        points.back().at = at;
    else
        points.push_back({at, value});
}

void TelemetryRecord::add_reasons(double at, const std::vector<std::string>& reasons) {
    add_value("throttled", Unit::ratio, at, reasons.empty() ? 0 : 1);
    for (const std::string& reason : reasons) {
        // A reason that is new was not there before.
        if (named("throttled", Unit::ratio, reason).points.empty())
            for (const double before : throttle_times_)
                add_value("throttled", Unit::ratio, before, 0, reason);
    }
    for (std::size_t i = 0; i < series_.size(); ++i) {
        if (series_[i].name != "throttled" || series_[i].reason.empty()) continue;
        const std::string reason = series_[i].reason;
        const bool holds = std::find(reasons.begin(), reasons.end(), reason) != reasons.end();
        add_value("throttled", Unit::ratio, at, holds ? 1 : 0, reason);
    }
    if (throttle_times_.size() == 2) throttle_times_.pop_back();
    throttle_times_.push_back(at);
}

void TelemetryRecord::add(double at, const TelemetryReading& reading) {
    const auto add_told = [&](const char* name, Unit unit, const auto& value) {
        if (value) add_value(name, unit, at, static_cast<double>(*value));
    };
    add_told("power", Unit::watt, reading.power);
    add_told("power_limit", Unit::watt, reading.power_limit);
    add_told("default_power_limit", Unit::watt, reading.default_power_limit);
    add_told("temperature", Unit::celsius, reading.temperature);
    add_told("memory_temperature", Unit::celsius, reading.memory_temperature);
    add_told("clock", Unit::hertz, reading.clock);
    add_told("maximum_clock", Unit::hertz, reading.maximum_clock);
    add_told("memory_clock", Unit::hertz, reading.memory_clock);
    add_told("utilisation", Unit::ratio, reading.utilisation);
    add_told("memory_used", Unit::byte, reading.used_bytes);
    add_told("ecc_corrected", Unit::count, reading.ecc_corrected);
    add_told("ecc_uncorrected", Unit::count, reading.ecc_uncorrected);
    // Events, each a point: nothing is left out.
    for (const std::uint64_t xid : reading.xids)
        named("xid", Unit::count).points.push_back({at, static_cast<double>(xid)});
    if (reading.throttle_reasons) add_reasons(at, *reading.throttle_reasons);
}

DeviceWatch::DeviceWatch(Telemetry& telemetry, Seconds period)
    : telemetry_(telemetry), period_(period), began_(clock_.now()) {
    read();
    thread_ = std::thread([this] { run(); });
}

DeviceWatch::~DeviceWatch() {
    stop();
}

void DeviceWatch::read() {
    if (broken_) return;
    try {
        const TelemetryReading reading = telemetry_.read();
        record_.add(seconds(), reading);
    } catch (const std::exception&) {
        broken_ = true;
    }
}

void DeviceWatch::run() {
    constexpr double share_of_the_past = 0.01;
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
        const Seconds past = clock_.now() - began_;
        if (stopping_.wait_for(lock, std::max(period_, share_of_the_past * past), [this] { return stop_; }))
            break;
        lock.unlock();
        read();
        lock.lock();
    }
}

void DeviceWatch::stop() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        stop_ = true;
    }
    stopping_.notify_all();
    thread_.join();
}

std::vector<TelemetrySeries> DeviceWatch::finish() {
    stop();
    read();
    return record_.take();
}

}  // namespace assay
