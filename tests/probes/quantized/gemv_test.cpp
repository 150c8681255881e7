#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/cpu/thread_team.h"
#include "probes/core/probe.h"
#include "probes/quantized/cycled_weights.h"
#include "probes/quantized/quantized.h"

namespace assay {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t mib = std::uint64_t{1} << 20;

TEST(MatrixCount, FillsFourTimesAllCaches) {
    EXPECT_EQ(count_matrices(33 * mib, 480 * mib, 64 * 1024 * mib).matrices, 59u);
    EXPECT_TRUE(count_matrices(33 * mib, 480 * mib, 64 * 1024 * mib).out_of_cache);
    EXPECT_EQ(count_matrices(1024 * mib, 32 * mib, 64 * 1024 * mib).matrices, 1u);
}

TEST(MatrixCount, StaysBelowHalfTheMemoryAndSaysSo) {
    const MatrixCount count = count_matrices(100 * mib, 480 * mib, 1024 * mib);
    EXPECT_EQ(count.matrices, 5u);
    EXPECT_FALSE(count.out_of_cache);
    EXPECT_THAT(count.reason, HasSubstr("may come from caches"));
    EXPECT_EQ(count_matrices(100 * mib, 480 * mib, 20 * mib).matrices, 1u) << "one there must be";
}

TEST(MatrixCount, AssumesCachesWhereTheSystemTellsNone) {
    const MatrixCount count = count_matrices(mib, 0, 64 * 1024 * mib);
    EXPECT_EQ(count.matrices, 256u);
    EXPECT_THAT(count.reason, HasSubstr("assumed"));
}

TEST(CycledWeights, EachMatrixIsAnotherAndItsRowsDoNotDependOnTheTeam) {
    const std::unique_ptr<Device> device = std::get<std::unique_ptr<Device>>(open_device("cpu:0"));
    const auto contents = [&](int threads) {
        kernels::ThreadTeam team(threads);
        CycledWeights weights(*device, team, kernels::WeightFormat::int4, 7, 64, 3, 5);
        return std::vector<std::byte>(weights.matrix(0), weights.matrix(0) + 3 * weights.matrix_bytes());
    };
    const std::vector<std::byte> alone = contents(1);
    EXPECT_EQ(alone, contents(kernels::allowed_cpus()));
    const std::size_t bytes = alone.size() / 3;
    EXPECT_NE(std::vector<std::byte>(alone.begin(), alone.begin() + static_cast<std::ptrdiff_t>(bytes)),
              std::vector<std::byte>(alone.begin() + static_cast<std::ptrdiff_t>(bytes),
                                     alone.begin() + static_cast<std::ptrdiff_t>(2 * bytes)));
}

class QuantizedGemv : public testing::Test {
  protected:
    Case make(std::map<std::string, std::string> given) { return make_case(probe_, given); }

    static SampleSet few_samples(const SamplingPolicy&, const std::function<double()>& take) {
        SampleSet set;
        for (int i = 0; i < 5; ++i) {
            set.values.push_back(take());
            set.at.push_back(i);
        }
        return set;
    }
    static const Metric& metric(const Outcome& outcome, const std::string& name) {
        for (const Metric& each : outcome.metrics)
            if (each.name == name) return each;
        throw std::runtime_error("no metric " + name);
    }

