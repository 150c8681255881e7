#include <cmath>

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/device/memory_limit.h"
#include "probes/core/os/mapping.h"
#include "probes/core/os/scratch_file.h"
#include "probes/storage/target/block_pattern.h"
#include "tests/probes/storage/storage_fixture.h"

namespace assay {
namespace {

using test::metric_named;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class RandomWriteTest : public test::StorageFixture {
  protected:
    void SetUp() override {
        probe_ = storage_random_write_probe();
        StorageFixture::SetUp();
    }
    double value_of(const Outcome& outcome, const std::string& name) const {
        const Metric* const metric = metric_named(outcome, "storage.random_write." + name);
        EXPECT_NE(metric, nullptr) << name;
        return metric == nullptr ? 0 : metric->value;
    }
    static std::string note_with(const Outcome& outcome, const std::string& text) {
        for (const std::string& note : outcome.notes) {
            if (note.find(text) != std::string::npos) return note;
        }
        return {};
    }
};

TEST_F(RandomWriteTest, MeasuresAndLeavesNothingBehind) {
    const Outcome outcome = run({});
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    EXPECT_EQ(entries(), 0u);
    EXPECT_NEAR(value_of(outcome, "bandwidth") / value_of(outcome, "iops"), 4096, 1);
    EXPECT_GT(value_of(outcome, "latency"), 1e-7);
    EXPECT_GT(value_of(outcome, "cpu_per_io"), 0);
    EXPECT_EQ(metric_named(outcome, "storage.random_write.read_latency"), nullptr);
    for (const char* const check : {"Little's law", "content of a sample of the blocks"}) {
        ASSERT_NE(find_check(outcome, check), nullptr) << check;
        EXPECT_TRUE(find_check(outcome, check)->passed) << find_check(outcome, check)->detail;
    }
    EXPECT_EQ(find_check(outcome, "reads reached the device"), nullptr);
    EXPECT_THAT(note_with(outcome, "steady state"), HasSubstr("range"));
    EXPECT_THAT(note_with(outcome, "% of the device"), HasSubstr("not an SNIA test"));
}

TEST_F(RandomWriteTest, TellsSubmissionFromCompletionAtDepthOne) {
    const Outcome outcome = run({{"queue_depth", "1"}, {"engine", "libaio"}});
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    const double parts = value_of(outcome, "submission_latency") + value_of(outcome, "completion_latency");
    EXPECT_NEAR(parts / value_of(outcome, "latency"), 1, 0.01);
    EXPECT_EQ(note_with(outcome, "told apart"), "");

    const Outcome deeper = run({{"queue_depth", "2"}});
    EXPECT_EQ(metric_named(deeper, "storage.random_write.submission_latency"), nullptr);
    EXPECT_THAT(note_with(deeper, "told apart"), HasSubstr("at queue_depth=1 alone"));
}

TEST_F(RandomWriteTest, MixesReadsAndWritesInTheShareAskedFor) {
    for (const double share : {0.3, 0.9}) {
        const Outcome outcome = run({{"read_share", std::to_string(share)}});
        ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
        const Metric* const reads = metric_named(outcome, "storage.random_write.read_latency");
        const Metric* const writes = metric_named(outcome, "storage.random_write.latency");
        ASSERT_TRUE(reads != nullptr && writes != nullptr);
        const double read = static_cast<double>(reads->histogram->count());
        const double all = read + static_cast<double>(writes->histogram->count());
        EXPECT_NEAR(read / all, share, 5 * std::sqrt(share * (1 - share) / all)) << all << " operations";
        EXPECT_THAT(outcome.notes.front(), HasSubstr(share < 0.5 ? "30 % reads" : "90 % reads"));
    }
}

TEST_F(RandomWriteTest, LeavesASharedFileOfWhichEveryBlockIsStillVerified) {
    const os::FileDescriptor shared = os::make_nameless_file(folder_);
    context_.scratch = os::path_of(shared);
    const Outcome written = run({});
    ASSERT_EQ(written.status, Status::measured) << written.reason;
    EXPECT_EQ(storage::sample_pattern(context_.scratch, 16 << 20, 2000, 3), "");

    probe_ = storage_random_read_probe();
    const Outcome read = run({});
    ASSERT_EQ(read.status, Status::measured) << read.reason;
    EXPECT_THAT(read.resolved.at("preparation"), HasSubstr("found"));
    EXPECT_TRUE(find_check(read, "content of a sample of the blocks")->passed);

    // And the other way round: what was written twice is known from its generation.
    probe_ = storage_random_write_probe();
    const Outcome again = run({{"seed", "2"}});
    EXPECT_EQ(again.status, Status::measured) << again.reason;
}

TEST_F(RandomWriteTest, WritesToANamedFileOnlyWithPermission) {
    const std::filesystem::path precious = folder_ / "precious";
    const std::string content(1 << 20, 'p');
    std::ofstream(precious) << content;
    const std::map<std::string, std::string> named = {{"target", precious.string()}, {"size", "auto"}};
    const auto now = [&] {
        std::ifstream file(precious);
        return std::string((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    };
    for (const Probe& probe : {storage_random_write_probe(), storage_sequential_write_probe()}) {
        probe_ = probe;
        EXPECT_THAT(refusal(named), AllOf(HasSubstr("--allow-destroy"), HasSubstr("is not written to")));
        EXPECT_NE(run(named).status, Status::measured);
        EXPECT_EQ(now(), content);
    }
    context_.allow_destroy = {precious};
    EXPECT_EQ(refusal(named), "accepted");
    const Outcome outcome = run(named);
    EXPECT_EQ(outcome.status, Status::measured) << outcome.reason;
    EXPECT_EQ(storage::sample_pattern(precious, 1 << 20, 300, 1), "");
}

TEST_F(RandomWriteTest, RefusesBlocksThatAreNoWholePatternsAndSizesThatHoldTooFew) {
    EXPECT_THAT(refusal({{"block_bytes", "512"}}),
                AllOf(HasSubstr("block_bytes"), HasSubstr("multiples of 4096")));
    EXPECT_THAT(refusal({{"block_bytes", "6K"}}), HasSubstr("multiples of 4096"));
    EXPECT_EQ(refusal({{"block_bytes", "12K"}}), "accepted");
    EXPECT_THAT(refusal({{"size", "4K"}, {"queue_depth", "4096"}, {"jobs", "1"}}),
                HasSubstr("at least 16777216"));
    EXPECT_THAT(refusal({{"size", "64K"}, {"queue_depth", "4"}, {"jobs", "5"}}), HasSubstr("at least 81920"));
    EXPECT_EQ(refusal({{"size", "64K"}, {"queue_depth", "4"}, {"jobs", "4"}}), "accepted");
}

TEST_F(RandomWriteTest, RefusesBuffersThatMemoryDoesNotHold) {
    std::map<std::string, std::string> given = {
        {"block_bytes", "16M"}, {"queue_depth", "4096"}, {"jobs", "256"}, {"size", "64T"}};
    EXPECT_THAT(refusal(given),
                AllOf(HasSubstr("block_bytes: 16777216 bytes times 1048576 in flight on 1 target make "
                                "17592186044416 bytes of buffers"),
                      HasSubstr("half of the"), HasSubstr("accepted"), Not(HasSubstr("\n"))));
    std::filesystem::create_directory(folder_ / "a");
    std::filesystem::create_directory(folder_ / "b");
    given["target"] = (folder_ / "a").string() + "," + (folder_ / "b").string();
    EXPECT_THAT(refusal(given), HasSubstr("on 2 targets make 35184372088832 bytes"));
    probe_ = storage_latency_curve_probe();
    // A third of what may be used is accepted, two thirds are not; of blocks of 16 MiB at a depth of
    // 4096 at most.
    const std::uint64_t usable = usable_memory_bytes();
    ASSERT_GT(usable, 0u);
    const auto of_share = [&](double share) {
        const std::uint64_t depth = static_cast<std::uint64_t>(share * static_cast<double>(usable)) >> 24;
        return refusal({{"block_bytes", "16M"}, {"size", "64T"}, {"most_depth", std::to_string(depth)}});
    };
    if (usable > 90ULL << 30) return;
    EXPECT_EQ(of_share(0.33), "accepted");
    EXPECT_THAT(of_share(0.67), HasSubstr("of buffers"));
}

TEST_F(RandomWriteTest, WorksOnAsManyBlocksAsAreInFlight) {
    const Outcome outcome = run({{"size", "64K"}, {"queue_depth", "4"}, {"jobs", "4"}});
    EXPECT_NE(find_check(outcome, "content of a sample of the blocks"), nullptr) << outcome.reason;
    EXPECT_TRUE(find_check(outcome, "content of a sample of the blocks")->passed);
}

TEST_F(RandomWriteTest, WritesToSeveralFoldersAtOnceAndTellsThemApart) {
    std::filesystem::create_directory(folder_ / "a");
    std::filesystem::create_directory(folder_ / "b");
    const std::string both = (folder_ / "a").string() + "," + (folder_ / "b").string();
    const Outcome outcome = run({{"target", both}});
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    EXPECT_TRUE(std::filesystem::is_empty(folder_ / "a"));
    EXPECT_TRUE(std::filesystem::is_empty(folder_ / "b"));
    const Metric* const whole = metric_named(outcome, "storage.random_write.iops");
    std::vector<const Metric*> members;
    for (const Metric& metric : outcome.metrics) {
        if (metric.name == "storage.random_write.member_iops") members.push_back(&metric);
    }
    ASSERT_EQ(members.size(), 2u);
    EXPECT_NE(members[0]->labels.at("member"), members[1]->labels.at("member"));
    for (std::size_t i = 0; i < whole->samples.size(); ++i) {
        EXPECT_NEAR((members[0]->samples[i] + members[1]->samples[i]) / whole->samples[i], 1, 1e-9);
        EXPECT_GT(members[0]->samples[i], 0);
    }
    EXPECT_LE(value_of(outcome, "first_done"), value_of(outcome, "last_done"));
    EXPECT_GT(value_of(outcome, "first_done"), 0);
}

TEST_F(RandomWriteTest, ExpectsTheTimeThatWritingAndVerifyingAllOfItsTargetsTakes) {
    // A file of holes is as long as a device, and takes no room.
    const std::filesystem::path file = folder_ / "named";
    std::ofstream(file).flush();
    std::filesystem::resize_file(file, 400ULL << 30);
    const auto expected = [&](const Probe& probe, std::map<std::string, std::string> given) {
        given.try_emplace("size", "auto");
        given.insert(probe.tiny.begin(), probe.tiny.end());
        return probe.estimate(make_case(probe, given), context_);
    };
    const Probe write = storage_random_write_probe();
    const Probe read = storage_random_read_probe();
    const double alone = expected(write, {{"size", "4K"}}).seconds;
    const double written = expected(write, {{"target", file.string()}}).seconds - alone;
    EXPECT_GT(written, 400) << "400 GiB at less than 1 GB/s";
    EXPECT_NEAR(expected(write, {{"target", file.string()}, {"verify", "all"}}).seconds - alone, 2 * written,
                0.01 * written);
    EXPECT_EQ(expected(write, {{"target", file.string()}}).written_bytes, 0u) << "to no scratch file";
    EXPECT_LT(expected(read, {{"target", file.string()}, {"verify", "all"}}).seconds, 10) << "only read";

    // Scratch files in two folders.
    std::filesystem::create_directory(folder_ / "a");
    std::filesystem::create_directory(folder_ / "b");
    const std::string both = (folder_ / "a").string() + "," + (folder_ / "b").string();
    const std::map<std::string, std::string> folders = {{"target", both}, {"size", "200G"}};
    EXPECT_NEAR(expected(write, folders).seconds - alone, written, 0.01 * written);
    EXPECT_NEAR(expected(read, folders).seconds, written, 0.01 * written + 10);
    EXPECT_NEAR(
        expected(storage_latency_curve_probe(), {{"target", folder_.string()}, {"size", "400G"}}).seconds,
        written, 0.01 * written + 10);
    EXPECT_LT(expected(write, {{"target", "/nonexistent"}}).seconds, 10) << "what is wrong, check() says";

    // And of the run's own.
    const Estimate own = expected(write, {{"size", "400G"}});
    EXPECT_EQ(own.written_bytes, 400ULL << 30);
    EXPECT_GT(own.seconds, 400);
    EXPECT_GT(expected(write, {{"size", "400G"}, {"verify", "all"}}).seconds, 1.9 * own.seconds);
}

TEST_F(RandomWriteTest, RefusesTheSameTargetTwiceUnderAnyName) {
    const std::filesystem::path file = written("one", 1 << 20);
    const std::filesystem::path other = written("two", 1 << 20);
    std::filesystem::create_symlink(file, folder_ / "link");
    const auto refused = [&](const std::string& targets) {
        return refusal({{"target", targets}, {"size", "auto"}});
    };
    EXPECT_EQ(refused(file.string() + "," + other.string()), "accepted");
    EXPECT_THAT(refused(file.string() + "," + file.string()), HasSubstr("named twice"));
    EXPECT_THAT(refused(file.string() + "," + (folder_ / "." / "one").string()), HasSubstr("named twice"));
    EXPECT_THAT(refused(file.string() + "," + (folder_ / "link").string()), HasSubstr("named twice"));
    EXPECT_THAT(refused(folder_.string() + "," + folder_.string() + "/"), HasSubstr("named twice"));
    EXPECT_THAT(refused(","), HasSubstr("names nothing"));
    EXPECT_THAT(refused(file.string() + ",/nonexistent"), HasSubstr("/nonexistent"));
    // A comma in a file's name is no list.
    const std::filesystem::path comma = written("a,b", 1 << 20);
    EXPECT_EQ(refused(comma.string()), "accepted");
}

TEST_F(RandomWriteTest, VerifiesWhatIsItsOwnBesideATargetThatIsNot) {
    probe_ = storage_random_read_probe();
    std::filesystem::create_directory(folder_ / "own");
    const std::filesystem::path foreign = written("foreign", 16 << 20);
    const Outcome outcome = run({{"target", (folder_ / "own").string() + "," + foreign.string()}});
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    EXPECT_NE(find_check(outcome, "content of a sample of the blocks"), nullptr);
    EXPECT_NE(find_check(outcome, "the target holds data"), nullptr);
}

class LatencyCurveTest : public test::StorageFixture {
  protected:
    void SetUp() override {
        probe_ = storage_latency_curve_probe();
        StorageFixture::SetUp();
    }
};

TEST_F(LatencyCurveTest, HoldsLittlesLawAtEveryPoint) {
    const Outcome outcome = run({});
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    std::size_t points = 0;
    for (const Metric& metric : outcome.metrics) {
        if (metric.name != "storage.latency_curve.in_flight") continue;
        ++points;
        const std::string depth = metric.labels.at("depth");
        EXPECT_LE(metric.value, std::stod(depth) * 1.001) << "more in flight than the depth allows";
        EXPECT_GT(metric.value, std::stod(depth) * 0.4);
    }
    EXPECT_GE(points, 3u);
    const Check* const little = find_check(outcome, "Little's law at every depth");
    ASSERT_NE(little, nullptr);
    EXPECT_TRUE(little->passed) << little->detail;
    EXPECT_THAT(little->detail, HasSubstr("0 of " + std::to_string(points) + " depths"));
    EXPECT_EQ(entries(), 0u);
}

TEST_F(LatencyCurveTest, TakesBlocksThatAreNoWholePatterns) {
    const Outcome outcome = run({{"block_bytes", "512"}});
    EXPECT_EQ(outcome.status, Status::measured) << outcome.reason;
    EXPECT_EQ(find_check(outcome, "content of a sample of the blocks"), nullptr);
}

TEST_F(LatencyCurveTest, IsOfOneTarget) {
    const std::string both = written("a", 1 << 20).string() + "," + written("b", 1 << 20).string();
    EXPECT_THAT(refusal({{"target", both}, {"size", "auto"}}), HasSubstr("names 2 targets"));
}

class SequentialTest : public test::StorageFixture {};

TEST_F(SequentialTest, WritesAndReadsWhatIsThere) {
    for (const Probe& probe : {storage_sequential_write_probe(), storage_sequential_read_probe()}) {
        probe_ = probe;
        for (const std::string block : {"64K", "128K", "1M"}) {
            const Outcome outcome = run({{"jobs", "2"}, {"block_bytes", block}});
            ASSERT_EQ(outcome.status, Status::measured) << probe.name << ": " << outcome.reason;
            const std::string name = std::string(probe.name) + ".bandwidth";
            ASSERT_NE(metric_named(outcome, name), nullptr);
            EXPECT_GT(metric_named(outcome, name)->value, 0);
            EXPECT_EQ(entries(), 0u);
        }
    }
}

}  // namespace
}  // namespace assay
