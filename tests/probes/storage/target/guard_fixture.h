#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "probes/core/os/file_system.h"
#include "tests/probes/storage/target/loop_device.h"

namespace assay::storage {

/// A disk image with content that must not be harmed, and a loop device over it.
class GuardTest : public testing::Test {
  protected:
    static std::string precious(std::size_t bytes = 4 << 20) {
        std::string content;
        for (std::size_t i = 0; content.size() < bytes; ++i)
            content += std::to_string(i * 2654435761U) + "\n";
        content.resize(bytes);
        return content;
    }
    /// The MBR of one Linux partition from 1 MiB to 3 MiB.
    static std::string with_partition_table(std::string content) {
        using namespace std::string_literals;
        const std::string entry = "\0\0\0\0\x83\0\0\0\0\x08\0\0\0\x10\0\0"s;
        content.replace(446, 66, entry + std::string(48, '\0') + "\x55\xaa");
        return content;
    }
    /// False where this user cannot make loop devices.
    bool attach(const std::string& content, const std::vector<std::string>& options = {}) {
        file_ = folder_.write("image", content);
        loop_ = std::make_unique<LoopDevice>(file_, options);
        return loop_->attached();
    }
    /// The same with a partition, told to a kernel that reads no such table by hand; it goes with the loop.
    bool attach_partitioned() {
        if (!attach(with_partition_table(precious()), {"--partscan"})) return false;
        if (std::filesystem::exists(partition())) return true;
        return succeeds({"addpart", device().string(), "1", "2048", "4096"}) &&
               std::filesystem::exists(partition());
    }
    std::filesystem::path partition() const { return device().string() + "p1"; }
    const std::filesystem::path& device() const { return loop_->path(); }

    DiskFolder folder_;
    std::filesystem::path file_;
    std::unique_ptr<LoopDevice> loop_;
};

// NOLINTNEXTLINE(cppcoreguidelines-macro-usage): GTEST_SKIP leaves the function in which it stands
#define ATTACH_OR_SKIP(...) \
    if (!attach(__VA_ARGS__)) GTEST_SKIP() << "this user cannot make a loop device"

}  // namespace assay::storage
