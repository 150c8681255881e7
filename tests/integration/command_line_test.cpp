// The command line as a user meets it: exit codes, one line for every bad input, nothing half-written.

#include <algorithm>

#include <sys/vfs.h>

#include <gmock/gmock.h>

#include "tests/integration/program.h"

namespace assay {
namespace {

using nlohmann::json;
using test::Finished;
using test::run_program;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

struct BadInput {
    std::string name;
    std::vector<std::string> arguments;
    std::vector<std::string> said;  ///< each stands in the line
};

void PrintTo(const BadInput& input, std::ostream* stream) {
    *stream << input.name;
}

std::string tiny_suite(const std::string& requirement_unit) {
    const json suite = {{"schema", "assay.suite/1"},
                        {"name", "tiny"},
                        {"title", {{"en", "t"}, {"zh", "t"}}},
                        {"documents", {{{"id", "d"}, {"title", "t"}}}},
                        {"cases", {{{"probe", "faulty.good"}}}},
                        {"requirements",
                         {{{"id", "r"},
                           {"counts_for", {"poc"}},
                           {"title", {{"en", "r"}, {"zh", "r"}}},
                           {"select", {{"metric", "faulty.good"}}},
                           {"bound", {{"at_least", 1}}},
                           {"unit", requirement_unit},
                           {"sources", {{{"document", "d"}, {"section", ""}, {"quote", "q"}}}},
                           {"reading", {{"en", "r"}, {"zh", "r"}}}}}}};
    return suite.dump(1);
}

class BadInputTest : public ::testing::TestWithParam<BadInput> {};

TEST_P(BadInputTest, EndsWithTwoAndOneLineAndLeavesNothing) {
    const test::WorkFolder folder;
    folder.write("tiny.json", tiny_suite("count"));
    folder.write("unit.json", tiny_suite("second"));
    folder.write("syntax.json", "{\n \"schema\" }");
    folder.write("picky.json", R"({"schema":"assay.suite/1","name":"picky","title":{"en":"p","zh":"p"},
                                  "cases":[{"probe":"faulty.picky"}]})");
    folder.write("file", "");
    std::filesystem::create_directory(folder.path() / "empty");
    const std::vector<std::string> before = folder.names();
    std::vector<std::string> arguments = GetParam().arguments;
    arguments.insert(arguments.begin(), FAULTY_PROGRAM);
    const Finished finished = run_program(arguments, folder.path());
    EXPECT_EQ(finished.exit_code, 2) << finished.errors;
    EXPECT_THAT(finished.output, IsEmpty());
    EXPECT_THAT(finished.errors, StartsWith("assay: "));
    EXPECT_EQ(std::count(finished.errors.begin(), finished.errors.end(), '\n'), 1) << finished.errors;
    for (const std::string& text : GetParam().said) EXPECT_THAT(finished.errors, HasSubstr(text));
    EXPECT_EQ(folder.names(), before);
    EXPECT_TRUE(std::filesystem::is_empty(folder.path() / "empty"));
}

const std::vector<BadInput> bad_inputs = {
    {"no_command", {}, {"no command", "run, list"}},
    {"unknown_command", {"rum"}, {"rum"}},
    {"unknown_option", {"run", "tiny.json", "--fast"}, {"--fast", "assay run --help"}},
    {"no_suite", {"run"}, {"no suite is named", "poc"}},
    {"unknown_suite", {"run", "pock"}, {"\"pock\"", "poc"}},
    {"missing_suite_file", {"run", "none.json"}, {"none.json", "No such file"}},
    {"suite_is_a_directory", {"run", "./empty"}, {"empty", "is a directory"}},
    {"syntax_error", {"run", "syntax.json"}, {"syntax.json:2:"}},
    {"unit_that_does_not_fit", {"run", "unit.json"}, {"unit.json#/requirements/0/unit", "count"}},
    {"unknown_tier", {"run", "tiny.json", "--tier", "gold"}, {"gold", "basic"}},
    {"only_what_is_not_there", {"run", "tiny.json", "--only", "gemm"}, {"--only gemm", "faulty"}},
    {"set_without_value", {"run", "tiny.json", "--set", "faulty.good"}, {"PROBE.PARAMETER=VALUE"}},
    {"set_unknown_probe", {"run", "tiny.json", "--set", "gemm.n=1"}, {"--set gemm.n", "faulty.good"}},
    {"set_unknown_parameter", {"run", "tiny.json", "--set", "faulty.good.n=1"}, {"faulty.good.n", "value"}},
    {"set_out_of_range", {"run", "tiny.json", "--set", "faulty.good.value=101"}, {"101", "0 to 100"}},
    {"waiver_without_reason", {"run", "tiny.json", "--waive", "r"}, {"--reason"}},
    {"waiver_of_nothing", {"run", "tiny.json", "--waive", "x", "--reason", "y"}, {"--waive x", "r"}},
    {"unknown_language", {"run", "tiny.json", "--lang", "fr"}, {"--lang", "fr", "en"}},
    {"scratch_is_missing", {"run", "tiny.json", "--scratch", "none"}, {"--scratch none", "does not exist"}},
    {"scratch_is_a_file", {"run", "tiny.json", "--scratch", "file"}, {"--scratch file", "no directory"}},
    {"out_is_a_file", {"run", "tiny.json", "--out", "file"}, {"--out file", "no directory"}},
    {"out_below_a_file", {"run", "tiny.json", "--out", "file/out"}, {"--out file/out", "no directory"}},
    {"a_case_that_cannot_run", {"run", "picky.json"}, {"faulty.picky.target", "'bad'", "accepted is good"}},
    {"destroy_nothing",
     {"run", "tiny.json", "--allow-destroy", "none"},
     {"--allow-destroy none", "names nothing"}},
    {"destroy_a_folder",
     {"run", "tiny.json", "--allow-destroy", "empty"},
     {"--allow-destroy empty", "a folder"}},
    {"destroy_no_target",
     {"run", "tiny.json", "--allow-destroy", "file"},
     {"--allow-destroy file", "no case"}},
    {"destroy_unasked",
     {"probe", "faulty.destroys", "--set", "target=file"},
     {"faulty.destroys.target", "not named by --allow-destroy"}},
    {"destroy_by_another_path",
     {"probe", "faulty.destroys", "--set", "target=file", "--allow-destroy", "./file"},
     {"--allow-destroy ./file", "the cases' targets are file"}},
    {"destroy_twice",
     {"probe", "faulty.destroys", "--set", "target=file", "--allow-destroy", "file", "--allow-destroy",
      "file"},
     {"--allow-destroy file", "twice"}},
    {"resume_nothing", {"run", "--resume", "empty"}, {"empty", "there is no journal.jsonl"}},
    {"probe_unknown", {"probe", "faulty.god"}, {"faulty.god", "faulty.good"}},
    {"probe_unknown_parameter", {"probe", "faulty.good", "--set", "n=1"}, {"'n'", "value"}},
    {"probe_out_of_range", {"probe", "faulty.good", "--set", "value=-1"}, {"faulty.good.value", "-1"}},
    {"probe_refused", {"probe", "faulty.picky", "--json"}, {"faulty.picky.target"}},
    {"probe_scratch_missing", {"probe", "faulty.good", "--scratch", "none"}, {"--scratch none"}},
    {"list_unknown", {"list", "things"}, {"things", "probes"}},
    {"report_of_nothing", {"report", "empty"}, {"empty", "there is no journal.jsonl"}},
    {"report_unknown_format", {"report", "empty", "--format", "pdf"}, {"pdf", "html"}},
    {"judge_nothing", {"judge", "empty", "--against", "tiny.json"}, {"there is no journal.jsonl"}},
};

INSTANTIATE_TEST_SUITE_P(All, BadInputTest, ::testing::ValuesIn(bad_inputs),
                         [](const ::testing::TestParamInfo<BadInput>& tested) { return tested.param.name; });

class CommandLineTest : public ::testing::Test {
  protected:
    Finished assay(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), ASSAY_PROGRAM);
        return run_program(arguments, folder_.path());
    }
    Finished faulty(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), FAULTY_PROGRAM);
        return run_program(arguments, folder_.path());
    }
    test::WorkFolder folder_;
};

