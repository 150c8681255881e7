#include "kernels/cuda/cublas_lt.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <utility>
#include <vector>

#include "kernels/cuda/cublas_lt_api.h"

namespace assay::cuda {

using kernels::Precision;

namespace {

using lt::ComputeType;
using lt::DataType;

constexpr int asked_candidates = 16;
constexpr int trial_products = 3;
/// f64 on a card with few units for it takes seconds a product: the first candidates, which the
/// heuristics take for the best, must then do.
constexpr std::chrono::seconds longest_trial{5};

struct Types {
    DataType operands, scale;
    ComputeType compute;
    double capability;  ///< from which on the tensor cores take it
};

Types types_of(Precision precision) {
    switch (precision) {
        case Precision::f64:
            return {DataType::f64, DataType::f64, ComputeType::f64, 0};
        case Precision::f32:
            return {DataType::f32, DataType::f32, ComputeType::f32, 0};
        case Precision::tf32:
            return {DataType::f32, DataType::f32, ComputeType::f32_fast_tf32, 8.0};
        case Precision::bf16:
            return {DataType::bf16, DataType::f32, ComputeType::f32, 8.0};
        case Precision::f16:
            return {DataType::f16, DataType::f32, ComputeType::f32, 7.0};
        case Precision::fp8:
            return {DataType::fp8_e4m3, DataType::f32, ComputeType::f32, 8.9};
        case Precision::int8:
            return {DataType::int8, DataType::int32, ComputeType::int32, 7.5};
    }
    return {};
}

DataType result_type(Precision result) {
    return result == Precision::int8 ? DataType::int32 : types_of(result).operands;
}

/// One and zero in a scale's type.
struct Scale {
    double f64;
    float f32;
    std::int32_t int32;
    const void* in(DataType type) const {
        return type == DataType::f64   ? static_cast<const void*>(&f64)
               : type == DataType::f32 ? static_cast<const void*>(&f32)
                                       : &int32;
    }
};
constexpr Scale one{1, 1, 1}, zero{0, 0, 0};

/// Owns an object of cuBLASLt.
template <typename Object>
class Owned {
  public:
    Owned() = default;
    Owned(Object object, lt::Status (*release)(Object)) : object_(object), release_(release) {}
    ~Owned() {
        if (object_ != nullptr) release_(object_);
    }
    Owned(Owned&& other) noexcept
        : object_(std::exchange(other.object_, nullptr)), release_(other.release_) {}
    Owned& operator=(Owned&& other) noexcept {
        std::swap(object_, other.object_);
        std::swap(release_, other.release_);
        return *this;
    }
    Object get() const { return object_; }

  private:
    Object object_ = nullptr;
    lt::Status (*release_)(Object) = nullptr;
};

class Product final : public LtProduct {
  public:
    Product(const lt::Api& api, Accelerator& card, Precision precision, Precision result, std::size_t m,
            std::size_t n, std::size_t k, const DeviceMemory& a, const DeviceMemory& b, DeviceMemory& c)
        : api_(api),
          card_(card),
          types_(types_of(precision)),
          workspace_(card.allocate(lt_workspace_bytes, false)),
          a_(pointer(a)),
          b_(pointer(b)),
          c_(pointer(c)) {
        lt::Handle handle = nullptr;
        lt::require(api_.create(&handle), "cublasLtCreate");
        handle_ = {handle, api_.destroy};
        lt::MatmulDescriptor descriptor = nullptr;
        lt::require(api_.matmul_desc_create(&descriptor, types_.compute, types_.scale),
                    "cublasLtMatmulDescCreate");
        descriptor_ = {descriptor, api_.matmul_desc_destroy};
        lt::require(api_.matmul_desc_set_attribute(descriptor, lt::DescriptorAttribute::transpose_a,
                                                   &lt::transposed, sizeof lt::transposed),
                    "cublasLtMatmulDescSetAttribute");
        // Columns come first in cuBLASLt: row-major c is its n × m matrix b a, of b [k × n] and a [k × m].
        left_ = layout(types_.operands, k, n);
        right_ = layout(types_.operands, k, m);
        result_ = layout(result_type(result), n, m);
    }

    /// False where the library knows no way.
    bool choose() {
        const std::vector<lt::HeuristicResult> found = heuristics();
        double shortest = std::numeric_limits<double>::infinity();
        const std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
        const auto enough = [&] {
            return usable_ > 0 && std::chrono::steady_clock::now() - begin > longest_trial;
        };
        for (const lt::HeuristicResult& candidate : found) {
            if (enough()) break;
            if (candidate.state != lt::Status::success || candidate.workspace_bytes > lt_workspace_bytes)
                continue;
            const lt::HeuristicResult best = best_;
            best_ = candidate;
            double seconds = std::numeric_limits<double>::infinity();
            if (run() == lt::Status::success) {
                ++usable_;
                card_.queue().finish();
                for (int i = 0; i == 0 || (i < trial_products && !enough()); ++i)
                    seconds = std::min(seconds, timed(card_.queue(), [&] { enqueue(); }));
            }
            if (seconds < shortest)
                shortest = seconds;
            else
                best_ = best;
        }
        return usable_ > 0;
    }

