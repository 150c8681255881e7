#include <algorithm>

#include "kernels/matrix/bfloat16.h"
#include "kernels/matrix/quantized_parts.h"

namespace assay::kernels {

const PanelFunctions& panel_functions_of(Isa isa) {
#if defined(__x86_64__)
    if (isa == Isa::amx || isa == Isa::avx512) return avx512::panel_functions;
    if (isa == Isa::avx2) return avx2::panel_functions;
#elif defined(__aarch64__)
    if (isa == Isa::neon) return neon::panel_functions;
#endif
    static_cast<void>(isa);
    return portable::panel_functions;
}

std::optional<MatrixKernel> quantized_kernel(WeightFormat format, Precision activations, Isa isa) {
    const bool integers = activations == Precision::int8;
    if (!integers && activations != Precision::bf16) return std::nullopt;
    if (format == WeightFormat::int8 ? !integers
                                     : !is_int4(format) && (format != WeightFormat::fp8 || integers))
        return std::nullopt;
    for (const MatrixKernel& kernel : matrix_kernels(activations, isa)) {
        const MicroKernel& micro = *kernel.micro;
        // Stored panels become such of 16 or 32 columns of 32 bits, and integers such of bytes.
        const bool words = bytes_of(micro.b.elements) * static_cast<std::size_t>(micro.b.group) == 4;
        const bool fits =
            format == WeightFormat::int8 || (words && (micro.b.extent == 16 || micro.b.extent == 32));
        const bool grouped = integers && is_int4(format);
        if (!fits || (grouped && micro.b.elements != PackedElements::s8)) continue;
        if (grouped && columns_multiple(format) % static_cast<std::size_t>(micro.k_multiple) != 0) continue;
        return kernel;
    }
    return std::nullopt;
}

std::optional<MatrixKernel> quantized_kernel(WeightFormat format, Precision activations) {
    for (const Isa isa : {Isa::amx, Isa::avx512, Isa::avx2, Isa::neon, Isa::portable})
        if (const std::optional<MatrixKernel> kernel = quantized_kernel(format, activations, isa))
            return kernel;
    return std::nullopt;
}

void activations_as_multiplied(const MatrixKernel& kernel, const float* in, std::size_t k, float* out) {
    const PanelFunctions& functions = panel_functions_of(kernel.isa);
    if (kernel.sums_integers()) {
        std::vector<std::int8_t> integers(k);
        const float scale = functions.quantize_row(in, k, integers.data());
        for (std::size_t l = 0; l < k; ++l) out[l] = static_cast<float>(integers[l]) * scale;
    } else if (kernel.arithmetic == Precision::bf16) {
        std::vector<std::uint16_t> rounded(k);
        functions.to_bf16(in, k, rounded.data());
        for (std::size_t l = 0; l < k; ++l) out[l] = bfloat16_to_float(rounded[l]);
    } else {
        std::copy_n(in, k, out);
    }
}

void weights_as_multiplied(const MatrixKernel& kernel, WeightFormat format, const float* in, std::size_t k,
                           float* out) {
    std::vector<std::byte> packed(packed_row_bytes(format, k));
    quantize_rows(format, in, 1, k, packed.data());
    dequantize_rows(format, packed.data(), 1, k, out);
    if (kernel.arithmetic != Precision::bf16) return;
    // fp8 fits into bf16 as it is, and its scale comes last; int4 is scaled first.
    if (is_int4(format))
        for (std::size_t l = 0; l < k; ++l) out[l] = bfloat16_to_float(float_to_bfloat16(out[l]));
}

}  // namespace assay::kernels
