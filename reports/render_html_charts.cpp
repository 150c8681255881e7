#include "reports/render_html_charts.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "reports/render_html_axis.h"
#include "reports/render_html_parts.h"
#include "reports/texts.h"

namespace assay::html {

namespace {

// The drawing's own units; on a page they are about CSS pixels.
constexpr double width = 440;
constexpr double height = 180;
constexpr double left = 52;
constexpr double right = 430;
constexpr double top = 24;
constexpr double bottom = 146;
constexpr std::size_t columns = static_cast<std::size_t>(right - left);

void append(std::string& out, const std::string& text) {
    out += text;
}

std::string open_chart(std::string_view caption, std::string_view note) {
    std::string out = fmt::format("<figure><figcaption>{}", escape(caption));
    if (!note.empty()) out += fmt::format(" <small>{}</small>", escape(note));
    out += fmt::format(R"(</figcaption><svg role="img" viewBox="0 0 {:g} {:g}"><title>{}</title>)", width,
                       height, escape(caption));
    return out;
}

void append_horizontal_ticks(std::string& out, const Axis& axis, const QuantityScale& scale) {
    for (const double tick : axis_ticks(axis.low / scale.factor, axis.high / scale.factor, 4)) {
        const double y = axis.place(tick * scale.factor);
        out += fmt::format(
            R"(<path class="g" d="M{:g} {:.1f}H{:g}"/><text x="{:g}" y="{:.1f}" class="e">{}</text>)", left,
            y, right, left - 6, y + 3.5, tick_text(tick));
    }
    out += fmt::format(R"(<text x="4" y="12">{}</text>)", escape(scale.unit));
}

/// A tick's text stands under it, but at the right edge it would be cut off.
std::string_view anchor_of(double x) {
    return x > right - 14 ? "e" : "m";
}

void append_vertical_ticks(std::string& out, const Axis& axis, double factor, std::string_view title) {
    for (const double tick : axis_ticks(axis.low / factor, axis.high / factor, 5)) {
        const double x = axis.place(tick * factor);
        out += fmt::format(
            R"(<path class="a" d="M{0:.1f} {1:g}v4"/><text x="{0:.1f}" y="{2:g}" class="{4}">{3}</text>)", x,
            bottom, bottom + 15, tick_text(tick), anchor_of(x));
    }
    out += fmt::format(R"(<path class="a" d="M{:g} {:g}H{:g}"/><text x="{:g}" y="{:g}" class="e">{}</text>)",
                       left, bottom, right, right, bottom + 30, escape(title));
}

/// A range around the values, never so narrow that noise of a per mille fills the chart.
std::pair<double, double> comfortable_range(double low, double high) {
    const double least = 0.1 * std::max(std::abs(low), std::abs(high));
    const double span = std::max({high - low, least, 1e-300});
    const double middle = (low + high) / 2;
    const double from = middle - 0.6 * span;
    const double to = middle + 0.6 * span;
    return {low >= 0 ? std::max(0.0, from) : from, to};
}

std::pair<double, double> range_of(const std::vector<SeriesPoint>& points) {
    double low = points.front().value, high = low;
    for (const SeriesPoint& point : points) {
        low = std::min(low, point.value);
        high = std::max(high, point.value);
    }
    return {low, high};
}

/// Tenths of a unit as integers and steps from the last place: half the bytes of plain coordinates.
class PathPen {
  public:
    void move(double x, double y) { step('M', x, y); }
    void line(double x, double y) { step('l', x, y); }
    const std::string& text() const { return text_; }

