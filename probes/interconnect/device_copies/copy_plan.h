#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernels/device/device.h"
#include "probes/core/case.h"

namespace assay::interconnect {

/// What the parameter `to` of a case means.
enum class CopyTarget { host, device, peers };
CopyTarget target_of(const Case& the_case);

/// The directions that a case asks for, as they stand in the label `direction`: to_device, to_host and both
/// with the host; device_to_device (from `device` to `to`), back and both with another device.
std::vector<std::string> directions_of(const Case& the_case);

/// The number of directions at once.
inline int ways(const std::string& direction) {
    return direction == "both" ? 2 : 1;
}

/// Bytes of every buffer, or why there is no room for them.
struct CopySize {
    std::size_t bytes = 0;
    std::string shortage;  ///< the arithmetic; empty: they fit
};
/// A buffer a direction at either end, `most_ways` directions at once. `asked` 0: 256 MiB, halved while they
/// take more than a quarter of the device's or of the host's memory. `usable` is what the host has left,
/// `free` what the device has, where its driver tells.
CopySize size_copies(std::uint64_t asked, int most_ways, bool with_host, const DeviceInfo& device,
                     std::uint64_t usable, std::optional<std::uint64_t> free = std::nullopt);

/// Throws InputError for what cannot be measured whatever the machine has.
void check_copies(const Case& the_case);

}  // namespace assay::interconnect
