#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "kernels/cpu/caches.h"
#include "kernels/cpu/decoder_ops.h"
#include "kernels/device/memory_limit.h"
#include "probes/core/device_room.h"
#include "probes/quantized/offloaded/offloaded.h"

namespace assay {

namespace {

constexpr std::uint64_t bytes_on_cards = std::uint64_t{1} << 30;
constexpr std::size_t piece_bytes = std::size_t{256} << 20;
constexpr std::size_t alignment = 256;
constexpr float weight_deviation = 0.02f;  ///< as CycledWeights'

}  // namespace

MatrixCount count_device_matrices(const Accelerator& accelerator, std::uint64_t matrix_bytes) {
    if (!accelerator.is_card())
        return count_matrices(matrix_bytes, kernels::last_level_cache_bytes(), usable_memory_bytes());
    const std::uint64_t wanted = (bytes_on_cards + matrix_bytes - 1) / matrix_bytes;
    const std::uint64_t fitting = std::max<std::uint64_t>(room_of(accelerator).bytes / 2 / matrix_bytes, 1);
    MatrixCount count;
    count.matrices = static_cast<std::size_t>(std::min(wanted, fitting));
    count.out_of_cache = wanted <= fitting;
    count.reason = fmt::format(
        "{} different matrices are multiplied in turn, {} bytes in all; asked for are {}, four times as much "
        "as "
        "any card's caches are taken to hold, since drivers do not tell.",
        count.matrices, count.matrices * matrix_bytes, bytes_on_cards);
    if (!count.out_of_cache)
        count.reason +=
            " More would take over half of what is free of the device's memory, so part of the weights may "
            "come from caches.";
    return count;
}

std::uint64_t device_staging_bytes(std::uint64_t matrix_bytes) {
    return 2 * std::max<std::uint64_t>(piece_bytes, matrix_bytes);
}

DeviceMatrices::DeviceMatrices(Accelerator& accelerator, kernels::WeightFormat format, std::size_t rows,
                               std::size_t columns, std::size_t matrices, std::uint64_t seed)
    : format_(format),
      rows_(rows),
      columns_(columns),
      matrices_(matrices),
      matrix_bytes_(rows * kernels::packed_row_bytes(format, columns)),
      seed_(seed) {
    stride_ = (matrix_bytes_ + alignment - 1) / alignment * alignment;
    of_piece_ = std::clamp<std::size_t>(piece_bytes / stride_, 1, matrices);
    kernels::ThreadTeam team(kernels::allowed_cpus());
    std::vector<std::byte> packed(of_piece_ * matrix_bytes_), arranged(of_piece_ * stride_);
    for (std::size_t first = 0; first < matrices_; first += of_piece_) {
        const std::size_t count = std::min(of_piece_, matrices_ - first);
        fill(first, count, packed, team);
        team.run([&](int member) {
            const kernels::ItemRange mine = kernels::member_range(count, 1, member, team.size());
            for (std::size_t index = mine.begin; index < mine.end; ++index)
                kernels::arrange_for_device(format_, packed.data() + index * matrix_bytes_, rows_, columns_,
                                            arranged.data() + index * stride_);
        });
        pieces_.push_back(copied(accelerator, arranged.data(), count * stride_));
    }
}

void DeviceMatrices::fill(std::size_t first, std::size_t count, std::span<std::byte> packed,
                          kernels::ThreadTeam& team) const {
    team.run([&](int member) {
        const kernels::ItemRange mine = kernels::member_range(rows_, 1, member, team.size());
        for (std::size_t index = 0; index < count; ++index)
            kernels::random_rows(format_, seed_ + first + index, weight_deviation,
                                 packed.data() + index * matrix_bytes_, columns_, mine.begin, mine.end);
    });
}

kernels::QuantizedOperands DeviceMatrices::operands(std::size_t index) const {
    return {.weights = pieces_[index / of_piece_].get(), .at = index % of_piece_ * stride_};
}

std::vector<std::byte> DeviceMatrices::packed(std::size_t index) const {
    std::vector<std::byte> matrix(matrix_bytes_);
    kernels::ThreadTeam team(kernels::allowed_cpus());
    fill(index, 1, matrix, team);
    return matrix;
}

std::unique_ptr<DeviceMemory> copied(Accelerator& accelerator, const void* values, std::size_t bytes) {
    std::unique_ptr<DeviceMemory> memory = accelerator.allocate(bytes, false);
    accelerator.queue().write(*memory, 0, values, bytes);
    accelerator.queue().finish();
    return memory;
}

std::vector<float> read_back(Accelerator& accelerator, const DeviceMemory& from, std::size_t count) {
    // What a failed copy leaves behind must not pass.
    std::vector<float> values(count, std::numeric_limits<float>::quiet_NaN());
    accelerator.queue().read(values.data(), from, 0, count * sizeof(float));
    accelerator.queue().finish();
    return values;
}

}  // namespace assay
