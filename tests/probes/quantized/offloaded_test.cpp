#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <variant>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/core/probe.h"
#include "probes/quantized/offloaded/offloaded.h"
#include "probes/quantized/quantized.h"
#include "tests/fake_cuda/fake_cuda.h"
#include "tests/kernels/faulty_accelerator.h"
#include "tests/kernels/pocl.h"

namespace assay {
namespace {

using testing::HasSubstr;

class OffloadedQuantized : public testing::Test {
  protected:
    Outcome run(const Probe& probe, std::map<std::string, std::string> given, Device* device = nullptr) {
        given.insert({"device", "opencl:0"});
        const Case the_case = make_case(probe, given);
        if (probe.check != nullptr) probe.check(the_case, context_);
        Context context = context_;
        context.device = device;
        return execute(probe, the_case, context);
    }
    /// Large enough that few matrices fill the caches.
    Outcome gemv(std::map<std::string, std::string> given, Device* device = nullptr) {
        given.insert({{"m", "1031"}, {"k", "4224"}});
        return run(gemv_, given, device);
    }
    Outcome gemm(std::map<std::string, std::string> given, Device* device = nullptr) {
        given.insert({{"m", "37"}, {"n", "70"}, {"k", "256"}});
        return run(gemm_, given, device);
    }
    Outcome accuracy(std::map<std::string, std::string> given, Device* device = nullptr) {
        given.insert({{"m", "8"}, {"n", "33"}, {"k", "256"}});
        return run(accuracy_, given, device);
    }
    static const Metric& metric(const Outcome& outcome, const std::string& name) {
        for (const Metric& each : outcome.metrics)
            if (each.name == name) return each;
        throw std::runtime_error("no metric " + name + ": " + outcome.reason);
    }

