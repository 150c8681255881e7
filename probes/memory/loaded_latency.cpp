#include "probes/memory/loaded_latency.h"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "kernels/cpu/affinity.h"
#include "kernels/cpu/caches.h"
#include "kernels/cpu/chase.h"
#include "kernels/cpu/thread_team.h"
#include "kernels/device/memory_limit.h"
#include "probes/core/bytes_in_words.h"
#include "probes/core/statistics.h"
#include "probes/memory/chains/cache_levels.h"
#include "probes/memory/chains/chain_memory.h"
#include "probes/memory/chains/read_load.h"
#include "probes/memory/memory.h"

namespace assay {

namespace {

// Long enough for many blocks of the readers, whose bytes are counted by blocks; short enough that most
// chunks pass between two turns of the scheduler.
constexpr Seconds chunk_time{6e-4};
constexpr Seconds settling_time{0.02};
constexpr Seconds calibration_time{0.001};
constexpr int calibration_looks = 40;
constexpr int most_attempts = 20;
// Of the usable memory, each for the chain and for the readers.
constexpr double memory_share = 0.25;

const MetricDeclaration latency_metric{
    "memory.loaded_latency.latency",
    Unit::second,
    Direction::lower,
    "time of a load that misses all caches, by the load of the other cores",
    {"step", "page_bytes"}};
const MetricDeclaration bandwidth_metric{"memory.loaded_latency.bandwidth",
                                         Unit::byte_per_second,
                                         Direction::higher,
                                         "what was read meanwhile, the chaser's own lines included",
                                         {"step", "page_bytes"}};
const MetricDeclaration idle_metric{"memory.loaded_latency.idle",
                                    Unit::second,
                                    Direction::lower,
                                    "the latency while nothing else reads",
                                    {"page_bytes"}};
const MetricDeclaration full_metric{"memory.loaded_latency.at_full",
                                    Unit::second,
                                    Direction::lower,
                                    "the latency while all other cores read as fast as they can",
                                    {"page_bytes"}};

void wait_for(Clock& clock, Seconds time) {
    clock.sleep_until(clock.now() + std::chrono::duration_cast<Nanoseconds>(time));
}

/// Bytes that all readers read in a second at full load. Of many short looks a high one is taken: in others
/// some reader had lost its CPU.
double full_rate(MemoryLoad& load, Clock& clock) {
    load.set_pause(Nanoseconds(0));
    wait_for(clock, settling_time);
    std::vector<double> rates;
    for (int look = 0; look < calibration_looks; ++look) {
        const std::uint64_t bytes_before = load.bytes_read();
        const Nanoseconds begin = clock.now();
        wait_for(clock, calibration_time);
        const double seconds = std::max(seconds_of(clock.now() - begin), 1e-9);
        rates.push_back(static_cast<double>(load.bytes_read() - bytes_before) / seconds);
    }
    return std::max(percentile_of(rates, 90), 1.0);
}

/// Chases until the readers kept up with `least_rate` meanwhile.
class LoadedSampler {
  public:
    LoadedSampler(MemoryLoad& load, const std::function<ChaseChunk()>& chase, Clock& clock, double least_rate)
        : load_(load), chase_(chase), clock_(clock), least_rate_(least_rate) {}

    double take() {
        for (int attempt = 1;; ++attempt) {
            const std::uint64_t bytes_before = load_.bytes_read();
            const Nanoseconds begin = clock_.now();
            const ChaseChunk chunk = chase_();
            const double seconds = std::max(seconds_of(clock_.now() - begin), 1e-9);
            const double read = static_cast<double>(load_.bytes_read() - bytes_before);
            if (read < least_rate_ * seconds && attempt < most_attempts) {
                ++repeated_;
                continue;
            }
            bandwidth_.push_back((read + static_cast<double>(chunk.bytes)) / seconds);
            return chunk.seconds_a_link;
        }
    }
    /// Those of the last `samples` chunks that counted.
    std::vector<double> last_bandwidths(std::size_t samples) const {
        return {bandwidth_.end() - static_cast<std::ptrdiff_t>(samples), bandwidth_.end()};
    }
    std::uint64_t repeated() const { return repeated_; }

