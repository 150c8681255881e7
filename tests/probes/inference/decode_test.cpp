#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <system_error>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/inference/decode_check.h"
#include "probes/inference/decode_plan.h"
#include "probes/inference/inference.h"
#include "probes/inference/sequences.h"
#include "tests/probes/inference/tiny_decoder.h"

namespace assay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class FakeMemory final : public DeviceMemory {
  public:
    explicit FakeMemory(std::size_t size) : memory_(size), size_(size) {}
    std::byte* host_pointer() override { return memory_.bytes.get(); }
    std::size_t bytes() const override { return size_; }
    std::size_t page_bytes() const override { return 4096; }

  private:
    inference::Memory memory_;
    std::size_t size_;
};

/// A device that says what it is told to say, and counts what is asked of it.
class FakeDevice final : public Device {
  public:
    explicit FakeDevice(std::uint64_t memory_bytes) { info_ = {"cpu:0", "cpu", "fake", 1, memory_bytes}; }
    const DeviceInfo& info() const override { return info_; }
    std::unique_ptr<DeviceMemory> allocate(std::size_t bytes, bool) override {
        ++allocations;
        if (refuses) throw std::system_error(ENOMEM, std::generic_category(), "mmap");
        return std::make_unique<FakeMemory>(bytes);
    }
    int allocations = 0;
    bool refuses = false;

  private:
    DeviceInfo info_;
};

/// Time passes only when it is read: a microsecond each time.
class CountingClock final : public Clock {
  public:
    Nanoseconds now() override { return time_ += std::chrono::microseconds(1); }
    void sleep_until(Nanoseconds when) override { time_ = std::max(time_, when); }

  private:
    Nanoseconds time_{0};
};

Model small_model() {
    Model model;
    model.name = "small";
    model.architecture = "dense";
    model.hidden_size = 128;
    model.layers = 3;
    model.attention_heads = 4;
    model.key_value_heads = 2;
    model.head_dimension = 32;
    model.intermediate_size = 192;
    model.vocabulary = 211;
    model.query_key_value_bias = true;
    model.attention = AttentionKind::gqa;
    return model;
}

Model expert_model() {
    Model model = small_model();
    model.name = "experts";
    model.architecture = "moe";
    model.attention = AttentionKind::mla;
    return model;
}

class InferenceDecode : public testing::Test {
  protected:
    Case make(std::map<std::string, std::string> given) {
        given.try_emplace("model", "small");
        // One thread: two would wait for each other a thousand times on a busy machine.
        given.try_emplace("threads", "1");
        return make_case(probe, given);
    }
    Outcome run(const std::map<std::string, std::string>& given) {
        context.device = &device;
        return probe.run(make(given), context);
    }
    Model& add_model(const std::string& name) {
        models.push_back(small_model());
        models.back().name = name;
        context.models = models;
        return models.back();
    }
    static const Metric& metric(const Outcome& outcome, std::string_view name) {
        for (const Metric& candidate : outcome.metrics)
            if (candidate.name == name) return candidate;
        throw std::logic_error("no metric " + std::string(name));
    }

    Probe probe = inference_decode_probe();
    std::vector<Model> models = {small_model(), expert_model()};
    FakeDevice device{std::uint64_t{1} << 30};
    CountingClock clock;
    std::size_t slices = 30, warm_up = 2;
    SamplingPolicy asked;
    Context context{.clock = clock,
                    .device = nullptr,
                    .sample =
                        [this](const SamplingPolicy& policy, const std::function<double()>& take) {
                            asked = policy;
                            SampleSet set;
                            set.warm_up_samples = warm_up;
                            for (std::size_t i = 0; i < warm_up; ++i) take();
                            for (std::size_t i = 0; i < slices; ++i) {
                                set.values.push_back(take());
                                set.at.push_back(static_cast<double>(i + 1));
                            }
                            return set;
                        },
                    .progress = [](std::string_view, double) {},
                    .sampling = {},
                    .quick = false,
                    .scratch = {},
                    .models = models,
                    .seed = 1};
};

TEST_F(InferenceDecode, MeasuresTokensOneByOneAndChecksThem) {
    const Outcome outcome = run({{"output", "40"}, {"context", "10"}});
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    EXPECT_GE(outcome.checks.size(), 5u);
    for (const Check& check : outcome.checks) EXPECT_TRUE(check.passed) << check.name << ": " << check.detail;

    const Metric& latency = metric(outcome, "inference.decode.latency");
    EXPECT_EQ(latency.statistic, Statistic::p99);
    ASSERT_TRUE(latency.histogram.has_value());
    EXPECT_EQ(latency.histogram->count(), 30u * 13u) << "tokens of the warm-up are left out";
    // The clock ticks once in every token.
    EXPECT_NEAR(latency.value, 1e-6, 1e-8);
    EXPECT_NEAR(metric(outcome, "inference.decode.throughput").value, 1e6, 1);
    const double bytes = std::stod(outcome.resolved.at("weight_bytes_per_token"));
    EXPECT_NEAR(metric(outcome, "inference.decode.weight_bandwidth").value, 1e6 * bytes, 1e-3 * bytes);
    for (const Metric& reported : outcome.metrics) EXPECT_NO_THROW(probe.metric(reported.name));
    EXPECT_EQ(outcome.metrics.size(), probe.metrics.size());
    EXPECT_EQ(outcome.resolved.at("layers"), "3");
}

