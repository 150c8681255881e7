#include <algorithm>
#include <string>
#include <vector>

#include <sys/stat.h>

#include <fmt/format.h>

#include "kernels/cpu/thread_team.h"
#include "probes/storage/load/evidence.h"
#include "probes/storage/storage.h"
#include "probes/storage/target/block_pattern.h"
#include "probes/storage/target/prepare.h"
#include "probes/storage/weights/checkpoint_round.h"
#include "probes/storage/weights/model_bytes.h"
#include "probes/storage/weights/source.h"

namespace assay {
namespace {

using namespace storage;

constexpr std::string_view name = "storage.checkpoint";
constexpr std::string_view seconds_name = "storage.checkpoint.seconds";
constexpr std::string_view bandwidth_name = "storage.checkpoint.bandwidth";
constexpr std::string_view slowest_name = "storage.checkpoint.slowest_shard_seconds";
constexpr std::string_view read_seconds_name = "storage.checkpoint.read_back_seconds";
constexpr std::string_view read_bandwidth_name = "storage.checkpoint.read_back_bandwidth";

int writers_of(const Case& the_case) {
    if (!the_case.is_auto("writers")) return static_cast<int>(the_case.integer("writers"));
    return std::clamp(kernels::allowed_cpus(), 4, 16);
}

int shards_of(const Case& the_case) {
    return the_case.is_auto("shards") ? writers_of(the_case) : static_cast<int>(the_case.integer("shards"));
}

std::uint64_t bytes_of(const Case& the_case) {
    return (the_case.bytes("bytes") + pattern_bytes - 1) / pattern_bytes * pattern_bytes;
}

/// The folder for the checkpoint's files: of a run's shared file, which is another's content, the folder that
/// it lies in, on the same file system.
Target look_at_folder(const Case& the_case, const Context& context) {
    Target target = look_at_place(name, the_case, context);
    if (target.kind != Target::Kind::shared_scratch) return target;
    // /proc/self/fd/N leads to FOLDER/NAME, or FOLDER/#INODE (deleted) of a nameless file.
    std::error_code no_link;
    const std::filesystem::path file = std::filesystem::read_symlink(target.path, no_link);
    Context beside = context;
    beside.scratch = (no_link ? std::filesystem::absolute(target.path) : file).parent_path();
    struct stat of_file {};
    struct stat of_folder {};
    const bool same = ::stat(target.path.c_str(), &of_file) == 0 &&
                      ::stat(beside.scratch.c_str(), &of_folder) == 0 && of_file.st_dev == of_folder.st_dev;
    if (!same) {
        throw InputError(
            fmt::format("{}.target: the folder of the scratch file {} cannot be found; accepted: an existing "
                        "folder on a disk",
                        name, target.path.string()));
    }
    return look_at_place(name, the_case, beside);
}

void check_sizes(const Case& the_case, const Target& target) {
    const std::uint64_t block = the_case.bytes("block_bytes");
    const std::uint64_t unit = std::max<std::uint64_t>(pattern_bytes, target.logical_block_bytes);
    if (block % unit != 0) {
        throw InputError(
            fmt::format("{}.block_bytes: {} is not accepted for direct I/O; accepted: multiples of {}", name,
                        block, unit));
    }
    const std::uint64_t shards = static_cast<std::uint64_t>(shards_of(the_case));
    if (bytes_of(the_case) / shards < pattern_bytes) {
        throw InputError(fmt::format("{}.bytes: {} do not make {} shards of {} bytes; accepted: at least {}",
                                     name, bytes_of(the_case), shards, pattern_bytes,
                                     shards * pattern_bytes));
    }
}

void check(const Case& the_case, const Context& context) {
    check_sizes(the_case, look_at_folder(the_case, context));
}

Estimate estimate(const Case& the_case, const Context& context) {
    constexpr double assumed_rate = 1e9;  // not measured: what a common disk does
    (void)context;
    Estimate estimate;
    estimate.seconds = 0.5 + 2 * static_cast<double>(the_case.integer("repeats")) *
                                 static_cast<double>(bytes_of(the_case)) / assumed_rate;
    if (the_case.is_auto("target")) estimate.written_bytes = bytes_of(the_case);
    estimate.memory_bytes = (2 * the_case.bytes("block_bytes") + (16 << 20)) *
                            static_cast<std::uint64_t>(writers_of(the_case) + 1);
    return estimate;
}

/// What all rounds came to.
struct Rounds {
    std::vector<CheckpointWriteTimes> writes;
    std::vector<CheckpointReadBack> reads;
    double warmest = 0;
    std::vector<Check> counters;  ///< of each name the worst

