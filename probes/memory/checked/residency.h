#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace assay {

/// Bytes of [begin, begin + bytes), whole pages, that are in memory now (mincore); nothing where the system
/// does not tell.
std::optional<std::uint64_t> resident_bytes(const void* begin, std::size_t bytes);
/// Keeps the range in memory until it is unmapped; false where the system does not allow it.
bool lock_in_memory(const void* begin, std::size_t bytes);
/// Where in the machine's (or the guest's) memory `address` lies; nothing unless /proc/self/pagemap tells
/// (root only).
std::optional<std::uint64_t> physical_address(const void* address);
/// Bytes of this process that are swapped out; nothing where the system does not tell.
std::optional<std::uint64_t> swapped_bytes();

}  // namespace assay
