#include "reports/render_html_axis.h"

#include <algorithm>
#include <cmath>

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

}  // namespace assay::html
