#include "probes/gemm/product.h"

#include <memory>

#include <fmt/format.h>

#include "kernels/cpu/thread_team.h"
#include "kernels/matrix/product.h"
#include "probes/core/cpu_choice.h"

namespace assay {

using kernels::Precision;

PreparedProduct prepare_openblas(const kernels::OpenBlas& blas, const Matrices& matrices, int threads) {
    const int used = blas.set_threads(threads);
    const MatrixShape& shape = matrices.shape();
    const int m = static_cast<int>(shape.m), n = static_cast<int>(shape.n), k = static_cast<int>(shape.k);
    PreparedProduct product;
    product.arithmetic = matrices.precision();
    if (product.arithmetic == Precision::f64)
        product.multiply = [&blas, &matrices, m, n, k] {
            blas.multiply(m, n, k, reinterpret_cast<const double*>(matrices.a()),
                          reinterpret_cast<const double*>(matrices.b()),
                          reinterpret_cast<double*>(matrices.c()));
        };
    else
        product.multiply = [&blas, &matrices, m, n, k] {
            blas.multiply(m, n, k, reinterpret_cast<const float*>(matrices.a()),
                          reinterpret_cast<const float*>(matrices.b()),
                          reinterpret_cast<float*>(matrices.c()));
        };
    // The first of a team of one, on the first CPU: OpenBLAS's own threads are on the next ones.
    product.bind_caller = [] { return std::make_shared<kernels::ThreadTeam>(1); };
    product.resolved = {{"implementation", "openblas"},
                        {"library", blas.version()},
                        {"core", blas.core_name()},
                        {"isa", std::string(kernels::to_string(blas.isa()))},
                        {"threads", std::to_string(used)}};
    product.notes.push_back(
        "Through OpenBLAS, which packs both operands within each product; each thread bound to its own CPU.");
    if (!blas.core_note().empty()) product.notes.push_back(blas.core_note());
    if (used != threads)
        product.notes.push_back(fmt::format(
            "OpenBLAS uses {} threads where {} were asked for: it was built for no more, so this is not "
            "all that the machine can do.",
            used, threads));
    return product;
}

namespace {

/// What an own product needs as long as it is used.
struct OwnProduct {
    OwnProduct(const kernels::MatrixKernel& kernel, const MatrixShape& shape, Device& device, int threads)
        : team(threads),
          product(kernel, {shape.m, shape.n, shape.k}, team),
          left(device.allocate(product.left().bytes(), true)),
          right(device.allocate(product.right().bytes(), true)) {}

    kernels::ThreadTeam team;
    kernels::MatrixProduct product;
    std::unique_ptr<DeviceMemory> left, right;
};

std::string packing_note(const kernels::MatrixKernel& kernel, Precision given) {
    std::string note = "By own kernels, both operands packed beforehand";
    if (kernel.arithmetic != given)
        note += fmt::format(" and widened from {} to {}, since this instruction set multiplies no {}",
                            kernels::to_string(given), kernels::to_string(kernel.arithmetic),
                            kernels::to_string(given));
    if (kernel.micro->a.elements == kernels::PackedElements::s16) note += ", bytes widened to 16 bits";
    if (kernel.micro->a.elements == kernels::PackedElements::f16)
        note += "; sums of f16 are taken up by f32 after every 64 products";
    return note + ".";
}

}  // namespace

PreparedProduct prepare_own(const kernels::MatrixKernel& kernel, const Matrices& matrices, Device& device,
                            int threads) {
    const MatrixShape& shape = matrices.shape();
    const std::shared_ptr<OwnProduct> own = std::make_shared<OwnProduct>(kernel, shape, device, threads);
    own->product.pack_left({matrices.precision(), matrices.a(), shape.m, shape.k, shape.k, 1},
                           own->left->host_pointer());
    own->product.pack_right({matrices.precision(), matrices.b(), shape.n, shape.k, 1, shape.n},
                            own->right->host_pointer());
    PreparedProduct product;
    product.arithmetic = kernel.arithmetic;
    product.multiply = [own, &matrices] {
        own->product.multiply(own->left->host_pointer(), own->right->host_pointer(), matrices.c());
    };
    product.resolved = {{"implementation", "own"},
                        {"isa", std::string(kernels::to_string(kernel.isa))},
                        {"instruction", kernel.micro->instruction},
                        {"threads", std::to_string(threads)}};
    product.notes.push_back(packing_note(kernel, matrices.precision()));
    return product;
}

std::uint64_t packed_bytes(const kernels::MatrixKernel& kernel, const MatrixShape& shape) {
    return kernels::PackedLayout(kernel, kernels::Side::left, shape.m, shape.k).bytes() +
           kernels::PackedLayout(kernel, kernels::Side::right, shape.n, shape.k).bytes();
}

std::optional<kernels::MatrixKernel> own_kernel_of(const Case& the_case) {
    const Precision precision = precision_of(the_case);
    const std::optional<kernels::Isa> isa = matrix_isa_of(the_case);
    if (!isa) return kernels::best_matrix_kernel(precision);
    const std::optional<kernels::MatrixKernel> kernel = kernels::best_matrix_kernel(precision, *isa);
    if (!kernel)
        throw InputError(fmt::format("{}.isa: {} has no kernel for {}; accepted: auto, or another set",
                                     the_case.probe, kernels::to_string(*isa),
                                     kernels::to_string(precision)));
    return kernel;
}

}  // namespace assay
