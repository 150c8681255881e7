#include "reports/render_html_curve.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "reports/curve_table.h"
#include "reports/render_html_axis.h"
#include "reports/render_html_parts.h"
#include "reports/render_html_placement.h"
#include "reports/texts.h"

namespace assay::html {

namespace {

constexpr double text_size = 10.5;
constexpr double line_distance = 12.5;
constexpr double marker_reach = 4.5;

/// A drawing's own units, about CSS pixels on the page that it is for.
struct Layout {
    std::string_view style;
    double width, height, left, right, top, bottom;
    int ticks;
};
constexpr Layout wide = {"wide", 760, 412, 58, 704, 40, 368, 6};
constexpr Layout narrow = {"narrow", 380, 412, 50, 324, 40, 368, 4};

/// What can be drawn of one statistic: a place a point that has both coordinates.
struct DrawnLine {
    Statistic statistic;
    std::size_t number = 0;                             ///< colour and marker
    std::vector<std::pair<std::size_t, Place>> places;  ///< the point's index, its place
};

struct DrawnMark {
    const CurveMark* mark = nullptr;
    double x = 0;
    std::size_t line = 0;
};

/// Nothing was done where x is zero, so there is nothing to draw.
std::optional<double> x_of(const CurvePoint& point) {
    if (point.x == nullptr) return std::nullopt;
    const std::optional<double> value = finite_statistic(point.x, point.x->statistic);
    return value && *value > 0 ? value : std::nullopt;
}

/// Only what is above zero has a place on a logarithmic axis.
std::optional<double> y_of(const CurvePoint& point, Statistic statistic) {
    const std::optional<double> value = finite_statistic(point.y, statistic);
    return value && *value > 0 ? value : std::nullopt;
}

struct Range {
    double low = 0, high = 0;
    bool any = false;
    void take(double value) {
        low = any ? std::min(low, value) : value;
        high = any ? std::max(high, value) : value;
        any = true;
    }
};

std::string marker(std::size_t number, Place place) {
    const double x = place.x, y = place.y;
    switch (number % 4) {
        case 0:
            return fmt::format(R"(<circle class="v c0" cx="{:.1f}" cy="{:.1f}" r="3.6"/>)", x, y);
        case 1:
            return fmt::format(R"(<path class="v c1" d="M{:.1f} {:.1f}h6v6h-6z"/>)", x - 3, y - 3);
        case 2:
            return fmt::format(R"(<path class="v c2" d="M{:.1f} {:.1f}l4 7h-8z"/>)", x, y - 4.5);
        default:
            return fmt::format(R"(<path class="v c3" d="M{:.1f} {:.1f}l4.2 4.2l-4.2 4.2l-4.2-4.2z"/>)", x,
                               y - 4.2);
    }
}

std::string_view anchor_class(Anchor anchor) {
    return anchor == Anchor::start ? "" : anchor == Anchor::middle ? " m" : " e";
}

class CurveDrawing {
  public:
    CurveDrawing(const Curve& curve, const Report& report, Language language, const Layout& layout)
        : curve_(curve),
          declaration_(*curve.declaration),
          language_(language),
          layout_(layout),
          x_bound_(reference_for(declaration_.x_reference, Direction::higher, report)),
          y_bound_(reference_for(declaration_.y_reference, Direction::lower, report)),
          taken_({layout.left - 3, layout.top, layout.width, layout.bottom - 1}) {}

    /// Empty where no point can be drawn.
    std::string draw() {
        if (!lay_out()) return "";
        fmt::format_to(std::back_inserter(out_),
                       R"(<svg class="{}" role="img" viewBox="0 0 {:g} {:g}"><title>{}</title>)",
                       layout_.style, layout_.width, layout_.height,
                       escape(phrase(language_, declaration_.title)));
        add_zone();
        add_axes();
        add_bounds();
        for (const DrawnLine& line : lines_) add_line(line);
        add_marks();
        add_points();
        add_line_names();
        add_point_names();
        return std::move(out_) + "</svg>";
    }

