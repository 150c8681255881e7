#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "probes/core/os/file_descriptor.h"
#include "probes/storage/target/target.h"

namespace assay::storage {

/// Told the share done, 0..1.
using Progress = std::function<void(double share)>;

/// Writes bytes [`from`, `to`) of a file with the block pattern: direct, several writes in flight, then on
/// the device (fsync). The file has at least `to` rounded up to whole pattern blocks afterwards. `path` is
/// where it can be opened again. Throws std::system_error (ENOSPC and others) naming the call.
void write_pattern(const std::filesystem::path& path, std::uint64_t from, std::uint64_t to,
                   std::uint64_t seed, const Progress& progress);
/// The same of a file or device that is open for direct writing.
void write_pattern(const os::FileDescriptor& file, std::uint64_t from, std::uint64_t to, std::uint64_t seed,
                   const Progress& progress);

/// Reads `samples` blocks of the first `bytes` of a file directly, first and last among them, the others
/// chosen by `choice`, and checks each; against the seed where it is known. Empty when all are right,
/// else what is wrong with which.
std::string sample_pattern(const std::filesystem::path& path, std::uint64_t bytes, int samples,
                           std::uint64_t choice, std::optional<std::uint64_t> pattern_seed = std::nullopt);

/// Reads the first `bytes` of a file directly, in order, and checks every whole block of it, its seed
/// too. Empty when all are right, else how many are not and what is wrong with the first.
std::string verify_pattern(const std::filesystem::path& path, std::uint64_t bytes, std::uint64_t pattern_seed,
                           const Progress& progress);

/// A file ready to be read.
struct Prepared {
    os::FileDescriptor holder;                  ///< keeps a nameless scratch file alive
    std::filesystem::path path;                 ///< where each reader opens it
    std::optional<std::uint64_t> pattern_seed;  ///< of content that is ours and can be verified
    std::string how;  ///< for `resolved`: "written in 8.1 s", "found as prepared", "as it is"
    std::uint64_t written_bytes = 0;
};

/// Makes, completes or reuses the scratch file; a named target is left as it is.
Prepared prepare(const Target& target, std::uint64_t bytes, std::uint64_t seed, const Progress& progress);

/// Why a scratch file of so many bytes should not be made here, with the arithmetic; nothing when it may.
std::optional<std::string> no_room(const Target& target, std::uint64_t bytes);

}  // namespace assay::storage
