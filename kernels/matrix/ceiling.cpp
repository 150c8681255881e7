#include "kernels/matrix/ceiling.h"

#include <array>
#include <cmath>
#include <cstring>
#include <vector>

#include "kernels/cpu/half.h"
#include "kernels/matrix/bfloat16.h"
#include "kernels/matrix/ceiling_loops.h"

namespace assay::kernels {

namespace {

// So few that sums of f16 stay exact: they are integers of at most 8 × pairs <= 2048.
constexpr std::size_t pairs = 250;

Precision precision_of(CeilingElements elements) {
    switch (elements) {
        case CeilingElements::f64:
            return Precision::f64;
        case CeilingElements::f32:
            return Precision::f32;
        case CeilingElements::bf16:
            return Precision::bf16;
        case CeilingElements::f16:
            return Precision::f16;
        default:
            return Precision::int8;
    }
}

int element_bytes(CeilingElements elements) {
    switch (elements) {
        case CeilingElements::f64:
            return 8;
        case CeilingElements::f32:
            return 4;
        case CeilingElements::bf16:
        case CeilingElements::f16:
        case CeilingElements::s16:
            return 2;
        default:
            return 1;
    }
}

void append(std::vector<std::byte>& bytes, const void* from, std::size_t count) {
    const std::byte* at = static_cast<const std::byte*>(from);
    bytes.insert(bytes.end(), at, at + count);
}

void append_element(std::vector<std::byte>& bytes, CeilingElements elements, int value) {
    const auto put = [&](auto as) { append(bytes, &as, sizeof as); };
    switch (elements) {
        case CeilingElements::f64:
            return put(static_cast<double>(value));
        case CeilingElements::f32:
            return put(static_cast<float>(value));
        case CeilingElements::bf16:
            return put(float_to_bfloat16(static_cast<float>(value)));
        case CeilingElements::f16:
            return put(float_to_half(static_cast<float>(value)));
        case CeilingElements::s16:
            return put(static_cast<std::int16_t>(value));
        case CeilingElements::u8_times_s8:
        case CeilingElements::s8:
            return put(static_cast<std::int8_t>(value));
    }
}

/// Small integers that differ from element to element; a1 = 1 - a0 but for unsigned ones, so that sums grow
/// slowly.
int source_value(CeilingElements elements, int source, std::size_t index) {
    const int a0 = static_cast<int>(index * 7 % 9) - 4;
    const int b = static_cast<int>(index * 5 % 17) - 8;
    if (source == 2) return b;
    if (elements == CeilingElements::u8_times_s8) return source == 0 ? a0 + 4 : 5;
    return source == 0 ? a0 : 1 - a0;
}

double result_value(CeilingElements elements, const std::byte* at) {
    const auto take = [&](auto value) {
        std::memcpy(&value, at, sizeof value);
        return value;
    };
    switch (elements) {
        case CeilingElements::f64:
            return take(double{});
        case CeilingElements::f32:
        case CeilingElements::bf16:
            return static_cast<double>(take(float{}));
        case CeilingElements::f16:
            return static_cast<double>(half_to_float(take(std::uint16_t{})));
        default:
            return take(std::int32_t{});
    }
}

std::size_t result_bytes(CeilingElements elements) {
    switch (elements) {
        case CeilingElements::f64:
            return 8;
        case CeilingElements::f16:
            return 2;
        default:
            return 4;
    }
}

/// The tables of an instruction set whose loops this CPU may run, those with the better instruction first.
std::vector<const CeilingLoopTable*> tables_of(Isa isa) {
    std::vector<const CeilingLoopTable*> tables;
    if (!supports(isa)) return tables;
#if defined(__x86_64__)
    const CpuFeatures& features = cpu_features();
    if (isa == Isa::amx) tables = {&amx::ceiling_loops};
    if (isa == Isa::avx512) {
        if (features.avx512_vnni) tables.push_back(&avx512_vnni::ceiling_loops);
        if (features.avx512_bf16) tables.push_back(&avx512_bf16::ceiling_loops);
        if (features.avx512_fp16) tables.push_back(&avx512_fp16::ceiling_loops);
        tables.push_back(&avx512::ceiling_loops);
    }
    if (isa == Isa::avx2) {
        if (features.avx_vnni) tables.push_back(&avx_vnni::ceiling_loops);
        tables.push_back(&avx2::ceiling_loops);
    }
#elif defined(__aarch64__)
    const CpuFeatures& features = cpu_features();
    if (isa == Isa::neon) {
        if (features.neon_i8mm) tables.push_back(&neon_i8mm::ceiling_loops);
        if (features.neon_bf16) tables.push_back(&neon_bf16::ceiling_loops);
        if (features.neon_fp16) tables.push_back(&neon_fp16::ceiling_loops);
        tables.push_back(&neon::ceiling_loops);
    }
#endif
    if (isa == Isa::portable) tables = {&portable::ceiling_loops};
    return tables;
}

}  // namespace

struct CeilingLoop::State {
    CeilingLoopEntry entry;
    std::vector<std::byte> sources;
    std::vector<std::byte> results;
    bool is_tile() const { return entry.vector_bytes == 1024; }
    bool is_two_by_two() const {
        return !is_tile() && entry.multiplications * element_bytes(entry.elements) > entry.vector_bytes;
    }