  private:
    bool lay_out() {
        Range x_range, y_range;
        for (const CurvePoint& point : curve_.points) {
            const std::optional<double> x = x_of(point);
            for (const Statistic statistic : declaration_.lines) {
                const std::optional<double> y = y_of(point, statistic);
                if (!x || !y) continue;
                x_range.take(*x);
                y_range.take(*y);
                unit_x_ = point.x->unit;
                unit_y_ = point.y->unit;
            }
        }
        if (!x_range.any) return false;
        find_marks();
        for (const DrawnMark& mark : marks_) {
            x_range.take(mark.x);
            y_range.take(mark.mark->y);
        }
        greatest_x_ = x_range.high;
        // The lines' names stand to the right of the last points.
        const double share_for_names = 46 / (layout_.right - layout_.left);
        double high = x_range.high / (1 - share_for_names);
        if (x_bound_ != nullptr) high = std::max(high, 1.06 * x_bound_->bound.low);
        if (y_bound_ != nullptr) y_range.take(y_bound_->bound.low);
        x_ = {0, high > 0 ? high : 1, layout_.left, layout_.right, false};
        // Below the lowest point stand the points' names, and a row a mark.
        const double reserved = 16 + line_distance * static_cast<double>(marks_.size());
        y_ = {y_range.low / 1.12, y_range.high * 1.25, layout_.bottom - reserved, layout_.top, true};
        place_lines();
        return true;
    }

    void place_lines() {
        for (std::size_t number = 0; number < declaration_.lines.size(); ++number) {
            DrawnLine line{declaration_.lines[number], number, {}};
            for (std::size_t at = 0; at < curve_.points.size(); ++at) {
                const std::optional<double> x = x_of(curve_.points[at]);
                const std::optional<double> y = y_of(curve_.points[at], line.statistic);
                if (x && y) line.places.push_back({at, {x_.place(*x), y_.place(*y)}});
            }
            std::vector<Place> places;
            for (const auto& [at, place] : line.places) {
                places.push_back(place);
                taken_.take({place.x - marker_reach, place.y - marker_reach, place.x + marker_reach,
                             place.y + marker_reach});
            }
            taken_.take_line(places);
            lines_.push_back(std::move(line));
        }
    }

    void find_marks() {
        for (const CurveMark& mark : declaration_.marks) {
            for (const Metric& metric : curve_.outcome->metrics) {
                if (metric.name != mark.metric || !std::isfinite(metric.value) || metric.value <= 0) continue;
                const std::vector<Statistic>& statistics = declaration_.lines;
                const std::vector<Statistic>::const_iterator line =
                    std::find(statistics.begin(), statistics.end(), mark.statistic);
                if (line == statistics.end()) break;
                marks_.push_back({&mark, metric.value, static_cast<std::size_t>(line - statistics.begin())});
                break;
            }
        }
    }

    void add_text(Place place, Anchor anchor, std::string_view style, std::string_view text) {
        fmt::format_to(std::back_inserter(out_), R"(<text x="{:.1f}" y="{:.1f}" class="{}{}">{}</text>)",
                       place.x, place.y, style, anchor_class(anchor), escape(text));
    }

    void add_zone() {
        if (x_bound_ == nullptr || y_bound_ == nullptr) return;
        const double from = x_.place(x_bound_->bound.low), top = y_.place(y_bound_->bound.low);
        fmt::format_to(std::back_inserter(out_),
                       R"(<rect class="z" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>)", from, top,
                       layout_.right - from, layout_.bottom - top);
    }

    void add_axes() {
        for (const double tick : logarithmic_ticks(y_.low, y_.high)) {
            const double y = y_.place(tick);
            fmt::format_to(std::back_inserter(out_), R"(<path class="g" d="M{:g} {:.1f}H{:g}"/>)",
                           layout_.left, y, layout_.right);
            add_text({layout_.left - 6, y + 3.5}, Anchor::end, "", quantity_tick(tick, unit_y_, language_));
        }
        const QuantityScale scale = scale_for(greatest_x_, unit_x_, language_);
        for (const double tick : axis_ticks(0, x_.high / scale.factor, layout_.ticks)) {
            const double x = x_.place(tick * scale.factor);
            fmt::format_to(std::back_inserter(out_), R"(<path class="a" d="M{:.1f} {:g}v4"/>)", x,
                           layout_.bottom);
            add_text({x, layout_.bottom + 16}, Anchor::middle, "", tick_text(tick));
        }
        fmt::format_to(std::back_inserter(out_), R"(<path class="a" d="M{:g} {:g}H{:g}"/>)", layout_.left,
                       layout_.bottom, layout_.right);
        const std::string_view x_title = phrase(language_, declaration_.x_title);
        add_text({layout_.right, layout_.bottom + 34}, Anchor::end, "k",
                 scale.unit.empty() ? std::string(x_title) : fmt::format("{} ({})", x_title, scale.unit));
    }