  private:
    void step(char command, double x, double y) {
        const long to_x = std::lround(x * 10), to_y = std::lround(y * 10);
        const long dx = command == 'M' ? to_x : to_x - x_;
        const long dy = command == 'M' ? to_y : to_y - y_;
        text_ += command;
        append_integer(dx);
        if (dy >= 0) text_ += ' ';  // a minus sign parts numbers, too
        append_integer(dy);
        x_ = to_x, y_ = to_y;
    }
    void append_integer(long value) {
        char digits[24];
        const std::to_chars_result end = std::to_chars(digits, digits + sizeof digits, value);
        text_.append(digits, end.ptr);
    }
    std::string text_;
    long x_ = 0, y_ = 0;
};

/// The line through all points; of a long series, from the least to the greatest value of each column.
void append_line(std::string& out, const std::vector<SeriesPoint>& points, const Axis& x, const Axis& y) {
    PathPen pen;
    if (points.size() <= columns) {
        for (std::size_t at = 0; at < points.size(); ++at) {
            const double to_x = x.place(points[at].at), to_y = y.place(points[at].value);
            at == 0 ? pen.move(to_x, to_y) : pen.line(to_x, to_y);
        }
    } else {
        for (std::size_t at = 0; at < points.size();) {
            const double column = std::floor(x.place(points[at].at));
            const std::size_t first = at;
            std::size_t least = at, greatest = at;
            for (; at < points.size() && std::floor(x.place(points[at].at)) == column; ++at) {
                if (points[at].value < points[least].value) least = at;
                if (points[at].value > points[greatest].value) greatest = at;
            }
            const double to_x = column + 0.5;
            const auto [one, other] = std::minmax(least, greatest);
            const double to_y = y.place(points[one].value);
            first == 0 ? pen.move(to_x, to_y) : pen.line(to_x, to_y);
            if (other != one) pen.line(to_x, y.place(points[other].value));
        }
    }
    out += fmt::format(R"svg(<path class="l" transform="scale(.1)" d="{}"/>)svg", pen.text());
}

/// What a chart's dashed line and band stand for: the headline value, which is also what the samples of
/// latencies are of their slices. Of a worst sample, which lies at the edge, the median.
struct Level {
    double value = 0;
    std::optional<Interval> ci95;
};
std::optional<Level> level_of(const Metric& metric) {
    const bool worst = metric.statistic == Statistic::worst;
    Level level{worst ? metric.summary.median : metric.value,
                worst ? metric.summary.median_ci95 : headline_interval(metric)};
    if (!std::isfinite(level.value)) return std::nullopt;
    if (level.ci95 && !(std::isfinite(level.ci95->low) && std::isfinite(level.ci95->high)))
        level.ci95.reset();
    return level;
}

void append_level(std::string& out, const Level& level, const Axis& y) {
    if (level.ci95) {
        const double high = y.place(level.ci95->high);
        const double low = y.place(level.ci95->low);
        out += fmt::format(R"(<rect class="b" x="{:g}" y="{:.1f}" width="{:g}" height="{:.1f}"/>)", left,
                           high, right - left, std::max(0.8, low - high));
    }
    out += fmt::format(R"(<path class="d" d="M{:g} {:.1f}H{:g}"/>)", left, y.place(level.value), right);
}

std::string series_chart(const Metric& metric, std::string_view name, Language language) {
    SeriesDrawing drawing;
    drawing.caption = phrase_with(language, "chart.series", name);
    drawing.unit = metric.unit;
    drawing.points = metric.series;
    if (const std::optional<Level> level = level_of(metric)) {
        drawing.level = level->value;
        drawing.level_ci95 = level->ci95;
    }
    if (metric.limit) {
        drawing.limit = metric.limit->value;
        drawing.limit_name = phrase(language, "chart.limit");
    }
    return series_drawing(drawing, language);
}

/// The samples in the order taken, a dot each, from top to bottom; their value to the right.
std::string strip_chart(const Metric& metric, std::string_view name, Language language) {
    std::vector<double> values;
    for (const double value : metric.samples) {
        if (std::isfinite(value)) values.push_back(value);
    }
    if (values.size() < 2) return "";
    const auto [least, greatest] = std::minmax_element(values.begin(), values.end());
    const auto [from, to] = comfortable_range(*least, *greatest);
    const Axis x{from, to, left, right, false};
    const Axis y{0, static_cast<double>(values.size() - 1), top + 6, bottom - 8, false};
    const QuantityScale scale = scale_for(std::max(std::abs(from), std::abs(to)), metric.unit, language);

    std::string out = open_chart(phrase_with(language, "chart.strip", name), "");
    append_vertical_ticks(out, x, scale.factor, scale.unit);
    const std::optional<Level> level = level_of(metric);
    if (level && level->ci95) {
        const double low = x.place(level->ci95->low);
        const double high = x.place(level->ci95->high);
        out += fmt::format(R"(<rect class="b" x="{:.1f}" y="{:g}" width="{:.1f}" height="{:g}"/>)", low, top,
                           std::max(0.8, high - low), bottom - top);
    }
    if (level) {
        out += fmt::format(R"(<path class="d" d="M{:.1f} {:g}V{:g}"/>)", x.place(level->value), top, bottom);
    }
    out += fmt::format(
        R"(<text x="{0:g}" y="{1:g}" class="e">1</text><text x="{0:g}" y="{2:g}" class="e">{3}</text>)"
        R"(<text x="4" y="12">{4}</text>)",
        left - 6, top + 10, bottom - 4, values.size(), phrase(language, "chart.order_axis"));
    // A dot is a line of no length with round ends. At most some four dots a unit of height are drawn.
    const std::size_t stride = std::max<std::size_t>(1, values.size() / 480);
    PathPen pen;
    for (std::size_t at = 0; at < values.size(); at += stride) {
        pen.move(x.place(values[at]), y.place(static_cast<double>(at)));
        pen.line(x.place(values[at]), y.place(static_cast<double>(at)));
    }
    out += fmt::format(R"svg(<path class="p" transform="scale(.1)" d="{}"/>)svg", pen.text());
    append(out, "</svg></figure>\n");
    return out;
}

std::string histogram_chart(const Histogram& histogram, std::string_view name, Language language) {
    const double least = std::max(1.0, static_cast<double>(histogram.minimum()));
    const double greatest = std::max(least, static_cast<double>(histogram.maximum()));
    const Axis x{least / 1.03, greatest * 1.03, left, right, true};
    // Bars may not be narrower than a bucket of the histogram (1/128 octave), or they would show its grid.
    const double narrowest = 2 * std::log(2.0) / 128;
    const std::size_t bars =
        static_cast<std::size_t>(std::clamp(std::floor(std::log(x.high / x.low) / narrowest), 4.0, 72.0));
    std::vector<double> counts(bars, 0);
    for (const auto& [lower, count] : histogram.buckets()) {
        const double share =
            std::log(std::max(1.0, static_cast<double>(lower)) / x.low) / std::log(x.high / x.low);
        const double bar =
            std::clamp(std::floor(share * static_cast<double>(bars)), 0.0, static_cast<double>(bars - 1));
        counts[static_cast<std::size_t>(bar)] += static_cast<double>(count);
    }
    const double most = *std::max_element(counts.begin(), counts.end());
    // Logarithmic, so that a single slow operation among a million is seen; a count of one has its height.
    const Axis y{0.5, std::max(10.0, most * 1.3), bottom, top + 26, true};

    std::string out = open_chart(phrase_with(language, "chart.histogram", name), "");
    for (double tick = 1; tick <= y.high; tick *= 10) {
        const double at = y.place(tick);
        out += fmt::format(
            R"(<path class="g" d="M{:g} {:.1f}H{:g}"/><text x="{:g}" y="{:.1f}" class="e">{}</text>)", left,
            at, right, left - 6, at + 3.5, format_quantity(tick, Unit::count, language));
    }
    const double wide = (right - left) / static_cast<double>(bars);
    std::string path;
    for (std::size_t bar = 0; bar < bars; ++bar) {
        if (counts[bar] == 0) continue;
        const double at = y.place(counts[bar]);
        path += fmt::format("M{:.1f} {:g}V{:.1f}h{:.1f}V{:g}z",
                            left + wide * static_cast<double>(bar) + wide * 0.06, bottom, at, wide * 0.88,
                            bottom);
    }
    out += fmt::format(R"(<path class="h" d="{}"/>)", path);
    for (const double tick : logarithmic_ticks(x.low, x.high)) {
        const double at = x.place(tick);
        out += fmt::format(
            R"(<path class="a" d="M{0:.1f} {1:g}v4"/><text x="{0:.1f}" y="{2:g}" class="{4}">{3}</text>)", at,
            bottom, bottom + 15, quantity_tick(tick * 1e-9, Unit::second, language), anchor_of(at));
    }
    out += fmt::format(R"(<path class="a" d="M{:g} {:g}H{:g}"/><text x="4" y="12">{}</text>)", left, bottom,
                       right, phrase(language, "chart.count_axis"));
    double row = top - 2;
    for (const double rank : {50.0, 99.0, 99.9}) {
        const double value = histogram.percentile(rank);
        const double at = x.place(std::max(1.0, value));
        const bool flip = at > right - 82;
        out += fmt::format(
            R"(<path class="d" d="M{0:.1f} {1:g}V{2:g}"/><text x="{3:.1f}" y="{1:g}" class="k{4}" dy="5">p{5:g} {6}</text>)",
            at, row, bottom, flip ? at - 4 : at + 4, flip ? " e" : "", rank,
            escape(format_quantity(value * 1e-9, Unit::second, language)));
        row += 12;
    }
    append(out, "</svg></figure>\n");
    return out;
}

}  // namespace

std::string series_drawing(const SeriesDrawing& drawing, Language language) {
    std::vector<SeriesPoint> points;
    for (const SeriesPoint& point : drawing.points) {
        if (std::isfinite(point.at) && std::isfinite(point.value)) points.push_back(point);
    }
    if (points.size() < 2) return "";
    std::stable_sort(points.begin(), points.end(),
                     [](const SeriesPoint& one, const SeriesPoint& other) { return one.at < other.at; });
    auto [low, high] = range_of(points);
    if (drawing.level) {
        low = std::min(low, *drawing.level);
        high = std::max(high, *drawing.level);
    }
    const bool show_limit = drawing.limit && *drawing.limit >= high && *drawing.limit <= 1.25 * high;
    if (show_limit) high = *drawing.limit;
    const auto [from, to] = comfortable_range(low, high);
    const Axis y{from, to, bottom, top, false};
    const double begin = std::min(0.0, points.front().at);
    const Axis x{begin, std::max(points.back().at, begin + 1e-9), left, right, false};
    const QuantityScale scale = scale_for(std::max(std::abs(from), std::abs(to)), drawing.unit, language);

    const std::string note =
        points.size() > columns ? phrase_with(language, "chart.thinned", points.size()) : "";
    std::string out = open_chart(drawing.caption, note);
    for (const Interval& span : drawing.shaded) {
        if (!(std::isfinite(span.low) && std::isfinite(span.high))) continue;
        const double at = x.place(span.low);
        out += fmt::format(R"(<rect class="t" x="{:.1f}" y="{:g}" width="{:.1f}" height="{:g}"/>)", at, top,
                           std::max(0.8, x.place(span.high) - at), bottom - top);
    }
    append_horizontal_ticks(out, y, scale);
    append_vertical_ticks(out, x, 1, phrase(language, "chart.time_axis"));
    if (drawing.level) append_level(out, {*drawing.level, drawing.level_ci95}, y);
    if (show_limit) {
        const double at = y.place(*drawing.limit);
        out += fmt::format(
            R"(<path class="i" d="M{:g} {:.1f}H{:g}"/><text x="{:g}" y="{:.1f}" class="e">{}</text>)", left,
            at, right, right - 2, at - 3, escape(drawing.limit_name));
    }
    append_line(out, points, x, y);
    for (const SeriesPoint& event : drawing.events) {
        if (!(std::isfinite(event.at) && std::isfinite(event.value))) continue;
        const double at = std::clamp(x.place(event.at), left, right);
        out += fmt::format(
            R"(<path class="x" d="M{:.1f} {:g}V{:g}"/><text x="{:.1f}" y="{:g}" class="k{}">{} {:g}</text>)",
            at, top, bottom, at + (at > (left + right) / 2 ? -3 : 3), top + 10,
            at > (left + right) / 2 ? " e" : "", escape(drawing.event_name), event.value);
    }
    append(out, "</svg></figure>\n");
    return out;
}

std::string metric_charts(const Metric& metric, std::string_view name, Language language) {
    std::string charts;
    if (metric.histogram && metric.histogram->count() > 1)
        charts += histogram_chart(*metric.histogram, name, language);
    if (metric.series.size() > 1) {
        charts += series_chart(metric, name, language);
    } else if (charts.empty()) {
        charts += strip_chart(metric, name, language);
    }
    return charts;
}

}  // namespace assay::html
