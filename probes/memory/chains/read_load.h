#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "probes/memory/chains/memory_load.h"

namespace assay {

/// Readers of an array, each of its own part, round and round. Members 1 .. of a team serve; what steers them
/// is on another thread.
class ReadLoad final : public MemoryLoad {
  public:
    /// `memory` of `bytes` holds the parts of all readers.
    ReadLoad(std::byte* memory, std::uint64_t bytes, int readers);

    /// Fills the part of a reader with random whole numbers, whose sum is exact.
    void fill(int reader, std::uint64_t seed);
    /// Reads until stop(), by the pauses that set_pause() sets.
    void serve(int reader);
    void stop();

    void set_pause(std::optional<Nanoseconds> pause) override;
    std::uint64_t bytes_read() const override;
    std::uint64_t block_bytes() const override;
    int readers() const override { return static_cast<int>(parts_.size()); }

    std::uint64_t passes() const;        ///< of a reader through all of its part
    std::uint64_t wrong_passes() const;  ///< those whose sum is not the part's

  private:
    struct alignas(64) Part {
        double* begin = nullptr;
        std::size_t elements = 0;
        double sum = 0;
        std::atomic<std::uint64_t> bytes_read{0};
        std::atomic<std::uint64_t> passes{0};
        std::atomic<std::uint64_t> wrong_passes{0};
    };
    void read_block(Part& part, std::size_t& at, double& sum);

    std::vector<Part> parts_;
    alignas(64) std::atomic<std::int64_t> pause_ns_;
};

}  // namespace assay
