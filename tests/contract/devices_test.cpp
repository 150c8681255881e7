// What a probe measures on an accelerator comes from there: every probe that takes a device is tried on one.

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "probes/catalog.h"
#include "suites/suite.h"
#include "tests/kernels/faulty_accelerator.h"
#include "tests/kernels/pocl.h"

namespace assay {
namespace {

using ::testing::HasSubstr;

/// Sampling as short as it can be: what is measured does not matter here.
SamplingPolicy short_sampling() {
    SamplingPolicy policy;
    policy.minimum_samples = 2;
    policy.minimum_time = Seconds(0.001);
    policy.maximum_time = Seconds(0.02);
    policy.maximum_warm_up = Seconds(0.001);
    return policy;
}

bool takes_a_device(const Probe& probe) {
    return std::any_of(probe.parameters.begin(), probe.parameters.end(), [](const Parameter& parameter) {
        return parameter.kind == ParameterKind::device && parameter.name == "device";
    });
}

std::vector<std::string> probes_with_a_device() {
    std::vector<std::string> names;
    for (const Probe& probe : catalog())
        if (takes_a_device(probe)) names.emplace_back(probe.name);
    return names;
}

class DeviceContract : public ::testing::TestWithParam<std::string> {
  protected:
    const Probe& probe() const {
        return *std::find_if(catalog().begin(), catalog().end(),
                             [](const Probe& one) { return one.name == GetParam(); });
    }

    SteadyClock clock_;
    std::vector<Model> models_ = load_models();
    CpuFacts cpu_facts_ = load_cpu_facts();
};

TEST_P(DeviceContract, MeasuresOnTheAcceleratorThatWasAskedForOrSaysThatItDoesNot) {
    std::map<std::string, std::string> given = probe().tiny;
    given["device"] = "opencl:0";
    const Case the_case = make_case(probe(), given);
    // Passes all on, and counts.
    FaultyAccelerator accelerator(open_pocl(), {});
    Context context{.clock = clock_,
                    .device = &accelerator,
                    .sampling = short_sampling(),
                    .quick = true,
                    .models = models_,
                    .cpu_facts = &cpu_facts_};
    // A suite that is run on each device must not be refused as a whole for one probe.
    if (probe().check != nullptr) {
        EXPECT_NO_THROW(probe().check(the_case, context));
    }
    const Outcome outcome = execute(probe(), the_case, context);
    if (outcome.status == Status::skipped) {
        EXPECT_THAT(outcome.reason, HasSubstr("opencl:0"));
        EXPECT_TRUE(outcome.metrics.empty());
        return;
    }
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    EXPECT_TRUE(accelerator.launches() > 0 || accelerator.moved_bytes() > 0)
        << "what is called opencl:0's was measured elsewhere";
}

INSTANTIATE_TEST_SUITE_P(Catalogue, DeviceContract, ::testing::ValuesIn(probes_with_a_device()),
                         [](const ::testing::TestParamInfo<std::string>& tested) {
                             std::string name = tested.param;
                             std::replace(name.begin(), name.end(), '.', '_');
                             return name;
                         });

}  // namespace
}  // namespace assay
