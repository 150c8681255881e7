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

/// The CPU's package; nothing where the system shows no topology.
std::optional<std::int64_t> socket_of(const fs::path& root, int cpu) {
    const std::optional<std::int64_t> package = os::read_integer(
        root / "sys/devices/system/cpu" / ("cpu" + std::to_string(cpu)) / "topology/physical_package_id");
    return package && *package >= 0 ? package : std::nullopt;
}

std::set<std::int64_t> sockets_of(const fs::path& root, const std::vector<int>& cpus) {
    std::set<std::int64_t> sockets;
    for (const int cpu : cpus)
        if (const std::optional<std::int64_t> socket = socket_of(root, cpu)) sockets.insert(*socket);
    return sockets;
}

int at_least_one(std::size_t count) {
    return std::max(1, static_cast<int>(count));
}

}  // namespace

MemorySystem read_memory_system(const fs::path& root, std::optional<std::vector<int>> allowed_cpus) {
    MemorySystem system;
    const std::string cpuinfo = os::read_text(root / "proc/cpuinfo").value_or("");
    system.cpu_model = cpuinfo_value(cpuinfo, "model name");
    const std::string hypervisor = os::read_text(root / "sys/hypervisor/type").value_or("");
    system.in_virtual_machine =
        has_word(cpuinfo_value(cpuinfo, "flags"), "hypervisor") || !hypervisor.empty();
    const std::vector<int> online =
        os::parse_cpu_list(os::read_text(root / "sys/devices/system/cpu/online").value_or(""));
    system.sockets = at_least_one(sockets_of(root, online).size());
    // Only of this machine is it known what this process may use.
    if (!allowed_cpus) allowed_cpus = root == "/" ? kernels::CpuSet::of_calling_thread().members() : online;
    const std::set<std::int64_t> used = sockets_of(root, *allowed_cpus);
    system.sockets_used =
        used.empty() ? system.sockets : std::min(static_cast<int>(used.size()), system.sockets);
    const std::ptrdiff_t beside = std::count_if(online.begin(), online.end(), [&](int cpu) {
        const std::optional<std::int64_t> socket = socket_of(root, cpu);
        return !socket || used.empty() || used.contains(*socket);
    });
    system.cpus_allowed = at_least_one(allowed_cpus->size());
    system.cpus_online = std::max(system.cpus_allowed, static_cast<int>(beside));
    system.numa_nodes = at_least_one(
        os::parse_cpu_list(os::read_text(root / "sys/devices/system/node/has_memory").value_or("")).size());
    system.modules = os::read_memory_modules(root);
    return system;
}

}  // namespace assay
