#include "probes/interconnect/device_copies/device_copies.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernels/cpu/caches.h"
#include "kernels/device/memory_limit.h"
#include "probes/interconnect/device_copies/copy_pair.h"
#include "probes/interconnect/device_copies/copy_plan.h"
#include "probes/interconnect/interconnect.h"

namespace assay::interconnect {

namespace {

/// The policy of one direction among `points` of them.
SamplingPolicy policy_of(const Case& the_case, const Context& context, std::size_t points) {
    SamplingPolicy policy = context.sampling;
    if (!the_case.is_auto("seconds")) {
        policy.fixed_time = true;
        policy.minimum_time = policy.maximum_time = Seconds(the_case.seconds("seconds"));
    } else if (points > 1) {
        policy.maximum_time = std::min(policy.maximum_time, Seconds(context.quick ? 1 : 3));
        policy.minimum_time = std::min(policy.minimum_time, policy.maximum_time);
    }
    policy.maximum_warm_up = std::min(policy.maximum_warm_up, Seconds(0.5));
    return policy;
}

/// The other devices that a case copies to, or why there are none. An empty list is the host.
struct Others {
    std::vector<std::unique_ptr<Device>> devices;
    std::string absent;
};

std::vector<std::string> ids_of(const Case& the_case, const Accelerator& device,
                                const Surroundings& surroundings) {
    if (target_of(the_case) == CopyTarget::device) return {the_case.text("to")};
    const std::string& own = device.info().id;
    const std::string interface = own.substr(0, own.find(':') + 1);
    std::vector<std::string> ids;
    for (const DeviceInfo& listed : surroundings.survey().devices)
        if (listed.id != own && listed.id.starts_with(interface)) ids.push_back(listed.id);
    return ids;
}

Others open_others(const Case& the_case, const Accelerator& device, const Surroundings& surroundings) {
    Others others;
    if (target_of(the_case) == CopyTarget::host) return others;
    // Every OpenCL device here has a context of its own, and between contexts nothing is copied.
    if (device.info().id.starts_with("opencl:")) {
        others.absent =
            "copies between OpenCL devices would go through memory of the host and tell nothing of a link "
            "between them: not measured";
        return others;
    }
    for (const std::string& id : ids_of(the_case, device, surroundings)) {
        std::variant<std::unique_ptr<Device>, Absent> opened = surroundings.open(id);
        if (const Absent* absent = std::get_if<Absent>(&opened)) {
            others.absent = absent->reason.empty() ? id + " is not present" : absent->reason;
            return others;
        }
        others.devices.push_back(std::move(std::get<std::unique_ptr<Device>>(opened)));
    }
    if (others.devices.empty())
        others.absent =
            fmt::format("{} has no peer: there is no other device of its interface", device.info().id);
    return others;
}

void add_notes(const Accelerator& device, const CopySize& size, const NearCard& near, const LinkRecord& links,
               bool with_host, Outcome& outcome) {
    outcome.resolved["bytes"] = std::to_string(size.bytes);
    if (!device.is_card()) {
        outcome.notes.push_back(fmt::format(
            "The memory of {} is the host's: these are copies within it, over no link, and no link is told.",
            device.info().id));
    } else if (with_host) {
        outcome.notes.push_back(near.note());
        links.add_notes(outcome);
    }
    const std::uint64_t caches = kernels::last_level_cache_bytes();
    if ((with_host || !device.is_card()) && size.bytes < caches)
        outcome.notes.push_back(
            fmt::format("A host buffer has {} bytes, the host's last-level caches {}: a part may come from "
                        "them and not from memory.",
                        size.bytes, caches));
    outcome.notes.push_back(
        "Latency: one copy at a time, by the host's clock from the call until the queue is done.");
    outcome.notes.push_back(
        "Every target is poisoned with 0xFF, then the whole of it compared with the source's random bytes.");
}

}  // namespace

Outcome measure_device_copies(const Case& the_case, Context& context, Accelerator& device,
                              const Surroundings& surroundings) {
    const bool with_host = target_of(the_case) == CopyTarget::host;
    const Others others = open_others(the_case, device, surroundings);
    if (!others.absent.empty()) return skipped(the_case, others.absent);

    const std::vector<std::string> directions = directions_of(the_case);
    int most_ways = 1;
    for (const std::string& direction : directions) most_ways = std::max(most_ways, ways(direction));
    const CopySize size = size_copies(the_case.is_auto("bytes") ? 0 : the_case.bytes("bytes"), most_ways,
                                      with_host, device.info(), usable_memory_bytes(), device.free_bytes());
    if (!size.shortage.empty()) return skipped(the_case, size.shortage);

    Outcome outcome;
    outcome.the_case = the_case;
    NearCard near(device.info(), surroundings.root);
    LinkRecord links(device.info().pci_address, surroundings.root, context.clock);
    std::vector<Accelerator*> targets;
    if (with_host) targets.push_back(nullptr);
    for (const std::unique_ptr<Device>& other : others.devices)
        targets.push_back(&dynamic_cast<Accelerator&>(*other));
    const std::size_t points = targets.size() * directions.size();
    const SamplingPolicy policy = policy_of(the_case, context, points);
    double done = 0;
    for (Accelerator* target : targets) {
        CopyPair pair(the_case, context, device, target, near, links, outcome);
        for (const std::string& direction : directions) {
            context.progress(direction, done++ / static_cast<double>(points));
            pair.measure(direction, size.bytes, policy);
        }
        pair.finish();
    }
    const Probe probe = interconnect_transfer_probe();
    links.add_metrics(probe.metric("interconnect.transfer.link_generation"),
                      probe.metric("interconnect.transfer.link_width"), outcome);
    if (with_host) outcome.resolved["memory"] = the_case.text("memory") == "pageable" ? "pageable" : "pinned";
    add_notes(device, size, near, links, with_host, outcome);
    return outcome;
}

}  // namespace assay::interconnect
