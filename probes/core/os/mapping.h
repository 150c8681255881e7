#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "probes/core/os/file_descriptor.h"

namespace assay::os {

/// Owner of a memory mapping.
class Mapping {
  public:
    Mapping() = default;
    ~Mapping() { reset(); }
    Mapping(Mapping&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
    Mapping& operator=(Mapping&& other) noexcept {
        if (this != &other) {
            reset();
            data_ = std::exchange(other.data_, nullptr);
            bytes_ = std::exchange(other.bytes_, 0);
        }
        return *this;
    }

    /// Private zeroed memory on whole pages, present from the start (so that no page fault falls into what is
    /// timed). Throws std::system_error.
    static Mapping anonymous(std::size_t bytes);
    /// The first `bytes` of a file, shared and read-only. Throws std::system_error.
    static Mapping of_file(const FileDescriptor& file, std::uint64_t bytes);

    std::byte* data() const { return static_cast<std::byte*>(data_); }
    std::size_t bytes() const { return bytes_; }
    std::span<std::byte> span() const { return {data(), bytes_}; }
    void reset();

  private:
    Mapping(void* data, std::size_t bytes) : data_(data), bytes_(bytes) {}
    void* data_ = nullptr;
    std::size_t bytes_ = 0;
};

}  // namespace assay::os
