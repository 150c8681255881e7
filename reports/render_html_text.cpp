#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "reports/render_html_parts.h"
#include "reports/texts.h"
#include "reports/utf8.h"

namespace assay::html {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

bool is_unwanted(char32_t value) {
    if (value < 0x20) return value != '\n' && value != '\t';
    if (value >= 0x7F && value <= 0x9F) return true;
    const bool turns_direction = (value >= 0x202A && value <= 0x202E) || (value >= 0x2066 && value <= 0x2069);
    const bool non_character = (value >= 0xFDD0 && value <= 0xFDEF) || (value & 0xFFFE) == 0xFFFE;
    return turns_direction || non_character;
}

bool is_plain_name(std::string_view text) {
    return !text.empty() && text.size() <= 80 && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
               c == '_' || c == '.';
    });
}

std::string badge_of(std::string_view style, std::string_view sign, std::string_view word) {
    return fmt::format(R"(<span class="badge {}"><span aria-hidden="true">{}</span> {}</span>)", style, sign,
                       word);
}

}  // namespace

std::string escape(std::string_view text) {
    std::string safe;
    safe.reserve(text.size() + text.size() / 8);
    for (std::size_t at = 0; at < text.size();) {
        const CodePoint point = first_code_point(text.substr(at));
        if (!point.well_formed || is_unwanted(point.value)) {
            safe += replacement;
            at += point.bytes;
            continue;
        }
        switch (text[at]) {
            case '&':
                safe += "&amp;";
                break;
            case '<':
                safe += "&lt;";
                break;
            case '>':
                safe += "&gt;";
                break;
            case '"':
                safe += "&quot;";
                break;
            case '\'':
                safe += "&#39;";
                break;
            default:
                safe.append(text, at, point.bytes);
        }
        at += point.bytes;
    }
    return safe;
}

std::string requirement_anchor(const JudgedRequirement& judged, std::size_t number) {
    const std::string& id = judged.requirement.id;
    return is_plain_name(id) ? "requirement-" + id : fmt::format("row-{}", number);
}

std::vector<CaseTitle> case_titles(const std::vector<Outcome>& outcomes) {
    using Values = std::map<std::string, std::set<std::string>>;  // of a parameter, over the probe's cases
    std::map<std::string, Values> seen;
    std::map<std::string, std::map<std::string, std::size_t>> times;
    std::map<std::string, std::size_t> cases;
    for (const Outcome& outcome : outcomes) {
        ++cases[outcome.the_case.probe];
        for (const auto& [name, value] : outcome.the_case.parameters) {
            seen[outcome.the_case.probe][name].insert(value);
            ++times[outcome.the_case.probe][name];
        }
    }
    std::vector<CaseTitle> titles;
    titles.reserve(outcomes.size());
    for (const Outcome& outcome : outcomes) {
        const std::string& probe = outcome.the_case.probe;
        CaseTitle title{probe, ""};
        for (const auto& [name, value] : outcome.the_case.parameters) {
            const bool tells = seen[probe][name].size() > 1 || times[probe][name] < cases[probe];
            if (!tells) continue;
            if (!title.telling.empty()) title.telling += ", ";
            title.telling += name + "=" + value;
        }
        titles.push_back(std::move(title));
    }
    return titles;
}

std::string readable_time(const std::string& iso) {
    const std::string_view shape = "dddd-dd-ddTdd:dd:dd";
    if (iso.size() < shape.size() + 1 || iso.back() != 'Z') return iso;
    for (std::size_t at = 0; at < shape.size(); ++at) {
        const bool digit = iso[at] >= '0' && iso[at] <= '9';
        if (shape[at] == 'd' ? !digit : iso[at] != shape[at]) return iso;
    }
    return iso.substr(0, 10) + " " + iso.substr(11, 8) + " UTC";
}

std::string readable_value(const std::string& name, const std::string& value) {
    const bool is_size = name == "size" || name == "bytes" ||
                         (name.size() > 6 && name.compare(name.size() - 6, 6, "_bytes") == 0);
    const bool digits =
        !value.empty() && value.size() <= 18 && value.find_first_not_of("0123456789") == std::string::npos;
    if (!is_size || !digits) return value;
    const unsigned long long bytes = std::stoull(value);
    for (const auto& [unit, shift] : {std::pair{"TiB", 40}, {"GiB", 30}, {"MiB", 20}}) {
        const unsigned long long one = 1ull << shift;
        if (bytes >= one && bytes % one == 0) return fmt::format("{} {}", bytes / one, unit);
    }
    return value;
}

std::optional<Interval> headline_interval(const Metric& metric) {
    const Summary& summary = metric.summary;
    const auto percentile = [&](double rank) -> std::optional<Interval> {
        for (const Percentile& one : summary.percentiles) {
            if (std::abs(one.rank - rank) < 1e-9) return one.ci95;
        }
        return std::nullopt;
    };
    switch (metric.statistic) {
        case Statistic::median:
            return summary.median_ci95;
        case Statistic::mean:
            return summary.mean_ci95;
        case Statistic::sustained:
            return summary.sustained_ci95;
        case Statistic::p50:
            return percentile(50);
        case Statistic::p90:
            return percentile(90);
        case Statistic::p95:
            return percentile(95);
        case Statistic::p99:
            return percentile(99);
        case Statistic::p99_9:
            return percentile(99.9);
        case Statistic::p99_99:
            return percentile(99.99);
        case Statistic::worst:
            return std::nullopt;
    }
    return std::nullopt;
}

bool is_inventory(const Outcome& outcome) {
    return outcome.the_case.probe.rfind("inventory.", 0) == 0;
}

std::string badge(VerdictStatus status, Language language) {
    return badge_of(to_string(status), verdict_sign(status), verdict_word(status, language));
}

std::string badge(Status status, Language language) {
    switch (status) {
        case Status::measured:
            return badge_of("measured", "●", status_word(status, language));
        case Status::skipped:
            return badge_of("not_measured", "○", status_word(status, language));
        case Status::failed:
        case Status::timed_out:
        case Status::crashed:
            return badge_of("fail", "✗", status_word(status, language));
    }
    return "";
}

}  // namespace assay::html
