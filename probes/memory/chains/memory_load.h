#pragma once

#include <cstdint>
#include <optional>

#include "probes/core/clock.h"

namespace assay {

/// What loads the memory beside a chaser.
class MemoryLoad {
  public:
    virtual ~MemoryLoad() = default;
    /// How long each reader waits between two blocks; nothing: none of them reads.
    virtual void set_pause(std::optional<Nanoseconds> pause) = 0;
    virtual std::uint64_t bytes_read() const = 0;  ///< by all readers, up to now
    virtual std::uint64_t block_bytes() const = 0;
    virtual int readers() const = 0;
};

}  // namespace assay
