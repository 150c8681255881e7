#include <algorithm>
#include <csignal>
#include <memory>

#include <unistd.h>

#include <fmt/format.h>

#include "reports/texts.h"
#include "suites/allow_destroy.h"
#include "suites/cli/commands.h"
#include "suites/cli/exit_code.h"
#include "suites/cli/interrupt.h"
#include "suites/cli/load_run.h"
#include "suites/cli/options.h"
#include "suites/cli/output.h"
#include "suites/cli/progress.h"
#include "suites/cli/version.h"
#include "suites/device_survey.h"
#include "suites/json_text.h"
#include "suites/runner.h"
#include "suites/timestamp.h"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

struct RunCommandOptions {
    std::string suite;
    std::string tier;
    std::string out;
    std::string resume;
    std::vector<std::string> only;
    std::vector<std::string> settings;
    std::string device;
    std::vector<std::string> waived;
    std::vector<std::string> reasons;
    std::vector<std::string> allow_destroy;
    std::string scratch;
    std::string language = "en";
    bool quick = false;
    bool json = false;
    bool keep_files = false;
};

/// A run ready to begin: nothing has been written as yet.
struct PreparedRun {
    fs::path folder;
    fs::path scratch;
    JournalHeader header;
    std::vector<Outcome> done;  ///< of a resumed run
    std::vector<fs::path> allow_destroy;
    bool resumed = false;
};

std::string machine_name() {
    char name[256] = {};
    return ::gethostname(name, sizeof name - 1) == 0 ? name : "unknown";
}

/// The folder itself, or the nearest one above it that exists: the file system that it will be on.
fs::path nearest_existing(fs::path folder) {
    std::error_code ignored;
    folder = fs::absolute(folder).lexically_normal();
    while (!fs::exists(folder, ignored) && folder.has_relative_path()) folder = folder.parent_path();
    return folder;
}

void check_scratch_folder(const fs::path& folder) {
    std::error_code ignored;
    if (!fs::exists(folder, ignored))
        throw InputError(fmt::format(
            "--scratch {}: does not exist; a folder to write a test file in is accepted", folder.string()));
    if (!fs::is_directory(folder, ignored))
        throw InputError(fmt::format(
            "--scratch {}: is no directory; a folder to write a test file in is accepted", folder.string()));
    if (::access(folder.c_str(), W_OK | X_OK) != 0)
        throw InputError(fmt::format("--scratch {}: cannot be written ({}); a writable folder is accepted",
                                     folder.string(), std::generic_category().message(errno)));
}

void check_out_folder(const fs::path& folder, const Suite& suite) {
    std::error_code ignored;
    const fs::path existing = nearest_existing(folder);
    if (!fs::is_directory(existing, ignored))
        throw InputError(fmt::format("--out {}: {} is no directory; a new or an empty folder is accepted",
                                     folder.string(), existing.string()));
    if (!fs::exists(journal_path(folder), ignored)) return;
    const RunHeader other = read_journal(folder).header.run;
    if (other.suite != suite.name || other.tier != suite.tier)
        throw InputError(fmt::format("--out {}: holds a run of the suite {}{}; choose another folder",
                                     folder.string(), other.suite,
                                     other.tier.empty() ? "" : fmt::format(" with tier {}", other.tier)));
    throw InputError(
        fmt::format("--out {0}: holds a run of this suite already; go on with it by assay run "
                    "--resume {0}, or choose another folder",
                    folder.string()));
}

void check_waivers(const std::vector<Waiver>& waivers, const Suite& suite) {
    std::vector<std::string> ids;
    for (const Requirement& requirement : suite.requirements) ids.push_back(requirement.id);
    for (const Waiver& waiver : waivers)
        if (std::find(ids.begin(), ids.end(), waiver.requirement) == ids.end())
            throw InputError(fmt::format("--waive {}: the suite {} has no such requirement; accepted are {}",
                                         waiver.requirement, suite.name, alternatives(ids, 100)));
}

Plan still_to_run(const PreparedRun& run) {
    Plan rest;
    for (const PlannedCase& planned : run.header.plan.cases)
        if (std::none_of(run.done.begin(), run.done.end(),
                         [&](const Outcome& outcome) { return outcome.the_case == planned.the_case; }))
            rest.cases.push_back(planned);
    return rest;
}

/// What can be known to be wrong with the cases before the first of them runs.
void check_cases(const PreparedRun& run, const Catalogue& catalogue, Context& context) {
    context.allow_destroy = run.allow_destroy;
    const Plan rest = still_to_run(run);
    for (const PlannedCase& planned : rest.cases) {
        const Probe* const probe = catalogue.find(planned.the_case.probe);
        if (planned.skip_reason || probe == nullptr || probe->check == nullptr) continue;
        try {
            probe->check(planned.the_case, context);
        } catch (const InputError& error) {
            const std::string message = error.what();
            throw InputError(message.starts_with(planned.the_case.probe)
                                 ? message
                                 : fmt::format("{}: {}", planned.the_case.probe, message));
        }
    }
}

