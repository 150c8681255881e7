#include <algorithm>
#include <ctime>
#include <span>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/utsname.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernels/cpu/affinity.h"
#include "probes/storage/load/evidence.h"
#include "probes/storage/load/read_load.h"
#include "probes/storage/storage.h"
#include "probes/storage/target/extents.h"
#include "probes/storage/target/near_cpus.h"
#include "probes/storage/target/prepare.h"
#include "probes/storage/target/target.h"

namespace assay {
namespace {

using namespace storage;

constexpr std::string_view name = "storage.random_read";
constexpr std::string_view iops_name = "storage.random_read.iops";
constexpr std::string_view latency_name = "storage.random_read.latency";
constexpr std::string_view bandwidth_name = "storage.random_read.bandwidth";
constexpr std::string_view cpu_name = "storage.random_read.cpu_per_io";

/// A time slice is one sample: 100 ms, finer where that would give fewer than 30 samples, coarser where it
/// would give more than 300.
Seconds slice_of(double seconds) {
    return Seconds(std::max(std::min(0.1, std::max(0.01, seconds / 30)), seconds / 300));
}

double process_cpu_seconds() {
    timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

/// What was sampled while the load ran; index for index the sampler's values, warm-up left out.
struct Recorded {
    SampleSet rates;
    std::vector<ReadSlice> slices;
    std::vector<double> cpu_per_read;
    ReadVerification verification;
};

Recorded record(const ReadLoadOptions& options, double seconds, Context& context) {
    const Nanoseconds slice = std::chrono::duration_cast<Nanoseconds>(slice_of(seconds));
    SamplingPolicy policy = context.sampling;
    policy.fixed_time = true;
    policy.maximum_time = Seconds(seconds);
    policy.minimum_time = std::min(policy.minimum_time, policy.maximum_time);

    Recorded recorded;
    ReadLoad load(options);
    const Nanoseconds started = context.clock.now();
    Nanoseconds boundary = started;
    double cpu = process_cpu_seconds();
    recorded.rates = context.sample(policy, [&] {
        boundary = std::max(boundary, context.clock.now() - slice / 2) + slice;
        context.clock.sleep_until(boundary);
        recorded.slices.push_back(load.next_slice());
        const ReadSlice& latest = recorded.slices.back();
        const double cpu_now = process_cpu_seconds();
        recorded.cpu_per_read.push_back((cpu_now - cpu) /
                                        static_cast<double>(std::max<std::uint64_t>(1, latest.reads)));
        cpu = cpu_now;
        const double expected = seconds + policy.maximum_warm_up.count();
        context.progress("reading", std::min(1.0, seconds_of(boundary - started) / expected));
        return latest.rate;
    });
    recorded.verification = load.stop();
    // The sampler threw its warm-up away; so do we.
    const std::ptrdiff_t extra = static_cast<std::ptrdiff_t>(recorded.slices.size()) -
                                 static_cast<std::ptrdiff_t>(recorded.rates.values.size());
    if (extra > 0) {
        recorded.slices.erase(recorded.slices.begin(), recorded.slices.begin() + extra);
        recorded.cpu_per_read.erase(recorded.cpu_per_read.begin(), recorded.cpu_per_read.begin() + extra);
    }
    return recorded;
}

void add_metrics(const Probe& probe, std::uint64_t block_bytes, const Recorded& recorded, Outcome& outcome) {
    outcome.metrics.push_back(make_metric(probe.metric(iops_name), recorded.rates));

    std::vector<Histogram> histograms;
    for (const ReadSlice& slice : recorded.slices) histograms.push_back(slice.latency);
    outcome.metrics.push_back(
        make_latency_metric(probe.metric(latency_name), histograms, recorded.rates.at, Statistic::mean));

    SampleSet bandwidth = recorded.rates;
    for (double& value : bandwidth.values) value *= static_cast<double>(block_bytes);
    outcome.metrics.push_back(make_metric(probe.metric(bandwidth_name), bandwidth));

    SampleSet cpu = recorded.rates;
    cpu.values = recorded.cpu_per_read;
    outcome.metrics.push_back(make_metric(probe.metric(cpu_name), cpu));
}

std::string kernel_release() {
    utsname names{};
    return ::uname(&names) == 0 ? fmt::format("{} {}", names.sysname, names.release) : "unknown";
}

ReadLoadOptions options_of(const Case& the_case, const Prepared& prepared, std::uint64_t bytes) {
    ReadLoadOptions options;
    options.path = prepared.path;
    options.span_bytes = bytes;
    options.block_bytes = the_case.bytes("block_bytes");
    options.queue_depth = static_cast<int>(the_case.integer("queue_depth"));
    options.jobs = static_cast<int>(the_case.integer("jobs"));
    options.seed = static_cast<std::uint64_t>(the_case.integer("seed"));
    options.pattern_seed = prepared.pattern_seed;
    return options;
}

/// Refuses holes and unwritten extents; empty when all is well.
std::string extents_objection(const Extents& extents) {
    if (!extents.known || extents.complete()) return {};
    return fmt::format(
        "has blocks that were never written, which read as zeros without touching the disk ({})",
        storage::describe(extents));
}

void check(const Case& the_case, const Context& context) {
    const Target target = look_at_target(name, the_case, context);
    const std::uint64_t bytes = span_bytes(name, the_case, target);
    const std::uint64_t block_bytes = the_case.bytes("block_bytes");
    if (block_bytes % target.logical_block_bytes != 0) {
        throw InputError(
            fmt::format("{}.block_bytes: {} is not accepted for direct I/O; accepted: multiples of {}", name,
                        block_bytes, target.logical_block_bytes));
    }
    const std::uint64_t least = block_bytes * static_cast<std::uint64_t>(the_case.integer("queue_depth"));
    if (bytes < least) {
        throw InputError(
            fmt::format("{}.size: {} bytes hold fewer blocks than are in flight; accepted: at least {}", name,
                        bytes, least));
    }
    if (target.kind != Target::Kind::named_file) return;
    const std::string objection =
        extents_objection(read_extents(os::open_file(target.path, O_RDONLY), bytes));
    if (!objection.empty()) {
        throw InputError(fmt::format("{}.target: {} {}; accepted: a file written in full", name,
                                     target.path.string(), objection));
    }
}

Estimate estimate(const Case& the_case, const Context& context) {
    // Not measured, only for the time told beforehand: what a common disk writes in a second.
    constexpr double assumed_write_rate = 1e9;
    Estimate estimate;
    estimate.seconds = the_case.seconds("seconds") + context.sampling.maximum_warm_up.count() + 0.5;
    estimate.memory_bytes =
        the_case.bytes("block_bytes") *
        static_cast<std::uint64_t>(the_case.integer("queue_depth") * the_case.integer("jobs"));
    if (the_case.is_auto("target")) {
        estimate.written_bytes = span_bytes(name, the_case, Target{});
        estimate.seconds += static_cast<double>(estimate.written_bytes) / assumed_write_rate;
    }
    return estimate;
}

Outcome run(const Case& the_case, Context& context) {
    check(the_case, context);
    const Target target = look_at_target(name, the_case, context);
    const std::uint64_t bytes = span_bytes(name, the_case, target);
    if (target.is_scratch()) {
        if (const std::optional<std::string> reason = no_room(target, bytes))
            return skipped(the_case, *reason);
    }
    const Prepared prepared =
        prepare(target, bytes, context.seed, [&](double share) { context.progress("preparing", share); });
    Outcome outcome;
    outcome.resolved = storage::describe(target);
    outcome.resolved["engine"] = "libaio";
    outcome.resolved["size_bytes"] = fmt::format("{}", bytes);
    outcome.resolved["preparation"] = prepared.how;
    outcome.resolved["kernel"] = kernel_release();

    if (target.kind != Target::Kind::named_device) {
        const Extents extents = read_extents(os::open_file(prepared.path, O_RDONLY), bytes);
        const std::string objection = extents_objection(extents);
        if (!objection.empty()) return failed(the_case, "the file " + objection);
        outcome.resolved["extents"] = extents.known ? fmt::format("{}", extents.count) : "unknown";
        if (!extents.known) {
            outcome.notes.push_back(
                "this file system does not tell where a file's blocks lie: that none is a hole "
                "is known only from having written them");
        }
        if (extents.encoded_bytes > 0) {
            outcome.notes.push_back(
                fmt::format("{} bytes lie compressed or encrypted on the device, which "
                            "therefore reads other bytes than we do",
                            extents.encoded_bytes));
        }
    }

    ReadLoadOptions options = options_of(the_case, prepared, bytes);
    options.cpus = nearest_first(kernels::cpus_by_core(), target.leaves);
    options.cpus.resize(std::min(options.cpus.size(), static_cast<std::size_t>(options.jobs)));
    outcome.resolved["cpus"] = fmt::format("{}", fmt::join(options.cpus, ","));
    const ReadCounters counters(target);
    const Recorded recorded = record(options, the_case.seconds("seconds"), context);
    outcome.checks = counters.checks(recorded.verification.reads * options.block_bytes, outcome.notes);
    outcome.checks.push_back(little_check(recorded.slices));
    if (options.pattern_seed) {
        outcome.checks.push_back(content_check(recorded.verification));
    } else {
        outcome.checks.push_back(data_check(prepared.path, bytes, options.seed));
    }
    static const Probe probe = storage_random_read_probe();
    add_metrics(probe, options.block_bytes, recorded, outcome);

    outcome.notes.insert(
        outcome.notes.begin(),
        fmt::format(
            "libaio, O_DIRECT into page-aligned memory, {} jobs of depth {}, blocks of {} bytes at random "
            "multiples of that, each job "
            "a "
            "pinned thread with a context and a random stream of its own; submitted and reaped in batches "
            "(one by one at depth 1); latency from before submission until reaped; a sample is a slice of "
            "{:.0f} ms; {} slices of warm-up left out",
            options.jobs, options.queue_depth, options.block_bytes,
            slice_of(the_case.seconds("seconds")).count() * 1e3, recorded.rates.warm_up_samples));
    for (std::string& note : machine_notes(target, bytes)) outcome.notes.push_back(std::move(note));
    if (!recorded.rates.steady) outcome.notes.push_back("the rate was not steady: see the series");
    if (!options.pattern_seed) {
        outcome.notes.push_back("the content of a named target is not ours and could not be verified");
    }
    return outcome;
}

}  // namespace

Probe storage_random_read_probe() {
    using enum Unit;
    using enum Direction;
    Probe probe;
    probe.name = name;
    probe.summary = "Reads random blocks directly from a disk, several at once, and times every one.";
    probe.parameters = {
        {"target", ParameterKind::text, "auto",
         "file or block device to read, never written; auto: a scratch file made for it"},
        {"size", ParameterKind::bytes, "auto",
         "bytes to read over; auto: 10G of a scratch file, all of a named target", 4096},
        {"engine",
         ParameterKind::choice,
         "auto",
         "how reads are submitted; auto: libaio",
         0,
         0,
         {"auto", "libaio"}},
        {"queue_depth", ParameterKind::integer, "32", "reads that each job keeps in flight", 1, 4096},
        {"jobs", ParameterKind::integer, "4", "threads that read at the same time", 1, 256},
        {"block_bytes", ParameterKind::bytes, "4096", "bytes of one read", 512, 16 << 20},
        {"seconds", ParameterKind::seconds, "10", "time measured, after warming up", 0.1, 86400},
        {"seed", ParameterKind::integer, "1", "start of the random offsets", 0},
    };
    probe.metrics = {
        {iops_name, operation_per_second, higher, "reads a second"},
        {latency_name, second, lower, "time of one read, from its submission until it is back"},
        {bandwidth_name, byte_per_second, higher, "bytes read a second"},
        {cpu_name, second, lower, "CPU time of the process, user and system, for one read"},
    };
    probe.run = run;
    probe.estimate = estimate;
    probe.check = check;
    probe.tiny = {{"size", "16M"}, {"queue_depth", "4"}, {"jobs", "1"}, {"seconds", "0.3"}};
    return probe;
}

}  // namespace assay
