#include "probes/memory/streams/stream_arrays.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "kernels/device/numa.h"
#include "kernels/reference/reference.h"
#include "probes/core/random.h"

namespace assay {

namespace {

using kernels::StreamKernel;

// Parts begin on page boundaries, so that a page lies in the memory of the node whose thread uses it.
constexpr std::size_t page_elements = 4096 / sizeof(double);
// Sections of a member's part begin on cache lines.
constexpr std::size_t line_elements = 8;
// Elements are whole numbers below 2^20: sums of up to 2^33 of them are exact.
constexpr std::uint64_t value_limit = std::uint64_t{1} << 20;

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
    const std::size_t stride = (elements_ + page_elements - 1) / page_elements * page_elements;
    memory_ = device.allocate(stride * sizeof(double) * static_cast<std::size_t>(arrays), huge_pages);
    if (node) bind_memory(memory_->host_pointer(), memory_->bytes(), *node);
    for (int i = 0; i < arrays; ++i)
        arrays_.push_back(reinterpret_cast<double*>(memory_->host_pointer()) +
                          stride * static_cast<std::size_t>(i));
    std::vector<std::uint64_t> sums(static_cast<std::size_t>(team.size()));
    team_.run([&](int member) {
        const kernels::ItemRange mine = kernels::member_range(elements_, page_elements, member, team_.size());
        for (std::size_t array = 0; array < arrays_.size(); ++array) {
            Random random(seed + array, static_cast<std::uint64_t>(member));
            std::uint64_t sum = 0;
            for (std::size_t i = mine.begin; i < mine.end; ++i) {
                const std::uint64_t value = random.next() % value_limit;
                arrays_[array][i] = static_cast<double>(value);
                sum += value;
            }
            if (array == 0) sums[static_cast<std::size_t>(member)] = sum;
        }
    });
    expected_sum_ = static_cast<double>(std::accumulate(sums.begin(), sums.end(), std::uint64_t{0}));
    set_sections(1);
}

void StreamArraySet::set_sections(std::size_t sections) {
    section_sums_.assign(std::max<std::size_t>(sections, 1), std::numeric_limits<double>::quiet_NaN());
    next_section_ = 0;
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
    std::fill(section_sums_.begin(), section_sums_.end(), std::numeric_limits<double>::quiet_NaN());
    next_section_ = 0;
    double* const out = arrays_for(kernel).out;
    if (out == nullptr) return;
    team_.run([&](int member) {
        const kernels::ItemRange mine = kernels::member_range(elements_, page_elements, member, team_.size());
        std::fill(out + mine.begin, out + mine.end, std::numeric_limits<double>::quiet_NaN());
    });
}

std::size_t StreamArraySet::run_section(const NamedKernel& kernel, const kernels::StreamPattern& pattern) {
    struct alignas(64) Part {
        double sum = 0;
        std::size_t elements = 0;
    };
    std::vector<Part> parts(static_cast<std::size_t>(team_.size()));
    const kernels::StreamArrays arrays = arrays_for(kernel);
    const std::size_t section = next_section_;
    const int sections = static_cast<int>(section_sums_.size());
    team_.run([&](int member) {
        const kernels::ItemRange mine = kernels::member_range(elements_, page_elements, member, team_.size());
        const kernels::ItemRange range =
            kernels::member_range(mine.end - mine.begin, line_elements, static_cast<int>(section), sections);
        Part& part = parts[static_cast<std::size_t>(member)];
        part.sum = kernels::stream(kernel.kernel, pattern, arrays, scalar, mine.begin + range.begin,
                                   mine.begin + range.end);
        part.elements = range.end - range.begin;
    });
    Part total;
    for (const Part& part : parts) {
        total.sum += part.sum;
        total.elements += part.elements;
    }
    section_sums_[section] = total.sum;
    next_section_ = (section + 1) % section_sums_.size();
    return total.elements;
}

std::uint64_t StreamArraySet::wrong_elements(const NamedKernel& kernel) {
    if (kernel.kernel == StreamKernel::read)
        return std::accumulate(section_sums_.begin(), section_sums_.end(), 0.0) == expected_sum_ ? 0 : 1;
    const kernels::StreamArrays arrays = arrays_for(kernel);
    std::vector<std::uint64_t> wrong(static_cast<std::size_t>(team_.size()));
    team_.run([&](int member) {
        const kernels::ItemRange mine = kernels::member_range(elements_, page_elements, member, team_.size());
        std::uint64_t count = 0;
        for (std::size_t i = mine.begin; i < mine.end; ++i) {
            const double a = arrays.a != nullptr ? arrays.a[i] : 0;
            const double b = arrays.b != nullptr ? arrays.b[i] : 0;
            // A NaN, what poison() left, is unequal too.
            if (!(arrays.out[i] == kernels::reference::stream_element(kernel.kernel, a, b, scalar))) ++count;
        }
        wrong[static_cast<std::size_t>(member)] = count;
    });
    return std::accumulate(wrong.begin(), wrong.end(), std::uint64_t{0});
}

}  // namespace assay
