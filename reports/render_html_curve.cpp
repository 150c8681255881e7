#include "reports/render_html_curve.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "reports/curve_table.h"
#include "reports/render_html_curve_places.h"
#include "reports/render_html_marker.h"
#include "reports/render_html_parts.h"
#include "reports/texts.h"

namespace assay::html {

namespace {

constexpr double text_size = 10.5;
constexpr double marker_reach = 4.5;
constexpr double size_tick_room = 50;

constexpr CurveFrame wide = {"wide", 760, 412, 58, 704, 40, 368};
constexpr CurveFrame narrow = {"narrow", 380, 412, 50, 324, 40, 368};

class CurveDrawing {
  public:
    CurveDrawing(const Curve& curve, const PlacedCurve& placed, Language language)
        : curve_(curve),
          declaration_(*curve.declaration),
          placed_(placed),
          frame_(placed.frame),
          language_(language),
          taken_({frame_.left - 3, frame_.top, frame_.width, frame_.bottom - 1}) {}

    std::string draw() {
        out_ += fmt::format(R"(<svg class="{}" role="img" viewBox="0 0 {:g} {:g}"><title>{}</title>)",
                            frame_.style, frame_.width, frame_.height,
                            escape(phrase(language_, declaration_.title)));
        add_zone();
        add_axes();
        add_bounds();
        add_guides();
        for (const PlacedLine& line : placed_.lines) add_line(line);
        add_marks();
        add_points();
        add_line_names();
        add_point_names();
        return std::move(out_) + "</svg>";
    }

  private:
    void add_text(Place place, Anchor anchor, std::string_view style, std::string_view text) {
        out_ += fmt::format(R"(<text x="{:.1f}" y="{:.1f}" class="{}{}">{}</text>)", place.x, place.y, style,
                            anchor_class(anchor), escape(text));
    }

    void add_zone() {
        if (placed_.x_bound == nullptr || placed_.y_bound == nullptr) return;
        const double from = placed_.x.place(placed_.x_bound->bound.low),
                     top = placed_.y.place(placed_.y_bound->bound.low);
        out_ += fmt::format(R"(<rect class="z" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>)", from,
                            top, frame_.right - from, frame_.bottom - top);
    }

    void add_axes() {
        for (const double tick : logarithmic_ticks(placed_.y.low, placed_.y.high)) {
            const double y = placed_.y.place(tick);
            out_ += fmt::format(R"(<path class="g" d="M{:g} {:.1f}H{:g}"/>)", frame_.left, y, frame_.right);
            add_text({frame_.left - 6, y + 3.5}, Anchor::end, "",
                     quantity_tick(tick, placed_.unit_y, language_));
        }
        const std::string unit = placed_.unit_x == Unit::byte ? add_size_ticks() : add_decimal_ticks();
        out_ +=
            fmt::format(R"(<path class="a" d="M{:g} {:g}H{:g}"/>)", frame_.left, frame_.bottom, frame_.right);
        const std::string_view x_title = phrase(language_, declaration_.x_title);
        const std::string with_unit =
            unit.empty() ? std::string(x_title) : fmt::format("{}, {}", x_title, unit);
        add_text({frame_.right, frame_.bottom + 34}, Anchor::end, "k",
                 phrase_with(language_, "curve.logarithmic", with_unit));
    }

    void add_tick(double x, std::string_view text) {
        out_ += fmt::format(R"(<path class="a" d="M{:.1f} {:g}v4"/>)", x, frame_.bottom);
        add_text({x, frame_.bottom + 16}, Anchor::middle, "", text);
    }

    /// Sizes in memory are powers of two, and say their unit themselves.
    std::string add_size_ticks() {
        const double doubling = placed_.x.place(2 * placed_.x.low) - placed_.x.place(placed_.x.low);
        const int doublings = static_cast<int>(std::ceil(size_tick_room / std::max(doubling, 1.0)));
        const double first = std::pow(2, std::ceil(std::log2(placed_.x.low)));
        for (double size = first; size <= placed_.x.high; size *= std::pow(2, doublings)) {
            if (placed_.x.place(size) + size_tick_room / 2 <= frame_.width)
                add_tick(placed_.x.place(size), memory_size(size));
        }
        return "";
    }

