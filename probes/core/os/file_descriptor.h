#pragma once

#include <filesystem>
#include <utility>

#include <sys/types.h>

namespace assay::os {

/// Owner of a file descriptor.
class FileDescriptor {
  public:
    FileDescriptor() = default;
    explicit FileDescriptor(int descriptor) : descriptor_(descriptor) {}
    ~FileDescriptor() { reset(); }
    FileDescriptor(FileDescriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    FileDescriptor& operator=(FileDescriptor&& other) noexcept {
        if (this != &other) {
            reset();
            descriptor_ = std::exchange(other.descriptor_, -1);
        }
        return *this;
    }
    int get() const { return descriptor_; }
    explicit operator bool() const { return descriptor_ >= 0; }
    void reset();

  private:
    int descriptor_ = -1;
};

/// open(2) with O_CLOEXEC; throws std::system_error naming the path.
FileDescriptor open_file(const std::filesystem::path& path, int flags, mode_t mode = 0644);

/// Another descriptor of what is open already, for an owner of its own; throws std::system_error naming
/// `path`.
FileDescriptor duplicate(int descriptor, const std::filesystem::path& path);

}  // namespace assay::os
