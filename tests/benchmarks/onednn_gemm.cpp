#include <cstdint>
#include <cstring>
#include <string>
#include <unordered_map>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <oneapi/dnnl/dnnl.hpp>

#include "tests/benchmarks/benchmarks.h"
#include "tests/benchmarks/gemm_product.h"
#include "tests/benchmarks/threads.h"

namespace assay::benchmarks {

namespace {

using dnnl::memory;

struct Types {
    memory::data_type a, b, c;
};

Types types_of(Precision precision) {
    using Type = memory::data_type;
    if (precision == Precision::bf16) return {Type::bf16, Type::bf16, Type::f32};
    // The pair that its int8 kernels are written for; both signed costs it corrections.
    if (precision == Precision::int8) return {Type::u8, Type::s8, Type::s32};
    return {Type::f32, Type::f32, Type::f32};
}

/// A product as oneDNN likes it best: layouts of its own choice, operands brought into them beforehand.
class Prepared {
  public:
    explicit Prepared(const Product& product)
        : size_(static_cast<memory::dim>(product.n)), types_(types_of(product.precision)) {
        const dnnl::matmul::primitive_desc chosen(
            {free_layout(types_.a), free_layout(types_.b), free_layout(types_.c)}, engine_);
        name_ = chosen.impl_info_str();
        a_ = converted(product.a, chosen.src_desc());
        b_ = converted(product.b, chosen.weights_desc());
        c_ = memory(chosen.dst_desc(), engine_);
        // What is left unwritten shows: NaN as f32, an impossible sum as s32.
        std::memset(c_.get_data_handle(), 0xff, c_.get_desc().get_size());
        matmul_ = dnnl::matmul(chosen);
        arguments_ = {{DNNL_ARG_SRC, a_}, {DNNL_ARG_WEIGHTS, b_}, {DNNL_ARG_DST, c_}};
    }

    const std::string& name() const { return name_; }

    void multiply() {
        matmul_.execute(stream_, arguments_);
        stream_.wait();
    }

    double element(std::size_t row, std::size_t column) {
        if (plain_.get(true) == nullptr) {
            plain_ = memory({{size_, size_}, types_.c, memory::format_tag::ab}, engine_);
            dnnl::reorder(c_, plain_).execute(stream_, c_, plain_);
            stream_.wait();
        }
        const std::size_t at = row * static_cast<std::size_t>(size_) + column;
        return types_.c == memory::data_type::s32
                   ? static_cast<double>(static_cast<const std::int32_t*>(plain_.get_data_handle())[at])
                   : static_cast<double>(static_cast<const float*>(plain_.get_data_handle())[at]);
    }

  private:
    memory::desc free_layout(memory::data_type type) const {
        return {{size_, size_}, type, memory::format_tag::any};
    }

    memory converted(const std::vector<float>& values, const memory::desc& layout) {
        // oneDNN takes no pointer to const, and only reads here.
        memory plain({{size_, size_}, memory::data_type::f32, memory::format_tag::ab}, engine_,
                     const_cast<float*>(values.data()));
        memory converted(layout, engine_);
        dnnl::reorder(plain, converted).execute(stream_, plain, converted);
        stream_.wait();
        return converted;
    }

    dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream_{engine_};
    memory::dim size_;
    Types types_;
    std::string name_;
    memory a_, b_, c_, plain_;
    dnnl::matmul matmul_;
    std::unordered_map<int, memory> arguments_;
};

/// "oneDNN 2.6.3, brg:avx512_core_vnni".
std::string label_of(const Prepared& prepared) {
    const dnnl::version_t& version = *dnnl::version();
    return fmt::format("oneDNN {}.{}.{}, {}", version.major, version.minor, version.patch, prepared.name());
}

void run(benchmark::State& state, Precision precision, std::size_t n) {
    const BoundToFirstCpu bound;
    try {
        const Product product = random_product(precision, n);
        Prepared prepared(product);
        state.SetLabel(label_of(prepared));
        time_product(
            state, product, [&] { prepared.multiply(); },
            [&](std::size_t row, std::size_t column) { return prepared.element(row, column); });
    } catch (const dnnl::error& error) {
        const char* const kind = error.status == dnnl_unimplemented ? "not possible here: " : "failed: ";
        state.SkipWithError((kind + std::string("oneDNN: ") + error.what()).c_str());
    }
}

}  // namespace

void register_onednn_gemm() {
    for (const Precision precision : {Precision::f32, Precision::bf16, Precision::int8})
        register_gemm(precision, "onednn", run);
}

}  // namespace assay::benchmarks