/// Permission to destroy is asked of each command line and never read from a file: not from a suite, and not
/// from the journal of the run that is gone on with.
std::vector<fs::path> allowed_to_destroy(const RunCommandOptions& options, const Plan& plan) {
    std::vector<Case> cases;
    for (const PlannedCase& planned : plan.cases) cases.push_back(planned.the_case);
    return parse_allow_destroy(options.allow_destroy, cases);
}

PreparedRun prepare_new(const RunCommandOptions& options, const Program& program) {
    if (options.suite.empty())
        throw InputError(fmt::format("run: no suite is named; accepted are {} or the path of a suite file",
                                     alternatives(suite_names())));
    const Suite suite = load_suite(options.suite, options.tier, program.catalogue);
    PreparedRun run;
    run.folder = options.out.empty()
                     ? fs::path("assay-runs") / fmt::format("{}-{}", utc_for_names(), suite.name)
                     : fs::path(options.out);
    check_out_folder(run.folder, suite);
    run.scratch = options.scratch.empty() ? run.folder : fs::path(options.scratch);
    if (!options.scratch.empty()) check_scratch_folder(run.scratch);

    run.header.waivers = parse_waivers(options.waived, options.reasons);
    check_waivers(run.header.waivers, suite);
    run.header.survey = survey_in_child(own_program());
    ProcessContext context(options.quick, nearest_existing(run.scratch));
    run.header.plan = expand(suite, run.header.survey, program.catalogue,
                             {.quick = options.quick,
                              .only = options.only,
                              .set = parse_probe_settings(options.settings),
                              .device = options.device},
                             context.get());
    run.allow_destroy = allowed_to_destroy(options, run.header.plan);
    run.header.suite_json = suite.json;
    const Version own = version();
    run.header.run = {.suite = suite.name,
                      .tier = suite.tier,
                      .quick = options.quick,
                      .tool_version = own.version,
                      .commit = own.commit,
                      .compiler = own.compiler,
                      .command_line = program.command_line,
                      .started_at = utc_now(),
                      .machine = machine_name()};
    check_cases(run, program.catalogue, context.get());
    return run;
}

void refuse_with_resume(bool given, std::string_view option) {
    if (given)
        throw InputError(fmt::format(
            "{}: cannot be given with --resume, which goes on with the run as it was begun", option));
}

PreparedRun prepare_resumed(const RunCommandOptions& options, const Program& program) {
    refuse_with_resume(!options.out.empty(), "--out");
    refuse_with_resume(!options.only.empty(), "--only");
    refuse_with_resume(!options.settings.empty(), "--set");
    refuse_with_resume(!options.device.empty(), "--device");
    refuse_with_resume(!options.waived.empty() || !options.reasons.empty(), "--waive");
    Journal journal = read_journal(options.resume);
    const RunHeader& begun = journal.header.run;
    const std::string where = fmt::format("--resume {}", options.resume);
    const auto refuse_other = [&](bool other, std::string_view what, const std::string& was) {
        if (other)
            throw InputError(fmt::format("{}: {} was {}; only the same is accepted", where, what, was));
    };
    if (!options.suite.empty()) {
        const Suite suite = load_suite(options.suite, options.tier, program.catalogue);
        refuse_other(suite.name != begun.suite, "its suite", begun.suite);
    }
    refuse_other(!options.tier.empty() && options.tier != begun.tier, "its tier",
                 begun.tier.empty() ? "none" : begun.tier);
    refuse_other(options.quick && !begun.quick, "the run", "not --quick");
    refuse_other(machine_name() != begun.machine, "its machine", begun.machine);
    const Version own = version();
    refuse_other(own.version != begun.tool_version || own.commit != begun.commit, "its assay",
                 fmt::format("{} (commit {})", begun.tool_version, begun.commit));

    PreparedRun run;
    run.folder = options.resume;
    run.scratch = options.scratch.empty() ? run.folder : fs::path(options.scratch);
    check_scratch_folder(run.scratch);
    run.header = std::move(journal.header);
    run.done = std::move(journal.outcomes);
    run.resumed = true;
    run.allow_destroy = allowed_to_destroy(options, run.header.plan);
    ProcessContext context(run.header.run.quick, run.scratch);
    check_cases(run, program.catalogue, context.get());
    return run;
}

