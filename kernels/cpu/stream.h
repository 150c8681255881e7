#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/cpu/features.h"

namespace assay::kernels {

/// What is done to each element: read sums a; write: out = s; copy: out = a; scale: out = s a; add: out = a +
/// b; triad: out = a + s b (the kernels of McCalpin's STREAM, and read and write).
enum class StreamKernel { read, write, copy, scale, add, triad };
std::string_view to_string(StreamKernel kernel);

/// Bytes that one element moves by STREAM's rule, which counts what the program asks for: 8 a load and 8 a
/// store. What a plain store reads besides (write-allocate) is not counted.
int stream_bytes_per_element(StreamKernel kernel);
/// Bytes that one element probably moves between caches and memory: a plain store reads its line first
/// (write-allocate), a non-temporal one does not. An estimate: some CPUs notice lines that are written whole,
/// and to AArch64's a non-temporal store is but a hint.
int stream_bus_bytes_per_element(StreamKernel kernel, bool non_temporal);
/// Whether it writes `out`; only these have a non-temporal form.
bool stream_stores(StreamKernel kernel);

/// Whether the inputs are asked for ahead by software, and where to: into all caches, or past the outer ones
/// as far as the CPU can.
enum class Prefetch { none, all_caches, non_temporal };

/// How the elements are walked.
struct StreamPattern {
    Isa isa = Isa::portable;
    bool non_temporal = false;  ///< stores that go around the caches
    Prefetch prefetch = Prefetch::none;
    std::size_t prefetch_bytes = 0;  ///< how far ahead; of no meaning without prefetch
    int streams = 1;  ///< 1, 2 or 4 places at once: the range in so many parts, a block of each in turn

    bool operator==(const StreamPattern&) const = default;
};
/// What the fastest walk is looked for among: the plain loop first, then several streams, and where there are
/// inputs prefetches into all caches and past them.
std::vector<StreamPattern> stream_patterns(StreamKernel kernel, Isa isa, bool non_temporal);
/// "2 streams a thread, non-temporal prefetch 2048 bytes ahead".
std::string describe(const StreamPattern& pattern);
/// Whether this build and CPU can.
bool stream_possible(const StreamPattern& pattern);

/// Arrays of a kernel; those that it does not use may be null.
struct StreamArrays {
    double* out = nullptr;
    const double* a = nullptr;
    const double* b = nullptr;
};

/// Elements [begin, end) on the calling thread. Returns the sum for read (exact whatever the order where the
/// elements are integers and their sum is below 2^53), else 0. Throws std::invalid_argument for a pattern
/// that is not possible.
double stream(StreamKernel kernel, const StreamPattern& pattern, const StreamArrays& arrays, double scalar,
              std::size_t begin, std::size_t end);

}  // namespace assay::kernels
