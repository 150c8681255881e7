#include "kernels/matrix/ceiling.h"

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
