#include "reports/render_html_axis.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "reports/texts.h"

namespace assay::html {

double Axis::place(double value) const {
    const double share =
        logarithmic ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
    return from + (to - from) * std::clamp(share, 0.0, 1.0);
}

std::vector<double> axis_ticks(double low, double high, int wanted) {
    std::vector<double> ticks;
    if (!std::isfinite(low) || !std::isfinite(high) || !(high > low) || wanted < 1) return ticks;
    const double rough = (high - low) / wanted;
    const double decade = std::pow(10, std::floor(std::log10(rough)));
    double step = 10 * decade;
    for (const double factor : {1.0, 2.0, 5.0}) {
        if (decade * factor >= rough * 0.999) {
            step = decade * factor;
            break;
        }
    }
    const double first = std::ceil(low / step - 1e-9);
    for (int at = 0; at < 4 * wanted; ++at) {
        const double tick = (first + at) * step;
        if (tick > high + 1e-9 * step) break;
        ticks.push_back(tick);
    }
    return ticks;
}

std::vector<double> logarithmic_ticks(double low, double high) {
    std::vector<double> ticks;
    const double decades = std::log10(high / low);
    if (decades < 0.8) return axis_ticks(low, high, 4);
    for (double decade = std::pow(10, std::floor(std::log10(low))); decade <= high; decade *= 10) {
        for (const double step : {1.0, 2.0, 5.0}) {
            if (step != 1 && decades > 2.5) continue;
            if (decade * step >= low * 0.999 && decade * step <= high * 1.001) ticks.push_back(decade * step);
        }
    }
    return ticks;
}

std::string tick_text(double scaled) {
    // Steps of 1, 2 and 5 leave rounding errors (0.30000000000000004).
    return fmt::format("{:.6g}", std::abs(scaled) < 1e-12 ? 0.0 : scaled);
}

std::string quantity_tick(double value, Unit unit, Language language) {
    const QuantityScale scale = scale_for(value, unit, language);
    const std::string number = tick_text(value / scale.factor);
    return scale.unit.empty() ? number : number + " " + scale.unit;
}

}  // namespace assay::html
