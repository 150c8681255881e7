#include "suites/runner.h"

#include <csignal>

#include <sys/stat.h>

#include <gmock/gmock.h>

#include "reports/outcome_json.h"
#include "tests/suites/support.h"

namespace assay {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

PlannedCase planned_case(const std::string& depth) {
    PlannedCase planned;
    planned.the_case = {"fake.speed", {{"depth", depth}}};
    planned.time_limit_seconds = 30;
    planned.expected_seconds = 1;
    return planned;
}

std::string printed(const PlannedCase& planned, Status status = Status::measured) {
    Outcome outcome;
    outcome.the_case = planned.the_case;
    outcome.status = status;
    outcome.started_at = "2025-09-25T08:30:00.000Z";
    if (status != Status::measured) outcome.reason = "a reason";
    return outcome_to_json(outcome).dump() + "\n";
}

os::ChildExit exited(int code, std::string output) {
    os::ChildExit exit;
    exit.exit_code = code;
    exit.output = std::move(output);
    return exit;
}

TEST(OutcomeOfChild, IsWhatTheChildPrinted) {
    const PlannedCase planned = planned_case("1");
    EXPECT_EQ(outcome_of_child(planned, exited(0, printed(planned)), "").status, Status::measured);
    EXPECT_EQ(outcome_of_child(planned, exited(1, printed(planned, Status::failed)), "").status,
              Status::failed);
    const Outcome skipped = outcome_of_child(planned, exited(3, printed(planned, Status::skipped)), "");
    EXPECT_EQ(skipped.status, Status::skipped);
    EXPECT_EQ(skipped.reason, "a reason");
}

TEST(OutcomeOfChild, NamesTheSignalOfACrash) {
    os::ChildExit exit;
    exit.signal = SIGSEGV;
    const Outcome outcome = outcome_of_child(planned_case("1"), exit, "assertion x failed");
    EXPECT_EQ(outcome.status, Status::crashed);
    EXPECT_THAT(outcome.reason, AllOf(HasSubstr("SIGSEGV"), HasSubstr("assertion x failed")));
    EXPECT_EQ(outcome.the_case, planned_case("1").the_case);
}

TEST(OutcomeOfChild, NamesTheLimitOfATimeOut) {
    os::ChildExit exit;
    exit.timed_out = true;
    exit.signal = SIGKILL;
    const Outcome outcome = outcome_of_child(planned_case("1"), exit, "");
    EXPECT_EQ(outcome.status, Status::timed_out);
    EXPECT_THAT(outcome.reason, HasSubstr("30 s"));
}

TEST(OutcomeOfChild, TellsTheOutOfMemoryKillerFromOtherKills) {
    os::ChildExit exit;
    exit.signal = SIGKILL;
    exit.peak_memory_bytes = 5u << 20;
    EXPECT_THAT(outcome_of_child(planned_case("1"), exit, "").reason, HasSubstr("SIGKILL"));
    exit.out_of_memory = true;
    const Outcome outcome = outcome_of_child(planned_case("1"), exit, "");
    EXPECT_EQ(outcome.status, Status::crashed);
    EXPECT_THAT(outcome.reason, AllOf(HasSubstr("out-of-memory"), HasSubstr("5 MiB")));
}

TEST(OutcomeOfChild, QuotesTheStartOfUnreadableOutput) {
    const std::string rubbish = "no \"JSON\"\n\x01\xff" + std::string(1000, 'x');
    const Outcome outcome = outcome_of_child(planned_case("1"), exited(0, rubbish), "");
    EXPECT_EQ(outcome.status, Status::crashed);
    EXPECT_THAT(outcome.reason,
                AllOf(HasSubstr("unreadable"), HasSubstr(R"(no \"JSON\"\n\x01\xff)"), HasSubstr("...")));
    EXPECT_LT(outcome.reason.size(), 300u);
}

TEST(OutcomeOfChild, IsUnreadableWhereTheChildPrintedNothingOrOnlyAPart) {
    EXPECT_THAT(outcome_of_child(planned_case("1"), exited(0, ""), "").reason, HasSubstr("printed nothing"));
    const std::string whole = printed(planned_case("1"));
    EXPECT_EQ(outcome_of_child(planned_case("1"), exited(0, whole.substr(0, whole.size() / 2)), "").status,
              Status::crashed);
}

TEST(OutcomeOfChild, IsUnreadableWhereItIsOfAnotherCase) {
    const Outcome outcome = outcome_of_child(planned_case("1"), exited(0, printed(planned_case("2"))), "");
    EXPECT_EQ(outcome.status, Status::crashed);
    EXPECT_THAT(outcome.reason, HasSubstr("another case"));
    EXPECT_EQ(outcome.the_case, planned_case("1").the_case);
}

TEST(OutcomeOfChild, IsUnreadableWhereExitCodeAndStatusDisagree) {
    const PlannedCase planned = planned_case("1");
    for (const int code : {1, 2, 3, 4}) {
        const Outcome outcome = outcome_of_child(planned, exited(code, printed(planned)), "");
        EXPECT_EQ(outcome.status, Status::crashed) << code;
    }
    EXPECT_EQ(outcome_of_child(planned, exited(0, printed(planned, Status::failed)), "").status,
              Status::crashed);
}

TEST(OutcomeOfChild, RefusedInputIsAFailureWithTheLineThatSaysWhy) {
    const Outcome outcome = outcome_of_child(planned_case("1"), exited(2, ""), "assay: target: no such file");
    EXPECT_EQ(outcome.status, Status::failed);
    EXPECT_THAT(outcome.reason, HasSubstr("target: no such file"));
}

TEST(ProgressLine, ComesBackAsItWasTold) {
    const std::optional<Progress> progress = progress_from_line(progress_line("writing the file", 0.42));
    ASSERT_TRUE(progress);
    EXPECT_EQ(progress->stage, "writing the file");
    EXPECT_DOUBLE_EQ(progress->share, 0.42);
    EXPECT_TRUE(progress_from_line("progress 1"));
    for (const char* const other : {"", "progress", "progress x", "progress 2 y", "progress -1 y",
                                    "progress nan y", "progress 0.5y", "warning: progress 0.5 y"})
        EXPECT_FALSE(progress_from_line(other)) << other;
}

TEST(SharedFileTest, HasNoNameAndCanBeOpenedAgain) {
    const test::TemporaryFolder folder;
    const SharedFile shared = make_shared_file(folder.path(), false);
    EXPECT_TRUE(shared.path.empty());
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
    std::ofstream("/proc/self/fd/" + std::to_string(shared.file.get())) << "text";
    struct stat status {};
    ASSERT_EQ(::fstat(shared.file.get(), &status), 0);
    EXPECT_EQ(status.st_size, 4);
}

TEST(SharedFileTest, HasANameWhereItIsToBeKept) {
    const test::TemporaryFolder folder;
    const SharedFile shared = make_shared_file(folder.path(), true);
    EXPECT_TRUE(std::filesystem::exists(shared.path));
    EXPECT_EQ(shared.path.parent_path(), folder.path());
}

/// The runner with a shell script in the place of assay.
class RunPlanTest : public ::testing::Test {
  protected:
    std::string script(const std::string& body) {
        const std::string path = folder_.write("program", "#!/bin/sh\n" + body + "\n");
        ::chmod(path.c_str(), 0755);
        return path;
    }
    bool run(const Plan& plan, const std::string& body, const std::vector<Outcome>& done = {}) {
        RunnerOptions options;
        options.program = script(body);
        options.scratch = folder_.path();
        options.interrupted = &interrupted_;
        options.allow_destroy = allow_destroy_;
        options.on_event = [this](const RunEvent& event) {
            if (event.kind == RunEvent::Kind::case_progress && !event.stage.empty())
                stages_.push_back(event.stage);
            if (event.kind == RunEvent::Kind::case_finished) ++finished_;
            if (on_event_) on_event_(event);
        };
        JournalHeader header;
        header.suite_json = "{}";
        const std::filesystem::path run_folder = folder_.path() / "run";
        std::filesystem::create_directory(run_folder);
        JournalWriter journal = JournalWriter::create(run_folder, header);
        const bool whole = run_plan(plan, done, journal, options);
        outcomes_ = read_journal(run_folder).outcomes;
        return whole;
    }

