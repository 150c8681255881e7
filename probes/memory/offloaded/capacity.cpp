#include "probes/memory/capacity.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "kernels/cpu/caches.h"
#include "kernels/device/memory_limit.h"
#include "probes/core/accelerator_facts.h"
#include "probes/memory/checked/passes.h"
#include "probes/memory/offloaded/address_check.h"
#include "probes/memory/offloaded/offloaded.h"

namespace assay {

namespace {

// No card's caches hold a quarter of it.
constexpr std::uint64_t above_card_caches = std::uint64_t{1} << 30;

/// Nothing where nobody watches the device, or who does fails.
std::optional<TelemetryReading> reading_of(Accelerator& accelerator) {
    try {
        if (Telemetry* const telemetry = accelerator.telemetry()) return telemetry->read();
    } catch (const std::exception&) {
        // As good as no telemetry; the run's own watch says why.
    }
    return std::nullopt;
}

std::uint64_t rise(std::uint64_t before, std::uint64_t after) {
    return after > before ? after - before : 0;
}

/// What ECC counted meanwhile, and what the driver told of critical errors.
void add_errors(const std::optional<TelemetryReading>& before, const std::optional<TelemetryReading>& after,
                Outcome& outcome) {
    if (!before || !after || !before->ecc_uncorrected || !after->ecc_uncorrected) {
        outcome.notes.push_back("ECC errors are not told by this device, or its ECC is off.");
    } else {
        const std::uint64_t uncorrected = rise(*before->ecc_uncorrected, *after->ecc_uncorrected);
        outcome.checks.push_back(
            {"no uncorrected ECC error", uncorrected == 0, static_cast<double>(uncorrected),
             fmt::format("{} before and {} after", *before->ecc_uncorrected, *after->ecc_uncorrected)});
    }
    if (before && after && before->ecc_corrected && after->ecc_corrected)
        outcome.notes.push_back(fmt::format("ECC corrected {} errors meanwhile ({} before, {} after).",
                                            rise(*before->ecc_corrected, *after->ecc_corrected),
                                            *before->ecc_corrected, *after->ecc_corrected));
    // Read here, they are not told to the run's watch again.
    std::string xids;
    std::size_t count = 0;
    for (const std::optional<TelemetryReading>* const reading : {&before, &after}) {
        if (!*reading) continue;
        for (const std::uint64_t xid : (*reading)->xids) {
            xids += fmt::format("{}XID {}", xids.empty() ? "" : ", ", xid);
            ++count;
        }
    }
    if (count != 0)
        outcome.checks.push_back(
            {"the driver told of no critical error", false, static_cast<double>(count), xids});
}

void add_cache_note(const Accelerator& accelerator, std::uint64_t bytes, Outcome& outcome) {
    if (accelerator.is_card() ? bytes >= above_card_caches : bytes >= 4 * kernels::last_level_cache_bytes())
        return;
    outcome.notes.push_back(
        "So little memory may stand in caches: part of what was compared may never have been in memory.");
}

}  // namespace

Outcome offloaded_capacity(const Case& the_case, Context& context, Accelerator& accelerator,
                           const UsableBytes& usable) {
    const bool host = !accelerator.is_card();
    const CapacitySize size = capacity_size(the_case, host, usable(0));
    if (size.bytes == 0) return skipped(the_case, size.reason);

    const Nanoseconds begin = context.clock.now();
    // Chunks go before the check does, and it takes its own memory before them.
    OffloadedAddressCheck check(accelerator, context.clock);
    const std::optional<TelemetryReading> before = reading_of(accelerator);
    context.progress("taking the memory", 0);
    const TakingRules rules{true, usable, [&](DeviceMemory& memory) { check.add_chunk(memory); },
                            taking_limit(the_case, context), false};
    const TakenMemory taken = take_memory(accelerator, size, rules, context.clock);
    if (taken.bytes == 0) return failed(the_case, taken.shortage);

    const CheckedMemory memory{taken.bytes,
                               [&](const kernels::AddressPattern& pattern) { return check.write(pattern); },
                               [&](const kernels::AddressPattern& pattern, WrongWords& wrong) {
                                   return check.verify(pattern, wrong);
                               }};
    const Passes passes = run_passes(memory, context, begin);
    const LabelledMemory labelled =
        labelled_memory(accelerator, find_accelerator(context.accelerator_facts, accelerator.info()));

    Outcome outcome;
    outcome.notes.push_back(size.reason);
    if (!taken.shortage.empty()) outcome.notes.push_back(taken.shortage);
    add_capacity_metrics(taken.bytes, 0, passes, labelled, outcome);
    outcome.resolved["bytes"] = std::to_string(taken.bytes);
    outcome.resolved["chunks"] = std::to_string(taken.chunks.size());
    if (taken.refusals != 0) outcome.resolved["refused_allocations"] = std::to_string(taken.refusals);
    outcome.resolved["passes"] = std::to_string(passes.done);
    outcome.resolved["labelled_bytes"] = std::to_string(labelled.bytes);
    outcome.resolved["labelled_by"] = labelled.source;
    outcome.notes.push_back(
        "Every 64-bit word tells its own offset, so that memory which answers at two addresses is found. The "
        "device writes all in ascending order, then reads them, chunks in bit-reversed order and each from "
        "its end down, and compares. Timed by its events; filled with ones before. 1 GB/s is 10^9 bytes a "
        "second.");
    if (passes.done < 2 && passes.wrong.count == 0)
        outcome.notes.push_back("The second pass, with all bits turned, was left out for want of time.");
    if (host)
        outcome.notes.push_back(accelerator.info().id + " computes on the CPU: its memory is the host's.");
    add_cache_note(accelerator, taken.bytes, outcome);
    Check pattern_check = pattern_check_of(passes, taken.bytes);
    if (!pattern_check.passed) pattern_check.detail += check.describe_place(passes.wrong);
    outcome.checks.push_back(pattern_check);
    add_errors(before, reading_of(accelerator), outcome);
    if (!the_case.is_auto("bytes")) outcome.checks.push_back(all_was_had(taken, size));
    return outcome;
}

void check_offloaded_capacity(const Case& the_case) {
    for (const char* name : {"threads", "page"})
        if (!the_case.is_auto(name))
            throw InputError(fmt::format("memory.capacity.{}: is of cpu:0 alone; accepted on {}: auto", name,
                                         the_case.text("device")));
}

Estimate estimate_offloaded_capacity(const Case& the_case, const Context& context) {
    // The device's memory is not known before it is opened, and it is not the host's, mostly.
    constexpr double a_large_card = 200e9, slow_card = 20e9;
    const double all = std::max(a_large_card, static_cast<double>(usable_memory_bytes()));
    const double bytes = the_case.is_auto("bytes") ? all : static_cast<double>(the_case.bytes("bytes"));
    Estimate estimate;
    estimate.seconds =
        2 + std::min(bytes / slow_card, taking_limit(the_case, context).count()) + 4 * bytes / slow_card;
    return estimate;
}

}  // namespace assay
