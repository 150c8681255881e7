#include "suites/journal.h"

#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include "probes/core/sampling.h"
#include "tests/suites/support.h"

namespace assay {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

JournalHeader a_header() {
    JournalHeader header;
    header.run = {.suite = "mine",
                  .tier = "golden",
                  .quick = true,
                  .tool_version = "1.2.3",
                  .commit = "abc",
                  .compiler = "GNU 12",
                  .command_line = {"assay", "run", "mine"},
                  .started_at = "2025-09-25T08:30:00.000Z",
                  .machine = "here"};
    PlannedCase planned;
    planned.the_case = {"fake.speed", {{"depth", "4"}, {"kind", "a"}}};
    planned.required = false;
    planned.expected_seconds = 7.5;
    planned.time_limit_seconds = 60;
    planned.written_bytes = 1u << 20;
    PlannedCase to_skip;
    to_skip.the_case = {"future.thing", {}};
    to_skip.skip_reason = "not yet";
    header.plan.cases = {planned, to_skip};
    header.waivers = {{"speed", "known to be slow"}};
    header.survey.devices = {
        {"cpu:0", "cpu", "A processor", 4, 1u << 30},
        {"cuda:0", "gpu", "A card", 132, 1ull << 37, "CUDA 13.0", "580.65.06", "0000:65:00.0", "9.0", ""},
        {"opencl:0", "gpu", "A card", 132, 1ull << 37, "OpenCL 3.0", "580.65.06", "0000:65:00.0", "",
         "cuda:0"}};
    header.survey.absences = {"no third way"};
    header.suite_json = test::good_suite().dump();
    return header;
}

Outcome an_outcome(const std::string& depth) {
    Outcome outcome;
    outcome.the_case = {"fake.speed", {{"depth", depth}, {"kind", "a"}}};
    outcome.started_at = "2025-09-25T08:30:01.000Z";
    outcome.metrics.push_back(make_exact_metric(
        {"fake.speed", Unit::byte_per_second, Direction::higher, "speed"}, 42, {{"depth", depth}}));
    outcome.notes = {"two\nlines, and 中文"};
    return outcome;
}

void write_journal(const std::filesystem::path& folder, int outcomes) {
    JournalWriter writer = JournalWriter::create(folder, a_header());
    for (int i = 1; i <= outcomes; ++i) writer.append(an_outcome(std::to_string(i)));
}

std::string error_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const InputError& error) {
        return error.what();
    }
    return "no error";
}

TEST(JournalTest, KeepsTheHeaderWhole) {
    const test::TemporaryFolder folder;
    write_journal(folder.path(), 0);
    const JournalHeader read = read_journal(folder.path()).header;
    const JournalHeader written = a_header();
    EXPECT_EQ(read.run.suite, "mine");
    EXPECT_EQ(read.run.tier, "golden");
    EXPECT_TRUE(read.run.quick);
    EXPECT_EQ(read.run.tool_version, "1.2.3");
    EXPECT_EQ(read.run.commit, "abc");
    EXPECT_EQ(read.run.compiler, "GNU 12");
    EXPECT_EQ(read.run.command_line, written.run.command_line);
    EXPECT_EQ(read.run.started_at, written.run.started_at);
    EXPECT_EQ(read.run.machine, "here");
    ASSERT_THAT(read.plan.cases, SizeIs(2));
    EXPECT_EQ(read.plan.cases[0].the_case, written.plan.cases[0].the_case);
    EXPECT_FALSE(read.plan.cases[0].required);
    EXPECT_EQ(read.plan.cases[0].expected_seconds, 7.5);
    EXPECT_EQ(read.plan.cases[0].time_limit_seconds, 60);
    EXPECT_EQ(read.plan.cases[0].written_bytes, 1u << 20);
    EXPECT_FALSE(read.plan.cases[0].skip_reason);
    EXPECT_EQ(read.plan.cases[1].skip_reason, "not yet");
    ASSERT_THAT(read.waivers, SizeIs(1));
    EXPECT_EQ(read.waivers[0].reason, "known to be slow");
    ASSERT_THAT(read.survey.devices, SizeIs(3));
    EXPECT_EQ(read.survey.devices[0].compute_units, 4);
    EXPECT_EQ(read.survey.devices[0].interface, "");
    const DeviceInfo& card = read.survey.devices[1];
    EXPECT_EQ(card.interface, "CUDA 13.0");
    EXPECT_EQ(card.driver_version, "580.65.06");
    EXPECT_EQ(card.pci_address, "0000:65:00.0");
    EXPECT_EQ(card.compute_capability, "9.0");
    EXPECT_EQ(card.same_as, "");
    EXPECT_EQ(read.survey.devices[2].same_as, "cuda:0");
    EXPECT_THAT(read.survey.absences, ::testing::ElementsAre("no third way"));
    EXPECT_EQ(nlohmann::json::parse(read.suite_json), test::good_suite());
}

