#include "suites/cli/cli.h"

#include <algorithm>
#include <exception>
#include <string>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "suites/cli/commands.h"
#include "suites/cli/exit_code.h"
#include "suites/cli/output.h"
#include "suites/cli/version.h"

namespace assay::cli {
namespace {

constexpr const char* summary =
    "assay answers whether a server will really run DeepSeek-class models: it measures the machine, and "
    "judges "
    "it line by line against what the documents demand.";

constexpr const char* exit_codes =
    "Exit codes:\n"
    "  0    every requirement passed\n"
    "  1    a requirement failed\n"
    "  2    unusable input: one line says what, where and what would be accepted\n"
    "  3    incomplete: nothing failed, but something that counts is not known\n"
    "  4    assay could not do its own work\n"
    "  130  interrupted; the journal holds what was done (assay run --resume DIR)";

std::string one_line(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text;
}

void complain(const std::string& text) {
    print_error_line("assay: " + one_line(text));
}

/// CLI11's help and version are printed by us: its own way ends in streams that tell no write error.
int answer(const CLI::App& app, const CLI::ParseError& result) {
    if (dynamic_cast<const CLI::CallForVersion*>(&result) != nullptr) {
        const Version own = version();
        print(fmt::format("assay {} (commit {}, {})\n", own.version, own.commit, own.compiler));
        return exit_passed;
    }
    if (dynamic_cast<const CLI::CallForHelp*>(&result) != nullptr) {
        print(app.help());
        return exit_passed;
    }
    std::string command = "assay";
    for (const CLI::App* chosen : app.get_subcommands()) command += " " + chosen->get_name();
    complain(fmt::format("{}; see {} --help", one_line(result.what()), command));
    return exit_unusable_input;
}

int run_caught(int argc, char** argv, const Catalogue& catalogue) {
    CLI::App app(summary, "assay");
    app.set_version_flag("--version", std::string("assay"), "Version, commit and compiler");
    app.require_subcommand(0, 1);
    app.footer(exit_codes);
    Program program{.catalogue = catalogue, .command_line = {argv, argv + argc}};
    add_run_command(app, program);
    add_list_command(app, program);
    add_probe_command(app, program);
    add_judge_command(app, program);
    add_report_command(app, program);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& result) {
        return answer(app, result);
    }
    if (app.get_subcommands().empty())
        throw InputError(
            "no command is given; accepted are run, list, probe, judge or report; see assay --help");
    return program.exit_code;
}

}  // namespace

int run(int argc, char** argv, const Catalogue& catalogue) {
    try {
        return run_caught(argc, argv, catalogue);
    } catch (const InputError& error) {
        complain(error.what());
        return exit_unusable_input;
    } catch (const std::exception& error) {
        complain(error.what());
    } catch (...) {
        complain("an error of unknown type");
    }
    return exit_broken;
}

}  // namespace assay::cli
