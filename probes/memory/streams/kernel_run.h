#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "probes/core/probe.h"
#include "probes/memory/streams/access_patterns.h"

namespace assay {

/// One kernel on sets of arrays that differ in their pages alone.
class KernelRun {
  public:
    /// Times the plain loop once a set, which settles how much a sample is.
    KernelRun(std::vector<StreamArraySet*> sets, const NamedKernel& kernel, kernels::Isa isa,
              Context& context);

    /// The candidate with the highest rate: all take turns once, the best few of them over a few rounds. The
    /// plain loop on the first set unless another beats it by a per cent.
    Candidate best();

    /// Samples bytes per second over arrays whose result was poisoned first, and adds wrong elements to
    /// `wrong`.
    SampleSet measure(const Candidate& candidate, const SamplingPolicy& policy, std::uint64_t& wrong);

  private:
    struct Timing {
        double seconds = 0;
        double rate = 0;
    };
    Timing timed(const Candidate& candidate, std::size_t chunks);

    std::vector<StreamArraySet*> sets_;
    NamedKernel kernel_;
    kernels::Isa isa_;
    Context& context_;
    std::size_t chunks_ = 1;  ///< of a sample
};

}  // namespace assay