TEST(JournalTest, ReadsAHeaderOlderThanWhatIsToldOfDevicesToday) {
    const test::TemporaryFolder folder;
    write_journal(folder.path(), 0);
    nlohmann::json header = nlohmann::json::parse(test::read_whole(journal_path(folder.path())));
    header.erase("absences");
    header["devices"] = {{{"id", "cpu:0"},
                          {"kind", "cpu"},
                          {"name", "A processor"},
                          {"compute_units", 4},
                          {"memory_bytes", 1024}}};
    folder.write("journal.jsonl", header.dump() + "\n");
    const JournalHeader read = read_journal(folder.path()).header;
    ASSERT_THAT(read.survey.devices, SizeIs(1));
    EXPECT_EQ(read.survey.devices[0].name, "A processor");
    EXPECT_THAT(read.survey.absences, IsEmpty());
}

TEST(JournalTest, KeepsOutcomesInTheirOrder) {
    const test::TemporaryFolder folder;
    write_journal(folder.path(), 3);
    const Journal journal = read_journal(folder.path());
    ASSERT_THAT(journal.outcomes, SizeIs(3));
    EXPECT_EQ(journal.outcomes[2].the_case, an_outcome("3").the_case);
    EXPECT_EQ(journal.outcomes[0].notes, an_outcome("1").notes);
    EXPECT_THAT(journal.notes, IsEmpty());
}

TEST(JournalTest, ALineCutOffAnywhereLosesOnlyItself) {
    const test::TemporaryFolder folder;
    write_journal(folder.path(), 2);
    const std::string before = test::read_whole(journal_path(folder.path()));
    {
        JournalWriter writer = JournalWriter::resume(folder.path());
        writer.append(an_outcome("3"));
    }
    const std::string whole = test::read_whole(journal_path(folder.path()));
    for (std::size_t length = before.size() + 1; length < whole.size(); ++length) {
        folder.write("journal.jsonl", whole.substr(0, length));
        const Journal journal = read_journal(folder.path());
        ASSERT_THAT(journal.outcomes, SizeIs(2)) << "cut off at byte " << length;
        ASSERT_THAT(journal.notes, SizeIs(1));
        ASSERT_THAT(journal.notes[0], HasSubstr("line 4 is cut off after"));
    }
    folder.write("journal.jsonl", before);
    EXPECT_THAT(read_journal(folder.path()).notes, IsEmpty());
}

TEST(JournalTest, ResumingCutsOffATruncatedLineAndGoesOn) {
    const test::TemporaryFolder folder;
    write_journal(folder.path(), 3);
    const std::string whole = test::read_whole(journal_path(folder.path()));
    folder.write("journal.jsonl", whole.substr(0, whole.size() - 1));
    {
        JournalWriter writer = JournalWriter::resume(folder.path());
        EXPECT_THAT(read_journal(folder.path()).outcomes, SizeIs(2));
        writer.append(an_outcome("9"));
    }
    const Journal journal = read_journal(folder.path());
    ASSERT_THAT(journal.outcomes, SizeIs(3));
    EXPECT_EQ(journal.outcomes[2].the_case.text("depth"), "9");
    EXPECT_THAT(journal.notes, IsEmpty());
}