    test::TemporaryFolder folder_;
    std::atomic<bool> interrupted_ = false;
    std::vector<std::filesystem::path> allow_destroy_;
    std::function<void(const RunEvent&)> on_event_;
    std::vector<std::string> stages_;
    std::vector<Outcome> outcomes_;
    int finished_ = 0;
};

TEST_F(RunPlanTest, GoesOnAfterACaseThatCrashed) {
    const bool whole = run({{planned_case("1"), planned_case("2")}}, "kill -SEGV $$");
    EXPECT_TRUE(whole);
    ASSERT_THAT(outcomes_, SizeIs(2));
    EXPECT_EQ(outcomes_[1].status, Status::crashed);
    EXPECT_FALSE(outcomes_[1].started_at.empty());
    EXPECT_EQ(finished_, 2);
}

TEST_F(RunPlanTest, AsksForTheCaseByThePublicCommandLine) {
    PlannedCase planned = planned_case("7");
    planned.written_bytes = 1;
    run({{planned}}, "echo \"$@ $(readlink \"$5\")\" >&2; exit 2");
    ASSERT_THAT(outcomes_, SizeIs(1));
    EXPECT_THAT(outcomes_[0].reason, HasSubstr("probe fake.speed --json --scratch /proc/self/fd/"));
    EXPECT_THAT(outcomes_[0].reason, HasSubstr("--set depth=7"));
    // What the child finds there is the run's own file, which no longer has a name.
    EXPECT_THAT(outcomes_[0].reason, AllOf(HasSubstr(folder_.path().string()), HasSubstr("(deleted)")));
}

TEST_F(RunPlanTest, HandsPermissionToDestroyToTheCaseWhoseTargetItIs) {
    PlannedCase mine = planned_case("1");
    mine.the_case.parameters["target"] = "/dev/mine";
    PlannedCase several = planned_case("2");
    several.the_case.parameters["target"] = "/dev/mine,/dev/yours";
    PlannedCase none = planned_case("3");
    none.the_case.parameters["target"] = "/dev/mine2";
    allow_destroy_ = {"/dev/mine", "/dev/yours"};
    run({{mine, several, none}}, "echo \"$@\" >&2; exit 2");
    ASSERT_THAT(outcomes_, SizeIs(3));
    EXPECT_THAT(outcomes_[0].reason, AllOf(HasSubstr("--allow-destroy /dev/mine --set"),
                                           Not(HasSubstr("--allow-destroy /dev/yours"))));
    EXPECT_THAT(outcomes_[1].reason, HasSubstr("--allow-destroy /dev/mine --allow-destroy /dev/yours --set"));
    EXPECT_THAT(outcomes_[2].reason, Not(HasSubstr("--allow-destroy")));
}

TEST_F(RunPlanTest, WritesWhatWasSettledAtPlanningWithoutAChild) {
    PlannedCase planned = planned_case("1");
    planned.skip_reason = "no GPU found";
    run({{planned}}, "exit 9");
    ASSERT_THAT(outcomes_, SizeIs(1));
    EXPECT_EQ(outcomes_[0].status, Status::skipped);
    EXPECT_EQ(outcomes_[0].reason, "no GPU found");
}

TEST_F(RunPlanTest, LeavesOutWhatIsDone) {
    Outcome done;
    done.the_case = planned_case("1").the_case;
    run({{planned_case("1"), planned_case("2")}}, "exit 9", {done});
    ASSERT_THAT(outcomes_, SizeIs(1));
    EXPECT_EQ(outcomes_[0].the_case, planned_case("2").the_case);
}

TEST_F(RunPlanTest, TellsTheChildsProgress) {
    run({{planned_case("1")}}, "echo 'progress 0.5 half way' >&2; exit 9");
    EXPECT_THAT(stages_, ::testing::Contains("half way"));
}

TEST_F(RunPlanTest, EndsAHungChildAtItsLimit) {
    PlannedCase planned = planned_case("1");
    planned.time_limit_seconds = 0.3;
    run({{planned, planned_case("2")}},
        "case \"$*\" in *depth=1*) trap '' TERM INT; while :; do sleep 1; done;; esac");
    ASSERT_THAT(outcomes_, SizeIs(2));
    EXPECT_EQ(outcomes_[0].status, Status::timed_out);
    EXPECT_EQ(outcomes_[1].status, Status::crashed);
}

TEST_F(RunPlanTest, AnInterruptedCaseHasNoOutcomeAndIsRunAgain) {
    on_event_ = [this](const RunEvent& event) {
        if (event.index == 1) interrupted_ = true;
    };
    EXPECT_FALSE(run({{planned_case("1"), planned_case("2"), planned_case("3")}},
                     "case \"$*\" in *depth=2*) sleep 60;; esac; exit 9"));
    ASSERT_THAT(outcomes_, SizeIs(1));
    EXPECT_EQ(outcomes_[0].the_case, planned_case("1").the_case);
}

}  // namespace
}  // namespace assay
