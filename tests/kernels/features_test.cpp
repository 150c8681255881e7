#include "kernels/cpu/features.h"

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "kernels/matrix/kernel_choice.h"

namespace assay::kernels {
namespace {

constexpr Isa every_isa[] = {Isa::portable, Isa::neon, Isa::avx2, Isa::avx512, Isa::amx};

TEST(Features, EveryInstructionSetHasANameThatReadsBack) {
    std::set<std::string_view> names;
    for (const Isa isa : every_isa) {
        names.insert(to_string(isa));
        EXPECT_EQ(isa_from_string(to_string(isa)), isa);
    }
    EXPECT_EQ(names.size(), std::size(every_isa));
    EXPECT_FALSE(isa_from_string("avx1024"));
    EXPECT_FALSE(isa_from_string(""));
}

TEST(Features, PortableCodeAlwaysRunsAndTheBestIsSupported) {
    EXPECT_TRUE(supports(Isa::portable));
    EXPECT_TRUE(supports(best_vector_isa()));
    for (const Isa isa : {Isa::neon, Isa::avx2, Isa::avx512})
        if (supports(isa)) {
            EXPECT_GE(best_vector_isa(), isa);
        }
    EXPECT_LE(best_vector_isa(), Isa::avx512);
}

TEST(Features, HaveWhatTheTestRunWasStartedFor) {
    // Set where a run is there to test an instruction set's kernels, which must not pass by being left out.
    const char* const named = std::getenv("ASSAY_TEST_ISA");
    const char* const promised = named != nullptr ? named : "portable";
    EXPECT_TRUE(supports(isa_from_string(promised).value())) << promised;
    EXPECT_FALSE(matrix_kernels(Precision::int8, isa_from_string(promised).value()).empty()) << promised;
}

#if defined(__aarch64__)
TEST(Features, AgreeWithTheRegistersThatNameThem) {
    // Linux lets programs read them. Bits 44 to 47 of the first are the dot product's, 20 to 23 of the second
    // those of arithmetic on vectors, 1 with f16, 44 to 47 and 52 to 55 of the third those of products of
    // matrices of bf16 and bytes (Arm architecture reference manual).
    std::uint64_t instructions = 0, processor = 0, more = 0;
    __asm__("mrs %0, id_aa64isar1_el1" : "=r"(more));
    __asm__("mrs %0, id_aa64isar0_el1" : "=r"(instructions));
    __asm__("mrs %0, id_aa64pfr0_el1" : "=r"(processor));
    const bool dot_product = (instructions >> 44 & 15) != 0;
    EXPECT_EQ(cpu_features().neon_dot_product, dot_product);
    EXPECT_EQ(cpu_features().neon_fp16, dot_product && (processor >> 20 & 15) == 1);
    EXPECT_EQ(cpu_features().neon_bf16, dot_product && (more >> 44 & 15) != 0);
    EXPECT_EQ(cpu_features().neon_i8mm, dot_product && (more >> 52 & 15) != 0);
}
#endif

#if defined(__x86_64__)
TEST(Features, AgreeWithWhatTheKernelLists) {
    std::ifstream file("/proc/cpuinfo");
    std::string line;
    std::set<std::string> flags;
    while (std::getline(file, line) && flags.empty()) {
        if (!line.starts_with("flags")) continue;
        std::istringstream words(line.substr(line.find(':') + 1));
        std::string word;
        while (words >> word) flags.insert(word);
    }
    ASSERT_FALSE(flags.empty());
    const CpuFeatures& features = cpu_features();
    const auto has = [&](const char* flag) { return flags.contains(flag); };
    EXPECT_EQ(features.avx2, has("avx2") && has("fma") && has("f16c"));
    EXPECT_EQ(features.avx512, has("avx512f") && has("avx512bw") && has("avx512dq") && has("avx512vl"));
    EXPECT_EQ(features.avx512_vnni, has("avx512_vnni"));
    EXPECT_EQ(features.avx512_bf16, has("avx512_bf16"));
    EXPECT_EQ(features.avx512_fp16, has("avx512_fp16"));
    EXPECT_EQ(features.avx_vnni, has("avx_vnni"));
    EXPECT_EQ(features.amx_int8, has("amx_int8"));
    EXPECT_EQ(features.amx_bf16, has("amx_bf16"));
}
#endif

}  // namespace
}  // namespace assay::kernels
