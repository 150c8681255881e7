#pragma once

#include <atomic>

#include <csignal>

namespace assay::cli {

/// While it lives, SIGINT, SIGTERM and SIGHUP only set a flag, which the runner asks for; afterwards they do
/// what they did before. One at a time.
class InterruptFlag {
  public:
    InterruptFlag();
    ~InterruptFlag();
    InterruptFlag(const InterruptFlag&) = delete;
    InterruptFlag& operator=(const InterruptFlag&) = delete;
    const std::atomic<bool>& flag() const;

  private:
    struct sigaction before_[3] = {};
};

}  // namespace assay::cli
