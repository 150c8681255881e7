#include "probes/memory/streams/stream_arrays.h"

#include <algorithm>
#include <atomic>
#include <limits>

#include <fmt/format.h>

#include "kernels/device/numa.h"
#include "kernels/reference/reference.h"
#include "probes/core/bytes_in_words.h"
#include "probes/core/random.h"

namespace assay {

namespace {

using kernels::StreamKernel;

// Parts begin on page boundaries, so that a page lies in the memory of the node whose thread uses it.
constexpr std::size_t page_elements = 4096 / sizeof(double);
// Between arrays. Sizes are powers of two, mostly; that far apart, what is worked on at one time likely lies
// in the same banks of memory, in different rows: on a Zen 3 guest triad then gave 0.77 of what it gives with
// this. (STREAM's OFFSET is for the same.)
constexpr std::size_t stagger_elements = 17 * page_elements;
// A chunk: some ten microseconds of a core, against which taking it is nothing and waiting for it little.
constexpr std::size_t chunk_elements = (std::size_t{128} << 10) / sizeof(double);
// Elements are whole numbers below 2^20: sums of up to 2^33 of them are exact.
constexpr std::uint64_t value_limit = std::uint64_t{1} << 20;

/// Elements from the beginning of an array to that of the next.
constexpr std::size_t stride_of(std::size_t elements) {
    return (elements + page_elements - 1) / page_elements * page_elements + stagger_elements;
}

constexpr std::uint64_t cache_multiple = 4;
constexpr std::uint64_t assumed_cache_bytes = std::uint64_t{64} << 20;

}  // namespace

std::string NamedKernel::name() const {
    return std::string(kernels::to_string(kernel)) + (non_temporal ? "_nt" : "");
}

int NamedKernel::arrays() const {
    switch (kernel) {
        case StreamKernel::read:
        case StreamKernel::write:
            return 1;
        case StreamKernel::copy:
        case StreamKernel::scale:
            return 2;
        case StreamKernel::add:
        case StreamKernel::triad:
            return 3;
    }
    return 3;
}

std::vector<NamedKernel> all_stream_kernels() {
    std::vector<NamedKernel> named;
    for (const StreamKernel kernel : {StreamKernel::read, StreamKernel::write, StreamKernel::copy,
                                      StreamKernel::scale, StreamKernel::add, StreamKernel::triad}) {
        named.push_back({kernel, false});
        if (kernels::stream_stores(kernel)) named.push_back({kernel, true});
    }
    return named;
}

std::uint64_t array_footprint(std::uint64_t bytes) {
    return stride_of(bytes / sizeof(double)) * sizeof(double);
}

ArraySize size_arrays(std::uint64_t asked, int arrays, std::uint64_t cache_bytes,
                      std::uint64_t usable_bytes) {
    ArraySize size;
    const bool told = cache_bytes != 0;
    const std::uint64_t rule = cache_multiple * (told ? cache_bytes : assumed_cache_bytes);
    const std::string caches =
        told
            ? fmt::format("all last-level caches together, {} bytes", cache_bytes)
            : fmt::format("{} bytes, assumed since the system does not tell its caches", assumed_cache_bytes);
    if (asked != 0) {
        size.bytes = asked / sizeof(double) * sizeof(double);
        size.out_of_cache = size.bytes >= rule;
        size.reason = fmt::format("Each array has {} bytes, as asked for; STREAM's rule is 4 x {}.",
                                  size.bytes, caches);
        const std::uint64_t count = static_cast<std::uint64_t>(arrays);
        const std::uint64_t most = usable_bytes / count;
        // The first comparison lets the second come to no more than 64 bits hold.
        if (usable_bytes != 0 && (size.bytes > most || array_footprint(size.bytes) > most))
            size.impossible = fmt::format(
                "{} of {}, and {} bytes from each to the next, are more than the {} of memory that may be "
                "used",
                counted(count, "array", "arrays"), bytes_in_words(size.bytes),
                stagger_elements * sizeof(double), bytes_in_words(usable_bytes));
    } else {
        const std::uint64_t page = page_elements * sizeof(double);
        const std::uint64_t half = usable_bytes / 2 / static_cast<std::uint64_t>(arrays) / page * page;
        size.out_of_cache = usable_bytes == 0 || rule <= half;
        size.bytes = size.out_of_cache ? (rule + page - 1) / page * page : half;
        size.useful = size.bytes > rule / cache_multiple;
        size.reason =
            size.out_of_cache
                ? fmt::format("Each array has {} bytes, by STREAM's rule 4 x {}.", size.bytes, caches)
                : fmt::format(
                      "Each array has {} bytes, so that all take half of the {} bytes of memory "
                      "that may be used; STREAM's rule would be 4 x {}.",
                      size.bytes, usable_bytes, caches);
    }
    if (!size.out_of_cache) size.reason += " Part of the data may have come from caches.";
    return size;
}

StreamArraySet::StreamArraySet(Device& device, kernels::ThreadTeam& team, int arrays, std::uint64_t bytes,
                               bool huge_pages, std::uint64_t seed, std::optional<int> node)
    : team_(team), elements_(bytes / sizeof(double)) {
    const std::size_t stride = stride_of(elements_);
    memory_ = device.allocate(stride * sizeof(double) * static_cast<std::size_t>(arrays), huge_pages);
    if (node) bind_memory(memory_->host_pointer(), memory_->bytes(), *node);
    for (int i = 0; i < arrays; ++i)
        arrays_.push_back(reinterpret_cast<double*>(memory_->host_pointer()) +
                          stride * static_cast<std::size_t>(i));
    members_.resize(static_cast<std::size_t>(team.size()));
    team_.run([&](int index) {
        Member& member = members_[static_cast<std::size_t>(index)];
        member.part = kernels::member_range(elements_, page_elements, index, team_.size());
        member.next = member.part.begin;
        for (std::size_t array = 0; array < arrays_.size(); ++array) {
            Random random(seed + array, static_cast<std::uint64_t>(index));
            std::uint64_t sum = 0;
            for (std::size_t i = member.part.begin; i < member.part.end; ++i) {
                const std::uint64_t value = random.next() % value_limit;
                arrays_[array][i] = static_cast<double>(value);
                sum += value;
            }
            if (array == 0) member.expected_sum = static_cast<double>(sum);
        }
    });
}

std::size_t StreamArraySet::chunks() const {
    std::size_t chunks = 0;
    for (const Member& member : members_)
        chunks += (member.part.end - member.part.begin + chunk_elements - 1) / chunk_elements;
    return chunks;
}

/// Inputs first, the array that is stored into last. Write alone may use the array that read reads: probes of
/// one array have no other, and with more it takes the last.
kernels::StreamArrays StreamArraySet::arrays_for(const NamedKernel& kernel) const {
    kernels::StreamArrays arrays;
    if (kernel.kernel != StreamKernel::write) arrays.a = arrays_[0];
    if (kernel.arrays() == 3) arrays.b = arrays_[1];
    if (kernels::stream_stores(kernel.kernel)) arrays.out = arrays_.back();
    return arrays;
}

void StreamArraySet::poison(const NamedKernel& kernel) {
    double* const out = arrays_for(kernel).out;
    team_.run([&](int index) {
        Member& member = members_[static_cast<std::size_t>(index)];
        member = {member.part, member.expected_sum, member.part.begin};
        if (out != nullptr)
            std::fill(out + member.part.begin, out + member.part.end,
                      std::numeric_limits<double>::quiet_NaN());
    });
}

std::size_t StreamArraySet::run_chunk(Member& member, const NamedKernel& kernel,
                                      const kernels::StreamPattern& pattern,
                                      const kernels::StreamArrays& arrays) {
    const std::size_t begin = member.next;
    const std::size_t end = std::min(begin + chunk_elements, member.part.end);
    member.sum += kernels::stream(kernel.kernel, pattern, arrays, scalar, begin, end);
    member.next = end;
    if (end == member.part.end) {
        if (member.sum != member.expected_sum) ++member.wrong_sums;
        ++member.passes;
        member.sum = 0;
        member.next = member.part.begin;
    }
    return end - begin;
}

std::size_t StreamArraySet::run(const NamedKernel& kernel, const kernels::StreamPattern& pattern,
                                std::size_t chunks) {
    const kernels::StreamArrays arrays = arrays_for(kernel);
    alignas(64) std::atomic<std::size_t> taken{0};
    alignas(64) std::atomic<std::size_t> elements{0};
    team_.run([&](int index) {
        // A copy, lest it shares lines with what the kernel or another member writes.
        Member member = members_[static_cast<std::size_t>(index)];
        // With more members than pages some have nothing to do.
        if (member.part.begin == member.part.end) return;
        std::size_t done = 0;
        while (taken.fetch_add(1, std::memory_order_relaxed) < chunks)
            done += run_chunk(member, kernel, pattern, arrays);
        members_[static_cast<std::size_t>(index)] = member;
        elements += done;
    });
    return elements;
}

void StreamArraySet::finish_pass(const NamedKernel& kernel, const kernels::StreamPattern& pattern) {
    const kernels::StreamArrays arrays = arrays_for(kernel);
    team_.run([&](int index) {
        Member& member = members_[static_cast<std::size_t>(index)];
        if (member.part.begin == member.part.end) return;
        while (member.passes == 0) run_chunk(member, kernel, pattern, arrays);
    });
}

std::uint64_t StreamArraySet::wrong_elements(const NamedKernel& kernel) {
    if (kernel.kernel == StreamKernel::read)
        return static_cast<std::uint64_t>(
            std::count_if(members_.begin(), members_.end(), [](const Member& member) {
                return member.part.begin != member.part.end && (member.passes == 0 || member.wrong_sums != 0);
            }));
    const kernels::StreamArrays arrays = arrays_for(kernel);
    std::atomic<std::uint64_t> wrong{0};
    team_.run([&](int index) {
        const kernels::ItemRange& part = members_[static_cast<std::size_t>(index)].part;
        std::uint64_t count = 0;
        for (std::size_t i = part.begin; i < part.end; ++i) {
            const double a = arrays.a != nullptr ? arrays.a[i] : 0;
            const double b = arrays.b != nullptr ? arrays.b[i] : 0;
            // A NaN, what poison() left, is unequal too.
            if (!(arrays.out[i] == kernels::reference::stream_element(kernel.kernel, a, b, scalar))) ++count;
        }
        wrong += count;
    });
    return wrong;
}

}  // namespace assay
