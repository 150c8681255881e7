// Storage probes as a user runs them, interrupted and with system calls that fail: a clear end, nothing left.

#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/integration/program.h"

namespace assay {
namespace {

using test::Finished;
using test::Program;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class StorageFaultsTest : public ::testing::Test {
  protected:
    StorageFaultsTest() { std::filesystem::create_directory(scratch()); }
    std::filesystem::path scratch() const { return folder_.path() / "scratch"; }

    std::vector<std::string> probe(const std::vector<std::string>& settings) const {
        std::vector<std::string> words = {ASSAY_PROGRAM, "probe", "storage.random_write", "--scratch",
                                          scratch().string()};
        for (const std::string& setting : settings) words.insert(words.end(), {"--set", setting});
        return words;
    }
    /// Not even for a moment: what is measured has no name.
    void expect_nothing_left(std::uint64_t free_before) const {
        EXPECT_TRUE(std::filesystem::is_empty(scratch()));
        for (int i = 0; i < 100 && !test::processes_with(scratch().string()).empty(); ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        EXPECT_THAT(test::processes_with(scratch().string()), IsEmpty());
        // Half of the file at most may be others' doing meanwhile.
        const auto given_back = [&] {
            return std::filesystem::space(scratch()).free + file_bytes / 2 >= free_before;
        };
        for (int i = 0; i < 100 && !given_back(); ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        EXPECT_TRUE(given_back()) << "the scratch file still takes its space";
    }
    std::uint64_t free_bytes() const { return std::filesystem::space(scratch()).free; }

    static constexpr std::uint64_t file_bytes = 1ULL << 30;
    const test::WorkFolder folder_;
};

TEST_F(StorageFaultsTest, SignalsEndAProbeWithNothingLeft) {
    for (const char* const stage : {"preparing", "writing"}) {
        for (const int signal : {SIGINT, SIGTERM, SIGKILL}) {
            const std::uint64_t free_before = free_bytes();
            const bool preparing = std::string(stage) == "preparing";
            Program program(probe({fmt::format("size={}", preparing ? file_bytes : file_bytes / 16),
                                   "engine=io_uring", "seconds=20", "queue_depth=16", "jobs=2"}),
                            folder_.path());
            ASSERT_TRUE(program.wait_for_error_text(stage)) << program.errors_so_far();
            program.send(signal);
            const Finished finished = program.wait();
            EXPECT_TRUE(finished.signal == signal || finished.exit_code == 130 || finished.exit_code == 1)
                << stage << ": exit " << finished.exit_code << ", signal " << finished.signal;
            EXPECT_LT(finished.seconds, 60);
            expect_nothing_left(free_before);
        }
    }
}

TEST_F(StorageFaultsTest, AnInterruptedRunExitsWith130AndLeavesNothing) {
    const std::string suite = folder_.write(
        "suite.json", R"({"schema":"assay.suite/1","name":"s","title":{"en":"s","zh":"测试"},"cases":[
            {"probe":"storage.random_write","parameters":{"size":"64M","seconds":20}}]})");
    const std::uint64_t free_before = free_bytes();
    Program program({ASSAY_PROGRAM, "run", suite, "--out", "out", "--scratch", scratch().string()},
                    folder_.path());
    ASSERT_TRUE(program.wait_for_error_text("[1/1]")) << program.errors_so_far();
    std::this_thread::sleep_for(std::chrono::seconds(1));  // somewhere in the middle
    program.send(SIGINT);
    EXPECT_EQ(program.wait().exit_code, 130);
    expect_nothing_left(free_before);
}

TEST_F(StorageFaultsTest, SystemCallsThatFailAreNamedAndLeaveNothing) {
    struct Injected {
        std::string call;
        std::string when;
        std::string engine;
        std::string named;
    };
    const std::vector<Injected> faults = {
        {"io_submit", "3", "libaio", "io_submit"},
        {"io_submit", "100+", "libaio", "io_submit"},
        {"io_getevents", "1", "libaio", "io_getevents"},
        {"io_uring_enter", "5", "io_uring", "io_uring_submit"},
        {"io_uring_enter", "50+", "io_uring", "io_uring_submit"},
        {"fsync", "1", "libaio", "fsync of the scratch file"},
        {"fallocate", "1", "libaio", "fallocate of 8388608 bytes"},
    };
    for (const Injected& fault : faults) {
        std::vector<std::string> words = {"/usr/bin/strace",
                                          "-f",
                                          "-o",
                                          "/dev/null",
                                          "-e",
                                          fmt::format("trace={}", fault.call),
                                          "-e",
                                          fmt::format("inject={}:error=EIO:when={}", fault.call, fault.when)};
        const std::vector<std::string> program =
            probe({"size=8M", "queue_depth=4", "jobs=2", "seconds=0.3", "steady_seconds=0.3",
                   fmt::format("engine={}", fault.engine)});
        words.insert(words.end(), program.begin(), program.end());
        const Finished finished = test::run_program(words, folder_.path());
        EXPECT_EQ(finished.exit_code, 1) << fault.call << ": " << finished.errors;
        EXPECT_THAT(finished.output,
                    AllOf(HasSubstr("failed"), HasSubstr(fault.named), HasSubstr("Input/output error")));
        EXPECT_LT(finished.seconds, 60) << fault.call;
        EXPECT_TRUE(std::filesystem::is_empty(scratch()));
    }
    EXPECT_THAT(test::processes_with(scratch().string()), IsEmpty());
}

}  // namespace
}  // namespace assay
