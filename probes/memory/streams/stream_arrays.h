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
};
/// STREAM's rule: each array at least 4 × all last-level caches, as long as all of them fit into half of the
/// usable memory. `asked` = 0 for auto.
ArraySize size_arrays(std::uint64_t asked, int arrays, std::uint64_t cache_bytes, std::uint64_t usable_bytes);

/// Arrays of doubles for the stream kernels, spread over a team: each member first touches, and later works
/// on, the same part of each. Inputs are random whole numbers, so that every result and every sum is exact.
class StreamArraySet {
  public:
    /// `arrays` 1 (one array that is read or written), 2 or 3; with `node` all memory is that NUMA node's.
    /// Throws std::system_error when memory is missing or the node refused.
    StreamArraySet(Device& device, kernels::ThreadTeam& team, int arrays, std::uint64_t bytes,
                   bool huge_pages, std::uint64_t seed, std::optional<int> node = std::nullopt);

    static constexpr double scalar = 3;

    std::size_t elements() const { return elements_; }
    DeviceMemory& memory() { return *memory_; }

    /// Sections that one array is worked through in, one a sample.
    void set_sections(std::size_t sections);
    std::size_t sections() const { return section_sums_.size(); }

    /// Sets the array that the kernel stores into to NaN.
    void poison(const NamedKernel& kernel);
    /// Does `kernel` to the next section, on the whole team; returns the elements done.
    std::size_t run_section(const NamedKernel& kernel, const kernels::StreamPattern& pattern);
    /// Elements whose value is not what the kernel must have stored; for read 1 where the sections' sums, as
    /// last made, are not the sum of what was filled in, else 0.
    std::uint64_t wrong_elements(const NamedKernel& kernel);

  private:
    kernels::StreamArrays arrays_for(const NamedKernel& kernel) const;

    kernels::ThreadTeam& team_;
    std::unique_ptr<DeviceMemory> memory_;
    std::size_t elements_ = 0;
    std::vector<double*> arrays_;
    double expected_sum_ = 0;
    std::vector<double> section_sums_;
    std::size_t next_section_ = 0;
};

}  // namespace assay
