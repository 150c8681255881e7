#define ASSAY_LANES 8
#include "kernels/cpu/quantized_activations_body.h"

namespace assay::kernels {

const ActivationTable activations_avx2 = table_here;

}  // namespace assay::kernels
