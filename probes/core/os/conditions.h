#pragma once

#include <memory>

#include "probes/core/outcome.h"

namespace assay::os {

/// Watches what else the machine does, from construction to finish(): /proc/stat, /proc/pressure, cgroup
/// cpu.stat, diskstats against this process's own I/O, thermal throttle counters. What the system does not
/// tell stays absent.
class ConditionsWatch {
  public:
    ConditionsWatch();
    ~ConditionsWatch();
    Conditions finish();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace assay::os
