#include <algorithm>
#include <cmath>
#include <memory>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "probes/core/statistics.h"
#include "probes/inference/decode_check.h"
#include "probes/inference/decode_plan.h"
#include "probes/inference/inference.h"
#include "probes/inference/sequences.h"

namespace assay {

namespace {

using namespace inference;

/// Fewer operations than this leave the 99th percentile without an interval (see probes/core/metric.h).
constexpr std::size_t tokens_for_p99 = 368;
constexpr std::size_t longest_slice = 13;  ///< 30 slices of 13 tokens are 390

constexpr MetricDeclaration latency_metric = {"inference.decode.latency", Unit::second, Direction::lower,
                                              "time of one output token"};
constexpr MetricDeclaration throughput_metric = {"inference.decode.throughput", Unit::token_per_second,
                                                 Direction::higher, "output tokens in a second"};
constexpr MetricDeclaration headroom_metric = {
    "inference.decode.memory_headroom", Unit::ratio, Direction::higher,
    "memory that the device allows over weights x 1.2 + cache; 1 or more: the documents' reserve fits"};
constexpr MetricDeclaration bandwidth_metric = {"inference.decode.weight_bandwidth", Unit::byte_per_second,
                                                Direction::higher, "weight bytes of a token over its time"};

constexpr MetricDeclaration weight_bytes_metric = {"inference.decode.weight_bytes", Unit::byte,
                                                   Direction::none,
                                                   "memory that all weights take in this format"};

/// Weights and cache in the device's memory.
struct Loaded {
    std::unique_ptr<DeviceMemory> weight_memory, cache_memory;
    DecoderWeights weights;
    Cache cache;
};

Loaded load(const DecodePlan& plan, kernels::ThreadTeam& team, Context& context) {
    Loaded loaded;
    loaded.weight_memory = context.device->allocate(plan.weights(), true);
    loaded.cache_memory = context.device->allocate(plan.cache(), true);
    loaded.weights = place_weights(plan.shape, plan.format, loaded.weight_memory->host_pointer());
    loaded.weights.int8_activations = plan.int8_activations;
    loaded.cache = place_cache(plan.shape, plan.positions(), loaded.cache_memory->host_pointer());
    fill_weights(loaded.weights, context.seed, team,
                 [&context](double share) { context.progress("writing weights", 0.1 * share); });
    fill_cache(loaded.cache, plan.shape, plan.context, context.seed + 1);
    return loaded;
}

struct Timing {
    SampleSet throughput;           ///< token/second of each slice
    std::vector<Histogram> slices;  ///< the same slices' single tokens
    std::size_t tokens_per_slice = 1;
    std::uint64_t tokens = 0;  ///< timed, warm-up left out
};

Timing time_tokens(Sequences& sequences, Context& context) {
    SamplingPolicy policy = decode_policy(context.sampling);
    // The first token pays for page tables and cold caches; the second tells how many make a slice.
    sequences.next();
    const double token = std::max(seconds_of(sequences.next()), 1e-9);
    Timing timing;
    const double slice_seconds = policy.maximum_time.count() / 30;
    timing.tokens_per_slice =
        static_cast<std::size_t>(std::clamp(slice_seconds / token, 1.0, static_cast<double>(longest_slice)));
    const std::size_t wanted = std::max(tokens_for_p99, sequences.output);
    policy.minimum_samples =
        std::max(policy.minimum_samples, (wanted + timing.tokens_per_slice - 1) / timing.tokens_per_slice);

    const Nanoseconds begin = context.clock.now();
    const double expected = (policy.maximum_warm_up + policy.maximum_time).count();
    std::vector<Histogram> slices;
    timing.throughput = context.sample(policy, [&] {
        Histogram& slice = slices.emplace_back();
        Nanoseconds total{0};
        for (std::size_t i = 0; i < timing.tokens_per_slice; ++i) {
            const Nanoseconds duration = sequences.next();
            slice.record(static_cast<std::uint64_t>(duration.count()));
            total += duration;
        }
        const double elapsed = seconds_of(context.clock.now() - begin);
        context.progress("decoding", std::min(1.0, 0.1 + 0.9 * elapsed / std::max(expected, 1e-9)));
        return static_cast<double>(timing.tokens_per_slice) / std::max(seconds_of(total), 1e-9);
    });
    timing.slices.assign(slices.begin() + static_cast<std::ptrdiff_t>(timing.throughput.warm_up_samples),
                         slices.end());
    timing.tokens = timing.slices.size() * timing.tokens_per_slice;
    return timing;
}

/// Bytes a second at which the team reads the weights when it does nothing else; median of five.
double plain_read_rate(const DecodePlan& plan, const Loaded& loaded, kernels::ThreadTeam& team,
                       Clock& clock) {
    constexpr std::size_t block = 256;
    const kernels::DecoderOps& ops = kernels::decoder_ops(plan.isa);
    const std::size_t blocks = loaded.weight_memory->bytes() / block;
    std::vector<std::uint64_t> sums(static_cast<std::size_t>(team.size()));
    std::vector<double> rates;
    for (int pass = 0; pass < 5; ++pass) {
        const Nanoseconds begin = clock.now();
        team.run([&](int member) {
            const RowRange share = share_of(blocks, team.size(), member);
            sums[static_cast<std::size_t>(member)] +=
                ops.read(loaded.weight_memory->host_pointer() + share.begin * block,
                         (share.end - share.begin) * block);
        });
        rates.push_back(static_cast<double>(blocks * block) /
                        std::max(seconds_of(clock.now() - begin), 1e-9));
    }
    return median_of(rates);
}

void add_metrics(Outcome& outcome, const DecodePlan& plan, const Timing& timing, double read_rate,
                 std::uint64_t memory_bytes) {
    const bool has_p99 = timing.tokens >= tokens_for_p99;
    outcome.metrics.push_back(make_latency_metric(latency_metric, timing.slices, timing.throughput.at,
                                                  has_p99 ? Statistic::p99 : Statistic::mean));
    const double bytes = static_cast<double>(matrix_bytes_per_token(plan.shape, plan.format));
    SampleSet bandwidth = timing.throughput;
    for (double& value : bandwidth.values) value *= bytes;
    const std::string source = "reading the same weights and nothing else, median of 5 in this run";
    outcome.metrics.push_back(make_metric(throughput_metric, timing.throughput));
    outcome.metrics.back().limit = Limit{read_rate / bytes, source};
    outcome.metrics.push_back(make_metric(bandwidth_metric, bandwidth));
    outcome.metrics.back().limit = Limit{read_rate, source};
    outcome.metrics.push_back(make_exact_metric(headroom_metric, memory_headroom(plan, memory_bytes)));
    outcome.metrics.push_back(make_exact_metric(weight_bytes_metric, static_cast<double>(plan.weights())));
}

void add_notes(Outcome& outcome, const DecodePlan& plan, const Timing& timing, const Context& context) {
    std::vector<std::string>& notes = outcome.notes;
    notes.push_back(fmt::format(
        "batch 1, greedy: {} tokens timed one by one in slices of {}, in sequences of {} after a context of "
        "{}; "
        "sampled until the mean of the throughput was within {:.0f} % or for {:.3g} s at most",
        timing.tokens, timing.tokens_per_slice, plan.output, plan.context,
        context.sampling.relative_precision * 100, decode_policy(context.sampling).maximum_time.count()));
    notes.push_back(fmt::format(
        "a token: {} layers (RMS norm, {} query and {} key/value heads of {}, rotary positions with "
        "base {:.0f}, SwiGLU of {}) and the output head over {} tokens; activations {}, cache f16, "
        "embedding and all matrices {}",
        plan.shape.layers, plan.shape.query_heads, plan.shape.key_value_heads, plan.shape.head_dimension,
        rotary_base, plan.shape.intermediate, plan.shape.vocabulary,
        plan.int8_activations ? "f32, quantized to int8 with a scale for each 32 before every product"
                              : "f32",
        to_string(plan.format)));
    notes.push_back(
        "weights and the context's keys and values are random; time does not depend on their values");
    if (plan.shape.layers < static_cast<std::size_t>(plan.model->layers))
        notes.push_back(fmt::format("only {} of the model's {} layers: not the model's figures",
                                    plan.shape.layers, plan.model->layers));
    if (timing.tokens < tokens_for_p99)
        notes.push_back(
            fmt::format("{} tokens in the time allowed are fewer than the {} that an interval of the 99th "
                        "percentile needs: "
                        "the headline is the mean",
                        timing.tokens, tokens_for_p99));
    if (!timing.throughput.steady) notes.push_back("the speed drifted while it was sampled");
}

Outcome measure(const DecodePlan& plan, const Case& the_case, Context& context) {
    Outcome outcome;
    outcome.the_case = the_case;
    kernels::ThreadTeam team(plan.threads);
    context.progress("checking against the reference decoder", 0);
    outcome.checks = check_against_reference(plan, team, context.seed);

    Loaded loaded;
    try {
        loaded = load(plan, team, context);
    } catch (const std::system_error& error) {
        return skipped(the_case, fmt::format("{} ({}), needed are {}", plan.model->name, error.what(),
                                             describe(plan, memory_need(plan))));
    }
    Decoder decoder(loaded.weights, loaded.cache, team, plan.isa);
    Sequences sequences{decoder, loaded.cache, plan.context, plan.output, context.clock};
    const Timing timing = time_tokens(sequences, context);

    const std::uint64_t per_token = matrix_bytes_per_token(plan.shape, plan.format);
    const std::uint64_t expected = per_token * sequences.tokens;
    outcome.checks.push_back({"every matrix byte is multiplied for every token",
                              decoder.matrix_bytes_read() == expected, std::nullopt,
                              fmt::format("{} bytes in {} tokens, expected {} a token",
                                          decoder.matrix_bytes_read(), sequences.tokens, per_token)});
    outcome.checks.push_back(check_logits_finite(decoder));
    outcome.checks.push_back(check_head_rows(decoder, loaded.weights, context.seed));

    const double read_rate = plain_read_rate(plan, loaded, team, context.clock);
    add_metrics(outcome, plan, timing, read_rate, context.device->info().memory_bytes);
    add_notes(outcome, plan, timing, context);
    outcome.resolved = {{"isa", std::string(to_string(plan.isa))},
                        {"activations", plan.int8_activations ? "int8" : "f32"},
                        {"threads", std::to_string(plan.threads)},
                        {"layers", std::to_string(plan.shape.layers)},
                        {"weight_bytes", std::to_string(plan.weights())},
                        {"weight_bytes_per_token", std::to_string(per_token)},
                        {"cache_bytes", std::to_string(plan.cache())},
                        {"page_bytes", std::to_string(loaded.weight_memory->page_bytes())}};
    return outcome;
}

Outcome run_decode(const Case& the_case, Context& context) {
    const std::variant<DecodePlan, Absent> planned = plan_decode(the_case, context);
    if (const Absent* absent = std::get_if<Absent>(&planned)) return skipped(the_case, absent->reason);
    const DecodePlan& plan = std::get<DecodePlan>(planned);
    const MemoryNeed need = memory_need(plan);
    const std::uint64_t memory = context.device->info().memory_bytes;
    if (need.total() > memory)
        return skipped(the_case, fmt::format("{} does not fit: {}, {} allows {:.2f} GB", plan.model->name,
                                             describe(plan, need), context.device->info().id,
                                             static_cast<double>(memory) / 1e9));
    return measure(plan, the_case, context);
}

}  // namespace

Probe inference_decode_probe() {
    Probe probe;
    probe.name = "inference.decode";
    probe.summary = "One output token after another through a decoder of the model's real shape.";
    probe.parameters = {
        {"device", ParameterKind::device, "cpu:0", "the device that computes; in this version cpu:0 alone"},
        {"model", ParameterKind::text, "DeepSeek-R1-Distill-Qwen-1.5B", "a model of `assay list models`"},
        {"format",
         ParameterKind::choice,
         "int4",
         "how weights are kept: int4 in groups of 32, or int8 a row",
         0,
         0,
         {"int4", "int8"}},
        {"activations",
         ParameterKind::choice,
         "auto",
         "what weights are multiplied with; auto: int8, a scale for each 32, to which each product quantizes "
         "its input",
         0,
         0,
         {"f32", "int8"}},
        {"batch", ParameterKind::integer, "1", "sequences decoded at once", 1, 1},
        {"context", ParameterKind::integer, "128", "tokens in the cache when a sequence begins", 1, 1 << 20},
        {"output", ParameterKind::integer, "128", "tokens of a sequence, after which the next begins", 1,
         1 << 20},
        {"threads", ParameterKind::integer, "auto", "threads, each on its own CPU; auto: all CPUs allowed",
         1},
        {"layers", ParameterKind::integer, "auto",
         "layers of the model; fewer than it has (auto) are for tests and give figures of no model", 1},
        {"isa",
         ParameterKind::choice,
         "auto",
         "instruction set; auto: the best that the CPU has",
         0,
         0,
         {"portable", "neon", "avx2", "avx512"}},
    };
    probe.metrics = {latency_metric, throughput_metric, bandwidth_metric, headroom_metric,
                     weight_bytes_metric};
    probe.host_alone = true;
    probe.run = run_decode;
    probe.estimate = estimate_decode;
    probe.check = check_decode;
    probe.tiny = {{"model", "deepseek-coder-1.3b"}, {"layers", "1"}, {"context", "16"}, {"output", "8"}};
    return probe;
}

}  // namespace assay
