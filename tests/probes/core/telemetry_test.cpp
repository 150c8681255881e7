#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/core/device_watch.h"
#include "probes/core/lasting_load.h"
#include "probes/core/probe.h"
#include "probes/core/telemetry_series.h"
#include "tests/kernels/faulty_accelerator.h"

namespace assay {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

TelemetryReading reading_with(std::vector<std::string> reasons) {
    TelemetryReading reading;
    reading.throttle_reasons = std::move(reasons);
    return reading;
}

const TelemetrySeries* throttled_by(const std::vector<TelemetrySeries>& telemetry,
                                    const std::string& reason) {
    for (const TelemetrySeries& series : telemetry)
        if (series.name == "throttled" && series.reason == reason) return &series;
    return nullptr;
}

TEST(TelemetryRecord, KeepsASeriesOfEverythingToldAndLeavesOutWhatIsEqual) {
    TelemetryRecord record;
    for (int i = 0; i <= 10; ++i) {
        TelemetryReading reading;
        reading.power = i < 5 ? 100 : 300;
        reading.power_limit = 700;
        if (i == 7) reading.temperature = 60;
        record.add(i, reading);
    }
    const std::vector<TelemetrySeries> telemetry = record.take();
    ASSERT_EQ(telemetry.size(), 3u);
    const TelemetrySeries* power = find_series(telemetry, "power");
    ASSERT_NE(power, nullptr);
    EXPECT_EQ(power->unit, Unit::watt);
    ASSERT_EQ(power->points.size(), 4u);
    EXPECT_EQ(power->points[1].at, 4);
    EXPECT_EQ(power->points[2].at, 5);
    // 100 W until 4 s, then 300 W for 6 s.
    EXPECT_DOUBLE_EQ(mean_over_time(*power, measuring_spans(telemetry)), (4 * 100 + 6 * 300) / 10.0);
    EXPECT_DOUBLE_EQ(mean_over_time(*power, {{1, 3}, {9, 10}}), (2 * 100 + 1 * 300) / 3.0);
    EXPECT_EQ(greatest_value(*power), 300);
    EXPECT_EQ(find_series(telemetry, "power_limit")->points.size(), 2u);
    EXPECT_EQ(find_series(telemetry, "temperature")->points.size(), 1u);
    EXPECT_EQ(find_series(telemetry, "clock"), nullptr);
    EXPECT_FALSE(clock_limits(telemetry));
}

TEST(TelemetryRecord, TellsHowLongEachReasonHeldTheClockDown) {
    TelemetryRecord record;
    for (int i = 0; i <= 10; ++i) {
        std::vector<std::string> reasons;
        if (i > 2 && i <= 7) reasons.emplace_back("hardware thermal slowdown");  // 5 of 10 s
        if (i > 6) reasons.emplace_back("software power cap");                   // 4 of 10 s
        TelemetryReading reading = reading_with(reasons);
        reading.power_limit = reading.default_power_limit = 700;
        record.add(i, reading);
    }
    const ClockLimits limits = clock_limits(record.take()).value();
    ASSERT_EQ(limits.reasons.size(), 2u);
    EXPECT_EQ(limits.reasons[0].first, "hardware thermal slowdown");
    EXPECT_DOUBLE_EQ(limits.reasons[0].second, 0.5);
    EXPECT_DOUBLE_EQ(limits.reasons[1].second, 0.4);
    EXPECT_DOUBLE_EQ(limits.held_down, 0.8);  // one second has both
    EXPECT_DOUBLE_EQ(limits.hindered, 0.5);
    EXPECT_EQ(limits.in_words(),
              "hardware thermal slowdown (50 % of the time), software power cap (40 % of the time)");
}

TEST(TelemetryRecord, AReasonThatComesLateWasNotThereBefore) {
    TelemetryRecord record;
    for (int i = 0; i < 9; ++i) record.add(i, reading_with({}));
    record.add(9, reading_with({"hardware slowdown"}));
    record.add(10, reading_with({"hardware slowdown"}));
    const std::vector<TelemetrySeries> telemetry = record.take();
    const TelemetrySeries* series = throttled_by(telemetry, "hardware slowdown");
    ASSERT_NE(series, nullptr);
    EXPECT_EQ(series->points.front().at, 0);
    EXPECT_DOUBLE_EQ(mean_over_time(*series, measuring_spans(telemetry)), 0.2);
    EXPECT_DOUBLE_EQ(clock_limits(telemetry)->held_down, 0.2);
}

TEST(ClockLimits, AreOfTheTimeInWhichSamplesWereTaken) {
    TelemetryRecord record;
    for (int i = 0; i <= 20; ++i) {
        std::vector<std::string> reasons;
        if (i > 4 && i <= 6) reasons.emplace_back("hardware thermal slowdown");
        record.add(i, reading_with(reasons));
    }
    std::vector<TelemetrySeries> telemetry = record.take();
    EXPECT_DOUBLE_EQ(clock_limits(telemetry)->hindered, 0.1);
    telemetry.push_back(measuring_series({{3, 5}, {5.5, 6.5}}));
    const ClockLimits limits = clock_limits(telemetry).value();
    EXPECT_DOUBLE_EQ(limits.hindered, 1.5 / 3);
    EXPECT_DOUBLE_EQ(limits.reasons.at(0).second, 1.5 / 3);
    ASSERT_EQ(limits.hindered_spans.size(), 1u);
    EXPECT_EQ(limits.hindered_spans[0].low, 4) << "drawn as they were";
    EXPECT_EQ(limits.hindered_spans[0].high, 6);
}

TEST(ClockLimits, TheLastThirdIsThatOfTheTimeOfSampling) {
    const std::vector<Interval> spans = last_third({{10, 20}, {30, 40}});
    ASSERT_EQ(spans.size(), 1u);
    EXPECT_EQ(spans[0].low, 30);
    EXPECT_EQ(spans[0].high, 40);
    EXPECT_EQ(last_third({{0, 9}}).at(0).low, 6);
    EXPECT_THAT(last_third({}), IsEmpty());
}

TEST(ClockLimits, APowerLimitBelowTheCardsOwnHindersIt) {
    const auto limits_at = [](double limit) {
        TelemetryRecord record;
        for (int i = 0; i <= 2; ++i) {
            TelemetryReading reading = reading_with({std::string(software_power_cap)});
            reading.power_limit = limit;
            reading.default_power_limit = 700;
            record.add(i, reading);
        }
        return clock_limits(record.take()).value();
    };
    EXPECT_EQ(limits_at(700).hindered, 0);
    EXPECT_EQ(limits_at(700).held_down, 1);
    EXPECT_FALSE(limits_at(699.5).power_limit_lowered());
    EXPECT_EQ(limits_at(500).hindered, 1);
    EXPECT_EQ(limits_at(500).in_words(),
              "software power cap (100 % of the time), power limit 500 W of 700 W");
}

TEST(ClockLimits, ACardThatIsFreeIsToldFromOneThatTellsNoReasons) {
    TelemetryRecord record;
    record.add(0, reading_with({}));
    record.add(1, reading_with({}));
    const ClockLimits limits = clock_limits(record.take()).value();
    EXPECT_EQ(limits.held_down, 0);
    EXPECT_EQ(limits.in_words(), "");
}

/// Telemetry that a test decides on; counts its readings and who is reading at a time.
class MadeTelemetry final : public Telemetry {
  public:
    TelemetryReading read() override {
        const int number = readings++;
        if (refuse_from >= 0 && number >= refuse_from) throw std::runtime_error("planted");
        return next ? next(number) : TelemetryReading{};
    }
    std::string source() const override { return "made"; }
    std::string remark() const override { return said; }

