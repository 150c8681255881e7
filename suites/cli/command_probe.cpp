#include <cmath>
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "reports/curve_table.h"
#include "reports/texts.h"
#include "suites/allow_destroy.h"
#include "suites/cli/commands.h"
#include "suites/cli/exit_code.h"
#include "suites/cli/options.h"
#include "suites/cli/output.h"
#include "suites/journal_json.h"
#include "suites/json_text.h"
#include "suites/runner.h"

namespace assay::cli {
namespace {

struct ProbeOptions {
    std::string name;
    std::vector<std::string> settings;
    std::vector<std::string> allow_destroy;
    std::string scratch = ".";
    std::uint64_t seed = 1;
    bool quick = false;
    bool json = false;
};

const Probe& find_probe(const std::string& name, const Catalogue& catalogue) {
    const Probe* const probe = catalogue.find(name);
    if (probe != nullptr) return *probe;
    std::vector<std::string> names;
    for (const Probe& known : catalogue.probes) names.emplace_back(known.name);
    for (const PlannedMetric& planned : catalogue.planned)
        if (planned.probe == name)
            throw InputError(fmt::format("this version of assay has no probe {} yet; accepted are {}", name,
                                         alternatives(names)));
    throw InputError(fmt::format("unknown probe \"{}\"; accepted are {}", name, alternatives(names)));
}

std::string labels_text(const Metric& metric, const Case& the_case) {
    std::string text;
    for (const auto& [name, value] : metric.labels) {
        const std::map<std::string, std::string>::const_iterator parameter = the_case.parameters.find(name);
        if (parameter != the_case.parameters.end() && parameter->second == value) continue;
        text += fmt::format("{}{}={}", text.empty() ? "" : ",", name, value);
    }
    return text.empty() ? "" : "{" + text + "}";
}

std::string metric_text(const Metric& metric, const Case& the_case) {
    const std::string name = metric.name + labels_text(metric, the_case);
    if (metric.unit == Unit::text || metric.unit == Unit::version)
        return fmt::format("  {}: {}\n", name, metric.text);
    std::string text =
        fmt::format("  {}: {}", name, format_quantity(metric.value, metric.unit, Language::en));
    std::optional<Interval> interval;
    if (metric.statistic == Statistic::median) interval = metric.summary.median_ci95;
    if (metric.statistic == Statistic::mean) interval = metric.summary.mean_ci95;
    if (interval && metric.summary.interval_method != "exact")
        text += fmt::format("  [{}] ({} of {})", format_interval(*interval, metric.unit, Language::en),
                            to_string(metric.statistic), metric.summary.samples);
    for (const Percentile& percentile : metric.summary.percentiles)
        text += fmt::format("  p{:g} {}", percentile.rank,
                            format_quantity(percentile.value, metric.unit, Language::en));
    if (metric.limit)
        text +=
            fmt::format("  limit {} ({})", format_quantity(metric.limit->value, metric.unit, Language::en),
                        metric.limit->source);
    return text + "\n";
}

std::string outcome_text(const Outcome& outcome, const Probe& probe, int columns) {
    std::string text =
        fmt::format("{}: {}{}\n", case_name(outcome.the_case, &probe), to_string(outcome.status),
                    outcome.reason.empty() ? "" : ": " + outcome.reason);
    // What was made beside a failed check is no figure; --json keeps it for who looks for the cause.
    if (outcome.status == Status::measured) {
        for (const Metric* metric : metrics_beside_curve(outcome))
            text += metric_text(*metric, outcome.the_case);
        if (const std::optional<Curve> curve = curve_of(outcome))
            text += "\n" + curve_text(*curve, Language::en, columns) + "\n";
    }
    for (const Check& check : outcome.checks)
        text += fmt::format("  check {}: {}{}\n", check.name, check.passed ? "passed" : "FAILED",
                            check.detail.empty() ? "" : fmt::format(" ({})", check.detail));
    for (const auto& [name, value] : outcome.resolved) text += fmt::format("  {}: {}\n", name, value);
    for (const std::string& note : outcome.notes) text += fmt::format("  note: {}\n", note);
    return text;
}

/// Progress on standard error: the lines that a runner reads, or one live line for a person; a percent at a
/// time.
class ProgressLine {
  public:
    explicit ProgressLine(const ErrorStream& stream) : stream_(stream) {}

    void show(std::string_view stage, double share) {
        std::string text = fmt::format("{:3.0f} %  {}", std::floor(share * 100), stage);
        if (text == shown_) return;
        shown_ = std::move(text);
        if (!stream_.live) {
            print_error_line(progress_line(stage, share));
            return;
        }
        fmt::print(stderr, "\r\033[K{}", cut_to(shown_, stream_.columns - 1));
        std::fflush(stderr);
    }

  private:
    const ErrorStream& stream_;
    std::string shown_;
};

int run_probe(const ProbeOptions& options, const Catalogue& catalogue) {
    const Probe& probe = find_probe(options.name, catalogue);
    const Case the_case = make_case(probe, parse_settings(options.settings));
    if (!std::filesystem::exists(options.scratch))
        throw InputError(
            fmt::format("--scratch {}: does not exist; a folder or a file is accepted", options.scratch));
    ProcessContext holder(options.quick, options.scratch);
    Context& context = holder.get();
    context.seed = options.seed;
    context.allow_destroy = parse_allow_destroy(options.allow_destroy, {&the_case, 1});
    if (probe.check != nullptr) probe.check(the_case, context);

    const ErrorStream stream = style_of_error();
    ProgressLine progress(stream);
    context.progress = [&](std::string_view stage, double share) { progress.show(stage, share); };
    Outcome outcome;
    {
        const OutputGuard guard;
        outcome = execute(probe, the_case, context);
    }
    if (stream.live) fmt::print(stderr, "\r\033[K");
    print(options.json ? outcome_line(outcome) + "\n"
                       : outcome_text(outcome, probe, style_of_output().columns));
    return exit_code_of(outcome.status);
}

}  // namespace

void add_probe_command(CLI::App& app, Program& program) {
    const std::shared_ptr<ProbeOptions> options = std::make_shared<ProbeOptions>();
    CLI::App* const command =
        app.add_subcommand("probe", "Measure one case: for scripts and for crosschecks");
    command->add_option("PROBE", options->name, "Name of a probe, as in assay list probes")->required();
    add_repeated_option(*command, "--set", options->settings, "PARAMETER=VALUE, may be repeated");
    command->add_option("--scratch", options->scratch, "Folder for a nameless test file, or a file to use")
        ->default_str(".");
    add_allow_destroy_option(*command, options->allow_destroy);
    command->add_option("--seed", options->seed, "Seed of all random data")->default_str("1");
    command->add_flag("--quick", options->quick, "Sample for a shorter time");
    command->add_flag("--json", options->json, "Print the outcome as JSON");
    command->footer(
        "Exit codes: 0 measured, 1 failed, 2 unusable input, 3 skipped, 4 assay could not do its work");
    command->callback([options, &program] { program.exit_code = run_probe(*options, program.catalogue); });
}

}  // namespace assay::cli
