#include "kernels/device/numa.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>

#include <linux/mempolicy.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace assay {

namespace {

namespace fs = std::filesystem;

std::string first_line(const fs::path& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

/// "0-3,8" as 0, 1, 2, 3, 8.
std::vector<int> numbers_of(const std::string& list) {
    std::vector<int> numbers;
    std::istringstream ranges(list);
    std::string range;
    while (std::getline(ranges, range, ',')) {
        std::istringstream ends(range);
        int first = 0, last = 0;
        char dash = 0;
        if (!(ends >> first)) continue;
        if (!(ends >> dash >> last)) last = first;
        for (int number = first; number <= last; ++number) numbers.push_back(number);
    }
    return numbers;
}

/// Nodes whose memory this process may have; nothing where the system does not tell.
std::optional<std::vector<int>> allowed_nodes(const fs::path& root) {
    std::ifstream status(root / "proc/self/status");
    std::string line;
    const std::string key = "Mems_allowed_list:";
    while (std::getline(status, line))
        if (line.starts_with(key)) return numbers_of(line.substr(key.size()));
    return std::nullopt;
}

/// "Node 0 MemTotal:       24689912 kB" of the node's meminfo.
std::uint64_t memory_of(const fs::path& node, std::string_view name) {
    std::ifstream file(node / "meminfo");
    std::string line;
    while (std::getline(file, line)) {
        std::istringstream words(line);
        std::string word, id, key;
        std::uint64_t kib = 0;
        if (words >> word >> id >> key >> kib && key == name) return kib * 1024;
    }
    return 0;
}

}  // namespace

std::vector<NumaNode> numa_nodes(const fs::path& root) {
    const fs::path folder = root / "sys/devices/system/node";
    const std::optional<std::vector<int>> allowed = allowed_nodes(root);
    std::vector<NumaNode> nodes;
    for (const int id : numbers_of(first_line(folder / "online"))) {
        const fs::path path = folder / ("node" + std::to_string(id));
        NumaNode node;
        node.id = id;
        node.cpus = numbers_of(first_line(path / "cpulist"));
        node.memory_bytes = memory_of(path, "MemTotal:");
        node.free_bytes = memory_of(path, "MemFree:");
        node.memory_allowed = !allowed || std::find(allowed->begin(), allowed->end(), id) != allowed->end();
        nodes.push_back(node);
    }
    return nodes;
}

void bind_memory(void* begin, std::size_t bytes, int node) {
    constexpr std::size_t word_bits = sizeof(unsigned long) * 8;
    const std::size_t bit = static_cast<std::size_t>(node);
    std::vector<unsigned long> mask(bit / word_bits + 1);
    mask[bit / word_bits] |= 1ul << (bit % word_bits);
    // The kernel takes one bit less than it is told.
    if (syscall(SYS_mbind, begin, bytes, MPOL_BIND, mask.data(), mask.size() * word_bits + 1, 0) != 0)
        throw std::system_error(errno, std::generic_category(), "mbind to node " + std::to_string(node));
}

std::optional<int> node_of_page(const void* address) {
    int node = -1;
    if (syscall(SYS_get_mempolicy, &node, nullptr, 0, address, MPOL_F_NODE | MPOL_F_ADDR) != 0 || node < 0)
        return std::nullopt;
    return node;
}

}  // namespace assay
