#include "probes/inference/decode_plan.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

namespace assay::inference {

namespace {

constexpr double gigabyte = 1e9;

const Model& find_model(const Case& the_case, const Context& context) {
    const std::string& name = the_case.text("model");
    std::string known;
    for (const Model& model : context.models) {
        if (model.name == name) return model;
        known += (known.empty() ? "" : ", ") + model.name;
    }
    throw InputError(fmt::format("inference.decode.model: \"{}\" is not a known model; known are {}", name,
                                 known.empty() ? "none" : known));
}

std::size_t layers_of(const Case& the_case, const Model& model) {
    if (the_case.is_auto("layers")) return static_cast<std::size_t>(model.layers);
    const std::int64_t layers = the_case.integer("layers");
    if (layers > model.layers)
        throw InputError(
            fmt::format("inference.decode.layers: {} has {} layers, not {}; auto or 1 to {} would do",
                        model.name, model.layers, layers, model.layers));
    return static_cast<std::size_t>(layers);
}

int threads_of(const Case& the_case) {
    const int allowed = kernels::allowed_cpus();
    if (the_case.is_auto("threads")) return allowed;
    const std::int64_t threads = the_case.integer("threads");
    if (threads > allowed)
        throw InputError(
            fmt::format("inference.decode.threads: {} are more than the {} CPUs that this process may use; "
                        "auto or 1 to {} "
                        "would do",
                        threads, allowed, allowed));
    return static_cast<int>(threads);
}

/// The best set that the products are written for: they know no VNNI of their own.
kernels::Isa best_decoder_isa() {
    return kernels::best_vector_isa();
}

}  // namespace

MemoryNeed memory_need(const DecodePlan& plan) {
    return {plan.weights(), plan.cache()};
}

std::string describe(const DecodePlan& plan, const MemoryNeed& need) {
    return fmt::format(
        "{:.2f} GB of {} weights + {:.2f} GB of cache for {} positions + {:.2f} GB of slack = {:.2f} GB",
        static_cast<double>(need.weights_bytes) / gigabyte, to_string(plan.format),
        static_cast<double>(need.cache_bytes) / gigabyte, plan.positions(),
        static_cast<double>(need.slack_bytes) / gigabyte, static_cast<double>(need.total()) / gigabyte);
}

double memory_headroom(const DecodePlan& plan, std::uint64_t memory_bytes) {
    const double needed = 1.2 * static_cast<double>(plan.weights()) + static_cast<double>(plan.cache());
    return static_cast<double>(memory_bytes) / needed;
}

void check_decode(const Case& the_case, const Context& context) {
    layers_of(the_case, find_model(the_case, context));
    threads_of(the_case);
}

std::variant<DecodePlan, Absent> plan_decode(const Case& the_case, const Context& context) {
    check_decode(the_case, context);
    DecodePlan plan;
    plan.model = &find_model(the_case, context);
    if (plan.model->architecture != "dense" || plan.model->attention == AttentionKind::mla)
        return Absent{fmt::format(
            "{} has {}{}; this version decodes dense models with multi-head or grouped-query attention only",
            plan.model->name, plan.model->architecture == "moe" ? "experts" : plan.model->architecture,
            plan.model->attention == AttentionKind::mla ? " and latent attention" : "")};
    plan.shape = shape_of(*plan.model, layers_of(the_case, *plan.model));
    plan.format =
        the_case.text("format") == "int8" ? kernels::WeightFormat::int8 : kernels::WeightFormat::int4;
    plan.int8_activations = the_case.text("activations") != "f32";
    plan.threads = threads_of(the_case);
    plan.context = static_cast<std::size_t>(the_case.integer("context"));
    plan.output = static_cast<std::size_t>(the_case.integer("output"));
    plan.isa = best_decoder_isa();
    if (!the_case.is_auto("isa")) {
        plan.isa = kernels::isa_from_string(the_case.text("isa")).value();
        if (!kernels::supports(plan.isa))
            return Absent{fmt::format("this CPU or its operating system has no {}", to_string(plan.isa))};
    }
    return plan;
}

SamplingPolicy decode_policy(const SamplingPolicy& run) {
    SamplingPolicy policy = run;
    policy.statistic = Statistic::mean;
    // An interval of the 99th percentile needs 368 tokens, which take a small machine ten seconds and more.
    if (!run.fixed_time) policy.maximum_time = 4 * run.maximum_time;
    return policy;
}

Estimate estimate_decode(const Case& the_case, const Context& context) {
    Estimate estimate;
    const std::variant<DecodePlan, Absent> planned = plan_decode(the_case, context);
    const DecodePlan* plan = std::get_if<DecodePlan>(&planned);
    if (plan == nullptr) {
        estimate.seconds = 0.1;
        return estimate;
    }
    const MemoryNeed need = memory_need(*plan);
    estimate.memory_bytes = need.total();
    if (context.device != nullptr && need.total() > context.device->info().memory_bytes) {
        estimate.seconds = 0.1;
        return estimate;
    }
    // Weights are written at 1 GB/s or more, and a token reads them at 5 GB/s or more. Two tokens come before
    // the warm-up, and a slice once begun is finished.
    const SamplingPolicy policy = decode_policy(context.sampling);
    const double token =
        static_cast<double>(matrix_bytes_per_token(plan->shape, plan->format)) / (5 * gigabyte);
    const double sampling = std::max((policy.maximum_warm_up + policy.maximum_time).count(), 4 * token);
    estimate.seconds = 0.5 + static_cast<double>(need.weights_bytes) / gigabyte + 2 * token + sampling;
    return estimate;
}

}  // namespace assay::inference
