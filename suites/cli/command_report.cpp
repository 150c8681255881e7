#include <memory>

#include <CLI/CLI.hpp>

#include "suites/cli/commands.h"
#include "suites/cli/load_run.h"
#include "suites/cli/options.h"
#include "suites/cli/output.h"

namespace assay::cli {
namespace {

struct ReportOptions {
    std::string folder;
    std::string format = "text";
    std::string language = "en";
    std::string output;
};

void report(const ReportOptions& options) {
    if (!options.output.empty()) check_output_file(options.output);
    const std::string text =
        render(report_of(read_journal(options.folder)), options.format, language_of(options.language));
    if (options.output.empty())
        print(text);
    else
        write_atomically(options.output, text);
}

}  // namespace

void add_report_command(CLI::App& app, Program& program) {
    const std::shared_ptr<ReportOptions> options = std::make_shared<ReportOptions>();
    CLI::App* const command = app.add_subcommand(
        "report", "Render a run's report again from its journal; exits 0 when it is written");
    command->add_option("DIR", options->folder, "Folder of a run")->required();
    command->add_option("--format", options->format, "text, html, markdown, json, junit, prometheus or csv")
        ->check(CLI::IsMember({"text", "html", "markdown", "json", "junit", "prometheus", "csv"}))
        ->default_str("text");
    add_language_option(*command, options->language);
    command->add_option("-o,--output", options->output, "File to write instead of standard output");
    command->callback([options, &program] {
        report(*options);
        program.exit_code = 0;
    });
}

}  // namespace assay::cli
