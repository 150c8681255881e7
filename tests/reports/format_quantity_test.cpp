#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "reports/texts.h"

namespace assay {
namespace {

std::string quantity(double value, Unit unit) {
    return format_quantity(value, unit, Language::en);
}
std::string interval(double low, double high, Unit unit) {
    return format_interval({low, high}, unit, Language::en);
}

JudgedRequirement judged(Unit unit, Comparison comparison, double bound, double measured) {
    JudgedRequirement result;
    result.requirement.unit = unit;
    result.requirement.bound = {comparison, bound, 0, ""};
    result.measured = measured;
    return result;
}
std::string measured(Unit unit, Comparison comparison, double bound, double value) {
    return format_measured(judged(unit, comparison, bound, value), Language::en);
}
std::string bound(Unit unit, Comparison comparison, double low, double high = 0) {
    Requirement requirement;
    requirement.unit = unit;
    requirement.bound = {comparison, low, high, ""};
    return format_bound(requirement, Language::en);
}

TEST(FormatQuantity, ScalesEveryUnitToThreeDigits) {
    EXPECT_EQ(quantity(87.3e-6, Unit::second), "87.3 µs");
    EXPECT_EQ(quantity(42.123e-3, Unit::second), "42.1 ms");
    EXPECT_EQ(quantity(314e-9, Unit::second), "314 ns");
    EXPECT_EQ(quantity(127.4, Unit::second), "127 s");
    EXPECT_EQ(quantity(512e9, Unit::byte), "512 GB");
    EXPECT_EQ(quantity(31.456e9, Unit::byte_per_second), "31.5 GB/s");
    EXPECT_EQ(quantity(23.04e9, Unit::bit_per_second), "23.0 Gbit/s");
    EXPECT_EQ(quantity(1.24e6, Unit::operation_per_second), "1.24 M op/s");
    EXPECT_EQ(quantity(135432, Unit::operation_per_second), "135 K op/s");
    EXPECT_EQ(quantity(485.2e9, Unit::flop_per_second), "485 GFLOP/s");
    EXPECT_EQ(quantity(7.5e12, Unit::flop_per_second), "7.50 TFLOP/s");
    EXPECT_EQ(quantity(18.26, Unit::token_per_second), "18.3 token/s");
    EXPECT_EQ(quantity(3.5e9, Unit::hertz), "3.50 GHz");
    EXPECT_EQ(quantity(0.8712, Unit::ratio), "0.871");
    EXPECT_EQ(quantity(3.21e-7, Unit::ratio), "3.21e-07");
    EXPECT_EQ(quantity(350, Unit::watt), "350 W");
    EXPECT_EQ(quantity(45.5, Unit::celsius), "45.5 °C");
}

TEST(FormatQuantity, WritesCountsInFull) {
    EXPECT_EQ(quantity(16, Unit::count), "16");
    EXPECT_EQ(quantity(1234567, Unit::count), "1,234,567");
    EXPECT_EQ(quantity(100, Unit::count), "100");
    EXPECT_EQ(quantity(1000, Unit::count), "1,000");
    EXPECT_EQ(quantity(-1234, Unit::count), "-1,234");
    EXPECT_EQ(quantity(-123, Unit::count), "-123");
    EXPECT_EQ(quantity(2.5, Unit::count), "2.50");
}

TEST(FormatQuantity, RoundsAcrossAScaleWithoutFourDigits) {
    EXPECT_EQ(quantity(999.7e3, Unit::operation_per_second), "1.00 M op/s");
    EXPECT_EQ(quantity(999.4e3, Unit::operation_per_second), "999 K op/s");
    EXPECT_EQ(quantity(9.996e9, Unit::byte_per_second), "10.0 GB/s");
    EXPECT_EQ(quantity(99.96e-6, Unit::second), "100 µs");
    EXPECT_EQ(quantity(0.99996e-3, Unit::second), "1.00 ms");
}

TEST(FormatQuantity, KnowsZeroNegativeAndWhatIsNoNumber) {
    EXPECT_EQ(quantity(0, Unit::second), "0 s");
    EXPECT_EQ(quantity(0, Unit::byte), "0 B");
    EXPECT_EQ(quantity(-2.5e9, Unit::byte), "-2.50 GB");
    EXPECT_EQ(quantity(std::numeric_limits<double>::quiet_NaN(), Unit::byte), "–");
    EXPECT_EQ(quantity(std::numeric_limits<double>::infinity(), Unit::second), "–");
}

TEST(FormatInterval, EndsThatAreInTheWrongOrderOrNoNumbersAreNoInterval) {
    EXPECT_EQ(interval(2e9, 1e9, Unit::byte_per_second), "–");
    EXPECT_EQ(interval(-1, -2, Unit::operation_per_second), "–");
    EXPECT_EQ(interval(std::numeric_limits<double>::quiet_NaN(), 1, Unit::byte), "–");
}

TEST(FormatInterval, SharesOneScaleAndTellsTheEndsApart) {
    EXPECT_EQ(interval(134.6e3, 135.9e3, Unit::operation_per_second), "134.6–135.9 K op/s");
    EXPECT_EQ(interval(990e3, 1010e3, Unit::operation_per_second), "0.990–1.010 M op/s");
    EXPECT_EQ(interval(31.0e9, 31.5e9, Unit::byte_per_second), "31.00–31.50 GB/s");
    EXPECT_EQ(interval(30.00001e9, 30.00002e9, Unit::byte_per_second), "30.00001–30.00002 GB/s");
    EXPECT_EQ(interval(16, 16, Unit::count), "16");
    EXPECT_EQ(interval(0.5e-3, 20e-3, Unit::second), "0.5–20.0 ms");
}

TEST(FormatBound, UsesItsOwnDigits) {
    EXPECT_EQ(bound(Unit::operation_per_second, Comparison::at_least, 500000), "≥ 500 K op/s");
    EXPECT_EQ(bound(Unit::second, Comparison::at_most, 100e-6), "≤ 100 µs");
    EXPECT_EQ(bound(Unit::second, Comparison::below, 5e-6), "< 5 µs");
    EXPECT_EQ(bound(Unit::byte_per_second, Comparison::at_least, 2.38e9), "≥ 2.38 GB/s");
    EXPECT_EQ(bound(Unit::bit_per_second, Comparison::above, 190e9), "> 190 Gbit/s");
    EXPECT_EQ(bound(Unit::ratio, Comparison::between, 0.7, 0.85), "0.7–0.85");
    EXPECT_EQ(bound(Unit::count, Comparison::equals, 16), "= 16");
    Requirement version;
    version.unit = Unit::version;
    version.bound = {Comparison::at_least, 0, 0, "535.154.02"};
    EXPECT_EQ(format_bound(version, Language::zh), "≥ 535.154.02");
}

TEST(FormatMeasured, StaysInTheBoundsScaleWhereThatReadsWell) {
    EXPECT_EQ(measured(Unit::operation_per_second, Comparison::at_least, 500e3, 1.24e6), "1240 K op/s");
    EXPECT_EQ(measured(Unit::second, Comparison::at_most, 100e-6, 2.3456e-3), "2346 µs");
    EXPECT_EQ(measured(Unit::second, Comparison::below, 500e-3, 1.5), "1500 ms");
    EXPECT_EQ(measured(Unit::second, Comparison::below, 100e-6, 5.0), "5.00 s");
    EXPECT_EQ(measured(Unit::byte_per_second, Comparison::at_least, 256e9, 31.4e9), "31.4 GB/s");
    EXPECT_EQ(measured(Unit::byte_per_second, Comparison::at_least, 3e9, 12e6), "12.0 MB/s");
}

TEST(FormatMeasured, AFailingValueNeverLooksLikeThePassThatItsRoundingWouldBe) {
    EXPECT_EQ(measured(Unit::operation_per_second, Comparison::at_least, 500e3, 499.9e3), "499.9 K op/s");
    EXPECT_EQ(measured(Unit::operation_per_second, Comparison::at_least, 500e3, 499.9996e3),
              "499.9996 K op/s");
    EXPECT_EQ(measured(Unit::second, Comparison::at_most, 100e-6, 100.04e-6), "100.04 µs");
    EXPECT_EQ(measured(Unit::second, Comparison::at_most, 100e-6, 100e-6), "100 µs");
    EXPECT_EQ(measured(Unit::second, Comparison::below, 100e-6, 99.97e-6), "99.97 µs");
    EXPECT_EQ(measured(Unit::second, Comparison::below, 100e-6, 100e-6), "100 µs");
    EXPECT_EQ(measured(Unit::ratio, Comparison::above, 2, 2.001), "2.001");
}

TEST(FormatMeasured, ABandTakesMoreDigitsOnlyAtItsEdges) {
    JudgedRequirement band = judged(Unit::ratio, Comparison::between, 0.7, 0.7512345);
    band.requirement.bound.high = 0.85;
    EXPECT_EQ(format_measured(band, Language::en), "0.751");
    band.measured = 0.85004;
    EXPECT_EQ(format_measured(band, Language::en), "0.85004");
    band.measured = 0.69996;
    EXPECT_EQ(format_measured(band, Language::en), "0.69996");
}

TEST(FormatMeasured, AbsentAndTextualValuesReadAsSuch) {
    JudgedRequirement absent = judged(Unit::second, Comparison::at_most, 1, 1);
    absent.measured.reset();
    EXPECT_EQ(format_measured(absent, Language::en), "–");
    EXPECT_EQ(format_measured_interval(absent, Language::en), "");
    JudgedRequirement version;
    version.requirement.unit = Unit::version;
    EXPECT_EQ(format_measured(version, Language::en), "–");
    version.measured_text = "550.54.14";
    EXPECT_EQ(format_measured(version, Language::en), "550.54.14");
}

TEST(FormatMeasured, TheIntervalIsInTheValuesScale) {
    JudgedRequirement fast = judged(Unit::operation_per_second, Comparison::at_least, 500e3, 1.24e6);
    fast.ci95 = Interval{1.23e6, 1.25e6};
    EXPECT_EQ(format_measured_interval(fast, Language::en), "1230–1250 K op/s");
}

}  // namespace
}  // namespace assay
