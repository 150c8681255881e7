#include <system_error>

#include "probes/core/os/sysfs.h"
#include "probes/inventory/tree.h"

namespace assay::inventory {
namespace {

namespace fs = std::filesystem;

bool is_present(const fs::path& path) {
    std::error_code error;
    return fs::exists(path, error);
}

/// "4: ACTIVE" -> "ACTIVE".
std::string after_colon(const std::string& text) {
    const std::size_t colon = text.find(':');
    return colon == std::string::npos ? text : trimmed(text.substr(colon + 1));
}

}  // namespace

std::vector<NetworkInterface> gather_interfaces(const fs::path& root) {
    std::vector<NetworkInterface> found;
    const fs::path folder = root / "sys/class/net";
    for (const std::string& name : names_in(folder)) {
        const fs::path one = resolved_path(folder / name);
        const bool has_hardware = is_present(one / "device");
        if (one.empty() || (!has_hardware && !is_present(one / "bonding"))) continue;
        NetworkInterface interface;
        interface.name = name;
        interface.driver = has_hardware ? link_name(one / "device/driver") : "bonding";
        interface.state = text_of(one / "operstate");
        // -1 or an error: the link is down, or the driver (a virtual one) has no notion of speed.
        const std::optional<std::int64_t> megabits = os::read_integer(one / "speed");
        constexpr std::int64_t unknown = 0xffffffff;
        if (megabits && *megabits > 0 && *megabits != unknown) {
            interface.speed_bits = static_cast<double>(*megabits) * 1e6;
        }
        interface.mtu = os::read_integer(one / "mtu");
        constexpr int infiniband = 32;  // ARPHRD_INFINIBAND
        interface.infiniband = os::read_integer(one / "type").value_or(0) == infiniband;
        if (has_hardware) interface.link = link_of(resolved_path(one / "device"), root);
        found.push_back(std::move(interface));
    }
    return found;
}

std::vector<RdmaPort> gather_rdma(const fs::path& root) {
    std::vector<RdmaPort> found;
    const fs::path folder = root / "sys/class/infiniband";
    for (const std::string& device : names_in(folder)) {
        for (const std::string& port : names_in(folder / device / "ports")) {
            const fs::path one = folder / device / "ports" / port;
            found.push_back({device, static_cast<int>(leading_integer(port).value_or(0)),
                             text_of(one / "link_layer"), after_colon(text_of(one / "state")),
                             text_of(one / "rate")});
        }
    }
    return found;
}

}  // namespace assay::inventory
