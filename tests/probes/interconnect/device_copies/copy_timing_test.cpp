#include "probes/interconnect/device_copies/copy_timing.h"

#include <vector>

#include <gtest/gtest.h>

#include "probes/interconnect/device_copies/copy_plan.h"

namespace assay::interconnect {
namespace {

constexpr std::uint64_t mib = std::uint64_t{1} << 20;
constexpr std::uint64_t gib = std::uint64_t{1} << 30;

TEST(CommonRate, OfEqualDirectionsIsTheirSum) {
    const std::vector<double> ends = {1, 2, 3};
    EXPECT_DOUBLE_EQ(common_rate({ends, 100}, {ends, 100}), 200);
}

TEST(CommonRate, CountsTheSlowerOnlyUntilTheFasterIsThrough) {
    // 300 bytes in 3 s, beside them 100 in 2 s and a half of the next 100, which takes 2 s alone.
    const std::vector<double> fast = {1, 2, 3}, slow = {2, 4, 5};
    EXPECT_DOUBLE_EQ(common_rate({fast, 100}, {slow, 100}), (300 + 150) / 3.0);
    EXPECT_DOUBLE_EQ(common_rate({slow, 100}, {fast, 100}), (300 + 150) / 3.0);
}

TEST(CommonRate, CountsTheShareOfAFirstCopyThatIsUnderWay) {
    const std::vector<double> fast = {1}, slow = {4};
    EXPECT_DOUBLE_EQ(common_rate({fast, 100}, {slow, 100}), 125);
}

TEST(CommonRate, OfNothingIsNothing) {
    const std::vector<double> none, zero = {0}, one = {1};
    EXPECT_EQ(common_rate({none, 100}, {one, 100}), 0);
    EXPECT_EQ(common_rate({zero, 100}, {one, 100}), 0);
}

TEST(CopySizes, AreHalvedUntilTheyLeaveRoom) {
    DeviceInfo card;
    card.id = "cuda:0";
    card.kind = "gpu";
    card.memory_bytes = 80 * gib;
    EXPECT_EQ(size_copies(0, 2, true, card, 64 * gib).bytes, 256 * mib);
    EXPECT_EQ(size_copies(0, 2, true, card, 1 * gib).bytes, 128 * mib);
    card.memory_bytes = 256 * mib;
    EXPECT_EQ(size_copies(0, 2, true, card, 64 * gib).bytes, 32 * mib);
    EXPECT_EQ(size_copies(0, 1, true, card, 64 * gib).bytes, 64 * mib);
    // Where the device's memory is the host's, four buffers are in it.
    card.memory_bytes = 80 * gib;
    card.kind = "cpu";
    EXPECT_EQ(size_copies(0, 2, true, card, 1 * gib).bytes, 64 * mib);
    // Nothing is known of the host.
    EXPECT_EQ(size_copies(0, 2, true, card, 0).bytes, 256 * mib);
}

TEST(CopySizes, BeyondTheMemoryAreRefusedWithTheArithmetic) {
    DeviceInfo card;
    card.id = "cuda:0";
    card.kind = "gpu";
    card.memory_bytes = 8 * gib;
    EXPECT_EQ(size_copies(4 * gib, 2, true, card, 64 * gib).shortage, "");
    EXPECT_EQ(
        size_copies(4 * gib + 1, 2, true, card, 64 * gib).shortage,
        "2 buffers of 4294967297 bytes (4.0 GiB) are more than the 8589934592 bytes (8 GiB) that cuda:0 has");
    EXPECT_EQ(
        size_copies(4 * gib, 2, true, card, 7 * gib).shortage,
        "2 host buffers of 4294967296 bytes (4 GiB) are more than the 7516192768 bytes (7 GiB) of memory "
        "that this process may still use");
    EXPECT_EQ(size_copies(8 * gib + 1, 1, true, card, 64 * gib).shortage,
              "1 buffer of 8589934593 bytes (8.0 GiB) is more than the 8589934592 bytes (8 GiB) that cuda:0 "
              "has");
    EXPECT_EQ(
        size_copies(mib, 2, true, card, 64 * gib, mib).shortage,
        "2 buffers of 1048576 bytes (1 MiB) are more than the 8589934592 bytes (8 GiB) that cuda:0 has, "
        "of which 1048576 bytes (1 MiB) are free now");
    EXPECT_EQ(size_copies(0, 2, true, card, 64 * gib, 512 * mib).bytes, 64 * mib) << "of what is free";
    EXPECT_NE(size_copies(0, 1, true, card, 64 * gib, 0).shortage, "") << "a card that is full";
    EXPECT_EQ(size_copies(4 * gib, 2, false, card, 1 * gib).shortage, "") << "peers take nothing of the host";
}

}  // namespace
}  // namespace assay::interconnect