void announce(const PreparedRun& run, bool keep_files, bool json) {
    const Plan rest = still_to_run(run);
    const RunHeader& header = run.header.run;
    const auto say = [&](const std::string& line) { json ? print_error_line(line) : print(line + "\n"); };
    const std::size_t to_measure = static_cast<std::size_t>(
        std::count_if(rest.cases.begin(), rest.cases.end(),
                      [](const PlannedCase& planned) { return !planned.skip_reason; }));
    say(fmt::format("assay {}: suite {}{}{}, {} of {} cases to measure, {}.",
                    run.resumed ? "resumes" : "runs", header.suite,
                    header.tier.empty() ? "" : ", tier " + header.tier, header.quick ? ", quick" : "",
                    to_measure, run.header.plan.cases.size(), about(rest.expected_seconds())));
    const double bytes = static_cast<double>(rest.written_bytes());
    const std::string size = format_quantity(bytes, Unit::byte, Language::en);
    if (bytes == 0)
        say("It writes no test file.");
    else if (keep_files)
        say(fmt::format("It writes a test file of {} in {} and keeps it.", size, run.scratch.string()));
    else
        say(fmt::format("It writes {} to a nameless test file in {}, which is gone when the run ends.", size,
                        run.scratch.string()));
    for (const fs::path& path : run.allow_destroy)
        say(fmt::format("It may write to {}: all data there is lost (--allow-destroy).", path.string()));
    say(fmt::format("Its journal and reports are in {}.", run.folder.string()));
}

JournalWriter open_journal(const PreparedRun& run) {
    if (run.resumed) return JournalWriter::resume(run.folder);
    std::error_code error;
    fs::create_directories(run.folder, error);
    if (error) throw std::system_error(error, fmt::format("create the run folder {}", run.folder.string()));
    return JournalWriter::create(run.folder, run.header);
}

bool measure(const PreparedRun& run, const RunCommandOptions& options) {
    const InterruptFlag interrupt;
    // A reader of the progress that goes away must not end the run.
    std::signal(SIGPIPE, SIG_IGN);
    JournalWriter journal = open_journal(run);
    announce(run, options.keep_files, options.json);
    ProgressView view(run.header.plan, style_of_error());
    RunnerOptions runner;
    runner.program = own_program();
    runner.scratch = run.scratch;
    runner.keep_files = options.keep_files;
    runner.quick = run.header.run.quick;
    runner.allow_destroy = run.allow_destroy;
    runner.interrupted = &interrupt.flag();
    runner.on_event = [&](const RunEvent& event) { view.show(event); };
    return run_plan(run.header.plan, run.done, journal, runner);
}

int run_suite(const RunCommandOptions& options, const Program& program) {
    const PreparedRun run =
        options.resume.empty() ? prepare_new(options, program) : prepare_resumed(options, program);
    const bool finished = measure(run, options);
    const Journal journal = read_journal(run.folder);
    if (!finished) {
        print_error_line(
            fmt::format("assay: interrupted; {} of {} cases are in {}; go on with: assay run --resume {}",
                        journal.outcomes.size(), run.header.plan.cases.size(),
                        journal_path(run.folder).string(), run.folder.string()));
        return exit_interrupted;
    }
    const Report report = report_of(journal);
    write_reports(run.folder, report);
    if (options.json) {
        print(render_json(report));
        return exit_code_of(report.verdict);
    }
    print("\n" + render_text(report, language_of(options.language), style_of_output()));
    print("\n");
    for (const char* const name : {"report.html", "report.zh.html", "report.json"})
        print(fmt::format("{}\n", (run.folder / name).string()));
    return exit_code_of(report.verdict);
}

}  // namespace

void add_run_command(CLI::App& app, Program& program) {
    const std::shared_ptr<RunCommandOptions> options = std::make_shared<RunCommandOptions>();
    CLI::App* const command = app.add_subcommand("run", "Run a suite on this machine and judge it");
    command->add_option("SUITE", options->suite, "Name of a suite (poc), or the path of a suite file");
    command->add_option("--tier", options->tier, "The class of machine that was ordered: assay list suites");
    command->add_option("--out", options->out, "Folder of the run; default assay-runs/TIME-SUITE");
    command->add_option("--resume", options->resume, "Go on with the run in this folder");
    command->add_option("--only", options->only, "Run these probes or domains alone")->take_all();
    command->add_flag("--quick", options->quick, "The same suite, sampled for a shorter time");
    add_repeated_option(*command, "--set", options->settings, "PROBE.PARAMETER=VALUE, may be repeated");
    command->add_option("--device", options->device,
                        "Run on this device (opencl:0) what the suite runs on each GPU");
    add_language_option(*command, options->language);
    command->add_flag("--json", options->json, "Print the report as JSON");
    add_repeated_option(*command, "--waive", options->waived,
                        "Requirement not to be counted; takes a --reason");
    add_repeated_option(*command, "--reason", options->reasons, "Why the requirement before is waived");
    add_allow_destroy_option(*command, options->allow_destroy);
    command->add_flag("--keep-files", options->keep_files, "Keep the test file");
    command->add_option("--scratch", options->scratch, "Folder for the test file; default the run's folder");
    command->callback([options, &program] { program.exit_code = run_suite(*options, program); });
}

}  // namespace assay::cli
