#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <variant>

#include "kernels/device/device.h"
#include "probes/core/clock.h"
#include "probes/core/sampling.h"

namespace assay::doubles {

/// Every look at it takes a `step`; sleeping takes no time of ours.
class SteppingClock final : public Clock {
  public:
    explicit SteppingClock(Nanoseconds step = std::chrono::milliseconds(1)) : step_(step) {}
    Nanoseconds now() override { return now_ += step_; }
    void sleep_until(Nanoseconds when) override { now_ = std::max(now_, when); }

  private:
    Nanoseconds step_;
    Nanoseconds now_{0};
};

inline SampleSet few_samples(const SamplingPolicy&, const std::function<double()>& take) {
    SampleSet set;
    for (int i = 0; i < 5; ++i) {
        set.values.push_back(take());
        set.at.push_back(i);
    }
    return set;
}

/// The machine's CPUs, whose system gives no huge pages.
class WithoutHugePages final : public Device {
  public:
    const DeviceInfo& info() const override { return device_->info(); }
    std::unique_ptr<DeviceMemory> allocate(std::size_t bytes, bool) override {
        return device_->allocate(bytes, false);
    }

  private:
    std::unique_ptr<Device> device_ = std::get<std::unique_ptr<Device>>(open_device("cpu:0"));
};

}  // namespace assay::doubles