    /// What element `index` of each accumulator must hold.
    double expected(std::size_t index) const {
        const std::size_t products = static_cast<std::size_t>(entry.products);
        const auto of = [&](std::size_t left, std::size_t right) {
            const int a = source_value(entry.elements, 0, left) + source_value(entry.elements, 1, left);
            return a * source_value(entry.elements, 2, right);
        };
        int sum = 0;
        if (is_tile()) {
            // Row i of a, 64 bytes; row r of b holds `products` values of k for each of 16 columns.
            const std::size_t row = index / 16, column = index % 16;
            for (std::size_t r = 0; r < 16; ++r)
                for (std::size_t i = 0; i < products; ++i)
                    sum += of((row * 16 + r) * products + i, (r * 16 + column) * products + i);
        } else if (is_two_by_two()) {
            for (std::size_t i = 0; i < products; ++i)
                sum += of(index / 2 * products + i, index % 2 * products + i);
        } else {
            for (std::size_t i = 0; i < products; ++i) sum += of(index * products + i, index * products + i);
        }
        return static_cast<double>(sum) * static_cast<double>(pairs);
    }
};

std::vector<CeilingLoop> CeilingLoop::all(Precision precision, Isa isa) {
    std::vector<CeilingLoop> loops;
    for (const CeilingLoopTable* table : tables_of(isa))
        for (std::size_t i = 0; i < table->count; ++i) {
            const CeilingLoopEntry& entry = table->entries[i];
            if (precision_of(entry.elements) != precision) continue;
            const std::shared_ptr<State> state = std::make_shared<State>(State{entry, {}, {}});
            const std::size_t count =
                static_cast<std::size_t>(entry.vector_bytes / element_bytes(entry.elements));
            for (int source = 0; source < 3; ++source)
                for (std::size_t index = 0; index < count; ++index)
                    append_element(state->sources, entry.elements,
                                   source_value(entry.elements, source, index));
            state->results.resize(static_cast<std::size_t>(entry.accumulators * entry.vector_bytes));
            loops.push_back(CeilingLoop(state));
        }
    return loops;
}

std::optional<CeilingLoop> CeilingLoop::best(Precision precision, Isa isa) {
    const std::vector<CeilingLoop> loops = all(precision, isa);
    if (loops.empty()) return std::nullopt;
    return loops.front();
}

std::string_view CeilingLoop::instruction() const {
    return state_->entry.instruction;
}

double CeilingLoop::operations() const {
    return 2.0 * 2.0 * static_cast<double>(pairs) * state_->entry.accumulators *
           state_->entry.multiplications;
}

void CeilingLoop::run() {
    state_->entry.run(pairs, state_->sources.data(), state_->results.data());
}

bool CeilingLoop::correct() const {
    const CeilingLoopEntry& entry = state_->entry;
    const std::size_t each = static_cast<std::size_t>(entry.vector_bytes) / result_bytes(entry.elements);
    for (std::size_t at = 0; at < each * static_cast<std::size_t>(entry.accumulators); ++at) {
        const double result =
            result_value(entry.elements, state_->results.data() + at * result_bytes(entry.elements));
        // Not !=: a NaN must not pass.
        if (!(result == state_->expected(at % each))) return false;
    }
    return true;
}

}  // namespace assay::kernels
