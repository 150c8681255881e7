#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kernels/cpu/stream.h"
#include "kernels/cpu/thread_team.h"
#include "kernels/device/device.h"

namespace assay {

/// A kernel with its kind of stores, as the parameter `kernel` names it: "triad", "triad_nt".
struct NamedKernel {
    kernels::StreamKernel kernel;
    bool non_temporal = false;
    std::string name() const;
    /// Arrays that it touches.
    int arrays() const;
};
std::vector<NamedKernel> all_stream_kernels();

/// How large the arrays are, and why.
struct ArraySize {
    std::uint64_t bytes = 0;   ///< of each
    std::string reason;        ///< one sentence for the notes
    bool out_of_cache = true;  ///< false: smaller than STREAM's rule asks
    /// False: too small to be asked for without a word, since the last-level caches together hold an array.
    bool useful = true;
    std::string impossible;  ///< why there can be none, with the arithmetic; empty where there can
};
/// Bytes that an array of so many takes with what lies between it and the next.
std::uint64_t array_footprint(std::uint64_t bytes);
/// STREAM's rule: each array at least 4 × all last-level caches, as long as all of them fit into half of the
/// usable memory. `asked` = 0 for auto. What is asked for may take all that is usable. `usable_bytes` = 0:
/// not known, no limit.
ArraySize size_arrays(std::uint64_t asked, int arrays, std::uint64_t cache_bytes, std::uint64_t usable_bytes);

/// Arrays of doubles for the stream kernels, spread over a team: each member first touches, and later works
/// on, the same part of each. Inputs are random whole numbers, so that every result and every sum is exact.
///
/// The work of a run is a number of chunks. Each member takes one after another, always of its own part and
/// from where it stopped the last time, until none is left: a member that lost its CPU for a while, or whose
/// memory is slower, does fewer, and no other waits for it longer than for one chunk. Equal shares would add
/// its delay to everyone's time (3 to 4 % in runs of 5 ms on a virtual machine of two CPUs).
class StreamArraySet {
  public:
    /// `arrays` 1 (one array that is read or written), 2 or 3; with `node` all memory is that NUMA node's.
    /// Throws std::system_error when memory is missing or the node refused.
    StreamArraySet(Device& device, kernels::ThreadTeam& team, int arrays, std::uint64_t bytes,
                   bool huge_pages, std::uint64_t seed, std::optional<int> node = std::nullopt);

    static constexpr double scalar = 3;

    std::size_t elements() const { return elements_; }
    DeviceMemory& memory() { return *memory_; }
    /// Chunks that all parts together have.
    std::size_t chunks() const;

    /// Sets the array that the kernel stores into to NaN, and all members to the beginning of their parts.
    void poison(const NamedKernel& kernel);
    /// Does `kernel` to the next `chunks` chunks, on the whole team; returns the elements done (of an array
    /// that is smaller, some more than once).
    std::size_t run(const NamedKernel& kernel, const kernels::StreamPattern& pattern, std::size_t chunks);
    /// Does what no run since poison() came to.
    void finish_pass(const NamedKernel& kernel, const kernels::StreamPattern& pattern);
    /// Elements whose value is not what the kernel must have stored. For read members whose part was not read
    /// in whole since poison(), or once gave another sum than what was filled in.
    std::uint64_t wrong_elements(const NamedKernel& kernel);

  private:
    /// What a member does and has done; a cache line of its own.
    struct alignas(64) Member {
        kernels::ItemRange part;
        double expected_sum = 0;
        std::size_t next = 0;  ///< element of the array that comes next
        double sum = 0;        ///< of what was read of the part since it was begun
        std::size_t passes = 0;
        std::size_t wrong_sums = 0;
    };
    kernels::StreamArrays arrays_for(const NamedKernel& kernel) const;
    /// Returns the elements done.
    static std::size_t run_chunk(Member& member, const NamedKernel& kernel,
                                 const kernels::StreamPattern& pattern, const kernels::StreamArrays& arrays);

    kernels::ThreadTeam& team_;
    std::unique_ptr<DeviceMemory> memory_;
    std::size_t elements_ = 0;
    std::vector<double*> arrays_;
    std::vector<Member> members_;
};

}  // namespace assay
