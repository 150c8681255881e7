#include <cmath>
#include <memory>
#include <new>
#include <regex>
#include <stdexcept>
#include <string>
#include <system_error>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/core/probe.h"

namespace assay {
namespace {

using testing::HasSubstr;

/// Time that passes only when it is told to.
class FakeClock final : public Clock {
  public:
    Nanoseconds now() override { return now_; }
    void sleep_until(Nanoseconds when) override { now_ = std::max(now_, when); }

  private:
    Nanoseconds now_{};
};

class FakeDevice final : public Device {
  public:
    const DeviceInfo& info() const override { return info_; }
    std::unique_ptr<DeviceMemory> allocate(std::size_t, bool) override { return nullptr; }

  private:
    DeviceInfo info_{"cpu:0", "cpu", "fake", 1, 1};
};

Probe probe_that(Outcome (*run)(const Case&, Context&)) {
    Probe probe;
    probe.name = "test.probe";
    probe.parameters = {{"depth", ParameterKind::integer, "4", "requests", 1},
                        {"device", ParameterKind::device, "cpu:0", "where"}};
    probe.metrics = {{"test.probe.rate", Unit::operation_per_second, Direction::higher, "rate", {"axis"}}};
    probe.run = run;
    return probe;
}

Outcome run_it(Outcome (*run)(const Case&, Context&), const std::map<std::string, std::string>& given = {},
               Device* device = nullptr) {
    static FakeDevice fake;
    FakeClock clock;
    Context context{.clock = clock};
    context.device = device == nullptr ? &fake : device;
    const Probe probe = probe_that(run);
    return execute(probe, make_case(probe, given), context);
}

Metric rate(double value) {
    Metric metric;
    metric.name = "test.probe.rate";
    metric.unit = Unit::operation_per_second;
    metric.value = value;
    return metric;
}

TEST(Execute, GivesEveryMetricTheCasesParametersAsLabelsAndKeepsItsAxes) {
    const Outcome outcome = run_it(
        [](const Case&, Context&) {
            Outcome measured;
            measured.metrics = {rate(1), rate(2)};
            measured.metrics[0].labels = {{"axis", "a"}};
            measured.metrics[1].labels = {{"depth", "8"}};
            return measured;
        },
        {{"depth", "3"}});
    EXPECT_EQ(outcome.status, Status::measured);
    EXPECT_EQ(outcome.reason, "");
    ASSERT_EQ(outcome.metrics.size(), 2u);
    EXPECT_EQ(outcome.metrics[0].labels, (Labels{{"axis", "a"}, {"depth", "3"}, {"device", "cpu:0"}}));
    EXPECT_EQ(outcome.metrics[1].labels.at("depth"), "8");
    EXPECT_EQ(outcome.the_case.text("depth"), "3");
}

TEST(Execute, AsksForNoDeviceWhereTheProbeHasNone) {
    Probe probe = probe_that([](const Case&, Context& context) {
        EXPECT_EQ(context.device, nullptr);
        return Outcome();
    });
    probe.parameters = {{"depth", ParameterKind::integer, "4", "requests", 1}};
    FakeClock clock;
    Context context{.clock = clock};
    const Outcome outcome = execute(probe, make_case(probe, {}), context);
    EXPECT_EQ(outcome.status, Status::measured) << outcome.reason;
}

TEST(Execute, KeepsTheDeviceThatItWasGiven) {
    const Outcome outcome = run_it([](const Case&, Context& context) {
        EXPECT_EQ(context.device->info().name, "fake");
        return Outcome();
    });
    EXPECT_EQ(outcome.status, Status::measured) << outcome.reason;
}

TEST(Execute, StampsTheTimes) {
    const Outcome outcome = run_it([](const Case&, Context& context) {
        context.clock.sleep_until(context.clock.now() + std::chrono::milliseconds(1500));
        return Outcome();
    });
    EXPECT_DOUBLE_EQ(outcome.duration_seconds, 1.5);
    EXPECT_TRUE(std::regex_match(outcome.started_at,
                                 std::regex(R"(20\d\d-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-6]\d\.\d{3}Z)")))
        << outcome.started_at;
}

TEST(Execute, TurnsWhatIsThrownIntoAFailedOutcomeWithItsReason) {
    const Outcome system = run_it([](const Case&, Context&) -> Outcome {
        throw std::system_error(EIO, std::generic_category(), "read /dev/x");
    });
    EXPECT_EQ(system.status, Status::failed);
    EXPECT_THAT(system.reason, HasSubstr("read /dev/x"));
    EXPECT_EQ(system.the_case.probe, "test.probe");

    EXPECT_THAT(run_it([](const Case&, Context&) -> Outcome { throw std::bad_alloc(); }).reason,
                HasSubstr("out of memory"));
    const Outcome odd = run_it([](const Case&, Context&) -> Outcome { throw 7; });
    EXPECT_EQ(odd.status, Status::failed);
    EXPECT_FALSE(odd.reason.empty());
}

TEST(Execute, MakesAFailedCheckAFailedOutcomeThatKeepsItsFigures) {
    const Outcome outcome = run_it([](const Case&, Context&) {
        Outcome measured;
        measured.metrics = {rate(1)};
        measured.checks = {{"first", true, {}, ""}, {"result matches", false, 0.5, "off by 0.5"}};
        return measured;
    });
    EXPECT_EQ(outcome.status, Status::failed);
    EXPECT_THAT(outcome.reason, HasSubstr("result matches: off by 0.5"));
    ASSERT_EQ(outcome.metrics.size(), 1u);
    EXPECT_EQ(outcome.metrics[0].labels.at("depth"), "4");
}

TEST(Execute, LeavesASkipASkip) {
    const Outcome outcome = run_it([](const Case& the_case, Context&) {
        Outcome skip = skipped(the_case, "not here");
        skip.checks = {{"never made", false, {}, ""}};
        return skip;
    });
    EXPECT_EQ(outcome.status, Status::skipped);
    EXPECT_EQ(outcome.reason, "not here");
}

TEST(Execute, FailsFiguresThatAreNoneAndMetricsThatWereNotDeclared) {
    EXPECT_THAT(run_it([](const Case&, Context&) {
                    Outcome measured;
                    measured.metrics = {rate(std::nan(""))};
                    return measured;
                }).reason,
                HasSubstr("test.probe.rate is not a finite number"));
    EXPECT_THAT(run_it([](const Case&, Context&) {
                    Outcome measured;
                    measured.metrics = {rate(1)};
                    measured.metrics[0].name = "test.probe.other";
                    return measured;
                }).reason,
                HasSubstr("test.probe.other"));
    EXPECT_EQ(run_it([](const Case&, Context&) {
                  Outcome measured;
                  measured.metrics = {rate(1)};
                  measured.metrics[0].unit = Unit::second;
                  return measured;
              }).status,
              Status::failed);
}

TEST(Execute, SkipsWithTheReasonWhereTheDeviceIsAbsent) {
    SteadyClock clock;
    Context context{.clock = clock};
    const Probe probe = probe_that([](const Case&, Context&) {
        ADD_FAILURE() << "ran without its device";
        return Outcome();
    });
    const Outcome outcome = execute(probe, make_case(probe, {{"device", "cuda:999"}}), context);
    EXPECT_EQ(outcome.status, Status::skipped);
    EXPECT_FALSE(outcome.reason.empty());
}

TEST(Execute, OpensTheDeviceThatTheCaseNamesAndLeavesTheContextAsItWas) {
    SteadyClock clock;
    Context context{.clock = clock};
    const Probe probe = probe_that([](const Case&, Context& own) {
        Outcome outcome;
        outcome.notes = {own.device == nullptr ? "none" : own.device->info().id};
        own.progress("works without a listener", 0.5);
        return outcome;
    });
    const Outcome outcome = execute(probe, make_case(probe, {}), context);
    EXPECT_EQ(outcome.status, Status::measured) << outcome.reason;
    EXPECT_EQ(outcome.notes, std::vector<std::string>{"cpu:0"});
    EXPECT_EQ(context.device, nullptr);
    EXPECT_FALSE(context.progress);
}

TEST(ProbeMetric, IsFoundByNameOrIsAProgrammersError) {
    const Probe probe = probe_that(nullptr);
    EXPECT_EQ(probe.metric("test.probe.rate").unit, Unit::operation_per_second);
    EXPECT_THROW(probe.metric("test.probe.none"), std::logic_error);
}

}  // namespace
}  // namespace assay
