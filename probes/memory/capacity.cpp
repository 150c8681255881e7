#include "probes/memory/capacity.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "kernels/cpu/caches.h"
#include "kernels/device/memory_limit.h"
#include "kernels/device/pages.h"
#include "probes/core/cpu_choice.h"
#include "probes/memory/checked/passes.h"
#include "probes/memory/checked/pattern_check.h"
#include "probes/memory/checked/residency.h"
#include "probes/memory/memory.h"
#include "probes/memory/offloaded/offloaded.h"

namespace assay {

namespace {

// Of a case's time, how long the system may take to hand out the memory.
constexpr Seconds quick_taking{1.5};
constexpr Seconds full_taking{60};
// Of the host's memory others need some too; of a card's nobody does, and all of it is in question.
constexpr double host_share = 0.8;
constexpr double card_share = 0.99;

/// Bytes of the chunks that are not in memory; nothing where the system does not tell.
std::optional<std::uint64_t> absent_bytes(const TakenMemory& taken) {
    std::uint64_t absent = 0;
    for (const std::unique_ptr<DeviceMemory>& chunk : taken.chunks) {
        const std::optional<std::uint64_t> resident = resident_bytes(chunk->host_pointer(), chunk->bytes());
        if (!resident) return std::nullopt;
        absent += chunk->bytes() - *resident;
    }
    return absent;
}

/// Locks what may be locked; returns the bytes.
std::uint64_t lock(const TakenMemory& taken) {
    std::uint64_t locked = 0;
    for (const std::unique_ptr<DeviceMemory>& chunk : taken.chunks) {
        if (!lock_in_memory(chunk->host_pointer(), chunk->bytes())) break;
        locked += chunk->bytes();
    }
    return locked;
}

/// Of the whole allocation; nothing where the system does not tell.
std::optional<double> huge_share(const TakenMemory& taken) {
    double huge = 0;
    for (const std::unique_ptr<DeviceMemory>& chunk : taken.chunks) {
        const std::optional<double> share = huge_page_share(chunk->host_pointer(), chunk->bytes());
        if (!share) return std::nullopt;
        huge += *share * static_cast<double>(chunk->bytes());
    }
    return huge / static_cast<double>(taken.bytes);
}

Check pattern_verdict(const Passes& passes, std::uint64_t bytes) {
    Check check = pattern_check_of(passes, bytes);
    if (check.passed) return check;
    const std::optional<std::uint64_t> physical = physical_address(passes.wrong.address);
    check.detail += physical ? fmt::format("; physical address {:#x}", *physical)
                             : "; its physical address is not shown to this process";
    return check;
}

/// Resolved facts and notes about where the memory was while it was checked.
struct Residency {
    std::optional<std::uint64_t> absent;  ///< bytes that left memory
    std::string note;
};

Residency residency_of(const TakenMemory& taken, std::uint64_t locked,
                       const std::optional<std::uint64_t>& swapped_before) {
    Residency residency;
    residency.absent = absent_bytes(taken);
    const std::optional<std::uint64_t> swapped = swapped_bytes();
    const bool was_swapped = swapped && *swapped > swapped_before.value_or(0);
    if (!residency.absent) {
        residency.note = "The system does not tell whether all of the memory stayed resident.";
    } else if (*residency.absent != 0) {
        residency.note = fmt::format(
            "{} bytes were not resident after the check and do not count as verified.", *residency.absent);
    } else {
        residency.note = "All of the memory was resident after the check (mincore)";
        residency.note +=
            locked == taken.bytes
                ? ", locked there."
                : fmt::format("; the system let {} of {} bytes be locked there.", locked, taken.bytes);
    }
    if (was_swapped)
        residency.note += fmt::format(
            " {} bytes of this process were swapped out meanwhile: part of the check "
            "was of the swap device.",
            *swapped - swapped_before.value_or(0));
    return residency;
}

void add_resolved(const TakenMemory& taken, const Passes& passes, const LabelledMemory& labelled, int threads,
                  std::uint64_t locked, Outcome& outcome) {
    outcome.resolved["bytes"] = std::to_string(taken.bytes);
    outcome.resolved["chunks"] = std::to_string(taken.chunks.size());
    if (taken.refusals != 0) outcome.resolved["refused_allocations"] = std::to_string(taken.refusals);
    outcome.resolved["threads"] = std::to_string(threads);
    outcome.resolved["isa"] = kernels::to_string(kernels::pattern_form(kernels::best_vector_isa()));
    outcome.resolved["passes"] = std::to_string(passes.done);
    outcome.resolved["labelled_bytes"] = std::to_string(labelled.bytes);
    outcome.resolved["labelled_by"] = labelled.source;
    outcome.resolved["locked_bytes"] = std::to_string(locked);
}

void add_page_notes(const TakenMemory& taken, const Case& the_case, Outcome& outcome) {
    const std::optional<double> huge = huge_share(taken);
    if (!huge) return;
    outcome.resolved["huge_page_share"] = fmt::format("{:.3f}", *huge);
    if (the_case.text("page") == "2M" && *huge < 0.9)
        outcome.notes.push_back(fmt::format(
            "2 MiB pages were asked for; the system gave them for {:.0f} % of the memory.", 100 * *huge));
}

void add_cache_note(const TakenMemory& taken, Outcome& outcome) {
    if (kernels::pattern_stores_around_caches()) {
        outcome.notes.push_back(
            "The stores go around the caches and every word is read once a pass, so that what was compared "
            "came "
            "from memory.");
        return;
    }
    const std::uint64_t caches = kernels::last_level_cache_bytes();
    if (taken.bytes < 4 * caches)
        outcome.notes.push_back(
            fmt::format("The last-level caches hold {} bytes: part of what was compared may "
                        "never have been in memory.",
                        caches));
}

UsableBytes usable_of(const Device& device) {
    if (device.info().kind == "cpu") return [](std::uint64_t) { return usable_memory_bytes(); };
    return usable_of_card(device.info().memory_bytes, [] { return usable_memory_bytes(); });
}

Outcome run(const Case& the_case, Context& context) {
    return check_capacity(the_case, context, usable_of(*context.device));
}

std::uint64_t asked_bytes(const Case& the_case) {
    return the_case.is_auto("bytes") ? 0 : the_case.bytes("bytes");
}

void check(const Case& the_case, const Context&) {
    if (on_cpu(the_case))
        threads_of(the_case);
    else
        check_offloaded_capacity(the_case);
    if (!the_case.is_auto("bytes") && !the_case.is_auto("share"))
        throw InputError("memory.capacity.share: bytes says how much is checked; accepted: one of the two");
}

Estimate estimate(const Case& the_case, const Context& context) {
    if (!on_cpu(the_case)) return estimate_offloaded_capacity(the_case, context);
    Estimate estimate;
    estimate.memory_bytes = capacity_size(the_case, true, usable_memory_bytes()).bytes;
    const double bytes = static_cast<double>(estimate.memory_bytes);
    // Bytes a second of one CPU, slow ones: first touch, then two passes of writing and reading.
    constexpr double touch_rate = 1.5e9, pass_rate = 5e9;
    const double threads = threads_of(the_case);
    estimate.seconds = 1 + std::min(bytes / touch_rate / threads, taking_limit(the_case, context).count()) +
                       4 * bytes / pass_rate / std::min(threads, 8.0);
    return estimate;
}

}  // namespace

CapacitySize capacity_size(const Case& the_case, bool host, std::uint64_t usable) {
    const double share =
        the_case.is_auto("share") ? (host ? host_share : card_share) : the_case.real("share");
    return size_capacity(asked_bytes(the_case), share, usable, reserve_bytes(host, usable));
}

Seconds taking_limit(const Case& the_case, const Context& context) {
    if (!the_case.is_auto("seconds")) return Seconds(the_case.seconds("seconds"));
    return context.quick ? quick_taking : full_taking;
}

Outcome check_capacity(const Case& the_case, Context& context, const UsableBytes& usable) {
    Device& device = *context.device;
    if (Accelerator* const accelerator = device.accelerator())
        return offloaded_capacity(the_case, context, *accelerator, usable);
    const CapacitySize size = capacity_size(the_case, on_cpu(the_case), usable(0));
    if (size.bytes == 0) return skipped(the_case, size.reason);

    const Nanoseconds begin = context.clock.now();
    const std::optional<std::uint64_t> swapped_before = swapped_bytes();
    kernels::ThreadTeam team(threads_of(the_case));
    PatternCheck pattern_check(team, context.clock, size.bytes);
    context.progress("taking the memory", 0);
    const TakingRules rules{the_case.text("page") != "4K", usable,
                            [&](DeviceMemory& memory) { pattern_check.add_chunk(memory); },
                            taking_limit(the_case, context)};
    const TakenMemory taken = take_memory(device, size, rules, context.clock);
    if (taken.unreachable)
        return skipped(the_case,
                       fmt::format("the host cannot reach the memory of {}, and this version has no "
                                   "kernel that checks it there",
                                   device.info().id));
    if (taken.bytes == 0) return skipped(the_case, taken.shortage);

    const std::uint64_t locked = device.info().kind == "cpu" ? lock(taken) : 0;
    const CheckedMemory memory{
        taken.bytes, [&](const kernels::AddressPattern& pattern) { return pattern_check.write(pattern); },
        [&](const kernels::AddressPattern& pattern, WrongWords& wrong) {
            return pattern_check.verify(pattern, wrong);
        }};
    const Passes passes = run_passes(memory, context, begin);
    const Residency residency = residency_of(taken, locked, swapped_before);
    const LabelledMemory labelled = labelled_memory(device);

    Outcome outcome;
    outcome.notes.push_back(size.reason);
    if (!taken.shortage.empty()) outcome.notes.push_back(taken.shortage);
    add_capacity_metrics(taken.bytes, residency.absent.value_or(0), passes, labelled, outcome);
    add_resolved(taken, passes, labelled, team.size(), locked, outcome);
    outcome.notes.push_back(
        "Every 64-bit word tells its own offset, so that memory which answers at two addresses is found; all "
        "are "
        "written in ascending order, then read in bit-reversed order of blocks and compared. The memory was "
        "touched before, so that no page fault is in a figure. 1 GB/s is 10^9 bytes a second.");
    if (passes.done < 2 && passes.wrong.count == 0)
        outcome.notes.push_back("The second pass, with all bits turned, was left out for want of time.");
    outcome.notes.push_back(residency.note);
    add_page_notes(taken, the_case, outcome);
    add_cache_note(taken, outcome);
    outcome.checks.push_back(pattern_verdict(passes, taken.bytes));
    if (!the_case.is_auto("bytes")) outcome.checks.push_back(all_was_had(taken, size));
    return outcome;
}

Probe memory_capacity_probe() {
    Probe probe;
    probe.name = "memory.capacity";
    probe.summary = "Whether the memory is all there: written with its own addresses and read back.";
    probe.parameters = {
        {"device", ParameterKind::device, "cpu:0", "the device whose memory is checked"},
        {"bytes", ParameterKind::bytes, "auto",
         "how much is checked; auto: `share` of what is free and allowed", 4096},
        {"share", ParameterKind::real, "auto",
         "of what is free and allowed, 0.01 to 1 less a reserve; auto: 0.8 of the host's, 0.99 of another "
         "device's",
         0.01, 1},
        {"seconds", ParameterKind::seconds, "auto",
         "how long the system may take to hand out the memory; what has not come by then is not checked; "
         "auto: "
         "60, with --quick 1.5",
         0.1},
        threads_parameter(),
        {"page",
         ParameterKind::choice,
         "auto",
         "page size asked for; auto: 2M, and whatever is given will do",
         0,
         0,
         {"auto", "4K", "2M"}},
    };
    probe.metrics = capacity_metrics();
    probe.run = run;
    probe.estimate = estimate;
    probe.check = check;
    probe.tiny = {{"bytes", "1M"}};
    return probe;
}

}  // namespace assay
