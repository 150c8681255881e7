#include "probes/catalog.h"

#include <array>

#include "probes/gemm/gemm.h"
#include "probes/inference/inference.h"
#include "probes/interconnect/interconnect.h"
#include "probes/inventory/inventory.h"
#include "probes/memory/memory.h"
#include "probes/quantized/quantized.h"
#include "probes/storage/storage.h"

namespace assay {

std::span<const Probe> catalog() {
    static const std::array probes = {
        inventory_system_probe(),        gemm_throughput_probe(),          gemm_ceiling_probe(),
        memory_bandwidth_probe(),        memory_latency_probe(),           memory_loaded_latency_probe(),
        memory_capacity_probe(),         storage_random_read_probe(),      storage_random_write_probe(),
        storage_sequential_read_probe(), storage_sequential_write_probe(), storage_latency_curve_probe(),
        storage_model_load_probe(),      storage_checkpoint_probe(),       interconnect_tcp_probe(),
        interconnect_transfer_probe(),   quantized_gemm_probe(),           quantized_gemv_probe(),
        quantized_accuracy_probe(),      inference_decode_probe(),
    };
    return probes;
}

}  // namespace assay