TEST_F(CommandLineTest, HelpAndVersionArePrintedToStandardOutput) {
    EXPECT_THAT(assay({"--help"}).output, AllOf(HasSubstr("Usage"), HasSubstr("130")));
    EXPECT_THAT(assay({"run", "--help"}).output, HasSubstr("--keep-files"));
    for (const char* const command : {"run", "probe"})
        EXPECT_THAT(assay({command, "--help"}).output,
                    AllOf(HasSubstr("--allow-destroy PATH"), HasSubstr("ALL DATA ON IT IS LOST")));
    const Finished version = assay({"--version"});
    EXPECT_EQ(version.exit_code, 0);
    EXPECT_THAT(version.output, AllOf(StartsWith("assay "), HasSubstr("commit")));
}

TEST_F(CommandLineTest, ListNamesProbesSuitesDevicesAndModels) {
    const Finished listed = assay({"list", "--json"});
    ASSERT_EQ(listed.exit_code, 0) << listed.errors;
    const json document = json::parse(listed.output);
    EXPECT_EQ(document["suites"][0]["name"], "accelerators");
    EXPECT_EQ(document["suites"][1]["name"], "kernels");
    EXPECT_EQ(document["suites"][1]["tiers"].size(), 0u);
    EXPECT_EQ(document["suites"][2]["name"], "poc");
    EXPECT_EQ(document["suites"][2]["tiers"].size(), 11u);
    EXPECT_EQ(document["devices"][0]["id"], "cpu:0");
    EXPECT_GT(document["models"].size(), 5u);
    bool random_read = false;
    for (const json& probe : document["probes"]) random_read |= probe["name"] == "storage.random_read";
    EXPECT_TRUE(random_read);
    EXPECT_THAT(assay({"list"}).output, AllOf(HasSubstr("storage.random_read"), HasSubstr("--tier basic")));
    EXPECT_FALSE(json::parse(assay({"list", "models", "--json"}).output).contains("probes"));
}