    std::function<TelemetryReading(int)> next;
    std::atomic<int> readings{0};
    int refuse_from = -1;
    std::string said;
};

TEST(DeviceWatch, ReadsBeforeMeanwhileAndAtTheEnd) {
    MadeTelemetry telemetry;
    telemetry.next = [](int number) {
        TelemetryReading reading;
        reading.power = number;
        return reading;
    };
    DeviceWatch watch(telemetry, Seconds(0.001));
    EXPECT_GE(telemetry.readings, 1);
    while (telemetry.readings < 5) std::this_thread::yield();
    const std::vector<TelemetrySeries> series = watch.finish();
    const int readings = telemetry.readings;
    ASSERT_EQ(series.size(), 1u);
    EXPECT_EQ(series[0].points.size(), static_cast<std::size_t>(readings));
    EXPECT_EQ(series[0].points.back().value, readings - 1);
    for (std::size_t i = 1; i < series[0].points.size(); ++i)
        EXPECT_GT(series[0].points[i].at, series[0].points[i - 1].at);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    EXPECT_EQ(telemetry.readings, readings) << "it reads on";
}

TEST(DeviceWatch, EndsAtOnceHoweverLongItsPeriodIs) {
    MadeTelemetry telemetry;
    { const DeviceWatch watch(telemetry, Seconds(3600)); }
    EXPECT_EQ(telemetry.readings, 1);
    DeviceWatch watch(telemetry, Seconds(3600));
    watch.finish();
    EXPECT_EQ(telemetry.readings, 3);
}

TEST(DeviceWatch, KeepsWhatItHasWhenTelemetryBreaks) {
    MadeTelemetry telemetry;
    telemetry.refuse_from = 1;
    telemetry.next = [](int) {
        TelemetryReading reading;
        reading.power = 5;
        return reading;
    };
    DeviceWatch watch(telemetry, Seconds(0.001));
    while (telemetry.readings < 2) std::this_thread::yield();
    EXPECT_EQ(watch.finish().size(), 1u);
    EXPECT_EQ(telemetry.readings, 2) << "asked again";
}

Probe watched_probe(Outcome (*run)(const Case&, Context&)) {
    Probe probe;
    probe.name = "test.probe";
    probe.parameters = {{"device", ParameterKind::device, "opencl:0", "where"}};
    probe.metrics = {{"test.probe", Unit::operation_per_second, Direction::higher, "rate"},
                     {"test.probe.time", Unit::second, Direction::lower, "time"}};
    probe.run = run;
    return probe;
}

Outcome measured_one(const Case&, Context&) {
    Outcome outcome;
    outcome.metrics = {
        make_exact_metric({"test.probe", Unit::operation_per_second, Direction::higher, ""}, 1)};
    return outcome;
}

/// Runs a probe on PoCL as it is watched by `telemetry`, null: by nobody.
Outcome watched(Outcome (*run)(const Case&, Context&), Telemetry* telemetry,
                const std::string& kind = "gpu") {
    std::variant<std::unique_ptr<Device>, Absent> opened = open_device("opencl:0");
    FaultyAccelerator device(std::move(std::get<std::unique_ptr<Device>>(opened)), {});
    device.described().kind = kind;
    device.watched = telemetry;
    SteadyClock clock;
    Context context{.clock = clock};
    context.device = &device;
    const Probe probe = watched_probe(run);
    return execute(probe, make_case(probe, {}), context);
}

TEST(ExecuteWatched, KeepsWhatTheDeviceToldOfItself) {
    MadeTelemetry telemetry;
    telemetry.next = [](int number) {
        TelemetryReading reading = reading_with({"software thermal slowdown"});
        reading.power = 100 + number;
        reading.ecc_uncorrected = 2;
        return reading;
    };
    const Outcome outcome = watched(measured_one, &telemetry);
    EXPECT_EQ(outcome.status, Status::measured) << outcome.reason;
    ASSERT_NE(find_series(outcome.telemetry, "power"), nullptr);
    EXPECT_EQ(outcome.resolved.at("telemetry"), "made");
    EXPECT_EQ(outcome.conditions.device_throttled, 1);
    EXPECT_THAT(outcome.notes, Contains(HasSubstr("software thermal slowdown (100 % of the time)")));
    ASSERT_EQ(outcome.checks.size(), 1u);
    EXPECT_TRUE(outcome.checks[0].passed);
}

TEST(ExecuteWatched, KeepsWhenSamplesWereTaken) {
    MadeTelemetry telemetry;
    telemetry.next = [](int) { return reading_with({}); };
    const auto sampling = [](const Case&, Context& context) {
        for (int i = 0; i < 2; ++i)
            context.sample({.maximum_time = Seconds(0.01), .maximum_warm_up = Seconds(0)},
                           [] { return 1.0; });
        return measured_one({}, context);
    };
    const Outcome outcome = watched(sampling, &telemetry);
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    const std::vector<Interval> spans = measuring_spans(outcome.telemetry);
    ASSERT_EQ(spans.size(), 2u);
    EXPECT_GT(spans[0].low, 0);
    EXPECT_LT(spans[0].low, spans[0].high);
    EXPECT_LT(spans[0].high, spans[1].low);
    EXPECT_LT(spans[1].low, spans[1].high);
    EXPECT_LE(spans[1].high, outcome.duration_seconds);
    EXPECT_EQ(find_series(watched(measured_one, &telemetry).telemetry, "measuring"), nullptr);
}

TEST(ExecuteWatched, WhatAReaderMustKnowOfTheTelemetryIsANote) {
    MadeTelemetry telemetry;
    EXPECT_THAT(watched(measured_one, &telemetry).notes, testing::Not(Contains("")));
    telemetry.said = "of the whole card";
    EXPECT_THAT(watched(measured_one, &telemetry).notes, Contains("of the whole card"));
}

TEST(ExecuteWatched, ThePowerLimitThatACardComesWithDoesNotDisturbItsFigures) {
    MadeTelemetry telemetry;
    telemetry.next = [](int) { return reading_with({std::string(software_power_cap)}); };
    const Outcome outcome = watched(measured_one, &telemetry);
    EXPECT_EQ(outcome.conditions.device_throttled, 0);
    EXPECT_THAT(outcome.notes, Contains(HasSubstr("software power cap (100 % of the time)")));
}

TEST(ExecuteWatched, AnUncorrectedErrorMeanwhileFailsTheCase) {
    MadeTelemetry telemetry;
    telemetry.next = [](int number) {
        TelemetryReading reading;
        reading.ecc_uncorrected = number == 0 ? 4 : 7;
        reading.ecc_corrected = number == 0 ? 1 : 2;
        return reading;
    };
    const Outcome outcome = watched(measured_one, &telemetry);
    EXPECT_EQ(outcome.status, Status::failed);
    EXPECT_THAT(outcome.reason, AllOf(HasSubstr("uncorrected"), HasSubstr("counted 3")));
    EXPECT_THAT(outcome.notes, Contains(HasSubstr("corrected 1 ")));
}

TEST(ExecuteWatched, ACriticalErrorOfTheDriverFailsTheCaseByItsNumber) {
    MadeTelemetry telemetry;
    telemetry.next = [](int number) {
        TelemetryReading reading;
        if (number == 1) reading.xids = {95};
        return reading;
    };
    const Outcome outcome = watched(measured_one, &telemetry);
    EXPECT_EQ(outcome.status, Status::failed);
    EXPECT_THAT(outcome.reason, AllOf(HasSubstr("Xid 95"), HasSubstr("uncontained")));

    telemetry.readings = 0;
    const Outcome broken = watched(
        [](const Case&, Context&) -> Outcome { throw DeviceError("the device is lost", true); }, &telemetry);
    EXPECT_EQ(broken.status, Status::failed);
    EXPECT_THAT(broken.reason, AllOf(HasSubstr("the device is lost"), HasSubstr("Xid 95")));
}

TEST(ExecuteWatched, ThrownExceptionsEndTheWatchAndKeepItsSeries) {
    MadeTelemetry telemetry;
    telemetry.next = [](int) {
        TelemetryReading reading;
        reading.power = 250;
        return reading;
    };
    const Outcome outcome =
        watched([](const Case&, Context&) -> Outcome { throw std::runtime_error("planted"); }, &telemetry);
    EXPECT_EQ(outcome.status, Status::failed);
    EXPECT_NE(find_series(outcome.telemetry, "power"), nullptr);
    const int readings = telemetry.readings;
    std::this_thread::sleep_for(std::chrono::milliseconds(250));
    EXPECT_EQ(telemetry.readings, readings) << "it reads on";
}

TEST(ExecuteWatched, ASkipHasNoTelemetryAndACardWithoutItSaysWhy) {
    MadeTelemetry telemetry;
    telemetry.next = [](int) {
        TelemetryReading reading;
        reading.power = 250;
        return reading;
    };
    const Outcome skip =
        watched([](const Case& the_case, Context&) { return skipped(the_case, "not here"); }, &telemetry);
    EXPECT_EQ(skip.status, Status::skipped);
    EXPECT_THAT(skip.telemetry, IsEmpty());
    EXPECT_THAT(watched(measured_one, nullptr).notes, Contains(HasSubstr("no telemetry")));
    EXPECT_THAT(watched(measured_one, nullptr, "cpu").notes, Not(Contains(HasSubstr("no telemetry"))));
}

/// A metric whose samples go from `first` to `last` between a third and two thirds of the time.
Metric falling(double first, double last, Direction direction, double scatter = 0.002) {
    SampleSet set;
    for (int i = 0; i < 60; ++i) {
        const double level = i < 20 ? first : i >= 40 ? last : (first + last) / 2;
        set.values.push_back(level * (1 + (i % 2 == 0 ? scatter : -scatter)));
        set.at.push_back(i + 1);
    }
    return make_metric({"test.probe", Unit::operation_per_second, direction, ""}, set);
}

std::vector<std::string> notes_on(Metric metric, std::vector<TelemetrySeries> telemetry = {}) {
    Outcome outcome;
    outcome.metrics = {std::move(metric)};
    outcome.telemetry = std::move(telemetry);
    note_falls(outcome);
    return outcome.notes;
}

TEST(LastingLoad, NamesAFallOfMoreThanThreePerCentWithWhatWasTold) {
    TelemetryRecord record;
    for (int i = 0; i <= 4; ++i) {
        TelemetryReading reading = reading_with(
            i < 2 ? std::vector<std::string>{} : std::vector<std::string>{"software thermal slowdown"});
        reading.temperature = 40 + 10 * i;
        record.add(i, reading);
    }
    EXPECT_THAT(
        notes_on(falling(100, 92, Direction::higher), record.take()),
        ElementsAre(AllOf(HasSubstr("8.0 %"), HasSubstr("software thermal slowdown (100 % of the time)"),
                          HasSubstr("40 °C at first, 80 °C at most"))));
    // What held the clock down at first alone did not slow the last third.
    TelemetryRecord early;
    for (int i = 0; i <= 9; ++i)
        early.add(i, reading_with(i < 3 ? std::vector<std::string>{"hardware slowdown"}
                                        : std::vector<std::string>{}));
    EXPECT_THAT(notes_on(falling(100, 92, Direction::higher), early.take()),
                ElementsAre(HasSubstr("no throttle reason was told")));
    EXPECT_THAT(notes_on(falling(100, 92, Direction::higher)),
                ElementsAre(HasSubstr("no throttle reason was told")));
    EXPECT_THAT(notes_on(falling(100, 112, Direction::lower)), ElementsAre(HasSubstr("12.0 %")));
}

TEST(LastingLoad, SaysNothingOfARiseASmallFallOrScatter) {
    EXPECT_THAT(notes_on(falling(100, 97.5, Direction::higher)), IsEmpty());
    EXPECT_THAT(notes_on(falling(92, 100, Direction::higher)), IsEmpty());
    EXPECT_THAT(notes_on(falling(100, 92, Direction::lower)), IsEmpty());
    EXPECT_THAT(notes_on(falling(100, 92, Direction::none)), IsEmpty());
    // 4 % between thirds whose samples lie 40 % apart.
    EXPECT_THAT(notes_on(falling(100, 96, Direction::higher, 0.4)), IsEmpty());
}

}  // namespace
}  // namespace assay
