#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reports/render_html_axis.h"
#include "reports/render_html_curve_places.h"
#include "reports/render_html_placement.h"
#include "reports/roofline.h"

// Where the parts of a roofline's drawing stand, before anything is written.
namespace assay::html {

struct PlacedLabel {
    std::string text;
    Place place;
    Anchor anchor = Anchor::start;
    /// From the label to what it names, where it could not stand beside it.
    std::optional<Place> leads_to;
    Place leads_from;
};

/// What a label covers. It is bold, so wider than plain text is.
Box label_box(const PlacedLabel& label);

struct PlacedSegment {
    Place from, to;
};

struct PlacedCeiling {
    Measured measured;
    PlacedSegment line;  ///< from the ridge, or from the left edge where there is no line for memory
    PlacedLabel label;
};

struct PlacedKernel {
    std::size_t number = 0;  ///< from 1, in the roofline's order
    std::size_t series = 0;  ///< one a probe
    Place place;
    std::optional<PlacedLabel> label;  ///< nothing where every place around it is taken
};

struct PlacedRoofline {
    CurveFrame frame;
    Axis x, y;  ///< operations a byte, operations a second
    std::optional<PlacedSegment> memory;
    std::optional<PlacedLabel> memory_label;
    std::vector<PlacedCeiling> ceilings;
    std::vector<PlacedKernel> kernels;
};

/// No label covers another one, a line or a marker, but for labels of ceilings that find no room left of
/// their lines.
PlacedRoofline place_roofline(const Roofline& roofline, const CurveFrame& frame, Language language);

}  // namespace assay::html
