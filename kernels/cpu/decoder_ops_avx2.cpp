#define ASSAY_LANES 8
#include "kernels/cpu/decoder_ops_body.h"
#include "kernels/cpu/decoder_ops_tables.h"

namespace assay::kernels {

const DecoderOps decoder_ops_avx2 = ops_here;

}  // namespace assay::kernels
