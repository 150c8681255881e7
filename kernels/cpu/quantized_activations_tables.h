#pragma once

#include <cstddef>

namespace assay::kernels {

/// quantize_activations() for weights in int8 and in int4, of one instruction set.
struct ActivationTable {
    void (*for_int8)(const float* in, std::size_t columns, std::byte* out);
    void (*for_int4)(const float* in, std::size_t columns, std::byte* out);
};

// One a translation unit, each compiled for its instruction set; only quantize_activations() chooses among
// them.
extern const ActivationTable activations_portable;
#if defined(__x86_64__)
extern const ActivationTable activations_avx2;
#endif

}  // namespace assay::kernels
