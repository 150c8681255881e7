#include <memory>

#include "suites/cli/commands.h"
#include "suites/cli/exit_code.h"
#include "suites/cli/load_run.h"
#include "suites/cli/options.h"
#include "suites/cli/output.h"

namespace assay::cli {
namespace {

struct JudgeOptions {
    std::string folder;
    std::string suite;
    std::string tier;
    std::string language = "en";
    bool json = false;
};

int judge_again(const JudgeOptions& options, const Catalogue& catalogue) {
    const Journal journal = read_journal(options.folder);
    const Suite suite = load_suite(options.suite, options.tier, catalogue);
    const bool quick = journal.header.run.quick;
    ProcessContext context(quick, options.folder);
    // The cases are those that the suite would have run on the journal's machine, which need not be this one.
    RunOptions same_length;
    same_length.quick = quick;
    const Plan plan = expand(suite, journal.header.survey, catalogue, same_length, context.get());
    const Report report = report_against(journal, suite, plan);
    print(render(report, options.json ? "json" : "text", language_of(options.language)));
    return exit_code_of(report.verdict);
}

}  // namespace

void add_judge_command(CLI::App& app, Program& program) {
    const std::shared_ptr<JudgeOptions> options = std::make_shared<JudgeOptions>();
    CLI::App* const command =
        app.add_subcommand("judge", "Judge an old run again, against another suite or tier");
    command->add_option("DIR", options->folder, "Folder of a run")->required();
    command->add_option("--against", options->suite, "Name of a suite, or the path of a suite file")
        ->required();
    command->add_option("--tier", options->tier, "The class of machine that was ordered");
    command->add_flag("--json", options->json, "Print the report as JSON");
    add_language_option(*command, options->language);
    command->callback([options, &program] { program.exit_code = judge_again(*options, program.catalogue); });
}

}  // namespace assay::cli
