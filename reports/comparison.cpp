#include "reports/comparison.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

namespace assay {

namespace {

bool is_digit(char character) {
    return character >= '0' && character <= '9';
}

bool is_letter(char character) {
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z');
}

/// Runs of digits and runs of letters; whatever stands between them only separates.
std::vector<std::string_view> version_parts(std::string_view version) {
    if (version.size() > 1 && (version[0] == 'v' || version[0] == 'V') && is_digit(version[1])) {
        version.remove_prefix(1);
    }
    std::vector<std::string_view> parts;
    std::size_t begin = 0;
    while (begin < version.size()) {
        const bool digits = is_digit(version[begin]);
        if (!digits && !is_letter(version[begin])) {
            ++begin;
            continue;
        }
        std::size_t end = begin;
        while (end < version.size() && (digits ? is_digit(version[end]) : is_letter(version[end]))) ++end;
        parts.push_back(version.substr(begin, end - begin));
        begin = end;
    }
    return parts;
}

/// Digits without leading zeros: the longer one is the larger number, however long.
std::string_view significant(std::string_view digits) {
    const std::size_t first = digits.find_first_not_of('0');
    return first == std::string_view::npos ? std::string_view() : digits.substr(first);
}

int sign(int number) {
    return (number > 0) - (number < 0);
}

int compare_parts(std::string_view left, std::string_view right) {
    const bool left_is_number = left.empty() || is_digit(left.front());
    const bool right_is_number = right.empty() || is_digit(right.front());
    if (left_is_number && right_is_number) {
        left = significant(left);
        right = significant(right);
        if (left.size() != right.size()) return left.size() < right.size() ? -1 : 1;
        return sign(left.compare(right));
    }
    if (left.empty() || right.empty()) return left.empty() ? -1 : 1;  // 1.1.1w is later than 1.1.1
    if (left_is_number != right_is_number) return left_is_number ? 1 : -1;
    return sign(left.compare(right));
}

}  // namespace

Side side_of(const Interval& interval, const Bound& bound) {
    bool inside = false;
    bool outside = false;
    switch (bound.comparison) {
        case Comparison::at_least:
            inside = interval.low >= bound.low;
            outside = interval.high < bound.low;
            break;
        case Comparison::above:
            inside = interval.low > bound.low;
            outside = interval.high <= bound.low;
            break;
        case Comparison::at_most:
            inside = interval.high <= bound.low;
            outside = interval.low > bound.low;
            break;
        case Comparison::below:
            inside = interval.high < bound.low;
            outside = interval.low >= bound.low;
            break;
        case Comparison::between:
            inside = interval.low >= bound.low && interval.high <= bound.high;
            outside = interval.high < bound.low || interval.low > bound.high;
            break;
        case Comparison::equals:
            inside = interval.low == bound.low && interval.high == bound.low;
            outside = interval.high < bound.low || interval.low > bound.low;
            break;
    }
    if (inside) return Side::inside;
    return outside ? Side::outside : Side::across;
}

std::optional<double> margin_of(double value, const Bound& bound) {
    double distance = 0;
    double reference = bound.low;
    switch (bound.comparison) {
        case Comparison::at_least:
        case Comparison::above:
            distance = value - bound.low;
            break;
        case Comparison::at_most:
        case Comparison::below:
            distance = bound.low - value;
            break;
        case Comparison::between:
            distance = value - bound.low;
            if (bound.high - value < distance) {
                distance = bound.high - value;
                reference = bound.high;
            }
            break;
        case Comparison::equals:
            distance = value == bound.low ? 0 : -std::abs(value - bound.low);
            break;
    }
    if (reference == 0) return std::nullopt;
    return distance / std::abs(reference);
}

int compare_versions(std::string_view left, std::string_view right) {
    const std::vector<std::string_view> left_parts = version_parts(left);
    const std::vector<std::string_view> right_parts = version_parts(right);
    for (std::size_t i = 0; i < std::max(left_parts.size(), right_parts.size()); ++i) {
        const std::string_view left_part = i < left_parts.size() ? left_parts[i] : std::string_view();
        const std::string_view right_part = i < right_parts.size() ? right_parts[i] : std::string_view();
        const int order = compare_parts(left_part, right_part);
        if (order != 0) return order;
    }
    return 0;
}

bool text_is_inside(std::string_view value, Unit unit, const Bound& bound) {
    if (unit != Unit::version) return value == bound.text;
    const int order = compare_versions(value, bound.text);
    switch (bound.comparison) {
        case Comparison::at_least:
            return order >= 0;
        case Comparison::above:
            return order > 0;
        case Comparison::at_most:
            return order <= 0;
        case Comparison::below:
            return order < 0;
        case Comparison::equals:
            return order == 0;
        case Comparison::between:
            break;
    }
    throw std::logic_error("versions have no `between`");
}

}  // namespace assay
