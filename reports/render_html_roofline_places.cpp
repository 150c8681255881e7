#include "reports/render_html_roofline_places.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <fmt/format.h>

#include "reports/derived_text.h"
#include "reports/texts.h"

namespace assay::html {

namespace {

constexpr double text_size = 10.5;
constexpr double bold_size = 12;  ///< plain text of this size is as wide
constexpr double marker_reach = 4.5;
constexpr double beside = 7;  ///< between a line's end and its label

struct Range {
    double low = INFINITY, high = 0;
    void take(double value) {
        low = std::min(low, value);
        high = std::max(high, value);
    }
    bool any() const { return high > 0; }
};

double bandwidth_of(const Roofline& roofline) {
    return roofline.memory->metric->value;
}

/// Where the line for memory ends: at the highest ceiling, or as high as the fastest kernel.
double highest_rate(const Roofline& roofline) {
    double highest = roofline.ceilings.empty() ? 0 : roofline.ceilings.front().metric->value;
    if (highest > 0) return highest;
    for (const RooflinePoint& point : roofline.points) highest = std::max(highest, point.rate.metric->value);
    return highest;
}

std::string ceiling_label(const Measured& ceiling, Language language) {
    return fmt::format("{} {}", ceiling_name(ceiling),
                       format_quantity(ceiling.metric->value, ceiling.metric->unit, language));
}

/// The axis of intensity holds every kernel and every ridge, with the ceilings' labels left of theirs.
Axis intensity_axis(const Roofline& roofline, const CurveFrame& frame, Language language) {
    Range range;
    for (const RooflinePoint& point : roofline.points) {
        range.take(point.intensity / 1.6);
        range.take(point.intensity * 1.6);
    }
    double lowest_ridge = 0;
    if (roofline.memory) {
        for (const Measured& ceiling : roofline.ceilings) {
            lowest_ridge = ceiling.metric->value / bandwidth_of(roofline);
            range.take(lowest_ridge * 6);
        }
        range.take(highest_rate(roofline) / bandwidth_of(roofline) / 3);
        range.take(highest_rate(roofline) / bandwidth_of(roofline) * 1.6);
    }
    if (!range.any()) range = {0.1, 100};
    if (lowest_ridge > 0) {
        double room = 0;
        for (const Measured& ceiling : roofline.ceilings)
            room = std::max(room, text_width(ceiling_label(ceiling, language), bold_size));
        const double share = std::min((room + 2 * beside) / (frame.right - frame.left), 0.5);
        const double wanted = lowest_ridge * std::pow(lowest_ridge / range.high, share / (1 - share));
        range.low = std::min(range.low, wanted);
    }
    return {range.low, range.high, frame.left, frame.right, true};
}

Axis rate_axis(const Roofline& roofline, const CurveFrame& frame) {
    Range range;
    for (const RooflinePoint& point : roofline.points) range.take(point.rate.metric->value);
    for (const Measured& ceiling : roofline.ceilings) range.take(ceiling.metric->value);
    if (!roofline.ceilings.empty()) range.take(roofline.ceilings.back().metric->value / 8);
    return {range.low / 2, range.high * 1.8, frame.bottom, frame.top, true};
}

class Placement {
  public:
    Placement(const Roofline& roofline, const CurveFrame& frame, Language language)
        : roofline_(roofline),
          language_(language),
          taken_({frame.left + 1, frame.top, frame.right + 4, frame.bottom - 2}) {
        placed_.frame = frame;
        placed_.x = intensity_axis(roofline, frame, language);
        placed_.y = rate_axis(roofline, frame);
    }

    PlacedRoofline place() {
        place_memory();
        place_ceilings();
        place_markers();
        name_ceilings();
        name_memory();
        for (PlacedKernel& kernel : placed_.kernels) name_kernel(kernel);
        return std::move(placed_);
    }

  private:
    /// Where the line for memory is at that height of the drawing, prolonged as needed.
    double memory_x(double y) const {
        const double per_decade_x =
            (placed_.x.to - placed_.x.from) / std::log(placed_.x.high / placed_.x.low);
        const double per_decade_y =
            (placed_.y.to - placed_.y.from) / std::log(placed_.y.high / placed_.y.low);
        const double rate = placed_.y.low * std::exp((y - placed_.y.from) / per_decade_y);
        return placed_.x.from + per_decade_x * std::log(rate / bandwidth_of(roofline_) / placed_.x.low);
    }

    void place_memory() {
        if (!roofline_.memory) return;
        const double bandwidth = bandwidth_of(roofline_);
        const double from = std::max(placed_.x.low, placed_.y.low / bandwidth);
        const double to = highest_rate(roofline_) / bandwidth;
        placed_.memory = {{placed_.x.place(from), placed_.y.place(from * bandwidth)},
                          {placed_.x.place(to), placed_.y.place(to * bandwidth)}};
        taken_.take_line({placed_.memory->from, placed_.memory->to});
    }

    void place_ceilings() {
        for (const Measured& ceiling : roofline_.ceilings) {
            const double y = placed_.y.place(ceiling.metric->value);
            const double from = roofline_.memory
                                    ? placed_.x.place(ceiling.metric->value / bandwidth_of(roofline_))
                                    : placed_.frame.left;
            placed_.ceilings.push_back({ceiling, {{from, y}, {placed_.frame.right, y}}, {}});
            taken_.take({from, y - 1.5, placed_.frame.right, y + 1.5});
        }
    }

