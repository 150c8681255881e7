#pragma once

// The innermost products: one tile of the result, small enough for registers. Tables, one an instruction set;
// MatrixProduct of kernels/matrix/product.h chooses.

#include <cstddef>
#include <cstdint>

namespace assay::kernels {

/// What packed elements are; u8 stands for a signed byte plus 128.
enum class PackedElements { f32, bf16, f16, s16, s8, u8 };

/// How one operand lies in memory: panels of `extent` rows of the left (or columns of the right) operand;
/// within a panel, groups of `group` neighbouring values of k of each row in turn, that is
/// [k / group][extent][group]. Panels are filled up with zeros.
struct PanelLayout {
    PackedElements elements;
    int extent;
    int group;
};

/// What suits a kernel's appetite: a thread takes `rows` × `columns` of the result at a time, and goes
/// through `part_bytes` of each row and column in one go.
struct Blocking {
    int part_bytes, rows, columns;
};

/// multiply(k, a, b, start, sums, stride, accumulate): sums[i × stride + j] (+)= start[j] + sum over k of
/// a[i][k] × b[k][j], for a panel of a and one of b. k is a multiple of `k_multiple`; start may be null:
/// zero; sums are f32, or int32 where the elements are integers (they wrap); with accumulate, start is left
/// aside.
struct MicroKernel {
    const char* instruction;
    PanelLayout a, b;
    int k_multiple;
    Blocking blocking;
    void (*multiply)(std::size_t k, const void* a, const void* b, const std::int32_t* start, void* sums,
                     std::size_t stride, bool accumulate);
};

struct MicroKernelTable {
    const MicroKernel* kernels;
    std::size_t count;
};

/// A part of the left operand's block fills half of 1 MiB of L2, which it stays in; a panel of the right one
/// passes through. Measured on Zen 5: a quarter of the part costs 10 %, other shapes a few.
inline constexpr Blocking vector_blocking = {4096, 128, 1024};

namespace portable {
extern const MicroKernelTable micro_kernels;
}
namespace avx2 {
extern const MicroKernelTable micro_kernels;
}
namespace avx_vnni {
extern const MicroKernelTable micro_kernels;
}
namespace avx512 {
extern const MicroKernelTable micro_kernels;
}
namespace avx512_vnni {
extern const MicroKernelTable micro_kernels;
}
namespace avx512_bf16 {
extern const MicroKernelTable micro_kernels;
}
namespace avx512_fp16 {
extern const MicroKernelTable micro_kernels;
}
namespace amx {
extern const MicroKernelTable micro_kernels;
}
namespace neon {
extern const MicroKernelTable micro_kernels;
}
namespace neon_i8mm {
extern const MicroKernelTable micro_kernels;
}
namespace neon_bf16 {
extern const MicroKernelTable micro_kernels;
}
namespace neon_fp16 {
extern const MicroKernelTable micro_kernels;
}

}  // namespace assay::kernels
