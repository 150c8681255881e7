// What every probe of the catalogue must keep to, so that help, suites, journals and reports can rely on it.

#include "probes/catalog.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include <stdlib.h>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "probes/core/sampling.h"
#include "reports/outcome_json.h"
#include "suites/suite.h"

namespace assay {
namespace {

using ::testing::Contains;
using ::testing::MatchesRegex;

std::vector<std::string> probe_names() {
    std::vector<std::string> names;
    for (const Probe& probe : catalog()) names.emplace_back(probe.name);
    return names;
}

const Probe& probe_named(const std::string& name) {
    for (const Probe& probe : catalog())
        if (probe.name == name) return probe;
    throw std::logic_error(name);
}

/// A folder for test files beside the test itself: the folder for temporary files may lie in memory.
class ScratchFolder {
  public:
    ScratchFolder() {
        std::string name = (std::filesystem::current_path() / "contract-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp " + name);
        path_ = name;
    }
    ~ScratchFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

/// Sampling as short as it can be: what is measured does not matter here.
SamplingPolicy short_sampling() {
    SamplingPolicy policy;
    policy.minimum_samples = 3;
    policy.minimum_time = Seconds(0.01);
    policy.maximum_time = Seconds(0.2);
    policy.maximum_warm_up = Seconds(0.01);
    return policy;
}

class Contract : public ::testing::TestWithParam<std::string> {
  protected:
    Context context() {
        return {.clock = clock_,
                .sample = {},
                .progress = {},
                .sampling = short_sampling(),
                .quick = true,
                .scratch = scratch_.path(),
                .models = models_,
                .cpu_facts = &cpu_facts_};
    }
    const Probe& probe() const { return probe_named(GetParam()); }
    Case tiny() const { return make_case(probe(), probe().tiny); }

