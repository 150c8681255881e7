#include "reports/render_html_marker.h"

#include <fmt/format.h>

namespace assay::html {

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

std::string_view marker_sign(std::size_t number) {
    constexpr std::string_view signs[] = {"●", "■", "▲", "◆"};
    return signs[number % 4];
}

}  // namespace assay::html
