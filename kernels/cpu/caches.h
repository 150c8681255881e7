#pragma once

#include <cstdint>
#include <filesystem>

namespace assay::kernels {

/// Bytes of all last-level caches of the machine together, from sysfs: a process may use any of them, and
/// data is out of cache only when all are too small for it. 0 where the system does not tell. `root` stands
/// for "/" in tests.
std::uint64_t last_level_cache_bytes(const std::filesystem::path& root = "/");

}  // namespace assay::kernels
