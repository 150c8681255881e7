#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/cpu/stream.h"
#include "kernels/device/accelerator.h"

namespace assay::kernels {

/// How an accelerator's kernel goes through memory.
struct OffloadedPattern {
    enum class Kind {
        plain,    ///< 16 bytes a work-item
        strided,  ///< for GPUs: `unroll` loads of 16 bytes a work-item under way, work-groups stride over all
        chunks,   ///< for CPUs: each work-group of one goes through a chunk of its own
    };
    Kind kind = Kind::plain;
    int unroll = 1;
    std::size_t group = 256;          ///< work-items of a group
    std::size_t groups_per_unit = 0;  ///< 0: as many as there is work
    int prefetch_lines = 0;           ///< of 64 bytes, ahead by software
    bool non_temporal = false;        ///< stores around the caches

    std::string describe() const;  ///< "strided, 4 loads under way, 256 x 16 a compute unit"
    bool operator==(const OffloadedPattern&) const = default;
};

/// The pattern that peers use.
OffloadedPattern plain_offloaded_pattern(const Accelerator& accelerator);
/// Those worth a trial on that device, the plain one first.
std::vector<OffloadedPattern> offloaded_patterns(const Accelerator& accelerator, StreamKernel kernel);

/// Arrays are of multiples of so many bytes, which every pattern divides.
inline constexpr std::size_t offloaded_array_multiple = 64 << 10;

/// What a stream takes beside its arrays: the sums of read, one a work-item.
inline constexpr std::size_t offloaded_sums_bytes = std::size_t{16} << 20;

/// Element `index` of an array that was filled with `seed`.
std::uint32_t offloaded_element(std::uint64_t index, std::uint32_t seed);

/// Arrays of 32-bit integers on an accelerator and what STREAM's kernels do to them: out = f(a, b).
class OffloadedStream {
  public:
    static constexpr std::uint32_t scalar = 3;
    /// `bytes` of each array, a multiple of offloaded_array_multiple; `arrays` 1 to 3: a (for write, out),
    /// out, b. Allocates and fills the inputs.
    OffloadedStream(Accelerator& accelerator, int arrays, std::uint64_t bytes, std::uint32_t seed);

    std::uint64_t elements() const { return bytes_ / sizeof(std::uint32_t); }
    /// Queued.
    void run(StreamKernel kernel, const OffloadedPattern& pattern);
    /// Queued: what the kernel writes becomes 0xff everywhere. Of write it destroys `a` where there is one
    /// array.
    void poison(StreamKernel kernel);
    /// The result against what the host computes: elements that are wrong; of read 1 where the sum is.
    /// `pattern` is the one that last ran. Leaves the inputs as they were filled.
    std::uint64_t wrong_elements(StreamKernel kernel, const OffloadedPattern& pattern);

  private:
    DeviceMemory& output(StreamKernel kernel);
    std::size_t work_items(const OffloadedPattern& pattern) const;
    void fill(DeviceMemory& memory, std::uint32_t seed);

    Accelerator& accelerator_;
    std::uint64_t bytes_;
    std::uint32_t seed_;
    std::unique_ptr<DeviceMemory> a_, out_, b_, sums_;
};

}  // namespace assay::kernels
