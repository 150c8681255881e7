#include "probes/storage/load/steady_state.h"

#include <vector>

#include <gtest/gtest.h>

namespace assay::storage {
namespace {

SteadyState of(const std::vector<double>& rounds) {
    return steady_state_of(rounds);
}

TEST(SteadyState, IsReachedByALevelLine) {
    const SteadyState state = of({100, 100, 100, 100, 100});
    EXPECT_EQ(state.range, 0);
    EXPECT_EQ(state.rise, 0);
    EXPECT_TRUE(state.reached);
}

TEST(SteadyState, AllowsARangeOfJustTwentyPercent) {
    // Mean 100; the line through 90, 110, 100, 110, 90 is level: (-2)(-10) + (-1)(10) + 0 + 10 + 2(-10) = 0.
    const SteadyState state = of({90, 110, 100, 110, 90});
    EXPECT_NEAR(state.range, 0.2, 1e-12);
    EXPECT_NEAR(state.rise, 0, 1e-12);
    EXPECT_EQ(state.reached, state.range <= 0.2);
    EXPECT_TRUE(of({90.01, 110, 100, 110, 89.99 + 0.02}).reached);
    EXPECT_FALSE(of({89.9, 110, 100.2, 110, 89.9}).reached);
}

TEST(SteadyState, AllowsALineThatRisesByTenPercent) {
    // Rounds on a line from 95 to 105: slope 2.5 a round, rise 10 of a mean of 100. Five and a half: 11.
    const SteadyState just = of({95.001, 97.5, 100, 102.5, 104.999});
    EXPECT_NEAR(just.rise, 0.1, 1e-4);
    EXPECT_TRUE(just.reached);
    const SteadyState beyond = of({94.5, 97.25, 100, 102.75, 105.5});
    EXPECT_NEAR(beyond.rise, 0.11, 1e-12);
    EXPECT_LT(beyond.range, 0.2);
    EXPECT_FALSE(beyond.reached) << "drifting, though its range is small";
    EXPECT_FALSE(of({105.5, 102.75, 100, 97.25, 94.5}).reached) << "falling as well as rising";
}

TEST(SteadyState, FitsTheLineByLeastSquares) {
    // x = -2 .. 2; y = 108, 100, 100, 100, 92 with mean 100:
    // slope = (-2*8 + 2*(-8)) / 10 = -3.2; over four steps 12.8.
    const SteadyState state = of({108, 100, 100, 100, 92});
    EXPECT_NEAR(state.rise, 0.128, 1e-12);
    EXPECT_NEAR(state.range, 0.16, 1e-12);
    EXPECT_FALSE(state.reached);
}

TEST(SteadyState, IsNotReachedWithoutFiveRoundsThatMean) {
    EXPECT_FALSE(of({}).reached);
    EXPECT_FALSE(of({100, 100, 100, 100}).reached);
    EXPECT_FALSE(of({0, 0, 0, 0, 0}).reached);
    EXPECT_FALSE(of({-1, -1, -1, -1, -1}).reached);
}

}  // namespace
}  // namespace assay::storage