TEST(JournalTest, AnInvalidLineInTheMiddleIsDroppedAndSaid) {
    const test::TemporaryFolder folder;
    write_journal(folder.path(), 3);
    std::string whole = test::read_whole(journal_path(folder.path()));
    const std::size_t second = whole.find('\n', whole.find('\n') + 1) + 1;
    whole[second + 1] = '#';
    folder.write("journal.jsonl", whole);
    const Journal journal = read_journal(folder.path());
    EXPECT_THAT(journal.outcomes, SizeIs(2));
    ASSERT_THAT(journal.notes, SizeIs(1));
    EXPECT_THAT(journal.notes[0], HasSubstr("line 3 was dropped"));
}

TEST(JournalTest, TheLaterOfTwoOutcomesOfACaseCountsAndIsSaid) {
    const test::TemporaryFolder folder;
    {
        JournalWriter writer = JournalWriter::create(folder.path(), a_header());
        writer.append(an_outcome("1"));
        Outcome again = an_outcome("1");
        again.notes = {"again"};
        writer.append(again);
    }
    const Journal journal = read_journal(folder.path());
    ASSERT_THAT(journal.outcomes, SizeIs(1));
    EXPECT_THAT(journal.outcomes[0].notes, ::testing::ElementsAre("again"));
    EXPECT_THAT(journal.notes, SizeIs(1));
}

TEST(JournalTest, AHeaderThatIsCutOffMakesTheJournalUnusable) {
    const test::TemporaryFolder folder;
    write_journal(folder.path(), 1);
    const std::string whole = test::read_whole(journal_path(folder.path()));
    for (const std::size_t length : {std::size_t{0}, std::size_t{1}, whole.find('\n')}) {
        folder.write("journal.jsonl", whole.substr(0, length));
        EXPECT_THAT(error_of([&] { read_journal(folder.path()); }), HasSubstr("journal.jsonl:1: "));
        EXPECT_THAT(error_of([&] { JournalWriter::resume(folder.path()); }), HasSubstr("journal.jsonl:1: "));
    }
    folder.write("journal.jsonl", "{\"schema\":\"assay.journal/9\"}\n");
    EXPECT_THAT(error_of([&] { read_journal(folder.path()); }), HasSubstr("assay.journal/1"));
}

TEST(JournalTest, AFolderWithoutAJournalIsNamed) {
    const test::TemporaryFolder folder;
    EXPECT_THAT(error_of([&] { read_journal(folder.path()); }), HasSubstr("there is no journal.jsonl here"));
    EXPECT_THAT(error_of([&] { read_journal(folder.path() / "none"); }), HasSubstr("none"));
    EXPECT_THAT(error_of([&] { JournalWriter::resume(folder.path()); }),
                HasSubstr("there is no journal.jsonl"));
}

TEST(JournalTest, ASecondRunNeverBeginsInTheSameFolder) {
    const test::TemporaryFolder folder;
    write_journal(folder.path(), 1);
    const std::string before = test::read_whole(journal_path(folder.path()));
    EXPECT_THAT(error_of([&] { JournalWriter::create(folder.path(), a_header()); }), HasSubstr("--resume"));
    EXPECT_EQ(test::read_whole(journal_path(folder.path())), before);
}

TEST(JournalTest, TwoRunsNeverWriteAtOnce) {
    const test::TemporaryFolder folder;
    {
        const JournalWriter writer = JournalWriter::create(folder.path(), a_header());
        EXPECT_THAT(error_of([&] { JournalWriter::resume(folder.path()); }), HasSubstr("another run"));
    }
    EXPECT_EQ(error_of([&] { JournalWriter::resume(folder.path()); }), "no error");
}

TEST(JournalTest, ALineIsThereWhenAppendReturnsHoweverTheRunEnds) {
    const test::TemporaryFolder folder;
    const pid_t child = ::fork();
    if (child == 0) {
        JournalWriter writer = JournalWriter::create(folder.path(), a_header());
        writer.append(an_outcome("1"));
        ::_exit(9);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_THAT(read_journal(folder.path()).outcomes, SizeIs(1));
}

}  // namespace
}  // namespace assay
