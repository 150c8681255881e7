#include "reports/render_html_roofline.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "reports/case_names.h"
#include "reports/derived_text.h"
#include "reports/figure.h"
#include "reports/render_html_marker.h"
#include "reports/render_html_parts.h"
#include "reports/render_html_roofline_places.h"
#include "reports/texts.h"

namespace assay::html {

namespace {

constexpr CurveFrame wide = {"wide", 760, 440, 66, 744, 40, 396};
constexpr CurveFrame narrow = {"narrow", 380, 440, 62, 370, 40, 396};
constexpr std::size_t most_ticks = 9;

std::string interval_text(const Metric& metric, Language language) {
    const Figure figure = figure_of(metric, metric.statistic);
    return figure.ci95 ? format_interval(*figure.ci95, metric.unit, language) : "";
}

/// The figure with its interval, for a tooltip.
std::string figure_text(const Metric& metric, Language language) {
    const std::string value = format_quantity(metric.value, metric.unit, language);
    const std::string interval = interval_text(metric, language);
    return interval.empty() ? value : phrase_with(language, "roofline.with_interval", value, interval);
}

std::string ceiling_text(const Measured& ceiling, Language language) {
    std::string text = "gemm.ceiling " + ceiling_name(ceiling);
    const std::string_view instruction = instruction_of(ceiling);
    if (!instruction.empty()) text += fmt::format("{}{}", phrase(language, "list_separator"), instruction);
    const std::string_view threads = resolved_of(*ceiling.outcome, "threads");
    if (!threads.empty()) text += fmt::format("{}threads={}", phrase(language, "list_separator"), threads);
    return text + std::string(phrase(language, "colon")) + figure_text(*ceiling.metric, language);
}

/// A logarithmic axis over many decades has a tick for every other one, or fewer.
std::vector<double> thinned_ticks(const Axis& axis, std::size_t most) {
    const std::vector<double> all = logarithmic_ticks(axis.low, axis.high);
    const std::size_t step = (all.size() + most - 1) / std::max<std::size_t>(most, 1);
    std::vector<double> kept;
    for (std::size_t at = 0; at < all.size(); at += std::max<std::size_t>(step, 1)) kept.push_back(all[at]);
    return kept;
}

std::string device_name(const Roofline& roofline, Language language) {
    return roofline.device.empty() ? std::string(phrase(language, "roofline.device_unknown"))
                                   : roofline.device;
}

class RooflineDrawing {
  public:
    RooflineDrawing(const Roofline& roofline, const CaseNames& names, const CurveFrame& frame,
                    Language language)
        : roofline_(roofline),
          names_(names),
          placed_(place_roofline(roofline, frame, language)),
          frame_(placed_.frame),
          language_(language) {}

    std::string draw() {
        out_ +=
            fmt::format(R"(<svg class="{}" role="img" viewBox="0 0 {:g} {:g}"><title>{}</title>)",
                        frame_.style, frame_.width, frame_.height,
                        escape(phrase_with(language_, "roofline.title", device_name(roofline_, language_))));
        add_axes();
        add_roofs();
        for (const PlacedKernel& kernel : placed_.kernels) add_kernel(kernel);
        // Last, so that no marker lies over a number.
        for (const PlacedKernel& kernel : placed_.kernels) {
            if (kernel.label) add_label(*kernel.label, fmt::format("k n c{}", kernel.series % 4));
        }
        return std::move(out_) + "</svg>";
    }

  private:
    void add_text(Place place, Anchor anchor, std::string_view style, std::string_view text) {
        out_ += fmt::format(R"(<text x="{:.1f}" y="{:.1f}" class="{}{}">{}</text>)", place.x, place.y, style,
                            anchor_class(anchor), escape(text));
    }

    void add_label(const PlacedLabel& label, std::string_view style) {
        if (label.leads_to) {
            out_ += fmt::format(R"(<path class="a" d="M{:.1f} {:.1f}L{:.1f} {:.1f}"/>)", label.leads_from.x,
                                label.leads_from.y, label.leads_to->x, label.leads_to->y);
        }
        add_text(label.place, label.anchor, style, label.text);
    }

    void add_axes() {
        for (const double tick : thinned_ticks(placed_.y, most_ticks)) {
            const double y = placed_.y.place(tick);
            out_ += fmt::format(R"(<path class="g" d="M{:g} {:.1f}H{:g}"/>)", frame_.left, y, frame_.right);
            add_text({frame_.left - 6, y + 3.5}, Anchor::end, "",
                     quantity_tick(tick, Unit::operation_per_second, language_));
        }
        for (const double tick : thinned_ticks(placed_.x, most_ticks)) {
            const double x = placed_.x.place(tick);
            out_ += fmt::format(R"(<path class="a" d="M{:.1f} {:g}v4"/>)", x, frame_.bottom);
            // At the edge its text would be cut off.
            const bool at_edge = x + text_width(tick_text(tick), 10.5) / 2 > frame_.width;
            add_text({at_edge ? frame_.right + 4 : x, frame_.bottom + 16},
                     at_edge ? Anchor::end : Anchor::middle, "", tick_text(tick));
        }
        out_ +=
            fmt::format(R"(<path class="a" d="M{:g} {:g}H{:g}"/>)", frame_.left, frame_.bottom, frame_.right);
        add_text({frame_.right, frame_.bottom + 34}, Anchor::end, "k",
                 phrase(language_, "roofline.intensity"));
        add_text({4, frame_.top - 14}, Anchor::start, "k", phrase(language_, "roofline.rate"));
    }

