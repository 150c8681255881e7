#pragma once

#include <algorithm>

#include "probes/core/clock.h"

namespace assay {

/// A clock that stands still until told otherwise.
class FakeClock final : public Clock {
  public:
    Nanoseconds now() override { return now_; }
    void sleep_until(Nanoseconds when) override { now_ = std::max(now_, when); }
    void advance(Nanoseconds duration) { now_ += duration; }

  private:
    Nanoseconds now_{0};
};

}  // namespace assay
