// Who asks the drivers may be crashed, hung or lied to; the run goes on with the CPU and says why.

#include "suites/device_survey.h"

#include <sys/stat.h>

#include <gmock/gmock.h>

#include "tests/suites/support.h"

namespace assay {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

/// What a program of that shell script tells of its devices.
DeviceSurvey told_by(const std::string& script, double seconds = 20) {
    const test::TemporaryFolder folder;
    const std::string program = folder.write("program", "#!/bin/sh\n" + script + "\n");
    ::chmod(program.c_str(), 0700);
    return survey_in_child(program, std::chrono::duration<double>(seconds));
}

void expect_cpu_alone(const DeviceSurvey& survey, const std::string& why) {
    ASSERT_THAT(survey.devices, SizeIs(1));
    EXPECT_EQ(survey.devices[0].id, "cpu:0");
    EXPECT_GT(survey.devices[0].memory_bytes, 0u);
    ASSERT_THAT(survey.absences, SizeIs(1));
    EXPECT_THAT(survey.absences[0], AllOf(HasSubstr("no accelerator is used"), HasSubstr(why)));
    EXPECT_THAT(no_gpu_reason(survey).value(), HasSubstr(why));
}

TEST(DeviceSurveyInChild, IsWhatTheProgramLists) {
    const DeviceSurvey survey = told_by(
        R"([ "$*" = "list devices --json" ] || exit 1
           echo a warning of a driver >&2
           cat <<'END'
{"devices": [{"id": "cpu:0", "kind": "cpu", "name": "A", "compute_units": 2, "memory_bytes": 5},
             {"id": "cuda:0", "kind": "gpu", "name": "B", "compute_units": 3, "memory_bytes": 6,
              "pci_address": "0000:65:00.0"}], "absences": ["no OpenCL"]}
END)");
    ASSERT_THAT(survey.devices, SizeIs(2));
    EXPECT_EQ(survey.devices[1].pci_address, "0000:65:00.0");
    EXPECT_THAT(survey.absences, ::testing::ElementsAre("no OpenCL"));
    EXPECT_FALSE(no_gpu_reason(survey));
}

TEST(DeviceSurveyInChild, IsTheCpuAloneWhereADriverHangsCrashesOrFails) {
    expect_cpu_alone(told_by("exec sleep 60", 0.3), "did not end within 0.3 s");
    expect_cpu_alone(told_by("kill -SEGV $$"), "crashed with SIGSEGV");
    expect_cpu_alone(told_by("echo libdriver: no such ioctl >&2; exit 4"),
                     "failed with exit code 4; it said last: libdriver: no such ioctl");
}

TEST(DeviceSurveyInChild, IsTheCpuAloneWhereTheAnswerIsNone) {
    for (const char* const answer : {"", "echo hello", "echo '{\"devices\": 5}'", "echo '{\"devices\": []}'",
                                     "echo '{\"devices\": [{\"id\": 5}]}'", "echo '[1]'"})
        expect_cpu_alone(told_by(answer), "an answer that is none");
}

TEST(DeviceSurveyInChild, IsTheCpuAloneWhereTheProgramCannotBeBegun) {
    expect_cpu_alone(survey_in_child("/no/such/program"), "");
}

}  // namespace
}  // namespace assay
