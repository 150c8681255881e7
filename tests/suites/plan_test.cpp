#include "suites/plan.h"

#include <gmock/gmock.h>

#include "tests/suites/support.h"

namespace assay {
namespace {

using ::testing::HasSubstr;

const DeviceInfo cpu{"cpu:0", "cpu", "A processor", 4, 1u << 30};
const DeviceInfo gpu_0{"cuda:0", "gpu", "A GPU", 100, 1u << 30};
const DeviceInfo gpu_1{"cuda:1", "gpu", "A GPU", 100, 1u << 30};

SuiteEntry entry(const std::string& probe, const std::map<std::string, std::string>& parameters) {
    SuiteEntry made;
    made.probe = probe;
    made.parameters = parameters;
    return made;
}

Suite suite_of(std::vector<SuiteEntry> entries) {
    Suite suite;
    suite.name = "mine";
    suite.entries = std::move(entries);
    return suite;
}

Plan plan_of(const Suite& suite, const std::vector<DeviceInfo>& devices = {cpu},
             const RunOptions& options = {}) {
    const Context context = test::bare_context();
    return expand(suite, {devices, {}, {}}, test::fake_catalogue(), options, context);
}

std::string error_of(const Suite& suite, const RunOptions& options) {
    try {
        plan_of(suite, {cpu}, options);
    } catch (const InputError& error) {
        return error.what();
    }
    return "no error";
}

TEST(Expand, FillsInDefaultsAndMakesValuesCanonical) {
    const Plan plan = plan_of(suite_of({entry("fake.speed", {{"size", "8K"}})}));
    ASSERT_EQ(plan.cases.size(), 1u);
    EXPECT_EQ(
        plan.cases[0].the_case.parameters,
        (std::map<std::string, std::string>{
            {"depth", "1"}, {"device", "cpu:0"}, {"kind", "all"}, {"seconds", "auto"}, {"size", "8192"}}));
    EXPECT_FALSE(plan.cases[0].skip_reason);
}

TEST(Expand, MakesOneCaseAGpuOfEachGpu) {
    const Plan plan = plan_of(suite_of({entry("fake.speed", {{"device", "each:gpu"}})}), {cpu, gpu_0, gpu_1});
    ASSERT_EQ(plan.cases.size(), 2u);
    EXPECT_EQ(plan.cases[0].the_case.text("device"), "cuda:0");
    EXPECT_EQ(plan.cases[1].the_case.text("device"), "cuda:1");
}

TEST(Expand, CountsACardThatIsReachedInTwoWaysOnceAndNoCpuThatOpenClReaches) {
    DeviceInfo again = gpu_0;
    again.id = "opencl:0";
    again.same_as = "cuda:0";
    const DeviceInfo pocl{"opencl:1", "cpu", "A processor", 4, 1u << 30};
    const DeviceInfo other{"opencl:2", "gpu", "Another GPU", 60, 1u << 30};
    const Plan plan =
        plan_of(suite_of({entry("fake.speed", {{"device", "each:gpu"}})}), {cpu, gpu_0, again, pocl, other});
    ASSERT_EQ(plan.cases.size(), 2u);
    EXPECT_EQ(plan.cases[0].the_case.text("device"), "cuda:0");
    EXPECT_EQ(plan.cases[1].the_case.text("device"), "opencl:2");
}

TEST(Expand, LeavesOutWhatTakesMoreGpusThanThereAre) {
    SuiteEntry pair = entry("fake.speed", {{"device", "each:gpu"}});
    pair.minimum_gpus = 2;
    EXPECT_EQ(plan_of(suite_of({pair}), {cpu, gpu_0}).cases.size(), 0u);
    EXPECT_EQ(plan_of(suite_of({pair}), {cpu, gpu_0, gpu_1}).cases.size(), 2u);
    const Plan none = plan_of(suite_of({pair}), {cpu});
    ASSERT_EQ(none.cases.size(), 1u);
    EXPECT_THAT(none.cases[0].skip_reason.value(), HasSubstr("no GPU"));
    RunOptions options;
    options.device = "opencl:0";
    const DeviceInfo pocl{"opencl:0", "cpu", "pthread", 4, 1u << 30};
    EXPECT_EQ(plan_of(suite_of({pair}), {cpu, gpu_0, gpu_1, pocl}, options).cases.size(), 0u);
    options.device = "cuda:1";
    EXPECT_EQ(plan_of(suite_of({pair}), {cpu, gpu_0, gpu_1, pocl}, options).cases.size(), 1u);
}

TEST(Expand, ReasonsSayWhatIsThereInsteadAndWhyTheRestIsNot) {
    const DeviceInfo pocl{"opencl:0", "cpu", "pthread", 4, 1u << 30};
    const DeviceSurvey survey{
        {cpu, pocl}, {"no CUDA device: libcuda.so.1 was not found", "OpenCL platform X has no device"}, {}};
    const Context context = test::bare_context();
    const Plan plan = expand(
        suite_of({entry("fake.speed", {{"device", "each:gpu"}}), entry("fake.speed", {{"device", "cuda:1"}}),
                  entry("fake.speed", {{"device", "opencl:1"}})}),
        survey, test::fake_catalogue(), {}, context);
    ASSERT_EQ(plan.cases.size(), 3u);
    EXPECT_EQ(plan.cases[0].skip_reason,
              "no GPU found on this machine: its devices are cpu:0 (A processor), opencl:0 (pthread, a CPU); "
              "no CUDA device: libcuda.so.1 was not found; OpenCL platform X has no device");
    EXPECT_EQ(
        plan.cases[1].skip_reason,
        "no device cuda:1 on this machine: its devices are cpu:0 (A processor), opencl:0 (pthread, a CPU); "
        "no CUDA device: libcuda.so.1 was not found");
    EXPECT_EQ(plan.cases[2].skip_reason,
              "no device opencl:1 on this machine: its devices are cpu:0 (A processor), opencl:0 (pthread, a "
              "CPU); OpenCL platform X has no device");
}

TEST(Expand, TakesTheDeviceAskedForInsteadOfEachGpu) {
    RunOptions options;
    options.device = "opencl:0";
    const DeviceInfo pocl{"opencl:0", "cpu", "pthread", 4, 1u << 30};
    const Suite suite = suite_of({entry("fake.speed", {{"device", "each:gpu"}}), entry("fake.speed", {})});
    const Plan plan = plan_of(suite, {cpu, gpu_0, pocl}, options);
    ASSERT_EQ(plan.cases.size(), 2u);
    EXPECT_EQ(plan.cases[0].the_case.text("device"), "opencl:0");
    EXPECT_FALSE(plan.cases[0].skip_reason);
    EXPECT_EQ(plan.cases[1].the_case.text("device"), "cpu:0") << "another device's case stays";
    EXPECT_THAT(plan_of(suite, {cpu, gpu_0}, options).cases[0].skip_reason.value(),
                HasSubstr("no device opencl:0 on this machine"));
    options.device = "opencl";
    EXPECT_THAT(error_of(suite, options), HasSubstr("--device"));
}

TEST(Expand, LetsNoCpuBeJudgedAsAGpu) {
    Suite suite = suite_of({entry("fake.speed", {{"device", "each:gpu"}})});
    suite.requirements.emplace_back();
    suite.requirements[0].id = "fast";
    suite.requirements[0].select.labels = {{"device", "each:gpu"}};
    RunOptions options;
    options.device = "opencl:0";
    const DeviceInfo pocl{"opencl:0", "cpu", "pthread", 4, 1u << 30};
    try {
        plan_of(suite, {cpu, pocl}, options);
        ADD_FAILURE() << "was accepted";
    } catch (const InputError& error) {
        EXPECT_THAT(error.what(), HasSubstr("--device opencl:0: is no GPU, which the requirement fast"));
    }
    options.device = "cuda:0";
    EXPECT_EQ(plan_of(suite, {cpu, gpu_0}, options).cases.size(), 1u);
}

TEST(Expand, SkipsOnAnotherDeviceWhatMeasuresTheHostAlone) {
    std::vector<Probe> probes(test::fake_catalogue().probes.begin(), test::fake_catalogue().probes.end());
    probes.front().host_alone = true;
    const Context context = test::bare_context();
    const Suite suite = suite_of(
        {entry("fake.speed", {{"device", "each:gpu"}}), entry("fake.speed", {}), entry("other.thing", {})});
    const Plan plan = expand(suite, {{cpu, gpu_0}, {}, {}}, Catalogue{probes, {}}, {}, context);
    ASSERT_EQ(plan.cases.size(), 3u);
    EXPECT_EQ(plan.cases[0].skip_reason, "this version runs fake.speed on cpu:0 only, not on cuda:0");
    EXPECT_EQ(plan.cases[0].expected_seconds, 0);
    EXPECT_FALSE(plan.cases[1].skip_reason);
    EXPECT_FALSE(plan.cases[2].skip_reason);
}

TEST(Expand, SkipsEachGpuWithTheReasonWhereThereIsNone) {
    const Plan plan = plan_of(suite_of({entry("fake.speed", {{"device", "each:gpu"}})}));
    ASSERT_EQ(plan.cases.size(), 1u);
    EXPECT_EQ(plan.cases[0].the_case.text("device"), "each:gpu");
    EXPECT_EQ(plan.cases[0].skip_reason, "no GPU found on this machine: its devices are cpu:0 (A processor)");
    EXPECT_EQ(plan.expected_seconds(), 0);
    EXPECT_EQ(plan.written_bytes(), 0u);
}

TEST(Expand, SkipsACaseOfADeviceThatIsNotThere) {
    const Plan plan = plan_of(suite_of({entry("fake.speed", {{"device", "cuda:3"}})}), {cpu, gpu_0});
    ASSERT_EQ(plan.cases.size(), 1u);
    EXPECT_THAT(plan.cases[0].skip_reason.value(), HasSubstr("no device cuda:3 on this machine"));
}

TEST(Expand, SkipsAProbeThatIsOnlyPlannedSayingSo) {
    const Plan plan = plan_of(suite_of({entry("future.thing", {{"any", "thing"}})}));
    ASSERT_EQ(plan.cases.size(), 1u);
    EXPECT_EQ(plan.cases[0].skip_reason, "this version of assay has no probe future.thing yet");
    EXPECT_EQ(plan.cases[0].the_case.parameters.at("any"), "thing");
}

TEST(Expand, SaysThatThereIsNoGpuRatherThanNoProbeWhereAPlannedProbeNeedsOne) {
    const Suite suite = suite_of({entry("future.thing", {{"device", "each:gpu"}})});
    EXPECT_THAT(plan_of(suite).cases[0].skip_reason.value(), HasSubstr("no GPU found"));
    EXPECT_THAT(plan_of(suite, {cpu, gpu_0}).cases[0].skip_reason.value(),
                HasSubstr("no probe future.thing"));
}

TEST(Expand, LaysQuickOverTheParametersAndWhatWasSetOverBoth) {
    SuiteEntry one = entry("fake.speed", {{"size", "8K"}, {"depth", "2"}, {"seconds", "9"}});
    one.quick_parameters = {{"size", "1K"}, {"depth", "3"}};
    RunOptions options;
    options.quick = true;
    options.set = {{"fake.speed", {{"depth", "4"}}}};
    const Case planned = plan_of(suite_of({one}), {cpu}, options).cases[0].the_case;
    EXPECT_EQ(planned.text("size"), "1024");
    EXPECT_EQ(planned.text("depth"), "4");
    EXPECT_EQ(planned.text("seconds"), "9");
    EXPECT_EQ(plan_of(suite_of({one})).cases[0].the_case.text("size"), "8192");
}

TEST(Expand, KeepsOnlyTheProbesAndDomainsAskedFor) {
    const Suite suite =
        suite_of({entry("fake.speed", {}), entry("other.thing", {}), entry("future.thing", {})});
    RunOptions options;
    options.only = {"fake", "other.thing"};
    const Plan plan = plan_of(suite, {cpu}, options);
    ASSERT_EQ(plan.cases.size(), 2u);
    EXPECT_EQ(plan.cases[1].the_case.probe, "other.thing");
}

TEST(Expand, RefusesToKeepOnlyWhatTheSuiteDoesNotHave) {
    RunOptions options;
    options.only = {"fak"};
    EXPECT_THAT(error_of(suite_of({entry("fake.speed", {})}), options),
                HasSubstr("--only fak: the suite mine has no such probe or domain; accepted are fake or"));
}

TEST(Expand, RefusesToSetWhatIsNotThere) {
    const Suite suite = suite_of({entry("fake.speed", {})});
    RunOptions options;
    options.set = {{"other.thing", {{"n", "1"}}}};
    EXPECT_THAT(error_of(suite, options), HasSubstr("accepted are fake.speed"));
    options.set = {{"fake.speed", {{"dept", "1"}}}};
    EXPECT_THAT(error_of(suite, options),
                HasSubstr("--set fake.speed.dept: fake.speed has no such parameter"));
    options.set = {{"fake.speed", {{"depth", "0"}}}};
    EXPECT_THAT(error_of(suite, options), HasSubstr("--set fake.speed.depth"));
}

TEST(Expand, RunsCasesOnceThatWereSetToBeTheSame) {
    SuiteEntry optional = entry("fake.speed", {{"depth", "2"}});
    optional.required = false;
    RunOptions options;
    options.set = {{"fake.speed", {{"depth", "5"}}}};
    const Plan plan = plan_of(suite_of({optional, entry("fake.speed", {{"depth", "3"}})}), {cpu}, options);
    ASSERT_EQ(plan.cases.size(), 1u);
    EXPECT_TRUE(plan.cases[0].required);
}

TEST(Expand, TakesTimeAndBytesFromTheProbe) {
    SuiteEntry limited = entry("fake.speed", {{"depth", "2"}, {"size", "1M"}});
    limited.time_limit_seconds = 33;
    const Plan plan = plan_of(suite_of({entry("fake.speed", {{"seconds", "100"}}), limited}));
    EXPECT_EQ(plan.expected_seconds(), 107);
    EXPECT_EQ(plan.written_bytes(), 1u << 20) << "one file for all cases";
    EXPECT_GT(plan.cases[0].time_limit_seconds, 200) << "well beyond what is expected";
    EXPECT_EQ(plan.cases[1].time_limit_seconds, 33);
}

TEST(Expand, ALimitOfTheSuiteGivesWayToALongerTimeSetByHand) {
    SuiteEntry limited = entry("fake.speed", {});
    limited.time_limit_seconds = 33;
    RunOptions options;
    options.set = {{"fake.speed", {{"seconds", "500"}}}};
    EXPECT_GT(plan_of(suite_of({limited}), {cpu}, options).cases[0].time_limit_seconds, 500);
}

TEST(Expand, LeavesOutCasesOfOtherTiers) {
    SuiteEntry golden = entry("other.thing", {});
    golden.tiers = {"golden"};
    Suite suite = suite_of({entry("fake.speed", {}), golden});
    EXPECT_EQ(plan_of(suite).cases.size(), 1u);
    suite.tier = "golden";
    EXPECT_EQ(plan_of(suite).cases.size(), 2u);
}

}  // namespace
}  // namespace assay