    /// Returns the unit of the ticks' numbers.
    std::string add_decimal_ticks() {
        const QuantityScale scale = scale_for(placed_.greatest_x, placed_.unit_x, language_);
        for (const double tick :
             logarithmic_ticks(placed_.x.low / scale.factor, placed_.x.high / scale.factor)) {
            add_tick(placed_.x.place(tick * scale.factor), tick_text(tick));
        }
        return scale.unit;
    }

    /// Upright lines, their names at the top beside them.
    void add_guides() {
        for (const PlacedGuide& guide : placed_.guides) {
            out_ +=
                fmt::format(R"(<path class="h" d="M{:.1f} {:g}V{:g}"/>)", guide.x, frame_.top, frame_.bottom);
            add_text({guide.x + 4, frame_.top + text_size}, Anchor::start, "k u", guide.name);
        }
    }

    /// The bounds' texts stand outside the plot, where nothing else can be.
    void add_bounds() {
        if (placed_.y_bound != nullptr) {
            const double y = placed_.y.place(placed_.y_bound->bound.low);
            out_ += fmt::format(R"(<path class="r y" d="M{:g} {:.1f}H{:g}"/>)", frame_.left, y, frame_.right);
            taken_.take({frame_.left, y - 0.5, frame_.right, y + 0.5});
            add_text({frame_.right + 4, y + 3.5}, Anchor::start, "k u",
                     format_bound(*placed_.y_bound, language_));
        }
        if (placed_.x_bound != nullptr) {
            const double x = placed_.x.place(placed_.x_bound->bound.low);
            const std::string text = format_bound(*placed_.x_bound, language_);
            out_ += fmt::format(R"(<path class="r x" d="M{:.1f} {:g}V{:g}"/>)", x, frame_.top - 24,
                                frame_.bottom);
            taken_.take({x - 0.5, frame_.top, x + 0.5, frame_.bottom});
            const double half = text_width(text, text_size) / 2;
            const double middle = std::min(std::max(x, 2 + half), frame_.width - 2 - half);
            add_text({middle, frame_.top - 28}, Anchor::middle, "k u", text);
        }
        // Last, since the upright line may pass through it.
        add_text({4, frame_.top - 10}, Anchor::start, "k",
                 phrase_with(language_, "curve.logarithmic", phrase(language_, declaration_.y_title)));
    }

    void add_line(const PlacedLine& line) {
        std::vector<Place> places;
        std::string points;
        for (const auto& [at, place] : line.places) {
            places.push_back(place);
            taken_.take({place.x - marker_reach, place.y - marker_reach, place.x + marker_reach,
                         place.y + marker_reach});
            points += fmt::format("{}{:.1f},{:.1f}", points.empty() ? "" : " ", place.x, place.y);
        }
        taken_.take_line(places);
        if (places.size() < 2) return;
        out_ += fmt::format(R"(<polyline class="l c{}" points="{}"/>)", line.number, points);
    }

    /// A point a group, so that pointing at one of its markers shows all of its figures.
    void add_points() {
        const std::vector<CurveColumn> columns = curve_columns(curve_, language_);
        for (std::size_t at = 0; at < curve_.points.size(); ++at) {
            std::string markers;
            for (std::size_t back = placed_.lines.size(); back-- > 0;) {
                for (const auto& [index, place] : placed_.lines[back].places) {
                    if (index == at) markers += marker(placed_.lines[back].number, place);
                }
            }
            if (markers.empty()) continue;
            std::string figures;
            for (const CurveColumn& column : columns) {
                if (column.kind == CurveColumn::Kind::interval) continue;
                figures +=
                    fmt::format("{}{} {}", figures.empty() ? "" : " · ", column.heading, column.cells[at]);
            }
            out_ += fmt::format("<g><title>{}</title>{}</g>", escape(figures), markers);
        }
    }

