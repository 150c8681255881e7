#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "reports/render_html_axis.h"
#include "reports/render_html_charts.h"
#include "reports/render_html_parts.h"
#include "reports/texts.h"

namespace assay::html {

std::string bound_mark(const JudgedRequirement& judged, Language language) {
    const Bound& bound = judged.requirement.bound;
    const bool between = bound.comparison == Comparison::between;
    const double reference = between ? bound.high : bound.low;
    const bool textual = judged.requirement.unit == Unit::version || judged.requirement.unit == Unit::text;
    if (textual || !judged.measured || !std::isfinite(*judged.measured) || !(reference > 0)) return "";

    constexpr double begin = 1, end = 149, middle = 11;
    const Axis x{0, 1.5 * reference, begin, end, false};
    const double value = std::max(0.0, *judged.measured);
    const double at_bound = x.place(bound.low);
    double pass_from = begin, pass_to = end;
    switch (bound.comparison) {
        case Comparison::at_least:
        case Comparison::above:
            pass_from = at_bound;
            break;
        case Comparison::at_most:
        case Comparison::below:
            pass_to = at_bound;
            break;
        case Comparison::between:
            pass_from = at_bound, pass_to = x.place(bound.high);
            break;
        case Comparison::equals:
            pass_from = at_bound - 1.5, pass_to = at_bound + 1.5;
            break;
    }
    std::string title = phrase_with(language, "requirement.mark", format_measured(judged, language),
                                    format_bound(judged.requirement, language));
    const bool beyond = value > x.high;
    if (beyond) {
        title += fmt::format("{}{}", phrase(language, "list_separator"),
                             phrase(language, "requirement.mark_beyond"));
    }
    std::string out = fmt::format(
        R"(<svg class="mark {}" role="img" viewBox="0 0 160 22"><title>{}</title>)"
        R"(<rect class="z" x="{:.1f}" y="2" width="{:.1f}" height="18"/>)"
        R"(<path class="a" d="M{:g} 20H{:g}"/><rect class="v" x="{:g}" y="7" width="{:.1f}" height="8"/>)",
        to_string(judged.status), escape(title), pass_from, std::max(0.0, pass_to - pass_from), begin, end,
        begin, std::max(1.0, x.place(value) - begin));
    if (beyond) out += R"(<path class="v" d="M151 5l7 6-7 6z"/>)";
    if (judged.ci95 && judged.ci95->low <= x.high) {
        out += fmt::format(R"(<path class="w" d="M{0:.1f} {2:g}H{1:.1f}M{0:.1f} {3:g}v6M{1:.1f} {3:g}v6"/>)",
                           x.place(judged.ci95->low), x.place(judged.ci95->high), middle, middle - 3);
    }
    out += fmt::format(R"(<path class="t" d="M{:.1f} 1V21"/>)", at_bound);
    if (between) out += fmt::format(R"(<path class="t" d="M{:.1f} 1V21"/>)", x.place(bound.high));
    out += "</svg>";
    return out;
}

}  // namespace assay::html
