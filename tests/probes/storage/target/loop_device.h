#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "probes/core/os/child_process.h"
#include "probes/core/os/file_descriptor.h"

namespace assay::storage {

/// What the program printed, without the last newline; empty where it failed or is not installed.
inline std::string output_of(const std::vector<std::string>& arguments, bool* succeeded = nullptr) {
    if (succeeded != nullptr) *succeeded = false;
    try {
        os::ChildExit exit = os::run_child(arguments, {});
        if (exit.exit_code != 0) return {};
        if (succeeded != nullptr) *succeeded = true;
        if (exit.output.ends_with('\n')) exit.output.pop_back();
        return exit.output;
    } catch (const std::system_error&) {
        return {};
    }
}

inline bool succeeds(const std::vector<std::string>& arguments) {
    bool succeeded = false;
    output_of(arguments, &succeeded);
    return succeeded;
}

/// A folder of a test's own on the file system of the build, which commonly is on a disk.
class DiskFolder {
  public:
    DiskFolder() {
        std::string name = (std::filesystem::current_path() / "assay-guard-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) {
            throw std::system_error(errno, std::generic_category(), "mkdtemp");
        }
        path_ = name;
    }
    ~DiskFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    DiskFolder(const DiskFolder&) = delete;
    DiskFolder& operator=(const DiskFolder&) = delete;
    const std::filesystem::path& path() const { return path_; }

    std::filesystem::path write(const std::string& name, const std::string& content) const {
        const std::filesystem::path file = path_ / name;
        const os::FileDescriptor out = os::open_file(file, O_CREAT | O_TRUNC | O_WRONLY);
        if (::write(out.get(), content.data(), content.size()) != static_cast<ssize_t>(content.size()) ||
            ::fsync(out.get()) != 0) {
            throw std::system_error(errno, std::generic_category(), "write " + file.string());
        }
        return file;
    }

  private:
    std::filesystem::path path_;
};

/// All bytes of a file or device. A loop device and its file have caches of their own: read what the test
/// asks about.
inline std::string bytes_of(const std::filesystem::path& path) {
    const os::FileDescriptor file = os::open_file(path, O_RDONLY);
    std::string content;
    std::string part(1 << 20, '\0');
    while (true) {
        const ssize_t got = ::read(file.get(), part.data(), part.size());
        if (got < 0) throw std::system_error(errno, std::generic_category(), "read " + path.string());
        if (got == 0) return content;
        content.append(part, 0, static_cast<std::size_t>(got));
    }
}

/// A loop device over a file of the test's, detached at the end. Where this user may not make one, attached()
/// is false.
class LoopDevice {
  public:
    explicit LoopDevice(const std::filesystem::path& file, const std::vector<std::string>& options = {}) {
        std::vector<std::string> arguments = {"losetup", "--find", "--show"};
        arguments.insert(arguments.end(), options.begin(), options.end());
        arguments.push_back(file.string());
        path_ = output_of(arguments);
    }
    ~LoopDevice() {
        if (attached()) succeeds({"losetup", "--detach", path_.string()});
    }
    LoopDevice(const LoopDevice&) = delete;
    LoopDevice& operator=(const LoopDevice&) = delete;
    bool attached() const { return !path_.empty(); }
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

/// Undoes what a test did to the system, also when the test fails.
class Undo {
  public:
    explicit Undo(std::vector<std::string> arguments) : arguments_(std::move(arguments)) {}
    ~Undo() { succeeds(arguments_); }
    Undo(const Undo&) = delete;
    Undo& operator=(const Undo&) = delete;

  private:
    std::vector<std::string> arguments_;
};

}  // namespace assay::storage
