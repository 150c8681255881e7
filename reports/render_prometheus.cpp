#include <cmath>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "reports/report.h"
#include "reports/utf8.h"

namespace assay {

namespace {

// The text exposition format 0.0.4: one block a metric family, HELP and TYPE before its samples.

bool is_letter(char character) {
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z');
}

/// [a-zA-Z_][a-zA-Z0-9_]*: whatever else stands in a name becomes an underscore.
std::string sanitised(std::string_view name) {
    std::string out;
    for (const char character : name) {
        const bool digit = character >= '0' && character <= '9';
        if (digit && out.empty()) out += '_';
        out += is_letter(character) || digit ? character : '_';
    }
    return out.empty() ? "_" : out;
}

std::string escaped(std::string_view text, bool quotes) {
    const std::string valid = valid_utf8(text);
    std::string out;
    for (const char character : valid) {
        if (character == '\\') {
            out += "\\\\";
        } else if (character == '\n') {
            out += "\\n";
        } else if (character == '"' && quotes) {
            out += "\\\"";
        } else {
            out += character;
        }
    }
    return out;
}

std::string number(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
    return fmt::format("{}", value);
}

std::string_view unit_suffix(Unit unit) {
    switch (unit) {
        case Unit::second:
            return "seconds";
        case Unit::hertz:
            return "hertz";
        case Unit::byte:
            return "bytes";
        case Unit::bit_per_second:
            return "bits_per_second";
        case Unit::byte_per_second:
            return "bytes_per_second";
        case Unit::operation:
            return "operations";
        case Unit::operation_per_second:
            return "operations_per_second";
        case Unit::flop_per_second:
            return "flops_per_second";
        case Unit::token_per_second:
            return "tokens_per_second";
        case Unit::request_per_second:
            return "requests_per_second";
        case Unit::byte_per_operation:
            return "bytes_per_operation";
        case Unit::watt:
            return "watts";
        case Unit::joule:
            return "joules";
        case Unit::celsius:
            return "celsius";
        case Unit::ratio:
            return "ratio";
        case Unit::count:
            return "count";
        case Unit::version:
        case Unit::text:
            return "info";
    }
    return "";
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

/// Labels in braces. Two names that become the same are kept apart by underscores.
std::string label_set(const Pairs& labels) {
    std::set<std::string> used;
    std::string out;
    for (const auto& [name, value] : labels) {
        std::string key = sanitised(name);
        while (!used.insert(key).second) key += '_';
        out += fmt::format("{}{}=\"{}\"", out.empty() ? "" : ",", key, escaped(value, true));
    }
    return out.empty() ? out : "{" + out + "}";
}

class Exposition {
  public:
    void add(const std::string& family, std::string_view help, const Pairs& labels, double value) {
        Family& entry = families_[family];
        if (entry.help.empty()) entry.help = help;
        entry.samples[label_set(labels)] = value;  // one sample a label set; the last one stands
    }

    std::string render() const {
        std::string out;
        for (const auto& [name, family] : families_) {
            out += fmt::format("# HELP {} {}\n# TYPE {} gauge\n", name, escaped(family.help, false), name);
            for (const auto& [labels, value] : family.samples) {
                out += fmt::format("{}{} {}\n", name, labels, number(value));
            }
        }
        return out;
    }

  private:
    struct Family {
        std::string help;
        std::map<std::string, double> samples;
    };
    std::map<std::string, Family> families_;
};

void add_requirement(Exposition& exposition, const JudgedRequirement& judged) {
    const std::string& id = judged.requirement.id;
    const std::string counted = judged.counted ? "true" : "false";
    for (const VerdictStatus status : {VerdictStatus::pass, VerdictStatus::fail, VerdictStatus::inconclusive,
                                       VerdictStatus::not_measured, VerdictStatus::waived}) {
        exposition.add("assay_requirement_status",
                       "1 for the status that the requirement has, 0 for the others",
                       {{"id", id}, {"counted", counted}, {"status", std::string(to_string(status))}},
                       status == judged.status ? 1 : 0);
    }
    const std::string unit(to_string(judged.requirement.unit));
    if (judged.measured) {
        exposition.add("assay_requirement_measured",
                       "the figure held against the bound, in the unit of its label",
                       {{"id", id}, {"unit", unit}}, *judged.measured);
    }
    if (judged.margin) {
        exposition.add("assay_requirement_margin_ratio",
                       "how far inside the bound, as a share of it; negative: outside", {{"id", id}},
                       *judged.margin);
    }
}

void add_metric(Exposition& exposition, const Outcome& outcome, const Metric& metric) {
    std::string family = "assay_" + sanitised(metric.name);
    const std::string_view suffix = unit_suffix(metric.unit);
    if (!family.ends_with("_" + std::string(suffix))) family += "_" + std::string(suffix);
    const std::string help = fmt::format("{} in {}", metric.name, to_string(metric.unit));
    const bool in_words = metric.unit == Unit::version || metric.unit == Unit::text;
    Pairs labels(metric.labels.begin(), metric.labels.end());
    if (in_words) {
        labels.emplace_back("value", metric.text);
    } else {
        labels.emplace_back("statistic", std::string(to_string(metric.statistic)));
    }
    // A figure of a failed case is worth nothing, and says so in no label that an alert would look at.
    if (outcome.status == Status::measured) exposition.add(family, help, labels, in_words ? 1 : metric.value);
}

}  // namespace

std::string render_prometheus(const Report& report) {
    Exposition exposition;
    for (const RunVerdict verdict : {RunVerdict::pass, RunVerdict::fail, RunVerdict::incomplete}) {
        exposition.add("assay_verdict", "1 for the run's verdict, 0 for the others",
                       {{"suite", report.header.suite},
                        {"tier", report.tier},
                        {"verdict", std::string(to_string(verdict))}},
                       verdict == report.verdict ? 1 : 0);
    }
    exposition.add("assay_run_info", "the run that these figures come from",
                   {{"suite", report.header.suite},
                    {"machine", report.header.machine},
                    {"started_at", report.header.started_at},
                    {"version", report.header.tool_version},
                    {"quick", report.header.quick ? "true" : "false"}},
                   1);
    const Coverage& coverage = report.coverage;
    const std::pair<Status, std::size_t> counts[] = {{Status::measured, coverage.measured},
                                                     {Status::skipped, coverage.skipped},
                                                     {Status::failed, coverage.failed},
                                                     {Status::timed_out, coverage.timed_out},
                                                     {Status::crashed, coverage.crashed}};
    for (const auto& [status, count] : counts) {
        exposition.add("assay_cases", "cases by what became of them",
                       {{"status", std::string(to_string(status))}}, static_cast<double>(count));
    }
    exposition.add("assay_cases", "", {{"status", "not_run"}}, static_cast<double>(coverage.missing));
    for (const JudgedRequirement& judged : report.requirements) add_requirement(exposition, judged);
    for (const Outcome& outcome : report.outcomes) {
        for (const Metric& metric : outcome.metrics) add_metric(exposition, outcome, metric);
    }
    return exposition.render();
}

}  // namespace assay
