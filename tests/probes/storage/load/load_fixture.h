#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "probes/core/os/file_system.h"
#include "probes/core/os/mapping.h"
#include "probes/core/os/scratch_file.h"
#include "probes/storage/load/load.h"
#include "probes/storage/target/block_pattern.h"
#include "probes/storage/target/prepare.h"

namespace assay::storage {

/// A nameless file on the build's disk, written with the pattern of seed 1, and a load upon it.
class LoadFixture : public testing::Test {
  protected:
    static constexpr std::uint64_t file_bytes = 4 << 20;

    void SetUp() override {
        ASSERT_FALSE(os::file_system_of(std::filesystem::current_path()).in_memory)
            << "the working folder is in memory";
        file_ = make_written(file_bytes);
        options_.targets = {target_of(file_, file_bytes)};
        options_.queue_depth = 4;
        options_.jobs = 2;
    }
    static os::FileDescriptor make_written(std::uint64_t bytes) {
        os::FileDescriptor file = os::make_nameless_file(std::filesystem::current_path());
        write_pattern(os::path_of(file), 0, bytes, 1, [](double) {});
        return file;
    }
    static LoadTarget target_of(const os::FileDescriptor& file, std::uint64_t bytes) {
        LoadTarget target;
        target.name = "the file";
        target.open = [path = os::path_of(file)] { return os::open_file(path, O_RDWR | O_DIRECT); };
        target.span_bytes = bytes;
        target.pattern_seed = 1;
        return target;
    }
    static void wait() { std::this_thread::sleep_for(std::chrono::milliseconds(50)); }
    /// Lets the load go on until so many operations have been counted in slices, or ten seconds.
    static std::uint64_t count_at_least(Load& load, std::uint64_t operations) {
        std::uint64_t counted = 0;
        for (int i = 0; i < 200 && counted < operations; ++i) {
            wait();
            counted += load.next_slice().operations;
        }
        return counted;
    }
    /// A block of the file as the disk has it now.
    std::vector<std::byte> on_disk(std::uint64_t block) const {
        const os::FileDescriptor direct = os::open_file(os::path_of(file_), O_RDONLY | O_DIRECT);
        const os::Mapping memory = os::Mapping::anonymous(pattern_bytes);
        EXPECT_EQ(::pread(direct.get(), memory.data(), pattern_bytes, offset_of(block)),
                  static_cast<ssize_t>(pattern_bytes));
        return {memory.span().begin(), memory.span().end()};
    }
    void put_on_disk(std::uint64_t block, const std::vector<std::byte>& content) const {
        ASSERT_EQ(::pwrite(file_.get(), content.data(), content.size(), offset_of(block)),
                  static_cast<ssize_t>(content.size()));
        ASSERT_EQ(::fsync(file_.get()), 0);
    }
    static off_t offset_of(std::uint64_t block) { return static_cast<off_t>(block * pattern_bytes); }

    os::FileDescriptor file_;
    LoadOptions options_;
};

}  // namespace assay::storage
