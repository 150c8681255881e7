#define ASSAY_LANES 4
#include "kernels/cpu/quantized_activations_body.h"

namespace assay::kernels {

const ActivationTable activations_portable = table_here;

}  // namespace assay::kernels