TEST_F(InferenceDecode, AsksForEnoughSlicesForAnIntervalOfThePercentile) {
    run({});
    EXPECT_GE(asked.minimum_samples * 13, 368u);
    EXPECT_EQ(asked.maximum_time, 4 * context.sampling.maximum_time);
}

TEST_F(InferenceDecode, SaysThatTheMeanIsTheHeadlineWhenTokensAreTooFew) {
    slices = 20;
    const Outcome outcome = run({});
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    EXPECT_EQ(metric(outcome, "inference.decode.latency").statistic, Statistic::mean);
    EXPECT_THAT(outcome.notes,
                testing::Contains(HasSubstr("260 tokens in the time allowed are fewer than the 368")));
}

TEST_F(InferenceDecode, SequencesLongerThanTheSamplesAndShorterOnesBothWork) {
    for (const std::string output : {"1", "5", "1000"}) {
        const Outcome outcome = run({{"output", output}, {"context", "1"}});
        EXPECT_EQ(outcome.status, Status::measured) << outcome.reason;
        for (const Check& check : outcome.checks) EXPECT_TRUE(check.passed) << check.detail;
    }
}

TEST_F(InferenceDecode, EveryFormatAndInstructionSetIsRightOrSaidToBeAbsent) {
    for (const std::string format : {"int4", "int8"}) {
        for (const std::string isa : {"portable", "avx2", "avx512"}) {
            const Outcome outcome = run({{"format", format}, {"isa", isa}, {"threads", "1"}});
            if (!kernels::supports(kernels::isa_from_string(isa).value())) {
                EXPECT_EQ(outcome.status, Status::skipped);
                EXPECT_THAT(outcome.reason, HasSubstr(isa));
                continue;
            }
            EXPECT_EQ(outcome.resolved.at("isa"), isa);
            for (const Check& check : outcome.checks) EXPECT_TRUE(check.passed) << check.detail;
        }
    }
}

TEST_F(InferenceDecode, IsRightOnAllCpusToo) {
    slices = 2;
    const Outcome outcome = run({{"threads", "auto"}});
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    EXPECT_EQ(outcome.resolved.at("threads"), std::to_string(kernels::allowed_cpus()));
    for (const Check& check : outcome.checks) EXPECT_TRUE(check.passed) << check.detail;
}

TEST_F(InferenceDecode, AnUnknownModelIsRefusedWithTheNamesOfTheKnown) {
    const Case the_case = make({{"model", "gpt"}});
    try {
        probe.check(the_case, context);
        FAIL() << "not refused";
    } catch (const InputError& error) {
        EXPECT_THAT(error.what(), HasSubstr("inference.decode.model"));
        EXPECT_THAT(error.what(), HasSubstr("\"gpt\""));
        EXPECT_THAT(error.what(), HasSubstr("small, experts"));
    }
}

TEST_F(InferenceDecode, RefusesMoreLayersOrThreadsThanThereAre) {
    EXPECT_THROW(probe.check(make({{"layers", "4"}}), context), InputError);
    EXPECT_NO_THROW(probe.check(make({{"layers", "3"}}), context));
    const std::string allowed = std::to_string(kernels::allowed_cpus());
    EXPECT_NO_THROW(probe.check(make({{"threads", allowed}}), context));
    EXPECT_THROW(probe.check(make({{"threads", std::to_string(kernels::allowed_cpus() + 1)}}), context),
                 InputError);
    EXPECT_THROW(make({{"batch", "2"}}), InputError);
    EXPECT_THROW(make({{"format", "int2"}}), InputError);
}

TEST_F(InferenceDecode, SkipsExpertsAndLatentAttentionAndSaysWhy) {
    const Outcome outcome = run({{"model", "experts"}});
    EXPECT_EQ(outcome.status, Status::skipped);
    EXPECT_THAT(outcome.reason, HasSubstr("experts and latent attention"));
    EXPECT_THAT(outcome.reason, HasSubstr("dense models"));
    EXPECT_EQ(device.allocations, 0);
}

