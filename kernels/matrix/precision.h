#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace assay::kernels {

/// Number formats of matrix products. tf32 is stored as f32 and multiplied with 11 significant bits; fp8 is
/// E4M3. These two are of matrix units alone: the CPU multiplies them nowhere.
enum class Precision { f64, f32, bf16, f16, int8, tf32, fp8 };
std::string_view to_string(Precision precision);
std::optional<Precision> precision_from_string(std::string_view name);
std::size_t bytes_of(Precision precision);

}  // namespace assay::kernels
