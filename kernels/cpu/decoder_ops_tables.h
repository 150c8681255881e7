#pragma once

#include "kernels/cpu/decoder_ops.h"

namespace assay::kernels {

// One a translation unit, each compiled for its instruction set; only decoder_ops() chooses among them.
extern const DecoderOps decoder_ops_portable;
#if defined(__x86_64__)
extern const DecoderOps decoder_ops_avx2;
extern const DecoderOps decoder_ops_avx512;
#endif

}  // namespace assay::kernels
