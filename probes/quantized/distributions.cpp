#include "probes/quantized/distributions.h"

#include <cmath>
#include <numbers>

#include "probes/core/random.h"

namespace assay {

namespace {

constexpr std::size_t channels_an_outlier = 128;
constexpr float outlier_factor = 20;

/// Box and Muller 1958.
double normal(Random& random) {
    const double radius = std::sqrt(-2 * std::log(1 - random.uniform(0, 1)));
    return radius * std::cos(2 * std::numbers::pi * random.uniform(0, 1));
}

/// Normal over the root of a mean of three squares of normals.
double student_t3(Random& random) {
    double squares = 0;
    for (int i = 0; i < 3; ++i) squares += std::pow(normal(random), 2);
    return normal(random) / std::sqrt(squares / 3);
}

std::vector<float> draw(Distribution distribution, std::size_t count, std::uint64_t seed,
                        std::uint64_t stream) {
    Random random(seed, stream);
    std::vector<float> values(count);
    for (float& value : values)
        value = static_cast<float>(distribution == Distribution::heavy_tailed ? student_t3(random)
                                                                              : normal(random));
    return values;
}

}  // namespace

Distribution distribution_from_string(std::string_view name) {
    if (name == "heavy_tailed") return Distribution::heavy_tailed;
    return name == "outlier_channels" ? Distribution::outlier_channels : Distribution::normal;
}

std::vector<float> draw_weights(Distribution distribution, std::size_t rows, std::size_t columns,
                                std::uint64_t seed) {
    return draw(distribution, rows * columns, seed, 501);
}

std::vector<float> draw_activations(Distribution distribution, std::size_t rows, std::size_t columns,
                                    std::uint64_t seed) {
    std::vector<float> values = draw(distribution, rows * columns, seed, 502);
    if (distribution == Distribution::outlier_channels)
        for (std::size_t row = 0; row < rows; ++row)
            for (std::size_t column = 17 % columns; column < columns; column += channels_an_outlier)
                values[row * columns + column] *= outlier_factor;
    return values;
}

}  // namespace assay