TEST_F(InferenceDecode, SkipsWithTheArithmeticWhenMemoryDoesNotSuffice) {
    models[0].vocabulary = 1000000;  // 2 × 1e6 × 128 weights of int8 and 2e6 f32 scales: 264 MB
    device = FakeDevice{200'000'000};
    const Outcome outcome = run({{"format", "int8"}, {"context", "1000000"}, {"output", "1"}});
    EXPECT_EQ(outcome.status, Status::skipped);
    // Cache: 1 000 001 positions × 3 layers × 2 × 64 elements × 2 bytes.
    EXPECT_THAT(outcome.reason, HasSubstr("0.26 GB of int8 weights"));
    EXPECT_THAT(outcome.reason, HasSubstr("0.77 GB of cache for 1000001 positions"));
    EXPECT_THAT(outcome.reason, HasSubstr("0.27 GB of slack = 1.30 GB"));
    EXPECT_THAT(outcome.reason, HasSubstr("cpu:0 allows 0.20 GB"));
    EXPECT_EQ(device.allocations, 0) << "nothing is allocated for what cannot fit";
    EXPECT_TRUE(outcome.metrics.empty());
}

TEST_F(InferenceDecode, FitsExactlyWhenMemoryIsTheSumAndNotAByteLess) {
    const std::variant<inference::DecodePlan, Absent> plan = inference::plan_decode(make({}), context);
    const std::uint64_t total = inference::memory_need(std::get<inference::DecodePlan>(plan)).total();
    device = FakeDevice{total};
    EXPECT_EQ(run({}).status, Status::measured);
    device = FakeDevice{total - 1};
    EXPECT_EQ(run({}).status, Status::skipped);
}

TEST_F(InferenceDecode, SkipsWhenTheDeviceRefusesMemory) {
    device.refuses = true;
    const Outcome outcome = run({});
    EXPECT_EQ(outcome.status, Status::skipped);
    EXPECT_THAT(outcome.reason, HasSubstr("mmap"));
    EXPECT_THAT(outcome.reason, HasSubstr("of int4 weights"));
}

TEST_F(InferenceDecode, SkipsOnEveryDeviceButTheHostEvenOneThatComputesOnItsCpus) {
    for (const char* const id : {"cuda:0", "opencl:0"}) {
        context.device = &device;
        const Outcome outcome = execute(probe, make({{"device", id}}), context);
        EXPECT_EQ(outcome.status, Status::skipped);
        EXPECT_THAT(outcome.reason, HasSubstr(std::string("on cpu:0 only, not on ") + id));
    }
    EXPECT_EQ(device.allocations, 0);
}

TEST_F(InferenceDecode, HeadroomIsMemoryOverWeightsWithAFifthMoreAndCache) {
    const Outcome outcome = run({{"format", "int8"}, {"context", "30"}, {"output", "10"}});
    const double weights = metric(outcome, "inference.decode.weight_bytes").value;
    EXPECT_EQ(weights, std::stod(outcome.resolved.at("weight_bytes")));
    const double cache = 40 * 3 * 2 * 64 * 2;
    EXPECT_EQ(std::stod(outcome.resolved.at("cache_bytes")), cache);
    EXPECT_NEAR(metric(outcome, "inference.decode.memory_headroom").value,
                static_cast<double>(std::uint64_t{1} << 30) / (1.2 * weights + cache), 1e-9);
}

TEST_F(InferenceDecode, FewerLayersAreSaidToBeNoModel) {
    const Outcome outcome = run({{"layers", "1"}});
    EXPECT_EQ(outcome.resolved.at("layers"), "1");
    EXPECT_THAT(outcome.notes, testing::Contains(HasSubstr("only 1 of the model's 3 layers")));
}

