#include "probes/memory/checked/pattern_check.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <numeric>

#include <fmt/format.h>

#include "probes/core/statistics.h"

namespace assay {

namespace {

constexpr std::size_t word_bytes = sizeof(std::uint64_t);
constexpr std::size_t page_words = 4096 / word_bytes;
// Long enough for the hardware's prefetchers, short enough for an order unlike that of the writing.
constexpr std::size_t largest_block_words = (std::size_t{1} << 20) / word_bytes;
constexpr std::uint64_t blocks_at_least = 256;

SampleSet finished(SampleSet set) {
    set.steady = is_steady(set.values);
    return set;
}

}  // namespace

std::vector<std::size_t> bit_reversed(std::size_t count) {
    std::vector<std::size_t> order;
    order.reserve(count);
    const int bits = std::bit_width(count > 0 ? count - 1 : 0);
    for (std::size_t i = 0; i < std::size_t{1} << bits; ++i) {
        std::size_t reversed = 0;
        for (int bit = 0; bit < bits; ++bit) reversed |= (i >> bit & 1) << (bits - 1 - bit);
        if (reversed < count) order.push_back(reversed);
    }
    return order;
}

void WrongWords::add(std::uint64_t index, std::uint64_t expected_word, std::uint64_t found_word,
                     const void* where) {
    if (count == 0 || index < first_index) {
        first_index = index;
        expected = expected_word;
        found = found_word;
        address = where;
    }
    ++count;
    flipped |= expected_word ^ found_word;
}

void WrongWords::add_passing(std::uint64_t first_of_block, std::uint64_t bits, const void* where) {
    add(first_of_block, bits, 0, where);
    ++passing;
}

void WrongWords::merge(const WrongWords& other) {
    if (other.count == 0) return;
    const std::uint64_t all_bits = flipped | other.flipped;
    const std::uint64_t all = count + other.count;
    const std::uint64_t all_passing = passing + other.passing;
    if (count == 0 || other.first_index < first_index) *this = other;
    flipped = all_bits;
    count = all;
    passing = all_passing;
}

PatternCheck::PatternCheck(kernels::ThreadTeam& team, Clock& clock, std::uint64_t total_bytes)
    : team_(team),
      clock_(clock),
      isa_(kernels::best_vector_isa()),
      block_words_(
          std::clamp(std::bit_floor(static_cast<std::size_t>(total_bytes / blocks_at_least / word_bytes)),
                     page_words, largest_block_words)),
      members_(static_cast<std::size_t>(team.size())) {}

void PatternCheck::add_chunk(DeviceMemory& memory) {
    std::uint64_t* const begin = reinterpret_cast<std::uint64_t*>(memory.host_pointer());
    const std::size_t words = memory.bytes() / word_bytes;
    const std::uint64_t first = words_;
    team_.run([&](int number) {
        Member& member = members_[static_cast<std::size_t>(number)];
        const kernels::ItemRange mine = kernels::member_range(words, block_words_, number, team_.size());
        for (std::size_t at = mine.begin; at < mine.end; at += block_words_)
            member.blocks.push_back({begin + at, first + at, std::min(block_words_, mine.end - at)});
        member.chunk_ends.push_back(member.blocks.size());
        for (std::size_t at = mine.begin; at < mine.end; at += page_words)
            *static_cast<volatile std::uint64_t*>(begin + at) = 0;
    });
    words_ += words;
}

SampleSet PatternCheck::write(const kernels::AddressPattern& pattern) {
    SampleSet set;
    const std::size_t chunks = members_.front().chunk_ends.size();
    const Nanoseconds start = clock_.now();
    Nanoseconds begin = start;
    for (std::size_t chunk = 0; chunk < chunks; ++chunk) {
        std::vector<std::size_t> done(members_.size());
        team_.run([&](int number) {
            const Member& member = members_[static_cast<std::size_t>(number)];
            std::size_t words = 0;
            for (std::size_t i = chunk == 0 ? 0 : member.chunk_ends[chunk - 1]; i < member.chunk_ends[chunk];
                 ++i) {
                const Block& block = member.blocks[i];
                kernels::write_pattern(isa_, pattern, block.first, block.words, block.count);
                words += block.count;
            }
            done[static_cast<std::size_t>(number)] = words;
        });
        const Nanoseconds end = clock_.now();
        const std::size_t bytes = std::accumulate(done.begin(), done.end(), std::size_t{0}) * word_bytes;
        set.values.push_back(static_cast<double>(bytes) / std::max(seconds_of(end - begin), 1e-9));
        set.at.push_back(seconds_of(end - start));
        begin = end;
    }
    return finished(std::move(set));
}

SampleSet PatternCheck::verify(const kernels::AddressPattern& pattern, WrongWords& wrong) {
    SampleSet set;
    const std::size_t slices = members_.front().chunk_ends.size();
    std::vector<std::vector<std::size_t>> orders(members_.size());
    for (std::size_t i = 0; i < members_.size(); ++i) orders[i] = bit_reversed(members_[i].blocks.size());
    std::vector<WrongWords> found(members_.size());
    const Nanoseconds start = clock_.now();
    Nanoseconds begin = start;
    for (std::size_t slice = 0; slice < slices; ++slice) {
        std::vector<std::size_t> done(members_.size());
        team_.run([&](int number) {
            const std::size_t index = static_cast<std::size_t>(number);
            const std::vector<std::size_t>& order = orders[index];
            std::size_t words = 0;
            for (std::size_t i = order.size() * slice / slices; i < order.size() * (slice + 1) / slices;
                 ++i) {
                const Block& block = members_[index].blocks[order[i]];
                words += block.count;
                const std::uint64_t difference =
                    kernels::pattern_difference(isa_, pattern, block.first, block.words, block.count);
                if (difference == 0) continue;
                const std::uint64_t found_before = found[index].count;
                for (std::size_t at = 0; at < block.count; ++at) {
                    const std::uint64_t expected = kernels::pattern_word(pattern, block.first + at);
                    const std::uint64_t word = *static_cast<const volatile std::uint64_t*>(block.words + at);
                    if (word != expected)
                        found[index].add(block.first + at, expected, word, block.words + at);
                }
                if (found[index].count == found_before)
                    found[index].add_passing(block.first, difference, block.words);
            }
            done[index] = words;
        });
        const Nanoseconds end = clock_.now();
        const std::size_t bytes = std::accumulate(done.begin(), done.end(), std::size_t{0}) * word_bytes;
        if (bytes != 0) {
            set.values.push_back(static_cast<double>(bytes) / std::max(seconds_of(end - begin), 1e-9));
            set.at.push_back(seconds_of(end - start));
        }
        begin = end;
    }
    for (const WrongWords& each : found) wrong.merge(each);
    return finished(std::move(set));
}

std::string describe_wrong(const WrongWords& wrong, const kernels::AddressPattern& pattern,
                           const std::optional<kernels::AddressPattern>& before, std::uint64_t total_bytes) {
    const std::uint64_t offset = wrong.first_index * word_bytes;
    if (wrong.passing == wrong.count)
        return fmt::format(
            "{} blocks were read wrong once and right when read again, the first at offset {:#x}; bits that "
            "differed: {:#018x}: errors that come and go",
            wrong.count, offset, wrong.flipped);
    std::string text = fmt::format(
        "{} of {} words are wrong, the first at offset {:#x}: expected {:#018x}, found {:#018x}; bits that "
        "differ anywhere: {:#018x} ({} of 64)",
        wrong.count, total_bytes / word_bytes, offset, wrong.expected, wrong.found, wrong.flipped,
        std::popcount(wrong.flipped));
    const std::uint64_t origin = kernels::pattern_index(pattern, wrong.found);
    if (origin < total_bytes / word_bytes) {
        const std::uint64_t distance = (origin ^ wrong.first_index) * word_bytes;
        text += fmt::format("; it is what was written at offset {:#x}, {} bytes away", origin * word_bytes,
                            origin > wrong.first_index ? (origin - wrong.first_index) * word_bytes
                                                       : (wrong.first_index - origin) * word_bytes);
        if (std::has_single_bit(distance))
            text += fmt::format(": bit {} of the offset has no effect", std::countr_zero(distance));
        text += ", so two addresses share the same memory";
    } else if (before && wrong.found == kernels::pattern_word(*before, wrong.first_index)) {
        text += "; it is what the pass before wrote there: the new data did not arrive";
    } else if (wrong.found == 0) {
        text += "; it reads as zero: it lost what was written, or never had it";
    }
    return text;
}

}  // namespace assay
