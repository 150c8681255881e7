#pragma once

#include <string_view>
#include <vector>

// Where a drawing's small texts can stand without covering anything.
namespace assay::html {

struct Place {
    double x = 0;
    double y = 0;
};

struct Box {
    double left = 0, top = 0, right = 0, bottom = 0;
    bool overlaps(const Box& other) const {
        return left < other.right && other.left < right && top < other.bottom && other.top < bottom;
    }
};

/// How wide a text of this size is at most, in the drawing's units: fonts differ, so a little is added.
double text_width(std::string_view text, double size);

enum class Anchor { start, middle, end };
/// What a text covers whose base line stands at `place`.
Box text_box(std::string_view text, double size, Place place, Anchor anchor);

/// What a drawing has already taken.
class Occupancy {
  public:
    explicit Occupancy(Box frame) : frame_(frame) {}
    void take(const Box& box) { boxes_.push_back(box); }
    /// A line through these places, as a row of small boxes.
    void take_line(const std::vector<Place>& places);
    /// Inside the frame and over nothing.
    bool is_free(const Box& box) const;

  private:
    Box frame_;
    std::vector<Box> boxes_;
};

/// Heights as near to the wanted ones as `distance` between them allows, in the same order, within
/// [top, bottom] where they all fit.
std::vector<double> spread(std::vector<double> wanted, double distance, double top, double bottom);

}  // namespace assay::html