TEST_F(InferenceDecode, EstimatesFromTheModelsSize) {
    add_model("large").vocabulary = 10'000'000;
    const Estimate small = probe.estimate(make({}), context);
    const Estimate large = probe.estimate(make({{"model", "large"}}), context);
    EXPECT_GT(large.seconds, small.seconds + 1);
    EXPECT_GT(large.memory_bytes, small.memory_bytes + 1'000'000'000);
    EXPECT_EQ(small.written_bytes, 0u);
    EXPECT_LT(probe.estimate(make({{"model", "experts"}}), context).seconds, 1);
}

TEST_F(InferenceDecode, QuickEndsWithinItsShareOfTheRun) {
    context.sampling.maximum_time = Seconds(3);
    context.sampling.maximum_warm_up = Seconds(1);
    Model& model = add_model("as large as DeepSeek-R1-Distill-Qwen-1.5B");
    model.hidden_size = 1536;
    model.layers = 28;
    model.attention_heads = 12;
    model.head_dimension = 128;
    model.intermediate_size = 8960;
    model.vocabulary = 151936;
    EXPECT_LT(probe.estimate(make({{"model", model.name}}), context).seconds, 20);
}

TEST(DecodeChecks, NoticeLogitsThatAreNotNumbersAllEqualOrNotTheHeads) {
    using namespace inference;
    TinyDecoder tiny(tiny_shape(), kernels::WeightFormat::int8, 1, kernels::best_vector_isa(), 4);
    tiny.decoder->step(3);
    EXPECT_TRUE(check_logits_finite(*tiny.decoder).passed);
    EXPECT_TRUE(check_head_rows(*tiny.decoder, tiny.weights, 1).passed);

    // A head other than the one that was multiplied with.
    const std::size_t head_bytes = 131 * kernels::packed_row_bytes(kernels::WeightFormat::int8, 96);
    std::vector<std::byte> kept(tiny.weights.head.packed, tiny.weights.head.packed + head_bytes);
    std::rotate(tiny.weights.head.packed, tiny.weights.head.packed + head_bytes / 131,
                tiny.weights.head.packed + head_bytes);
    EXPECT_FALSE(check_head_rows(*tiny.decoder, tiny.weights, 1).passed);
    std::copy(kept.begin(), kept.end(), tiny.weights.head.packed);

    const float norm = tiny.weights.final_norm[0];
    tiny.weights.final_norm[0] = std::numeric_limits<float>::quiet_NaN();
    tiny.decoder->step(3);
    EXPECT_FALSE(check_logits_finite(*tiny.decoder).passed);
    EXPECT_FALSE(check_head_rows(*tiny.decoder, tiny.weights, 1).passed);
    tiny.weights.final_norm[0] = norm;

    std::fill_n(tiny.weights.final_norm, 96, 0.0f);
    tiny.decoder->step(3);
    EXPECT_FALSE(check_logits_finite(*tiny.decoder).passed);
}

TEST(DecodeChecks, AgreeWithTheReferenceAndNoticeADecoderThatIsAPositionBehind) {
    using namespace inference;
    TinyDecoder tiny(tiny_shape(), kernels::WeightFormat::int4, 1, kernels::best_vector_isa(), 9);
    ReferenceDecoder right(tiny.weights, tiny.cache);
    for (const Check& check : compare(*tiny.decoder, right, 4, 5, logits_tolerance(false)))
        EXPECT_TRUE(check.passed) << check.detail;
    ReferenceDecoder ahead(tiny.weights, tiny.cache);
    tiny.cache.length -= 1;
    EXPECT_FALSE(compare(*tiny.decoder, ahead, 4, 5, logits_tolerance(false)).front().passed);
}

TEST(DecodeChecks, NoticeAGreedyTokenThatIsNotTheMostLikely) {
    using namespace inference;
    TinyDecoder tiny(tiny_shape(), kernels::WeightFormat::int4, 1, kernels::best_vector_isa(), 9);
    ReferenceDecoder other(tiny.weights, tiny.cache);
    // Logits negated: the reference's most likely token is the least likely here.
    for (std::size_t i = 0; i < tiny.weights.shape.hidden; ++i) tiny.weights.final_norm[i] *= -1;
    const std::vector<Check> checks = compare(*tiny.decoder, other, 4, 5, logits_tolerance(false));
    EXPECT_FALSE(checks.at(0).passed);
    EXPECT_FALSE(checks.at(1).passed);
}

TEST(Sequences, BeginAgainFromTheContextAfterTheirTokens) {
    using namespace inference;
    TinyDecoder tiny(tiny_shape(), kernels::WeightFormat::int4, 1, kernels::best_vector_isa(), 5);
    CountingClock clock;
    Sequences sequences{*tiny.decoder, tiny.cache, 5, 3, clock};
    std::vector<std::size_t> lengths;
    for (int i = 0; i < 7; ++i) {
        EXPECT_EQ(sequences.next(), std::chrono::microseconds(1));
        lengths.push_back(tiny.cache.length);
    }
    EXPECT_THAT(lengths, ElementsAre(6, 7, 8, 6, 7, 8, 6));
    EXPECT_EQ(sequences.tokens, 7u);
}

TEST(DecodeChecks, TheMiniatureKeepsWhatTellsModelsApart) {
    inference::DecoderShape shape = inference::tiny_shape();
    shape.hidden = 4096;
    shape.query_heads = 56;
    shape.key_value_heads = 8;
    shape.head_dimension = 128;
    const inference::DecoderShape small = inference::miniature_of(shape);
    EXPECT_EQ(small.group(), 7u);
    EXPECT_EQ(small.head_dimension, 128u);
    EXPECT_EQ(small.query_key_value_bias, shape.query_key_value_bias);
    EXPECT_LT(inference::weight_bytes(small, kernels::WeightFormat::int8), 10'000'000u);
}

}  // namespace
}  // namespace assay
