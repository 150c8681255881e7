#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "probes/core/os/file_descriptor.h"

namespace assay::storage {

/// The MD5 of a whole file, 32 hexadecimal digits. MD5 finds damage, not forgery: it is what models are
/// published with. `progress` is told the bytes done. Throws std::system_error.
std::string md5_of(const os::FileDescriptor& file, const std::function<void(std::uint64_t)>& progress);

/// The MD5 that the file `PATH.md5` beside a file states for it, in lower case; nothing where there is none.
/// Understood are md5sum's lines ("DIGEST  NAME", "DIGEST *NAME"; of several the one that names the file), a
/// digest alone, and "MD5 (NAME) = DIGEST". Throws InputError, beginning with `where`, for one that states
/// none.
std::optional<std::string> stated_md5(const std::filesystem::path& path, std::string_view where);

}  // namespace assay::storage
