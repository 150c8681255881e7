#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace assay {

/// What is multiplied where accuracy is measured. normal: both operands. heavy_tailed: both of Student's t
/// with three degrees of freedom, whose largest of thousands is far out. outlier_channels: normal, but one in
/// 128 channels of the activations is 20 times as large, as language models have them (Dettmers and others
/// 2022).
enum class Distribution { normal, heavy_tailed, outlier_channels };
Distribution distribution_from_string(std::string_view name);

std::vector<float> draw_weights(Distribution distribution, std::size_t rows, std::size_t columns,
                                std::uint64_t seed);
std::vector<float> draw_activations(Distribution distribution, std::size_t rows, std::size_t columns,
                                    std::uint64_t seed);

}  // namespace assay