    void place_markers() {
        std::vector<std::string> probes;
        for (const RooflinePoint& point : roofline_.points) {
            const std::string& probe = point.rate.outcome->the_case.probe;
            const auto found = std::find(probes.begin(), probes.end(), probe);
            const std::size_t series = static_cast<std::size_t>(found - probes.begin());
            if (found == probes.end()) probes.push_back(probe);
            const Place place = {placed_.x.place(point.intensity), placed_.y.place(point.rate.metric->value)};
            placed_.kernels.push_back({placed_.kernels.size() + 1, series, place, {}});
            taken_.take({place.x - marker_reach, place.y - marker_reach, place.x + marker_reach,
                         place.y + marker_reach});
        }
    }

    /// Left of the ridge, where nothing else can be: no kernel does more than memory feeds.
    void name_ceilings() {
        std::vector<double> wanted;
        const double lift = roofline_.memory ? -3.5 : 6;
        for (const PlacedCeiling& ceiling : placed_.ceilings) wanted.push_back(ceiling.line.from.y - lift);
        const std::vector<double> heights =
            spread(wanted, curve_row, placed_.frame.top + text_size, placed_.frame.bottom - 4);
        for (std::size_t at = 0; at < placed_.ceilings.size(); ++at) {
            PlacedCeiling& ceiling = placed_.ceilings[at];
            PlacedLabel& label = ceiling.label;
            label.text = ceiling_label(ceiling.measured, language_);
            label.place = {placed_.frame.left + 4, heights[at]};
            if (roofline_.memory) {
                const double end = std::min(ceiling.line.from.x, memory_x(heights[at] + 3)) - beside;
                if (end - text_width(label.text, bold_size) > placed_.frame.left) {
                    label.place.x = end;
                    label.anchor = Anchor::end;
                }
                if (std::abs(heights[at] - wanted[at]) > 3 && label.anchor == Anchor::end) {
                    label.leads_from = {end + 1, heights[at] - 3.5};
                    label.leads_to = {ceiling.line.from.x - 1, ceiling.line.from.y};
                }
            }
            taken_.take(label_box(label));
        }
    }

    /// Above the line, as far down as it goes; else below it.
    void name_memory() {
        if (!placed_.memory) return;
        PlacedLabel label;
        label.text =
            phrase_with(language_, "roofline.memory",
                        format_quantity(bandwidth_of(roofline_), roofline_.memory->metric->unit, language_));
        for (const Anchor anchor : {Anchor::end, Anchor::start}) {
            label.anchor = anchor;
            for (double y = placed_.frame.bottom - 6; y > placed_.frame.top; y -= 3) {
                const bool above = anchor == Anchor::end;
                label.place = {above ? memory_x(y + 3) - beside : memory_x(y - 8) + beside, y};
                if (!taken_.is_free(label_box(label))) continue;
                taken_.take(label_box(label));
                placed_.memory_label = label;
                return;
            }
        }
    }

    bool take_if_free(const PlacedLabel& label) {
        Box box = label_box(label);
        // Digits that touch their neighbours' would read as one number.
        box.left -= 2, box.right += 2;
        if (!taken_.is_free(box)) return false;
        taken_.take(box);
        return true;
    }

    /// Close by, else further away on a thin line.
    void name_kernel(PlacedKernel& kernel) {
        const Place at = kernel.place;
        PlacedLabel label;
        label.text = std::to_string(kernel.number);
        const std::pair<Place, Anchor> close[] = {
            {{at.x, at.y + 15}, Anchor::middle},    {{at.x + 7, at.y + 4}, Anchor::start},
            {{at.x + 6, at.y + 12}, Anchor::start}, {{at.x, at.y - 7}, Anchor::middle},
            {{at.x - 7, at.y + 4}, Anchor::end},    {{at.x - 6, at.y + 12}, Anchor::end}};
        for (const auto& [place, anchor] : close) {
            label.place = place, label.anchor = anchor;
            if (take_if_free(label)) {
                kernel.label = label;
                return;
            }
        }
        label.anchor = Anchor::middle;
        constexpr int directions = 16;
        for (const double away : {20.0, 28.0, 36.0, 46.0, 58.0, 72.0, 90.0}) {
            for (int turn = 0; turn < directions; ++turn) {
                // Downward first, then to both sides: below the roofs is room.
                const int half = (turn + 1) / 2 * (turn % 2 == 0 ? 1 : -1);
                const double angle = std::numbers::pi * (0.5 + 2.0 * half / directions);
                const Place centre = {at.x + away * std::cos(angle), at.y + away * std::sin(angle)};
                label.place = {centre.x, centre.y + 0.28 * text_size};
                if (!take_if_free(label)) continue;
                label.leads_from = {centre.x - 6.5 * std::cos(angle), centre.y - 6.5 * std::sin(angle)};
                label.leads_to = {at.x + marker_reach * std::cos(angle),
                                  at.y + marker_reach * std::sin(angle)};
                kernel.label = label;
                return;
            }
        }
    }

    const Roofline& roofline_;
    Language language_;
    Occupancy taken_;
    PlacedRoofline placed_;
};

}  // namespace

Box label_box(const PlacedLabel& label) {
    Box box = text_box(label.text, bold_size, label.place, label.anchor);
    box.top = label.place.y - 0.78 * text_size;
    box.bottom = label.place.y + 0.22 * text_size;
    return box;
}

PlacedRoofline place_roofline(const Roofline& roofline, const CurveFrame& frame, Language language) {
    return Placement(roofline, frame, language).place();
}

}  // namespace assay::html
