#include "kernels/offload/matrix_product.h"

#include <array>
#include <cstdint>

#include "kernels/offload/dot_product.h"

namespace assay::kernels {

namespace {

constexpr const char* program = "matrix_product";
constexpr std::size_t step_multiple = 64;  ///< of f16's partial sums, and of the steps in local memory
constexpr std::size_t pack_group = 64;

std::size_t pieces(std::size_t count, std::size_t piece) {
    return (count + piece - 1) / piece;
}

/// Of k in a panel: int8 has four in one.
std::size_t steps_of(Precision precision, std::size_t k) {
    return pieces(precision == Precision::int8 ? pieces(k, 4) : k, step_multiple) * step_multiple;
}

std::size_t panel_elements(std::size_t extent, std::size_t panel, std::size_t steps) {
    return pieces(extent, panel) * panel * steps;
}

int format_number(Precision precision) {
    return precision == Precision::f32 ? 0 : precision == Precision::f16 ? 1 : 2;
}

/// Bytes of a step of a panel's row.
std::size_t packed_element(Precision precision, bool imitate) {
    return precision == Precision::f16 && !imitate ? 2 : 4;
}

}  // namespace

std::string OffloadedForm::name() const {
    return std::to_string(rows) + " x " + std::to_string(columns) + (by_items ? " by items" : " by groups");
}

std::vector<OffloadedForm> offloaded_forms(const Accelerator& accelerator, Precision precision) {
    std::vector<OffloadedForm> forms;
    // 24 sums of 16 floats fill the registers of AVX-512, 12 of 8 those of AVX2 (as 6 of 16).
    if (precision == Precision::f32 && !accelerator.is_card())
        return {{true, 6, 64}, {true, 12, 32}, {true, 6, 16}};
    return {{false, 128, 128}, {false, 64, 64}};
}

std::optional<std::string> offloading_obstacle(const Accelerator& accelerator, Precision precision) {
    if (precision == Precision::f32) return std::nullopt;
    const char* const extension = precision == Precision::f16    ? "cl_khr_fp16"
                                  : precision == Precision::int8 ? "cl_khr_integer_dot_product"
                                                                 : nullptr;
    const std::string who = accelerator.info().id + " (" + accelerator.info().interface + ")";
    if (extension == nullptr)
        return "own OpenCL kernels multiply f32, f16 and int8, and no " + std::string(to_string(precision));
    if (accelerator.has_extension(extension)) return std::nullopt;
    return who + " lacks the OpenCL extension " + extension + ", which " + std::string(to_string(precision)) +
           " products need";
}

OffloadedProduct::OffloadedProduct(Accelerator& accelerator, const OffloadedForm& form, Precision precision,
                                   std::size_t m, std::size_t n, std::size_t k, bool imitate)
    : accelerator_(accelerator), form_(form), m_(m), n_(n), k_(k), steps_(steps_of(precision, k)) {
    options_ = "-DFORMAT=" + std::to_string(format_number(precision)) +
               " -DROWS=" + std::to_string(form.rows) + " -DCOLUMNS=" + std::to_string(form.columns);
    if (imitate)
        options_ += " -DIMITATE";
    else if (precision == Precision::int8)
        options_ += dot_product_options(accelerator);
    const std::size_t element = packed_element(precision, imitate);
    left_ = accelerator.allocate(panel_elements(m, form.rows, steps_) * element, false);
    right_ = accelerator.allocate(panel_elements(n, form.columns, steps_) * element, false);
}

std::size_t OffloadedProduct::packed_bytes(const OffloadedForm& form, Precision precision, std::size_t m,
                                           std::size_t n, std::size_t k) {
    const std::size_t steps = steps_of(precision, k);
    return (panel_elements(m, form.rows, steps) + panel_elements(n, form.columns, steps)) *
           packed_element(precision, false);
}

void OffloadedProduct::pack_side(const DeviceMemory& from, DeviceMemory& to, std::size_t extent,
                                 std::size_t extent_stride, std::size_t k_stride, std::size_t panel) {
    const std::uint64_t count = panel_elements(extent, panel, steps_);
    const std::array<KernelArgument, 9> arguments = {
        &from,
        static_cast<const DeviceMemory*>(&to),
        std::uint64_t{extent},
        std::uint64_t{k_},
        std::uint64_t{extent_stride},
        std::uint64_t{k_stride},
        std::uint64_t{panel},
        std::uint64_t{steps_},
        count,
    };
    accelerator_.queue().launch(accelerator_.kernel(program, "pack", options_),
                                {.groups_x = pieces(count, pack_group), .group_x = pack_group}, arguments);
}

void OffloadedProduct::pack(const DeviceMemory& a, const DeviceMemory& b) {
    pack_side(a, *left_, m_, k_, 1, form_.rows);
    pack_side(b, *right_, n_, 1, n_, form_.columns);
}

void OffloadedProduct::multiply(DeviceMemory& out) {
    const std::array<KernelArgument, 6> arguments = {
        static_cast<const DeviceMemory*>(left_.get()),
        static_cast<const DeviceMemory*>(right_.get()),
        static_cast<const DeviceMemory*>(&out),
        std::uint64_t{m_},
        std::uint64_t{n_},
        std::uint64_t{steps_},
    };
    const std::size_t row_panels = pieces(m_, form_.rows), column_panels = pieces(n_, form_.columns);
    // Neighbouring groups share the right panel by items, where each CPU's cache keeps it.
    const Grid grid =
        form_.by_items
            ? Grid{.groups_x = row_panels, .groups_y = column_panels}
            : Grid{.groups_x = column_panels, .groups_y = row_panels, .group_x = 16, .group_y = 16};
    accelerator_.queue().launch(
        accelerator_.kernel(program, form_.by_items ? "product_by_items" : "product_by_groups", options_),
        grid, arguments);
}

}  // namespace assay::kernels
