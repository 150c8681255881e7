#include "kernels/device/device.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "kernels/cuda/cuda_device.h"
#include "kernels/device/cpu_device.h"
#include "kernels/opencl/opencl_device.h"
#include "kernels/opencl/platforms.h"

namespace assay {

DeviceSurvey survey_devices() {
    DeviceSurvey survey;
    survey.devices.push_back(cpu_device_info());
    cuda::list_devices(survey);
    opencl::Listing listing = opencl::list_devices();
    for (opencl::ListedDevice& listed : listing.devices) {
        // CUDA's way to an NVIDIA card is the better one.
        for (const DeviceInfo& present : survey.devices)
            if (!listed.info.pci_address.empty() && present.pci_address == listed.info.pci_address)
                listed.info.same_as = present.id;
        survey.devices.push_back(std::move(listed.info));
    }
    survey.absences.insert(survey.absences.end(), listing.absences.begin(), listing.absences.end());
    return survey;
}

std::variant<std::unique_ptr<Device>, Absent> open_device(const std::string& id) {
    if (id == "cpu:0") return open_cpu_device();
    const std::size_t colon = id.find(':');
    const std::string kind = id.substr(0, colon);
    const std::string number = colon == std::string::npos ? "" : id.substr(colon + 1);
    const bool numbered =
        !number.empty() && number.size() <= 9 &&
        std::all_of(number.begin(), number.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!numbered || (kind != "cpu" && kind != "opencl" && kind != "cuda"))
        throw std::invalid_argument("device '" + id + "': cpu:0, opencl:N or cuda:N would be accepted");
    if (kind == "cpu") return Absent{"there is no " + id + ": all CPUs together are cpu:0"};
    const std::size_t index = std::stoul(number);
    return kind == "opencl" ? opencl::open_opencl_device(index) : cuda::open_cuda_device(index);
}

}  // namespace assay
