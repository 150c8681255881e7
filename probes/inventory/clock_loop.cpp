#include "probes/inventory/clock_loop.h"

#include <algorithm>
#include <cstdint>
#include <ctime>

namespace assay::inventory {
namespace {

// Operands are registers, never constants: some CPUs fold additions of small constants while renaming, which
// would make the chain shorter than it looks.
#if defined(__x86_64__)
#define ASSAY_ADD "add %[step], %[sum]\n\t"
#define ASSAY_MULTIPLY "imul %[step], %[sum]\n\t"
#elif defined(__aarch64__)
#define ASSAY_ADD "add %[sum], %[sum], %[step]\n\t"
#define ASSAY_MULTIPLY "mul %[sum], %[sum], %[step]\n\t"
#endif

#if defined(ASSAY_ADD)
#define ASSAY_4(x) x x x x
#define ASSAY_64(x) ASSAY_4(ASSAY_4(ASSAY_4(x)))

constexpr std::uint64_t chain = 64;  ///< operations an iteration, long enough to hide the loop's own

/// Time that this thread has had a CPU. On a busy machine the clock on the wall runs on while others have it.
double own_nanoseconds() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

/// Nanoseconds that `iterations` times 64 dependent additions take.
double time_additions(std::uint64_t iterations) {
    std::uint64_t sum = 1;
    std::uint64_t step = iterations | 1;
    const double begin = own_nanoseconds();
    for (std::uint64_t i = 0; i < iterations; ++i) {
        asm volatile(ASSAY_64(ASSAY_ADD) : [sum] "+r"(sum) : [step] "r"(step) : "cc");
    }
    return own_nanoseconds() - begin;
}

double time_multiplications(std::uint64_t iterations) {
    std::uint64_t sum = 3;
    std::uint64_t step = iterations | 1;
    const double begin = own_nanoseconds();
    for (std::uint64_t i = 0; i < iterations; ++i) {
        asm volatile(ASSAY_64(ASSAY_MULTIPLY) : [sum] "+r"(sum) : [step] "r"(step) : "cc");
    }
    return own_nanoseconds() - begin;
}
#endif

}  // namespace

std::optional<double> measure_clock(double milliseconds) {
#if defined(ASSAY_ADD)
    // A short run tells how many iterations fill the time asked for.
    constexpr std::uint64_t trial = 4000;
    const double nanoseconds = std::max(time_additions(trial), 1.0);
    const std::uint64_t iterations =
        std::max<std::uint64_t>(trial, static_cast<std::uint64_t>(trial * milliseconds * 1e6 / nanoseconds));
    return static_cast<double>(iterations * chain) / time_additions(iterations) * 1e9;
#else
    (void)milliseconds;
    return std::nullopt;
#endif
}

std::optional<double> multiplication_in_additions() {
#if defined(ASSAY_ADD)
    // The least of several interleaved runs of each: interruptions only ever lengthen them.
    constexpr std::uint64_t iterations = 8000;
    double additions = time_additions(iterations);
    double multiplications = time_multiplications(iterations);
    for (int i = 0; i < 12; ++i) {
        additions = std::min(additions, time_additions(iterations));
        multiplications = std::min(multiplications, time_multiplications(iterations));
    }
    return multiplications / additions;
#else
    return std::nullopt;
#endif
}

}  // namespace assay::inventory
