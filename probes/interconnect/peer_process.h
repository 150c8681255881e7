#pragma once

#include <functional>

#include <sys/types.h>

namespace assay::interconnect {

/// A second process that runs `body` and ends with its result as exit code. It dies with its parent, even one
/// that is killed; destroying the owner kills and reaps it. The calling thread must outlive it.
class PeerProcess {
  public:
    explicit PeerProcess(const std::function<int()>& body);
    ~PeerProcess();
    PeerProcess(const PeerProcess&) = delete;
    PeerProcess& operator=(const PeerProcess&) = delete;

    pid_t id() const { return id_; }
    /// Waits for its end and returns its exit code; 128 + the signal's number when a signal ended it.
    int wait();

  private:
    pid_t id_ = -1;
};

}  // namespace assay::interconnect
