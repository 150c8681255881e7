#include "probes/storage/target/near_cpus.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <system_error>

#include <fmt/format.h>

#include "probes/core/os/sysfs.h"
#include "probes/core/os/text.h"

namespace assay::storage {
namespace {

/// The PCI function that drives a disk: the nearest folder above it that has interrupts. Empty without one.
std::filesystem::path controller_of(const os::BlockDevice& device, const std::filesystem::path& root) {
    std::error_code missing;
    std::filesystem::path folder = device.disk_folder;
    while (folder.has_relative_path() && folder != root / "sys") {
        if (std::filesystem::exists(folder / "msi_irqs", missing)) return folder;
        folder = folder.parent_path();
    }
    return {};
}

void bring_forward(std::vector<int>& cpus, const std::vector<int>& first) {
    std::stable_partition(cpus.begin(), cpus.end(),
                          [&](int cpu) { return std::find(first.begin(), first.end(), cpu) != first.end(); });
}

}  // namespace

std::vector<int> interrupted_cpus(std::string_view interrupts, const std::vector<std::string_view>& numbers) {
    const std::vector<std::string_view> lines = os::split(interrupts, '\n');
    if (lines.empty()) return {};
    std::vector<int> columns;  // the first line names the CPUs that are online
    for (const std::string_view name : os::split(lines[0], ' ')) {
        if (!name.starts_with("CPU")) return {};
        columns.push_back(static_cast<int>(os::parse_number(name.substr(3)).value_or(0)));
    }
    std::map<int, std::uint64_t> counts;
    std::uint64_t total = 0;
    for (const std::string_view line : lines) {
        const std::vector<std::string_view> words = os::split(line, ' ');
        if (words.size() < columns.size() + 1 || !words[0].ends_with(':')) continue;
        const std::string_view number = words[0].substr(0, words[0].size() - 1);
        if (std::find(numbers.begin(), numbers.end(), number) == numbers.end()) continue;
        for (std::size_t i = 0; i < columns.size(); ++i) {
            const std::uint64_t count = os::parse_number(words[i + 1]).value_or(0);
            counts[columns[i]] += count;
            total += count;
        }
    }
    std::vector<int> busy;
    for (const auto& [cpu, count] : counts) {
        if (count > 0 && count >= total / 10) busy.push_back(cpu);
    }
    return busy;
}

std::vector<int> nearest_first(std::vector<int> cpus, const std::vector<os::BlockDevice>& devices,
                               const std::filesystem::path& root) {
    if (devices.empty()) return cpus;
    // Striped over several disks, there is no one place; the first stands for all.
    const std::filesystem::path controller = controller_of(devices.front(), root);
    if (controller.empty()) return cpus;
    const std::int64_t node = os::read_integer(controller / "numa_node").value_or(-1);
    if (node >= 0) {
        const std::string list =
            os::read_text(root / fmt::format("sys/devices/system/node/node{}/cpulist", node)).value_or("");
        bring_forward(cpus, os::parse_cpu_list(list));
    }
    std::vector<std::string> numbers;
    std::error_code missing;
    for (const std::filesystem::directory_entry& entry :
         std::filesystem::directory_iterator(controller / "msi_irqs", missing)) {
        numbers.push_back(entry.path().filename().string());
    }
    const std::string interrupts = os::read_text(root / "proc/interrupts").value_or("");
    const std::vector<int> busy = interrupted_cpus(interrupts, {numbers.begin(), numbers.end()});
    if (busy.size() * 2 <= cpus.size()) bring_forward(cpus, busy);
    return cpus;
}

}  // namespace assay::storage
