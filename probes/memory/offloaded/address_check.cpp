#include "probes/memory/offloaded/address_check.h"

#include <algorithm>

#include <fmt/format.h>

#include "probes/core/statistics.h"

namespace assay {

namespace {

constexpr std::size_t word_bytes = sizeof(std::uint64_t);
constexpr std::uint8_t poison = 0xff;

}  // namespace

OffloadedAddressCheck::OffloadedAddressCheck(Accelerator& accelerator, Clock& clock)
    : accelerator_(accelerator), clock_(clock), addresses_(accelerator) {}

void OffloadedAddressCheck::add_chunk(DeviceMemory& memory) {
    accelerator_.queue().fill(memory, 0, memory.bytes(), poison);
    accelerator_.queue().finish();
    chunks_.push_back({&memory, words_});
    words_ += memory.bytes() / word_bytes;
}

SampleSet OffloadedAddressCheck::write(const kernels::AddressPattern& pattern) {
    SampleSet set;
    const Nanoseconds start = clock_.now();
    for (const Chunk& chunk : chunks_) {
        const double seconds =
            timed(accelerator_.queue(), [&] { addresses_.write(*chunk.memory, chunk.first, pattern); });
        set.values.push_back(static_cast<double>(chunk.memory->bytes()) / std::max(seconds, 1e-9));
        set.at.push_back(seconds_of(clock_.now() - start));
    }
    set.steady = is_steady(set.values);
    return set;
}

SampleSet OffloadedAddressCheck::verify(const kernels::AddressPattern& pattern, WrongWords& wrong) {
    SampleSet set;
    const Nanoseconds start = clock_.now();
    for (const std::size_t number : bit_reversed(chunks_.size())) {
        const Chunk& chunk = chunks_[number];
        const double seconds =
            timed(accelerator_.queue(), [&] { addresses_.verify(*chunk.memory, chunk.first, pattern); });
        check_chunk(chunk, pattern, wrong);
        set.values.push_back(static_cast<double>(chunk.memory->bytes()) / std::max(seconds, 1e-9));
        set.at.push_back(seconds_of(clock_.now() - start));
    }
    set.steady = is_steady(set.values);
    return set;
}

void OffloadedAddressCheck::check_chunk(const Chunk& chunk, const kernels::AddressPattern& pattern,
                                        WrongWords& wrong) {
    const kernels::AddressFinding finding = addresses_.collect();
    WrongWords found;
    found.count = finding.wrong + finding.passing;
    found.passing = finding.passing;
    found.flipped = finding.flipped;
    // Of errors that come and go the device tells no place but the chunk.
    found.first_index = finding.wrong != 0 ? finding.first_index : chunk.first;
    found.expected = kernels::pattern_word(pattern, found.first_index);
    found.found = finding.found;
    wrong.merge(found);
}

std::string OffloadedAddressCheck::describe_place(const WrongWords& wrong) {
    const auto after =
        std::upper_bound(chunks_.begin(), chunks_.end(), wrong.first_index,
                         [](std::uint64_t index, const Chunk& chunk) { return index < chunk.first; });
    const Chunk& chunk = *std::prev(after);
    const std::uint64_t offset = (wrong.first_index - chunk.first) * word_bytes;
    std::string text = fmt::format("; {:#x} bytes into chunk {} of {}", offset,
                                   std::distance(chunks_.begin(), after), chunks_.size());
    if (const std::uint64_t address = accelerator_.address(*chunk.memory); address != 0)
        text += fmt::format(", the device's address {:#x}", address + offset);
    if (wrong.passing == wrong.count) return text;
    if (wrong.found == ~std::uint64_t{0})
        text += "; it is what was there before anything was written: the data did not arrive";
    std::uint64_t again = 0;
    accelerator_.queue().read(&again, *chunk.memory, offset, sizeof again);
    accelerator_.queue().finish();
    if (again == wrong.expected)
        text += "; read once more it is right: an error that comes and goes";
    else if (again != wrong.found)
        text += fmt::format("; read once more it is {:#018x}", again);
    return text;
}

}  // namespace assay
