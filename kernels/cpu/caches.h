#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace assay::kernels {

/// Bytes of all last-level caches of the machine together, from sysfs: a process may use any of them, and
/// data is out of cache only when all are too small for it. 0 where the system does not tell. `root` stands
/// for "/" in tests.
std::uint64_t last_level_cache_bytes(const std::filesystem::path& root = "/");

/// A cache that holds data.
struct DataCache {
    int level = 0;
    std::uint64_t bytes = 0;
    std::size_t line_bytes = 0;  ///< 0 where the system does not tell
};
/// The caches that `cpu` reaches, as sysfs claims them, the smallest first; empty where it does not.
std::vector<DataCache> data_caches_of(int cpu, const std::filesystem::path& root = "/");

}  // namespace assay::kernels