    void add(const Check& check) {
        for (Check& kept : counters) {
            if (kept.name != check.name) continue;
            if (check.error > kept.error) kept = check;
            return;
        }
        counters.push_back(check);
    }
};

void do_round(const CheckpointOptions& options, CheckpointData& data, std::uint64_t number,
              const Target& target, Rounds& rounds, Outcome& outcome, Context& context) {
    CheckpointRound round(options, data, number);
    std::vector<std::string> notes;
    const TransferCounters before_write({target});
    rounds.writes.push_back(round.write(context.clock));
    for (const Check& check : before_write.checks(0, options.bytes(), notes)) rounds.add(check);

    rounds.warmest = std::max(rounds.warmest, round.make_cold());
    const TransferCounters before_read({target});
    rounds.reads.push_back(round.read_back(context.clock));
    for (const Check& check : before_read.checks(options.bytes(), 0, notes)) rounds.add(check);
    if (number > 0) return;
    for (std::string& note : notes) {
        const bool known = std::find(outcome.notes.begin(), outcome.notes.end(), note) != outcome.notes.end();
        if (!known) outcome.notes.push_back(std::move(note));
    }
}

std::vector<Check> checks_of(const Rounds& rounds) {
    constexpr double most_resident = 0.01;
    Check cold;
    cold.name = "the cache was cold before reading back";
    cold.error = rounds.warmest;
    cold.passed = rounds.warmest <= most_resident;
    cold.detail = fmt::format("at most {:.2f} % of a shard stayed in the page cache; allowed {:.0f} %",
                              rounds.warmest * 100, most_resident * 100);
    Check content;
    content.name = "every block reads back as written";
    std::uint64_t blocks = 0;
    std::uint64_t wrong = 0;
    std::string first;
    for (const CheckpointReadBack& read : rounds.reads) {
        blocks += read.blocks;
        wrong += read.wrong_blocks;
        if (first.empty()) first = read.first_wrong;
    }
    content.passed = wrong == 0 && blocks > 0;
    content.error = static_cast<double>(wrong);
    content.detail = fmt::format("{} of {} blocks of {} bytes are wrong{}{}", wrong, blocks, pattern_bytes,
                                 first.empty() ? "" : ", the first at ", first);
    std::vector<Check> checks{content, cold};
    checks.insert(checks.end(), rounds.counters.begin(), rounds.counters.end());
    return checks;
}

void add_metrics(const Rounds& rounds, std::uint64_t bytes, Outcome& outcome) {
    static const Probe probe = storage_checkpoint_probe();
    std::vector<double> seconds, bandwidth, slowest, read_seconds, read_bandwidth;
    for (const CheckpointWriteTimes& write : rounds.writes) {
        seconds.push_back(write.seconds);
        bandwidth.push_back(static_cast<double>(bytes) / write.seconds);
        slowest.push_back(write.slowest_shard_seconds);
    }
    for (const CheckpointReadBack& read : rounds.reads) {
        read_seconds.push_back(read.seconds);
        read_bandwidth.push_back(static_cast<double>(bytes) / read.seconds);
    }
    outcome.metrics = {make_range_metric(probe.metric(seconds_name), seconds),
                       make_range_metric(probe.metric(bandwidth_name), bandwidth),
                       make_range_metric(probe.metric(slowest_name), slowest),
                       make_range_metric(probe.metric(read_seconds_name), read_seconds),
                       make_range_metric(probe.metric(read_bandwidth_name), read_bandwidth)};
}

std::string method_note(const CheckpointOptions& options, const Rounds& rounds) {
    double fsync = 0;
    double comparing = 0;
    for (const CheckpointWriteTimes& write : rounds.writes)
        fsync = std::max(fsync, write.longest_fsync_seconds);
    for (const CheckpointReadBack& read : rounds.reads) comparing = std::max(comparing, read.comparing_share);
    return fmt::format(
        "each of {} rounds: {} new nameless files in blocks of {} bytes by {} threads ({}), no space "
        "reserved before; "
        "seconds run from making the first file until the last fsync has come back, at most {:.3f} s of them "
        "in one "
        "fsync; then dropped from the page cache and read back the same way, every block compared within "
        "that time "
        "({:.1f} % of it). Random data are made before, and each 4096 bytes stamped with their place while "
        "writing. A "
        "folder's entry is not made, thus not brought to the device either. The interval is the range",
        rounds.writes.size(), options.shard_bytes.size(), options.block_bytes, options.writers,
        options.direct ? "O_DIRECT" : "through the page cache", fsync, comparing * 100);
}

Outcome run(const Case& the_case, Context& context) {
    const Target target = look_at_folder(the_case, context);
    check_sizes(the_case, target);
    const std::uint64_t bytes = bytes_of(the_case);
    if (const std::optional<std::string> reason = no_room(target, bytes)) return skipped(the_case, *reason);

    CheckpointOptions options;
    options.folder = target.path;
    options.shard_bytes = split_in_shards(bytes, shards_of(the_case));
    options.writers = writers_of(the_case);
    options.block_bytes = the_case.bytes("block_bytes");
    options.direct = the_case.text("path") == "direct";
    options.seed = context.seed;
    CheckpointData data(options);

    Outcome outcome;
    outcome.resolved = storage::describe(target);
    outcome.resolved["target"] = "nameless files";
    outcome.resolved["bytes"] = fmt::format("{}", bytes);
    outcome.resolved["shards"] = fmt::format("{}", options.shard_bytes.size());
    outcome.resolved["writers"] = fmt::format("{}", options.writers);

    Rounds rounds;
    const std::uint64_t repeats = static_cast<std::uint64_t>(the_case.integer("repeats"));
    for (std::uint64_t round = 0; round < repeats; ++round) {
        context.progress("writing and reading back",
                         static_cast<double>(round) / static_cast<double>(repeats));
        do_round(options, data, round, target, rounds, outcome, context);
    }
    add_metrics(rounds, bytes, outcome);
    outcome.checks = checks_of(rounds);
    outcome.notes.insert(outcome.notes.begin(), method_note(options, rounds));
    for (std::string& note : machine_notes(target, bytes)) outcome.notes.push_back(std::move(note));
    return outcome;
}

}  // namespace

Probe storage_checkpoint_probe() {
    using enum Unit;
    using enum Direction;
    Probe probe;
    probe.name = name;
    probe.summary =
        "Writes a checkpoint in shards, brings it to the disk, reads it back cold and compares it.";
    probe.parameters = {
        {"target", ParameterKind::text, "auto",
         "an existing folder to write in; auto: the scratch folder. Its files have no names and are gone "
         "afterwards"},
        {"bytes", ParameterKind::bytes, "4G", "bytes of the checkpoint, rounded up to 4096", 4096},
        {"shards", ParameterKind::integer, "auto", "files of it; auto: one a writer", 1, 4096},
        {"writers", ParameterKind::integer, "auto",
         "threads that write and read; auto: the CPUs, but 4 to 16", 1, 256},
        {"block_bytes", ParameterKind::bytes, "1M", "bytes of one write or read", 4096, 64 << 20},
        {"path",
         ParameterKind::choice,
         "direct",
         "direct I/O, or through the page cache",
         0,
         0,
         {"direct", "buffered"}},
        {"repeats", ParameterKind::integer, "3", "checkpoints written and read back", 1, 100},
    };
    probe.metrics = {
        {seconds_name, second, lower, "a checkpoint written and on the device (fsync), all shards"},
        {bandwidth_name, byte_per_second, higher, "bytes of it a second, fsync included"},
        {slowest_name, second, lower,
         "one shard, from making its file until it is on the device, the slowest"},
        {read_seconds_name, second, lower, "the checkpoint read back cold and compared"},
        {read_bandwidth_name, byte_per_second, higher, "bytes of it read back a second"},
    };
    probe.run = run;
    probe.estimate = estimate;
    probe.check = check;
    probe.tiny = {{"bytes", "8M"}, {"shards", "3"}, {"writers", "2"}, {"repeats", "2"}};
    return probe;
}

}  // namespace assay
