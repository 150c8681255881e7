#include <fstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/core/os/scratch_file.h"
#include "probes/core/random.h"
#include "probes/storage/storage.h"
#include "probes/storage/target/prepare.h"
#include "tests/probes/storage/disk_folder.h"
#include "tests/probes/storage/loop_mount.h"
#include "tests/probes/storage/weights/bytes.h"

namespace assay {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class ModelLoadTest : public DiskFolderTest {
  protected:
    void SetUp() override {
        DiskFolderTest::SetUp();
        context_.scratch = folder_;
    }
    Outcome run(const std::map<std::string, std::string>& given) {
        return execute(probe_, make_case(probe_, given), context_);
    }
    /// Of the tiny case, its own values replaced.
    Outcome run_tiny(std::map<std::string, std::string> given) {
        given.insert(probe_.tiny.begin(), probe_.tiny.end());
        return run(given);
    }
    std::string refusal(const std::map<std::string, std::string>& given) const {
        try {
            probe_.check(make_case(probe_, given), context_);
        } catch (const InputError& error) {
            return error.what();
        }
        return "accepted";
    }
    /// A whole safetensors file of one tensor of random bytes.
    std::filesystem::path weights(const std::string& name, std::uint64_t elements) const {
        const std::string header = R"({"t":{"dtype":"U8","shape":[)" + std::to_string(elements) +
                                   R"(],"data_offsets":[0,)" + std::to_string(elements) + "]}}";
        std::string data(elements, '\0');
        Random random(elements);
        for (char& byte : data) byte = static_cast<char>(random.next());
        std::ofstream(folder_ / name) << storage::Bytes().u64(header.size()).raw(header).raw(data).text();
        return folder_ / name;
    }
    static const Metric* find(const Outcome& outcome, std::string_view name, const std::string& path) {
        for (const Metric& metric : outcome.metrics) {
            if (metric.name == name && metric.labels.at("path") == path) return &metric;
        }
        return nullptr;
    }

