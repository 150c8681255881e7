#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/device/device.h"
#include "probes/core/accelerator_facts.h"
#include "probes/core/case.h"
#include "probes/core/clock.h"
#include "probes/core/cpu_facts.h"
#include "probes/core/model.h"
#include "probes/core/outcome.h"
#include "probes/core/sampling.h"

namespace assay {

/// What a probe may use besides its case; each part can be replaced by a fake.
struct Context {
    Clock& clock;
    Device* device = nullptr;  ///< the one that the case's `device` parameter names; null where it has none
    std::function<SampleSet(const SamplingPolicy&, const std::function<double()>&)> sample = {};
    std::function<void(std::string_view stage, double share)> progress = {};  ///< what is being done, 0..1
    SamplingPolicy sampling = {};  ///< the run's policy, shorter with --quick; probes may narrow it
    bool quick = false;
    /// A folder for a nameless file, or the run's shared file (/proc/self/fd/N).
    std::filesystem::path scratch = {};
    std::span<const Model> models = {};
    const CpuFacts* cpu_facts = nullptr;  ///< the catalogue's processors; null: none are known
    std::span<const AcceleratorFacts> accelerator_facts = {};  ///< the catalogue's datasheets
    std::uint64_t seed = 1;                                    ///< of all random data
    /// Named targets, exactly as the user gave them, whose data may be destroyed. Only the command line fills
    /// it: a suite or a journal gives no permission.
    std::vector<std::filesystem::path> allow_destroy = {};
};

/// What a case will take, told before anything runs.
struct Estimate {
    double seconds = 5;               ///< expected; the time limit follows from it
    std::uint64_t written_bytes = 0;  ///< to the scratch file
    std::uint64_t memory_bytes = 0;
};

/// A thing that can be measured. Help, `assay list`, suite validation and the contract test come from these
/// fields.
struct Probe {
    std::string_view name;     ///< "storage.random_read"
    std::string_view summary;  ///< one sentence
    std::vector<Parameter> parameters;
    std::vector<MetricDeclaration> metrics;
    Outcome (*run)(const Case&, Context&) = nullptr;
    Estimate (*estimate)(const Case&, const Context&) = nullptr;  ///< null: the default Estimate
    /// True where what is measured are the host's own functions: on any device but cpu:0 a case is skipped.
    bool host_alone = false;
    /// What can be known to be wrong before running, by looking only: throws InputError. May be null.
    void (*check)(const Case&, const Context&) = nullptr;
    /// A case small enough for a test, as parameters. The contract test runs it.
    std::map<std::string, std::string> tiny = {};

    const MetricDeclaration& metric(
        std::string_view metric_name) const;  ///< std::logic_error if not declared
};

/// Why the probe measures nothing on the device that the case names; empty where it does.
std::string refused_device(const Probe& probe, const Case& the_case);

/// Runs a case in this process: opens its device, watches the conditions around it, catches what is thrown
/// (std::system_error and others become failed outcomes with their reason), gives every metric the case's
/// parameters as labels and stamps the times. A failed check makes the outcome failed.
Outcome execute(const Probe& probe, const Case& the_case, Context& context);

}  // namespace assay
