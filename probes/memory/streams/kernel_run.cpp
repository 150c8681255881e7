#include "probes/memory/streams/kernel_run.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "probes/core/statistics.h"

namespace assay {

namespace {

constexpr Seconds section_time{5e-3};
constexpr Seconds shortest_sample{1e-3};
constexpr std::size_t finalists = 6;
constexpr int final_rounds = 3;
// A candidate must beat the plain loop by this in the trial to be measured beside it.
constexpr double worthwhile_gain = 1.01;

}  // namespace

KernelRun::KernelRun(std::vector<StreamArraySet*> sets, const NamedKernel& kernel, kernels::Isa isa,
                     Context& context)
    : sets_(std::move(sets)), kernel_(kernel), isa_(isa), context_(context) {
    // A sample is one section, long enough to time and short enough for many of them.
    double pass = 0;
    for (std::size_t set = 0; set < sets_.size(); ++set) {
        sets_[set]->set_sections(1);
        pass = std::max(pass, timed({plain_pattern(isa_, kernel_.non_temporal), set}, 1).seconds);
    }
    const double sections = std::clamp(std::floor(pass / section_time.count()), 1.0, 1000.0);
    for (StreamArraySet* const set : sets_) set->set_sections(static_cast<std::size_t>(sections));
    batch_ = static_cast<int>(std::max(std::ceil(shortest_sample.count() / pass), 1.0));
}

Candidate KernelRun::best() {
    std::vector<Candidate> candidates = candidates_for(kernel_, isa_, sets_.size());
    const Candidate plain = candidates.front();
    std::vector<std::pair<double, Candidate>> ranked;
    for (const Candidate& candidate : candidates)
        ranked.emplace_back(timed(candidate, batch_).rate, candidate);
    std::sort(ranked.begin() + 1, ranked.end(),
              [](const std::pair<double, Candidate>& one, const std::pair<double, Candidate>& other) {
                  return one.first > other.first;
              });
    // The plain loop stays in, whatever its place.
    ranked.resize(std::min(ranked.size(), finalists + 1));

    std::vector<std::vector<double>> rates(ranked.size());
    for (int round = 0; round < final_rounds; ++round)
        for (std::size_t i = 0; i < ranked.size(); ++i)
            rates[i].push_back(timed(ranked[i].second, batch_).rate);
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
    std::size_t sections_done = 0;
    const SampleSet set = context_.sample(policy, [&] {
        sections_done += static_cast<std::size_t>(batch_);
        return timed(candidate, batch_).rate;
    });
    for (; sections_done < arrays.sections(); ++sections_done) arrays.run_section(kernel_, candidate.pattern);
    wrong += arrays.wrong_elements(kernel_);
    return set;
}

KernelRun::Timing KernelRun::timed(const Candidate& candidate, int batch) {
    std::size_t elements = 0;
    const Nanoseconds begin = context_.clock.now();
    for (int i = 0; i < batch; ++i) elements += sets_[candidate.set]->run_section(kernel_, candidate.pattern);
    const double seconds = std::max(seconds_of(context_.clock.now() - begin), 1e-9);
    const double bytes = static_cast<double>(elements) * kernels::stream_bytes_per_element(kernel_.kernel);
    return {seconds, bytes / seconds};
}

}  // namespace assay
