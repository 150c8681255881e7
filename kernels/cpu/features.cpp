#include "kernels/cpu/features.h"

#include <array>
#include <cstdint>
#include <utility>

#if defined(__x86_64__)
#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#elif defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace assay::kernels {

namespace {

constexpr std::array<std::pair<Isa, std::string_view>, 5> isa_names = {{{Isa::portable, "portable"},
                                                                        {Isa::neon, "neon"},
                                                                        {Isa::avx2, "avx2"},
                                                                        {Isa::avx512, "avx512"},
                                                                        {Isa::amx, "amx"}}};

#if defined(__x86_64__)

struct Registers {
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Registers cpuid(unsigned leaf, unsigned subleaf) {
    Registers registers;
    // All zero, thus "absent", where the CPU does not know the leaf.
    __get_cpuid_count(leaf, subleaf, &registers.eax, &registers.ebx, &registers.ecx, &registers.edx);
    return registers;
}

/// Which register files the operating system saves (XCR0): an instruction that the CPU knows still faults
/// without that.
std::uint64_t saved_state() {
    unsigned low = 0, high = 0;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (static_cast<std::uint64_t>(high) << 32) | low;
}

constexpr bool bit(unsigned value, int index) {
    return (value >> index) & 1u;
}

CpuFeatures detect() {
    const Registers basic = cpuid(1, 0);
    const bool os_uses_xsave = bit(basic.ecx, 27);
    if (!os_uses_xsave) return {};
    const std::uint64_t saved = saved_state();
    const bool ymm_saved = (saved & 0x6) == 0x6;
    const bool zmm_saved = (saved & 0xe6) == 0xe6;
    const bool tiles_saved = (saved & 0x60000) == 0x60000;
    const Registers extended = cpuid(7, 0);
    const Registers more = cpuid(7, 1);

    CpuFeatures features;
    features.avx2 =
        ymm_saved && bit(extended.ebx, 5) && bit(basic.ecx, 28) && bit(basic.ecx, 12) && bit(basic.ecx, 29);
    features.avx512 = features.avx2 && zmm_saved && bit(extended.ebx, 16) && bit(extended.ebx, 30) &&
                      bit(extended.ebx, 17) && bit(extended.ebx, 31);
    features.avx512_vnni = features.avx512 && bit(extended.ecx, 11);
    features.avx512_bf16 = features.avx512 && bit(more.eax, 5);
    features.avx512_fp16 = features.avx512 && bit(extended.edx, 23);
    features.avx_vnni = features.avx2 && bit(more.eax, 4);
    const bool tiles = tiles_saved && bit(extended.edx, 24);
    features.amx_int8 = tiles && bit(extended.edx, 25);
    features.amx_bf16 = tiles && bit(extended.edx, 22);
    return features;
}

/// Since 5.16 Linux hands out the 8 KiB of tile registers only to processes that ask: without that the first
/// tile instruction is a SIGILL. Refused where a signal's alternate stack could not hold them.
bool may_use_tiles() {
#if defined(__linux__)
    constexpr long request_permission = 0x1023;  // ARCH_REQ_XCOMP_PERM
    constexpr long tile_data = 18;               // XFEATURE_XTILEDATA
    return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
#else
    return false;
#endif
}

#elif defined(__aarch64__) && defined(__linux__)

CpuFeatures detect() {
    CpuFeatures features;
    const unsigned long capabilities = getauxval(AT_HWCAP);
    features.neon_dot_product = (capabilities & HWCAP_ASIMDDP) != 0;
    features.neon_fp16 = features.neon_dot_product && (capabilities & HWCAP_ASIMDHP) != 0;
    const unsigned long more = getauxval(AT_HWCAP2);
    features.neon_bf16 = features.neon_dot_product && (more & HWCAP2_BF16) != 0;
    features.neon_i8mm = features.neon_dot_product && (more & HWCAP2_I8MM) != 0;
    return features;
}

bool may_use_tiles() {
    return false;
}

#else

CpuFeatures detect() {
    return {};
}

bool may_use_tiles() {
    return false;
}

#endif

}  // namespace

std::string_view to_string(Isa isa) {
    for (const auto& [value, name] : isa_names)
        if (value == isa) return name;
    return "unknown";
}

std::optional<Isa> isa_from_string(std::string_view name) {
    for (const auto& [value, known] : isa_names)
        if (known == name) return value;
    return std::nullopt;
}

const CpuFeatures& cpu_features() {
    static const CpuFeatures features = detect();
    return features;
}

bool supports(Isa isa) {
    const CpuFeatures& features = cpu_features();
    switch (isa) {
        case Isa::portable:
            return true;
        case Isa::avx2:
            return features.avx2;
        case Isa::avx512:
            return features.avx512;
        case Isa::neon:
            return features.neon_dot_product;
        case Isa::amx: {
            static const bool permitted =
                features.avx512 && features.amx_int8 && features.amx_bf16 && may_use_tiles();
            return permitted;
        }
    }
    return false;
}

Isa best_vector_isa() {
    for (const Isa isa : {Isa::avx512, Isa::avx2, Isa::neon})
        if (supports(isa)) return isa;
    return Isa::portable;
}

}  // namespace assay::kernels
