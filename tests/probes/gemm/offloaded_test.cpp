#include <cstdlib>
#include <memory>
#include <string>
#include <variant>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/core/probe.h"
#include "probes/gemm/gemm.h"
#include "tests/fake_cuda/fake_cuda.h"
#include "tests/kernels/faulty_accelerator.h"
#include "tests/kernels/pocl.h"

namespace assay {
namespace {

using testing::HasSubstr;

class OffloadedThroughput : public testing::Test {
  protected:
    Outcome run(std::map<std::string, std::string> given, Device* device = nullptr) {
        given.insert({{"device", "opencl:0"}, {"m", "70"}, {"n", "45"}, {"k", "33"}});
        const Case the_case = make_case(probe_, given);
        probe_.check(the_case, context_);
        Context context = context_;
        context.device = device;
        return execute(probe_, the_case, context);
    }

    SteadyClock clock_;
    Context context_{.clock = clock_,
                     .sampling = {.maximum_time = Seconds(0.05), .maximum_warm_up = Seconds(0)}};
    Probe probe_ = gemm_throughput_probe();
};

TEST_F(OffloadedThroughput, IsMeasuredByTheDevicesClockAndChecked) {
    const Outcome outcome = run({});
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    EXPECT_EQ(outcome.metrics.at(0).name, "gemm.throughput");
    EXPECT_GT(outcome.metrics[0].value, 0);
    EXPECT_EQ(outcome.metrics[0].labels.at("device"), "opencl:0");
    EXPECT_FALSE(outcome.metrics[0].limit) << "no datasheet knows PoCL";
    ASSERT_EQ(outcome.checks.size(), 1u);
    EXPECT_LE(outcome.checks[0].error.value(), 34 * 0x1p-24);
    EXPECT_EQ(outcome.resolved.at("implementation"), "own");
}

TEST_F(OffloadedThroughput, WithSecondsLastsSoLongAndTellsWhatLasts) {
    const Outcome outcome = run({{"seconds", "0.3"}});
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    EXPECT_TRUE(outcome.metrics[0].summary.sustained);
    EXPECT_GE(outcome.metrics[0].series.back().at, 0.25);
}

TEST_F(OffloadedThroughput, APlainDatasheetIsTheLimit) {
    AcceleratorFacts facts;
    facts.product = "Made Card";
    facts.vendor = "made";
    facts.match = {"Made"};
    facts.peak = {{"f32", 5e12}};
    context_.accelerator_facts = {&facts, 1};
    FaultyAccelerator card(open_pocl(), {});
    card.described().name = "Made Card";
    const Outcome outcome = run({}, &card);
    ASSERT_TRUE(outcome.metrics.at(0).limit);
    EXPECT_EQ(outcome.metrics[0].limit->value, 5e12);
    EXPECT_THAT(outcome.metrics[0].limit->source, HasSubstr("Made Card"));
}

TEST_F(OffloadedThroughput, WhatWasNeverComputedIsNoFigure) {
    for (const int launch : {0, 2}) {
        FaultyAccelerator idle(open_pocl(), {.launch_not_made = launch});
        const Outcome outcome = run({}, &idle);
        EXPECT_EQ(outcome.status, Status::failed);
        EXPECT_THAT(outcome.reason, HasSubstr("result matches reference")) << launch;
    }
}

TEST_F(OffloadedThroughput, OneWrongByteOfTheResultIsFound) {
    // In one row of two, so that the rows drawn are all of them.
    FaultyAccelerator wrong(open_pocl(), {.wrong_byte_at = 4 * 50 + 3, .wrong_bits = 0x40});
    const Outcome outcome = run({{"m", "2"}}, &wrong);
    EXPECT_EQ(outcome.status, Status::failed);
    EXPECT_THAT(outcome.reason, HasSubstr("result matches reference"));
}

TEST_F(OffloadedThroughput, ALostDeviceAndLackOfMemoryAreFailuresWithTheirReason) {
    FaultyAccelerator lost(open_pocl(), {.lost_at_launch = 4});
    EXPECT_THAT(run({}, &lost).reason, HasSubstr("the device is lost"));
    FaultyAccelerator small(open_pocl(), {.out_of_memory_at_allocate = 3});
    const Outcome outcome = run({}, &small);
    EXPECT_EQ(outcome.status, Status::failed);
    EXPECT_THAT(outcome.reason, HasSubstr("no memory"));
}

TEST_F(OffloadedThroughput, WhatDoesNotFitTheDeviceIsSkippedWithTheArithmetic) {
    FaultyAccelerator small(open_pocl(), {});
    small.described().memory_bytes = 10'000;
    small.described().kind = "gpu";
    const Outcome outcome = run({}, &small);
    EXPECT_EQ(outcome.status, Status::skipped);
    EXPECT_THAT(outcome.reason, HasSubstr("70 x 33 and 33 x 45"));
    EXPECT_THAT(outcome.reason, HasSubstr("10000 bytes may be used"));
}

TEST_F(OffloadedThroughput, MissingExtensionsAndParametersOfTheCpuAreNamed) {
    EXPECT_EQ(run({{"precision", "f16"}}).status, Status::skipped);
    EXPECT_THAT(run({{"precision", "f16"}}).reason, HasSubstr("cl_khr_fp16"));
    EXPECT_THAT(run({{"precision", "int8"}}).reason, HasSubstr("cl_khr_integer_dot_product"));
    EXPECT_THROW(run({{"threads", "1"}}), InputError);
    EXPECT_THROW(run({{"isa", "avx2"}}), InputError);
    EXPECT_THROW(run({{"implementation", "openblas"}}), InputError);
}

/// On the tests' driver and its cuBLASLt.
class CublasLtThroughput : public OffloadedThroughput {
  protected:
    Outcome run_on_card(std::map<std::string, std::string> given) {
        given.insert({{"device", "cuda:0"}, {"m", "48"}, {"n", "32"}, {"k", "80"}});
        return run(std::move(given));
    }
    fake_cuda::Fresh driver_;
};

class FakeCublasLt {
  public:
    explicit FakeCublasLt(const char* behaviour) { ::setenv("FAKE_CUBLASLT", behaviour, 1); }
    ~FakeCublasLt() { ::unsetenv("FAKE_CUBLASLT"); }
};

TEST_F(CublasLtThroughput, MultipliesEveryPrecisionInItsLayout) {
    for (const char* precision : {"f64", "f32", "tf32", "bf16", "f16", "fp8", "int8"}) {
        const Outcome outcome = run_on_card({{"precision", precision}});
        ASSERT_EQ(outcome.status, Status::measured) << precision << ": " << outcome.reason;
        EXPECT_EQ(outcome.resolved.at("implementation"), "cublaslt");
        EXPECT_THAT(outcome.resolved.at("library"), HasSubstr("13.0"));
        EXPECT_EQ(outcome.metrics.at(0).unit,
                  std::string(precision) == "int8" ? Unit::operation_per_second : Unit::flop_per_second);
    }
    // Rows and columns that differ from every multiple.
    EXPECT_EQ(run_on_card({{"m", "37"}, {"n", "41"}, {"k", "23"}}).status, Status::measured);
}

TEST_F(CublasLtThroughput, WhatDoesNotFitBesideOthersIsSkippedWithTheArithmetic) {
    const std::uint64_t mib = 1 << 20;
    fake_cuda::set_cards({{.memory_bytes = 1024 * mib, .used_by_others = 1023 * mib}});
    const Outcome outcome = run_on_card({{"m", "512"}, {"n", "512"}, {"k", "512"}});
    EXPECT_EQ(outcome.status, Status::skipped);
    EXPECT_THAT(outcome.reason,
                HasSubstr("of which 1073741824 bytes (1 GiB) may be used and 1048576 bytes (1 "
                          "MiB) are free now"));
}

TEST_F(CublasLtThroughput, AWrongResultIsAFailureInEveryPrecision) {
    const FakeCublasLt wrong("wrong");
    for (const char* precision : {"f64", "f32", "tf32", "bf16", "f16", "fp8", "int8"}) {
        const Outcome outcome = run_on_card({{"precision", precision}});
        EXPECT_EQ(outcome.status, Status::failed) << precision;
        EXPECT_THAT(outcome.reason, HasSubstr("result matches reference"));
    }
}

TEST_F(CublasLtThroughput, TakesTheNextAlgorithmWhereOneDoesNotRun) {
    const FakeCublasLt failing("fail");
    EXPECT_EQ(run_on_card({}).status, Status::measured);
}

TEST_F(CublasLtThroughput, SaysWhatTheLibraryOrTheCardLacks) {
    {
        const FakeCublasLt refusing("refuse");
        const Outcome outcome = run_on_card({});
        EXPECT_EQ(outcome.status, Status::skipped);
        EXPECT_THAT(outcome.reason, HasSubstr("no algorithm that multiplies 48 x 80 and 80 x 32 in f32"));
    }
    EXPECT_THAT(run_on_card({{"precision", "fp8"}, {"k", "72"}}).reason, HasSubstr("multiples of 16"));
    fake_cuda::set_cards({{.name = "Tesla T4", .major = 7, .minor = 5}});
    EXPECT_THAT(run_on_card({{"precision", "bf16"}}).reason, HasSubstr("multiply bf16 from 8.0 on"));
    EXPECT_THAT(run_on_card({{"precision", "fp8"}}).reason, HasSubstr("multiply fp8 from 8.9 on"));
    EXPECT_EQ(run_on_card({{"precision", "f16"}}).status, Status::measured);
    EXPECT_THROW(run_on_card({{"implementation", "own"}}), InputError);
    EXPECT_THROW(run({{"precision", "tf32"}, {"device", "cpu:0"}}), InputError);
}

TEST_F(CublasLtThroughput, LackOfMemoryAndALostCardAreFailuresThatNameTheCall) {
    driver_.fail("cuMemAlloc_v2", 2, 4);
    EXPECT_THAT(run_on_card({}).reason, HasSubstr("OUT_OF_MEMORY"));
    driver_.fail("cuStreamSynchronize", 719, 3);
    EXPECT_THAT(run_on_card({}).reason, HasSubstr("LAUNCH_FAILED"));
}

}  // namespace
}  // namespace assay
