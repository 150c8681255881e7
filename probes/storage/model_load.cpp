#include <algorithm>
#include <string>
#include <vector>

#include <fcntl.h>

#include <fmt/format.h>

#include "kernels/cpu/thread_team.h"
#include "kernels/device/memory_limit.h"
#include "probes/storage/load/evidence.h"
#include "probes/storage/storage.h"
#include "probes/storage/target/block_pattern.h"
#include "probes/storage/target/prepare.h"
#include "probes/storage/weights/checksum.h"
#include "probes/storage/weights/cold_load.h"
#include "probes/storage/weights/load_evidence.h"
#include "probes/storage/weights/model_bytes.h"
#include "probes/storage/weights/source.h"

namespace assay {
namespace {

using namespace storage;

constexpr std::string_view name = "storage.model_load";
constexpr std::string_view seconds_name = "storage.model_load.seconds";
constexpr std::string_view bandwidth_name = "storage.model_load.bandwidth";

/// Of the memory that this process may use: the page cache, through which two paths read, wants its part.
constexpr std::uint64_t share_of_memory = 2;

std::vector<LoadPath> paths_of(const Case& the_case) {
    const std::string& path = the_case.text("path");
    std::vector<LoadPath> paths;
    for (const LoadPath known : {LoadPath::direct, LoadPath::buffered, LoadPath::mmap}) {
        if (path == "all" || path == to_string(known)) paths.push_back(known);
    }
    return paths;
}

/// Reads in flight fill a disk's queue, also where there are fewer CPUs: a reader mostly waits.
int readers_of(const Case& the_case) {
    if (!the_case.is_auto("readers")) return static_cast<int>(the_case.integer("readers"));
    return std::clamp(kernels::allowed_cpus(), 4, 16);
}

/// What is really loaded: the whole, what `measured_bytes` says, or what may be written here.
struct Amount {
    std::uint64_t asked = 0;
    std::uint64_t measured = 0;
    std::string why;  ///< measured is less; empty where it is not

