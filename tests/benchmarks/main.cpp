#include <cstdio>
#include <exception>

#include <benchmark/benchmark.h>

#include "tests/benchmarks/benchmarks.h"
#include "tests/benchmarks/threads.h"

using namespace assay::benchmarks;

int main(int argc, char** argv) {
    try {
        settle_threads(argv);
        register_openblas_gemm();
#ifdef ASSAY_WITH_ONEDNN
        register_onednn_gemm();
#endif
        register_own_gemm();
        register_ceiling();
        register_quantized_gemm();
        register_quantized_gemv();
        register_stream_read();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "kernel_benchmarks: %s\n", error.what());
        return 4;
    }
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
}
