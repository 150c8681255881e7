#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "suites/suite.h"

namespace assay::cli {

/// What a command needs besides its own options, and where it leaves its exit code.
struct Program {
    const Catalogue& catalogue;
    std::vector<std::string> command_line;
    int exit_code = 0;
};

// Each adds one subcommand, whose callback does the work. `program` outlives the parsing.
void add_list_command(CLI::App& app, Program& program);
void add_run_command(CLI::App& app, Program& program);
void add_probe_command(CLI::App& app, Program& program);
void add_judge_command(CLI::App& app, Program& program);
void add_report_command(CLI::App& app, Program& program);

}  // namespace assay::cli
