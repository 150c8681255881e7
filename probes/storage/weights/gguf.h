#pragma once

#include <string>

#include "probes/storage/weights/weights_header.h"

namespace assay::storage {

/// Whether a file begins as GGUF files do. Throws std::system_error.
bool begins_as_gguf(const os::FileDescriptor& file);

/// Reads and checks the header of a GGUF file of version 2 or 3, little-endian: magic, version, counts,
/// key-value pairs, one description a tensor, then the tensors' data, each aligned to `general.alignment`
/// (32). Counts and lengths are held against what the file still has before anything is made of them; the
/// header ends within 100 MB. `name` begins each message. Throws InputError for what is damaged or unknown,
/// std::system_error where the file cannot be read.
WeightsHeader read_gguf(const os::FileDescriptor& file, const std::string& name);

}  // namespace assay::storage