    void add_roof(const PlacedSegment& line, std::string_view style, const std::string& title) {
        out_ +=
            fmt::format(R"(<g><title>{}</title><path class="roof {}" d="M{:.1f} {:.1f}L{:.1f} {:.1f}"/></g>)",
                        escape(title), style, line.from.x, line.from.y, line.to.x, line.to.y);
    }

    void add_roofs() {
        if (placed_.memory) {
            add_roof(
                *placed_.memory, "slope",
                fmt::format("{}{}{}", phrase(language_, "roofline.memory_name"), phrase(language_, "colon"),
                            figure_text(*roofline_.memory->metric, language_)));
        }
        for (const PlacedCeiling& ceiling : placed_.ceilings)
            add_roof(ceiling.line, "level", ceiling_text(ceiling.measured, language_));
        if (placed_.memory_label) add_label(*placed_.memory_label, "k u");
        for (const PlacedCeiling& ceiling : placed_.ceilings) add_label(ceiling.label, "k u");
    }

    void add_kernel(const PlacedKernel& kernel) {
        const RooflinePoint& point = roofline_.points[kernel.number - 1];
        out_ += fmt::format("<g><title>{} {} · {} {} · {}</title>{}</g>", kernel.number,
                            escape(names_.brief(point.rate.outcome->the_case)),
                            format_quantity(point.intensity, Unit::ratio, language_),
                            phrase(language_, "roofline.column_intensity"),
                            escape(figure_text(*point.rate.metric, language_)),
                            marker(kernel.series, kernel.place));
    }

    const Roofline& roofline_;
    const CaseNames& names_;
    PlacedRoofline placed_;
    const CurveFrame& frame_;
    Language language_;
    std::string out_;
};

/// The kernels by their numbers.
void append_legend(std::string& out, const Roofline& roofline, const CaseNames& names, Language language) {
    if (roofline.points.empty()) return;
    out += fmt::format(R"(<table class="points"><thead><tr><th scope="col"></th><th scope="col">{}</th>)"
                       R"(<th scope="col" class="number">{}</th><th scope="col" class="number">{}</th>)"
                       R"(<th scope="col" class="number spare">{}</th></tr></thead><tbody>)"
                       "\n",
                       phrase(language, "roofline.kernel"), phrase(language, "roofline.column_intensity"),
                       phrase(language, "roofline.column_rate"), phrase(language, "column.interval"));
    const PlacedRoofline placed = place_roofline(roofline, wide, language);
    for (const PlacedKernel& kernel : placed.kernels) {
        const RooflinePoint& point = roofline.points[kernel.number - 1];
        const Metric& rate = *point.rate.metric;
        out += fmt::format(
            R"(<tr><th scope="row" class="c{}"><span aria-hidden="true">{}</span> {}</th><td>{}</td>)"
            R"(<td class="number">{}</td><td class="number">{}</td><td class="number spare">{}</td></tr>)"
            "\n",
            kernel.series % 4, marker_sign(kernel.series), kernel.number,
            escape(names.brief(point.rate.outcome->the_case)),
            format_quantity(point.intensity, Unit::ratio, language),
            escape(format_quantity(rate.value, rate.unit, language)), escape(interval_text(rate, language)));
    }
    out += "</tbody></table>\n";
}

}  // namespace

std::string roofline_figure(const Roofline& roofline, const Report& report, Language language) {
    const CaseNames names(report.cases, report.outcomes);
    std::string out = R"(<div class="curve roofline"><figure>)";
    out += fmt::format("<figcaption>{} <small>{}</small></figcaption>",
                       escape(phrase_with(language, "roofline.title", device_name(roofline, language))),
                       phrase(language, "roofline.note"));
    for (const CurveFrame& frame : {wide, narrow})
        out += RooflineDrawing(roofline, names, frame, language).draw();
    out += "</figure>\n";
    std::string missing;
    const auto add_missing = [&](bool is_missing, std::string_view key) {
        if (is_missing) missing += fmt::format("{}{}", missing.empty() ? "" : " ", phrase(language, key));
    };
    add_missing(!roofline.memory, "roofline.no_memory");
    add_missing(roofline.ceilings.empty(), "roofline.no_ceiling");
    add_missing(roofline.points.empty(), "roofline.no_points");
    if (!missing.empty()) out += fmt::format("<p class=\"small\">{}</p>\n", missing);
    append_legend(out, roofline, names, language);
    return out + "</div>\n";
}

}  // namespace assay::html
