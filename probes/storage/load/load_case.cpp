#include "probes/storage/load/load_case.h"

#include <algorithm>

#include <fcntl.h>
#include <sys/utsname.h>

#include <fmt/format.h>

#include "kernels/cpu/affinity.h"
#include "kernels/device/memory_limit.h"
#include "probes/storage/load/evidence.h"
#include "probes/storage/target/block_pattern.h"
#include "probes/storage/target/extents.h"
#include "probes/storage/target/near_cpus.h"
#include "probes/storage/target/open_for_writing.h"
#include "probes/storage/target/write_guard.h"

namespace assay::storage {
namespace {

std::string kernel_release() {
    utsname names{};
    return ::uname(&names) == 0 ? fmt::format("{} {}", names.sysname, names.release) : "unknown";
}

/// Refuses holes and unwritten extents; empty when all is well.
std::string extents_objection(const Extents& extents) {
    if (!extents.known || extents.complete()) return {};
    return fmt::format(
        "has blocks that were never written, which read as zeros without touching the disk ({})",
        storage::describe(extents));
}

void check_blocks(const LoadKind& kind, const Case& the_case, const Target& target, std::uint64_t in_flight) {
    const std::uint64_t bytes = span_bytes(kind.probe, the_case, target);
    const std::uint64_t block_bytes = the_case.bytes("block_bytes");
    const std::uint64_t unit = kind.writes
                                   ? std::max<std::uint64_t>(pattern_bytes, target.logical_block_bytes)
                                   : target.logical_block_bytes;
    if (block_bytes % unit != 0) {
        throw InputError(
            fmt::format("{}.block_bytes: {} is not accepted for direct I/O; accepted: multiples of {}",
                        kind.probe, block_bytes, unit));
    }
    const std::uint64_t least = block_bytes * in_flight;
    if (bytes < least) {
        throw InputError(
            fmt::format("{}.size: {} bytes hold fewer blocks than are in flight; accepted: at least {}",
                        kind.probe, bytes, least));
    }
}

/// Buffers are memory that the load touches before its first slice: beyond what there is, the kernel
/// would end the process, or another one.
void check_buffers(const LoadKind& kind, const Case& the_case, std::size_t targets, std::uint64_t in_flight) {
    constexpr std::uint64_t share_of_memory = 2;
    const std::uint64_t usable = usable_memory_bytes();
    const std::uint64_t block_bytes = the_case.bytes("block_bytes");
    const std::uint64_t bytes = block_bytes * in_flight * targets;
    if (usable == 0 || bytes <= usable / share_of_memory) return;
    throw InputError(fmt::format(
        "{}.block_bytes: {} bytes times {} in flight on {} {} make {} bytes of buffers; accepted: at most "
        "half "
        "of the {} bytes of memory that may be used",
        kind.probe, block_bytes, in_flight, targets, targets == 1 ? "target" : "targets", bytes, usable));
}

/// A file or device that the user names and that is to be written gets our content: known, incompressible,
/// and on every block of the span.
Prepared precondition(const Target& target, std::uint64_t bytes, Context& context, std::string_view stage) {
    SteadyClock clock;
    const Nanoseconds started = clock.now();
    // Opened once for all: while it is held, the kernel lets nobody else have a device.
    Prepared prepared;
    prepared.holder = open_for_writing(target.path, O_RDWR | O_DIRECT, context.allow_destroy);
    // The span's end may lie within a block of the pattern; what is behind it is not ours to write.
    const std::uint64_t whole = bytes / pattern_bytes * pattern_bytes;
    write_pattern(prepared.holder, 0, whole, context.seed,
                  [&](double share) { context.progress(stage, share); });
    prepared.path = target.path;
    prepared.pattern_seed = context.seed;
    prepared.written_bytes = whole;
    prepared.how =
        fmt::format("written in full, {} bytes in {:.2f} s", whole, seconds_of(clock.now() - started));
    return prepared;
}

void add_facts(const LoadCase& ready, Outcome& outcome) {
    for (std::size_t i = 0; i < ready.targets.size(); ++i) {
        std::map<std::string, std::string> facts = storage::describe(ready.targets[i]);
        facts["size_bytes"] = fmt::format("{}", ready.spans[i]);
        facts["preparation"] = ready.prepared[i].how;
        const std::string suffix = ready.targets.size() == 1 ? "" : fmt::format("_{}", i + 1);
        for (const auto& [name, value] : facts) outcome.resolved[name + suffix] = value;
    }
    outcome.resolved["kernel"] = kernel_release();
}

/// Whether the blocks of a file are really there; in the outcome what is known of it.
void check_extents(const Target& target, const Prepared& prepared, std::uint64_t bytes, Outcome& outcome) {
    if (target.kind == Target::Kind::named_device) return;
    const Extents extents = read_extents(os::open_file(prepared.path, O_RDONLY), bytes);
    const std::string objection = extents_objection(extents);
    if (!objection.empty()) {
        outcome.status = Status::failed;
        outcome.reason = "the file " + objection;
        return;
    }
    outcome.resolved["extents"] = extents.known ? fmt::format("{}", extents.count) : "unknown";
    if (!extents.known) {
        outcome.notes.push_back(
            "this file system does not tell where a file's blocks lie: that none is a hole "
            "is known only from having written them");
    }
    if (extents.encoded_bytes > 0) {
        outcome.notes.push_back(
            fmt::format("{} bytes lie compressed or encrypted on the device, which "
                        "therefore moves other bytes than we do",
                        extents.encoded_bytes));
    }
}

bool polls(const Target& target) {
    return !target.leaves.empty() &&
           std::all_of(target.leaves.begin(), target.leaves.end(), [](const os::BlockDevice& leaf) {
               const std::map<std::string, std::string> settings = os::queue_settings(leaf);
               const std::map<std::string, std::string>::const_iterator poll = settings.find("io_poll");
               return poll != settings.end() && poll->second == "1";
           });
}

std::function<os::FileDescriptor()> opener_of(const LoadKind& kind, const Target& target,
                                              const Prepared& prepared) {
    const std::filesystem::path path = prepared.path;
    if (!kind.writes) return [path] { return os::open_file(path, O_RDONLY | O_DIRECT); };
    if (target.is_scratch()) return [path] { return os::open_file(path, O_RDWR | O_DIRECT); };
    return [path, held = prepared.holder.get()] { return os::duplicate(held, path); };
}

}  // namespace

std::vector<Parameter> target_parameters(const LoadKind& kind, std::string_view block_bytes) {
    return {
        {"target", ParameterKind::text, "auto",
         kind.writes
             ? "file, block device or folder, several with commas between them; a file or device loses its "
               "content and must be named by --allow-destroy too, but for a file that begins with assay's "
               "own "
               "pattern; auto: a scratch file made for it"
             : "file or block device to read, never written, or a folder for a scratch file; several with "
               "commas between them; auto: a scratch file made for it"},
        {"size", ParameterKind::bytes, "auto",
         "bytes of each target to use; auto: 10G of a scratch file, all of a named target", 4096},
        {"engine",
         ParameterKind::choice,
         "auto",
         "how requests are submitted; auto: tries each that there is and takes the better",
         0,
         0,
         {"auto", "libaio", "io_uring"}},
        {"block_bytes", ParameterKind::bytes, block_bytes, "bytes of one transfer", 512, 16 << 20},
        {"seed", ParameterKind::integer, "1", "start of the random offsets", 0},
    };
}

void check_load(const LoadKind& kind, const Case& the_case, const Context& context, std::uint64_t in_flight) {
    const std::vector<Target> targets = look_at_targets(kind.probe, the_case, context);
    check_buffers(kind, the_case, targets.size(), in_flight);
    for (const Target& target : targets) {
        check_blocks(kind, the_case, target, in_flight);
        if (kind.writes && !target.is_scratch()) {
            refuse_unasked_write(fmt::format("{}.target", kind.probe), target, context.allow_destroy);
            continue;  // its holes are going to be filled
        }
        if (target.kind != Target::Kind::named_file) continue;
        const std::uint64_t bytes = span_bytes(kind.probe, the_case, target);
        const std::string objection =
            extents_objection(read_extents(os::open_file(target.path, O_RDONLY), bytes));
        if (objection.empty()) continue;
        throw InputError(fmt::format("{}.target: {} {}; accepted: a file written in full", kind.probe,
                                     target.path.string(), objection));
    }
}

PreparationEstimate estimate_preparation(const LoadKind& kind, const Case& the_case, const Context& context) {
    // Not measured, only for the time told beforehand: what a common disk writes in a second, and what a
    // slow one keeps up over all of it. The time limit leaves each a third of that.
    constexpr double assumed_rate = 1e9;
    constexpr double assumed_rate_of_named = 4e8;
    const std::map<std::string, std::string>::const_iterator verify = the_case.parameters.find("verify");
    const bool reads_all = verify != the_case.parameters.end() && verify->second == "all";
    PreparationEstimate estimate;
    const auto add = [&](std::uint64_t bytes, double rate) {
        estimate.seconds += static_cast<double>(bytes) * (reads_all ? 2 : 1) / rate;
    };
    if (the_case.is_auto("target")) {
        estimate.scratch_bytes = span_bytes(kind.probe, the_case, Target{});
        add(estimate.scratch_bytes, assumed_rate);
        return estimate;
    }
    try {
        for (const Target& target : look_at_targets(kind.probe, the_case, context)) {
            // What is not ours is neither written nor verified.
            if (!kind.writes && !target.is_scratch()) continue;
            add(span_bytes(kind.probe, the_case, target), assumed_rate_of_named);
        }
    } catch (const InputError&) {  // what is wrong with them, the case itself will say
    }
    return estimate;
}

LoadCase prepare_load(const LoadKind& kind, const Case& the_case, Context& context, Outcome& outcome) {
    LoadCase ready;
    ready.targets = look_at_targets(kind.probe, the_case, context);
    for (const Target& target : ready.targets) {
        const std::uint64_t bytes = span_bytes(kind.probe, the_case, target);
        ready.spans.push_back(bytes);
        if (!target.is_scratch()) continue;
        if (const std::optional<std::string> reason = no_room(target, bytes)) {
            outcome.status = Status::skipped;
            outcome.reason = *reason;
            return ready;
        }
    }
    for (std::size_t i = 0; i < ready.targets.size(); ++i) {
        const Target& target = ready.targets[i];
        const std::string stage = ready.targets.size() == 1
                                      ? "preparing"
                                      : fmt::format("preparing {} of {}", i + 1, ready.targets.size());
        if (kind.writes && !target.is_scratch()) {
            ready.prepared.push_back(precondition(target, ready.spans[i], context, stage));
        } else {
            ready.prepared.push_back(prepare(target, ready.spans[i], context.seed,
                                             [&](double share) { context.progress(stage, share); }));
        }
    }
    add_facts(ready, outcome);
    for (std::size_t i = 0; i < ready.targets.size() && outcome.status == Status::measured; ++i) {
        check_extents(ready.targets[i], ready.prepared[i], ready.spans[i], outcome);
    }
    return ready;
}

LoadOptions load_options(const LoadKind& kind, const Case& the_case, const LoadCase& ready) {
    LoadOptions options;
    options.order = kind.order;
    options.read_share = kind.writes ? 0 : 1;
    options.block_bytes = the_case.bytes("block_bytes");
    options.seed = static_cast<std::uint64_t>(the_case.integer("seed"));
    for (std::size_t i = 0; i < ready.targets.size(); ++i) {
        const Target& target = ready.targets[i];
        LoadTarget load;
        load.name = !target.is_scratch()        ? target.path.string()
                    : ready.targets.size() == 1 ? "the scratch file"
                                                : fmt::format("the scratch file in {}", target.path.string());
        load.open = opener_of(kind, target, ready.prepared[i]);
        load.span_bytes = ready.spans[i];
        load.cpus = nearest_first(kernels::cpus_by_core(), target.leaves);
        load.pattern_seed = ready.prepared[i].pattern_seed;
        load.polled = polls(target);
        options.targets.push_back(std::move(load));
    }
    return options;
}

void add_content_checks(const LoadCase& ready, const Verification& done, const LoadOptions& options,
                        Outcome& outcome) {
    bool foreign = false;
    for (std::size_t i = 0; i < ready.targets.size(); ++i) {
        if (ready.prepared[i].pattern_seed) continue;
        foreign = true;
        outcome.checks.push_back(data_check(ready.prepared[i].path, ready.spans[i], options.seed));
    }
    if (foreign)
        outcome.notes.push_back("the content of a named target is not ours and could not be verified");
    const bool comparable = options.writes() || options.block_bytes % pattern_bytes == 0;
    if (comparable && (!foreign || done.verified > 0)) outcome.checks.push_back(content_check(done));
    if (!comparable) {
        outcome.notes.push_back(
            fmt::format("blocks of {} bytes do not tell their content from themselves: not verified",
                        options.block_bytes));
    }
}

void add_verify_pass(const LoadCase& ready, Context& context, Outcome& outcome) {
    for (std::size_t i = 0; i < ready.targets.size(); ++i) {
        if (!ready.prepared[i].pattern_seed) continue;
        const std::string wrong =
            verify_pattern(ready.prepared[i].path, ready.spans[i], *ready.prepared[i].pattern_seed,
                           [&](double share) { context.progress("verifying", share); });
        Check check;
        check.name = "every block of the span";
        check.passed = wrong.empty();
        check.detail =
            wrong.empty() ? fmt::format("{} bytes read back, each block's offset, seed and checksum compared",
                                        ready.spans[i] / pattern_bytes * pattern_bytes)
                          : wrong;
        outcome.checks.push_back(check);
    }
}

}  // namespace assay::storage
