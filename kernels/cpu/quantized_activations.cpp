#include <stdexcept>
#include <string>

#include "kernels/cpu/quantized.h"
#include "kernels/cpu/quantized_activations_tables.h"
#include "kernels/cpu/quantized_kernels.h"

namespace assay::kernels {

namespace {

constexpr std::size_t int8_block_columns = 64;
constexpr std::size_t int4_block_columns = interleaved_groups * group_columns;

std::size_t block_columns(WeightFormat format) {
    if (!meets_int8_activations(format))
        throw std::invalid_argument(std::string(to_string(format)) + " weights meet no int8 activations");
    return format == WeightFormat::int8 ? int8_block_columns : int4_block_columns;
}

std::size_t block_bytes(WeightFormat format) {
    return format == WeightFormat::int8 ? sizeof(Int8Activations) : sizeof(Int4Activations);
}

const ActivationTable& table_of(Isa isa) {
#if defined(__x86_64__)
    // 512 bits bring nothing here.
    if (isa == Isa::avx2 || isa == Isa::avx512 || isa == Isa::amx) return activations_avx2;
#endif
    // Of what AArch64's CPUs may have or not, nothing would help: the portable form uses what all have.
    static_cast<void>(isa);
    return activations_portable;
}

}  // namespace

bool meets_int8_activations(WeightFormat format) {
    return format == WeightFormat::int8 || format == WeightFormat::int4 || format == WeightFormat::int4_g128;
}

std::size_t activation_bytes(WeightFormat format, std::size_t columns) {
    const std::size_t block = block_columns(format);
    return (columns + block - 1) / block * block_bytes(format);
}

void quantize_activations(Isa isa, WeightFormat format, const float* in, std::size_t columns,
                          std::byte* activations) {
    const ActivationTable& table = table_of(isa);
    (block_columns(format) == int8_block_columns ? table.for_int8 : table.for_int4)(in, columns, activations);
}

void dequantize_activations(WeightFormat format, const std::byte* activations, std::size_t columns,
                            float* in) {
    const std::size_t block = block_columns(format);
    for (std::size_t column = 0; column < columns; ++column) {
        const std::byte* at = activations + column / block * block_bytes(format);
        const std::size_t inside = column % block;
        if (format == WeightFormat::int8) {
            const Int8Activations& ours = *reinterpret_cast<const Int8Activations*>(at);
            in[column] = static_cast<float>(ours.values[inside]) * ours.scales[inside / group_columns];
            continue;
        }
        const Int4Activations& ours = *reinterpret_cast<const Int4Activations*>(at);
        const std::size_t group = inside / group_columns, i = inside % group_columns;
        const std::size_t lane = 4 * (i % 16 / 4) + group;
        in[column] =
            static_cast<float>((i < 16 ? ours.low : ours.high)[4 * lane + i % 4]) * ours.scales[group];
    }
}

}  // namespace assay::kernels
