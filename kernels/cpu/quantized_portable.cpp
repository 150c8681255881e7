#include <cstring>

#include "kernels/cpu/half.h"
#include "kernels/cpu/quantized_kernels.h"

namespace assay::kernels::portable {

namespace {

float load_float(const std::byte* from) {
    float value = 0;
    std::memcpy(&value, from, sizeof value);
    return value;
}

float half_at(const std::byte* from) {
    std::uint16_t value = 0;
    std::memcpy(&value, from, sizeof value);
    return half_to_float(value);
}

#include "kernels/cpu/quantized_body.h"

// Sixteen sums side by side: no order is imposed that a vectorizing compiler could not keep.
constexpr std::size_t lanes = 16;

float sum_of(const float (&sums)[lanes]) {
    float total = 0;
    for (const float sum : sums) total += sum;
    return total;
}

void gemv_int8(const std::byte* packed, std::size_t columns, const float* in, float* out,
               std::size_t row_begin, std::size_t row_end) {
    const std::size_t row_bytes = columns + sizeof(float);
    for (std::size_t row = row_begin; row < row_end; ++row) {
        const std::byte* weights = packed + row * row_bytes;
        float sums[lanes] = {};
        for (std::size_t column = 0; column < columns; column += lanes)
            for (std::size_t lane = 0; lane < lanes; ++lane)
                sums[lane] +=
                    static_cast<float>(static_cast<std::int8_t>(weights[column + lane])) * in[column + lane];
        out[row] = sum_of(sums) * load_float(weights + columns);
    }
}

void gemv_int4(const std::byte* packed, std::size_t columns, const float* in, float* out,
               std::size_t row_begin, std::size_t row_end) {
    const std::size_t groups = columns / group_columns;
    const std::size_t row_bytes = groups * (int4_group_bytes + sizeof(std::uint16_t));
    for (std::size_t row = row_begin; row < row_end; ++row) {
        const std::byte* weights = packed + row * row_bytes;
        const std::byte* scales = weights + groups * int4_group_bytes;
        float sums[lanes] = {};
        for (std::size_t group = 0; group < groups; ++group) {
            const float scale = half_at(scales + group * sizeof(std::uint16_t));
            const bool interleaved = group < groups / interleaved_groups * interleaved_groups;
            const float* values = in + group * group_columns;
            // The group's bytes side by side first: the products below then vectorize.
            std::int8_t pairs[lanes];
            if (interleaved) {
                std::uint32_t words[lanes];
                std::memcpy(words, weights + group / interleaved_groups * interleaved_bytes, sizeof words);
                const std::size_t shift = group % interleaved_groups * 8;
                for (std::size_t lane = 0; lane < lanes; ++lane)
                    pairs[lane] = static_cast<std::int8_t>(words[lane] >> shift);
            } else {
                std::memcpy(pairs, weights + group * int4_group_bytes, sizeof pairs);
            }
            for (std::size_t lane = 0; lane < lanes; ++lane) {
                const int pair = pairs[lane];
                const float low =
                    static_cast<float>(static_cast<int>(static_cast<unsigned>(pair) << 28) >> 28);
                const float high = static_cast<float>(pair >> 4);
                sums[lane] += scale * (low * values[lane] + high * values[lane + lanes]);
            }
        }
        out[row] = sum_of(sums);
    }
}

}  // namespace

const GemvTable gemv_table = {gemv_int8,
                              gemv_int4,
                              body::gemv_int4_g128,
                              body::gemv_fp8,
                              body::gemv_bf16,
                              body::gemv_f32,
                              body::gemv_int8_integers,
                              body::gemv_int4_integers<1>,
                              body::gemv_int4_integers<4>};

}  // namespace assay::kernels::portable