    /// The bounds' texts stand outside the plot, where nothing else can be.
    void add_bounds() {
        if (y_bound_ != nullptr) {
            const double y = y_.place(y_bound_->bound.low);
            fmt::format_to(std::back_inserter(out_), R"(<path class="r y" d="M{:g} {:.1f}H{:g}"/>)",
                           layout_.left, y, layout_.right);
            taken_.take({layout_.left, y - 0.5, layout_.right, y + 0.5});
            add_text({layout_.right + 4, y + 3.5}, Anchor::start, "k u", format_bound(*y_bound_, language_));
        }
        if (x_bound_ != nullptr) {
            const double x = x_.place(x_bound_->bound.low);
            const std::string text = format_bound(*x_bound_, language_);
            fmt::format_to(std::back_inserter(out_), R"(<path class="r x" d="M{:.1f} {:g}V{:g}"/>)", x,
                           layout_.top - 24, layout_.bottom);
            taken_.take({x - 0.5, layout_.top, x + 0.5, layout_.bottom});
            const double half = text_width(text, text_size) / 2;
            const double middle = std::min(std::max(x, 2 + half), layout_.width - 2 - half);
            add_text({middle, layout_.top - 28}, Anchor::middle, "k u", text);
        }
        // Last, since the upright line may pass through it.
        add_text({4, layout_.top - 10}, Anchor::start, "k",
                 phrase_with(language_, "curve.logarithmic", phrase(language_, declaration_.y_title)));
    }

    void add_line(const DrawnLine& line) {
        if (line.places.size() < 2) return;
        std::string points;
        for (const auto& [at, place] : line.places) {
            fmt::format_to(std::back_inserter(points), "{}{:.1f},{:.1f}", points.empty() ? "" : " ", place.x,
                           place.y);
        }
        fmt::format_to(std::back_inserter(out_), R"(<polyline class="l c{}" points="{}"/>)", line.number,
                       points);
    }

    /// A point a group, so that pointing at one of its markers shows all of its figures.
    void add_points() {
        const std::vector<CurveColumn> columns = curve_columns(curve_, language_);
        for (std::size_t at = 0; at < curve_.points.size(); ++at) {
            std::string markers;
            for (std::size_t back = lines_.size(); back-- > 0;) {
                for (const auto& [index, place] : lines_[back].places) {
                    if (index == at) markers += marker(lines_[back].number, place);
                }
            }
            if (markers.empty()) continue;
            std::string figures;
            for (const CurveColumn& column : columns) {
                if (column.kind == CurveColumn::Kind::interval) continue;
                fmt::format_to(std::back_inserter(figures), "{}{} {}", figures.empty() ? "" : " · ",
                               column.heading, column.cells[at]);
            }
            fmt::format_to(std::back_inserter(out_), "<g><title>{}</title>{}</g>", escape(figures), markers);
        }
    }

    /// A ring around the place, a line down from it, and beside its foot what it is.
    void add_marks() {
        double row = layout_.bottom - 5 - line_distance * static_cast<double>(marks_.size() - 1);
        for (const DrawnMark& mark : marks_) {
            const Place place = place_of(mark);
            fmt::format_to(
                std::back_inserter(out_),
                R"(<g class="c{0}"><path class="f" d="M{1:.1f} {2:.1f}V{3:g}"/><circle class="o" cx="{1:.1f}" cy="{4:.1f}" r="7"/></g>)",
                mark.line, place.x, place.y + 7, layout_.bottom, place.y);
            const std::string text =
                fmt::format("{} ≤ {}{}{}",
                            phrase(language_, fmt::format("statistic.{}", to_string(mark.mark->statistic))),
                            format_quantity(mark.mark->y, unit_y_, language_), phrase(language_, "colon"),
                            format_quantity(mark.x, unit_x_, language_));
            const bool flips = place.x + 5 + text_width(text, text_size) > layout_.width;
            const Place beside = {flips ? place.x - 5 : place.x + 5, row};
            const Anchor anchor = flips ? Anchor::end : Anchor::start;
            add_text(beside, anchor, fmt::format("k n c{}", mark.line), text);
            taken_.take(text_box(text, text_size, beside, anchor));
            taken_.take({place.x - 7, place.y - 7, place.x + 7, place.y + 7});
            row += line_distance;
        }
    }

    /// The index of the measured point that the mark is; nothing where it was interpolated.
    std::optional<std::size_t> point_of(const DrawnMark& mark) const {
        for (const auto& [at, place] : lines_[mark.line].places) {
            const double x = *x_of(curve_.points[at]);
            const double y = *y_of(curve_.points[at], mark.mark->statistic);
            if (std::abs(x - mark.x) <= 1e-9 * mark.x && y <= mark.mark->y * (1 + 1e-9)) return at;
        }
        return std::nullopt;
    }

