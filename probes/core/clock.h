#pragma once

#include <chrono>

namespace assay {

using Nanoseconds = std::chrono::nanoseconds;
using Seconds = std::chrono::duration<double>;

/// Monotonic time; a fake one makes sampling testable without waiting.
class Clock {
  public:
    virtual ~Clock() = default;
    virtual Nanoseconds now() = 0;
    virtual void sleep_until(Nanoseconds when) = 0;
};

/// CLOCK_MONOTONIC.
class SteadyClock final : public Clock {
  public:
    Nanoseconds now() override;
    void sleep_until(Nanoseconds when) override;
};

inline double seconds_of(Nanoseconds duration) {
    return std::chrono::duration<double>(duration).count();
}

}  // namespace assay