TEST_F(CommandLineTest, ProbeExitsByItsOutcomeAndPrintsNothingButIt) {
    const Finished measured = faulty({"probe", "faulty.good", "--json", "--set", "value=7"});
    EXPECT_EQ(measured.exit_code, 0);
    const json outcome = json::parse(measured.output);
    EXPECT_EQ(outcome["metrics"][0]["value"], 7);
    EXPECT_EQ(outcome["metrics"][0]["labels"]["value"], 7);
    EXPECT_THAT(measured.errors, HasSubstr("a library's warning"));
    EXPECT_EQ(test::schema_complaints("outcome.json", folder_.write("o.json", measured.output)), "");

    const Finished failed = faulty({"probe", "faulty.throws", "--json"});
    EXPECT_EQ(failed.exit_code, 1);
    EXPECT_EQ(json::parse(failed.output)["status"], "failed");
    EXPECT_THAT(faulty({"probe", "faulty.good"}).output,
                AllOf(HasSubstr("measured"), HasSubstr("faulty.good: 5")));
    EXPECT_EQ(assay({"probe", "gemm.throughput", "--set", "device=cuda:99"}).exit_code, 3);
}

TEST_F(CommandLineTest, AnInstructionSetThatThisCpuHasNotIsUnusableInput) {
#if defined(__aarch64__)
    const std::string foreign = "avx512";
#else
    const std::string foreign = "neon";
#endif
    for (const char* const probe :
         {"gemm.throughput", "gemm.ceiling", "quantized.gemm", "quantized.gemv", "memory.bandwidth"}) {
        const Finished finished = assay({"probe", probe, "--set", "isa=" + foreign, "--json"});
        EXPECT_EQ(finished.exit_code, 2) << probe;
        EXPECT_THAT(finished.output, IsEmpty());
        EXPECT_THAT(finished.errors,
                    AllOf(HasSubstr(std::string(probe) + ".isa"), HasSubstr("has no " + foreign),
                          HasSubstr("accepted: auto, portable")));
        EXPECT_EQ(std::count(finished.errors.begin(), finished.errors.end(), '\n'), 1) << finished.errors;
    }
}

