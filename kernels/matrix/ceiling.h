#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "kernels/cpu/features.h"
#include "kernels/matrix/precision.h"

namespace assay::kernels {

/// A loop of one multiply-accumulate instruction on registers alone, enough of them independent to hide its
/// latency: what no matrix product with that instruction can exceed.
class CeilingLoop {
  public:
    /// The loops for `precision` of `isa`, that of the better instruction first; none where this CPU has not
    /// `isa`, or `isa` has no instruction for that precision (then kernels widen operands, and the ceiling of
    /// what they are widened to holds).
    static std::vector<CeilingLoop> all(Precision precision, Isa isa);
    static std::optional<CeilingLoop> best(Precision precision, Isa isa);

    std::string_view instruction() const;  ///< "vpdpbusd zmm"
    double operations() const;             ///< a run() makes: additions and multiplications
    /// Runs once, some microseconds, on the calling thread.
    void run();
    /// Whether every accumulator of the last run() holds exactly what its products add up to: the sources are
    /// small integers, so that nothing rounds.
    bool correct() const;

    struct State;

  private:
    explicit CeilingLoop(std::shared_ptr<State> state) : state_(std::move(state)) {}
    std::shared_ptr<State> state_;
};

}  // namespace assay::kernels
