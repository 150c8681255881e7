#include "probes/memory/streams/kernel_run.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "probes/core/statistics.h"

namespace assay {

namespace {

constexpr Seconds sample_time{5e-3};
constexpr Seconds shortest_sample{1e-3};
constexpr std::size_t finalists = 6;
constexpr int final_rounds = 3;
// A candidate must beat the plain loop by this in the trial to be measured beside it.
constexpr double worthwhile_gain = 1.01;

}  // namespace

KernelRun::KernelRun(std::vector<StreamArraySet*> sets, const NamedKernel& kernel, kernels::Isa isa,
                     Context& context)
    : sets_(std::move(sets)), kernel_(kernel), isa_(isa), context_(context) {
    double pass = 0;
    const std::size_t all = sets_.front()->chunks();
    for (std::size_t set = 0; set < sets_.size(); ++set)
        pass = std::max(pass, timed({plain_pattern(isa_, kernel_.non_temporal), set}, all).seconds);
    // Long enough to time, and of large arrays short enough for many samples.
    const double passes = pass > sample_time.count()
                              ? sample_time.count() / pass
                              : std::max(std::ceil(shortest_sample.count() / pass), 1.0);
    chunks_ = std::max(static_cast<std::size_t>(passes * static_cast<double>(all)), std::size_t{1});
}

Candidate KernelRun::best() {
    std::vector<Candidate> candidates = candidates_for(kernel_, isa_, sets_.size());
    const Candidate plain = candidates.front();
    std::vector<std::pair<double, Candidate>> ranked;
    for (const Candidate& candidate : candidates)
        ranked.emplace_back(timed(candidate, chunks_).rate, candidate);
    std::sort(ranked.begin() + 1, ranked.end(),
              [](const std::pair<double, Candidate>& one, const std::pair<double, Candidate>& other) {
                  return one.first > other.first;
              });
    // The plain loop stays in, whatever its place.
    ranked.resize(std::min(ranked.size(), finalists + 1));

    std::vector<std::vector<double>> rates(ranked.size());
    for (int round = 0; round < final_rounds; ++round)
        for (std::size_t i = 0; i < ranked.size(); ++i)
            rates[i].push_back(timed(ranked[i].second, chunks_).rate);
    Candidate best = plain;
    double best_rate = median_of(rates[0]) * worthwhile_gain;
    for (std::size_t i = 1; i < ranked.size(); ++i) {
        if (median_of(rates[i]) <= best_rate) continue;
        best_rate = median_of(rates[i]);
        best = ranked[i].second;
    }
    return best;
}

SampleSet KernelRun::measure(const Candidate& candidate, const SamplingPolicy& policy, std::uint64_t& wrong) {
    StreamArraySet& arrays = *sets_[candidate.set];
    arrays.poison(kernel_);
    const SampleSet set = context_.sample(policy, [&] { return timed(candidate, chunks_).rate; });
    arrays.finish_pass(kernel_, candidate.pattern);
    wrong += arrays.wrong_elements(kernel_);
    return set;
}

KernelRun::Timing KernelRun::timed(const Candidate& candidate, std::size_t chunks) {
    const Nanoseconds begin = context_.clock.now();
    const std::size_t elements = sets_[candidate.set]->run(kernel_, candidate.pattern, chunks);
    const double seconds = std::max(seconds_of(context_.clock.now() - begin), 1e-9);
    const double bytes = static_cast<double>(elements) * kernels::stream_bytes_per_element(kernel_.kernel);
    return {seconds, bytes / seconds};
}

}  // namespace assay
