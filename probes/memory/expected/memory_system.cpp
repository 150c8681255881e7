#include <algorithm>
#include <set>
#include <string_view>

#include "kernels/cpu/affinity.h"
#include "probes/core/os/sysfs.h"
#include "probes/core/os/text.h"
#include "probes/memory/expected/expected.h"

namespace assay {

namespace {

namespace fs = std::filesystem;

/// The text behind "name : " of the first line of /proc/cpuinfo that has it.
std::string cpuinfo_value(const std::string& cpuinfo, std::string_view name) {
    for (const std::string_view line : os::split(cpuinfo, '\n')) {
        const std::size_t colon = line.find(':');
        if (!line.starts_with(name) || colon == std::string_view::npos || colon + 2 > line.size()) continue;
        return std::string(line.substr(colon + 2));
    }
    return {};
}

bool has_word(const std::string& text, std::string_view word) {
    const std::vector<std::string_view> words = os::split(text, ' ');
    return std::find(words.begin(), words.end(), word) != words.end();
}

/// Packages of these CPUs; 0 where the system shows no topology.
int sockets_of(const fs::path& root, const std::vector<int>& cpus) {
    std::set<std::int64_t> packages;
    for (const int cpu : cpus) {
        const fs::path folder =
            root / "sys/devices/system/cpu" / ("cpu" + std::to_string(cpu)) / "topology/physical_package_id";
        const std::optional<std::int64_t> package = os::read_integer(folder);
        if (package && *package >= 0) packages.insert(*package);
    }
    return static_cast<int>(packages.size());
}

int at_least_one(std::size_t count) {
    return std::max(1, static_cast<int>(count));
}

}  // namespace

MemorySystem read_memory_system(const fs::path& root) {
    MemorySystem system;
    const std::string cpuinfo = os::read_text(root / "proc/cpuinfo").value_or("");
    system.cpu_model = cpuinfo_value(cpuinfo, "model name");
    const std::string hypervisor = os::read_text(root / "sys/hypervisor/type").value_or("");
    system.in_virtual_machine =
        has_word(cpuinfo_value(cpuinfo, "flags"), "hypervisor") || !hypervisor.empty();
    const std::vector<int> online =
        os::parse_cpu_list(os::read_text(root / "sys/devices/system/cpu/online").value_or(""));
    system.sockets = std::max(1, sockets_of(root, online));
    // Only of this machine is it known what this process may use.
    const std::vector<int> allowed = root == "/" ? kernels::CpuSet::of_calling_thread().members() : online;
    const int used = sockets_of(root, allowed);
    system.sockets_used = used > 0 ? std::min(used, system.sockets) : system.sockets;
    system.numa_nodes = at_least_one(
        os::parse_cpu_list(os::read_text(root / "sys/devices/system/node/has_memory").value_or("")).size());
    system.modules = os::read_memory_modules(root);
    return system;
}

}  // namespace assay
