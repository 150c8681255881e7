#include <array>

#include "probes/catalog.h"

namespace assay {

std::span<const PlannedMetric> planned_metrics() {
    using enum Unit;
    using enum Direction;
    static const std::array planned = {
        PlannedMetric{{"interconnect.rdma.bandwidth", bit_per_second, higher, "RDMA goodput"},
                      "interconnect.rdma"},
        PlannedMetric{{"interconnect.rdma.latency", second, lower, "one-way RDMA latency"},
                      "interconnect.rdma"},
        PlannedMetric{{"interconnect.mpi.latency", second, lower, "MPI latency"}, "interconnect.mpi"},
        PlannedMetric{{"inference.prefill.latency", second, lower, "time to first token"},
                      "inference.prefill"},
        PlannedMetric{{"inference.serve.latency", second, lower, "a whole request"}, "inference.serve"},
        PlannedMetric{{"inference.serve.throughput", request_per_second, higher, "requests served"},
                      "inference.serve"},
        PlannedMetric{
            {"inference.serve.gpu_utilisation", ratio, higher, "share of time in which the GPU was busy"},
            "inference.serve"},
        PlannedMetric{{"inference.serve.token_jitter", ratio, lower, "spread of time per token"},
                      "inference.serve"},
        PlannedMetric{{"inference.serve.memory_growth", byte, lower, "memory growth per 100 000 requests"},
                      "inference.serve"},
        PlannedMetric{{"inference.recovery.seconds", second, lower, "process start to first token"},
                      "inference.recovery"},
    };
    return planned;
}

std::span<const PlannedChoice> planned_choices() {
    return {};
}

}  // namespace assay
