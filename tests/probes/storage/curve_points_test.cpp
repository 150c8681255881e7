#include "probes/storage/curve_points.h"

#include <algorithm>
#include <functional>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace assay::storage {
namespace {

using testing::ElementsAre;

TEST(CurvePoints, BeginWithThePowersOfTwoAndTheLargestDepth) {
    EXPECT_THAT(coarse_depths(1), ElementsAre(1));
    EXPECT_THAT(coarse_depths(2), ElementsAre(1, 2));
    EXPECT_THAT(coarse_depths(8), ElementsAre(1, 2, 4, 8));
    EXPECT_THAT(coarse_depths(100), ElementsAre(1, 2, 4, 8, 16, 32, 64, 100));
}

/// All points that a search measures where `within` is the truth.
std::map<int, bool> search(int most, const std::function<bool(int)>& within) {
    std::map<int, bool> points;
    for (const int depth : coarse_depths(most)) points[depth] = within(depth);
    for (int step = 0; step < 100; ++step) {
        const std::optional<int> next = next_depth(points);
        if (!next) return points;
        EXPECT_FALSE(points.contains(*next)) << "depth " << *next << " was measured twice";
        EXPECT_GE(*next, 1);
        EXPECT_LE(*next, most);
        points[*next] = within(*next);
    }
    ADD_FAILURE() << "does not end";
    return points;
}

TEST(CurvePoints, FindEveryThreshold) {
    for (const int most : {1, 2, 3, 100, 256}) {
        for (int threshold = 0; threshold <= most; ++threshold) {
            const std::map<int, bool> points = search(most, [&](int depth) { return depth <= threshold; });
            int deepest = 0;
            for (const auto& [depth, within] : points) deepest = within ? depth : deepest;
            EXPECT_EQ(deepest, threshold) << "of " << most;
            EXPECT_LE(points.size(), coarse_depths(most).size() + 7);
        }
    }
}

TEST(CurvePoints, EndAlsoWhereTheLatencyGoesUpAndDown) {
    for (unsigned pattern = 1; pattern < 200; ++pattern) {
        const auto within = [&](int depth) {
            return ((static_cast<unsigned>(depth) * 2654435761U * pattern) >> 16) % 3 != 0;
        };
        const std::map<int, bool> points = search(256, within);
        // What it ends with is an edge: a depth within, its neighbour not.
        int deepest = 0;
        for (const auto& [depth, is_within] : points) deepest = is_within ? depth : deepest;
        if (deepest == 0 || deepest == 256) continue;
        ASSERT_TRUE(points.contains(deepest + 1));
        EXPECT_FALSE(points.at(deepest + 1));
    }
}

TEST(CurvePoints, AskForNothingWhereAllOrNoneAreWithin) {
    EXPECT_FALSE(next_depth({}));
    EXPECT_FALSE(next_depth({{1, true}, {2, true}}));
    EXPECT_FALSE(next_depth({{1, false}, {2, false}}));
    EXPECT_FALSE(next_depth({{1, true}, {2, false}}));
    EXPECT_EQ(next_depth({{1, true}, {4, true}, {8, false}}), 6);
}

}  // namespace
}  // namespace assay::storage
