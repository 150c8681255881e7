#include "probes/catalog.h"
#include "suites/cli/cli.h"

int main(int argc, char** argv) {
    return assay::cli::run(argc, argv,
                           {assay::catalog(), assay::planned_metrics(), assay::planned_choices()});
}
