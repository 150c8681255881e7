#pragma once

#include <cstdint>
#include <filesystem>

namespace assay {

/// Bytes of memory that this process may still use: what the system has available, and what each of its
/// cgroups, up to the root, leaves below its limit (versions 1 and 2; page cache that can be dropped is not
/// counted as used), and what `ulimit -v` leaves. `root` stands for "/" in tests. 0 when nothing can be read,
/// 1 when nothing is left.
std::uint64_t usable_memory_bytes(const std::filesystem::path& root = "/");

}  // namespace assay