    fake_cuda::Fresh driver_;
    SteadyClock clock_;
    Context context_{.clock = clock_,
                     .sampling = {.maximum_time = Seconds(0.02), .maximum_warm_up = Seconds(0)}};
    Probe gemv_ = quantized_gemv_probe(), gemm_ = quantized_gemm_probe(),
          accuracy_ = quantized_accuracy_probe();
};

TEST_F(OffloadedQuantized, EveryFormatIsMeasuredAndCheckedAsOnTheCpu) {
    for (const char* format : {"int8", "int4", "int4_g128", "fp8", "bf16", "f32"}) {
        const Outcome outcome = gemv({{"format", format}});
        ASSERT_EQ(outcome.status, Status::measured) << format << outcome.reason;
        EXPECT_EQ(outcome.checks.size(), 2u);
        const Metric& bandwidth = metric(outcome, "quantized.gemv.bandwidth");
        EXPECT_EQ(bandwidth.labels.at("device"), "opencl:0");
        EXPECT_FALSE(bandwidth.limit) << "no datasheet knows PoCL";
        // The same weights by the same seed: the CPU's error differs by how activations are rounded.
        const Outcome on_cpu = gemv({{"format", format}, {"device", "cpu:0"}});
        const double expected = metric(on_cpu, "quantized.gemv.error").value;
        EXPECT_NEAR(metric(outcome, "quantized.gemv.error").value, expected, expected * 0.01 + 1e-7)
            << format;
        EXPECT_EQ(metric(outcome, "quantized.gemv.bytes_per_operation").value,
                  metric(on_cpu, "quantized.gemv.bytes_per_operation").value);
    }
    for (const char* format : {"int8", "int4", "int4_g128", "fp8"})
        EXPECT_EQ(gemm({{"format", format}}).status, Status::measured) << format;
    EXPECT_EQ(gemm({{"format", "int8"}}).resolved.at("arithmetic"), "int8");
    EXPECT_EQ(gemm({{"format", "int8"}, {"activations", "bf16"}}).resolved.at("arithmetic"), "f32");
    EXPECT_EQ(gemv({{"format", "int4"}, {"activations", "f32"}}).resolved.at("arithmetic"), "f32");
}

TEST_F(OffloadedQuantized, TheErrorOfAFormatIsThatOfTheCpuButForTheDevicesRounding) {
    for (const auto& [format, scheme] : {std::pair{"int8", "weights"},
                                         {"int8", "both"},
                                         {"int8", "weights_group"},
                                         {"int8", "both_group"},
                                         {"int4", "weights"},
                                         {"int4_g128", "both"},
                                         {"fp8", "both"},
                                         {"fp8", "both_group"},
                                         {"bf16", "both"},
                                         {"f16", "both"}}) {
        const Outcome outcome = accuracy({{"format", format}, {"scheme", scheme}});
        ASSERT_EQ(outcome.status, Status::measured) << format << outcome.reason;
        EXPECT_EQ(outcome.checks.size(), 2u);
        const Outcome on_cpu = accuracy({{"format", format}, {"scheme", scheme}, {"device", "cpu:0"}});
        const double expected = metric(on_cpu, "quantized.accuracy.error").value;
        // bf16 and f16 are the CPU's own kernels there, which may sum in the half precision.
        EXPECT_NEAR(metric(outcome, "quantized.accuracy.error").value, expected, expected * 0.02 + 1e-6)
            << format << " " << scheme;
        EXPECT_EQ(metric(outcome, "quantized.accuracy.bytes_per_weight").value,
                  metric(on_cpu, "quantized.accuracy.bytes_per_weight").value);
    }
}

TEST_F(OffloadedQuantized, CudasKernelsAreCheckedByTheSameProbes) {
    // Small: the tests' card runs a thread after the other.
    for (const char* format : {"int4", "int8"}) {
        EXPECT_EQ(accuracy({{"device", "cuda:0"}, {"format", format}, {"scheme", "weights"}}).status,
                  Status::measured);
        const Outcome product =
            gemm({{"device", "cuda:0"}, {"format", format}, {"m", "5"}, {"n", "9"}, {"k", "64"}});
        EXPECT_EQ(product.status, Status::measured) << product.reason;
    }
}

/// On the tests' card and its cuBLASLt, with shapes that differ from every multiple but int8's of 4.
class GemmByCublasLt : public OffloadedQuantized {
  protected:
    struct FakeCublasLt {
        explicit FakeCublasLt(const char* behaviour) { ::setenv("FAKE_CUBLASLT", behaviour, 1); }
        ~FakeCublasLt() { ::unsetenv("FAKE_CUBLASLT"); }
    };
    static std::unique_ptr<Device> open_card() {
        return std::move(std::get<std::unique_ptr<Device>>(open_device("cuda:0")));
    }
    /// Which way is faster on the tests' card is no matter: without own kernels, the library's is taken.
    Outcome by_library(std::map<std::string, std::string> given, Faults faults = {}) {
        faults.missing_kernels = "gemm_";
        FaultyAccelerator card(open_card(), faults);
        return on_card(std::move(given), &card);
    }
    Outcome on_card(std::map<std::string, std::string> given, Device* card = nullptr) {
        given.insert({{"device", "cuda:0"}, {"m", "5"}, {"n", "12"}, {"k", "128"}});
        return gemm(std::move(given), card);
    }
    static std::string notes(const Outcome& outcome) {
        std::string all;
        for (const std::string& note : outcome.notes) all += note + "\n";
        return all;
    }
    const std::vector<std::map<std::string, std::string>> every_format_ = {
        {{"format", "int8"}},
        {{"format", "int8"}, {"activations", "bf16"}, {"n", "9"}},
        {{"format", "int4"}, {"n", "9"}},
        {{"format", "int4_g128"}, {"n", "9"}},
        {{"format", "fp8"}, {"n", "9"}}};
};

TEST_F(GemmByCublasLt, EveryFormatIsRightAndSaysHowItWasMultiplied) {
    for (std::map<std::string, std::string> given : every_format_)
        for (const char* m : {"1", "37"}) {
            given["m"] = m;
            const Outcome outcome = by_library(given);
            ASSERT_EQ(outcome.status, Status::measured) << given["format"] << ": " << outcome.reason;
            const bool integers = given.at("format") == "int8" && !given.contains("activations");
            EXPECT_EQ(outcome.resolved.at("implementation"), "cublaslt");
            EXPECT_EQ(outcome.resolved.at("arithmetic"), integers ? "int8" : "bf16");
            EXPECT_EQ(outcome.resolved.at("form"),
                      integers ? "cuBLASLt and scaling" : "dequantizing and cuBLASLt");
            EXPECT_THAT(outcome.resolved.at("library"), HasSubstr("libcublasLt.so.13 (13.0"));
            EXPECT_THAT(notes(outcome), HasSubstr("the fastest of 2 algorithms"));
            EXPECT_THAT(notes(outcome), HasSubstr("does not build")) << "what could not be tried is said";
        }
}

TEST_F(GemmByCublasLt, OwnKernelsCompeteAndTheTrialIsTold) {
    for (const std::map<std::string, std::string>& given : every_format_) {
        const Outcome outcome = on_card(given);
        ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
        EXPECT_THAT(notes(outcome), HasSubstr("64 x 64 by blocks"));
        EXPECT_THAT(notes(outcome), HasSubstr("cuBLASLt"));
        const bool own = outcome.resolved.at("implementation") == "own";
        EXPECT_EQ(outcome.resolved.contains("library"), !own);
        EXPECT_THAT(notes(outcome), HasSubstr(own ? "By own kernels, timed" : "Through cuBLASLt, timed"));
        EXPECT_THAT(notes(outcome), testing::Not(HasSubstr("Without cuBLASLt")));
    }
}

TEST_F(GemmByCublasLt, WithoutItTheOwnKernelIsMeasuredAndTheNoteSaysWhy) {
    const auto expect_own = [&](const Outcome& outcome, const char* arithmetic, const char* why) {
        ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
        EXPECT_EQ(outcome.resolved.at("implementation"), "own");
        EXPECT_EQ(outcome.resolved.at("form"), "64 x 64 by blocks");
        EXPECT_EQ(outcome.resolved.at("arithmetic"), arithmetic);
        EXPECT_FALSE(outcome.resolved.contains("library"));
        EXPECT_THAT(notes(outcome), HasSubstr("Without cuBLASLt"));
        EXPECT_THAT(notes(outcome), HasSubstr(why));
    };
    {
        const FakeCublasLt refusing("refuse");
        expect_own(on_card({{"format", "int4"}}), "f32", "no algorithm that multiplies 5 x 128 and 128 x 12");
        expect_own(on_card({{"format", "int8"}}), "int8", "no algorithm that multiplies");
    }
    expect_own(on_card({{"format", "int8"}, {"n", "9"}}), "int8", "a multiple of 4");
    fake_cuda::set_cards({{.name = "Tesla T4", .major = 7, .minor = 5}});
    expect_own(on_card({{"format", "int4_g128"}}), "f32", "multiply bf16 from 8.0 on");
    // Room for the operands, and not for a workspace of 64 MiB.
    fake_cuda::set_cards({{.memory_bytes = std::uint64_t{60} << 20}});
    expect_own(on_card({{"format", "int4"}}), "f32", "it takes 67113216 bytes (64.0 MiB) for its workspace");
    // Room by the arithmetic, but another process has it.
    fake_cuda::set_cards({{}});
    FaultyAccelerator full(open_card(), {.memory_bytes = std::uint64_t{60} << 20});
    expect_own(on_card({{"format", "int4"}}, &full), "f32", "no memory");
}

TEST_F(GemmByCublasLt, WhatIsWrongOrWasNeverComputedIsNoFigure) {
    for (const std::map<std::string, std::string>& given : every_format_) {
        // The kernels beside the library's product: in preparing, in the trial, in a sample.
        for (const int launch : {0, 1, 5}) {
            const Outcome outcome = by_library(given, {.launch_not_made = launch});
            EXPECT_EQ(outcome.status, Status::failed) << given.at("format") << launch;
            EXPECT_THAT(outcome.reason, HasSubstr("last timed product matches f64"));
        }
        const FakeCublasLt wrong("wrong");
        EXPECT_EQ(by_library({{"format", given.at("format")}, {"n", "4"}}).status, Status::failed)
            << given.at("format");
    }
}

TEST_F(GemmByCublasLt, AResultThatWasNeverWrittenIsFoundAmongThoseNotDrawn) {
    const FakeCublasLt gap("gap");
    for (const char* format : {"int8", "fp8"})
        EXPECT_THAT(by_library({{"format", format}, {"m", "37"}, {"n", "300"}}).reason,
                    HasSubstr("left unwritten"))
            << format;
}

TEST_F(GemmByCublasLt, ALostCardIsAFailureWithItsReason) {
    for (const int launch : {0, 2, 7}) {
        const Outcome outcome = by_library({{"format", "fp8"}}, {.lost_at_launch = launch});
        EXPECT_EQ(outcome.status, Status::failed);
        EXPECT_THAT(outcome.reason, HasSubstr("the device is lost"));
    }
}

TEST_F(OffloadedQuantized, ADatasheetsBandwidthIsTheLimit) {
    AcceleratorFacts facts;
    facts.product = "Made Card";
    facts.vendor = "made";
    facts.match = {"Made"};
    facts.memory_bandwidth = 4e12;
    context_.accelerator_facts = {&facts, 1};
    FaultyAccelerator card(open_pocl(), {});
    card.described().name = "Made Card";
    const Outcome outcome = gemv({}, &card);
    ASSERT_TRUE(metric(outcome, "quantized.gemv.bandwidth").limit) << outcome.reason;
    EXPECT_EQ(metric(outcome, "quantized.gemv.bandwidth").limit->value, 4e12);
}

TEST_F(OffloadedQuantized, ACardGoesThroughAGibibyteOrHalfItsMemory) {
    FaultyAccelerator card(open_pocl(), {});
    card.described().kind = "gpu";
    card.described().memory_bytes = std::uint64_t{80} << 30;
    EXPECT_EQ(count_device_matrices(card, std::uint64_t{100} << 20).matrices, 11u);
    EXPECT_TRUE(count_device_matrices(card, std::uint64_t{100} << 20).out_of_cache);
    EXPECT_EQ(count_device_matrices(card, std::uint64_t{60} << 30).matrices, 1u);
    card.described().memory_bytes = std::uint64_t{512} << 20;
    const MatrixCount few = count_device_matrices(card, std::uint64_t{100} << 20);
    EXPECT_EQ(few.matrices, 2u);
    EXPECT_FALSE(few.out_of_cache);
    EXPECT_THAT(few.reason, HasSubstr("may come from caches"));
}

TEST_F(OffloadedQuantized, WhatWasNeverComputedIsNoFigure) {
    for (const int launch : {0, 12}) {
        FaultyAccelerator idle(open_pocl(), {.launch_not_made = launch});
        const Outcome vector = gemv({}, &idle);
        EXPECT_EQ(vector.status, Status::failed);
        EXPECT_THAT(vector.reason, HasSubstr("last timed product matches f64"));
        FaultyAccelerator idle_too(open_pocl(), {.launch_not_made = launch});
        EXPECT_EQ(gemm({}, &idle_too).status, Status::failed) << launch;
    }
    FaultyAccelerator idle(open_pocl(), {.launch_not_made = 0});
    EXPECT_EQ(accuracy({}, &idle).status, Status::failed);
}

TEST_F(OffloadedQuantized, OneWrongByteOfTheResultIsFound) {
    // So few rows that those drawn are all of them; the byte holds the exponent.
    FaultyAccelerator wrong(open_pocl(), {.wrong_byte_at = 4 * 2 + 3, .wrong_bits = 0x40});
    EXPECT_EQ(gemv({{"m", "3"}, {"k", "262144"}}, &wrong).status, Status::failed);
    FaultyAccelerator wrong_too(open_pocl(), {.wrong_byte_at = 4 * 2 + 3, .wrong_bits = 0x40});
    EXPECT_EQ(gemm({{"m", "1"}, {"n", "3"}}, &wrong_too).status, Status::failed);
    FaultyAccelerator wrong_again(open_pocl(), {.wrong_byte_at = 4 * 100 + 3, .wrong_bits = 0x40});
    EXPECT_EQ(accuracy({}, &wrong_again).status, Status::failed);
}

TEST_F(OffloadedQuantized, ALostDeviceAndLackOfMemoryAreFailuresWithTheirReason) {
    for (const auto& [lost_at, probe] : {std::pair{4, 0}, {1, 1}, {0, 2}}) {
        FaultyAccelerator lost(open_pocl(), {.lost_at_launch = lost_at});
        const Outcome outcome = probe == 0   ? gemv({}, &lost)
                                : probe == 1 ? gemm({}, &lost)
                                             : accuracy({}, &lost);
        EXPECT_EQ(outcome.status, Status::failed);
        EXPECT_THAT(outcome.reason, HasSubstr("the device is lost"));
        FaultyAccelerator full(open_pocl(), {.out_of_memory_at_allocate = 2});
        const Outcome none = probe == 0   ? gemv({}, &full)
                             : probe == 1 ? gemm({}, &full)
                                          : accuracy({}, &full);
        EXPECT_EQ(none.status, Status::failed);
        EXPECT_THAT(none.reason, HasSubstr("no memory"));
    }
}

TEST_F(OffloadedQuantized, WhatDoesNotFitBesideOthersIsSkippedWithTheArithmetic) {
    fake_cuda::set_cards({{.memory_bytes = 1 << 30, .used_by_others = (1 << 30) - 10'000}});
    for (const Outcome& outcome : {gemv({{"device", "cuda:0"}}), gemm({{"device", "cuda:0"}})}) {
        EXPECT_EQ(outcome.status, Status::skipped) << outcome.the_case.probe;
        EXPECT_THAT(outcome.reason,
                    HasSubstr("of which 1073741824 bytes (1 GiB) may be used and 10000 bytes are free now"));
    }
    // What others leave is gone through, not what the card has.
    fake_cuda::set_cards({{.memory_bytes = 1 << 30, .used_by_others = 1 << 29}});
    const std::unique_ptr<Device> card = std::get<std::unique_ptr<Device>>(open_device("cuda:0"));
    EXPECT_EQ(count_device_matrices(*card->accelerator(), std::uint64_t{100} << 20).matrices, 2u);
}

TEST_F(OffloadedQuantized, WhatDoesNotFitTheDeviceIsSkippedWithTheArithmetic) {
    FaultyAccelerator small(open_pocl(), {});
    small.described().memory_bytes = 10'000;
    EXPECT_THAT(gemv({{"format", "int4"}}, &small).reason, HasSubstr("of which 10000 bytes may be used"));
    EXPECT_EQ(gemv({}, &small).status, Status::skipped);
    EXPECT_EQ(gemm({}, &small).status, Status::skipped);
    EXPECT_THAT(gemm({}, &small).reason, HasSubstr("weights of 70 x 256 in int8"));
}

TEST_F(OffloadedQuantized, ParametersOfTheCpuAreRefusedByName) {
    EXPECT_THROW(gemv({{"threads", "1"}}), InputError);
    EXPECT_THROW(gemv({{"isa", "avx2"}}), InputError);
    EXPECT_THROW(gemm({{"isa", "portable"}}), InputError);
    try {
        gemm({{"format", "int4"}, {"activations", "int8"}});
        FAIL() << "accepted int4 by int8";
    } catch (const InputError& error) {
        EXPECT_THAT(error.what(), HasSubstr("on opencl:0"));
    }
}

}  // namespace
}  // namespace assay
