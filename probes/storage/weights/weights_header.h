#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "probes/core/os/file_descriptor.h"

namespace assay::storage {

/// What the header of a weights file says, checked against the file.
struct WeightsHeader {
    std::string format;  ///< "safetensors", "gguf 3"
    std::uint64_t tensors = 0;
    std::uint64_t header_bytes = 0;                      ///< all that comes before the first tensor's data
    std::uint64_t data_bytes = 0;                        ///< of all tensors, padding left out
    std::map<std::string, std::uint64_t> bytes_by_type;  ///< "BF16" -> bytes of the tensors of that type
};

/// "safetensors, 291 tensors, 3554176256 bytes of BF16".
std::string describe(const WeightsHeader& header);

/// No longer header is read: the limit of safetensors' reference implementation. It bounds the memory that a
/// header can take; published models stay below 30 MB in both formats.
inline constexpr std::uint64_t longest_header_bytes = 100'000'000;

/// A file whose header is being read. `name` begins every objection: where the file was named, and its path.
class HeaderFile {
  public:
    /// Throws std::system_error.
    HeaderFile(const os::FileDescriptor& file, std::string name);

    std::uint64_t bytes() const { return bytes_; }
    /// Throws InputError where the file ends before, std::system_error where it cannot be read.
    void read(std::uint64_t offset, std::span<std::byte> into) const;
    /// Throws InputError: "NAME: WRONG; accepted: ACCEPTED".
    [[noreturn]] void refuse(std::string_view wrong, std::string_view accepted) const;

  private:
    int descriptor_;
    std::string name_;
    std::uint64_t bytes_ = 0;
};

/// Where a tensor's data lies, from where the data begin.
struct TensorPlace {
    std::string name;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
};

/// Ascending, and no two of them overlap: throws InputError naming the two.
void order_and_refuse_overlaps(const HeaderFile& file, std::vector<TensorPlace>& places);

/// A name from a file, fit for one line of a message: quoted, what cannot be printed replaced, cut at 60.
std::string quote_name(std::string_view name);

}  // namespace assay::storage
