#pragma once

/// Marks a function that CUDA kernels share with the host: the same arithmetic on both.
#ifdef __CUDACC__
#define ASSAY_ON_BOTH __host__ __device__
#else
#define ASSAY_ON_BOTH
#endif
