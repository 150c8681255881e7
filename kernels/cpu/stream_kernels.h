#pragma once

// The stream kernels of one instruction set each; stream() of kernels/cpu/stream.h chooses.

#include <cstddef>

#include "kernels/cpu/stream.h"

namespace assay::kernels {

namespace portable {
extern const bool has_non_temporal_stores;
double stream(StreamKernel kernel, const StreamPattern& pattern, const StreamArrays& arrays, double scalar,
              std::size_t begin, std::size_t end);
}  // namespace portable

namespace avx2 {
double stream(StreamKernel kernel, const StreamPattern& pattern, const StreamArrays& arrays, double scalar,
              std::size_t begin, std::size_t end);
}  // namespace avx2

namespace avx512 {
double stream(StreamKernel kernel, const StreamPattern& pattern, const StreamArrays& arrays, double scalar,
              std::size_t begin, std::size_t end);
}  // namespace avx512

namespace neon {
double stream(StreamKernel kernel, const StreamPattern& pattern, const StreamArrays& arrays, double scalar,
              std::size_t begin, std::size_t end);
}  // namespace neon

}  // namespace assay::kernels
