#include <set>
#include <string>

#include <gtest/gtest.h>

#include "probes/core/metric.h"
#include "probes/core/outcome.h"
#include "probes/core/unit.h"

namespace assay {
namespace {

// The names stand in journals and suites: changing one breaks every file written before.
TEST(Names, OfUnitsAreThoseOfTheJsonAndReadBack) {
    const std::set<std::string> expected{"second",
                                         "hertz",
                                         "byte",
                                         "bit/second",
                                         "byte/second",
                                         "operation",
                                         "operation/second",
                                         "flop/second",
                                         "token/second",
                                         "request/second",
                                         "byte/operation",
                                         "watt",
                                         "joule",
                                         "celsius",
                                         "ratio",
                                         "count",
                                         "version",
                                         "text"};
    std::set<std::string> found;
    for (int i = 0; i <= static_cast<int>(Unit::text); ++i) {
        const Unit unit = static_cast<Unit>(i);
        found.emplace(to_string(unit));
        EXPECT_EQ(unit_from_string(to_string(unit)), unit);
    }
    EXPECT_EQ(found, expected);
    EXPECT_EQ(to_string(Unit::operation_per_second), "operation/second");
    EXPECT_FALSE(unit_from_string("GB"));
    EXPECT_FALSE(unit_from_string(""));
}

TEST(Names, OfDirectionsStatisticsAndStatusesReadBack) {
    for (const Direction direction : {Direction::higher, Direction::lower, Direction::none}) {
        EXPECT_EQ(direction_from_string(to_string(direction)), direction);
    }
    EXPECT_EQ(to_string(Direction::lower), "lower");
    EXPECT_FALSE(direction_from_string("up"));

    std::set<std::string> statistics;
    for (int i = 0; i <= static_cast<int>(Statistic::sustained); ++i) {
        const Statistic statistic = static_cast<Statistic>(i);
        statistics.emplace(to_string(statistic));
        EXPECT_EQ(statistic_from_string(to_string(statistic)), statistic);
    }
    const std::set<std::string> expected{"median", "mean",  "p50",    "p90",   "p95",
                                         "p99",    "p99.9", "p99.99", "worst", "sustained"};
    EXPECT_EQ(statistics, expected);
    EXPECT_EQ(to_string(Statistic::p99_9), "p99.9");
    EXPECT_FALSE(statistic_from_string("p98"));

    for (const Status status :
         {Status::measured, Status::skipped, Status::failed, Status::timed_out, Status::crashed}) {
        EXPECT_EQ(status_from_string(to_string(status)), status);
    }
    EXPECT_EQ(to_string(Status::timed_out), "timed_out");
    EXPECT_FALSE(status_from_string("passed"));
}

TEST(Names, OutcomeShorthandsCarryCaseAndReason) {
    Case the_case;
    the_case.probe = "a.b";
    const Outcome skip = skipped(the_case, "no such device");
    EXPECT_EQ(skip.status, Status::skipped);
    EXPECT_EQ(skip.reason, "no such device");
    EXPECT_EQ(skip.the_case, the_case);
    EXPECT_EQ(failed(the_case, "wrong").status, Status::failed);
}

}  // namespace
}  // namespace assay
