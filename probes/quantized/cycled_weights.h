#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kernels/cpu/quantized.h"
#include "kernels/cpu/stream.h"
#include "kernels/cpu/thread_team.h"
#include "kernels/device/device.h"
#include "probes/core/clock.h"

namespace assay {

/// How many different matrices are gone through in turn, and why so many.
struct MatrixCount {
    std::size_t matrices = 1;
    std::string reason;        ///< one sentence for the notes
    bool out_of_cache = true;  ///< false: fewer than 4 × all last-level caches would take
};
/// As many that their bytes are at least 4 × all last-level caches, as long as they fit into half of the
/// usable memory; at least one.
MatrixCount count_matrices(std::uint64_t matrix_bytes, std::uint64_t cache_bytes, std::uint64_t usable_bytes);

/// Packed random matrices of one shape, each member of a team first touching the rows that it will multiply.
class CycledWeights {
  public:
    CycledWeights(Device& device, kernels::ThreadTeam& team, kernels::WeightFormat format, std::size_t rows,
                  std::size_t columns, std::size_t matrices, std::uint64_t seed);

    std::size_t matrices() const { return matrices_; }
    std::size_t matrix_bytes() const { return matrix_bytes_; }
    const std::byte* matrix(std::size_t index) const {
        return memory_->host_pointer() + index * matrix_bytes_;
    }
    DeviceMemory& memory() { return *memory_; }

    /// out = matrix `index` × in on the whole team. With int8 activations, each member quantizes `in` for
    /// itself first: so much is part of a product.
    void multiply(kernels::Isa isa, bool int8_activations, std::size_t index, const float* in, float* out);
    /// How these weights are read the fastest, of what memory.bandwidth tries: each reads `count` matrices
    /// in each of `rounds` turns.
    kernels::StreamPattern fastest_read(kernels::Isa isa, int count, int rounds, Clock& clock) const;
    /// Does nothing but read matrix `index`, each member the rows that it multiplies; returns the bytes read.
    std::size_t read(const kernels::StreamPattern& pattern, std::size_t index) const;

  private:
    kernels::ItemRange rows_of(int member) const;

    kernels::ThreadTeam& team_;
    kernels::WeightFormat format_;
    std::size_t rows_;
    std::size_t columns_;
    std::size_t matrices_;
    std::size_t matrix_bytes_;
    std::unique_ptr<DeviceMemory> memory_;
    std::vector<std::vector<std::byte>> activations_;  ///< of each member
};

}  // namespace assay
