#pragma once

// A file system of its own for a test: a small image behind a loop device. Only where the user may mount.

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "probes/core/os/child_process.h"
#include "probes/core/os/file_descriptor.h"

namespace assay {

inline bool succeeds(const std::vector<std::string>& arguments) {
    try {
        return os::run_child(arguments, {}).exit_code == 0;
    } catch (const std::system_error&) {
        return false;  // not installed
    }
}

/// An ext4 image of 16 MiB in `holder`, mounted; unmounted and removed at the end.
class LoopMount {
  public:
    explicit LoopMount(const std::filesystem::path& holder) {
        std::string name = (holder / "assay-loop-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) return;
        folder_ = name;
        const std::filesystem::path image = folder_ / "image";
        {
            const os::FileDescriptor file = os::open_file(image, O_CREAT | O_RDWR);
            if (::fallocate(file.get(), 0, 0, 16 << 20) != 0) return;
        }
        std::filesystem::create_directory(point());
        if (!succeeds({"mkfs.ext4", "-q", "-F", image.string()})) return;
        mounted_ = succeeds({"mount", "-o", "loop", image.string(), point().string()});
    }
    ~LoopMount() {
        if (mounted_) succeeds({"umount", point().string()});
        if (!folder_.empty()) std::filesystem::remove_all(folder_);
    }
    LoopMount(const LoopMount&) = delete;
    LoopMount& operator=(const LoopMount&) = delete;

    bool mounted() const { return mounted_; }
    std::filesystem::path point() const { return folder_ / "mounted"; }

  private:
    std::filesystem::path folder_;
    bool mounted_ = false;
};

}  // namespace assay