  private:
    MemoryLoad& load_;
    const std::function<ChaseChunk()>& chase_;
    Clock& clock_;
    double least_rate_;
    std::vector<double> bandwidth_;
    std::uint64_t repeated_ = 0;
};

}  // namespace

std::vector<LoadStep> measure_load_steps(MemoryLoad& load, const std::function<ChaseChunk()>& chase,
                                         int steps, const SamplingPolicy& policy, Context& context) {
    struct IdleAtEnd {
        MemoryLoad& load;
        ~IdleAtEnd() { load.set_pause(std::nullopt); }
    } idle_at_end{load};
    const double rate = full_rate(load, context.clock);
    const Seconds block_time{static_cast<double>(load.block_bytes()) * load.readers() / rate};
    std::vector<LoadStep> done;
    for (int number = 0; number <= steps; ++number) {
        LoadStep step;
        step.asked_share = static_cast<double>(number) / steps;
        context.progress(fmt::format("load {:.0f} %", 100 * step.asked_share), step.asked_share);
        if (number == 0)
            load.set_pause(std::nullopt);
        else
            load.set_pause(std::chrono::duration_cast<Nanoseconds>(block_time * (1 / step.asked_share - 1)));
        wait_for(context.clock, settling_time);
        LoadedSampler sampler(load, chase, context.clock, step.asked_share * rate / 2);
        step.latency = context.sample(policy, [&] { return sampler.take(); });
        step.bandwidth = step.latency;
        step.bandwidth.values = sampler.last_bandwidths(step.latency.values.size());
        step.repeated = sampler.repeated();
        done.push_back(std::move(step));
    }
    return done;
}

namespace {

SamplingPolicy policy_of(const Case& the_case, const Context& context) {
    SamplingPolicy policy = context.sampling;
    const Seconds asked{the_case.seconds("seconds")};
    policy.maximum_time = std::min(policy.maximum_time, asked);
    policy.minimum_time = std::min(policy.minimum_time, policy.maximum_time);
    policy.maximum_warm_up = std::min(policy.maximum_warm_up, asked / 4);
    return policy;
}

ChainSize size_of(const Case& the_case) {
    return size_chain(the_case.is_auto("bytes") ? 0 : the_case.bytes("bytes"), last_level_caches(),
                      usable_memory_bytes(), memory_share);
}

/// The chain and what is read beside it, on a team whose member 0 chases.
class LoadedChase {
  public:
    LoadedChase(const ChainSize& size, bool huge_pages, Context& context)
        : context_(context),
          team_(kernels::allowed_cores()),
          chain_memory_(paged_memory(*context.device, size.bytes, huge_pages)),
          load_memory_(context.device->allocate(whole_pages(size.bytes, huge_pages), huge_pages)),
          load_(load_memory_->host_pointer(), size.bytes, team_.size() - 1) {
        context.progress("laying the chain and filling the arrays", 0);
        team_.run([&](int member) {
            if (member != 0) return load_.fill(member - 1, context_.seed);
            chain_ = kernels::build_chain(chain_memory_.memory->host_pointer(), size.bytes,
                                          chain_line_bytes(), context_.seed);
            misplaced_ = kernels::misplaced_links(chain_);
        });
        // Only now are the readers' pages there, each touched first by who reads it.
        load_pages_ = pages_of(*load_memory_, huge_pages);
    }

    std::vector<LoadStep> measure(int steps, const SamplingPolicy& policy) {
        std::vector<LoadStep> done;
        team_.run([&](int member) {
            if (member != 0) return load_.serve(member - 1);
            // The readers have to be let go whatever happens here.
            struct StopAtEnd {
                ReadLoad& load;
                ~StopAtEnd() { load.stop(); }
            } stop_at_end{load_};
            Chaser chaser(chain_, context_.clock, chunk_time);
            const std::uint64_t bytes = chaser.links_a_chunk() * chain_.line_bytes;
            done = measure_load_steps(
                load_,
                [&] {
                    return ChaseChunk{chaser.chunk(), bytes};
                },
                steps, policy, context_);
            wrong_ends_ = chaser.wrong_ends();
        });
        return done;
    }

    const PageProof& pages() const { return chain_memory_.pages; }
    const PageProof& readers_pages() const { return load_pages_; }
    int readers() const { return load_.readers(); }

    void add_checks(Outcome& outcome) const {
        outcome.checks.push_back({"the chain visits each line once", misplaced_ == 0,
                                  static_cast<double>(misplaced_),
                                  fmt::format("{} links are not where they must be", misplaced_)});
        outcome.checks.push_back({"every chase ends at the right link", wrong_ends_ == 0,
                                  static_cast<double>(wrong_ends_),
                                  fmt::format("{} chunks ended elsewhere", wrong_ends_)});
        outcome.checks.push_back({"the readers' sums are exact", load_.wrong_passes() == 0,
                                  static_cast<double>(load_.wrong_passes()),
                                  fmt::format("{} of {} passes are not the sum of what was filled in",
                                              load_.wrong_passes(), load_.passes())});
    }