    /// A ring around the place, a line down from it, and beside its foot what it is.
    void add_marks() {
        double row = frame_.bottom - 5 - curve_row * static_cast<double>(placed_.marks.size() - 1);
        for (const PlacedMark& mark : placed_.marks) {
            const Place place = mark.place;
            out_ += fmt::format(
                R"(<g class="c{0}"><path class="f" d="M{1:.1f} {2:.1f}V{3:g}"/><circle class="o" cx="{1:.1f}" cy="{4:.1f}" r="7"/></g>)",
                mark.line, place.x, place.y + 7, frame_.bottom, place.y);
            const std::string text =
                fmt::format("{} ≤ {}{}{}",
                            phrase(language_, fmt::format("statistic.{}", to_string(mark.mark->statistic))),
                            format_quantity(mark.mark->y, placed_.unit_y, language_),
                            phrase(language_, "colon"), format_quantity(mark.x, placed_.unit_x, language_));
            const bool flips = place.x + 5 + text_width(text, text_size) > frame_.width;
            const Place beside = {flips ? place.x - 5 : place.x + 5, row};
            const Anchor anchor = flips ? Anchor::end : Anchor::start;
            add_text(beside, anchor, fmt::format("k n c{}", mark.line), text);
            taken_.take(text_box(text, text_size, beside, anchor));
            taken_.take({place.x - 7, place.y - 7, place.x + 7, place.y + 7});
            row += curve_row;
        }
    }

    bool is_marked(std::size_t at) const {
        return std::any_of(placed_.marks.begin(), placed_.marks.end(),
                           [&](const PlacedMark& mark) { return mark.point == at; });
    }

    /// Beside the last points: to their right, but to their left where the curve comes back from the right.
    void add_line_names() {
        std::vector<double> wanted;
        double rightmost = frame_.left, leftmost = frame_.right;
        bool comes_back = false;
        for (const PlacedLine& line : placed_.lines) {
            if (line.places.empty()) continue;
            const Place last = line.places.back().second;
            wanted.push_back(last.y + 3.5);
            rightmost = std::max(rightmost, last.x);
            leftmost = std::min(leftmost, last.x);
            comes_back |=
                line.places.size() > 1 && line.places[line.places.size() - 2].second.x > last.x + 12;
        }
        const double x = comes_back ? leftmost - 9 : rightmost + 9;
        const Anchor anchor = comes_back ? Anchor::end : Anchor::start;
        const std::vector<double> heights =
            spread(wanted, curve_row, frame_.top + text_size, frame_.bottom - 4);
        std::size_t at = 0;
        for (const PlacedLine& line : placed_.lines) {
            if (line.places.empty()) continue;
            const std::string name = line_name(curve_, line.what, language_);
            const Place place = {x, heights[at++]};
            add_text(place, anchor, fmt::format("k n c{}", line.number), name);
            taken_.take(text_box(name, text_size, place, anchor));
        }
    }

    /// Each point's axis label once, where it is not x itself: below its lowest marker or beside it, where
    /// that is free. Those that are marked come first, then the ends: they say how far the curve goes.
    void add_point_names() {
        // What stands along the axis needs no saying.
        if (declaration_.x.empty()) return;
        std::vector<std::size_t> order;
        for (std::size_t at = 0; at < curve_.points.size(); ++at) order.push_back(at);
        if (order.size() > 2) std::rotate(order.begin() + 1, order.end() - 1, order.end());
        std::stable_partition(order.begin(), order.end(), [&](std::size_t at) { return is_marked(at); });
        for (const std::size_t at : order) {
            const std::optional<std::pair<Place, Place>> ends = ends_of(at);
            if (!ends) continue;
            const Place lowest = ends->first, highest = ends->second;
            const std::string& name = curve_.points[at].at;
            // The marked point's own name stands outside its ring; one of a neighbour there would be taken
            // for it.
            const double away = is_marked(at) && is_ringed(lowest) ? 7 : 0;
            const double below = lowest.y + 15 + away, aslant = lowest.y + 12 + away, level = lowest.y + 4;
            const double right = lowest.x + 8 + away, left = lowest.x - 8 - away;
            std::vector<std::pair<Place, Anchor>> candidates = {{{lowest.x, below}, Anchor::middle},
                                                                {{right, aslant}, Anchor::start},
                                                                {{right, level}, Anchor::start},
                                                                {{left, aslant}, Anchor::end},
                                                                {{left, level}, Anchor::end}};
            // Beside the last point stand the lines' names.
            if (at + 1 == curve_.points.size())
                candidates.push_back({{highest.x, highest.y - 9}, Anchor::middle});
            for (const auto& [place, anchor] : candidates) {
                const Box box = text_box(name, text_size, place, anchor);
                // Digits that touch their neighbours' would read as one number.
                if (!taken_.is_free({box.left - 2, box.top, box.right + 2, box.bottom})) continue;
                add_text(place, anchor, "k", name);
                taken_.take(box);
                break;
            }
        }
    }

