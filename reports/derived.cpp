#include "reports/derived.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "reports/selection.h"

namespace assay {

namespace {

constexpr std::array<std::string_view, 3> multiplications = {"gemm.throughput", "quantized.gemm.throughput",
                                                             "quantized.gemv.throughput"};

using Condition = std::function<bool(const Measured&)>;

std::vector<Measured> only(std::vector<Measured> candidates, const Condition& condition) {
    std::erase_if(candidates, [&](const Measured& candidate) { return !condition(candidate); });
    return candidates;
}

/// Both had the same of it, and say so.
bool same_resolved(const Measured& one, const Measured& other, std::string_view name) {
    const std::string_view value = resolved_of(*one.outcome, name);
    return !value.empty() && value == resolved_of(*other.outcome, name);
}

bool same_parameter(const Measured& one, const Measured& other, std::string_view name) {
    return parameter_of(*one.outcome, name) == parameter_of(*other.outcome, name);
}

/// On the same device and, of the host's CPUs, as many of them: accelerators have no threads to tell.
bool same_place(const Measured& one, const Measured& other) {
    return same_parameter(one, other, "device") &&
           (names_accelerator(parameter_of(*one.outcome, "device")) || same_resolved(one, other, "threads"));
}

/// Whether the best way to read was found on pages of another size than the weights lie on; where either says
/// nothing, none is claimed.
bool on_other_pages(const Measured& product, const Measured& memory) {
    const std::string_view ours = resolved_of(*product.outcome, "page_bytes");
    const std::string_view pattern = resolved_of(*memory.outcome, "pattern_read");
    return !ours.empty() && !pattern.empty() && !pattern.ends_with(fmt::format(" {}-byte pages", ours));
}

/// A format's size as a metric, so that it divides like any other.
Metric known_bytes(std::string name, double bytes) {
    Metric metric;
    metric.name = std::move(name);
    metric.unit = Unit::byte;
    metric.value = metric.summary.median = metric.summary.mean = bytes;
    metric.summary.minimum = metric.summary.maximum = bytes;
    metric.summary.samples = 1;
    metric.summary.interval_method = "exact";
    return metric;
}

const Metric& f32_weight() {
    static const Metric metric = known_bytes("f32", 4);
    return metric;
}
const Metric& f16_weight() {
    static const Metric metric = known_bytes("f16", 2);
    return metric;
}

class Derivation {
  public:
    explicit Derivation(const std::vector<Outcome>& outcomes) : outcomes_(outcomes) {}

    std::vector<DerivedFigure> derive() {
        for (const Measured& product : products()) add_share_of_ceiling(product);
        for (const Measured& product : all_measured(outcomes_, "quantized.gemv.bandwidth"))
            add_share_of_memory(product);
        for (const Measured& product : products()) add_speed_up(product);
        const std::vector<Measured> weights = all_measured(outcomes_, "quantized.accuracy.bytes_per_weight");
        for (const Measured& weight : weights)
            add(DerivedKind::share_of_f32_bytes, weight, {nullptr, &f32_weight()});
        for (const Measured& weight : weights)
            add(DerivedKind::share_of_f16_bytes, weight, {nullptr, &f16_weight()});
        return std::move(figures_);
    }

  private:
    /// Every matrix product's rate, in the outcomes' order.
    std::vector<Measured> products() const {
        std::vector<Measured> found;
        for (const Outcome& outcome : outcomes_) {
            if (outcome.status != Status::measured) continue;
            for (const Metric& metric : outcome.metrics) {
                const bool multiplies = std::find(multiplications.begin(), multiplications.end(),
                                                  metric.name) != multiplications.end();
                if (multiplies && is_rate(metric)) found.push_back({&outcome, &metric});
            }
        }
        return found;
    }

    void add(DerivedKind kind, const Measured& of, const Measured& to, std::string_view note = "",
             bool other_shape = false) {
        Figure figure = ratio_figure(*of.metric, of.metric->statistic, *to.metric, to.metric->statistic);
        if (!figure.value || !std::isfinite(*figure.value)) return;
        if (!note.empty()) figure.notes.emplace_back(note);
        figures_.push_back({kind, of, to, other_shape, std::move(figure)});
    }

    /// A ceiling of another instruction set is no ceiling: this one's may be lower or higher.
    void add_share_of_ceiling(const Measured& product) {
        const std::string_view arithmetic = resolved_of(*product.outcome, "arithmetic");
        if (arithmetic.empty()) return;
        const std::optional<Measured> ceiling =
            greatest(only(all_measured(outcomes_, "gemm.ceiling"), [&](const Measured& candidate) {
                return is_rate(*candidate.metric) && same_place(product, candidate) &&
                       parameter_of(*candidate.outcome, "precision") == arithmetic &&
                       (isa_of(candidate).empty() || isa_of(candidate) == isa_of(product));
            }));
        if (ceiling) add(DerivedKind::share_of_ceiling, product, *ceiling);
    }

    void add_share_of_memory(const Measured& product) {
        if (product.metric->unit != Unit::byte_per_second) return;
        const std::optional<Measured> memory =
            greatest(only(read_bandwidths(outcomes_),
                          [&](const Measured& candidate) { return same_place(product, candidate); }));
        if (!memory) return;
        add(DerivedKind::share_of_memory, product, *memory,
            on_other_pages(product, *memory) ? "other_pages" : "");
    }

    /// Against the fastest f32 there is, whatever its instruction set: a gain over a slow one would be none.
    void add_speed_up(const Measured& product) {
        const std::string& probe = product.outcome->the_case.probe;
        const std::string_view format = parameter_of(*product.outcome, "format");
        if (format.empty() || format == "f32") return;
        const bool with_vector = probe == "quantized.gemv";
        const std::vector<Measured> in_f32 = only(
            all_measured(outcomes_, with_vector ? "quantized.gemv.throughput" : "gemm.throughput"),
            [&](const Measured& candidate) {
                const std::string_view precision =
                    parameter_of(*candidate.outcome, with_vector ? "format" : "precision");
                return precision == "f32" && is_rate(*candidate.metric) && same_place(product, candidate);
            });
        const std::optional<Measured> same_shape = greatest(only(in_f32, [&](const Measured& candidate) {
            return same_parameter(product, candidate, "m") && same_parameter(product, candidate, "k") &&
                   (with_vector || same_parameter(product, candidate, "n"));
        }));
        if (same_shape) {
            add(DerivedKind::speed_up_over_f32, product, *same_shape);
        } else if (const std::optional<Measured> best = greatest(in_f32); best && !with_vector) {
            // A vector's product is as fast as memory, which the shape decides: another one tells nothing.
            add(DerivedKind::speed_up_over_f32, product, *best, "", true);
        }
    }

    const std::vector<Outcome>& outcomes_;
    std::vector<DerivedFigure> figures_;
};

}  // namespace

std::string_view to_string(DerivedKind kind) {
    switch (kind) {
        case DerivedKind::share_of_ceiling:
            return "share_of_ceiling";
        case DerivedKind::share_of_memory:
            return "share_of_memory";
        case DerivedKind::speed_up_over_f32:
            return "speed_up_over_f32";
        case DerivedKind::share_of_f32_bytes:
            return "share_of_f32_bytes";
        case DerivedKind::share_of_f16_bytes:
            return "share_of_f16_bytes";
    }
    return "?";
}

std::vector<DerivedFigure> derived_figures(const std::vector<Outcome>& outcomes) {
    return Derivation(outcomes).derive();
}

}  // namespace assay
