#include "kernels/cuda/built_kernels.h"

#include <charconv>
#include <optional>
#include <sstream>
#include <string_view>

#include "kernels/device/programs.h"

namespace assay::cuda {

namespace {

BuiltKernels read() {
    BuiltKernels kernels;
    // Written by scripts/cmake/cuda.cmake.
    const std::optional<std::string_view> text = kernels::embedded_program("cuda/kernels.txt");
    if (!text) return kernels;
    std::istringstream lines{std::string(*text)};
    kernels.present = static_cast<bool>(std::getline(lines, kernels.compiler));
    for (int architecture = 0; lines >> architecture;) kernels.architectures.push_back(architecture);
    return kernels;
}

}  // namespace

const BuiltKernels& built_kernels() {
    static const BuiltKernels kernels = read();
    return kernels;
}

std::string describe(const BuiltKernels& kernels) {
    if (!kernels.present) return "none: this build was made without nvcc";
    if (kernels.architectures.empty()) return kernels.compiler;
    const std::string lowest = capability_text(kernels.architectures.front());
    const std::string highest = capability_text(kernels.architectures.back());
    return kernels.compiler + ", " + lowest + (lowest == highest ? "" : " to " + highest);
}

std::string capability_text(int architecture) {
    return std::to_string(architecture / 10) + "." + std::to_string(architecture % 10);
}

int wanted_major() {
    const BuiltKernels& kernels = built_kernels();
    if (kernels.architectures.empty()) return 0;
    // Any driver of the same major version will do: "CUDA 13.0".
    int major = 0;
    const std::size_t digits = kernels.compiler.find_first_of("0123456789");
    if (digits != std::string::npos)
        std::from_chars(kernels.compiler.data() + digits, kernels.compiler.data() + kernels.compiler.size(),
                        major);
    return major;
}

std::string wanted_version() {
    // Without kernels: what has every function that we call.
    const int major = wanted_major();
    return "CUDA " + std::to_string(major == 0 ? 12 : major) + ".0";
}

}  // namespace assay::cuda
