#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/offload/address_pattern.h"
#include "probes/core/clock.h"
#include "probes/core/sampling.h"
#include "probes/memory/checked/pattern_check.h"

namespace assay {

/// PatternCheck on an accelerator, which writes and reads its memory itself, timed by its events.
class OffloadedAddressCheck {
  public:
    OffloadedAddressCheck(Accelerator& accelerator, Clock& clock);

    /// Fills the next chunk of the allocation with ones, so that it is there, and takes it up.
    void add_chunk(DeviceMemory& memory);

    /// Writes all words in ascending order; a sample is a chunk's bytes a second.
    SampleSet write(const kernels::AddressPattern& pattern);
    /// Reads and checks all words, chunks in bit-reversed order and each from its end down.
    SampleSet verify(const kernels::AddressPattern& pattern, WrongWords& wrong);
    /// Where the first wrong word lies, and what is there when it is read once more.
    std::string describe_place(const WrongWords& wrong);

  private:
    struct Chunk {
        DeviceMemory* memory = nullptr;
        std::uint64_t first = 0;  ///< index of its first word in the allocation
    };
    void check_chunk(const Chunk& chunk, const kernels::AddressPattern& pattern, WrongWords& wrong);

    Accelerator& accelerator_;
    Clock& clock_;
    kernels::OffloadedAddressPattern addresses_;
    std::vector<Chunk> chunks_;
    std::uint64_t words_ = 0;
};

}  // namespace assay
