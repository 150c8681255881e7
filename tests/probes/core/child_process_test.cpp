#include "probes/core/os/child_process.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <string>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/core/os/file_descriptor.h"

namespace assay::os {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ChildExit shell(const std::string& script, const ChildOptions& options = {}) {
    return run_child({"/bin/sh", "-c", script}, options);
}

struct PipeEnds {
    FileDescriptor read;
    FileDescriptor write;
};

PipeEnds make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        throw std::system_error(errno, std::generic_category(), "pipe2");
    return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

/// Whether every process that held the pipe's other end is gone within ten seconds.
bool reaches_end(const PipeEnds& pipe) {
    pollfd waiting{pipe.read.get(), POLLIN, 0};
    std::array<char, 64> rest{};
    while (::poll(&waiting, 1, 10000) == 1) {
        if (::read(pipe.read.get(), rest.data(), rest.size()) == 0) return true;
    }
    return false;
}

TEST(ChildProcess, ReturnsOutputExitCodeAndErrorLinesAsTheyCame) {
    std::vector<std::string> lines;
    ChildOptions options;
    options.on_error_line = [&](std::string_view line) { lines.emplace_back(line); };
    const ChildExit end =
        shell("printf 'one\\ntwo'; echo first >&2; echo second >&2; printf last >&2; exit 7", options);
    EXPECT_EQ(end.output, "one\ntwo");
    EXPECT_EQ(end.exit_code, 7);
    EXPECT_EQ(end.signal, 0);
    EXPECT_FALSE(end.timed_out || end.interrupted || end.out_of_memory || end.output_truncated);
    EXPECT_THAT(lines, ElementsAre("first", "second", "last"));
    EXPECT_GT(end.elapsed.count(), 0);
    EXPECT_GT(end.peak_memory_bytes, 0u);
}

TEST(ChildProcess, ReadsMuchOutputAndErrorAtOnceWithoutADeadlock) {
    std::size_t error_bytes = 0;
    ChildOptions options;
    options.on_error_line = [&](std::string_view line) { error_bytes += line.size(); };
    const ChildExit end = shell(
        "head -c 3000000 /dev/zero; head -c 3000000 /dev/zero | tr '\\0' 'x' >&2; head -c 1000000 /dev/zero",
        options);
    EXPECT_EQ(end.exit_code, 0);
    EXPECT_EQ(end.output.size(), 4000000u);
    EXPECT_EQ(error_bytes, 3000000u);
}

TEST(ChildProcess, CutsOutputAtTheLimitAndSaysSo) {
    ChildOptions options;
    options.output_limit = 1000;
    const ChildExit end = shell("head -c 1001 /dev/zero; exit 3", options);
    EXPECT_EQ(end.output.size(), 1000u);
    EXPECT_TRUE(end.output_truncated);
    EXPECT_EQ(end.exit_code, 3);
    const ChildExit exact = shell("head -c 1000 /dev/zero", options);
    EXPECT_EQ(exact.output.size(), 1000u);
    EXPECT_FALSE(exact.output_truncated);
}

TEST(ChildProcess, CountsTheChildsCpuTime) {
    const ChildExit end = shell("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done");
    EXPECT_GT((end.user_time + end.system_time).count(), 0.0);
    EXPECT_LE((end.user_time + end.system_time).count(), end.elapsed.count() * 1.5 + 0.05);
}

TEST(ChildProcess, TellsASignalFromAnExitCode) {
    const ChildExit end = shell("kill -SEGV $$");
    EXPECT_EQ(end.signal, SIGSEGV);
    EXPECT_EQ(end.exit_code, -1);
    EXPECT_FALSE(end.timed_out);
    const ChildExit killed = shell("kill -KILL $$");
    EXPECT_EQ(killed.signal, SIGKILL);
    EXPECT_FALSE(killed.out_of_memory);
}

TEST(ChildProcess, KillsTheWholeGroupAtTheTimeLimit) {
    PipeEnds pipe = make_pipe();
    ChildOptions options;
    options.time_limit = std::chrono::milliseconds(200);
    options.inherited = {pipe.write.get()};
    const ChildExit end = shell("echo begun; sleep 1000 & sleep 1000 & wait", options);
    pipe.write.reset();
    EXPECT_TRUE(end.timed_out);
    EXPECT_FALSE(end.interrupted);
    EXPECT_EQ(end.signal, SIGKILL);
    EXPECT_EQ(end.exit_code, -1);
    EXPECT_FALSE(end.out_of_memory);
    EXPECT_THAT(end.output, HasSubstr("begun"));
    EXPECT_TRUE(reaches_end(pipe)) << "a grandchild lived on";
}

TEST(ChildProcess, KillsOneThatIgnoresEverythingElse) {
    ChildOptions options;
    options.time_limit = std::chrono::milliseconds(200);
    const ChildExit end = shell("trap '' TERM INT HUP QUIT; while :; do sleep 1000; done", options);
    EXPECT_TRUE(end.timed_out);
}

TEST(ChildProcess, KeepsTheLimitEvenOnOneThatNeverStopsWriting) {
    ChildOptions options;
    options.time_limit = std::chrono::milliseconds(200);
    options.output_limit = 10;
    const ChildExit end = run_child({"/bin/sh", "-c", "exec yes"}, options);
    EXPECT_TRUE(end.timed_out);
    EXPECT_TRUE(end.output_truncated);
}

TEST(ChildProcess, StopsWhenAsked) {
    int asked = 0;
    ChildOptions options;
    options.should_stop = [&] { return ++asked >= 3; };
    const ChildExit end = shell("sleep 1000", options);
    EXPECT_TRUE(end.interrupted);
    EXPECT_FALSE(end.timed_out);
    EXPECT_EQ(end.signal, SIGKILL);
    EXPECT_EQ(asked, 3);
}

TEST(ChildProcess, ClearsAwayWhatTheChildLeftRunning) {
    PipeEnds pipe = make_pipe();
    ChildOptions options;
    options.inherited = {pipe.write.get()};
    const ChildExit end = shell("sleep 1000 & exit 0", options);
    pipe.write.reset();
    EXPECT_EQ(end.exit_code, 0);
    EXPECT_TRUE(reaches_end(pipe)) << "a grandchild lived on";
}

TEST(ChildProcess, DoesNotWaitForOneThatLeftTheGroupWithThePipesOpen) {
    ChildOptions options;
    options.time_limit = std::chrono::seconds(30);
    const ChildExit end = shell("setsid sleep 5 & echo done; exit 0", options);
    EXPECT_EQ(end.exit_code, 0);
    EXPECT_THAT(end.output, HasSubstr("done"));
    EXPECT_LT(end.elapsed.count(), 4.0);
}

TEST(ChildProcess, InheritsTheDescriptorsNamedUnderTheirNumbersAndNoOther) {
    PipeEnds kept = make_pipe();
    PipeEnds other = make_pipe();
    // Not close-on-exec: as a library would leave it.
    ASSERT_EQ(::fcntl(other.write.get(), F_SETFD, 0), 0);
    ChildOptions options;
    options.inherited = {kept.write.get()};
    const ChildExit end = shell("ls /proc/$$/fd; echo hello >&" + std::to_string(kept.write.get()), options);
    EXPECT_EQ(end.exit_code, 0);
    std::array<char, 16> text{};
    ASSERT_EQ(::read(kept.read.get(), text.data(), text.size()), 6);
    EXPECT_STREQ(text.data(), "hello\n");
    EXPECT_EQ(end.output, "0\n1\n2\n" + std::to_string(kept.write.get()) + "\n");
    EXPECT_THROW(shell("true", {.inherited = {987654}}), std::invalid_argument);
}

TEST(ChildProcess, StartsWithPlainSignalsAndNothingToRead) {
    sigset_t blocked;
    sigset_t before;
    ::sigemptyset(&blocked);
    ::sigaddset(&blocked, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &blocked, &before);
    struct sigaction ignore {};
    struct sigaction old {};
    ignore.sa_handler = SIG_IGN;
    ::sigaction(SIGPIPE, &ignore, &old);
    const ChildExit end = shell("grep -E 'SigBlk|SigIgn' /proc/self/status; cat");
    ::sigaction(SIGPIPE, &old, nullptr);
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    EXPECT_EQ(end.output, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST(ChildProcess, NamesAProgramThatCannotBeStarted) {
    try {
        run_child({"/nonexistent/program"}, {});
        ADD_FAILURE() << "was started";
    } catch (const std::system_error& error) {
        EXPECT_EQ(error.code().value(), ENOENT);
        EXPECT_THAT(error.what(), HasSubstr("/nonexistent/program"));
    }
    EXPECT_THROW(run_child({}, {}), std::invalid_argument);
}

TEST(ChildProcess, EndsTheChildWhenAListenerThrows) {
    PipeEnds pipe = make_pipe();
    ChildOptions options;
    options.inherited = {pipe.write.get()};
    options.on_error_line = [](std::string_view) { throw std::runtime_error("enough"); };
    EXPECT_THROW(shell("echo x >&2; sleep 1000", options), std::runtime_error);
    pipe.write.reset();
    EXPECT_TRUE(reaches_end(pipe));
}

TEST(ChildProcess, DiesWithAParentThatIsKilledOutright) {
    PipeEnds pipe = make_pipe();
    const pid_t parent = ::fork();
    ASSERT_GE(parent, 0);
    if (parent == 0) {
        ChildOptions options;
        options.inherited = {pipe.write.get()};
        shell("echo begun >&" + std::to_string(pipe.write.get()) + "; exec sleep 1000", options);
        ::_exit(0);
    }
    pipe.write.reset();
    std::array<char, 16> text{};
    ASSERT_EQ(::read(pipe.read.get(), text.data(), text.size()), 6);
    ASSERT_EQ(::kill(parent, SIGKILL), 0);
    ASSERT_EQ(::waitpid(parent, nullptr, 0), parent);
    EXPECT_TRUE(reaches_end(pipe)) << "the child outlived its parent";
}

}  // namespace
}  // namespace assay::os
