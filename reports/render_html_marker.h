#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "reports/render_html_placement.h"

// What points are drawn with: four shapes, so that colour never tells alone.
namespace assay::html {

/// The marker of a series, centred at the place.
std::string marker(std::size_t number, Place place);
/// The same shape as a character, for a table beside the drawing.
std::string_view marker_sign(std::size_t number);

/// The style of a text's anchor, with a space before it; empty for a start.
std::string_view anchor_class(Anchor anchor);

}  // namespace assay::html
