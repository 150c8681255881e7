#include "reports/render_html_placement.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "reports/utf8.h"

namespace assay::html {

double text_width(std::string_view text, double size) {
    return 0.58 * size * display_width(text);
}

Box text_box(std::string_view text, double size, Place place, Anchor anchor) {
    const double width = text_width(text, size);
    const double share = anchor == Anchor::start ? 0 : anchor == Anchor::middle ? 0.5 : 1;
    const double left = place.x - share * width;
    return {left, place.y - 0.78 * size, left + width, place.y + 0.22 * size};
}

void Occupancy::take_line(const std::vector<Place>& places) {
    constexpr double step = 3, half = 1.5;
    for (std::size_t at = 1; at < places.size(); ++at) {
        const Place& from = places[at - 1];
        const double dx = places[at].x - from.x, dy = places[at].y - from.y;
        const int steps = std::max(1, static_cast<int>(std::ceil(std::hypot(dx, dy) / step)));
        for (int i = 0; i <= steps; ++i) {
            const double x = from.x + dx * i / steps, y = from.y + dy * i / steps;
            take({x - half, y - half, x + half, y + half});
        }
    }
}

bool Occupancy::is_free(const Box& box) const {
    const bool inside = box.left >= frame_.left && box.right <= frame_.right && box.top >= frame_.top &&
                        box.bottom <= frame_.bottom;
    return inside &&
           std::none_of(boxes_.begin(), boxes_.end(), [&](const Box& taken) { return taken.overlaps(box); });
}

std::vector<double> spread(std::vector<double> wanted, double distance, double top, double bottom) {
    std::vector<std::size_t> order(wanted.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t one, std::size_t other) { return wanted[one] < wanted[other]; });
    double least = top;
    for (const std::size_t at : order) {
        wanted[at] = std::max(wanted[at], least);
        least = wanted[at] + distance;
    }
    double most = bottom;
    for (std::size_t back = order.size(); back-- > 0;) {
        wanted[order[back]] = std::min(wanted[order[back]], most);
        most = wanted[order[back]] - distance;
    }
    return wanted;
}

}  // namespace assay::html
