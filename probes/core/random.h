#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace assay {

/// xoshiro256** (Blackman and Vigna 2018), its state filled by SplitMix64. Equal (seed, stream) give equal
/// numbers on every machine; streams of one seed are independent for all that a benchmark needs.
class Random {
  public:
    explicit Random(std::uint64_t seed, std::uint64_t stream = 0) {
        std::uint64_t state = seed * 0x9e3779b97f4a7c15u + stream * 0xd1342543de82ef95u;
        for (std::uint64_t& word : state_) {
            state += 0x9e3779b97f4a7c15u;
            std::uint64_t mixed = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9u;
            mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
            word = mixed ^ (mixed >> 31);
        }
    }

    std::uint64_t next() {
        const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
        const std::uint64_t shifted = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= shifted;
        state_[3] = std::rotl(state_[3], 45);
        return result;
    }

    /// Uniform in [low, high).
    double uniform(double low, double high) {
        return low + (high - low) * (static_cast<double>(next() >> 11) * 0x1p-53);
    }
    /// Uniform in [0, limit), limit > 0; the bias of the remainder is below limit / 2^64.
    std::uint64_t below(std::uint64_t limit) { return next() % limit; }

  private:
    std::array<std::uint64_t, 4> state_{};
};

}  // namespace assay
