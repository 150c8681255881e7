#include "probes/memory/chains/read_load.h"

#include <algorithm>
#include <chrono>

#include "kernels/cpu/stream.h"
#include "kernels/cpu/thread_team.h"
#include "probes/core/random.h"

namespace assay {

namespace {

constexpr std::int64_t idle = -1;
constexpr std::int64_t stopped = -2;

// Small enough for pauses to come evenly, large enough that what is between two blocks costs nothing.
constexpr std::size_t block_elements = 1024;
constexpr std::uint64_t value_limit = std::uint64_t{1} << 20;

kernels::StreamPattern pattern() {
    return {kernels::best_vector_isa(), false, kernels::Prefetch::all_caches, 4096, 1};
}

void spin_for(std::chrono::nanoseconds time) {
    const std::chrono::steady_clock::time_point end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) {
    }
}

}  // namespace

ReadLoad::ReadLoad(std::byte* memory, std::uint64_t bytes, int readers)
    : parts_(static_cast<std::size_t>(readers)), pause_ns_(idle) {
    double* const array = reinterpret_cast<double*>(memory);
    for (int reader = 0; reader < readers; ++reader) {
        const kernels::ItemRange range =
            kernels::member_range(bytes / sizeof(double), block_elements, reader, readers);
        Part& part = parts_[static_cast<std::size_t>(reader)];
        part.begin = array + range.begin;
        part.elements = range.end - range.begin;
    }
}

void ReadLoad::fill(int reader, std::uint64_t seed) {
    Part& part = parts_[static_cast<std::size_t>(reader)];
    Random random(seed, static_cast<std::uint64_t>(reader));
    std::uint64_t sum = 0;
    for (std::size_t at = 0; at < part.elements; ++at) {
        const std::uint64_t value = random.next() % value_limit;
        part.begin[at] = static_cast<double>(value);
        sum += value;
    }
    part.sum = static_cast<double>(sum);
}

void ReadLoad::serve(int reader) {
    Part& part = parts_[static_cast<std::size_t>(reader)];
    std::size_t at = 0;
    double sum = 0;
    while (true) {
        const std::int64_t pause = pause_ns_.load(std::memory_order_acquire);
        if (pause == stopped) return;
        if (pause == idle) {
            pause_ns_.wait(idle, std::memory_order_acquire);
            continue;
        }
        read_block(part, at, sum);
        if (pause > 0) spin_for(std::chrono::nanoseconds(pause));
    }
}

void ReadLoad::read_block(Part& part, std::size_t& at, double& sum) {
    const std::size_t end = std::min(at + block_elements, part.elements);
    sum +=
        kernels::stream(kernels::StreamKernel::read, pattern(), {nullptr, part.begin, nullptr}, 0, at, end);
    // Only this thread writes these.
    part.bytes_read.store(part.bytes_read.load(std::memory_order_relaxed) + (end - at) * sizeof(double),
                          std::memory_order_relaxed);
    at = end;
    if (at != part.elements) return;
    part.passes.fetch_add(1, std::memory_order_relaxed);
    if (sum != part.sum) part.wrong_passes.fetch_add(1, std::memory_order_relaxed);
    at = 0;
    sum = 0;
}

void ReadLoad::stop() {
    pause_ns_.store(stopped, std::memory_order_release);
    pause_ns_.notify_all();
}

void ReadLoad::set_pause(std::optional<Nanoseconds> pause) {
    pause_ns_.store(pause ? std::max<std::int64_t>(pause->count(), 0) : idle, std::memory_order_release);
    pause_ns_.notify_all();
}

std::uint64_t ReadLoad::bytes_read() const {
    std::uint64_t bytes = 0;
    for (const Part& part : parts_) bytes += part.bytes_read.load(std::memory_order_relaxed);
    return bytes;
}

std::uint64_t ReadLoad::block_bytes() const {
    return block_elements * sizeof(double);
}

std::uint64_t ReadLoad::passes() const {
    std::uint64_t passes = 0;
    for (const Part& part : parts_) passes += part.passes.load(std::memory_order_relaxed);
    return passes;
}

std::uint64_t ReadLoad::wrong_passes() const {
    std::uint64_t wrong = 0;
    for (const Part& part : parts_) wrong += part.wrong_passes.load(std::memory_order_relaxed);
    return wrong;
}

}  // namespace assay
