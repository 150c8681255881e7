#include "probes/quantized/cycled_weights.h"

#include <algorithm>

#include <fmt/format.h>

#include "kernels/cpu/decoder_ops.h"
#include "probes/core/statistics.h"

namespace assay {

namespace {

constexpr std::uint64_t cache_multiple = 4;
constexpr std::uint64_t assumed_cache_bytes = std::uint64_t{64} << 20;
// Of the weights' values: products of unit activations then have a magnitude near one.
constexpr float weight_deviation = 0.02f;

/// Whole f64 words in those rows, less one at the end, since a matrix may begin within a word.
kernels::ItemRange words_of(const kernels::ItemRange& rows, std::size_t row_bytes) {
    const std::size_t begin = rows.begin * row_bytes / sizeof(double);
    const std::size_t end = rows.end * row_bytes / sizeof(double);
    return {begin, end > begin ? end - 1 : begin};
}

}  // namespace

MatrixCount count_matrices(std::uint64_t matrix_bytes, std::uint64_t cache_bytes,
                           std::uint64_t usable_bytes) {
    const bool told = cache_bytes != 0;
    const std::uint64_t rule = cache_multiple * (told ? cache_bytes : assumed_cache_bytes);
    const std::uint64_t wanted = (rule + matrix_bytes - 1) / matrix_bytes;
    const std::uint64_t fitting =
        usable_bytes == 0 ? wanted : std::max<std::uint64_t>(usable_bytes / 2 / matrix_bytes, 1);
    MatrixCount count;
    count.matrices = static_cast<std::size_t>(std::min(wanted, fitting));
    count.out_of_cache = wanted <= fitting;
    const std::string caches =
        told
            ? fmt::format("all last-level caches together, {} bytes", cache_bytes)
            : fmt::format("{} bytes, assumed since the system does not tell its caches", assumed_cache_bytes);
    count.reason =
        fmt::format("{} different matrices are multiplied in turn, {} bytes in all; asked for are 4 x {}.",
                    count.matrices, count.matrices * matrix_bytes, caches);
    if (!count.out_of_cache)
        count.reason +=
            " More would take over half of the memory, so part of the weights may come from caches.";
    return count;
}

CycledWeights::CycledWeights(Device& device, kernels::ThreadTeam& team, kernels::WeightFormat format,
                             std::size_t rows, std::size_t columns, std::size_t matrices, std::uint64_t seed)
    : team_(team),
      format_(format),
      rows_(rows),
      columns_(columns),
      matrices_(matrices),
      matrix_bytes_(rows * kernels::packed_row_bytes(format, columns)),
      memory_(device.allocate(matrices * matrix_bytes_, true)),
      activations_(static_cast<std::size_t>(team.size())) {
    team_.run([&](int member) {
        const kernels::ItemRange mine = rows_of(member);
        for (std::size_t index = 0; index < matrices_; ++index)
            kernels::random_rows(format_, seed + index, weight_deviation,
                                 memory_->host_pointer() + index * matrix_bytes_, columns_, mine.begin,
                                 mine.end);
    });
}

kernels::ItemRange CycledWeights::rows_of(int member) const {
    return kernels::member_range(rows_, 1, member, team_.size());
}

void CycledWeights::multiply(kernels::Isa isa, bool int8_activations, std::size_t index, const float* in,
                             float* out) {
    team_.run([&](int member) {
        const kernels::ItemRange mine = rows_of(member);
        if (!int8_activations)
            return kernels::gemv(isa, format_, matrix(index), columns_, in, out, mine.begin, mine.end);
        std::vector<std::byte>& activations = activations_[static_cast<std::size_t>(member)];
        activations.resize(kernels::activation_bytes(format_, columns_));
        kernels::quantize_activations(isa, format_, in, columns_, activations.data());
        kernels::gemv_int8_activations(isa, format_, matrix(index), columns_, activations.data(), out,
                                       mine.begin, mine.end);
    });
}

kernels::StreamPattern CycledWeights::fastest_read(kernels::Isa isa, int count, int rounds,
                                                   Clock& clock) const {
    const std::vector<kernels::StreamPattern> patterns =
        kernels::stream_patterns(kernels::StreamKernel::read, isa, false);
    std::vector<std::vector<double>> rates(patterns.size());
    std::size_t next = 0;
    for (int round = 0; round < rounds; ++round)
        for (std::size_t i = 0; i < patterns.size(); ++i) {
            const Nanoseconds begin = clock.now();
            std::size_t bytes = 0;
            for (int number = 0; number < count; ++number) {
                bytes += read(patterns[i], next);
                next = (next + 1) % matrices_;
            }
            rates[i].push_back(static_cast<double>(bytes) / std::max(seconds_of(clock.now() - begin), 1e-9));
        }
    std::size_t best = 0;
    for (std::size_t i = 1; i < patterns.size(); ++i)
        if (median_of(rates[i]) > median_of(rates[best])) best = i;
    return patterns[best];
}

std::size_t CycledWeights::read(const kernels::StreamPattern& pattern, std::size_t index) const {
    const std::size_t row_bytes = matrix_bytes_ / rows_;
    team_.run([&](int member) {
        const kernels::ItemRange words = words_of(rows_of(member), row_bytes);
        // As f64 words from the first whole one: what they add up to does not matter, that they are loaded
        // does.
        const std::uintptr_t first = (reinterpret_cast<std::uintptr_t>(matrix(index)) + 7) / 8 * 8;
        kernels::stream(kernels::StreamKernel::read, pattern,
                        {nullptr, reinterpret_cast<const double*>(first), nullptr}, 0, words.begin,
                        words.end);
    });
    std::size_t bytes = 0;
    for (int member = 0; member < team_.size(); ++member) {
        const kernels::ItemRange words = words_of(rows_of(member), row_bytes);
        bytes += (words.end - words.begin) * sizeof(double);
    }
    return bytes;
}

}  // namespace assay
