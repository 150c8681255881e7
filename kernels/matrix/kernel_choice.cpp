#include "kernels/matrix/kernel_choice.h"

namespace assay::kernels {

namespace {

/// The tables of an instruction set that this CPU may run, those with the better instructions first.
std::vector<const MicroKernelTable*> tables_of(Isa isa) {
    std::vector<const MicroKernelTable*> tables;
    if (!supports(isa)) return tables;
#if defined(__x86_64__)
    const CpuFeatures& features = cpu_features();
    if (isa == Isa::amx) tables = {&amx::micro_kernels};
    if (isa == Isa::avx512) {
        if (features.avx512_vnni) tables.push_back(&avx512_vnni::micro_kernels);
        if (features.avx512_bf16) tables.push_back(&avx512_bf16::micro_kernels);
        if (features.avx512_fp16) tables.push_back(&avx512_fp16::micro_kernels);
        tables.push_back(&avx512::micro_kernels);
    }
    if (isa == Isa::avx2) {
        if (features.avx_vnni) tables.push_back(&avx_vnni::micro_kernels);
        tables.push_back(&avx2::micro_kernels);
    }
#elif defined(__aarch64__)
    const CpuFeatures& features = cpu_features();
    if (isa == Isa::neon) {
        if (features.neon_i8mm) tables.push_back(&neon_i8mm::micro_kernels);
        if (features.neon_bf16) tables.push_back(&neon_bf16::micro_kernels);
        if (features.neon_fp16) tables.push_back(&neon_fp16::micro_kernels);
        tables.push_back(&neon::micro_kernels);
    }
#endif
    if (isa == Isa::portable) tables = {&portable::micro_kernels};
    return tables;
}

Precision arithmetic_of(PackedElements elements) {
    switch (elements) {
        case PackedElements::f32:
            return Precision::f32;
        case PackedElements::bf16:
            return Precision::bf16;
        case PackedElements::f16:
            return Precision::f16;
        case PackedElements::s16:
        case PackedElements::s8:
        case PackedElements::u8:
            return Precision::int8;
    }
    return Precision::f32;
}

void append_kernels(Precision arithmetic, Isa isa, std::vector<MatrixKernel>& kernels) {
    for (const MicroKernelTable* table : tables_of(isa))
        for (std::size_t i = 0; i < table->count; ++i)
            if (arithmetic_of(table->kernels[i].a.elements) == arithmetic)
                kernels.push_back({isa, arithmetic, table->kernels + i});
}

}  // namespace

std::vector<MatrixKernel> matrix_kernels(Precision precision, Isa isa) {
    std::vector<MatrixKernel> kernels;
    if (precision == Precision::f64) return kernels;
    append_kernels(precision, isa, kernels);
    if (precision == Precision::bf16 || precision == Precision::f16)
        append_kernels(Precision::f32, isa, kernels);
    return kernels;
}

std::optional<MatrixKernel> best_matrix_kernel(Precision precision, Isa isa) {
    const std::vector<MatrixKernel> kernels = matrix_kernels(precision, isa);
    if (kernels.empty()) return std::nullopt;
    return kernels.front();
}

std::optional<MatrixKernel> best_matrix_kernel(Precision precision) {
    for (const Isa isa : {Isa::amx, Isa::avx512, Isa::avx2, Isa::neon, Isa::portable})
        if (const std::optional<MatrixKernel> kernel = best_matrix_kernel(precision, isa)) return kernel;
    return std::nullopt;
}

}  // namespace assay::kernels
