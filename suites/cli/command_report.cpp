#include <memory>

#include <CLI/CLI.hpp>

#include "reports/short_table.h"
#include "suites/cli/commands.h"
#include "suites/cli/load_run.h"
#include "suites/cli/options.h"
#include "suites/cli/output.h"
#include "suites/peers.h"

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
    const Journal journal = read_journal(options.folder);
    const Report made = report_of(journal);
    const Language language = language_of(options.language);
    std::string text;
    if (options.format == "table")
        text = render_table(made, peers_of(journal.header.survey), language,
                            options.output.empty() ? style_of_output().columns : 100);
    else if (options.format == "table-json")
        text = render_table_json(made, peers_of(journal.header.survey));
    else
        text = render(made, options.format, language);
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
    command
        ->add_option("--format", options->format,
                     "text, html, markdown, json, junit, prometheus, csv; table or table-json: the figures "
                     "with their limits alone")
        ->check(CLI::IsMember(
            {"text", "html", "markdown", "json", "junit", "prometheus", "csv", "table", "table-json"}))
        ->default_str("text");
    add_language_option(*command, options->language);
    command->add_option("-o,--output", options->output, "File to write instead of standard output");
    command->callback([options, &program] {
        report(*options);
        program.exit_code = 0;
    });
}

}  // namespace assay::cli
