// Compiled for AVX-512: includes nothing whose inline functions other units share, lest the linker keep this
// unit's copy for a CPU without it.
#include "kernels/matrix/panel_functions.h"

namespace assay::kernels::avx512 {

namespace {

#include "kernels/matrix/panel_functions_body.h"

}  // namespace

const PanelFunctions panel_functions = functions_here;

}  // namespace assay::kernels::avx512
