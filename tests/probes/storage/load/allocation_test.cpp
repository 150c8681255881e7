// Nothing is allocated while a load runs: this binary's operator new counts, but for the thread of the test.
// Not under the address sanitizer, whose own operators (nothrow, array) would meet this delete.
#ifndef ASSAY_SANITIZE

#include <atomic>
#include <cstdlib>
#include <new>

#include <gtest/gtest.h>

#include "tests/probes/storage/load/load_fixture.h"

namespace {

std::atomic<std::uint64_t> others_allocations{0};
thread_local bool is_the_tests_own = false;

void* allocate(std::size_t bytes) {
    if (!is_the_tests_own) others_allocations.fetch_add(1, std::memory_order_relaxed);
    if (void* const memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
    throw std::bad_alloc();
}

}  // namespace

// All others come down to these.
void* operator new(std::size_t bytes) {
    return allocate(bytes);
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}

namespace assay::storage {
namespace {

using AllocationTest = LoadFixture;

TEST_F(AllocationTest, IsCountedAtAll) {
    is_the_tests_own = true;
    const std::uint64_t before = others_allocations;
    std::vector<int> kept;  // what is freed where it was made, a compiler may leave out
    std::thread([&] { kept.resize(1000); }).join();
    EXPECT_GT(others_allocations, before);
}

TEST_F(AllocationTest, DoesNotHappenBetweenTwoSlices) {
    is_the_tests_own = true;
    for (const EngineKind engine : {EngineKind::libaio, EngineKind::io_uring}) {
        for (const double read_share : {1.0, 0.5, 0.0}) {
            for (const int depth : {1, 16}) {
                options_.engine = engine;
                options_.read_share = read_share;
                options_.queue_depth = depth;
                Load load(options_);
                count_at_least(load, 100);
                const std::uint64_t before = others_allocations;
                EXPECT_GT(count_at_least(load, 2000), 0u);
                EXPECT_EQ(others_allocations - before, 0u)
                    << to_string(engine) << ", share of reads " << read_share << ", depth " << depth;
                load.stop();
            }
        }
    }
}

}  // namespace
}  // namespace assay::storage

#endif
