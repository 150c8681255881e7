#pragma once

#include "suites/suite.h"

namespace assay::cli {

/// The whole program but for the catalogue, which main() passes and tests replace. Returns the exit code.
int run(int argc, char** argv, const Catalogue& catalogue);

}  // namespace assay::cli
