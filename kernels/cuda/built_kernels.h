#pragma once

#include <string>
#include <vector>

namespace assay::cuda {

/// What this build's CUDA kernels were compiled with and for.
struct BuiltKernels {
    bool present = false;            ///< false: this build was made without nvcc
    std::string compiler = {};       ///< "CUDA 13.0", of nvcc
    std::vector<int> architectures;  ///< ascending; 75 is compute capability 7.5. None: placeholders of tests
};
const BuiltKernels& built_kernels();

/// "CUDA 13.0, 7.5 to 12.1", or why there are none.
std::string describe(const BuiltKernels& kernels);

/// "7.5" of 75.
std::string capability_text(int architecture);

/// The major version of CUDA that a driver must have to run the kernels; 0 where any that we can call will
/// do.
int wanted_major();

/// The lowest version whose driver runs the kernels: "CUDA 13.0".
std::string wanted_version();

}  // namespace assay::cuda
