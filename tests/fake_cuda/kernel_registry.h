#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace assay::fake_cuda {

/// A kernel that was compiled for the host, and the layout of its arguments.
struct HostKernel {
    std::string program, name;
    std::vector<std::size_t> argument_bytes;
    std::function<void(const std::vector<const void*>&)> call;
};
std::vector<HostKernel>& host_kernels();

template <typename... Arguments, std::size_t... Indices>
HostKernel host_kernel(const char* program, const char* name, void (*function)(Arguments...),
                       std::index_sequence<Indices...>) {
    return {program, name, {sizeof(Arguments)...}, [function](const std::vector<const void*>& values) {
                (void)values;
                function(*static_cast<const Arguments*>(values[Indices])...);
            }};
}

/// Makes a kernel known under its name; kernels.cmake writes one for each.
struct Registered {
    template <typename... Arguments>
    Registered(const char* program, const char* name, void (*function)(Arguments...)) {
        host_kernels().push_back(
            host_kernel(program, name, function, std::index_sequence_for<Arguments...>()));
    }
};

}  // namespace assay::fake_cuda