TEST_F(CommandLineTest, AnotherRunsFolderIsRefused) {
    folder_.write("tiny.json", tiny_suite("count"));
    folder_.write("other.json", R"({"schema":"assay.suite/1","name":"other","title":{"en":"p","zh":"p"},
                                   "cases":[{"probe":"faulty.good"}]})");
    ASSERT_EQ(faulty({"run", "tiny.json", "--out", "out"}).exit_code, 0);
    const std::string before = test::read_file(folder_.path() / "out" / "journal.jsonl");
    const Finished other = faulty({"run", "other.json", "--out", "out"});
    EXPECT_EQ(other.exit_code, 2);
    EXPECT_THAT(other.errors, AllOf(HasSubstr("--out out"), HasSubstr("suite tiny")));
    const Finished same = faulty({"run", "tiny.json", "--out", "out"});
    EXPECT_EQ(same.exit_code, 2);
    EXPECT_THAT(same.errors, HasSubstr("--resume out"));
    const Finished resumed = faulty({"run", "other.json", "--resume", "out"});
    EXPECT_EQ(resumed.exit_code, 2);
    EXPECT_THAT(resumed.errors, HasSubstr("its suite was tiny"));
    EXPECT_EQ(test::read_file(folder_.path() / "out" / "journal.jsonl"), before);
}

TEST_F(CommandLineTest, AReportIsWrittenToNoDirectoryAndNoDevice) {
    folder_.write("tiny.json", tiny_suite("count"));
    ASSERT_EQ(faulty({"run", "tiny.json", "--out", "out"}).exit_code, 0);
    for (const std::string& target : {std::string("."), std::string("/dev/null"), std::string("none/file")}) {
        const Finished finished = faulty({"report", "out", "--format", "html", "-o", target});
        EXPECT_EQ(finished.exit_code, 2) << target;
        EXPECT_THAT(finished.errors, HasSubstr(target));
    }
    EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST_F(CommandLineTest, WhatCannotBeWrittenIsOurOwnFailure) {
    folder_.write("tiny.json", tiny_suite("count"));
    ASSERT_EQ(faulty({"run", "tiny.json", "--out", "out"}).exit_code, 0);
    const Finished finished = run_program(
        {"/bin/sh", "-c", std::string(FAULTY_PROGRAM) + " report out > /dev/full"}, folder_.path());
    EXPECT_EQ(finished.exit_code, 4);
    EXPECT_THAT(finished.errors, StartsWith("assay: "));
}

TEST_F(CommandLineTest, ATargetInMemoryIsRefused) {
    struct statfs status {};
    constexpr long tmpfs_magic = 0x01021994;
    ASSERT_EQ(::statfs("/dev/shm", &status), 0);
    ASSERT_EQ(status.f_type, tmpfs_magic) << "this test needs /dev/shm to be a tmpfs";
    const Finished finished =
        assay({"run", "poc", "--only", "storage", "--quick", "--out", "out", "--scratch", "/dev/shm"});
    EXPECT_EQ(finished.exit_code, 2) << finished.output << finished.errors;
    EXPECT_THAT(finished.errors, HasSubstr("tmpfs"));
    EXPECT_THAT(folder_.names(), IsEmpty());
}

TEST_F(CommandLineTest, ThePocSuiteRunsOnThisMachine) {
    const Finished finished =
        assay({"run", "poc", "--only", "inventory", "--quick", "--out", "out", "--tier", "basic", "--json"});
    EXPECT_THAT(finished.exit_code, ::testing::AnyOf(1, 3)) << finished.errors;
    const json report = json::parse(finished.output);
    EXPECT_EQ(report["tier"], "basic");
    EXPECT_EQ(report["outcomes"].size(), 1u);
    EXPECT_EQ(test::schema_complaints("report.json", folder_.path() / "out" / "report.json"), "");
    const std::vector<json> lines = test::read_json_lines(folder_.path() / "out" / "journal.jsonl");
    ASSERT_EQ(lines.size(), 2u);
    EXPECT_EQ(test::schema_complaints("journal.json", folder_.write("header.json", lines[0].dump())), "");
    EXPECT_EQ(test::schema_complaints("outcome.json", folder_.write("outcome.json", lines[1].dump())), "");
    EXPECT_EQ(lines[1]["status"], "measured");
}

TEST_F(CommandLineTest, TheEmbeddedSuitesKeepToTheSchema) {
    const std::filesystem::path suites = std::filesystem::path(ASSAY_SOURCE_DIR) / "suites";
    EXPECT_EQ(test::schema_complaints("suite.json", suites / "poc.json"), "");
    for (const std::filesystem::directory_entry& tier : std::filesystem::directory_iterator(suites / "tiers"))
        EXPECT_EQ(test::schema_complaints("suite.json", tier.path()), "");
}

}  // namespace
}  // namespace assay
