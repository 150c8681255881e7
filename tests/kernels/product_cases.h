#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/matrix/product.h"

namespace assay::kernels {

/// Operands of a product as given, with the values that they stand for.
struct GivenOperand {
    Precision precision = Precision::f32;
    std::vector<std::byte> bytes;
    std::vector<double> values;
};

/// extreme: the ends of int8's range, or numbers of very different size. large: from the precision's largest
/// number down to its subnormal ones. small: so small, subnormal ones among them, that no product with a
/// large one overflows; both of int8 as extreme.
enum class Values { random, extreme, large, small };
/// `count` elements.
GivenOperand given_operand(Precision precision, std::size_t count, Values values, std::uint64_t seed);
/// These values, rounded to `precision`.
GivenOperand operand_of(Precision precision, const std::vector<double>& values);

/// Multiplies with `kernel` on a team of `threads` and holds every element against f64 sums; int8 must be
/// exact. `values` are the left operand's: the right one's are small where these are large, and the other way
/// round. Returns what is wrong, nothing when all is right.
std::string wrong_product(const MatrixKernel& kernel, Precision precision, const ProductShape& shape,
                          Values values, int threads);

/// 5000 ones by a kernel in f16, whose sums alone would stop at 2048; in one go, as the parts of k that a
/// MatrixProduct takes end before that.
void expect_many_ones_to_be_summed(const MicroKernel& kernel);

}  // namespace assay::kernels
