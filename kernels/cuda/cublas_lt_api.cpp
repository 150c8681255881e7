#include "kernels/cuda/cublas_lt_api.h"

#include <initializer_list>
#include <optional>
#include <string_view>

#include "kernels/device/accelerator.h"
#include "kernels/device/shared_library.h"

namespace assay::cuda::lt {

namespace {

/// CUDA 13's begins with Turing (7.5) and wants a driver for CUDA 13; others take CUDA 12's, which may
/// stand beside it.
constexpr std::string_view first_of_13 = "7.5";

bool needs_twelve(const DeviceInfo& card) {
    // "7.0" before "7.5"; two digits of the first number are newer than both.
    const std::string& capability = card.compute_capability;
    return (capability.size() == first_of_13.size() && capability < first_of_13) ||
           card.interface.starts_with("CUDA 12.");
}

std::variant<Api, Absent> load(std::initializer_list<const char*> names, const char* wanted) {
    std::string error;
    const std::optional<SharedLibrary> library = SharedLibrary::load(names, error);
    if (!library)
        return Absent{"cuBLASLt, which multiplies matrices on NVIDIA's cards, was not found; wanted is " +
                      std::string(wanted) + ": " + error};
    Api api;
    api.library = library->name();
    const char* missing = nullptr;
    const auto find = [&](const char* name, auto*& function) {
        if (!library->find(name, function) && missing == nullptr) missing = name;
    };
    find("cublasLtCreate", api.create);
    find("cublasLtDestroy", api.destroy);
    find("cublasLtGetVersion", api.get_version);
    find("cublasLtMatmulDescCreate", api.matmul_desc_create);
    find("cublasLtMatmulDescDestroy", api.matmul_desc_destroy);
    find("cublasLtMatmulDescSetAttribute", api.matmul_desc_set_attribute);
    find("cublasLtMatrixLayoutCreate", api.matrix_layout_create);
    find("cublasLtMatrixLayoutDestroy", api.matrix_layout_destroy);
    find("cublasLtMatmulPreferenceCreate", api.preference_create);
    find("cublasLtMatmulPreferenceDestroy", api.preference_destroy);
    find("cublasLtMatmulPreferenceSetAttribute", api.preference_set_attribute);
    find("cublasLtMatmulAlgoGetHeuristic", api.get_heuristic);
    find("cublasLtMatmul", api.matmul);
    if (missing != nullptr)
        return Absent{api.library + " has no " + missing + ": it is too old; wanted is " + wanted};
    return api;
}

const std::variant<Api, Absent>& loaded(bool twelve_only) {
    static const std::variant<Api, Absent> newest =
        load({"libcublasLt.so.13", "/usr/local/cuda/lib64/libcublasLt.so.13", "libcublasLt.so.12",
              "/usr/local/cuda/lib64/libcublasLt.so.12"},
             "libcublasLt.so.13 or .12");
    if (!twelve_only) return newest;
    static const std::variant<Api, Absent> twelve =
        load({"libcublasLt.so.12", "/usr/local/cuda-12/lib64/libcublasLt.so.12",
              "/usr/local/cuda/lib64/libcublasLt.so.12"},
             "libcublasLt.so.12, the last for cards before compute capability 7.5 and for drivers before "
             "CUDA 13");
    return twelve;
}

}  // namespace

std::string Api::version() const {
    const std::size_t number = get_version();  // 130000 and, before, 120605: major, minor, patch
    return std::to_string(number / 10000) + "." + std::to_string(number / 100 % 100) + "." +
           std::to_string(number % 100);
}

std::variant<const Api*, Absent> api(const DeviceInfo& card) {
    const std::variant<Api, Absent>& found = loaded(needs_twelve(card));
    if (const Absent* absent = std::get_if<Absent>(&found)) return *absent;
    return &std::get<Api>(found);
}

void require(Status status, const std::string& call) {
    if (status == Status::success) return;
    std::string name = "cuBLASLt status " + std::to_string(static_cast<int>(status));
    if (status == Status::not_initialized) name += " (not initialized)";
    if (status == Status::arch_mismatch) name += " (not for this card)";
    if (status == Status::not_supported) name += " (not supported)";
    throw DeviceError(call + ": " + name);
}

}  // namespace assay::cuda::lt
