#pragma once

// The register-only loops, one table an instruction set; CeilingLoop of kernels/matrix/ceiling.h chooses.

#include <cstddef>

namespace assay::kernels {

/// What the elements of a loop's registers are.
enum class CeilingElements { f64, f32, bf16, f16, s16, u8_times_s8, s8 };

/// Each of `accumulators` registers takes up a0 × b and then a1 × b, `pairs` times; `vector_bytes` is the
/// size of a source. `products` is how many neighbouring products one element of an accumulator takes up.
/// Shapes: elements by elements; tiles, of 1024 bytes; and two rows by two columns, in each register.
/// sources: a0, a1, b, one after another; the accumulators are stored to `results`, one after another.
struct CeilingLoopEntry {
    CeilingElements elements;
    const char* instruction;
    int accumulators;
    int vector_bytes;
    int products;
    void (*run)(std::size_t pairs, const void* sources, void* results);
    /// Multiply-accumulates of one instruction; where rows meet all columns, more than the elements of a
    /// source.
    int multiplications;
};

struct CeilingLoopTable {
    const CeilingLoopEntry* entries;
    std::size_t count;
};

namespace portable {
extern const CeilingLoopTable ceiling_loops;
}
namespace avx2 {
extern const CeilingLoopTable ceiling_loops;
}
namespace avx_vnni {
extern const CeilingLoopTable ceiling_loops;
}
namespace avx512 {
extern const CeilingLoopTable ceiling_loops;
}
namespace avx512_vnni {
extern const CeilingLoopTable ceiling_loops;
}
namespace avx512_bf16 {
extern const CeilingLoopTable ceiling_loops;
}
namespace avx512_fp16 {
extern const CeilingLoopTable ceiling_loops;
}
namespace amx {
extern const CeilingLoopTable ceiling_loops;
}
namespace neon {
extern const CeilingLoopTable ceiling_loops;
}
namespace neon_i8mm {
extern const CeilingLoopTable ceiling_loops;
}
namespace neon_bf16 {
extern const CeilingLoopTable ceiling_loops;
}
namespace neon_fp16 {
extern const CeilingLoopTable ceiling_loops;
}

}  // namespace assay::kernels
