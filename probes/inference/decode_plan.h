#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "probes/core/probe.h"
#include "probes/inference/decoder.h"

namespace assay::inference {

/// What a case of inference.decode comes to on this machine.
struct DecodePlan {
    const Model* model = nullptr;
    DecoderShape shape;
    kernels::WeightFormat format = kernels::WeightFormat::int4;
    bool int8_activations = false;
    kernels::Isa isa = kernels::Isa::portable;
    int threads = 1;
    std::size_t context = 0;  ///< tokens in the cache when a sequence begins
    std::size_t output = 0;   ///< tokens of a sequence

    std::size_t positions() const { return context + output; }
    std::uint64_t weights() const { return weight_bytes(shape, format); }
    std::uint64_t cache() const { return cache_bytes(shape, positions()); }
};

/// The arithmetic of whether it fits.
struct MemoryNeed {
    std::uint64_t weights_bytes = 0;
    std::uint64_t cache_bytes = 0;
    std::uint64_t slack_bytes = 256u << 20;  ///< this process, scratch and checks; ours
    std::uint64_t total() const { return weights_bytes + cache_bytes + slack_bytes; }
};
MemoryNeed memory_need(const DecodePlan& plan);
/// "1.00 GB of int4 weights + 0.01 GB of cache for 256 positions + 0.27 GB of slack = 1.28 GB": for reasons.
std::string describe(const DecodePlan& plan, const MemoryNeed& need);

/// Memory over weights × 1.2 + cache: the documents' reserve of 20 % for intermediate results. 1 or more:
/// fits.
double memory_headroom(const DecodePlan& plan, std::uint64_t memory_bytes);

/// Throws InputError for an unknown model, more layers than the model has, more threads than CPUs.
void check_decode(const Case& the_case, const Context& context);

/// The plan, or why this version or this machine cannot run the case. Memory is not looked at. Throws what
/// check_decode() throws.
std::variant<DecodePlan, Absent> plan_decode(const Case& the_case, const Context& context);

/// Time that sampling tokens may take, warm-up left out.
SamplingPolicy decode_policy(const SamplingPolicy& run);

Estimate estimate_decode(const Case& the_case, const Context& context);

}  // namespace assay::inference
