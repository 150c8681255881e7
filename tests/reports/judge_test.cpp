#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include <fmt/format.h>

#include "reports/report.h"
#include "tests/reports/outcome_builders.h"

namespace assay {
namespace {

using building::at_least;
using building::at_most;
using building::exact;
using building::in_words;
using building::outcome_of;
using building::outcome_with_status;
using building::requirement_on;
using building::sampled;
using building::with;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

Outcome reads(double value, Interval ci95) {
    return with(outcome_of("storage.random_read"), sampled("storage.random_read.iops", value, ci95));
}

JudgeInput input_of(std::vector<Requirement> requirements, std::vector<Outcome> outcomes) {
    JudgeInput input;
    input.header.suite = "poc";
    input.requirements = std::move(requirements);
    input.outcomes = std::move(outcomes);
    for (const Outcome& outcome : input.outcomes) input.cases.push_back({outcome.the_case, false});
    return input;
}

Requirement iops() {
    return requirement_on("iops-read", "storage.random_read.iops", at_least(500));
}

JudgedRequirement judge_alone(Requirement requirement, std::vector<Outcome> outcomes) {
    return judge(input_of({std::move(requirement)}, std::move(outcomes))).requirements.at(0);
}

JudgedRequirement judge_on(std::vector<RunDevice> devices, Requirement requirement,
                           std::vector<Outcome> outcomes) {
    JudgeInput input = input_of({std::move(requirement)}, std::move(outcomes));
    input.devices = std::move(devices);
    return judge(std::move(input)).requirements.at(0);
}

// ---- one requirement on one metric

TEST(Judge, PassesWhenTheWholeIntervalIsOnTheRightSide) {
    const JudgedRequirement judged = judge_alone(iops(), {reads(520, {500, 540})});
    EXPECT_EQ(judged.status, VerdictStatus::pass);
    EXPECT_TRUE(judged.counted);
    EXPECT_EQ(judged.measured, 520);
    ASSERT_TRUE(judged.ci95.has_value());
    EXPECT_EQ(judged.ci95->low, 500);
    EXPECT_EQ(judged.ci95->high, 540);
    EXPECT_DOUBLE_EQ(*judged.margin, 0.04);
    EXPECT_EQ(judged.metric, "storage.random_read.iops");
    EXPECT_EQ(judged.reason, "");
    EXPECT_EQ(judged.reason_id, "");
    EXPECT_EQ(judged.requirement.id, "iops-read");
    EXPECT_EQ(judged.waived_from, std::nullopt);
}

TEST(Judge, FailsWhenTheWholeIntervalIsOnTheWrongSide) {
    const JudgedRequirement judged = judge_alone(iops(), {reads(400, {390, 499.9})});
    EXPECT_EQ(judged.status, VerdictStatus::fail);
    EXPECT_DOUBLE_EQ(*judged.margin, -0.2);
    EXPECT_EQ(judged.reason, "");
}

TEST(Judge, IsInconclusiveWhenTheIntervalLiesAcrossTheBound) {
    const JudgedRequirement judged = judge_alone(iops(), {reads(510, {499, 520})});
    EXPECT_EQ(judged.status, VerdictStatus::inconclusive);
    EXPECT_EQ(judged.reason_id, "across_bound");
    EXPECT_EQ(judged.measured, 510);
}

TEST(Judge, DoesNotDecideAgainstTheFigureItself) {
    // An interval that does not hold its own figure, which is on the other side of the bound.
    EXPECT_EQ(judge_alone(iops(), {reads(480, {505, 520})}).status, VerdictStatus::inconclusive);
    EXPECT_EQ(judge_alone(iops(), {reads(510, {470, 490})}).status, VerdictStatus::inconclusive);
}

TEST(Judge, IsInconclusiveWithoutAnInterval) {
    const Outcome open =
        with(outcome_of("storage.random_read"), sampled("storage.random_read.iops", 900, std::nullopt));
    const JudgedRequirement judged = judge_alone(iops(), {open});
    EXPECT_EQ(judged.status, VerdictStatus::inconclusive);
    EXPECT_EQ(judged.reason_id, "no_interval");
    EXPECT_EQ(judged.measured, 900);
}

TEST(Judge, JudgesExactThingsAsTheyStand) {
    const Requirement cores =
        requirement_on("cpu-cores", "inventory.system.cpu_cores", at_least(16), Unit::count);
    const auto with_cores = [](double count) {
        return with(outcome_of("inventory.system"), exact("inventory.system.cpu_cores", count));
    };
    EXPECT_EQ(judge_alone(cores, {with_cores(16)}).status, VerdictStatus::pass);
    EXPECT_EQ(judge_alone(cores, {with_cores(15)}).status, VerdictStatus::fail);
    EXPECT_EQ(judge_alone(cores, {with_cores(16)}).ci95, std::nullopt);
}

TEST(Judge, DoesNotMeasureWhatIsNotANumber) {
    const Outcome wrong =
        with(outcome_of("storage.random_read"), sampled("storage.random_read.iops", nan, Interval{600, 700}));
    const JudgedRequirement judged = judge_alone(iops(), {wrong});
    EXPECT_EQ(judged.status, VerdictStatus::not_measured);
    EXPECT_EQ(judged.reason_id, "not_a_number");
    EXPECT_EQ(judged.measured, std::nullopt);
    EXPECT_EQ(judged.margin, std::nullopt);
}

TEST(Judge, SaysThatAPercentileOfTooFewOperationsIsInconclusive) {
    Requirement requirement = iops();
    requirement.select.statistic = Statistic::p99;
    Outcome outcome = reads(900, {890, 910});
    outcome.metrics[0].summary.percentiles = {{99, 900, std::nullopt}};
    EXPECT_EQ(judge_alone(requirement, {outcome}).status, VerdictStatus::inconclusive);
    EXPECT_EQ(judge_alone(requirement, {outcome}).reason_id, "too_few_operations");
    outcome.metrics[0].summary.percentiles = {{99, 900, Interval{880, 920}}};
    EXPECT_EQ(judge_alone(requirement, {outcome}).status, VerdictStatus::pass);
}

TEST(Judge, JudgesTheWorstSampleAsItStandsAndSaysSo) {
    Requirement requirement = iops();
    requirement.select.statistic = Statistic::worst;
    const JudgedRequirement judged =
        judge_alone(requirement, {reads(1000, {990, 1010})});  // the minimum is 500
    EXPECT_EQ(judged.status, VerdictStatus::pass);
    EXPECT_EQ(judged.measured, 500);
    EXPECT_THAT(judged.notes, ElementsAre("worst"));
    EXPECT_EQ(judge_alone(requirement, {reads(998, {990, 1010})}).status, VerdictStatus::fail);
}

TEST(Judge, NotesADriftWithoutChangingTheVerdict) {
    Outcome outcome = reads(520, {510, 540});
    outcome.metrics[0].summary.steady = false;
    const JudgedRequirement judged = judge_alone(iops(), {outcome});
    EXPECT_EQ(judged.status, VerdictStatus::pass);
    EXPECT_THAT(judged.notes, ElementsAre("not_steady"));
}

TEST(Judge, ComparesVersionsAndTextAsSuch) {
    const Bound at_least_116{Comparison::at_least, 0, 0, "11.6"};
    const Requirement cuda =
        requirement_on("cuda", "inventory.system.cuda_version", at_least_116, Unit::version);
    const auto with_cuda = [](const std::string& version) {
        return with(outcome_of("inventory.system"),
                    in_words("inventory.system.cuda_version", version, Unit::version));
    };
    const JudgedRequirement judged = judge_alone(cuda, {with_cuda("11.10")});
    EXPECT_EQ(judged.status, VerdictStatus::pass);
    EXPECT_EQ(judged.measured_text, "11.10");
    EXPECT_EQ(judged.measured, std::nullopt);
    EXPECT_EQ(judge_alone(cuda, {with_cuda("11.5.9")}).status, VerdictStatus::fail);
    EXPECT_EQ(judge_alone(cuda, {with_cuda("")}).status, VerdictStatus::not_measured);
    EXPECT_EQ(judge_alone(cuda, {with_cuda("")}).reason_id, "no_value");
}

TEST(Judge, DoesNotCompareAcrossUnits) {
    Requirement requirement = iops();
    requirement.unit = Unit::byte_per_second;
    const JudgedRequirement judged = judge_alone(requirement, {reads(520, {510, 540})});
    EXPECT_EQ(judged.status, VerdictStatus::not_measured);
    EXPECT_EQ(judged.reason_id, "unit_mismatch");
    EXPECT_THAT(judged.reason, HasSubstr("operation/second"));
    EXPECT_THAT(judged.reason, HasSubstr("byte/second"));
}

// ---- selection

TEST(Judge, MatchesTheNameAndEveryLabelThatIsAskedFor) {
    Requirement requirement = iops();
    requirement.select.labels = {{"jobs", "4"}, {"queue_depth", "32"}};
    const auto at = [](const std::string& jobs, const std::string& depth, double value) {
        const Labels labels{{"jobs", jobs}, {"queue_depth", depth}, {"engine", "libaio"}};
        return with(outcome_of("storage.random_read", labels),
                    sampled("storage.random_read.iops", value, Interval{value, value}, labels));
    };
    const JudgedRequirement judged =
        judge_alone(requirement, {at("1", "32", 1), at("4", "32", 700), at("4", "1", 2), at("1", "1", 3)});
    EXPECT_EQ(judged.status, VerdictStatus::pass);
    EXPECT_EQ(judged.measured, 700);
    EXPECT_EQ(judged.metric, "storage.random_read.iops{jobs=4,queue_depth=32}");
}

TEST(Judge, DoesNotTakeALongerNameForTheSameMetric) {
    const Outcome other =
        with(outcome_of("memory.bandwidth"), sampled("memory.bandwidth.plain", 700, Interval{690, 710}));
    const JudgedRequirement judged =
        judge_alone(requirement_on("b", "memory.bandwidth", at_least(500)), {other});
    EXPECT_EQ(judged.status, VerdictStatus::not_measured);
    EXPECT_EQ(judged.reason_id, "no_metric");
}

TEST(Judge, NeverFeedsANetworkRequirementFromLoopback) {
    Requirement requirement =
        requirement_on("network-25", "interconnect.tcp.bandwidth", at_least(23), Unit::bit_per_second);
    requirement.select.labels = {{"network", "network"}};
    const Outcome loopback = with(outcome_of("interconnect.tcp", {{"peer", "auto"}}),
                                  sampled("interconnect.tcp.bandwidth", 100, Interval{99, 101},
                                          {{"network", "loopback"}, {"peer", "auto"}}, Unit::bit_per_second));
    const JudgedRequirement judged = judge_alone(requirement, {loopback});
    EXPECT_EQ(judged.status, VerdictStatus::not_measured);
    EXPECT_EQ(judged.reason_id, "other_labels");
    EXPECT_THAT(judged.reason, HasSubstr("network is loopback, not network"));
    // Even a failed loopback case says nothing of the network, once its metrics show what it was.
    const Outcome failed = outcome_with_status(loopback, Status::failed, "lost bytes");
    EXPECT_EQ(judge_alone(requirement, {failed}).status, VerdictStatus::not_measured);
    EXPECT_EQ(judge_alone(requirement, {failed}).reason_id, "no_case");
}

TEST(Judge, SaysThatAMetricLacksTheLabelAskedFor) {
    Requirement requirement = iops();
    requirement.select.labels = {{"network", "x"}};
    const JudgedRequirement judged = judge_alone(requirement, {reads(520, {510, 540})});
    EXPECT_EQ(judged.reason_id, "other_labels");
    EXPECT_THAT(judged.reason, HasSubstr("it has no network"));
}

TEST(Judge, SaysThatTheRunHasNoCaseForIt) {
    const JudgedRequirement judged = judge_alone(iops(), {outcome_of("memory.bandwidth")});
    EXPECT_EQ(judged.status, VerdictStatus::not_measured);
    EXPECT_EQ(judged.reason_id, "no_case");
    EXPECT_EQ(judged.reason, "this run has no case of storage.random_read for it");
    EXPECT_EQ(judged.metric, "storage.random_read.iops");
}

TEST(Judge, SaysThatThePlannedCaseWasNotRun) {
    Requirement requirement = iops();
    requirement.select.labels = {{"jobs", "4"}};
    JudgeInput input = input_of({requirement}, {});
    input.cases = {{Case{"storage.random_read", {{"jobs", "1"}}}, true}};
    EXPECT_EQ(judge(input).requirements[0].reason_id, "no_case");
    input.cases.push_back({Case{"storage.random_read", {{"jobs", "4"}}}, true});
    const JudgedRequirement judged = judge(input).requirements[0];
    EXPECT_EQ(judged.status, VerdictStatus::not_measured);
    EXPECT_EQ(judged.reason_id, "not_run");
    EXPECT_EQ(judged.metric, "storage.random_read.iops{jobs=4}");
}

TEST(Judge, KnowsTheProbeOfAMetricThatHasItsName) {
    const Requirement requirement = requirement_on("g", "gemm.throughput", at_least(1));
    const Outcome skipped = outcome_with_status(outcome_of("gemm.throughput"), Status::skipped, "no BLAS");
    EXPECT_EQ(judge_alone(requirement, {skipped}).reason_id, "skipped");
    const Outcome other = outcome_with_status(outcome_of("gemm.throughput_x"), Status::skipped, "no BLAS");
    EXPECT_EQ(judge_alone(requirement, {other}).reason_id, "no_case");
}

// ---- cases that are not measured

TEST(Judge, TakesTheReasonOfACaseThatIsNotMeasured) {
    struct Unmeasured {
        Status status;
        VerdictStatus verdict;
        const char* id;
        const char* reason;
    };
    const Unmeasured cases[] = {
        {Status::skipped, VerdictStatus::not_measured, "skipped", "skipped: because"},
        {Status::crashed, VerdictStatus::not_measured, "crashed", "crashed: because"},
        {Status::timed_out, VerdictStatus::not_measured, "timed_out", "timed out: because"},
        {Status::failed, VerdictStatus::fail, "failed", "failed: because"},
    };
    for (const Unmeasured& one : cases) {
        const JudgedRequirement judged = judge_alone(
            iops(), {outcome_with_status(outcome_of("storage.random_read"), one.status, "because")});
        EXPECT_EQ(judged.status, one.verdict) << one.id;
        EXPECT_EQ(judged.reason_id, one.id);
        EXPECT_EQ(judged.reason, one.reason);
        EXPECT_EQ(judged.measured, std::nullopt);
    }
    const Outcome wordless = outcome_with_status(outcome_of("storage.random_read"), Status::crashed, "");
    EXPECT_EQ(judge_alone(iops(), {wordless}).reason, "crashed");
}

TEST(Judge, FailsHoweverFastAWrongResultWas) {
    const Outcome fast = outcome_with_status(reads(900, {890, 910}), Status::failed, "wrong result");
    const JudgedRequirement judged = judge_alone(iops(), {fast});
    EXPECT_EQ(judged.status, VerdictStatus::fail);
    EXPECT_EQ(judged.measured, std::nullopt);
    EXPECT_EQ(judged.reason, "failed: wrong result");
}

TEST(Judge, LetsAFailedCaseFailOnlyWhatItsParametersCover) {
    Requirement requirement = iops();
    requirement.select.labels = {{"jobs", "4"}};
    const auto failed_with = [](std::map<std::string, std::string> parameters) {
        return outcome_with_status(outcome_of("storage.random_read", std::move(parameters)), Status::failed,
                                   "wrong");
    };
    EXPECT_EQ(judge_alone(requirement, {failed_with({{"jobs", "4"}})}).status, VerdictStatus::fail);
    EXPECT_EQ(judge_alone(requirement, {failed_with({{"jobs", "1"}})}).status, VerdictStatus::not_measured);
    EXPECT_EQ(judge_alone(requirement, {failed_with({{"jobs", "all"}})}).status, VerdictStatus::fail);
    EXPECT_EQ(judge_alone(requirement, {failed_with({})}).status,
              VerdictStatus::fail);  // an axis of the probe
    Outcome settled = failed_with({});
    settled.resolved = {{"jobs", "1"}};
    EXPECT_EQ(judge_alone(requirement, {settled}).status, VerdictStatus::not_measured);
    settled.resolved = {{"jobs", "4"}};
    EXPECT_EQ(judge_alone(requirement, {settled}).status, VerdictStatus::fail);
}

TEST(Judge, NamesWhatWasAskedForWhenACaseOfAllFailed) {
    Requirement triad = requirement_on("m", "memory.bandwidth", at_least(1));
    triad.select.labels = {{"kernel", "triad"}};
    const Outcome all = outcome_with_status(
        outcome_of("memory.bandwidth", {{"kernel", "all"}, {"bytes", "1024"}}), Status::failed, "wrong");
    EXPECT_EQ(judge_alone(triad, {all}).metric, "memory.bandwidth{kernel=triad}");
}

// ---- several

Outcome on_gpu(const std::string& device, double value, double half_width = 1) {
    const Labels labels{{"device", device}};
    return with(outcome_of("memory.capacity", labels),
                sampled("memory.capacity.verified_bytes", value,
                        Interval{value - half_width, value + half_width}, labels, Unit::byte));
}

Requirement gpu_memory(Selection::Several several) {
    Requirement requirement =
        requirement_on("gpu-memory", "memory.capacity.verified_bytes", at_least(100), Unit::byte);
    requirement.select.labels = {{"device", "each:gpu"}};
    requirement.select.several = several;
    return requirement;
}

Outcome gpu_with_status(const std::string& device, Status status) {
    return outcome_with_status(outcome_of("memory.capacity", {{"device", device}}), status, "because");
}

TEST(Judge, CountsTheWorstOfEach) {
    const Requirement each = gpu_memory(Selection::Several::each);
    JudgedRequirement judged =
        judge_alone(each, {on_gpu("cuda:0", 200), on_gpu("cuda:1", 90), on_gpu("cuda:2", 300)});
    EXPECT_EQ(judged.status, VerdictStatus::fail);
    EXPECT_EQ(judged.measured, 90);
    EXPECT_EQ(judged.metric, "memory.capacity.verified_bytes{device=cuda:1}");
    // All pass: the one nearest to the bound is shown.
    judged = judge_alone(each, {on_gpu("cuda:0", 200), on_gpu("cuda:1", 150), on_gpu("cuda:2", 300)});
    EXPECT_EQ(judged.status, VerdictStatus::pass);
    EXPECT_EQ(judged.measured, 150);
    // Inconclusive is worse than pass, not measured worse than inconclusive, a failure worse than all.
    judged = judge_alone(each, {on_gpu("cuda:0", 200), on_gpu("cuda:1", 100)});
    EXPECT_EQ(judged.status, VerdictStatus::inconclusive);
    judged = judge_alone(
        each, {on_gpu("cuda:0", 200), on_gpu("cuda:1", 100), gpu_with_status("cuda:2", Status::skipped)});
    EXPECT_EQ(judged.status, VerdictStatus::not_measured);
    EXPECT_EQ(judged.metric, "memory.capacity.verified_bytes{device=cuda:2}");
    judged = judge_alone(
        each, {gpu_with_status("cuda:2", Status::crashed), on_gpu("cuda:1", 50), on_gpu("cuda:0", 200)});
    EXPECT_EQ(judged.status, VerdictStatus::fail);
    EXPECT_EQ(judged.measured, 50);
}

TEST(Judge, CountsTheBestWhereItSaysBest) {
    const Requirement best = gpu_memory(Selection::Several::best);
    JudgedRequirement judged =
        judge_alone(best, {on_gpu("cuda:0", 200), on_gpu("cuda:1", 90), on_gpu("cuda:2", 300)});
    EXPECT_EQ(judged.status, VerdictStatus::pass);
    EXPECT_EQ(judged.measured, 300);
    judged = judge_alone(best, {on_gpu("cuda:0", 60), on_gpu("cuda:1", 90), on_gpu("cuda:2", 50)});
    EXPECT_EQ(judged.status, VerdictStatus::fail);
    EXPECT_EQ(judged.measured, 90);
    judged = judge_alone(best, {on_gpu("cuda:0", 60), on_gpu("cuda:1", 100)});
    EXPECT_EQ(judged.status, VerdictStatus::inconclusive);
}

TEST(Judge, LeavesOutOfTheBestWhatCannotBeRunHereButNotWhatCrashed) {
    const Requirement best = gpu_memory(Selection::Several::best);
    EXPECT_EQ(judge_alone(best, {gpu_with_status("cuda:0", Status::skipped), on_gpu("cuda:1", 90)}).status,
              VerdictStatus::fail);
    EXPECT_EQ(judge_alone(best, {gpu_with_status("cuda:0", Status::crashed), on_gpu("cuda:1", 90)}).status,
              VerdictStatus::not_measured);
    EXPECT_EQ(judge_alone(best, {gpu_with_status("cuda:0", Status::crashed), on_gpu("cuda:1", 200)}).status,
              VerdictStatus::pass);
    EXPECT_EQ(judge_alone(best, {gpu_with_status("cuda:0", Status::skipped)}).status,
              VerdictStatus::not_measured);
}

TEST(Judge, FailsBesideMeasuredSiblingsWhateverIsSaidOfSeveral) {
    for (const Selection::Several several :
         {Selection::Several::error, Selection::Several::each, Selection::Several::best}) {
        const JudgedRequirement judged = judge_alone(
            gpu_memory(several), {on_gpu("cuda:0", 200), gpu_with_status("cuda:1", Status::failed)});
        EXPECT_EQ(judged.status, VerdictStatus::fail);
        EXPECT_EQ(judged.reason, "failed: because");
        EXPECT_EQ(judged.metric, "memory.capacity.verified_bytes{device=cuda:1}");
    }
}

TEST(Judge, DoesNotChooseAmongSeveralUnasked) {
    const Requirement requirement = gpu_memory(Selection::Several::error);
    EXPECT_EQ(judge_alone(requirement, {on_gpu("cuda:0", 200)}).status, VerdictStatus::pass);
    const JudgedRequirement judged = judge_alone(requirement, {on_gpu("cuda:0", 200), on_gpu("cuda:1", 200)});
    EXPECT_EQ(judged.status, VerdictStatus::inconclusive);
    EXPECT_EQ(judged.reason_id, "several");
    EXPECT_EQ(judged.metric, "memory.capacity.verified_bytes");
}

TEST(Judge, TakesEveryGpuForEachGpuAndNoCpu) {
    const std::vector<RunDevice> devices = {{"cpu:0", "cpu", "A processor"},
                                            {"opencl:0", "cpu", "A processor"},
                                            {"opencl:1", "gpu", "A card"},
                                            {"opencl:2", "accelerator", "Something else"}};
    const Requirement each = gpu_memory(Selection::Several::each);
    EXPECT_EQ(judge_on(devices, each, {on_gpu("cuda:0", 200)}).status, VerdictStatus::pass);
    EXPECT_EQ(judge_on(devices, each, {on_gpu("opencl:1", 200)}).status, VerdictStatus::pass);
    for (const char* const device : {"cpu:0", "opencl:0", "opencl:2"}) {
        for (const Selection::Several several :
             {Selection::Several::error, Selection::Several::each, Selection::Several::best}) {
            const JudgedRequirement judged = judge_on(devices, gpu_memory(several), {on_gpu(device, 200)});
            EXPECT_EQ(judged.status, VerdictStatus::not_measured) << device;
            EXPECT_EQ(judged.reason_id, "other_labels");
            EXPECT_EQ(judged.reason,
                      fmt::format("measured only otherwise: device is {}, which is no GPU", device));
        }
        // Neither for the worse nor for the better.
        EXPECT_EQ(judge_on(devices, each, {on_gpu("opencl:1", 200), on_gpu(device, 50)}).status,
                  VerdictStatus::pass)
            << device;
        EXPECT_EQ(judge_on(devices, gpu_memory(Selection::Several::best),
                           {on_gpu(device, 200), on_gpu("opencl:1", 50)})
                      .status,
                  VerdictStatus::fail)
            << device;
        for (const Status status : {Status::failed, Status::skipped, Status::crashed})
            EXPECT_EQ(judge_on(devices, each, {gpu_with_status(device, status)}).reason_id, "no_case")
                << device;
        // Who names it gets it.
        Requirement named = each;
        named.select.labels = {{"device", device}};
        EXPECT_EQ(judge_on(devices, named, {on_gpu(device, 200)}).status, VerdictStatus::pass);
    }
    EXPECT_EQ(judge_alone(each, {gpu_with_status("each:gpu", Status::skipped)}).reason_id, "skipped");
    Requirement first = each;
    first.select.labels = {{"device", "cuda:0"}};
    EXPECT_EQ(judge_alone(first, {gpu_with_status("each:gpu", Status::skipped)}).reason_id, "skipped");
    first.select.labels = {{"device", "cpu:0"}};
    EXPECT_EQ(judge_alone(first, {gpu_with_status("each:gpu", Status::skipped)}).reason_id, "no_case");
}

TEST(Judge, PassesNoRequirementOfGpusByADeviceOfUnknownKind) {
    const JudgedRequirement judged =
        judge_alone(gpu_memory(Selection::Several::each), {on_gpu("opencl:0", 200)});
    EXPECT_EQ(judged.status, VerdictStatus::not_measured);
    EXPECT_EQ(judged.reason,
              "measured only otherwise: device is opencl:0, which the run does not know to be a GPU");
}

TEST(Judge, NamesSeveralByTheLabelsInWhichTheyDiffer) {
    Requirement requirement = iops();
    requirement.select.several = Selection::Several::each;
    const auto at = [](const std::string& engine, double value) {
        const Labels labels{{"engine", engine}, {"jobs", "4"}};
        return with(outcome_of("storage.random_read", labels),
                    sampled("storage.random_read.iops", value, Interval{value, value}, labels));
    };
    EXPECT_EQ(judge_alone(requirement, {at("libaio", 600), at("io_uring", 550)}).metric,
              "storage.random_read.iops{engine=io_uring}");
}

// ---- ratios

Requirement speedup(double bound) {
    Requirement requirement =
        requirement_on("speedup", "quantized.gemm.throughput", at_least(bound), Unit::ratio);
    requirement.divided_by = Selection{};
    requirement.divided_by->metric = "gemm.throughput";
    return requirement;
}

Outcome quantized(double value, Interval ci95, Labels labels = {}) {
    return with(outcome_of("quantized.gemm", labels),
                sampled("quantized.gemm.throughput", value, ci95, labels));
}

Outcome plain(double value, Interval ci95, Labels labels = {}) {
    return with(outcome_of("gemm.throughput", labels),
                sampled("gemm.throughput", value, ci95, labels, Unit::flop_per_second));
}

TEST(Judge, DividesTwoSelections) {
    const JudgedRequirement judged =
        judge_alone(speedup(2.5), {quantized(300, {290, 310}), plain(100, {95, 105})});
    EXPECT_EQ(judged.status, VerdictStatus::pass);
    EXPECT_EQ(judged.measured, 3);
    ASSERT_TRUE(judged.ci95.has_value());
    EXPECT_DOUBLE_EQ(judged.ci95->low, 290.0 / 105);
    EXPECT_EQ(judged.metric, "quantized.gemm.throughput / gemm.throughput");
    EXPECT_EQ(judge_alone(speedup(3), {quantized(300, {290, 310}), plain(100, {95, 105})}).status,
              VerdictStatus::inconclusive);
    EXPECT_EQ(judge_alone(speedup(4), {quantized(300, {290, 310}), plain(100, {95, 105})}).status,
              VerdictStatus::fail);
}

TEST(Judge, DoesNotDivideByZeroOrByNothing) {
    const JudgedRequirement zero = judge_alone(speedup(3), {quantized(300, {290, 310}), plain(0, {0, 0})});
    EXPECT_EQ(zero.status, VerdictStatus::not_measured);
    EXPECT_EQ(zero.reason_id, "zero_denominator");
    const JudgedRequirement missing = judge_alone(speedup(3), {quantized(300, {290, 310})});
    EXPECT_EQ(missing.status, VerdictStatus::not_measured);
    EXPECT_EQ(missing.reason, "this run has no case of gemm.throughput for it");
    EXPECT_EQ(missing.metric, "quantized.gemm.throughput / gemm.throughput");
    EXPECT_EQ(judge_alone(speedup(3), {plain(100, {95, 105})}).reason,
              "this run has no case of quantized.gemm for it");
}

TEST(Judge, FailsARatioWhoseSideFailed) {
    const Outcome wrong = outcome_with_status(outcome_of("gemm.throughput"), Status::failed, "wrong");
    EXPECT_EQ(judge_alone(speedup(3), {quantized(300, {290, 310}), wrong}).status, VerdictStatus::fail);
    EXPECT_EQ(judge_alone(speedup(3), {wrong}).status,
              VerdictStatus::fail);  // the other side is only missing
    const Outcome skipped = outcome_with_status(outcome_of("gemm.throughput"), Status::skipped, "no BLAS");
    const JudgedRequirement judged = judge_alone(speedup(3), {quantized(300, {290, 310}), skipped});
    EXPECT_EQ(judged.status, VerdictStatus::not_measured);
    EXPECT_EQ(judged.reason, "skipped: no BLAS");
}

TEST(Judge, TakesTheBestOfASideOfARatio) {
    Requirement requirement = speedup(2.5);
    const std::vector<Outcome> outcomes = {quantized(100, {99, 101}, {{"isa", "avx2"}}),
                                           quantized(300, {299, 301}, {{"isa", "amx"}}),
                                           plain(100, {99, 101})};
    EXPECT_EQ(judge_alone(requirement, outcomes).reason_id, "several");
    requirement.select.several = Selection::Several::best;
    EXPECT_EQ(judge_alone(requirement, outcomes).measured, 3);
    EXPECT_EQ(judge_alone(requirement, outcomes).status, VerdictStatus::pass);
    requirement.select.several = Selection::Several::each;
    EXPECT_EQ(judge_alone(requirement, outcomes).measured, 1);
    EXPECT_EQ(judge_alone(requirement, outcomes).status, VerdictStatus::fail);
    EXPECT_EQ(judge_alone(requirement, outcomes).metric,
              "quantized.gemm.throughput{isa=avx2} / gemm.throughput");
}

TEST(Judge, TakesTheBestDenominatorToo) {
    Requirement requirement = speedup(2);
    requirement.divided_by->several = Selection::Several::best;
    const Outcome skipped =
        outcome_with_status(outcome_of("gemm.throughput", {{"n", "3"}}), Status::skipped, "x");
    const JudgedRequirement judged =
        judge_alone(requirement, {quantized(300, {299, 301}), skipped, plain(100, {99, 101}, {{"n", "1"}}),
                                  plain(200, {199, 201}, {{"n", "2"}}), plain(nan, {1, 2}, {{"n", "4"}})});
    EXPECT_EQ(judged.measured, 1.5);
    EXPECT_EQ(judged.status, VerdictStatus::fail);
}

TEST(Judge, TakesTheLowestForBestWhereLowerIsBetter) {
    Requirement requirement = requirement_on("r", "a.b.seconds", at_most(1), Unit::ratio);
    requirement.select.several = Selection::Several::best;
    requirement.divided_by = Selection{};
    requirement.divided_by->metric = "c.d";
    const auto seconds = [](const char* n, double value) {
        const Labels labels{{"n", n}};
        return with(outcome_of("a.b", labels), sampled("a.b.seconds", value, Interval{value, value}, labels,
                                                       Unit::second, Direction::lower));
    };
    const Outcome one = with(outcome_of("c.d"), exact("c.d", 1));
    EXPECT_EQ(judge_alone(requirement, {seconds("1", 4), seconds("2", 2), seconds("3", 3), one}).measured, 2);
}

TEST(Judge, DividesEachGpuByItself) {
    Requirement requirement =
        requirement_on("share", "memory.capacity.verified_bytes", at_least(0.9), Unit::ratio);
    requirement.select.labels = {{"device", "each:gpu"}};
    requirement.select.several = Selection::Several::each;
    requirement.divided_by = requirement.select;
    requirement.divided_by->metric = "memory.capacity.labelled_bytes";
    const auto gpu = [](const std::string& device, double verified, double labelled) {
        const Labels labels{{"device", device}};
        Outcome outcome = with(outcome_of("memory.capacity", labels),
                               exact("memory.capacity.verified_bytes", verified, labels, Unit::byte));
        if (labelled > 0) {
            outcome = with(outcome, exact("memory.capacity.labelled_bytes", labelled, labels, Unit::byte));
        }
        return outcome;
    };
    // Crosswise, 48 / 80 would fail and 80 / 48 would pass.
    EXPECT_EQ(judge_alone(requirement, {gpu("cuda:0", 48, 48), gpu("cuda:1", 80, 80)}).status,
              VerdictStatus::pass);
    const JudgedRequirement judged = judge_alone(requirement, {gpu("cuda:0", 48, 48), gpu("cuda:1", 60, 80)});
    EXPECT_EQ(judged.status, VerdictStatus::fail);
    EXPECT_EQ(judged.measured, 0.75);
    EXPECT_THAT(judged.metric, HasSubstr("device=cuda:1"));
    const JudgedRequirement unpaired =
        judge_alone(requirement, {gpu("cuda:0", 48, 48), gpu("cuda:1", 80, 0)});
    EXPECT_EQ(unpaired.status, VerdictStatus::not_measured);
    EXPECT_THAT(unpaired.reason, HasSubstr("cuda:1"));
    // A device that says cuda:0 on one side only is divided by whatever the other side is.
    requirement.divided_by->labels.clear();
    EXPECT_EQ(judge_alone(requirement, {gpu("cuda:0", 48, 48), gpu("cuda:1", 80, 80)}).measured, 0.6);
}

TEST(Judge, DividesNoGpuByACpuBehindOpenCl) {
    Requirement requirement = speedup(2);
    requirement.select.labels = {{"device", "each:gpu"}};
    requirement.select.several = Selection::Several::each;
    requirement.divided_by->labels = {{"device", "each:gpu"}};
    requirement.divided_by->several = Selection::Several::each;
    const std::vector<Outcome> outcomes = {quantized(300, {299, 301}, {{"device", "opencl:0"}}),
                                           plain(100, {99, 101}, {{"device", "opencl:0"}})};
    EXPECT_EQ(judge_on({{"opencl:0", "gpu", ""}}, requirement, outcomes).status, VerdictStatus::pass);
    const JudgedRequirement judged = judge_on({{"opencl:0", "cpu", ""}}, requirement, outcomes);
    EXPECT_EQ(judged.status, VerdictStatus::not_measured);
    EXPECT_EQ(judged.reason_id, "other_labels");
}

TEST(Judge, SaysThatOneDeviceOfARatioWasSkipped) {
    Requirement requirement = speedup(2);
    requirement.select.labels = {{"device", "each:gpu"}};
    requirement.select.several = Selection::Several::each;
    const Outcome skipped =
        outcome_with_status(outcome_of("quantized.gemm", {{"device", "cuda:1"}}), Status::skipped, "busy");
    const JudgedRequirement judged = judge_alone(
        requirement, {quantized(300, {299, 301}, {{"device", "cuda:0"}}), skipped, plain(100, {99, 101})});
    EXPECT_EQ(judged.status, VerdictStatus::not_measured);
    EXPECT_EQ(judged.reason, "skipped: busy");
}

// ---- conditions

TEST(Judge, RestsNoVerdictOnADisturbedCase) {
    struct Limit {
        std::optional<double> Conditions::*share;
        double limit;
        const char* id;
    };
    const Limit limits[] = {{&Conditions::cpu_steal, 0.05, "cpu_steal"},
                            {&Conditions::throttled, 0.05, "throttled"},
                            {&Conditions::device_throttled, 0.05, "device_throttled"},
                            {&Conditions::foreign_cpu, 0.10, "foreign_cpu"},
                            {&Conditions::pressure, 0.20, "pressure"},
                            {&Conditions::foreign_io, 0.05, "foreign_io"}};
    for (const Limit& one : limits) {
        for (const double value : {600.0, 400.0}) {  // a pass and a fail alike
            Outcome outcome = reads(value, {value - 5, value + 5});
            outcome.conditions.*one.share = one.limit;
            EXPECT_NE(judge_alone(iops(), {outcome}).status, VerdictStatus::inconclusive) << one.id;
            outcome.conditions.*one.share = one.limit * 1.01;
            const JudgedRequirement judged = judge_alone(iops(), {outcome});
            EXPECT_EQ(judged.status, VerdictStatus::inconclusive) << one.id;
            EXPECT_EQ(judged.reason_id, one.id);
            EXPECT_EQ(judged.measured, value);
        }
    }
}

TEST(Judge, SaysHowMuchADisturbanceWasAndWhatIsAccepted) {
    Outcome outcome = reads(600, {590, 610});
    outcome.conditions.cpu_steal = 0.073;
    EXPECT_EQ(judge_alone(iops(), {outcome}).reason,
              "7.3 % of the CPU time went to the hypervisor; up to 5 % is accepted");
}

TEST(Judge, AsksForOthersDiskTrafficOnlyWhereTheDiskIsMeasured) {
    Outcome memory =
        with(outcome_of("memory.bandwidth"), sampled("memory.bandwidth", 600, Interval{590, 610}));
    memory.conditions.foreign_io = 1;
    EXPECT_EQ(judge_alone(requirement_on("m", "memory.bandwidth", at_least(500)), {memory}).status,
              VerdictStatus::pass);
}

TEST(Judge, LetsNoDisturbanceTouchWhatIsExact) {
    Outcome inventory = with(outcome_of("inventory.system"), exact("inventory.system.cpu_cores", 16));
    inventory.conditions.cpu_steal = 0.5;
    EXPECT_EQ(
        judge_alone(requirement_on("c", "inventory.system.cpu_cores", at_least(16), Unit::count), {inventory})
            .status,
        VerdictStatus::pass);
}

TEST(Judge, LetsADisturbanceOfEitherSideDisturbARatio) {
    for (const bool denominator : {false, true}) {
        Outcome of = quantized(300, {299, 301});
        Outcome to = plain(100, {99, 101});
        (denominator ? to : of).conditions.throttled = 0.5;
        const JudgedRequirement judged = judge_alone(speedup(2), {of, to});
        EXPECT_EQ(judged.status, VerdictStatus::inconclusive);
        EXPECT_EQ(judged.reason_id, "throttled");
    }
}

TEST(Judge, KeepsAWrongResultAFailureInADisturbedCase) {
    Outcome outcome = outcome_with_status(reads(600, {590, 610}), Status::failed, "wrong");
    outcome.conditions.cpu_steal = 0.5;
    EXPECT_EQ(judge_alone(iops(), {outcome}).status, VerdictStatus::fail);
}

// ---- what counts

TEST(Judge, CountsForPocAlwaysForTheChosenTierAndNeverForAdviceOrSoftware) {
    const auto counted = [](std::vector<std::string> names, const std::string& tier) {
        Requirement requirement = iops();
        requirement.counts_for = std::move(names);
        JudgeInput input = input_of({requirement}, {});
        input.tier = tier;
        return judge(input).requirements[0].counted;
    };
    EXPECT_TRUE(counted({"poc"}, ""));
    EXPECT_TRUE(counted({"poc"}, "basic"));
    EXPECT_FALSE(counted({"basic"}, ""));
    EXPECT_TRUE(counted({"basic"}, "basic"));
    EXPECT_FALSE(counted({"basic"}, "67b"));
    EXPECT_TRUE(counted({"67b", "enterprise"}, "enterprise"));
    EXPECT_FALSE(counted({"advice"}, ""));
    EXPECT_FALSE(counted({"advice"}, "advice"));
    EXPECT_FALSE(counted({"software"}, "software"));
    EXPECT_FALSE(counted({""}, ""));
    EXPECT_TRUE(counted({"advice", "basic"}, "basic"));
}

TEST(Judge, JudgesWhatDoesNotCountAllTheSame) {
    Requirement advice = iops();
    advice.counts_for = {"advice"};
    const JudgedRequirement judged = judge_alone(advice, {reads(400, {390, 410})});
    EXPECT_EQ(judged.status, VerdictStatus::fail);
    EXPECT_FALSE(judged.counted);
}

Outcome inventory_with_gpus(double gpus) {
    return with(outcome_of("inventory.system"), exact("inventory.system.gpus", gpus));
}

TEST(Judge, TakesAGpuRequirementOutOnlyWhereTheInventorySaysThereIsNone) {
    Requirement requirement = gpu_memory(Selection::Several::each);
    requirement.only_with_gpu = true;
    JudgedRequirement judged = judge_alone(requirement, {inventory_with_gpus(0)});
    EXPECT_FALSE(judged.counted);
    EXPECT_EQ(judged.status, VerdictStatus::not_measured);
    EXPECT_EQ(judged.reason_id, "no_gpu");
    judged = judge_alone(requirement, {inventory_with_gpus(1)});
    EXPECT_TRUE(judged.counted);
    EXPECT_EQ(judged.reason_id, "no_case");
    judged = judge_alone(requirement, {inventory_with_gpus(1), on_gpu("cuda:0", 200)});
    EXPECT_TRUE(judged.counted);
    EXPECT_EQ(judged.status, VerdictStatus::pass);
    // An inventory that is missing or crashed does not take it out.
    EXPECT_TRUE(judge_alone(requirement, {}).counted);
    EXPECT_TRUE(
        judge_alone(requirement, {outcome_with_status(inventory_with_gpus(0), Status::failed, "wrong")})
            .counted);
    // What was measured all the same keeps its verdict.
    judged = judge_alone(requirement, {inventory_with_gpus(0), on_gpu("cuda:0", 50)});
    EXPECT_EQ(judged.status, VerdictStatus::fail);
    EXPECT_FALSE(judged.counted);
    // Other requirements do not ask for a GPU.
    EXPECT_TRUE(judge_alone(iops(), {inventory_with_gpus(0)}).counted);
}

TEST(Judge, WaivesWhatDidNotPassAndKeepsWhatItWouldBe) {
    const auto waive = [](std::vector<Outcome> outcomes) {
        JudgeInput input = input_of({iops()}, std::move(outcomes));
        input.waivers = {{"iops-read", "agreed with the vendor"}};
        return judge(input).requirements[0];
    };
    const JudgedRequirement failed = waive({reads(400, {390, 410})});
    EXPECT_EQ(failed.status, VerdictStatus::waived);
    EXPECT_EQ(failed.waived_from, VerdictStatus::fail);
    EXPECT_EQ(failed.measured, 400);
    EXPECT_EQ(waive({}).waived_from, VerdictStatus::not_measured);
    EXPECT_EQ(waive({}).reason_id, "no_case");
    EXPECT_EQ(waive({reads(500, {490, 510})}).waived_from, VerdictStatus::inconclusive);
    EXPECT_EQ(waive({reads(600, {590, 610})}).status, VerdictStatus::pass);
    EXPECT_EQ(waive({reads(600, {590, 610})}).waived_from, std::nullopt);
}

// ---- the run

Requirement counted_for(Requirement requirement, const std::string& id, std::vector<std::string> names) {
    requirement.id = id;
    requirement.counts_for = std::move(names);
    return requirement;
}

TEST(JudgeRun, PassesWhenEverythingThatCountsPassed) {
    const Report report = judge(input_of({iops()}, {reads(600, {590, 610})}));
    EXPECT_EQ(report.verdict, RunVerdict::pass);
}

TEST(JudgeRun, FailsWhenOneThatCountsFailed) {
    const Requirement lower =
        counted_for(requirement_on("x", "storage.random_read.iops", at_least(100)), "x", {"poc"});
    EXPECT_EQ(judge(input_of({iops(), lower}, {reads(400, {390, 410})})).verdict, RunVerdict::fail);
    // Also beside something that is not measured.
    const Requirement missing = requirement_on("y", "gemm.throughput", at_least(1));
    EXPECT_EQ(judge(input_of({missing, iops()}, {reads(400, {390, 410})})).verdict, RunVerdict::fail);
}

TEST(JudgeRun, IsIncompleteWhenOneThatCountsWasNotDecided) {
    const Requirement missing = requirement_on("y", "gemm.throughput", at_least(1));
    EXPECT_EQ(judge(input_of({iops(), missing}, {reads(600, {590, 610})})).verdict, RunVerdict::incomplete);
    const Requirement open = requirement_on("z", "storage.random_read.iops", at_least(600));
    EXPECT_EQ(judge(input_of({iops(), open}, {reads(600, {590, 610})})).verdict, RunVerdict::incomplete);
}

TEST(JudgeRun, LetsAdviceSoftwareAndOtherTiersChangeNothing) {
    const Requirement advice =
        counted_for(requirement_on("", "storage.random_read.iops", at_least(900)), "a", {"advice"});
    const Requirement software = counted_for(advice, "s", {"software"});
    const Requirement tier = counted_for(advice, "t", {"enterprise"});
    const Requirement missing =
        counted_for(requirement_on("", "gemm.throughput", at_least(1)), "m", {"advice"});
    JudgeInput input = input_of({iops(), advice, software, tier, missing}, {reads(600, {590, 610})});
    EXPECT_EQ(judge(input).verdict, RunVerdict::pass);
    input.tier = "enterprise";
    EXPECT_EQ(judge(input).verdict, RunVerdict::fail);
}

TEST(JudgeRun, NeverPassesWithoutSomethingThatCountsAndPassed) {
    EXPECT_EQ(judge(input_of({}, {reads(600, {590, 610})})).verdict, RunVerdict::incomplete);
    const Requirement advice = counted_for(iops(), "a", {"advice"});
    EXPECT_EQ(judge(input_of({advice}, {reads(600, {590, 610})})).verdict, RunVerdict::incomplete);
    JudgeInput waived = input_of({iops()}, {reads(400, {390, 410})});
    waived.waivers = {{"iops-read", "agreed"}};
    EXPECT_EQ(judge(waived).verdict, RunVerdict::incomplete);
}

TEST(JudgeRun, CanPassWithAWaiverBesideAPass) {
    const Requirement other =
        counted_for(requirement_on("", "storage.random_read.iops", at_least(100)), "x", {"poc"});
    JudgeInput input = input_of({iops(), other}, {reads(400, {390, 410})});
    input.waivers = {{"iops-read", "agreed"}};
    const Report report = judge(input);
    EXPECT_EQ(report.verdict, RunVerdict::pass);
    ASSERT_EQ(report.waivers.size(), 1u);
    EXPECT_EQ(report.waivers[0].reason, "agreed");
    EXPECT_EQ(report.coverage.waived, 1u);
}

TEST(JudgeRun, FailsWhenARequiredCaseFailedEvenWithoutARequirement) {
    const Outcome wrong = outcome_with_status(outcome_of("quantized.gemv", {{"format", "int4"}, {"m", "1"}}),
                                              Status::failed, "result differs");
    const Outcome sibling = outcome_of("quantized.gemv", {{"format", "int8"}, {"m", "1"}});
    JudgeInput input = input_of({iops()}, {reads(600, {590, 610}), wrong, sibling});
    EXPECT_EQ(judge(input).verdict, RunVerdict::pass);  // no case was required
    for (SuiteCase& asked : input.cases) asked.required = true;
    const Report report = judge(input);
    EXPECT_EQ(report.verdict, RunVerdict::fail);
    EXPECT_THAT(report.failed_cases, ElementsAre("quantized.gemv{format=int4}: result differs"));
    EXPECT_THAT(report.unfinished_cases, IsEmpty());
}

TEST(JudgeRun, IsIncompleteWhenARequiredCaseCrashedOrRanOutOfTimeOrWasNotRun) {
    for (const Status status : {Status::crashed, Status::timed_out}) {
        JudgeInput input = input_of(
            {iops()},
            {reads(600, {590, 610}), outcome_with_status(outcome_of("memory.bandwidth"), status, "")});
        input.cases[1].required = true;
        const Report report = judge(input);
        EXPECT_EQ(report.verdict, RunVerdict::incomplete);
        EXPECT_THAT(report.unfinished_cases, ElementsAre(HasSubstr("memory.bandwidth: ")));
        EXPECT_THAT(report.failed_cases, IsEmpty());
    }
    JudgeInput input = input_of({iops()}, {reads(600, {590, 610})});
    input.cases.push_back({Case{"memory.bandwidth", {}}, true});
    EXPECT_EQ(judge(input).verdict, RunVerdict::incomplete);
    EXPECT_THAT(judge(input).unfinished_cases, ElementsAre("memory.bandwidth: not run"));
    input.cases.back().required = false;
    EXPECT_EQ(judge(input).verdict, RunVerdict::pass);
    EXPECT_THAT(judge(input).unfinished_cases, IsEmpty());
}

TEST(JudgeRun, GoesOnWithoutARequiredCaseThatCannotBeRunHere) {
    JudgeInput input =
        input_of({iops()}, {reads(600, {590, 610}),
                            outcome_with_status(outcome_of("memory.capacity"), Status::skipped, "no GPU")});
    for (SuiteCase& asked : input.cases) asked.required = true;
    EXPECT_EQ(judge(input).verdict, RunVerdict::pass);
}

TEST(JudgeRun, IsIncompleteWhenInterrupted) {
    JudgeInput input = input_of({iops()}, {reads(600, {590, 610})});
    input.interrupted = true;
    EXPECT_EQ(judge(input).verdict, RunVerdict::incomplete);
    input.outcomes = {reads(400, {390, 410})};
    EXPECT_EQ(judge(input).verdict, RunVerdict::fail);
}

TEST(JudgeRun, CountsCasesAndRequirementsByWhatBecameOfThem) {
    std::vector<Outcome> outcomes = {reads(600, {590, 610})};
    const auto add = [&](Status status, int times) {
        for (int i = 0; i < times; ++i) {
            outcomes.push_back(outcome_with_status(
                outcome_of("a.b", {{"n", std::to_string(outcomes.size())}}), status, "x"));
        }
    };
    add(Status::skipped, 2);
    add(Status::failed, 3);
    add(Status::timed_out, 4);
    add(Status::crashed, 5);
    const auto on_iops = [](const std::string& id, double bound, const char* counts_for) {
        return counted_for(requirement_on("", "storage.random_read.iops", at_least(bound)), id, {counts_for});
    };
    std::vector<Requirement> requirements = {
        on_iops("p1", 500, "poc"),    on_iops("f1", 700, "advice"), on_iops("f2", 700, "advice"),
        on_iops("i1", 600, "advice"), on_iops("i2", 600, "advice"), on_iops("i3", 600, "advice"),
        on_iops("w1", 700, "advice"), on_iops("w2", 700, "poc"),
    };
    for (int i = 0; i < 4; ++i) {
        requirements.push_back(requirement_on("n" + std::to_string(i), "gemm.throughput", at_least(1)));
    }
    JudgeInput input = input_of(requirements, outcomes);
    input.waivers = {{"w1", "x"}, {"w2", "x"}};
    for (int i = 0; i < 6; ++i) input.cases.push_back({Case{"c.d", {{"n", std::to_string(i)}}}, false});
    const Coverage coverage = judge(input).coverage;
    EXPECT_EQ(coverage.measured, 1u);
    EXPECT_EQ(coverage.skipped, 2u);
    EXPECT_EQ(coverage.failed, 3u);
    EXPECT_EQ(coverage.timed_out, 4u);
    EXPECT_EQ(coverage.crashed, 5u);
    EXPECT_EQ(coverage.missing, 6u);
    EXPECT_EQ(coverage.cases, 21u);
    EXPECT_EQ(coverage.requirements, 12u);
    EXPECT_EQ(coverage.counted, 6u);
    EXPECT_EQ(coverage.passed, 1u);
    EXPECT_EQ(coverage.failed_requirements, 2u);
    EXPECT_EQ(coverage.inconclusive, 3u);
    EXPECT_EQ(coverage.not_measured, 4u);
    EXPECT_EQ(coverage.waived, 2u);
}

TEST(JudgeRun, HandsOnWhatTheRenderersNeed) {
    JudgeInput input = input_of({iops()}, {reads(600, {590, 610})});
    input.header.machine = "host";
    input.suite_title = {"Title", "标题"};
    input.tier = "basic";
    input.journal_notes = {"line 7 was dropped"};
    input.contradictions = {{"little-law", {"iops-read"}, {}, {"a", "b"}}};
    const Report report = judge(input);
    EXPECT_EQ(report.header.machine, "host");
    EXPECT_EQ(report.suite_title.zh, "标题");
    EXPECT_EQ(report.tier, "basic");
    EXPECT_THAT(report.journal_notes, ElementsAre("line 7 was dropped"));
    ASSERT_EQ(report.contradictions.size(), 1u);
    EXPECT_EQ(report.contradictions[0].id, "little-law");
    EXPECT_EQ(report.outcomes.size(), 1u);
    EXPECT_EQ(report.cases.size(), 1u);
}

TEST(JudgeRun, NamesEveryVerdict) {
    EXPECT_EQ(to_string(VerdictStatus::pass), "pass");
    EXPECT_EQ(to_string(VerdictStatus::fail), "fail");
    EXPECT_EQ(to_string(VerdictStatus::inconclusive), "inconclusive");
    EXPECT_EQ(to_string(VerdictStatus::not_measured), "not_measured");
    EXPECT_EQ(to_string(VerdictStatus::waived), "waived");
    EXPECT_EQ(to_string(RunVerdict::pass), "pass");
    EXPECT_EQ(to_string(RunVerdict::fail), "fail");
    EXPECT_EQ(to_string(RunVerdict::incomplete), "incomplete");
}

}  // namespace
}  // namespace assay