    bool is_scaled() const { return measured < asked; }
};

Amount amount_of(const Case& the_case, const WeightsSource& source) {
    Amount amount{source.asked_bytes, source.asked_bytes, {}};
    if (source.is_named()) return amount;
    if (!the_case.is_auto("measured_bytes") && the_case.bytes("measured_bytes") < amount.asked) {
        amount.measured = the_case.bytes("measured_bytes");
        amount.why = "asked for";
    }
    const std::uint64_t fits = bytes_that_fit(source.place, amount.measured);
    if (fits < amount.measured) {
        amount.measured = fits;
        amount.why = fmt::format("what may be written: {}", no_room(source.place, amount.asked).value_or(""));
    }
    return amount;
}

int shards_of(const Case& the_case, std::uint64_t bytes) {
    return the_case.is_auto("shards") ? usual_shards(bytes) : static_cast<int>(the_case.integer("shards"));
}

void check_sizes(const Case& the_case, const WeightsSource& source) {
    const std::uint64_t block = the_case.bytes("block_bytes");
    const std::uint64_t unit = std::max<std::uint64_t>(pattern_bytes, source.place.logical_block_bytes);
    if (block % unit != 0) {
        throw InputError(
            fmt::format("{}.block_bytes: {} is not accepted for direct I/O; accepted: multiples of {}", name,
                        block, unit));
    }
    if (source.is_named()) return;
    const std::uint64_t shards = static_cast<std::uint64_t>(shards_of(the_case, source.asked_bytes));
    if (source.asked_bytes / shards < pattern_bytes) {
        throw InputError(
            fmt::format("{}.shards: {} bytes do not make {} shards of {} bytes; accepted: at most {}", name,
                        source.asked_bytes, shards, pattern_bytes,
                        std::max<std::uint64_t>(1, source.asked_bytes / pattern_bytes)));
    }
}

void check(const Case& the_case, const Context& context) {
    check_sizes(the_case, look_at_source(name, the_case, context));
}

/// Shards ready to be loaded, and what keeps them alive.
struct Shards {
    std::vector<Prepared> prepared;
    std::vector<Shard> shards;
    std::string how;
};

/// Equal parts of the run's shared file: nothing is written twice.
Shards make_ranges(const WeightsSource& source, std::uint64_t bytes, int count, Context& context) {
    Shards made;
    made.prepared.push_back(prepare(source.place, bytes, context.seed,
                                    [&](double share) { context.progress("preparing", share); }));
    const Prepared& file = made.prepared.back();
    std::uint64_t at = 0;
    for (const std::uint64_t part : split_in_shards(bytes, count)) {
        made.shards.push_back({file.path, at, part, file.pattern_seed});
        at += part;
    }
    made.how = fmt::format("ranges of the run's shared file, {}", file.how);
    return made;
}

Shards make_files(const WeightsSource& source, std::uint64_t bytes, int count, Context& context) {
    Shards made;
    const std::vector<std::uint64_t> parts = split_in_shards(bytes, count);
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const auto progress = [&](double share) {
            context.progress("preparing",
                             (static_cast<double>(i) + share) / static_cast<double>(parts.size()));
        };
        // Seeds of their own: a disk that finds equal blocks shall not find any.
        made.prepared.push_back(prepare(source.place, parts[i], context.seed + i, progress));
        const Prepared& file = made.prepared.back();
        made.shards.push_back({file.path, 0, parts[i], file.pattern_seed});
    }
    made.how = "nameless files, written in full";
    return made;
}

Shards shards_for(const Case& the_case, const WeightsSource& source, std::uint64_t bytes, Context& context) {
    if (source.is_named()) {
        Shards named;
        for (const NamedWeights& weights : source.named) {
            named.shards.push_back({weights.target.path, 0, weights.target.size_bytes, std::nullopt});
        }
        named.how = "files as they are";
        return named;
    }
    const int count = shards_of(the_case, source.asked_bytes);
    const bool shared = source.place.kind == Target::Kind::shared_scratch;
    return shared ? make_ranges(source, bytes, count, context) : make_files(source, bytes, count, context);
}

/// One cold load, with all that proves what it was.
void load_once(ColdLoadOptions& options, LoadPath path, int repeat, const LoadMemory& memory,
               const Target& place, LoadEvidence& evidence, Outcome& outcome, Context& context) {
    options.path = path;
    memory.spoil();
    evidence.add_coldness(path, repeat, make_cold(options.shards));
    const TransferCounters counters({place});
    const ColdLoadResult result = load(options, memory, context.clock);
    std::vector<std::string> notes;
    evidence.add_counters(path, counters.checks(result.bytes, 0, notes));
    for (std::string& note : notes) {
        const bool known = std::find(outcome.notes.begin(), outcome.notes.end(), note) != outcome.notes.end();
        if (!known) outcome.notes.push_back(std::move(note));
    }
    evidence.add_load(path, result);
    const bool is_ours = options.shards.front().pattern_seed.has_value();
    if (is_ours && memory.holds_all()) evidence.add_whole(path, find_wrong(options, memory));
    if (is_ours) return;
    const std::optional<Piece> different = find_different(options, result.pieces);
    if (different) evidence.add_different(path, options.shards[different->shard], *different);
}

void load_all(const Case& the_case, ColdLoadOptions& options, const LoadMemory& memory, const Target& place,
              LoadEvidence& evidence, Outcome& outcome, Context& context) {
    const std::vector<LoadPath> paths = paths_of(the_case);
    const int repeats = static_cast<int>(the_case.integer("repeats"));
    const double all = static_cast<double>(paths.size()) * repeats;
    double done = 0;
    // In turn, so that a disk that tires does so for each path alike.
    for (int repeat = 0; repeat < repeats; ++repeat) {
        for (const LoadPath path : paths) {
            context.progress(fmt::format("loading by {}", to_string(path)), done / all);
            load_once(options, path, repeat, memory, place, evidence, outcome, context);
            done += 1;
        }
    }
}

void add_metrics(const Case& the_case, const Amount& amount, const LoadEvidence& evidence, Outcome& outcome) {
    static const Probe probe = storage_model_load_probe();
    for (const LoadPath path : paths_of(the_case)) {
        const Labels axes{{"path", std::string(to_string(path))}};
        std::vector<double> seconds;
        std::vector<double> bandwidth;
        for (const double measured : evidence.seconds(path)) {
            seconds.push_back(scaled_seconds(measured, amount.measured, amount.asked));
            bandwidth.push_back(static_cast<double>(amount.measured) / measured);
        }
        outcome.metrics.push_back(make_range_metric(probe.metric(seconds_name), seconds, axes));
        outcome.metrics.push_back(make_range_metric(probe.metric(bandwidth_name), bandwidth, axes));
    }
}

/// What the headers say, and the files' MD5 against what is stated beside them; after all that is timed.
void look_into_named(const Case& the_case, const WeightsSource& source, Outcome& outcome, Context& context) {
    for (std::size_t i = 0; i < source.named.size(); ++i) {
        const NamedWeights& weights = source.named[i];
        const std::string file = weights.target.path.filename().string();
        const std::string suffix = source.named.size() == 1 ? "" : fmt::format("_{}", i + 1);
        outcome.resolved["weights" + suffix] = fmt::format(
            "{}: {}", file, weights.header ? describe(*weights.header) : "no format that is known here");
        if (the_case.text("checksum") != "md5") continue;
        const std::string digest =
            md5_of(os::open_file(weights.target.path, O_RDONLY), [&](std::uint64_t done) {
                context.progress("checksum",
                                 static_cast<double>(done) / static_cast<double>(weights.target.size_bytes));
            });
        outcome.resolved["md5" + suffix] = fmt::format("{}  {}", digest, file);
        if (!weights.md5) continue;
        Check check;
        check.name = fmt::format("MD5 of {}", file);
        check.passed = digest == *weights.md5;
        check.detail = check.passed ? fmt::format("is what {}.md5 states", file)
                                    : fmt::format("is {}, and {}.md5 states {}", digest, file, *weights.md5);
        outcome.checks.push_back(std::move(check));
    }
}

std::vector<std::string> method_notes(const ColdLoadOptions& options, const LoadMemory& memory,
                                      const Amount& amount, const WeightsSource& source, int repeats) {
    std::vector<std::string> notes;
    notes.push_back(
        fmt::format("each of {} loads a path: files' pages dropped from the page cache and that proved "
                    "(mincore), then {} shards "
                    "read by {} threads in blocks of {} bytes, from opening the first file until the last "
                    "byte is in memory that "
                    "was present before; direct: O_DIRECT reads; buffered: reads through the page cache, "
                    "told to be sequential; "
                    "mmap: copied out of mappings, told to be sequential. One piece of 4096 bytes in each "
                    "block is looked at "
                    "within that time. The interval is the range",
                    repeats, options.shards.size(), options.readers, options.block_bytes));
    notes.push_back(
        memory.holds_all()
            ? "loaded into memory that holds all of it at once"
            : fmt::format("more than half of the memory that may be used: loaded into {} bytes that are "
                          "filled again and again, and of the content only a sample was compared",
                          memory.bytes()));
    if (amount.is_scaled()) {
        notes.push_back(
            fmt::format("scaled: {} of {} bytes were loaded ({}), and the seconds are those measured times "
                        "{} / {} = {:.4f}; the "
                        "bandwidth is as measured",
                        amount.measured, amount.asked, amount.why, amount.asked, amount.measured,
                        scaled_seconds(1, amount.measured, amount.asked)));
    }
    if (source.is_named()) {
        notes.push_back(
            "the content of named files is not ours: a sample of what each load left in memory was compared "
            "with the "
            "file read again; model and format do not matter");
    }
    return notes;
}

Estimate estimate(const Case& the_case, const Context& context) {
    // Not measured, only for the time told beforehand: what a common disk reads or writes in a second.
    constexpr double assumed_rate = 1e9;
    constexpr double checksum_rate = 5e8;
    const WeightsSource source = look_at_source(name, the_case, context);
    const Amount amount = amount_of(the_case, source);
    const double bytes = static_cast<double>(amount.measured);
    const double loads =
        static_cast<double>(paths_of(the_case).size()) * static_cast<double>(the_case.integer("repeats"));
    Estimate estimate;
    // Looking at what was loaded takes about as long again as loading it.
    estimate.seconds = 0.5 + 2 * loads * bytes / assumed_rate;
    estimate.seconds += bytes / (source.is_named() ? checksum_rate : assumed_rate);
    estimate.memory_bytes = std::min(amount.measured, usable_memory_bytes() / share_of_memory);
    if (the_case.is_auto("target")) estimate.written_bytes = amount.measured;
    return estimate;
}

Outcome run(const Case& the_case, Context& context) {
    const WeightsSource source = look_at_source(name, the_case, context);
    check_sizes(the_case, source);
    const Amount amount = amount_of(the_case, source);
    const std::uint64_t least =
        pattern_bytes * static_cast<std::uint64_t>(shards_of(the_case, source.asked_bytes));
    if (!source.is_named() && amount.measured < least) {
        return skipped(the_case,
                       no_room(source.place, amount.asked).value_or("too little fits to be measured"));
    }
    const Shards shards = shards_for(the_case, source, amount.measured, context);
    ColdLoadOptions options;
    options.shards = shards.shards;
    options.readers = readers_of(the_case);
    options.block_bytes = the_case.bytes("block_bytes");
    const LoadMemory memory(options, usable_memory_bytes() / share_of_memory);

    Outcome outcome;
    outcome.resolved = storage::describe(source.place);
    if (source.is_named()) outcome.resolved["target"] = the_case.text("target");
    outcome.resolved["bytes"] = fmt::format("{}", amount.asked);
    if (amount.is_scaled()) outcome.resolved["scaled"] = fmt::format("from {} bytes", amount.measured);
    outcome.resolved["shards"] = fmt::format("{} ({})", options.shards.size(), shards.how);
    outcome.resolved["readers"] = fmt::format("{}", options.readers);
    outcome.resolved["memory"] = memory.holds_all() ? "all at once" : "buffers filled again and again";

    const int repeats = static_cast<int>(the_case.integer("repeats"));
    outcome.notes = method_notes(options, memory, amount, source, repeats);
    LoadEvidence evidence;
    load_all(the_case, options, memory, source.place, evidence, outcome, context);
    outcome.checks = evidence.checks();
    for (std::string& note : evidence.notes()) outcome.notes.push_back(std::move(note));
    add_metrics(the_case, amount, evidence, outcome);
    look_into_named(the_case, source, outcome, context);
    for (std::string& note : machine_notes(source.place, amount.measured))
        outcome.notes.push_back(std::move(note));
    return outcome;
}

}  // namespace