    SteadyClock clock_;
    Context context_{.clock = clock_, .sample = few_samples};
    Probe probe_ = quantized_gemv_probe();
};

TEST_F(QuantizedGemv, MeasuresAndChecksEveryFormatOnEveryInstructionSetHere) {
    // Bits a weight, and bounds of the error on normal weights: uniform rounding of 3.9 / 127, of 2.3 / 8
    // or 2.8 / 8 deviations; four significant bits, and eight.
    const std::string k = "4224";
    const struct {
        const char* format;
        double bits, least_error, greatest_error;
    } formats[] = {{"int8", 8 + 32.0 / 4224, 0.005, 0.012},
                   {"int4", 4.5, 0.05, 0.12},
                   {"int4_g128", 4.125, 0.05, 0.14},
                   {"fp8", 8 + 32.0 / 4224, 0.01, 0.05},
                   {"bf16", 16, 0.0005, 0.005},
                   {"f32", 32, 0, 1e-6}};
    for (const auto& [format, bits, least_error, greatest_error] : formats) {
        for (const kernels::Isa isa :
             {kernels::Isa::portable, kernels::Isa::neon, kernels::Isa::avx2, kernels::Isa::avx512}) {
            if (!kernels::supports(isa)) continue;
            // A matrix large enough that few of them fill the caches.
            const Outcome outcome = execute(probe_,
                                            make({{"format", format},
                                                  {"m", "1031"},
                                                  {"k", k},
                                                  {"isa", std::string(kernels::to_string(isa))}}),
                                            context_);
            ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
            EXPECT_EQ(outcome.checks.size(), 2u);
            for (const Check& check : outcome.checks) EXPECT_TRUE(check.passed) << check.name << check.detail;
            EXPECT_EQ(outcome.resolved.at("isa"), kernels::to_string(isa));
            EXPECT_FALSE(outcome.resolved.at("read_pattern").empty());

            const Metric& bandwidth = metric(outcome, "quantized.gemv.bandwidth");
            const Metric& throughput = metric(outcome, "quantized.gemv.throughput");
            EXPECT_NEAR(throughput.value / bandwidth.value, 2 * 8 / bits, 1e-9);
            EXPECT_GT(bandwidth.limit.value().value, 0);
            const double error = metric(outcome, "quantized.gemv.error").value;
            EXPECT_GE(error, least_error) << format;
            EXPECT_LT(error, greatest_error) << format;
            EXPECT_NEAR(metric(outcome, "quantized.gemv.bytes_per_operation").value, bits / 16, 1e-12);
        }
    }
}

TEST_F(QuantizedGemv, CountsWeightBytesWithTheirScales) {
    class SteppingClock final : public Clock {
      public:
        Nanoseconds now() override { return now_ += std::chrono::milliseconds(4); }
        void sleep_until(Nanoseconds) override {}

      private:
        Nanoseconds now_{0};
    } clock;
    Context context{.clock = clock, .sample = few_samples};
    const Outcome outcome = execute(probe_, make({{"m", "1000"}, {"k", "3200"}}), context);
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    // One product every 4 ms of this clock.
    EXPECT_NEAR(metric(outcome, "quantized.gemv.bandwidth").value, 1000 * 3200 * 4.5 / 8 / 0.004, 1);
    EXPECT_NEAR(metric(outcome, "quantized.gemv.throughput").value, 2.0 * 1000 * 3200 / 0.004, 1);
}

TEST_F(QuantizedGemv, RefusesWhatCannotBe) {
    EXPECT_THROW(make({{"format", "int3"}}), InputError);
    EXPECT_THROW(make({{"isa", "sse9"}}), InputError);
    try {
        probe_.check(make({{"k", "100"}}), context_);
        FAIL() << "accepted 100 columns";
    } catch (const InputError& error) {
        EXPECT_THAT(error.what(), HasSubstr("multiple of 32"));
    }
    EXPECT_THROW(probe_.check(make({{"format", "int4_g128"}, {"k", "4128"}}), context_), InputError);
    EXPECT_THROW(probe_.check(make({{"format", "fp8"}, {"activations", "int8"}}), context_), InputError);
    const Outcome large =
        execute(probe_, make({{"m", "1048576"}, {"k", "1048576"}, {"format", "f32"}}), context_);
    EXPECT_EQ(large.status, Status::skipped);
    EXPECT_THAT(large.reason, HasSubstr("takes 4398046511104 bytes"));
    EXPECT_THROW(probe_.check(make({{"threads", "100000"}}), context_), InputError);
    for (const char* isa : {"avx2", "avx512"}) {
        const Case the_case = make({{"isa", isa}});
        if (kernels::supports(kernels::isa_from_string(isa).value()))
            EXPECT_NO_THROW(probe_.check(the_case, context_));
        else
            EXPECT_THROW(probe_.check(the_case, context_), InputError);
    }
}

TEST_F(QuantizedGemv, ActivationsMayStayF32) {
    for (const char* activations : {"f32", "int8"}) {
        const Outcome outcome =
            execute(probe_, make({{"activations", activations}, {"m", "300"}, {"k", "3200"}}), context_);
        ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
        EXPECT_EQ(outcome.resolved.at("arithmetic"), activations);
    }
}

TEST_F(QuantizedGemv, SkipsADeviceThatIsNotThere) {
    EXPECT_EQ(execute(probe_, make({{"device", "cuda:7"}}), context_).status, Status::skipped);
}

}  // namespace
}  // namespace assay
