#include "kernels/offload/stream.h"

#include <algorithm>
#include <array>

namespace assay::kernels {

namespace {

constexpr const char* program = "stream";
constexpr std::size_t vector_bytes = 16, line_bytes = 64;
constexpr std::size_t most_sums = offloaded_sums_bytes / sizeof(std::uint32_t);
constexpr std::size_t fill_group = 64, fill_groups = 4096;

using Kind = OffloadedPattern::Kind;

bool is_cuda(const Accelerator& accelerator) {
    return accelerator.info().id.starts_with("cuda:");
}

std::uint32_t mixed(std::uint32_t value) {
    // The finalizer of MurmurHash3: every bit of the index reaches every bit of the element.
    value = (value ^ (value >> 16)) * 0x85ebca6bu;
    value = (value ^ (value >> 13)) * 0xc2b2ae35u;
    return value ^ (value >> 16);
}

std::string function_of(StreamKernel kernel, const OffloadedPattern& pattern, bool cuda) {
    std::string name(to_string(kernel));
    switch (pattern.kind) {
        case Kind::plain:
            return name + "_plain";
        case Kind::strided:
            return name + "_strided" + (cuda ? std::to_string(pattern.unroll) : "");
        case Kind::chunks:
            return name + "_chunks";
    }
    return name;
}

std::string options_of(const OffloadedPattern& pattern) {
    std::string options = "-DUNROLL=" + std::to_string(pattern.unroll);
    if (pattern.prefetch_lines > 0) options += " -DPREFETCH=" + std::to_string(pattern.prefetch_lines);
    if (pattern.non_temporal) options += " -DNON_TEMPORAL";
    return options;
}

}  // namespace

std::string OffloadedPattern::describe() const {
    switch (kind) {
        case Kind::plain:
            return "plain, 16 bytes a work-item";
        case Kind::strided:
            return "strided, " + std::to_string(unroll) + " loads of 16 bytes under way, groups of " +
                   std::to_string(group) + ", " + std::to_string(groups_per_unit) + " a compute unit";
        case Kind::chunks:
            return "chunks, " + std::to_string(groups_per_unit) + " a compute unit" +
                   (prefetch_lines > 0 ? ", prefetch " + std::to_string(prefetch_lines * 64) + " bytes ahead"
                                       : std::string()) +
                   (non_temporal ? ", stores around the caches" : "");
    }
    return {};
}

OffloadedPattern plain_offloaded_pattern(const Accelerator& accelerator) {
    return {.group = accelerator.is_card() ? std::size_t{256} : std::size_t{64}};
}

std::vector<OffloadedPattern> offloaded_patterns(const Accelerator& accelerator, StreamKernel kernel) {
    std::vector<OffloadedPattern> patterns = {plain_offloaded_pattern(accelerator)};
    if (accelerator.is_card()) {
        for (const int unroll : {1, 2, 4, 8})
            for (const std::size_t groups : {std::size_t{8}, std::size_t{32}})
                patterns.push_back({Kind::strided, unroll, 256, groups, 0, false});
        // Fewer and larger groups, whose rows of memory are longer.
        patterns.push_back({Kind::strided, 4, 512, 4, 0, false});
        return patterns;
    }
    for (const int prefetch : {0, 8, 16, 32})
        for (const std::size_t groups : {std::size_t{1}, std::size_t{8}})
            patterns.push_back({Kind::chunks, 1, 1, groups, prefetch, false});
    if (!stream_stores(kernel)) return patterns;
    for (const int prefetch : {0, 16}) patterns.push_back({Kind::chunks, 1, 1, 1, prefetch, true});
    return patterns;
}

std::uint32_t offloaded_element(std::uint64_t index, std::uint32_t seed) {
    return mixed(static_cast<std::uint32_t>(index) ^ mixed(static_cast<std::uint32_t>(index >> 32) + seed));
}

OffloadedStream::OffloadedStream(Accelerator& accelerator, int arrays, std::uint64_t bytes,
                                 std::uint32_t seed)
    : accelerator_(accelerator), bytes_(bytes), seed_(seed) {
    a_ = accelerator.allocate(bytes, true);
    if (arrays > 1) out_ = accelerator.allocate(bytes, true);
    if (arrays > 2) b_ = accelerator.allocate(bytes, true);
    sums_ = accelerator.allocate(offloaded_sums_bytes, false);
    fill(*a_, seed_);
    if (b_) fill(*b_, seed_ + 1);
    accelerator.queue().finish();
}

void OffloadedStream::fill(DeviceMemory& memory, std::uint32_t seed) {
    const std::array<KernelArgument, 3> arguments = {static_cast<const DeviceMemory*>(&memory), elements(),
                                                     seed};
    accelerator_.queue().launch(accelerator_.kernel(program, "fill", "-DUNROLL=1"),
                                {.groups_x = fill_groups, .group_x = fill_group}, arguments);
}

DeviceMemory& OffloadedStream::output(StreamKernel kernel) {
    if (kernel == StreamKernel::read) return *sums_;
    return out_ ? *out_ : *a_;
}

std::size_t OffloadedStream::work_items(const OffloadedPattern& pattern) const {
    const std::size_t vectors = bytes_ / (pattern.kind == Kind::chunks ? line_bytes : vector_bytes);
    const std::size_t group_work = pattern.group * static_cast<std::size_t>(pattern.unroll);
    const std::size_t needed = std::max<std::size_t>(1, vectors / group_work);
    const std::size_t units = static_cast<std::size_t>(std::max(1, accelerator_.info().compute_units));
    const std::size_t groups =
        pattern.groups_per_unit == 0 ? needed : std::min(needed, units * pattern.groups_per_unit);
    return groups * pattern.group;
}

void OffloadedStream::run(StreamKernel kernel, const OffloadedPattern& pattern) {
    const bool reads = kernel == StreamKernel::read;
    std::size_t items = work_items(pattern);
    if (reads) items = std::min(items, most_sums);
    const std::uint64_t count = bytes_ / (pattern.kind == Kind::chunks ? line_bytes : vector_bytes);
    const std::array<KernelArgument, 5> arguments = {
        static_cast<const DeviceMemory*>(&output(kernel)),
        static_cast<const DeviceMemory*>(a_.get()),
        static_cast<const DeviceMemory*>(b_ ? b_.get() : a_.get()),
        scalar,
        count,
    };
    accelerator_.queue().launch(
        accelerator_.kernel(program, function_of(kernel, pattern, is_cuda(accelerator_)),
                            options_of(pattern)),
        {.groups_x = items / pattern.group, .group_x = pattern.group}, arguments);
}

void OffloadedStream::poison(StreamKernel kernel) {
    DeviceMemory& memory = output(kernel);
    accelerator_.queue().fill(memory, 0, memory.bytes(), 0xff);
}

std::uint64_t OffloadedStream::wrong_elements(StreamKernel kernel, const OffloadedPattern& pattern) {
    Queue& queue = accelerator_.queue();
    std::uint64_t wrong = 0;
    if (kernel == StreamKernel::read) {
        std::vector<std::uint32_t> sums(std::min(work_items(pattern), most_sums));
        queue.read(sums.data(), *sums_, 0, sums.size() * sizeof(std::uint32_t));
        queue.finish();
        std::uint32_t sum = 0, expected = 0;
        for (const std::uint32_t one : sums) sum += one;
        for (std::uint64_t i = 0; i < elements(); ++i) expected += offloaded_element(i, seed_);
        return sum == expected ? 0 : 1;
    }
    constexpr std::uint64_t piece = std::uint64_t{4} << 20;
    std::vector<std::uint32_t> values(std::min(piece, elements()));
    for (std::uint64_t begin = 0; begin < elements(); begin += values.size()) {
        const std::uint64_t count = std::min<std::uint64_t>(values.size(), elements() - begin);
        queue.read(values.data(), output(kernel), begin * sizeof(std::uint32_t),
                   count * sizeof(std::uint32_t));
        queue.finish();
        for (std::uint64_t i = 0; i < count; ++i) {
            const std::uint32_t a = offloaded_element(begin + i, seed_),
                                b = offloaded_element(begin + i, seed_ + 1);
            const std::uint32_t expected = kernel == StreamKernel::write   ? scalar
                                           : kernel == StreamKernel::copy  ? a
                                           : kernel == StreamKernel::scale ? scalar * a
                                           : kernel == StreamKernel::add   ? a + b
                                                                           : a + scalar * b;
            wrong += values[i] != expected ? 1 : 0;
        }
    }
    if (&output(kernel) == a_.get()) {
        fill(*a_, seed_);
        queue.finish();
    }
    return wrong;
}

}  // namespace assay::kernels
