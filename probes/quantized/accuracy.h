#pragma once

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "kernels/cpu/quantized.h"
#include "probes/core/probe.h"

namespace assay {

// What quantized.accuracy has in common on the host and on devices that work is handed to.

inline constexpr std::size_t accuracy_group_columns = 32;

/// What is quantized, and how.
struct AccuracyScheme {
    bool activations = false;  ///< quantized too
    bool groups = false;       ///< a scale for each 32 values, where the format has one a row
    explicit AccuracyScheme(const Case& the_case);
};

struct AccuracySizes {
    std::size_t m, n, k;
};

/// Half precisions are stored as they are; all others are WeightFormats.
bool is_half(const std::string& format);

/// What rows of `columns` values are once quantized, a scale for each `share` of them.
std::vector<float> quantized_values(kernels::WeightFormat format, const std::vector<float>& values,
                                    std::size_t share);

/// Sums over the square of y - y_ref, and of y_ref.
struct ErrorNorms {
    double difference = 0, reference = 0;
    void add(double result, double expected) {
        difference += (result - expected) * (result - expected);
        reference += expected * expected;
    }
    double error() const { return reference > 0 ? std::sqrt(difference / reference) : 0; }
};

}  // namespace assay
