#pragma once

#include <filesystem>
#include <string>

#include "reports/report.h"
#include "suites/journal.h"
#include "suites/suite.h"

namespace assay::cli {

/// A run's report from its folder alone, judged against the suite that its journal keeps.
Report report_of(const Journal& journal);

/// The same figures judged against another suite (or the same with another tier).
Report report_against(const Journal& journal, const Suite& suite, const Plan& plan);

/// The report in a form: html, markdown, json, junit, prometheus, csv or text.
std::string render(const Report& report, const std::string& format, Language language);

/// Writes report.json, report.html and report.zh.html into the folder.
void write_reports(const std::filesystem::path& folder, const Report& report);

}  // namespace assay::cli
