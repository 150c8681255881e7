#include "kernels/cpu/stream.h"

#include <cmath>
#include <cstdlib>
#include <limits>
#include <memory>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/reference/reference.h"

namespace assay::kernels {
namespace {

constexpr StreamKernel every_kernel[] = {StreamKernel::read,  StreamKernel::write, StreamKernel::copy,
                                         StreamKernel::scale, StreamKernel::add,   StreamKernel::triad};

std::vector<StreamPattern> possible_patterns(StreamKernel kernel) {
    std::vector<StreamPattern> patterns;
    for (const Isa isa : {Isa::portable, Isa::neon, Isa::avx2, Isa::avx512})
        for (const bool non_temporal : {false, true})
            for (const Prefetch prefetch : {Prefetch::none, Prefetch::all_caches, Prefetch::non_temporal})
                for (const int streams : {1, 2, 4}) {
                    const StreamPattern pattern{isa, non_temporal, prefetch, 1024, streams};
                    if (stream_possible(pattern) && (!non_temporal || stream_stores(kernel)))
                        patterns.push_back(pattern);
                }
    return patterns;
}

TEST(Stream, EveryPatternStoresExactlyWhatTheReferenceSays) {
    constexpr std::size_t size = 2000;
    std::vector<double> a(size), b(size);
    for (std::size_t i = 0; i < size; ++i) {
        a[i] = static_cast<double>(i * 7919 % 100003 + 1);
        b[i] = static_cast<double>(i * 104729 % 99991 + 1);
    }
    const std::pair<std::size_t, std::size_t> ranges[] = {
        {0, size}, {0, 0}, {5, 5}, {3, 4}, {1, 33}, {7, 200}, {8, 136}, {11, 1963}, {size, size}};
    for (const StreamKernel kernel : every_kernel) {
        for (const StreamPattern& pattern : possible_patterns(kernel)) {
            for (const auto& [begin, end] : ranges) {
                std::vector<double> out(size, std::numeric_limits<double>::quiet_NaN());
                const double sum = stream(kernel, pattern, {out.data(), a.data(), b.data()}, 3, begin, end);
                double expected_sum = 0;
                for (std::size_t i = 0; i < size; ++i) {
                    const bool inside = i >= begin && i < end;
                    if (kernel == StreamKernel::read && inside) expected_sum += a[i];
                    if (kernel == StreamKernel::read || !inside)
                        ASSERT_TRUE(std::isnan(out[i])) << to_string(kernel) << " touched element " << i;
                    else
                        ASSERT_EQ(out[i], reference::stream_element(kernel, a[i], b[i], 3))
                            << to_string(kernel) << ' ' << to_string(pattern.isa) << " nt "
                            << pattern.non_temporal << " streams " << pattern.streams << " element " << i
                            << " of " << begin << ".." << end;
                }
                ASSERT_EQ(sum, expected_sum) << to_string(kernel) << ' ' << to_string(pattern.isa);
            }
        }
    }
}

TEST(Stream, ReadsNothingBeyondItsRange) {
    // Heap blocks of exactly the range: a sanitizer sees a load beyond, and a fault would show a stray page.
    for (const StreamKernel kernel : every_kernel)
        for (const StreamPattern& pattern : possible_patterns(kernel))
            for (const std::size_t size : {1u, 31u, 32u, 129u}) {
                const std::unique_ptr<double[]> a(new double[size]()), b(new double[size]()),
                    out(new double[size]());
                EXPECT_EQ(stream(kernel, pattern, {out.get(), a.get(), b.get()}, 0, 0, size), 0);
            }
}

TEST(Stream, BytesAreCountedByStreamsRule) {
    EXPECT_EQ(stream_bytes_per_element(StreamKernel::read), 8);
    EXPECT_EQ(stream_bytes_per_element(StreamKernel::write), 8);
    EXPECT_EQ(stream_bytes_per_element(StreamKernel::copy), 16);
    EXPECT_EQ(stream_bytes_per_element(StreamKernel::scale), 16);
    EXPECT_EQ(stream_bytes_per_element(StreamKernel::add), 24);
    EXPECT_EQ(stream_bytes_per_element(StreamKernel::triad), 24);
}

TEST(Stream, BusTrafficCountsTheLinesThatPlainStoresReadBefore) {
    EXPECT_EQ(stream_bus_bytes_per_element(StreamKernel::read, false), 8);
    EXPECT_EQ(stream_bus_bytes_per_element(StreamKernel::write, false), 16);
    EXPECT_EQ(stream_bus_bytes_per_element(StreamKernel::copy, false), 24);
    EXPECT_EQ(stream_bus_bytes_per_element(StreamKernel::scale, false), 24);
    EXPECT_EQ(stream_bus_bytes_per_element(StreamKernel::add, false), 32);
    EXPECT_EQ(stream_bus_bytes_per_element(StreamKernel::triad, false), 32);
    for (const StreamKernel kernel : every_kernel)
        if (stream_stores(kernel)) {
            EXPECT_EQ(stream_bus_bytes_per_element(kernel, true), stream_bytes_per_element(kernel));
        }
}

TEST(Stream, RefusesWhatItHasNoFormOf) {
    double value = 1;
    const StreamArrays arrays{&value, &value, &value};
    EXPECT_THROW(stream(StreamKernel::copy, {Isa::portable, false, Prefetch::none, 0, 3}, arrays, 1, 0, 1),
                 std::invalid_argument);
    EXPECT_THROW(stream(StreamKernel::copy, {Isa::portable, false, Prefetch::none, 0, 0}, arrays, 1, 0, 1),
                 std::invalid_argument);
    EXPECT_THROW(stream(StreamKernel::read, {Isa::portable, true}, arrays, 1, 0, 1), std::invalid_argument);
    for (const Isa isa : {Isa::neon, Isa::avx2, Isa::avx512})
        if (!supports(isa)) {
            EXPECT_THROW(stream(StreamKernel::copy, {isa, false}, arrays, 1, 0, 1), std::invalid_argument);
        }
}

}  // namespace
}  // namespace assay::kernels
