#include "reports/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace assay {
namespace {

Bound bound(Comparison comparison, double low, double high = 0) {
    return {comparison, low, high, ""};
}

struct SideCase {
    Comparison comparison;
    Interval interval;
    Side side;
};

TEST(Comparison, PutsAnIntervalOnTheSideWhereAllOfItLies) {
    using enum Comparison;
    using enum Side;
    // The bound is 10; an end that touches it exactly is the case that goes wrong.
    const SideCase cases[] = {
        {at_least, {10, 12}, inside},    {at_least, {9.99, 12}, across}, {at_least, {8, 10}, across},
        {at_least, {8, 9.99}, outside},  {at_least, {10, 10}, inside},   {at_least, {9.99, 9.99}, outside},
        {above, {10, 12}, across},       {above, {10.01, 12}, inside},   {above, {8, 10}, outside},
        {above, {8, 10.01}, across},     {above, {10, 10}, outside},     {above, {10.01, 10.01}, inside},
        {at_most, {8, 10}, inside},      {at_most, {8, 10.01}, across},  {at_most, {10, 12}, across},
        {at_most, {10.01, 12}, outside}, {at_most, {10, 10}, inside},    {at_most, {10.01, 10.01}, outside},
        {below, {8, 10}, across},        {below, {8, 9.99}, inside},     {below, {10, 12}, outside},
        {below, {9.99, 12}, across},     {below, {10, 10}, outside},     {below, {9.99, 9.99}, inside},
        {equals, {10, 10}, inside},      {equals, {9, 11}, across},      {equals, {9, 10}, across},
        {equals, {10, 11}, across},      {equals, {9, 9.99}, outside},   {equals, {10.01, 11}, outside},
    };
    for (const SideCase& one : cases) {
        EXPECT_EQ(side_of(one.interval, bound(one.comparison, 10)), one.side)
            << static_cast<int>(one.comparison) << " [" << one.interval.low << ", " << one.interval.high
            << "]";
    }
}

TEST(Comparison, CountsBothEndsOfBetweenAsInside) {
    using enum Side;
    const Bound band = bound(Comparison::between, 10, 20);
    EXPECT_EQ(side_of({10, 20}, band), inside);
    EXPECT_EQ(side_of({12, 13}, band), inside);
    EXPECT_EQ(side_of({9.99, 12}, band), across);
    EXPECT_EQ(side_of({12, 20.01}, band), across);
    EXPECT_EQ(side_of({8, 10}, band), across);
    EXPECT_EQ(side_of({20, 22}, band), across);
    EXPECT_EQ(side_of({8, 9.99}, band), outside);
    EXPECT_EQ(side_of({20.01, 22}, band), outside);
    EXPECT_EQ(side_of({5, 25}, band), across);
    EXPECT_EQ(side_of({10, 10}, band), inside);
    EXPECT_EQ(side_of({20, 20}, band), inside);
}

TEST(Comparison, GivesTheMarginAsAShareOfTheBound) {
    EXPECT_DOUBLE_EQ(*margin_of(12, bound(Comparison::at_least, 10)), 0.2);
    EXPECT_DOUBLE_EQ(*margin_of(5, bound(Comparison::at_least, 10)), -0.5);
    EXPECT_DOUBLE_EQ(*margin_of(12, bound(Comparison::above, 10)), 0.2);
    EXPECT_DOUBLE_EQ(*margin_of(12, bound(Comparison::at_most, 10)), -0.2);
    EXPECT_DOUBLE_EQ(*margin_of(8, bound(Comparison::below, 10)), 0.2);
    EXPECT_DOUBLE_EQ(*margin_of(8, bound(Comparison::equals, 16)), -0.5);
    EXPECT_DOUBLE_EQ(*margin_of(24, bound(Comparison::equals, 16)), -0.5);
    EXPECT_DOUBLE_EQ(*margin_of(16, bound(Comparison::equals, 16)), 0);
    EXPECT_FALSE(std::signbit(*margin_of(16, bound(Comparison::equals, 16))));
    // A negative bound: -5 is well inside of "at least -10".
    EXPECT_DOUBLE_EQ(*margin_of(-5, bound(Comparison::at_least, -10)), 0.5);
}

TEST(Comparison, MeasuresTheMarginOfBetweenFromTheNearerEnd) {
    const Bound band = bound(Comparison::between, 10, 20);
    EXPECT_DOUBLE_EQ(*margin_of(11, band), 0.1);
    EXPECT_DOUBLE_EQ(*margin_of(18, band), 0.1);
    EXPECT_DOUBLE_EQ(*margin_of(9, band), -0.1);
    EXPECT_DOUBLE_EQ(*margin_of(22, band), -0.1);
    EXPECT_DOUBLE_EQ(*margin_of(15, band), 0.5);
}

TEST(Comparison, HasNoMarginAgainstZero) {
    EXPECT_EQ(margin_of(1, bound(Comparison::at_most, 0)), std::nullopt);
    EXPECT_EQ(margin_of(1, bound(Comparison::between, 0, 20)), std::nullopt);
    EXPECT_DOUBLE_EQ(*margin_of(19, bound(Comparison::between, 0, 20)), 0.05);
}

TEST(Comparison, ComparesVersionsPartByPartAsNumbers) {
    // In ascending order.
    const char* const ordered[] = {"0.9",
                                   "1",
                                   "1.0.1",
                                   "1.1.1",
                                   "1.1.1w",
                                   "1.2",
                                   "1.10",
                                   "11.6",
                                   "11.10",
                                   "12.1",
                                   "535.54.3",
                                   "535.154.02",
                                   "535.154.03",
                                   "99999999999999999999999.1",
                                   "100000000000000000000000"};
    const int count = static_cast<int>(std::size(ordered));
    for (int i = 0; i < count; ++i) {
        for (int j = 0; j < count; ++j) {
            const int order = compare_versions(ordered[i], ordered[j]);
            EXPECT_EQ(order, (i > j) - (i < j)) << ordered[i] << " against " << ordered[j];
        }
    }
}

TEST(Comparison, TakesMissingPartsAndLeadingZerosAndAVForNothing) {
    EXPECT_EQ(compare_versions("11.6", "11.6.0"), 0);
    EXPECT_EQ(compare_versions("11.06", "11.6"), 0);
    EXPECT_EQ(compare_versions("v2.0", "2.0"), 0);
    EXPECT_EQ(compare_versions("V2.0", "2"), 0);
    EXPECT_EQ(compare_versions("1.0-2", "1.0.2"), 0);
    EXPECT_EQ(compare_versions("6.1.0-18-amd64", "6.1.0-9-amd64"), 1);
    EXPECT_EQ(compare_versions("1.0.1", "1.0"), 1);
    EXPECT_EQ(compare_versions("1.0", "1.0.1"), -1);
    EXPECT_EQ(compare_versions("1.a", "1.1"), -1);
    EXPECT_EQ(compare_versions("1.1", "1.a"), 1);
    EXPECT_EQ(compare_versions("1.a", "1.b"), -1);
    EXPECT_EQ(compare_versions("1.1.1", "1.1.1a"), -1);
    EXPECT_EQ(compare_versions("vega", "1"), -1);  // the v of a word stays
    EXPECT_EQ(compare_versions("v", "v"), 0);
}

TEST(Comparison, HoldsVersionsAgainstEveryComparisonThatTheyHave) {
    using enum Comparison;
    const auto inside = [](const char* value, Comparison comparison) {
        return text_is_inside(value, Unit::version, {comparison, 0, 0, "11.10"});
    };
    EXPECT_TRUE(inside("11.10", at_least));
    EXPECT_TRUE(inside("12", at_least));
    EXPECT_FALSE(inside("11.6", at_least));
    EXPECT_FALSE(inside("11.10", above));
    EXPECT_TRUE(inside("11.11", above));
    EXPECT_TRUE(inside("11.10", at_most));
    EXPECT_TRUE(inside("11.6", at_most));
    EXPECT_FALSE(inside("11.11", at_most));
    EXPECT_FALSE(inside("11.10", below));
    EXPECT_TRUE(inside("11.6", below));
    EXPECT_TRUE(inside("11.10.0", equals));
    EXPECT_FALSE(inside("11.9", equals));
    EXPECT_THROW(inside("11.10", between), std::logic_error);
}

TEST(Comparison, ComparesTextAsSuch) {
    const Bound performance{Comparison::equals, 0, 0, "performance"};
    EXPECT_TRUE(text_is_inside("performance", Unit::text, performance));
    EXPECT_FALSE(text_is_inside("Performance", Unit::text, performance));
    EXPECT_FALSE(text_is_inside("1.0", Unit::text, {Comparison::equals, 0, 0, "1"}));
}

}  // namespace
}  // namespace assay