    void enqueue() override { lt::require(run(), "cublasLtMatmul"); }
    std::string library() const override { return api_.library + " (" + api_.version() + ")"; }
    int candidates() const override { return usable_; }

  private:
    const void* pointer(const DeviceMemory& memory) const {
        return reinterpret_cast<const void*>(static_cast<std::uintptr_t>(card_.address(memory)));
    }

    Owned<lt::MatrixLayout> layout(DataType type, std::size_t rows, std::size_t columns) const {
        lt::MatrixLayout made = nullptr;
        lt::require(api_.matrix_layout_create(&made, type, rows, columns, static_cast<std::int64_t>(rows)),
                    "cublasLtMatrixLayoutCreate");
        return {made, api_.matrix_layout_destroy};
    }

    std::vector<lt::HeuristicResult> heuristics() const {
        lt::Preference made = nullptr;
        lt::require(api_.preference_create(&made), "cublasLtMatmulPreferenceCreate");
        const Owned<lt::Preference> preference{made, api_.preference_destroy};
        lt::require(api_.preference_set_attribute(made, lt::PreferenceAttribute::maximum_workspace_bytes,
                                                  &lt_workspace_bytes, sizeof lt_workspace_bytes),
                    "cublasLtMatmulPreferenceSetAttribute");
        std::vector<lt::HeuristicResult> results(asked_candidates);
        int found = 0;
        const lt::Status status =
            api_.get_heuristic(handle_.get(), descriptor_.get(), left_.get(), right_.get(), result_.get(),
                               result_.get(), made, asked_candidates, results.data(), &found);
        if (status == lt::Status::not_supported)
            found = 0;  // no way is an answer
        else
            lt::require(status, "cublasLtMatmulAlgoGetHeuristic");
        results.resize(static_cast<std::size_t>(std::clamp(found, 0, asked_candidates)));
        return results;
    }

    lt::Status run() const {
        void* const c = const_cast<void*>(c_);
        return api_.matmul(handle_.get(), descriptor_.get(), one.in(types_.scale), b_, left_.get(), a_,
                           right_.get(), zero.in(types_.scale), c, result_.get(), c, result_.get(),
                           &best_.algorithm, const_cast<void*>(pointer(*workspace_)), lt_workspace_bytes,
                           card_.queue().native());
    }

    const lt::Api& api_;
    Accelerator& card_;
    Types types_;
    std::unique_ptr<DeviceMemory> workspace_;
    const void *a_, *b_, *c_;
    Owned<lt::Handle> handle_;
    Owned<lt::MatmulDescriptor> descriptor_;
    Owned<lt::MatrixLayout> left_, right_, result_;
    lt::HeuristicResult best_{};
    int usable_ = 0;
};

}  // namespace

Precision lt_result(Precision precision) {
    if (precision == Precision::tf32) return Precision::f32;
    return precision == Precision::fp8 ? Precision::bf16 : precision;
}

std::size_t lt_result_bytes(Precision precision) {
    return precision == Precision::int8 ? sizeof(std::int32_t) : kernels::bytes_of(lt_result(precision));
}

std::optional<std::string> lt_obstacle(const DeviceInfo& card, Precision precision) {
    const double wanted = types_of(precision).capability;
    const double capability = std::strtod(card.compute_capability.c_str(), nullptr);
    if (capability >= wanted) return std::nullopt;
    char text[16];
    std::snprintf(text, sizeof text, "%.1f", wanted);
    return card.id + " (" + card.name + ") has compute capability " + card.compute_capability +
           ", and its matrix units multiply " + std::string(to_string(precision)) + " from " + text + " on";
}

double lt_cutting_error(Precision precision, std::size_t k) {
    if (precision == Precision::int8 || precision == Precision::f64) return 0;
    return 3 * static_cast<double>(k + 1) * 0x1p-24;  // with that of f32 sums: four times a CPU's
}

std::variant<std::unique_ptr<LtProduct>, Absent> LtProduct::prepare(
    Accelerator& card, Precision precision, Precision result, std::size_t m, std::size_t n, std::size_t k,
    const DeviceMemory& a, const DeviceMemory& b_transposed, DeviceMemory& c) {
    if (const std::optional<std::string> obstacle = lt_obstacle(card.info(), precision))
        return Absent{*obstacle};
    const std::variant<const lt::Api*, Absent> api = lt::api(card.info());
    if (const Absent* absent = std::get_if<Absent>(&api)) return *absent;
    std::unique_ptr<Product> product = std::make_unique<Product>(
        *std::get<const lt::Api*>(api), card, precision, result, m, n, k, a, b_transposed, c);
    if (!product->choose())
        return Absent{product->library() + " has no algorithm that multiplies " + std::to_string(m) + " x " +
                      std::to_string(k) + " and " + std::to_string(k) + " x " + std::to_string(n) + " in " +
                      std::string(to_string(precision)) + " on " + card.info().id +
                      (precision == Precision::fp8    ? " (it wants sizes that are multiples of 16)"
                       : precision == Precision::int8 ? " (it wants the transposed matrix's rows and "
                                                        "columns to be multiples of 4)"
                                                      : "")};
    return std::unique_ptr<LtProduct>(std::move(product));
}

}  // namespace assay::cuda