    SteadyClock clock_;
    ScratchFolder scratch_;
    std::vector<Model> models_ = load_models();
    CpuFacts cpu_facts_ = load_cpu_facts();
};

TEST_P(Contract, IsNamedByDomainAndThing) {
    EXPECT_THAT(GetParam(), MatchesRegex("[a-z]+\\.[a-z_0-9]+"));
    EXPECT_FALSE(probe().summary.empty());
    EXPECT_NE(probe().run, nullptr);
}

TEST_P(Contract, DescribesItsParameters) {
    std::set<std::string_view> names;
    for (const Parameter& parameter : probe().parameters) {
        EXPECT_TRUE(names.insert(parameter.name).second) << parameter.name << " is declared twice";
        EXPECT_THAT(std::string(parameter.name), MatchesRegex("[a-z_0-9]+"));
        EXPECT_FALSE(parameter.meaning.empty()) << parameter.name;
        EXPECT_EQ(parameter.kind == ParameterKind::choice, !parameter.choices.empty()) << parameter.name;
        EXPECT_TRUE(parameter.maximum == 0 || parameter.minimum <= parameter.maximum) << parameter.name;
    }
}

TEST_P(Contract, HasDefaultsWithinTheirRanges) {
    EXPECT_NO_THROW(make_case(probe(), {}));
}

TEST_P(Contract, DeclaresMetricsUnderItsOwnName) {
    EXPECT_FALSE(probe().metrics.empty());
    for (const MetricDeclaration& metric : probe().metrics) {
        const std::string name(metric.name);
        EXPECT_TRUE(name == GetParam() || name.starts_with(GetParam() + ".")) << name;
        EXPECT_FALSE(metric.summary.empty()) << name;
    }
}

TEST_P(Contract, EstimatesItsDefaultAndTinyCases) {
    if (probe().estimate == nullptr) return;
    const Context given = context();
    for (const Case& the_case : {make_case(probe(), {}), tiny()}) {
        const Estimate estimate = probe().estimate(the_case, given);
        EXPECT_GT(estimate.seconds, 0);
        EXPECT_TRUE(std::isfinite(estimate.seconds));
    }
}

void expect_sound(const Metric& metric, const Probe& probe, const Case& the_case) {
    SCOPED_TRACE(metric.name);
    const MetricDeclaration& declaration = probe.metric(metric.name);
    EXPECT_EQ(metric.unit, declaration.unit);
    EXPECT_EQ(metric.direction, declaration.direction);
    for (const auto& [name, value] : the_case.parameters) {
        ASSERT_TRUE(metric.labels.contains(name)) << name;
        const bool is_axis =
            std::find(declaration.axes.begin(), declaration.axes.end(), name) != declaration.axes.end();
        if (!is_axis) {
            EXPECT_EQ(metric.labels.at(name), value) << name;
        }
    }
    for (const auto& [name, value] : metric.labels) {
        if (the_case.parameters.contains(name)) continue;
        EXPECT_THAT(declaration.axes, Contains(std::string_view(name)));
    }
    if (metric.unit == Unit::text || metric.unit == Unit::version) {
        EXPECT_FALSE(metric.text.empty());
        return;
    }
    EXPECT_TRUE(std::isfinite(metric.value));
    EXPECT_GE(metric.summary.samples, 1u);
    EXPECT_FALSE(metric.samples.empty());
    // Single operations are kept in the histogram, and the samples are their time slices.
    const std::size_t kept = metric.histogram ? metric.histogram->count() : metric.samples.size();
    EXPECT_EQ(kept, metric.summary.samples) << "all samples are kept";
    EXPECT_LE(metric.summary.minimum, metric.summary.median);
    EXPECT_LE(metric.summary.median, metric.summary.maximum);
    EXPECT_FALSE(metric.summary.interval_method.empty());
}

TEST_P(Contract, MeasuresItsTinyCaseOrSaysWhyNot) {
    Context given = context();
    const Case the_case = tiny();
    if (probe().check != nullptr) probe().check(the_case, given);
    const Outcome outcome = execute(probe(), the_case, given);
    EXPECT_EQ(outcome.the_case, the_case);
    EXPECT_FALSE(outcome.started_at.empty());
    if (outcome.status == Status::skipped) {
        EXPECT_FALSE(outcome.reason.empty());
        EXPECT_TRUE(outcome.metrics.empty());
        return;
    }
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    EXPECT_FALSE(outcome.metrics.empty());
    EXPECT_FALSE(outcome.notes.empty()) << "the method is said";
    for (const Metric& metric : outcome.metrics) expect_sound(metric, probe(), the_case);

    std::set<std::string> distinct;
    for (const Metric& metric : outcome.metrics) {
        const std::string key = metric.name + nlohmann::json(metric.labels).dump();
        EXPECT_TRUE(distinct.insert(key).second) << key << " stands twice";
    }
    const nlohmann::json json = outcome_to_json(outcome);
    EXPECT_EQ(outcome_to_json(outcome_from_json(json)), json);
    EXPECT_TRUE(std::filesystem::is_empty(scratch_.path())) << "nothing is left behind";
}

INSTANTIATE_TEST_SUITE_P(Catalogue, Contract, ::testing::ValuesIn(probe_names()),
                         [](const ::testing::TestParamInfo<std::string>& tested) {
                             std::string name = tested.param;
                             std::replace(name.begin(), name.end(), '.', '_');
                             return name;
                         });

TEST(CatalogueTest, HasEveryNameOnce) {
    std::set<std::string_view> probes, metrics;
    for (const Probe& probe : catalog()) {
        EXPECT_TRUE(probes.insert(probe.name).second) << probe.name;
        for (const MetricDeclaration& metric : probe.metrics)
            EXPECT_TRUE(metrics.insert(metric.name).second) << metric.name;
    }
    for (const PlannedMetric& planned : planned_metrics()) {
        EXPECT_TRUE(metrics.insert(planned.declaration.name).second) << planned.declaration.name;
        EXPECT_TRUE(planned.declaration.name.starts_with(planned.probe)) << planned.declaration.name;
    }
}

TEST(CatalogueTest, HasAProbeOfEveryDomain) {
    std::set<std::string> domains;
    for (const Probe& probe : catalog()) domains.emplace(probe.name.substr(0, probe.name.find('.')));
    for (const char* const domain :
         {"inventory", "gemm", "memory", "storage", "interconnect", "quantized", "inference"})
        EXPECT_TRUE(domains.contains(domain)) << domain;
}

TEST(CatalogueTest, PlansOnlyChoicesThatAreNotThereYet) {
    for (const PlannedChoice& planned : planned_choices()) {
        const Probe& probe = probe_named(std::string(planned.probe));
        const Case the_case = make_case(probe, {});
        ASSERT_TRUE(the_case.parameters.contains(std::string(planned.parameter))) << planned.parameter;
        EXPECT_THROW(make_case(probe, {{std::string(planned.parameter), std::string(planned.choice)}}),
                     InputError)
            << planned.choice << " is offered by now";
    }
}

}  // namespace
}  // namespace assay
