#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "probes/catalog.h"
#include "probes/core/probe.h"
#include "reports/report.h"

namespace assay {

/// A case as a suite writes it: parameters may say `each:gpu`; `probe` may be one that is only planned.
struct SuiteEntry {
    std::string probe;
    std::map<std::string, std::string> parameters;        ///< raw
    std::map<std::string, std::string> quick_parameters;  ///< laid over them with --quick
    bool required = true;
    std::optional<double> time_limit_seconds;
    std::vector<std::string> tiers;  ///< only with one of these tiers; empty: always
    /// Not planned where a machine has GPUs, but fewer than these: what takes two is not missing there.
    int minimum_gpus = 0;
};

/// A document that sources quote from.
struct SuiteDocument {
    std::string id;  ///< "002"
    std::string title;
    std::string date;
    std::string file;  ///< its excerpt, relative to the suite file; empty where there is none
};

/// A suite file, with the tier's file laid over it where one is chosen.
struct Suite {
    std::string name;
    std::string tier;
    Text title;
    std::optional<Text> ordered;  ///< what the tier's documents order, in words
    std::vector<SuiteDocument> documents;
    std::vector<SuiteEntry> entries;
    std::vector<Requirement> requirements;
    std::vector<Contradiction> contradictions;
    std::string json;  ///< all of this as one suite file, which a journal keeps
};

/// What a suite may name: the probes of this version, and the metrics of those to come. Tests pass their own.
struct Catalogue {
    std::span<const Probe> probes;
    std::span<const PlannedMetric> planned;
    std::span<const PlannedChoice> planned_choices = {};
    const Probe* find(std::string_view probe) const;
};

/// Loads an embedded suite by name, or a file by path, and the tier's file over it. Everything wrong is one
/// InputError: file, line or JSON pointer, what would be accepted. Checks: syntax, unknown keys, unknown
/// probes, parameters and metrics, values out of range, units that do not fit the metric, duplicate ids,
/// selections that match several cases without `each` or `best`.
Suite load_suite(const std::string& name_or_path, const std::string& tier, const Catalogue& catalogue);
/// A suite again from Suite::json, as a journal keeps it; it was checked when it was loaded. Throws
/// InputError that begins with `where` when it is no suite.
Suite restore_suite(const std::string& json, const std::string& where);
std::vector<std::string> suite_names();
/// The tiers that extend that suite.
std::vector<std::string> tier_names(std::string_view suite);
/// The entries that are in force for the suite's tier.
std::vector<SuiteEntry> entries_in_force(const Suite& suite);
/// True for a device that is no CPU: cuda:0, opencl:1, each:gpu.
bool names_gpu(std::string_view device);

std::vector<Model> load_models();
CpuFacts load_cpu_facts();
std::vector<AcceleratorFacts> load_accelerator_facts();

}  // namespace assay
