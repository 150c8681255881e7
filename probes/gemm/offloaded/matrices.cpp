#include <algorithm>
#include <cstring>

#include "kernels/cpu/half.h"
#include "kernels/cpu/thread_team.h"
#include "kernels/device/cpu_device.h"
#include "kernels/matrix/bfloat16.h"
#include "probes/gemm/offloaded/offloaded.h"

namespace assay {

using kernels::Precision;

OffloadedMatrices::OffloadedMatrices(Accelerator& accelerator, Precision precision, const MatrixShape& shape,
                                     const OffloadedLayout& layout, std::uint64_t seed)
    : host_device_(open_cpu_device()),
      host_(*host_device_, precision, shape),
      layout_(layout),
      a_(accelerator.allocate(host_.a_bytes(), false)),
      b_(accelerator.allocate(host_.b_bytes(), false)),
      c_(accelerator.allocate(shape.m * shape.n * layout.result_bytes, false)) {
    {
        kernels::ThreadTeam team(kernels::allowed_cpus());
        host_.fill(seed, team);
    }
    Queue& queue = accelerator.queue();
    queue.write(*a_, 0, host_.a(), host_.a_bytes());
    if (layout_.transposed_b)
        write_transposed(queue);
    else
        queue.write(*b_, 0, host_.b(), host_.b_bytes());
    queue.finish();
}

/// By squares that both sides' cache lines fit, on all CPUs.
void OffloadedMatrices::write_transposed(Queue& queue) {
    constexpr std::size_t square = 64;
    const std::size_t k = shape().k, n = shape().n, element = kernels::bytes_of(precision());
    std::vector<std::byte> transposed(host_.b_bytes());
    kernels::ThreadTeam team(kernels::allowed_cpus());
    team.run([&](int member) {
        const kernels::ItemRange mine = kernels::member_range(n, square, member, team.size());
        for (std::size_t rows = 0; rows < k; rows += square)
            for (std::size_t column = mine.begin; column < mine.end; ++column)
                for (std::size_t row = rows; row < std::min(rows + square, k); ++row)
                    std::memcpy(transposed.data() + (column * k + row) * element,
                                host_.b() + (row * n + column) * element, element);
    });
    queue.write(*b_, 0, transposed.data(), transposed.size());
    queue.finish();
}

void OffloadedMatrices::poison(Queue& queue) {
    queue.fill(*c_, 0, c_->bytes(), Matrices::poison_byte(host_.precision()));
}

Check OffloadedMatrices::check(Queue& queue, const OffloadedWay& way, std::uint64_t seed) {
    // What a failed copy leaves behind must not pass either.
    host_.poison();
    if (layout_.result_bytes != sizeof(std::uint16_t)) {
        queue.read(host_.c(), *c_, 0, c_->bytes());
        queue.finish();
        return host_.check(way.sums, seed, way.more, way.rounding);
    }
    std::vector<std::uint16_t> halves(shape().m * shape().n);
    std::memset(halves.data(), Matrices::poison_byte(precision()), c_->bytes());
    queue.read(halves.data(), *c_, 0, c_->bytes());
    queue.finish();
    float* const values = reinterpret_cast<float*>(host_.c());
    const bool bf16 = layout_.result == Precision::bf16;
    std::transform(halves.begin(), halves.end(), values, [bf16](std::uint16_t half) {
        return bf16 ? kernels::bfloat16_to_float(half) : kernels::half_to_float(half);
    });
    return host_.check(way.sums, seed, way.more, way.rounding);
}

}  // namespace assay
