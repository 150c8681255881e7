#include "suites/cli/version.h"

#include "assay_version.h"

namespace assay::cli {

Version version() {
    return {ASSAY_VERSION, ASSAY_COMMIT, ASSAY_COMPILER};
}

}  // namespace assay::cli
