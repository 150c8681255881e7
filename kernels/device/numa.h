#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace assay {

/// A node of the machine: CPUs and the memory that is near to them; either may be missing.
struct NumaNode {
    int id = 0;
    std::vector<int> cpus;           ///< all of them, allowed or not; ascending
    std::uint64_t memory_bytes = 0;  ///< installed
    bool memory_allowed = true;      ///< false where the process's cpuset forbids memory of it
    std::uint64_t free_bytes = 0;    ///< of the installed, page cache counted as used; 0: not told
};

/// The online nodes, ascending, from sysfs; none where the kernel knows no nodes. `root` stands for "/" in
/// tests.
std::vector<NumaNode> numa_nodes(const std::filesystem::path& root = "/");

/// Pages of [begin, begin + bytes) that are not there yet come from this node alone. `begin` is a page's.
/// Throws std::system_error where the kernel refuses.
void bind_memory(void* begin, std::size_t bytes, int node);

/// The node that the page at `address` lies on, which must have been touched; nothing where the kernel does
/// not tell (memory of a driver).
std::optional<int> node_of_page(const void* address);

}  // namespace assay
