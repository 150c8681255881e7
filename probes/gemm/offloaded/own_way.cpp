#include <algorithm>
#include <limits>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "kernels/offload/matrix_product.h"
#include "probes/gemm/offloaded/offloaded.h"

namespace assay {

using kernels::OffloadedForm;
using kernels::OffloadedProduct;
using kernels::Precision;

double trial(Queue& queue, const std::function<void()>& enqueue) {
    constexpr int products = 3;
    double shortest = std::numeric_limits<double>::infinity();
    for (int i = 0; i < products; ++i) shortest = std::min(shortest, std::max(timed(queue, enqueue), 1e-9));
    return shortest;
}

std::variant<OffloadedWay, Absent> own_way(Accelerator& accelerator, OffloadedMatrices& matrices) {
    const Precision precision = matrices.precision();
    if (const std::optional<std::string> obstacle = kernels::offloading_obstacle(accelerator, precision))
        return Absent{*obstacle};
    const MatrixShape& shape = matrices.shape();
    std::shared_ptr<OffloadedProduct> best;
    std::string best_form, tried, refused;
    double best_seconds = std::numeric_limits<double>::infinity();
    for (const OffloadedForm& form : kernels::offloaded_forms(accelerator, precision)) {
        try {
            const std::shared_ptr<OffloadedProduct> product =
                std::make_shared<OffloadedProduct>(accelerator, form, precision, shape.m, shape.n, shape.k);
            product->pack(matrices.a(), matrices.b());
            const double seconds = trial(accelerator.queue(), [&] { product->multiply(matrices.c()); });
            tried += fmt::format("{}{} {:.4g}", tried.empty() ? "" : ", ", form.name(),
                                 shape.operations() / seconds / 1e9);
            if (seconds >= best_seconds) continue;
            best = product;
            best_form = form.name();
            best_seconds = seconds;
        } catch (const DeviceError& error) {
            // A device may have too little local memory or registers for one form, and enough for the next.
            if (error.lost()) throw;
            refused = error.what();
        }
    }
    if (!best) throw DeviceError(refused);
    OffloadedWay way;
    way.arithmetic = way.sums = precision;
    way.enqueue = [best, &matrices] { best->multiply(matrices.c()); };
    way.resolved = {{"implementation", "own"}, {"tile", best_form}};
    way.notes.push_back(fmt::format(
        "By own OpenCL kernels, both operands packed into panels beforehand{}. In a trial of a few products "
        "tiles "
        "gave, in G{}/s: {}; the best was taken.",
        precision == Precision::f16 ? "; sums of f16 are taken up by f32 after every 64 products" : "",
        precision == Precision::int8 ? "op" : "FLOP", tried));
    if (!refused.empty()) way.notes.push_back("Another tile could not be used: " + refused);
    return way;
}

}  // namespace assay
