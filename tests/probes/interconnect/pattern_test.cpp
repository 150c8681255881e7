#include "probes/interconnect/pattern.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <gtest/gtest.h>

#include "probes/interconnect/streams.h"

namespace assay::interconnect {
namespace {

constexpr std::size_t longest = 8192;

std::vector<std::byte> payload(std::uint64_t seed, std::uint64_t position, std::size_t length) {
    const Pattern pattern(seed, longest);
    const std::span<const std::byte> bytes = pattern.at(position, length);
    return {bytes.begin(), bytes.end()};
}

TEST(Pattern, LooksRandom) {
    const Pattern pattern(1, longest);
    std::array<int, 256> counts{};
    for (std::size_t i = 0; i < Pattern::period; ++i) {
        ++counts[static_cast<std::size_t>(pattern.at(i, 1)[0])];
    }
    const double expected = static_cast<double>(Pattern::period) / 256;
    for (const int count : counts) EXPECT_NEAR(count, expected, 6 * std::sqrt(expected));
}

TEST(Pattern, FollowsFromSeedAndPosition) {
    EXPECT_EQ(payload(1, 100, 64), payload(1, 100, 64));
    EXPECT_NE(payload(1, 100, 64), payload(1, 101, 64));
    EXPECT_NE(payload(1, 100, 64), payload(2, 100, 64));
    EXPECT_EQ(payload(1, Pattern::period - 5, 64), payload(1, 2 * Pattern::period - 5, 64));
}

TEST(PatternCheck, AcceptsTheStreamHoweverItIsCut) {
    PatternCheck check(3, longest);
    std::uint64_t position = 0;
    for (const std::size_t length : {1u, 8192u, 63u, 64u, 65u, 128u, 129u, 4096u, 8000u}) {
        for (int i = 0; i < 40; ++i, position += length) check.chunk(payload(3, position, length));
    }
    EXPECT_EQ(check.wrong_chunks(), 0u);
    EXPECT_EQ(check.position(), position);
}

TEST(PatternCheck, NoticesLostAndRepeatedBytesAtOnce) {
    for (const std::uint64_t shifted : {4095u, 4097u, 0u}) {
        PatternCheck check(3, longest);
        check.chunk(payload(3, 0, 4096));
        check.chunk(payload(3, shifted, 4096));
        EXPECT_EQ(check.wrong_chunks(), 1u) << shifted;
    }
}

TEST(PatternCheck, NoticesAnyDamageAsLongAsAMessageWhereverItLies) {
    for (std::size_t offset = 0; offset < 3 * longest; offset += 509) {
        std::vector<std::byte> stream = payload(5, 0, 0);
        for (int part = 0; part < 4; ++part) {
            const std::vector<std::byte> more = payload(5, part * longest, longest);
            stream.insert(stream.end(), more.begin(), more.end());
        }
        for (std::size_t i = 0; i < longest; ++i) stream[offset + i] ^= std::byte{0x10};
        PatternCheck check(5, longest);
        for (int part = 0; part < 4; ++part) check.chunk(std::span(stream).subspan(part * longest, longest));
        EXPECT_GT(check.wrong_chunks(), 0u) << offset;
    }
}

TEST(PatternCheck, NoticesASingleBitWhenItKeepsComing) {
    PatternCheck check(7, longest);
    for (int i = 0; i < 64; ++i) {
        std::vector<std::byte> chunk = payload(7, check.position(), longest);
        chunk[longest / 2] ^= std::byte{1};
        check.chunk(chunk);
    }
    EXPECT_EQ(check.wrong_chunks(), 4u);  // each sixteenth chunk is compared in full
}

TEST(SideReport, SurvivesTheWayOverTheConnection) {
    SideReport report;
    report.stream_bytes = {12, 0, 999999999999};
    report.compared_bytes = 77;
    report.wrong_chunks = 3;
    report.retransmits = 5;
    report.cpu_seconds = 1.25;
    const SideReport back = side_report_from(to_line(report));
    EXPECT_EQ(back.stream_bytes, report.stream_bytes);
    EXPECT_EQ(back.compared_bytes, 77u);
    EXPECT_EQ(back.wrong_chunks, 3u);
    EXPECT_EQ(back.retransmits, 5u);
    EXPECT_DOUBLE_EQ(back.cpu_seconds, 1.25);
    EXPECT_THROW(side_report_from("2 5"), std::runtime_error);
    EXPECT_THROW(side_report_from(""), std::runtime_error);
}

}  // namespace
}  // namespace assay::interconnect