    const Probe probe_ = storage_model_load_probe();
    SteadyClock clock_;
    Context context_{.clock = clock_};
};

TEST_F(ModelLoadTest, MeasuresEveryPathFromColdAndLeavesNothingBehind) {
    const Outcome outcome = run_tiny({});
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    EXPECT_EQ(entries(), 0u);
    EXPECT_EQ(outcome.metrics.size(), 6u);
    for (const char* const path : {"direct", "buffered", "mmap"}) {
        const Metric* const seconds = find(outcome, "storage.model_load.seconds", path);
        const Metric* const bandwidth = find(outcome, "storage.model_load.bandwidth", path);
        ASSERT_TRUE(seconds != nullptr && bandwidth != nullptr) << path;
        ASSERT_EQ(seconds->samples.size(), 2u);
        EXPECT_EQ(seconds->summary.interval_method, "range of 2");
        for (std::size_t i = 0; i < 2; ++i) {
            EXPECT_NEAR(seconds->samples[i] * bandwidth->samples[i], 8 << 20, 1) << path;
        }
    }
    EXPECT_TRUE(find_check(outcome, "the cache was cold")->passed);
    EXPECT_TRUE(find_check(outcome, "what was loaded is what the files hold")->passed);
    EXPECT_EQ(outcome.resolved.at("memory"), "all at once");
    EXPECT_FALSE(outcome.resolved.contains("scaled"));
}

TEST_F(ModelLoadTest, TakesTheSizeFromModelAndFormat) {
    Model model;
    model.name = "small";
    model.hidden_size = 64;
    model.parameters = 3'000'000;
    context_.models = {&model, 1};
    const Outcome outcome =
        run({{"model", "small"}, {"format", "bf16"}, {"path", "direct"}, {"repeats", "1"}});
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    EXPECT_EQ(outcome.resolved.at("bytes"), "6000000");
    EXPECT_EQ(outcome.metrics.size(), 2u);
    EXPECT_THAT(refusal({{"model", "large"}}), AllOf(HasSubstr("\"large\""), HasSubstr("accepted: small")));
}

TEST_F(ModelLoadTest, UsesRangesOfTheRunsSharedFileInsteadOfWritingAgain) {
    const os::FileDescriptor shared = os::make_nameless_file(folder_);
    context_.scratch = os::path_of(shared);
    storage::write_pattern(context_.scratch, 0, 12 << 20, 5, [](double) {});
    const Outcome outcome = run_tiny({});
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    EXPECT_THAT(outcome.resolved.at("shards"),
                AllOf(HasSubstr("2 (ranges"), HasSubstr("found as an earlier")));
    EXPECT_EQ(storage::sample_pattern(context_.scratch, 12 << 20, 200, 5), "");
}

TEST_F(ModelLoadTest, ScalesTheSecondsOfAPartAndSaysSo) {
    const Outcome outcome = run_tiny({{"bytes", "80M"}, {"measured_bytes", "8M"}});
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    EXPECT_EQ(outcome.resolved.at("bytes"), std::to_string(80 << 20));
    EXPECT_EQ(outcome.resolved.at("scaled"), "from 8388608 bytes");
    bool said = false;
    for (const std::string& note : outcome.notes)
        said = said || note.find("83886080 / 8388608 = 10.0000") != note.npos;
    EXPECT_TRUE(said);
    // The bandwidth is as measured: both together make the bytes asked for.
    const Metric* const seconds = find(outcome, "storage.model_load.seconds", "direct");
    const Metric* const bandwidth = find(outcome, "storage.model_load.bandwidth", "direct");
    EXPECT_NEAR(seconds->samples[0] * bandwidth->samples[0], 80 << 20, 10);
}

TEST_F(ModelLoadTest, WhatDoesNotFitIsMeasuredOnWhatDoes) {
    const LoopMount mount(folder_);
    if (!mount.mounted()) GTEST_SKIP() << "this user cannot mount an image";
    const Outcome outcome = run_tiny({{"bytes", "1G"}, {"target", mount.point().string()}});
    // Reads behind a loop device may rest in its file's cache, and then fail: what counts here is the amount.
    ASSERT_NE(outcome.status, Status::skipped) << outcome.reason;
    ASSERT_TRUE(outcome.resolved.contains("scaled")) << outcome.reason;
    EXPECT_THAT(outcome.resolved.at("scaled"), HasSubstr("bytes"));
    EXPECT_EQ(outcome.resolved.at("bytes"), std::to_string(1 << 30));
}

TEST_F(ModelLoadTest, LoadsFilesThatTheUserNamesAndComparesTheirMd5) {
    const std::filesystem::path one = weights("one.safetensors", 3'000'001);
    const std::filesystem::path other = weights("other.safetensors", 2'000'000);
    std::ofstream(one.string() + ".md5")
        << storage::Bytes().raw("d41d8cd98f00b204e9800998ecf8427e  one.safetensors\n").text();
    const std::map<std::string, std::string> given = {{"target", one.string() + "," + other.string()},
                                                      {"repeats", "1"}};
    const Outcome wrong = run(given);
    EXPECT_EQ(wrong.status, Status::failed);
    ASSERT_NE(find_check(wrong, "MD5 of one.safetensors"), nullptr) << wrong.reason;
    EXPECT_FALSE(find_check(wrong, "MD5 of one.safetensors")->passed);

    const std::string digest = wrong.resolved.at("md5_1");
    EXPECT_THAT(digest, HasSubstr("  one.safetensors"));
    std::ofstream(one.string() + ".md5") << digest << "\n";
    const Outcome outcome = run(given);
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    EXPECT_TRUE(find_check(outcome, "MD5 of one.safetensors")->passed);
    EXPECT_EQ(find_check(outcome, "MD5 of other.safetensors"), nullptr);
    EXPECT_THAT(outcome.resolved.at("weights_2"), HasSubstr("safetensors, 1 tensors, 2000000 bytes of U8"));
    EXPECT_EQ(outcome.metrics.size(), 6u);
    EXPECT_EQ(entries(), 3u);
}

TEST_F(ModelLoadTest, AFileThatSomebodyKeepsInMemoryIsNotCold) {
    const std::filesystem::path file = weights("held.safetensors", 4'000'000);
    const os::FileDescriptor opened = os::open_file(file, O_RDONLY);
    void* const held = ::mmap(nullptr, 1 << 20, PROT_READ, MAP_SHARED, opened.get(), 0);
    ASSERT_NE(held, MAP_FAILED);
    const bool locked = ::mlock(held, 1 << 20) == 0;
    const Outcome outcome = run({{"target", file.string()}, {"repeats", "1"}, {"path", "buffered"}});
    ::munmap(held, 1 << 20);
    if (!locked) GTEST_SKIP() << "this user may not lock memory";
    EXPECT_EQ(outcome.status, Status::failed);
    EXPECT_THAT(outcome.reason, HasSubstr("the cache was cold"));
}

TEST_F(ModelLoadTest, RefusesWhatItCannotUse) {
    const std::string file = weights("good.safetensors", 100'000).string();
    std::ofstream(folder_ / "bad.safetensors") << "nonsense that is long enough";
    std::ofstream(folder_ / "bad.gguf") << "nonsense";
    std::ofstream(folder_ / "empty").flush();
    const std::string folder = folder_.string() + "/";
    EXPECT_EQ(refusal({{"target", file}}), "accepted");
    EXPECT_THAT(
        refusal({{"target", folder + "bad.safetensors"}}),
        AllOf(HasSubstr("storage.model_load.target: "), HasSubstr("bad.safetensors tells of a header")));
    EXPECT_THAT(refusal({{"target", folder + "bad.gguf"}}), HasSubstr("does not begin with GGUF"));
    EXPECT_THAT(refusal({{"target", folder + "empty"}}), HasSubstr("is empty"));
    EXPECT_THAT(refusal({{"target", file + "," + folder + "none"}}), HasSubstr("none cannot be used"));
    EXPECT_THAT(refusal({{"target", ","}}), HasSubstr("names no file"));
    EXPECT_THAT(refusal({{"target", "/dev/null"}}), HasSubstr("neither a file, a block device nor a folder"));
    EXPECT_THAT(refusal({{"target", file}, {"bytes", "1M"}}), HasSubstr("bytes: a file that is named"));
    EXPECT_THAT(refusal({{"bytes", "8K"}, {"shards", "3"}}), HasSubstr("accepted: at most 2"));
    EXPECT_THAT(refusal({{"bytes", "8M"}, {"block_bytes", "5000"}}), HasSubstr("multiples of 4096"));
    std::ofstream(file + ".md5") << "what";
    EXPECT_THAT(refusal({{"target", file}}), HasSubstr("states no MD5"));
    EXPECT_EQ(refusal({{"target", file}, {"checksum", "none"}}), "accepted");
}

TEST_F(ModelLoadTest, RefusesFileSystemsInMemoryAndHoles) {
    const std::filesystem::path sparse = folder_ / "sparse.bin";
    std::ofstream(sparse).flush();
    std::filesystem::resize_file(sparse, 1 << 20);
    EXPECT_THAT(refusal({{"target", sparse.string()}}), HasSubstr("never written"));
    if (!std::filesystem::exists("/dev/shm") || !os::file_system_of("/dev/shm").in_memory) GTEST_SKIP();
    EXPECT_THAT(refusal({{"target", "/dev/shm"}, {"bytes", "8M"}}), HasSubstr("in memory"));
}

}  // namespace
}  // namespace assay
