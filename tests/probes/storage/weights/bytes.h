#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <fmt/format.h>

#include "probes/core/case.h"
#include "probes/core/os/file_descriptor.h"

namespace assay::storage {

/// Builds files byte by byte, little-endian.
class Bytes {
  public:
    Bytes& u32(std::uint32_t value) { return number(value, 4); }
    Bytes& u64(std::uint64_t value) { return number(value, 8); }
    Bytes& raw(const std::string& text) {
        text_ += text;
        return *this;
    }
    Bytes& zeros(std::size_t count) {
        text_.append(count, '\0');
        return *this;
    }
    /// GGUF's strings: length, then bytes.
    Bytes& string(const std::string& text) { return u64(text.size()).raw(text); }
    Bytes& pad_to(std::size_t alignment) {
        while (text_.size() % alignment != 0) text_ += '\0';
        return *this;
    }
    const std::string& text() const { return text_; }

  private:
    Bytes& number(std::uint64_t value, int bytes) {
        for (int i = 0; i < bytes; ++i) text_ += static_cast<char>(value >> (8 * i) & 0xff);
        return *this;
    }
    std::string text_;
};

/// A file without a name that holds `content`.
inline os::FileDescriptor file_of(const std::string& content) {
    std::string name = (std::filesystem::temp_directory_path() / "assay-header-XXXXXX").string();
    os::FileDescriptor file(::mkostemp(name.data(), O_CLOEXEC));
    ::unlink(name.c_str());
    if (::pwrite(file.get(), content.data(), content.size(), 0) != static_cast<ssize_t>(content.size())) {
        throw std::runtime_error("pwrite of a test's file");
    }
    return file;
}

/// What a reader of headers objects to in `content`; "accepted" where it does not.
template <typename Reader>
std::string objection_to(const std::string& content, Reader read) {
    try {
        read(file_of(content), "here: FILE");
    } catch (const InputError& error) {
        return error.what();
    }
    return "accepted";
}

}  // namespace assay::storage