    /// The lowest and the highest marker of a point.
    std::optional<std::pair<Place, Place>> ends_of(std::size_t at) const {
        std::optional<std::pair<Place, Place>> ends;
        for (const PlacedLine& line : placed_.lines) {
            for (const auto& [index, place] : line.places) {
                if (index != at) continue;
                if (!ends) ends = {place, place};
                if (place.y > ends->first.y) ends->first = place;
                if (place.y < ends->second.y) ends->second = place;
            }
        }
        return ends;
    }

    bool is_ringed(Place place) const {
        return std::any_of(placed_.marks.begin(), placed_.marks.end(), [&](const PlacedMark& mark) {
            return std::hypot(mark.place.x - place.x, mark.place.y - place.y) < 12;
        });
    }

    const Curve& curve_;
    const CurveDeclaration& declaration_;
    const PlacedCurve& placed_;
    const CurveFrame& frame_;
    Language language_;
    Occupancy taken_;
    std::string out_;
};

/// A cell a point; the interval is what a telephone has no room for.
void append_table(std::string& out, const Curve& curve, Language language) {
    using Kind = CurveColumn::Kind;
    const std::vector<CurveColumn> columns = curve_columns(curve, language);
    const auto style_of = [](const CurveColumn& column) -> std::string_view {
        if (column.kind == Kind::axis) return "";
        const bool spare = column.kind == Kind::aside || column.kind == Kind::interval;
        return spare ? R"( class="number spare")" : R"( class="number")";
    };
    out += R"(<table class="points"><thead><tr>)";
    for (const CurveColumn& column : columns) {
        out += fmt::format(R"(<th scope="col"{}>{}</th>)", style_of(column), escape(column.heading));
    }
    out += "</tr></thead><tbody>\n";
    for (std::size_t at = 0; at < curve.points.size(); ++at) {
        out += "<tr>";
        for (const CurveColumn& column : columns) {
            const std::string_view cell = column.kind == Kind::axis ? R"(th scope="row")" : "td";
            out += fmt::format("<{}{}>{}</{}>", cell, style_of(column), escape(column.cells[at]),
                               cell.substr(0, 2));
        }
        out += "</tr>\n";
    }
    out += "</tbody></table>\n";
}

}  // namespace

std::string curve_figure(const Curve& curve, const Report& report, Language language) {
    std::string drawings;
    bool has_zone = false;
    for (const CurveFrame& frame : {wide, narrow}) {
        const std::optional<PlacedCurve> placed = place_curve(curve, report, frame);
        if (!placed) continue;
        drawings += CurveDrawing(curve, *placed, language).draw();
        has_zone = placed->x_bound != nullptr && placed->y_bound != nullptr;
    }
    std::string out = R"(<div class="curve">)";
    if (!drawings.empty()) {
        std::string note(phrase(language, curve.declaration->axis_note));
        if (has_zone) {
            note += fmt::format("{}{}", phrase(language, "clause_separator"),
                                phrase(language, "curve.zone_note"));
        }
        out += fmt::format("<figure><figcaption>{} <small>{}</small></figcaption>{}</figure>\n",
                           escape(phrase(language, curve.declaration->title)), escape(note), drawings);
    }
    append_table(out, curve, language);
    return out + "</div>\n";
}

}  // namespace assay::html
