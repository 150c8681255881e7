// The body of the decoder's element-wise kernels, included once by each decoder_ops_<isa>.cpp with
// ASSAY_LANES floats a vector. Vectors are the compilers' own (GCC and Clang), so that one text serves every
// instruction set. Nothing here may use a library function that is not inlined: the linker could then hand a
// copy made for one instruction set to another's callers.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#if defined(__F16C__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#include "kernels/cpu/decoder_ops.h"

namespace assay::kernels {
namespace {

constexpr std::size_t lanes = ASSAY_LANES;
using Floats = float __attribute__((vector_size(lanes * 4)));
using Words = std::uint32_t __attribute__((vector_size(lanes * 4)));
using SignedWords = std::int32_t __attribute__((vector_size(lanes * 4)));
using Halves = std::uint16_t __attribute__((vector_size(lanes * 2)));
using Longs = std::uint64_t __attribute__((vector_size(lanes * 4)));

constexpr std::size_t largest_dimension = 512;
/// Sums beside each other, each of which waits for its last: the narrower the vectors, the more of them.
constexpr std::size_t chains = lanes > 4 ? 2 : 4;

inline Floats load(const float* from) {
    Floats value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

inline void store(float* to, Floats value) {
    std::memcpy(to, &value, sizeof value);
}

inline Floats splat(float value) {
    return Floats{} + value;
}

/// The same bits as another type of vector.
template <typename To, typename From>
inline To bits_as(From from) {
    static_assert(sizeof(To) == sizeof(From));
    To to;
    std::memcpy(&to, &from, sizeof to);
    return to;
}

/// Lanes folded onto each other by halves.
template <std::size_t... lane>
inline float sum_folded(Floats value, std::index_sequence<lane...>) {
    if constexpr (lanes > 8) value += __builtin_shufflevector(value, value, (lane ^ 8)...);
    if constexpr (lanes > 4) value += __builtin_shufflevector(value, value, (lane ^ 4)...);
    value += __builtin_shufflevector(value, value, (lane ^ 2)...);
    value += __builtin_shufflevector(value, value, (lane ^ 1)...);
    return value[0];
}

inline float sum(Floats value) {
    return sum_folded(value, std::make_index_sequence<lanes>());
}

/// Finite f16 to f32: one instruction where there is one; else exponent and mantissa are moved into place and
/// scaled by 2^112, which subnormals need as well.
inline Floats widen(const std::uint16_t* from) {
#if defined(__AVX512F__)
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
#elif defined(__F16C__)
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
#elif defined(__aarch64__)
    Floats value;
    for (std::size_t i = 0; i < lanes; i += 4) {
        const float32x4_t four = vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(from + i)));
        std::memcpy(reinterpret_cast<float*>(&value) + i, &four, sizeof four);
    }
    return value;
#else
    Halves halves;
    std::memcpy(&halves, from, sizeof halves);
    const Words bits = __builtin_convertvector(halves, Words);
    const Words magnitude = (bits & 0x7fffu) << 13;
    const Words sign = (bits & 0x8000u) << 16;
    const Floats scaled = bits_as<Floats>(magnitude) * 0x1p112f;
    const Words joined = bits_as<Words>(scaled) | sign;
    return bits_as<Floats>(joined);
#endif
}

/// e^x for x <= 0 or moderate x, relative error below 2e-7: 2^n times the Taylor polynomial of the rest,
/// whose magnitude is at most ln(2)/2.
inline Floats exponential(Floats x) {
    const Floats lowest = splat(-87.0f), highest = splat(88.0f);
    x = x < lowest ? lowest : x;
    x = x > highest ? highest : x;
    constexpr float rounder = 12582912.0f;  // 1.5 × 2^23: adding it rounds to an integer
    const Floats shifted = x * 1.44269504f + rounder;
    const Floats n = shifted - rounder;
    const Floats rest = (x - n * 0.693359375f) + n * 2.12194440e-4f;  // ln 2 in two parts
    Floats value = splat(1.0f / 5040);
    value = value * rest + 1.0f / 720;
    value = value * rest + 1.0f / 120;
    value = value * rest + 1.0f / 24;
    value = value * rest + 1.0f / 6;
    value = value * rest + 0.5f;
    value = value * rest + 1.0f;
    value = value * rest + 1.0f;
    const SignedWords exponent = __builtin_convertvector(n, SignedWords) << 23;
    const SignedWords scaled = bits_as<SignedWords>(value) + exponent;
    return bits_as<Floats>(scaled);
}

void rms_norm(const float* in, const float* weight, std::size_t count, float epsilon, float* out) {
    Floats squares[2] = {};
    for (std::size_t i = 0; i + lanes <= count; i += lanes) {
        const Floats value = load(in + i);
        squares[(i / lanes) & 1] += value * value;
    }
    const float mean = sum(squares[0] + squares[1]) / static_cast<float>(count);
    const float factor = 1.0f / __builtin_sqrtf(mean + epsilon);
    for (std::size_t i = 0; i + lanes <= count; i += lanes)
        store(out + i, load(in + i) * factor * load(weight + i));
}

void rotate(float* head, const float* cosine, const float* sine, std::size_t dimension) {
    const std::size_t half = dimension / 2;
    for (std::size_t i = 0; i + lanes <= half; i += lanes) {
        const Floats first = load(head + i), second = load(head + half + i);
        const Floats c = load(cosine + i), s = load(sine + i);
        store(head + i, first * c - second * s);
        store(head + half + i, second * c + first * s);
    }
}

/// Positions rounded up to whole vectors: the length of one head's scores.
std::size_t padded(std::size_t positions) {
    return (positions + 15) / 16 * 16;
}

/// In place over `count` scores; what lies between count and padded(count) becomes 0.
void softmax(float* scores, std::size_t count) {
    const std::size_t end = padded(count);
    for (std::size_t i = count; i < end; ++i) scores[i] = -1e30f;
    Floats highest = load(scores);
    for (std::size_t i = lanes; i < end; i += lanes) {
        const Floats value = load(scores + i);
        highest = value > highest ? value : highest;
    }
    float top = highest[0];
    for (std::size_t lane = 1; lane < lanes; ++lane) top = highest[lane] > top ? highest[lane] : top;
    for (std::size_t i = 0; i < end; i += lanes) store(scores + i, exponential(load(scores + i) - top));
    for (std::size_t i = count; i < end; ++i) scores[i] = 0;
    Floats totals{};
    for (std::size_t i = 0; i < end; i += lanes) totals += load(scores + i);
    const float factor = 1.0f / sum(totals);
    for (std::size_t i = 0; i < end; i += lanes) store(scores + i, load(scores + i) * factor);
}

void attend(const float* query, std::size_t heads, std::size_t dimension, const AttentionPast& past,
            float* scores, float* out) {
    const std::size_t positions = past.positions + 1;
    const std::size_t stride = padded(positions);
    const float scale = 1.0f / __builtin_sqrtf(static_cast<float>(dimension));
    Floats row[largest_dimension / lanes];
    const std::size_t vectors = dimension / lanes;
    // A row is widened once and used by all heads of the group: what grouped queries are for.
    for (std::size_t position = 0; position < positions; ++position) {
        const std::uint16_t* key =
            position < past.positions ? past.keys + position * dimension : past.newest_key;
        for (std::size_t i = 0; i < vectors; ++i) row[i] = widen(key + i * lanes);
        for (std::size_t head = 0; head < heads; ++head) {
            Floats sums[chains] = {};
            const float* q = query + head * dimension;
            std::size_t i = 0;
            for (; i + chains <= vectors; i += chains)
#pragma GCC unroll 4
                for (std::size_t chain = 0; chain < chains; ++chain)
                    sums[chain] += row[i + chain] * load(q + (i + chain) * lanes);
            for (; i < vectors; ++i) sums[0] += row[i] * load(q + i * lanes);
#pragma GCC unroll 4
            for (std::size_t chain = 1; chain < chains; ++chain) sums[0] += sums[chain];
            scores[head * stride + position] = sum(sums[0]) * scale;
        }
    }
    for (std::size_t head = 0; head < heads; ++head) softmax(scores + head * stride, positions);
    for (std::size_t i = 0; i < heads * dimension; i += lanes) store(out + i, Floats{});
    // Four positions a pass, so that each output is loaded and stored once for the four.
    constexpr std::size_t pass = 4;
    Floats rows[pass][largest_dimension / lanes];
    for (std::size_t position = 0; position < positions; position += pass) {
        const std::size_t count = positions - position < pass ? positions - position : pass;
        for (std::size_t p = 0; p < count; ++p) {
            const std::size_t index = position + p;
            const std::uint16_t* value =
                index < past.positions ? past.values + index * dimension : past.newest_value;
            for (std::size_t i = 0; i < vectors; ++i) rows[p][i] = widen(value + i * lanes);
        }
        // Beyond the last position the scores are 0, as softmax() leaves them.
        for (std::size_t p = count; p < pass; ++p)
            for (std::size_t i = 0; i < vectors; ++i) rows[p][i] = Floats{};
        for (std::size_t head = 0; head < heads; ++head) {
            const float* weights = scores + head * stride + position;
            const float weight0 = weights[0], weight1 = weights[1], weight2 = weights[2],
                        weight3 = weights[3];
            float* to = out + head * dimension;
            for (std::size_t i = 0; i < vectors; ++i)
                store(to + i * lanes, load(to + i * lanes) + (rows[0][i] * weight0 + rows[1][i] * weight1) +
                                          (rows[2][i] * weight2 + rows[3][i] * weight3));
        }
    }
}

void swiglu(const float* gate, const float* up, std::size_t count, float* out) {
    for (std::size_t i = 0; i + lanes <= count; i += lanes) {
        const Floats value = load(gate + i);
        store(out + i, value / (exponential(-value) + 1.0f) * load(up + i));
    }
}

void add(float* into, const float* what, std::size_t count) {
    for (std::size_t i = 0; i + lanes <= count; i += lanes) store(into + i, load(into + i) + load(what + i));
}

std::size_t greatest(const float* values, std::size_t count) {
    float top = -__builtin_inff();
    std::size_t i = 0;
    if (count >= lanes) {
        Floats highest = splat(-__builtin_inff());
        for (; i + lanes <= count; i += lanes) {
            const Floats value = load(values + i);
            highest = value > highest ? value : highest;
        }
        for (std::size_t lane = 0; lane < lanes; ++lane) top = highest[lane] > top ? highest[lane] : top;
    }
    for (; i < count; ++i) top = values[i] > top ? values[i] : top;
    for (std::size_t index = 0; index < count; ++index)
        if (values[index] == top) return index;
    return 0;
}

std::uint64_t read(const std::byte* memory, std::size_t bytes) {
    constexpr std::size_t step = sizeof(Longs);
    Longs totals[4] = {};
    for (std::size_t at = 0; at + 4 * step <= bytes; at += 4 * step) {
        for (std::size_t line = 0; line < 4 * step; line += 64) __builtin_prefetch(memory + at + line + 4096);
        for (std::size_t i = 0; i < 4; ++i) {
            Longs value;
            std::memcpy(&value, memory + at + i * step, step);
            totals[i] += value;
        }
    }
    const Longs total = totals[0] + totals[1] + totals[2] + totals[3];
    std::uint64_t result = 0;
    for (std::size_t lane = 0; lane < lanes / 2; ++lane) result += total[lane];
    return result;
}

constexpr DecoderOps ops_here = {rms_norm, rotate, attend, swiglu, add, greatest, read};

}  // namespace
}  // namespace assay::kernels
