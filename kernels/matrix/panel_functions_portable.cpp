#include "kernels/matrix/panel_functions.h"

namespace assay::kernels::portable {

namespace {

#include "kernels/matrix/panel_functions_body.h"

}  // namespace

const PanelFunctions panel_functions = functions_here;

}  // namespace assay::kernels::portable
