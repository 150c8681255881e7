#include <set>

#include <fmt/format.h>

#include "reports/case_names.h"
#include "reports/report.h"
#include "reports/run_summary.h"
#include "reports/texts.h"
#include "reports/utf8.h"

namespace assay {

namespace {

/// Text for XML 1.0 content and attributes; characters that XML cannot hold become U+FFFD.
std::string escaped(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const CodePoint code = first_code_point(text);
        const std::string_view bytes = text.substr(0, code.bytes);
        text.remove_prefix(code.bytes);
        const bool control =
            code.value < 0x20 && code.value != '\t' && code.value != '\n' && code.value != '\r';
        if (!code.well_formed || control || code.value == 0xFFFE || code.value == 0xFFFF) {
            out += "\xEF\xBF\xBD";
        } else if (code.value == '&') {
            out += "&amp;";
        } else if (code.value == '<') {
            out += "&lt;";
        } else if (code.value == '>') {
            out += "&gt;";
        } else if (code.value == '"') {
            out += "&quot;";
        } else if (code.value == '\'') {
            out += "&apos;";
        } else if (code.value < 0x20) {
            out += fmt::format("&#{};", static_cast<unsigned>(code.value));
        } else {
            out += bytes;
        }
    }
    return out;
}

enum class Result { passed, failure, error, skipped };

struct TestCase {
    std::string name;
    Result result = Result::passed;
    std::string message;
    double seconds = 0;
};

/// JUnit's words: a failure is a verdict of fail; an error is something that counts and was not decided, so
/// that it cannot be taken for a pass; skipped is what changes no verdict.
Result result_of(const JudgedRequirement& judged) {
    if (judged.status == VerdictStatus::pass) return Result::passed;
    if (!judged.counted || judged.status == VerdictStatus::waived) return Result::skipped;
    return judged.status == VerdictStatus::fail ? Result::failure : Result::error;
}

TestCase verdict_case(const Report& report) {
    TestCase test{"verdict", Result::passed, lead_sentence(report, Language::en), 0};
    if (report.verdict == RunVerdict::fail) test.result = Result::failure;
    if (report.verdict == RunVerdict::incomplete) test.result = Result::error;
    return test;
}

TestCase requirement_case(const Report& report, const JudgedRequirement& judged) {
    TestCase test{judged.requirement.id, result_of(judged), "", 0};
    test.message =
        fmt::format("{}: measured {}, required {}", to_string(judged.status),
                    format_measured(judged, Language::en), format_bound(judged.requirement, Language::en));
    if (!judged.reason.empty()) test.message += "; " + judged.reason;
    if (judged.status == VerdictStatus::waived) {
        test.message += fmt::format("; waived: {}", waiver_reason(report, judged.requirement.id));
    } else if (!judged.counted) {
        test.message += "; does not count for the verdict";
    }
    return test;
}

TestCase outcome_case(const Outcome& outcome, const std::string& name, bool required) {
    TestCase test{name, Result::passed, fmt::format("{}: {}", to_string(outcome.status), outcome.reason),
                  outcome.duration_seconds};
    switch (outcome.status) {
        case Status::measured:
            break;
        case Status::skipped:
            test.result = Result::skipped;
            break;
        case Status::failed:
            test.result = required ? Result::failure : Result::skipped;
            break;
        case Status::timed_out:
        case Status::crashed:
            test.result = required ? Result::error : Result::skipped;
            break;
    }
    return test;
}

std::string_view element_of(Result result) {
    switch (result) {
        case Result::failure:
            return "failure";
        case Result::error:
            return "error";
        case Result::skipped:
            return "skipped";
        case Result::passed:
            break;
    }
    return "";
}

void append_suite(std::string& out, std::string_view name, const std::vector<TestCase>& tests) {
    std::size_t failures = 0;
    std::size_t errors = 0;
    std::size_t skips = 0;
    double seconds = 0;
    for (const TestCase& test : tests) {
        if (test.result == Result::failure) ++failures;
        if (test.result == Result::error) ++errors;
        if (test.result == Result::skipped) ++skips;
        seconds += test.seconds;
    }
    out += fmt::format(
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" "
        "time=\"{:.3f}\">\n",
        escaped(name), tests.size(), failures, errors, skips, seconds);
    for (const TestCase& test : tests) {
        out += fmt::format("    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3f}\"", escaped(name),
                           escaped(test.name), test.seconds);
        if (test.result == Result::passed) {
            out += "/>\n";
            continue;
        }
        out +=
            fmt::format("><{} message=\"{}\"/></testcase>\n", element_of(test.result), escaped(test.message));
    }
    out += "  </testsuite>\n";
}

}  // namespace

std::string render_junit(const Report& report) {
    std::vector<TestCase> requirements = {verdict_case(report)};
    for (const JudgedRequirement& judged : report.requirements) {
        requirements.push_back(requirement_case(report, judged));
    }
    std::set<std::string> required;
    std::set<std::string> present;
    for (const SuiteCase& asked : report.cases) {
        if (asked.required) required.insert(case_name(asked.the_case));
    }
    const CaseNames name_of(report.cases, report.outcomes);
    std::vector<TestCase> cases;
    for (const Outcome& outcome : report.outcomes) {
        const std::string full_name = case_name(outcome.the_case);
        present.insert(full_name);
        cases.push_back(outcome_case(outcome, name_of(outcome.the_case), required.contains(full_name)));
    }
    for (const SuiteCase& asked : report.cases) {
        if (present.contains(case_name(asked.the_case))) continue;
        cases.push_back(
            {name_of(asked.the_case), asked.required ? Result::error : Result::skipped, "not run", 0});
    }
    std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    out += fmt::format("<testsuites name=\"{}\">\n", escaped("assay " + report.header.suite));
    append_suite(out, "requirements", requirements);
    append_suite(out, "cases", cases);
    return out + "</testsuites>\n";
}

}  // namespace assay
