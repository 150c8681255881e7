#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "kernels/device/accelerator.h"
#include "probes/core/outcome.h"

/// Copies between the memory of the host and that of devices.
namespace assay::interconnect {

/// Where copies begin or end.
struct CopyEnd {
    Accelerator* accelerator = nullptr;    ///< whose memory it is; null: the host's
    std::unique_ptr<DeviceMemory> memory;  ///< as large as the other end's
};

/// Copies one way, on a queue of their own: the device's, and between two devices the sender's. The source
/// holds random bytes that follow from `seed` and the direction, so that what arrived can be told from what
/// was there and from another direction's bytes.
class CopyRoute {
  public:
    CopyRoute(std::string direction, CopyEnd from, CopyEnd to, std::uint64_t seed);

    const std::string& direction() const { return direction_; }
    std::size_t bytes() const { return from_.memory->bytes(); }
    Queue& queue() { return *queue_; }

    /// Overwrites the whole target with 0xFF.
    void poison();
    /// Queues a copy of the first `bytes`; with pageable host memory CUDA may return when they are copied.
    void enqueue(std::size_t bytes);
    /// Holds the first `bytes` of the target against the source's random bytes, made again.
    Check verify(std::size_t bytes);

  private:
    void fill_source();

    std::string direction_;
    CopyEnd from_, to_;
    std::uint64_t seed_;
    std::unique_ptr<Queue> queue_;  ///< ends before the memory that it works on
};

}  // namespace assay::interconnect
