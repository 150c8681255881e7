#include "kernels/cuda/cuda_device.h"

namespace assay::cuda {

void list_devices(DeviceSurvey& survey) {
    survey.absences.push_back("no CUDA device: this version has no CUDA device layer");
}

std::variant<std::unique_ptr<Device>, Absent> open_cuda_device(std::size_t number) {
    return Absent{"there is no cuda:" + std::to_string(number) + ": this version has no CUDA device layer"};
}

}  // namespace assay::cuda
