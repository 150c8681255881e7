#include "probes/interconnect/device_copies/copy_plan.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "probes/core/bytes_in_words.h"

namespace assay::interconnect {

namespace {

constexpr std::uint64_t usual_bytes = std::uint64_t{256} << 20;
constexpr std::uint64_t least_bytes = std::uint64_t{1} << 20;

const std::vector<std::string> host_directions = {"to_device", "to_host", "both"};
const std::vector<std::string> peer_directions = {"device_to_device", "back", "both"};

std::string interface_of(const std::string& device) {
    return device.substr(0, device.find(':'));
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

/// An accelerator's id, by the rules of a parameter of that kind.
bool names_accelerator(const std::string& text) {
    const Parameter device{"to", ParameterKind::device, "", ""};
    try {
        canonical_value(device, text, "");
    } catch (const InputError&) {
        return false;
    }
    return interface_of(text) != "cpu";
}

}  // namespace

CopyTarget target_of(const Case& the_case) {
    const std::string& to = the_case.text("to");
    if (to == "auto" || to == "host") return CopyTarget::host;
    return to == "peers" ? CopyTarget::peers : CopyTarget::device;
}

std::vector<std::string> directions_of(const Case& the_case) {
    if (the_case.text("direction") != "all") return {the_case.text("direction")};
    return target_of(the_case) == CopyTarget::host ? host_directions : peer_directions;
}

CopySize size_copies(std::uint64_t asked, int most_ways, bool with_host, const DeviceInfo& device,
                     std::uint64_t usable, std::optional<std::uint64_t> free) {
    const std::uint64_t buffers = static_cast<std::uint64_t>(most_ways);
    // A CPU's device memory is the host's, and its buffers stand beside those of the host.
    const bool in_host = device.kind == "cpu";
    const std::uint64_t host_buffers = (with_host ? buffers : 0) + (in_host ? buffers : 0);
    const std::uint64_t there = free.value_or(device.memory_bytes);
    const std::uint64_t own = free || there != 0 ? there / buffers : UINT64_MAX;
    const std::uint64_t hosts = usable != 0 && host_buffers != 0 ? usable / host_buffers : UINT64_MAX;
    std::uint64_t bytes = asked;
    if (asked == 0) {
        bytes = usual_bytes;
        while (bytes > least_bytes && bytes > std::min(own, hosts) / 4) bytes /= 2;
    }
    if (bytes > own)
        return {bytes,
                fmt::format("{} of {} {} more than the {} that {} has{}",
                            counted(buffers, "buffer", "buffers"), bytes_in_words(bytes),
                            buffers == 1 ? "is" : "are", bytes_in_words(device.memory_bytes), device.id,
                            free ? fmt::format(", of which {} are free now", bytes_in_words(*free)) : "")};
    if (bytes > hosts)
        return {bytes,
                fmt::format("{} of {} {} more than the {} of memory that this process may still use",
                            counted(host_buffers, "host buffer", "host buffers"), bytes_in_words(bytes),
                            host_buffers == 1 ? "is" : "are", bytes_in_words(usable))};
    return {bytes, {}};
}

void check_copies(const Case& the_case) {
    const std::string& device = the_case.text("device");
    const std::string& to = the_case.text("to");
    if (interface_of(device) == "cpu")
        throw InputError(
            fmt::format("interconnect.transfer.device: {} has no memory beside the host's to copy to; "
                        "accepted: opencl:N or cuda:N",
                        device));
    const CopyTarget target = target_of(the_case);
    if (target == CopyTarget::device) {
        if (!names_accelerator(to))
            throw InputError(
                fmt::format("interconnect.transfer.to: '{}' is not accepted; accepted: auto, "
                            "host, peers, or another device as {}:N",
                            to, interface_of(device)));
        if (to == device)
            throw InputError(
                fmt::format("interconnect.transfer.to: {} is the device itself; accepted: another device, "
                            "host or peers (memory.bandwidth measures copies within one)",
                            to));
        if (interface_of(to) != interface_of(device))
            throw InputError(
                fmt::format("interconnect.transfer.to: {} and {} are reached through different "
                            "interfaces, which copy nothing to each other; accepted: {}:N",
                            to, device, interface_of(device)));
    }
    const bool with_host = target == CopyTarget::host;
    if (!with_host && the_case.text("memory") != "auto")
        throw InputError(
            fmt::format("interconnect.transfer.memory: {} is a kind of host memory, which copies "
                        "between devices do not use; accepted: auto",
                        the_case.text("memory")));
    const std::vector<std::string>& possible = with_host ? host_directions : peer_directions;
    for (const std::string& direction : directions_of(the_case))
        if (!contains(possible, direction))
            throw InputError(
                fmt::format("interconnect.transfer.direction: {} does not go with to={}; "
                            "accepted: all, {}",
                            direction, to, fmt::join(possible, ", ")));
}

}  // namespace assay::interconnect
