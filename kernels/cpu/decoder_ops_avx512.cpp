#define ASSAY_LANES 16
#include "kernels/cpu/decoder_ops_body.h"
#include "kernels/cpu/decoder_ops_tables.h"

namespace assay::kernels {

const DecoderOps decoder_ops_avx512 = ops_here;

}  // namespace assay::kernels
