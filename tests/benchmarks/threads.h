#pragma once

#include <vector>

#include "kernels/cpu/affinity.h"

namespace assay::benchmarks {

/// Gives every library here one thread on each CPU that the program was started with (taskset chooses them).
/// OpenMP's runtime, which oneDNN computes with, reads its variables when it is loaded: the first call sets
/// them and starts the program again. It then has bound the main thread to the first CPU, which all threads
/// of other libraries would inherit, so that the second call frees it. Throws std::system_error.
void settle_threads(char** argv);

/// The CPUs, one of every core first; after settle_threads().
const std::vector<int>& cpus();

/// The main thread back on the CPU that OpenMP's runtime believes it on, and that OpenBLAS's threads leave to
/// it, for the time of a product with them.
class BoundToFirstCpu {
  public:
    BoundToFirstCpu();
    ~BoundToFirstCpu();
    BoundToFirstCpu(const BoundToFirstCpu&) = delete;
    BoundToFirstCpu& operator=(const BoundToFirstCpu&) = delete;

  private:
    kernels::CpuSet before_ = kernels::CpuSet::of_calling_thread();
};

}  // namespace assay::benchmarks
