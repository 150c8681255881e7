#include "kernels/cpu/decoder_ops.h"

#include <algorithm>

#define ASSAY_LANES 4
#include "kernels/cpu/decoder_ops_body.h"
#include "kernels/cpu/decoder_ops_tables.h"
#include "kernels/cpu/half.h"

namespace assay::kernels {

const DecoderOps decoder_ops_portable = ops_here;

const DecoderOps& decoder_ops(Isa isa) {
#if defined(__x86_64__)
    switch (isa) {
        case Isa::portable:
        case Isa::neon:
            break;
        case Isa::avx2:
            return decoder_ops_avx2;
        case Isa::avx512:
        case Isa::amx:
            return decoder_ops_avx512;
    }
#endif
    // Of what AArch64's CPUs may have or not, nothing would help: the portable form uses what all have.
    static_cast<void>(isa);
    return decoder_ops_portable;
}

std::size_t attention_scratch(std::size_t heads, std::size_t positions) {
    return heads * padded(positions);
}

void store_f16(const float* in, std::size_t count, std::uint16_t* out) {
    for (std::size_t i = 0; i < count; ++i) out[i] = float_to_half(std::clamp(in[i], -65504.0f, 65504.0f));
}

}  // namespace assay::kernels