Probe storage_model_load_probe() {
    using enum Unit;
    using enum Direction;
    Probe probe;
    probe.name = name;
    probe.summary = "Loads a model's weights from a cold disk into memory: direct, buffered and by mmap.";
    probe.parameters = {
        {"target", ParameterKind::text, "auto",
         "a folder to make the shards in, or weights that are there (.safetensors, .gguf, any file; several "
         "separated by commas), only ever read; auto: the scratch file or folder"},
        {"model", ParameterKind::text, "DeepSeek-R1-Distill-Qwen-1.5B",
         "model whose weights' size is loaded"},
        {"format", ParameterKind::choice, "int4", "format of the weights", 0, 0, weight_formats()},
        {"bytes", ParameterKind::bytes, "auto",
         "bytes to load; auto: of model and format, or of the files named", 4096},
        {"measured_bytes", ParameterKind::bytes, "auto",
         "load only so many of the bytes and scale the seconds to all of them; auto: all, or what may be "
         "written",
         4096},
        {"shards", ParameterKind::integer, "auto", "files; auto: one for each 5 GB, at least two", 1, 4096},
        {"readers", ParameterKind::integer, "auto", "threads that read; auto: the CPUs, but 4 to 16", 1, 256},
        {"block_bytes", ParameterKind::bytes, "1M", "bytes of one read", 4096, 64 << 20},
        {"path",
         ParameterKind::choice,
         "all",
         "how weights are read",
         0,
         0,
         {"all", "direct", "buffered", "mmap"}},
        {"repeats", ParameterKind::integer, "3", "cold loads by each path", 1, 100},
        {"checksum",
         ParameterKind::choice,
         "md5",
         "of named files, after the loads; FILE.md5 beside one is what it is held against",
         0,
         0,
         {"md5", "none"}},
    };
    probe.metrics = {
        {seconds_name, second, lower, "cold load of a model's weights", {"path"}},
        {bandwidth_name, byte_per_second, higher, "cold load of a model's weights", {"path"}},
    };
    probe.run = run;
    probe.estimate = estimate;
    probe.check = check;
    probe.tiny = {{"bytes", "8M"}, {"shards", "2"}, {"readers", "2"}, {"repeats", "2"}};
    return probe;
}

}  // namespace assay
