#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include <fmt/format.h>

#include "probes/quantized/offloaded/offloaded.h"

namespace assay {

namespace {

constexpr int trial_products = 3;
constexpr double shortest_sample = 5e-3;

}  // namespace

void refuse_cpu_parameters(const Case& the_case, std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names)
        if (!the_case.is_auto(name))
            throw InputError(fmt::format("{}.{}: is of cpu:0 alone; accepted on {}: auto", the_case.probe,
                                         name, the_case.text("device")));
}

ChosenProduct choose_product(Accelerator& accelerator, const std::vector<NamedProduct>& products,
                             double operations) {
    ChosenProduct best;
    best.seconds = std::numeric_limits<double>::infinity();
    std::string tried, refused;
    for (std::size_t index = 0; index < products.size(); ++index) {
        const NamedProduct& product = products[index];
        try {
            double shortest = std::numeric_limits<double>::infinity();
            // The first one may also compile.
            for (int i = 0; i < trial_products; ++i)
                shortest = std::min(shortest, std::max(timed(accelerator.queue(), product.enqueue), 1e-9));
            tried += fmt::format("{}{} {:.4g}", tried.empty() ? "" : ", ", product.name,
                                 operations / shortest / 1e9);
            if (shortest >= best.seconds) continue;
            best.index = index;
            best.seconds = shortest;
        } catch (const DeviceError& error) {
            // A device may have too little local memory or registers for one form, and enough for the next.
            if (error.lost()) throw;
            refused = error.what();
        }
    }
    if (tried.empty()) throw DeviceError(refused);
    best.note = fmt::format(
        "timed by the device's events. In a trial of a few products these gave, in Gop/s: {}; "
        "the best was taken.",
        tried);
    if (!refused.empty()) best.note += " Another form could not be used: " + refused;
    return best;
}

int products_of_sample(double seconds) {
    return static_cast<int>(std::clamp(std::ceil(shortest_sample / seconds), 1.0, 1e4));
}

}  // namespace assay
