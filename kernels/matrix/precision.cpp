#include "kernels/matrix/precision.h"

#include <array>
#include <utility>

namespace assay::kernels {

namespace {

constexpr std::array<std::pair<Precision, std::string_view>, 7> names = {{{Precision::f64, "f64"},
                                                                          {Precision::f32, "f32"},
                                                                          {Precision::bf16, "bf16"},
                                                                          {Precision::f16, "f16"},
                                                                          {Precision::int8, "int8"},
                                                                          {Precision::tf32, "tf32"},
                                                                          {Precision::fp8, "fp8"}}};

}  // namespace

std::string_view to_string(Precision precision) {
    for (const auto& [value, name] : names)
        if (value == precision) return name;
    return "unknown";
}

std::optional<Precision> precision_from_string(std::string_view name) {
    for (const auto& [value, known] : names)
        if (known == name) return value;
    return std::nullopt;
}

std::size_t bytes_of(Precision precision) {
    switch (precision) {
        case Precision::f64:
            return 8;
        case Precision::f32:
        case Precision::tf32:
            return 4;
        case Precision::bf16:
        case Precision::f16:
            return 2;
        case Precision::int8:
        case Precision::fp8:
            return 1;
    }
    return 0;
}

}  // namespace assay::kernels