  private:
    Context& context_;
    kernels::ThreadTeam team_;
    PagedMemory chain_memory_;
    std::unique_ptr<DeviceMemory> load_memory_;
    PageProof load_pages_;
    ReadLoad load_;
    kernels::Chain chain_;
    std::uint64_t misplaced_ = 0;
    std::uint64_t wrong_ends_ = 0;
};

void report_steps(const std::vector<LoadStep>& steps, const std::string& page, bool out_of_cache,
                  Outcome& outcome) {
    for (std::size_t at = 0; at < steps.size(); ++at) {
        const Labels axes = {{"step", std::to_string(at)}, {"page_bytes", page}};
        outcome.metrics.push_back(make_metric(latency_metric, steps[at].latency, Statistic::median, axes));
        outcome.metrics.push_back(
            make_metric(bandwidth_metric, steps[at].bandwidth, Statistic::median, axes));
    }
    std::uint64_t repeated = 0;
    for (const LoadStep& step : steps) repeated += step.repeated;
    if (repeated != 0)
        outcome.notes.push_back(
            fmt::format("{} chunks of the chase were repeated: the readers hardly read "
                        "meanwhile, since something else had their CPUs.",
                        repeated));
    if (!out_of_cache) {
        outcome.notes.emplace_back(
            "memory.loaded_latency.idle and .at_full are left out: caches hold half of the chain or more.");
        return;
    }
    const Labels axes = {{"page_bytes", page}};
    outcome.metrics.push_back(make_metric(idle_metric, steps.front().latency, Statistic::median, axes));
    outcome.metrics.push_back(make_metric(full_metric, steps.back().latency, Statistic::median, axes));
}

Outcome run(const Case& the_case, Context& context) {
    if (kernels::allowed_cores() < 2)
        return skipped(the_case,
                       "one CPU core may be used, and it chases: there is none to load the memory beside it");
    const ChainSize size = size_of(the_case);
    if (!size.impossible.empty()) return skipped(the_case, size.impossible);
    if (the_case.is_auto("bytes") && !size.out_of_cache) return skipped(the_case, size.reason);
    const std::uint64_t usable = usable_memory_bytes();
    const std::uint64_t needed = chain_footprint(size.bytes) + size.bytes;
    if (usable != 0 && needed > usable)
        return skipped(
            the_case,
            fmt::format("a chain of {} with its index and as much for the readers are {}, and {} "
                        "of memory may be used",
                        bytes_in_words(size.bytes), bytes_in_words(needed), bytes_in_words(usable)));

    LoadedChase chase(size, the_case.text("page") != "4K", context);
    const std::vector<LoadStep> steps =
        chase.measure(static_cast<int>(the_case.integer("steps")), policy_of(the_case, context));
    Outcome outcome;
    report_steps(steps, chase.pages().label, size.out_of_cache, outcome);
    chase.add_checks(outcome);
    outcome.resolved["cpu"] = std::to_string(kernels::cpus_by_core().front());
    outcome.resolved["readers"] = std::to_string(chase.readers());
    outcome.resolved["bytes"] = std::to_string(size.bytes);
    outcome.resolved["readers_page_bytes"] = chase.readers_pages().label;
    if (!chase.pages().sentence.empty()) outcome.notes.push_back(chase.pages().sentence);
    if (!chase.readers_pages().sentence.empty())
        outcome.notes.push_back("What the readers read: " + chase.readers_pages().sentence);
    outcome.notes.push_back(size.reason);
    outcome.notes.push_back(
        fmt::format("One core chases pointers through memory in random order while {} read arrays of {} "
                    "together, from step "
                    "0 (idle) to the last (as fast as they can) with pauses between blocks of 8 KiB. "
                    "bandwidth is what was "
                    "reached, not what was asked for: the readers' bytes and a line for each of the chaser's "
                    "loads. A second "
                    "hardware thread of a core takes no part.",
                    chase.readers() == 1 ? "another one" : fmt::format("{} others", chase.readers()),
                    binary_size(size.bytes)));
    return outcome;
}

Estimate estimate(const Case& the_case, const Context&) {
    const ChainSize size = size_of(the_case);
    Estimate estimate;
    estimate.memory_bytes = chain_footprint(size.bytes) + size.bytes;
    const double step = the_case.seconds("seconds") * 1.25 + settling_time.count();
    estimate.seconds = 0.5 + static_cast<double>(size.bytes) / 64 * 120e-9 +
                       (static_cast<double>(the_case.integer("steps")) + 1) * step;
    return estimate;
}

}  // namespace

Probe memory_loaded_latency_probe() {
    Probe probe;
    probe.name = "memory.loaded_latency";
    probe.summary = "How long a load from memory takes while the other cores read more and more.";
    probe.parameters = {
        {"device", ParameterKind::device, "cpu:0",
         "the device whose memory is used; in this version cpu:0 alone"},
        {"bytes", ParameterKind::bytes, "auto",
         "size of the chain, and of what all others read; auto: 4 x all last-level caches and 16 x the one "
         "that the CPU reaches, at most a quarter of the memory",
         static_cast<double>(smallest_chain_bytes)},
        {"page",
         ParameterKind::choice,
         "auto",
         "pages asked for; 2M and auto: huge ones, where the system gives them",
         0,
         0,
         {"auto", "4K", "2M"}},
        {"steps", ParameterKind::integer, "8", "steps from idle to full load", 1, 64},
        {"seconds", ParameterKind::seconds, "0.5", "time for a step", 0.001, 60},
    };
    probe.metrics = {latency_metric, bandwidth_metric, idle_metric, full_metric};
    probe.host_alone = true;
    probe.run = run;
    probe.estimate = estimate;
    probe.tiny = {{"bytes", "256K"}, {"steps", "2"}, {"seconds", "0.01"}};
    return probe;
}

}  // namespace assay
