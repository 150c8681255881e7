#pragma once

#include <memory>
#include <stdexcept>
#include <utility>
#include <variant>

#include "kernels/device/accelerator.h"

namespace assay {

/// PoCL, which the tests' packages install: OpenCL on the CPU.
inline std::unique_ptr<Device> open_pocl() {
    std::variant<std::unique_ptr<Device>, Absent> device = open_device("opencl:0");
    if (const Absent* absent = std::get_if<Absent>(&device)) throw std::runtime_error(absent->reason);
    return std::move(std::get<std::unique_ptr<Device>>(device));
}

}  // namespace assay
