#include "probes/gemm/matrices.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "kernels/cpu/fp8.h"
#include "kernels/cpu/half.h"
#include "kernels/matrix/bfloat16.h"
#include "kernels/reference/reference.h"
#include "probes/core/random.h"

namespace assay {

using kernels::Precision;

namespace {

constexpr std::size_t checked_rows = 4;
constexpr std::size_t page_bytes = 4096;
constexpr std::uint8_t poison_of_floats = 0xff, poison_of_integers = 0x80;
/// All of whose bytes are poison_of_integers.
constexpr double unwritten_integer = -2139062144;

std::size_t result_bytes(Precision precision) {
    return precision == Precision::f64 ? sizeof(double) : sizeof(float);
}

/// Each operand begins on a cache line.
std::size_t padded(std::size_t bytes) {
    return (bytes + 63) / 64 * 64;
}

template <typename Element, typename Draw>
void fill_range(std::byte* to, std::size_t begin, std::size_t end, Draw draw) {
    Element* elements = reinterpret_cast<Element*>(to);
    for (std::size_t i = begin; i < end; ++i) elements[i] = draw();
}

void fill_range(Precision precision, std::byte* to, std::size_t begin, std::size_t end, Random random) {
    const auto uniform = [&random] { return static_cast<float>(random.uniform(-1, 1)); };
    switch (precision) {
        case Precision::f64:
            return fill_range<double>(to, begin, end, [&random] { return random.uniform(-1, 1); });
        case Precision::f32:
            return fill_range<float>(to, begin, end, uniform);
        case Precision::bf16:
            return fill_range<std::uint16_t>(to, begin, end,
                                             [&] { return kernels::float_to_bfloat16(uniform()); });
        case Precision::f16:
            return fill_range<std::uint16_t>(to, begin, end,
                                             [&] { return kernels::float_to_half(uniform()); });
        case Precision::tf32:
            return fill_range<float>(to, begin, end, uniform);
        case Precision::fp8:
            return fill_range<std::uint8_t>(to, begin, end, [&] { return kernels::float_to_fp8(uniform()); });
        case Precision::int8:
            return fill_range<std::int8_t>(
                to, begin, end, [&random] { return static_cast<std::int8_t>(random.next() & 0xff); });
    }
}

/// Of the sum of a result's products' magnitudes. (k + 1) unit roundoffs hold for any order of summation
/// (Higham 2002, section 3.1); f16 sums of at most 64 products, of their own roundoffs, are added up in f32.
double bound_of(Precision arithmetic, std::size_t k) {
    const double terms = static_cast<double>(k + 1);
    switch (arithmetic) {
        case Precision::f64:
            return terms * 0x1p-53;
        case Precision::f16:
            return terms * 0x1p-24 + 65 * 0x1p-11;
        case Precision::f32:
        case Precision::bf16:
            return terms * 0x1p-24;
        case Precision::tf32:  // each operand cut to 11 significant bits
            return terms * 0x1p-24 + 0x1p-9;
        case Precision::fp8:  // sums of 128 products kept with 14 bits
            return terms * 0x1p-24 + 0x1p-10;
        case Precision::int8:
            return 0;
    }
    return 0;
}

}  // namespace

MatrixShape shape_of(const Case& the_case) {
    return {static_cast<std::size_t>(the_case.integer("m")), static_cast<std::size_t>(the_case.integer("n")),
            static_cast<std::size_t>(the_case.integer("k"))};
}

Precision precision_of(const Case& the_case) {
    return kernels::precision_from_string(the_case.text("precision")).value();
}

SamplingPolicy sampling_of(const Case& the_case, const Context& context) {
    SamplingPolicy policy = context.sampling;
    if (the_case.is_auto("seconds")) return policy;
    policy.maximum_time = Seconds(the_case.seconds("seconds"));
    policy.fixed_time = true;
    return policy;
}

Matrices::Matrices(Device& device, Precision precision, const MatrixShape& shape)
    : precision_(precision),
      shape_(shape),
      a_bytes_(padded(shape.m * shape.k * kernels::bytes_of(precision))),
      b_bytes_(padded(shape.k * shape.n * kernels::bytes_of(precision))),
      memory_(device.allocate(a_bytes_ + b_bytes_ + shape.m * shape.n * result_bytes(precision), true)) {}

std::uint64_t Matrices::bytes(Precision precision, const MatrixShape& shape) {
    return (shape.m * shape.k + shape.k * shape.n) * kernels::bytes_of(precision) +
           shape.m * shape.n * result_bytes(precision);
}

void Matrices::fill(std::uint64_t seed, kernels::ThreadTeam& team) {
    const std::size_t multiple = page_bytes / kernels::bytes_of(precision_);
    team.run([&](int member) {
        const auto fill_mine = [&](std::byte* operand, std::size_t elements, std::uint64_t operand_seed) {
            const kernels::ItemRange mine = kernels::member_range(elements, multiple, member, team.size());
            fill_range(precision_, operand, mine.begin, mine.end,
                       Random(operand_seed, static_cast<std::uint64_t>(member)));
        };
        fill_mine(a(), shape_.m * shape_.k, seed);
        fill_mine(b(), shape_.k * shape_.n, seed + 1);
    });
}

void Matrices::poison() {
    std::memset(c(), poison_byte(precision_), c_bytes());
}

std::uint8_t Matrices::poison_byte(Precision precision) {
    return precision == Precision::int8 ? poison_of_integers : poison_of_floats;
}

std::size_t Matrices::c_bytes() const {
    return shape_.m * shape_.n * result_bytes(precision_);
}

double Matrices::result(std::size_t index) const {
    if (precision_ == Precision::f64) return reinterpret_cast<const double*>(c())[index];
    if (precision_ == Precision::int8) return reinterpret_cast<const std::int32_t*>(c())[index];
    return static_cast<double>(reinterpret_cast<const float*>(c())[index]);
}

Check Matrices::check(Precision arithmetic, std::uint64_t seed, double more, double rounding) const {
    const double bound = bound_of(arithmetic, shape_.k) + more;
    Random random(seed, 1000003);
    std::set<std::size_t> rows = {shape_.m - 1};
    while (rows.size() < std::min(checked_rows, shape_.m)) rows.insert(random.below(shape_.m));

    std::vector<kernels::reference::Product> expected(shape_.n);
    double worst = 0;
    bool all_written = true;
    for (std::size_t i = 0; i < shape_.m * shape_.n; ++i) {
        const double value = result(i);
        all_written = all_written && std::isfinite(value) &&
                      (precision_ != Precision::int8 || value != unwritten_integer);
    }
    for (const std::size_t row : rows) {
        kernels::reference::gemm_row({precision_, a()}, {precision_, b()}, shape_.n, shape_.k, row, expected);
        for (std::size_t column = 0; column < shape_.n; ++column) {
            const kernels::reference::Product& right = expected[column];
            const double magnitude = std::max(right.magnitude, std::numeric_limits<double>::min());
            // A result that summing has moved is rounded as what it has become.
            const double rounded = rounding * (std::abs(right.value) + bound * magnitude);
            const double difference = std::abs(result(row * shape_.n + column) - right.value) - rounded;
            // Written so that a NaN is the worst of all.
            if (!(difference / magnitude <= worst)) worst = difference / magnitude;
        }
    }
    Check check{"result matches reference", all_written && worst <= bound, worst, ""};
    check.detail = fmt::format(
        "{} rows drawn by seed, largest error {:.2g} of the products' magnitudes{}, allowed {:.2g}{}",
        rows.size(), worst,
        rounding > 0 ? fmt::format(" beside {:.2g} of the result's own", rounding) : std::string(), bound,
        all_written ? "" : "; elements were left unwritten or are not finite");
    return check;
}

}  // namespace assay
