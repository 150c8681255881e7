#pragma once

#include <string>

#include "probes/storage/weights/weights_header.h"

namespace assay::storage {

/// Reads and checks the header of a safetensors file: 8 bytes of little-endian length, so many bytes of JSON
/// ({"NAME": {"dtype", "shape", "data_offsets"}, "__metadata__": {}}), then the tensors' data without gaps,
/// to the file's last byte. Held to what the format's reference implementation holds (header of at most 100
/// MB, sizes that fit types and shapes, no overlap, no hole, nothing behind), and names stand once. `name`
/// begins each message. Throws InputError for anything else, std::system_error where the file cannot be read.
WeightsHeader read_safetensors(const os::FileDescriptor& file, const std::string& name);

}  // namespace assay::storage
