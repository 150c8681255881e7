#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "probes/core/os/file_descriptor.h"
#include "probes/storage/storage.h"
#include "probes/storage/target/prepare.h"
#include "tests/probes/storage/disk_folder.h"

namespace assay::test {

/// A probe that is run with its tiny case's values, and a folder for it.
class StorageFixture : public DiskFolderTest {
  protected:
    explicit StorageFixture(const Probe& probe = storage_random_read_probe()) : probe_(probe) {}
    void SetUp() override {
        DiskFolderTest::SetUp();
        context_.scratch = folder_;
        context_.sampling.maximum_warm_up = Seconds(0.2);
    }

    Case make(std::map<std::string, std::string> given) const {
        given.insert(probe_.tiny.begin(), probe_.tiny.end());
        return make_case(probe_, given);
    }
    Outcome run(const std::map<std::string, std::string>& given) {
        return execute(probe_, make(given), context_);
    }
    std::string refusal(const std::map<std::string, std::string>& given) const {
        try {
            probe_.check(make(given), context_);
        } catch (const InputError& error) {
            return error.what();
        }
        return "accepted";
    }
    /// A file written in full with the pattern.
    std::filesystem::path written(const std::string& name, std::uint64_t bytes) const {
        const std::filesystem::path path = folder_ / name;
        std::ofstream(path).flush();
        storage::write_pattern(path, 0, bytes, 1, [](double) {});
        return path;
    }

    Probe probe_;
    SteadyClock clock_;
    Context context_{.clock = clock_};
};

inline const Metric* metric_named(const Outcome& outcome, std::string_view name) {
    for (const Metric& metric : outcome.metrics) {
        if (metric.name == name) return &metric;
    }
    return nullptr;
}

inline void overwrite(const std::filesystem::path& path, std::uint64_t offset, const std::string& bytes) {
    const os::FileDescriptor file = os::open_file(path, O_WRONLY);
    ASSERT_EQ(::pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)),
              static_cast<ssize_t>(bytes.size()));
    ASSERT_EQ(::fsync(file.get()), 0);
}

}  // namespace assay::test
