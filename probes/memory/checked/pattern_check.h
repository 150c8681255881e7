#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernels/cpu/address_pattern.h"
#include "kernels/cpu/thread_team.h"
#include "kernels/device/device.h"
#include "probes/core/clock.h"
#include "probes/core/sampling.h"

namespace assay {

/// Every second half before the first: places 0 .. count-1 in bit-reversed order.
std::vector<std::size_t> bit_reversed(std::size_t count);

/// Words that were not what was written.
struct WrongWords {
    std::uint64_t count = 0;
    std::uint64_t passing = 0;  ///< of these: one for a block that was wrong once, and right when read again
    std::uint64_t flipped = 0;  ///< all bits in which any of them is wrong
    // Of the first one, by its place in the allocation:
    std::uint64_t first_index = 0;  ///< in words of 8 bytes
    std::uint64_t expected = 0;
    std::uint64_t found = 0;
    const void* address = nullptr;

    void add(std::uint64_t index, std::uint64_t expected_word, std::uint64_t found_word, const void* where);
    /// A block whose words were read wrong in `bits` and then right: which of its words is not known.
    void add_passing(std::uint64_t first_of_block, std::uint64_t bits, const void* where);
    void merge(const WrongWords& other);
};

/// Writes an address pattern over chunks of memory, and reads it back in another order. Each member of the
/// team works on the blocks that it touched first, so that on a machine of several nodes they are near it.
class PatternCheck {
  public:
    /// `total_bytes`: of all chunks to come together.
    PatternCheck(kernels::ThreadTeam& team, Clock& clock, std::uint64_t total_bytes);

    /// Makes the next chunk of the allocation resident and takes it up. Its size is a multiple of 64.
    void add_chunk(DeviceMemory& memory);
    std::uint64_t bytes() const { return words_ * sizeof(std::uint64_t); }

    /// Writes all words in ascending order; a sample is a chunk's bytes a second.
    SampleSet write(const kernels::AddressPattern& pattern);
    /// Reads and checks all words, the blocks in bit-reversed order; a sample is the bytes a second of about
    /// as much as a chunk.
    SampleSet verify(const kernels::AddressPattern& pattern, WrongWords& wrong);

  private:
    struct Block {
        std::uint64_t* words = nullptr;
        std::uint64_t first = 0;  ///< index of its first word in the allocation
        std::size_t count = 0;
    };
    struct Member {
        std::vector<Block> blocks;
        std::vector<std::size_t> chunk_ends;  ///< blocks up to the end of each chunk
    };

    kernels::ThreadTeam& team_;
    Clock& clock_;
    kernels::Isa isa_;
    std::size_t block_words_;
    std::uint64_t words_ = 0;
    std::vector<Member> members_;
};

/// What the first wrong word and the others look like, in words: an address line that is not there, data of
/// the pass before, memory that was never written, bits. `before` is the pattern of the pass before, if any.
std::string describe_wrong(const WrongWords& wrong, const kernels::AddressPattern& pattern,
                           const std::optional<kernels::AddressPattern>& before, std::uint64_t total_bytes);

}  // namespace assay
