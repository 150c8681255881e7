// Whole runs with probes that misbehave: what is measured stays, what is not has its reason.

#include <chrono>
#include <csignal>
#include <memory>
#include <thread>

#include <gmock/gmock.h>

#include "tests/integration/program.h"

namespace assay {
namespace {

using nlohmann::json;
using test::Finished;
using test::Program;
using test::read_json_lines;
using test::run_program;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

json requirement(const std::string& id, const std::string& metric, const std::string& unit, double at_least) {
    return {{"id", id},
            {"counts_for", {"poc"}},
            {"title", {{"en", id}, {"zh", "标题"}}},
            {"select", {{"metric", metric}}},
            {"bound", {{"at_least", at_least}}},
            {"unit", unit},
            {"sources", {{{"document", "d"}, {"section", ""}, {"quote", "at least"}}}},
            {"reading", {{"en", "as it says"}, {"zh", "如文"}}}};
}

json suite_of(const std::string& name, const std::vector<json>& cases,
              const std::vector<json>& requirements) {
    return {{"schema", "assay.suite/1"},
            {"name", name},
            {"title", {{"en", name}, {"zh", "测试"}}},
            {"documents", {{{"id", "d"}, {"title", "A document"}}}},
            {"cases", cases},
            {"requirements", requirements}};
}

json case_of(const std::string& probe, const json& parameters = json::object()) {
    return {{"probe", probe}, {"parameters", parameters}};
}

class RunsTest : public ::testing::Test {
  protected:
    std::string write_suite(const std::string& name, const std::vector<json>& cases,
                            const std::vector<json>& requirements) {
        return folder_.write(name + ".json", suite_of(name, cases, requirements).dump());
    }
    std::string good_suite(double at_least = 5) {
        return write_suite("good", {case_of("faulty.good")},
                           {requirement("enough", "faulty.good", "count", at_least)});
    }
    /// A case that is quickly done, one that takes time, one that is quickly done.
    std::string slow_suite(const std::string& seconds) {
        return write_suite(
            "slow",
            {case_of("faulty.good", {{"value", 5}}), case_of("faulty.slow", {{"seconds", seconds}}),
             case_of("faulty.good", {{"value", 6}})},
            {requirement("slow", "faulty.slow", "second", 0)});
    }
    Finished run(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), FAULTY_PROGRAM);
        return run_program(arguments, folder_.path());
    }
    std::filesystem::path journal() const { return folder_.path() / "out" / "journal.jsonl"; }
    std::vector<std::string> statuses() const {
        std::vector<std::string> found;
        for (const json& line : read_json_lines(journal()))
            if (line.contains("status")) found.push_back(line["status"].get<std::string>());
        return found;
    }
    /// The children of a run are told by their scratch folder, which is this test's own.
    std::vector<pid_t> children() const {
        return test::processes_with((folder_.path() / "scratch").string());
    }
    std::unique_ptr<Program> begin_slow_run() {
        std::filesystem::create_directory(folder_.path() / "scratch");
        std::unique_ptr<Program> program = std::make_unique<Program>(
            std::vector<std::string>{FAULTY_PROGRAM, "run", slow_suite("60"), "--out", "out", "--scratch",
                                     (folder_.path() / "scratch").string()},
            folder_.path());
        EXPECT_TRUE(program->wait_for_error_text("[2/3] faulty.slow"));
        for (int i = 0; i < 500 && children().size() < 2; ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        EXPECT_THAT(children(), SizeIs(2)) << "the runner and its child";
        return program;
    }
    void expect_interrupted(const Finished& finished) {
        EXPECT_EQ(finished.exit_code, 130) << finished.errors;
        EXPECT_THAT(finished.errors, HasSubstr("--resume out"));
        EXPECT_THAT(children(), IsEmpty());
        EXPECT_THAT(statuses(), ElementsAre("measured")) << "every line is whole";
    }
    /// Finishes the interrupted run with a shorter second case, put into the journal's plan.
    void expect_resumable() {
        const std::string before = test::read_file(journal());
        std::string shortened = before;
        for (std::size_t at = shortened.find("\"seconds\":60"); at != std::string::npos;
             at = shortened.find("\"seconds\":60"))
            shortened.replace(at, 12, "\"seconds\":0 ");
        folder_.write("out/journal.jsonl", shortened);
        const Finished finished = run({"run", "--resume", "out"});
        EXPECT_EQ(finished.exit_code, 0) << finished.errors << finished.output;
        EXPECT_THAT(statuses(), ElementsAre("measured", "measured", "measured"));
        EXPECT_THAT(test::read_file(journal()), ::testing::StartsWith(shortened))
            << "what was done stays as it was";
        EXPECT_THAT(finished.errors, Not(HasSubstr("[1/3]")));
    }

    test::WorkFolder folder_;
};

TEST_F(RunsTest, TheRunGoesOnAfterEveryKindOfBrokenCase) {
    json hang = case_of("faulty.hang");
    hang["time_limit"] = 1;
    const std::string suite =
        write_suite("broken",
                    {case_of("faulty.crash"), hang, case_of("faulty.rubbish"), case_of("faulty.silent"),
                     case_of("faulty.greedy"), case_of("faulty.throws"), case_of("faulty.good")},
                    {requirement("enough", "faulty.good", "count", 5)});
    const Finished finished = run({"run", suite, "--out", "out"});
    EXPECT_EQ(finished.exit_code, 1) << finished.output << finished.errors;
    EXPECT_THAT(statuses(),
                ElementsAre("crashed", "timed_out", "crashed", "crashed", "failed", "failed", "measured"));
    const std::vector<json> lines = read_json_lines(journal());
    EXPECT_THAT(lines[1]["reason"].get<std::string>(), HasSubstr("SIGSEGV"));
    EXPECT_THAT(lines[2]["reason"].get<std::string>(), HasSubstr("1 s"));
    EXPECT_THAT(lines[3]["reason"].get<std::string>(), HasSubstr("Segmentation fault (not really)"));
    EXPECT_THAT(lines[4]["reason"].get<std::string>(), HasSubstr("printed nothing"));
    EXPECT_THAT(lines[5]["reason"].get<std::string>(), HasSubstr("out of memory"));
    EXPECT_THAT(lines[6]["reason"].get<std::string>(), HasSubstr("/dev/broken"));
    const json report = json::parse(test::read_file(folder_.path() / "out" / "report.json"));
    EXPECT_EQ(report["requirements"][0]["status"], "pass") << "what was measured is judged";
}

TEST_F(RunsTest, ExitCodesTellTheVerdict) {
    EXPECT_EQ(run({"run", good_suite(5), "--out", "passed"}).exit_code, 0);
    EXPECT_EQ(run({"run", good_suite(6), "--out", "failed"}).exit_code, 1);
    json skipped = case_of("faulty.good");
    skipped["tiers"] = json::array({"basic"});
    const std::string incomplete =
        write_suite("incomplete", {case_of("faulty.slow", {{"seconds", 0}}), skipped},
                    {requirement("enough", "faulty.good", "count", 5)});
    EXPECT_EQ(run({"run", incomplete, "--out", "incomplete"}).exit_code, 3);
}

TEST_F(RunsTest, NothingIsLeftBehindButTheRunFolder) {
    const std::string suite = write_suite("writes", {case_of("faulty.writes", {{"size", "2M"}})},
                                          {requirement("written", "faulty.writes", "byte", 1)});
    const Finished finished = run({"run", suite, "--out", "out"});
    EXPECT_EQ(finished.exit_code, 0) << finished.errors;
    EXPECT_THAT(finished.output, AllOf(HasSubstr("nameless test file"), HasSubstr("2.10 MB")))
        << "what will be written is said before";
    EXPECT_THAT(folder_.names(), ElementsAre("out", "writes.json"));
    std::vector<std::string> inside;
    for (const std::filesystem::directory_entry& entry :
         std::filesystem::directory_iterator(folder_.path() / "out"))
        inside.push_back(entry.path().filename().string());
    EXPECT_THAT(inside, ::testing::UnorderedElementsAre("journal.jsonl", "report.json", "report.html",
                                                        "report.zh.html"));
}

TEST_F(RunsTest, KeepFilesKeepsTheTestFileWhereItWasWritten) {
    const std::string suite = write_suite("writes", {case_of("faulty.writes", {{"size", "2M"}})},
                                          {requirement("written", "faulty.writes", "byte", 1)});
    std::filesystem::create_directory(folder_.path() / "scratch");
    const Finished finished = run({"run", suite, "--out", "out", "--scratch", "scratch", "--keep-files"});
    EXPECT_EQ(finished.exit_code, 0) << finished.errors;
    std::vector<std::uintmax_t> sizes;
    for (const std::filesystem::directory_entry& entry :
         std::filesystem::directory_iterator(folder_.path() / "scratch"))
        sizes.push_back(entry.file_size());
    EXPECT_THAT(sizes, ElementsAre(2u << 20));
}

TEST_F(RunsTest, WithJsonStandardOutputIsOneDocument) {
    const Finished finished = run({"run", good_suite(), "--out", "out", "--json"});
    EXPECT_EQ(finished.exit_code, 0);
    EXPECT_EQ(json::parse(finished.output)["schema"], "assay.report/1");
    EXPECT_THAT(finished.errors,
                AllOf(HasSubstr("[1/1] faulty.good"), HasSubstr("measured"), Not(HasSubstr("\r"))));
}

TEST_F(RunsTest, InterruptingTheRunnerAloneKeepsWhatWasDone) {
    const std::unique_ptr<Program> program = begin_slow_run();
    program->send(SIGINT);
    expect_interrupted(program->wait());
    expect_resumable();
}

TEST_F(RunsTest, InterruptingTheWholeGroupKeepsWhatWasDone) {
    const std::unique_ptr<Program> program = begin_slow_run();
    program->send_to_group(SIGINT);
    expect_interrupted(program->wait());
}

TEST_F(RunsTest, TerminatingTheRunnerKeepsWhatWasDone) {
    const std::unique_ptr<Program> program = begin_slow_run();
    program->send(SIGTERM);
    expect_interrupted(program->wait());
}

TEST_F(RunsTest, KillingTheRunnerLeavesNoChildAndAJournalToGoOnFrom) {
    const std::unique_ptr<Program> program = begin_slow_run();
    program->send(SIGKILL);
    EXPECT_EQ(program->wait().signal, SIGKILL);
    for (int i = 0; i < 500 && !children().empty(); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_THAT(children(), IsEmpty());
    EXPECT_TRUE(std::filesystem::is_empty(folder_.path() / "scratch"));
    expect_resumable();
}

TEST_F(RunsTest, AFinishedRunIsResumedWithoutMeasuringAgain) {
    ASSERT_EQ(run({"run", good_suite(), "--out", "out"}).exit_code, 0);
    const std::string before = test::read_file(journal());
    const Finished finished = run({"run", "--resume", "out"});
    EXPECT_EQ(finished.exit_code, 0);
    EXPECT_EQ(test::read_file(journal()), before);
    EXPECT_THAT(finished.output, HasSubstr("0 of 1 cases to measure"));
}

TEST_F(RunsTest, PermissionToDestroyReachesItsCaseAloneAndIsNeverReadFromTheJournal) {
    const std::string one = folder_.write("one", "1");
    const std::string two = folder_.write("two", "2");
    const std::string suite = write_suite(
        "destroys",
        {case_of("faulty.destroys", {{"target", one}}), case_of("faulty.destroys", {{"target", two}})}, {});
    const Finished unasked = run({"run", suite, "--out", "out", "--allow-destroy", one});
    EXPECT_EQ(unasked.exit_code, 2) << "the second case's target is not named";
    EXPECT_THAT(unasked.errors, HasSubstr(two));
    EXPECT_FALSE(std::filesystem::exists(folder_.path() / "out"));
    const Finished asked =
        run({"run", suite, "--out", "out", "--allow-destroy", one, "--allow-destroy", two});
    EXPECT_EQ(asked.exit_code, 3) << asked.errors << "nothing counts";
    EXPECT_THAT(asked.output, AllOf(HasSubstr(two), HasSubstr("all data there is lost")));
    const std::vector<json> lines = read_json_lines(journal());
    ASSERT_THAT(lines, SizeIs(3));
    const std::string made_up = "a figure made up for tests";
    EXPECT_THAT(lines[1]["notes"], ElementsAre(made_up, "may destroy " + one));
    EXPECT_THAT(lines[2]["notes"], ElementsAre(made_up, "may destroy " + two));

    const std::string whole = test::read_file(journal());
    folder_.write("out/journal.jsonl", whole.substr(0, whole.rfind('\n', whole.size() - 2) + 1));
    const Finished resumed = run({"run", "--resume", "out"});
    EXPECT_EQ(resumed.exit_code, 2) << "what the journal's command line says is no permission";
    EXPECT_THAT(resumed.errors, HasSubstr(two));
    EXPECT_EQ(run({"run", "--resume", "out", "--allow-destroy", two}).exit_code, 3);
    EXPECT_THAT(statuses(), ElementsAre("measured", "measured"));
}

TEST_F(RunsTest, ACutOffJournalLineIsReportedAndItsCaseRunAgain) {
    const std::string suite = write_suite(
        "two", {case_of("faulty.good", {{"value", 5}}), case_of("faulty.good", {{"value", 6}})}, {});
    ASSERT_EQ(run({"run", suite, "--out", "out"}).exit_code, 3) << "nothing counts";
    const std::string whole = test::read_file(journal());
    folder_.write("out/journal.jsonl", whole.substr(0, whole.size() - 20));
    const Finished report = run({"report", "out", "--format", "json"});
    EXPECT_EQ(report.exit_code, 0) << report.errors;
    EXPECT_THAT(json::parse(report.output)["journal_notes"].dump(), HasSubstr("line 3 is cut off"));
    EXPECT_THAT(json::parse(report.output)["outcomes"], SizeIs(1));
    EXPECT_EQ(run({"run", "--resume", "out"}).exit_code, 3);
    EXPECT_THAT(statuses(), ElementsAre("measured", "measured"));
}

TEST_F(RunsTest, AnOldRunIsJudgedAgainstAnotherSuite) {
    ASSERT_EQ(run({"run", good_suite(5), "--out", "out"}).exit_code, 0);
    const std::string before = test::read_file(journal());
    const std::string stricter =
        write_suite("stricter", {case_of("faulty.good")}, {requirement("more", "faulty.good", "count", 50)});
    const Finished text = run({"judge", "out", "--against", stricter});
    EXPECT_EQ(text.exit_code, 1) << text.errors;
    EXPECT_THAT(text.output, HasSubstr("more"));
    const Finished judged = run({"judge", "out", "--against", stricter, "--json"});
    EXPECT_EQ(judged.exit_code, 1);
    const json report = json::parse(judged.output);
    EXPECT_EQ(report["suite"], "stricter");
    EXPECT_EQ(report["requirements"][0]["measured"], 5);
    EXPECT_EQ(test::read_file(journal()), before);
    const std::string wider = write_suite("wider", {case_of("faulty.good"), case_of("faulty.slow")},
                                          {requirement("time", "faulty.slow", "second", 0)});
    EXPECT_EQ(run({"judge", "out", "--against", wider}).exit_code, 3)
        << "what was not measured is not passed";
}

/// Ways around the check of --device: neither makes a GPU of PoCL, which is a CPU.
TEST_F(RunsTest, ACpuBehindOpenClIsNotJudgedAsAGpu) {
    json bandwidth = requirement("transfer", "interconnect.transfer.bandwidth", "byte/second", 1);
    bandwidth["select"]["labels"] = {{"device", "each:gpu"}, {"direction", "to_device"}};
    bandwidth["select"]["several"] = "each";
    const std::vector<json> cases = {
        case_of("interconnect.transfer", {{"device", "each:gpu"}, {"direction", "to_device"}})};
    const std::string of_gpus = write_suite("of-gpus", cases, {bandwidth});
    const std::string of_any = write_suite("of-any", cases, {});
    const auto judged_so = [](const Finished& finished) {
        const json report = json::parse(finished.output);
        ASSERT_THAT(report["outcomes"], SizeIs(1)) << finished.errors;
        EXPECT_EQ(report["outcomes"][0]["status"], "measured") << report["outcomes"][0]["reason"];
        EXPECT_EQ(report["requirements"][0]["status"], "not_measured");
        EXPECT_THAT(report["requirements"][0]["reason"].get<std::string>(),
                    HasSubstr("device is opencl:0, which is no GPU"));
        EXPECT_EQ(finished.exit_code, 3);
    };
    judged_so(run_program({ASSAY_PROGRAM, "run", of_gpus, "--quick", "--out", "set", "--json", "--set",
                           "interconnect.transfer.device=opencl:0"},
                          folder_.path()));
    EXPECT_NE(
        run_program({ASSAY_PROGRAM, "run", of_any, "--quick", "--out", "device", "--device", "opencl:0"},
                    folder_.path())
            .exit_code,
        2);
    const Finished again =
        run_program({ASSAY_PROGRAM, "judge", "device", "--against", of_gpus, "--json"}, folder_.path());
    EXPECT_EQ(again.exit_code, 3) << again.errors;
    // The GPUs' own case was not run either, which is the nearer reason.
    EXPECT_EQ(json::parse(again.output)["requirements"][0]["status"], "not_measured");
}

TEST_F(RunsTest, EveryReportIsMadeFromTheJournalAloneByAnAssayThatKnowsNoneOfItsProbes) {
    ASSERT_EQ(run({"run", good_suite(), "--out", "out"}).exit_code, 0);
    std::filesystem::remove(folder_.path() / "good.json");
    for (const char* const format : {"text", "html", "markdown", "json", "junit", "prometheus", "csv"}) {
        const Finished printed =
            run_program({ASSAY_PROGRAM, "report", "out", "--format", format}, folder_.path());
        EXPECT_EQ(printed.exit_code, 0) << format << printed.errors;
        EXPECT_THAT(printed.output, HasSubstr("enough")) << format;
        const Finished written =
            run_program({ASSAY_PROGRAM, "report", "out", "--format", format, "-o", "file", "--lang", "zh"},
                        folder_.path());
        EXPECT_EQ(written.exit_code, 0) << format << written.errors;
        EXPECT_THAT(written.output, IsEmpty());
        EXPECT_FALSE(test::read_file(folder_.path() / "file").empty()) << format;
    }
    EXPECT_EQ(test::read_file(folder_.path() / "out" / "report.html"),
              run({"report", "out", "--format", "html"}).output);
}

TEST_F(RunsTest, AWaivedRequirementIsReportedWithItsReason) {
    const Finished finished = run({"run", good_suite(6), "--out", "out", "--waive", "enough", "--reason",
                                   "the next delivery brings it", "--json"});
    const json report = json::parse(finished.output);
    EXPECT_EQ(report["requirements"][0]["status"], "waived");
    EXPECT_THAT(report["waivers"].dump(), HasSubstr("the next delivery brings it"));
    EXPECT_NE(finished.exit_code, 1);
}

TEST_F(RunsTest, WhatARunLeavesKeepsToTheSchemas) {
    const std::string suite = write_suite(
        "schemas",
        {case_of("faulty.good"), case_of("faulty.crash"), case_of("faulty.slow", {{"seconds", 0}})},
        {requirement("enough", "faulty.good", "count", 5)});
    run({"run", suite, "--out", "out"});
    EXPECT_EQ(test::schema_complaints("suite.json", suite), "");
    EXPECT_EQ(test::schema_complaints("report.json", folder_.path() / "out" / "report.json"), "");
    const std::vector<json> lines = read_json_lines(journal());
    ASSERT_THAT(lines, SizeIs(4));
    EXPECT_EQ(test::schema_complaints("journal.json", folder_.write("header.json", lines[0].dump())), "");
    EXPECT_EQ(test::schema_complaints("suite.json", folder_.write("kept.json", lines[0]["suite"].dump())),
              "");
    for (std::size_t i = 1; i < lines.size(); ++i)
        EXPECT_EQ(test::schema_complaints("outcome.json", folder_.write("outcome.json", lines[i].dump())),
                  "");
    EXPECT_THAT(test::schema_complaints("journal.json", folder_.write("wrong.json", "{}")),
                HasSubstr("required"));
}

TEST_F(RunsTest, ADriverThatCrashesLeavesTheCpuAndSaysWhyTheRestIsNotThere) {
    ::setenv("ASSAY_FAULTY_DRIVER", "yes", 1);
    const Finished finished = run({"run", good_suite(), "--out", "out"});
    const Finished listed = run({"list", "devices"});
    ::unsetenv("ASSAY_FAULTY_DRIVER");
    EXPECT_EQ(finished.exit_code, 0) << finished.errors;
    EXPECT_THAT(statuses(), ElementsAre("measured"));
    const json header = read_json_lines(journal()).front();
    ASSERT_THAT(header["devices"], SizeIs(1));
    EXPECT_EQ(header["devices"][0]["id"], "cpu:0");
    EXPECT_THAT(header["absences"][0].get<std::string>(),
                AllOf(HasSubstr("SIGSEGV"), HasSubstr("libdriver: cannot talk to the card")));
    EXPECT_EQ(test::schema_complaints("journal.json", folder_.write("header.json", header.dump())), "");
    EXPECT_EQ(listed.exit_code, 0);
    EXPECT_THAT(listed.output, AllOf(HasSubstr("cpu:0"), HasSubstr("SIGSEGV")));
}

}  // namespace
}  // namespace assay
