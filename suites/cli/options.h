#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "probes/core/clock.h"
#include "probes/core/probe.h"
#include "reports/report.h"

namespace assay::cli {

// Options that several commands have.
void add_language_option(CLI::App& command, std::string& language);
Language language_of(const std::string& name);

/// An option that may be given several times, each time with one value.
CLI::Option* add_repeated_option(CLI::App& command, const std::string& name, std::vector<std::string>& values,
                                 const std::string& help);

/// "probe.param=value" for each -> probe -> parameter -> value. Throws InputError.
std::map<std::string, std::map<std::string, std::string>> parse_probe_settings(
    const std::vector<std::string>& settings);
/// "param=value" for each. Throws InputError.
std::map<std::string, std::string> parse_settings(const std::vector<std::string>& settings);
/// --waive and --reason, which come in pairs. Throws InputError.
std::vector<Waiver> parse_waivers(const std::vector<std::string>& ids,
                                  const std::vector<std::string>& reasons);

/// --allow-destroy, whose help says what it costs.
void add_allow_destroy_option(CLI::App& command, std::vector<std::string>& paths);

/// How a run samples: shorter with --quick.
SamplingPolicy sampling_policy(bool quick);

/// A context of this process: the steady clock, no device yet.
class ProcessContext {
  public:
    ProcessContext(bool quick, std::filesystem::path scratch);
    ProcessContext(const ProcessContext&) = delete;
    ProcessContext& operator=(const ProcessContext&) = delete;
    Context& get() { return context_; }

  private:
    SteadyClock clock_;
    std::vector<Model> models_;
    CpuFacts cpu_facts_;
    std::vector<AcceleratorFacts> accelerator_facts_;
    Context context_;
};

}  // namespace assay::cli
