#include "kernels/device/device.h"

#include <algorithm>
#include <stdexcept>

#include "kernels/device/cpu_device.h"

namespace assay {

std::vector<DeviceInfo> enumerate_devices() {
    return {cpu_device_info()};
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
    return Absent{"this version has no " + kind + " device layer, so " + id + " cannot be opened; cpu:0 can"};
}

}  // namespace assay