    bool is_marked(std::size_t at) const {
        return std::any_of(marks_.begin(), marks_.end(),
                           [&](const DrawnMark& mark) { return point_of(mark) == at; });
    }

    Place place_of(const DrawnMark& mark) const {
        const std::optional<std::size_t> measured = point_of(mark);
        const double y = measured ? *y_of(curve_.points[*measured], mark.mark->statistic) : mark.mark->y;
        return {x_.place(mark.x), y_.place(y)};
    }

    /// Beside the last points: to their right, but to their left where the curve comes back from the right.
    void add_line_names() {
        std::vector<double> wanted;
        double rightmost = layout_.left, leftmost = layout_.right;
        bool comes_back = false;
        for (const DrawnLine& line : lines_) {
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
            spread(wanted, line_distance, layout_.top + text_size, layout_.bottom - 4);
        std::size_t at = 0;
        for (const DrawnLine& line : lines_) {
            if (line.places.empty()) continue;
            const std::string name(phrase(language_, fmt::format("statistic.{}", to_string(line.statistic))));
            const Place place = {x, heights[at++]};
            add_text(place, anchor, fmt::format("k n c{}", line.number), name);
            taken_.take(text_box(name, text_size, place, anchor));
        }
    }

    /// Each point's axis label once, below its lowest marker or beside it, where that is free. Those that are
    /// marked come first, then the ends: they say how far the curve goes.
    void add_point_names() {
        std::vector<std::size_t> order;
        for (std::size_t at = 0; at < curve_.points.size(); ++at) order.push_back(at);
        if (order.size() > 2) std::rotate(order.begin() + 1, order.end() - 1, order.end());
        std::stable_partition(order.begin(), order.end(), [&](std::size_t at) { return is_marked(at); });
        for (const std::size_t at : order) {
            const std::optional<std::pair<Place, Place>> ends = ends_of(at);
            if (!ends) continue;
            const Place lowest = ends->first, highest = ends->second;
            const std::string& name = curve_.points[at].at;
            const double away = is_ringed(lowest) ? 7 : 0;  // outside the ring
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
        for (const DrawnLine& line : lines_) {
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
        return std::any_of(marks_.begin(), marks_.end(), [&](const DrawnMark& mark) {
            const Place ring = place_of(mark);
            return std::hypot(ring.x - place.x, ring.y - place.y) < 12;
        });
    }

    const Curve& curve_;
    const CurveDeclaration& declaration_;
    Language language_;
    const Layout& layout_;
    const Requirement* x_bound_;
    const Requirement* y_bound_;
    Unit unit_x_ = Unit::count;
    Unit unit_y_ = Unit::count;
    Axis x_, y_;
    double greatest_x_ = 0;
    std::vector<DrawnLine> lines_;
    std::vector<DrawnMark> marks_;
    Occupancy taken_;
    std::string out_;
};

bool has_zone(const Curve& curve, const Report& report) {
    return reference_for(curve.declaration->x_reference, Direction::higher, report) != nullptr &&
           reference_for(curve.declaration->y_reference, Direction::lower, report) != nullptr;
}

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
        fmt::format_to(std::back_inserter(out), R"(<th scope="col"{}>{}</th>)", style_of(column),
                       escape(column.heading));
    }
    out += "</tr></thead><tbody>\n";
    for (std::size_t at = 0; at < curve.points.size(); ++at) {
        out += "<tr>";
        for (const CurveColumn& column : columns) {
            const std::string_view cell = column.kind == Kind::axis ? R"(th scope="row")" : "td";
            fmt::format_to(std::back_inserter(out), "<{}{}>{}</{}>", cell, style_of(column),
                           escape(column.cells[at]), cell.substr(0, 2));
        }
        out += "</tr>\n";
    }
    out += "</tbody></table>\n";
}

}  // namespace

std::string curve_figure(const Curve& curve, const Report& report, Language language) {
    std::string drawings;
    for (const Layout& layout : {wide, narrow}) {
        drawings += CurveDrawing(curve, report, language, layout).draw();
    }
    std::string out = R"(<div class="curve">)";
    if (!drawings.empty()) {
        std::string note(phrase(language, curve.declaration->axis_note));
        if (has_zone(curve, report)) {
            note += fmt::format("{}{}", phrase(language, "clause_separator"),
                                phrase(language, "curve.zone_note"));
        }
        fmt::format_to(std::back_inserter(out),
                       "<figure><figcaption>{} <small>{}</small></figcaption>{}</figure>\n",
                       escape(phrase(language, curve.declaration->title)), escape(note), drawings);
    }
    append_table(out, curve, language);
    return out + "</div>\n";
}

}  // namespace assay::html
