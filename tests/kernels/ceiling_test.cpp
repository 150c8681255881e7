#include "kernels/matrix/ceiling.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace assay::kernels {
namespace {

constexpr Precision every_precision[] = {Precision::f64, Precision::f32, Precision::bf16, Precision::f16,
                                         Precision::int8};
constexpr Isa every_isa[] = {Isa::portable, Isa::neon, Isa::avx2, Isa::avx512, Isa::amx};

TEST(Ceiling, EveryLoopOfThisCpuAddsUpExactly) {
    std::set<std::string> instructions;
    for (const Isa isa : every_isa)
        for (const Precision precision : every_precision) {
            for (CeilingLoop& loop : CeilingLoop::all(precision, isa)) {
                EXPECT_TRUE(supports(isa));
                EXPECT_FALSE(loop.correct()) << "nothing was computed yet";
                loop.run();
                EXPECT_TRUE(loop.correct()) << loop.instruction();
                EXPECT_TRUE(instructions.insert(std::string(loop.instruction())).second)
                    << loop.instruction();
            }
        }
    EXPECT_TRUE(CeilingLoop::best(Precision::f32, Isa::portable));
    EXPECT_TRUE(CeilingLoop::best(Precision::f64, Isa::portable));
}

TEST(Ceiling, AnUnsupportedSetHasNoLoop) {
    for (const Isa isa : every_isa) {
        if (supports(isa)) continue;
        for (const Precision precision : every_precision)
            EXPECT_TRUE(CeilingLoop::all(precision, isa).empty());
    }
}

#if defined(__x86_64__)
TEST(Ceiling, TheBestInstructionOfASetIsTaken) {
    if (!supports(Isa::avx512)) return;
    const CpuFeatures& features = cpu_features();
    EXPECT_EQ(CeilingLoop::best(Precision::int8, Isa::avx512)->instruction(),
              features.avx512_vnni ? "vpdpbusd zmm" : "vpmaddwd + vpaddd zmm");
    EXPECT_EQ(CeilingLoop::best(Precision::bf16, Isa::avx512).has_value(), features.avx512_bf16);
    EXPECT_EQ(CeilingLoop::best(Precision::f16, Isa::avx512).has_value(), features.avx512_fp16);
}

double best_speed(CeilingLoop& loop) {
    double best = 0;
    for (int time = 0; time < 50; ++time) {
        const auto start = std::chrono::steady_clock::now();
        for (int run = 0; run < 20; ++run) loop.run();
        const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
        best = std::max(best, 20 * loop.operations() / taken.count());
    }
    return best;
}

TEST(Ceiling, NoMultiplicationIsSparedThatIsCounted) {
    // vpmaddwd makes twice the products of an f32 instruction, and another one has to add them. A compiler
    // that found equal products multiplied once for all, and the ceiling became eight times that of f32.
    for (const Isa isa : {Isa::avx2, Isa::avx512})
        for (CeilingLoop& loop : CeilingLoop::all(Precision::int8, isa)) {
            if (!loop.instruction().starts_with("vpmaddwd")) continue;
            CeilingLoop f32 = CeilingLoop::best(Precision::f32, isa).value();
            EXPECT_LT(best_speed(loop), 4 * best_speed(f32)) << loop.instruction();
        }
}
#elif defined(__aarch64__)
TEST(Ceiling, TheBestInstructionOfASetIsTaken) {
    if (!supports(Isa::neon)) return;
    const CpuFeatures& features = cpu_features();
    EXPECT_EQ(CeilingLoop::best(Precision::int8, Isa::neon)->instruction(),
              features.neon_i8mm ? "smmla 4s" : "sdot 4s");
    EXPECT_EQ(CeilingLoop::best(Precision::bf16, Isa::neon).has_value(), features.neon_bf16);
    EXPECT_EQ(CeilingLoop::best(Precision::f16, Isa::neon).has_value(), features.neon_fp16);
}
#endif

TEST(Ceiling, OperationsAreTwoAMultiplyAccumulate) {
    // 250 pairs of instructions, 12 accumulators of 4 f32 each.
    EXPECT_EQ(CeilingLoop::best(Precision::f32, Isa::portable)->operations(), 2 * 2 * 250 * 12 * 4);
}

}  // namespace
}  // namespace assay::kernels
