#pragma once

#include <filesystem>
#include <iterator>
#include <string>

#include <stdlib.h>

#include <gtest/gtest.h>

#include "probes/core/os/file_system.h"
#include "probes/core/outcome.h"

namespace assay {

/// Tests with a folder of their own on a disk (in the working folder, which is the build's), removed at the
/// end.
class DiskFolderTest : public testing::Test {
  protected:
    void SetUp() override {
        if (os::file_system_of(std::filesystem::current_path()).in_memory) {
            GTEST_SKIP() << "the working folder is in memory";
        }
        std::string name = (std::filesystem::current_path() / "assay-test-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
    }
    void TearDown() override {
        if (!folder_.empty()) std::filesystem::remove_all(folder_);
    }
    std::size_t entries() const {
        return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder_),
                                                      std::filesystem::directory_iterator()));
    }

    std::filesystem::path folder_;
};

inline const Check* find_check(const Outcome& outcome, std::string_view name) {
    for (const Check& check : outcome.checks) {
        if (check.name == name) return &check;
    }
    return nullptr;
}

}  // namespace assay
