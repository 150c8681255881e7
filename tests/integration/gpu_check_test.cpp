// scripts/gpu-check, which a GPU machine runs without anything installed; here on the device that OpenCL
// finds.

#include <set>
#include <string>

#include <gmock/gmock.h>

#include "tests/integration/program.h"

namespace assay {
namespace {

using nlohmann::json;
using test::Finished;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class GpuCheckTest : public ::testing::Test {
  protected:
    Finished gpu_check(std::vector<std::string> arguments, std::vector<std::string> settings = {}) {
        settings.insert(settings.begin(), {"/usr/bin/env", "ASSAY=" ASSAY_PROGRAM});
        settings.push_back(std::string(ASSAY_SOURCE_DIR) + "/scripts/gpu-check");
        arguments.insert(arguments.begin(), settings.begin(), settings.end());
        return test::run_program(arguments, folder_.path());
    }
    test::WorkFolder folder_;
};

TEST_F(GpuCheckTest, WritesOneFolderWithTheReportsAndAShortTable) {
    const Finished finished = gpu_check({"--device", "opencl:0", "--quick", "--out", "out", "--", "--only",
                                         "interconnect", "--only", "memory.capacity"});
    EXPECT_THAT(finished.exit_code, ::testing::AnyOf(0, 3)) << finished.errors << finished.output;
    for (const char* const name : {"report.html", "report.zh.html", "report.json", "journal.jsonl",
                                   "table.txt", "table.json", "devices.txt"})
        EXPECT_THAT(test::read_file(folder_.path() / "out" / name), ::testing::Not(IsEmpty())) << name;
    const json table = json::parse(test::read_file(folder_.path() / "out" / "table.json"));
    EXPECT_EQ(table["suite"], "accelerators");
    EXPECT_GE(table["cases"]["measured"], 4);
    EXPECT_EQ(table["cases"]["failed"], 0);
    EXPECT_EQ(finished.exit_code, table["cases"]["skipped"] == 0 ? 0 : 3);
    // Each case on data of its own; its outcome says from which seed.
    std::set<std::string> seeds;
    std::size_t measured = 0;
    for (const json& line : test::read_json_lines(folder_.path() / "out" / "journal.jsonl")) {
        if (line.value("status", "") != "measured") continue;
        ++measured;
        seeds.insert(line["case"]["resolved"].at("seed").dump());
    }
    EXPECT_EQ(seeds.size(), measured);
    EXPECT_THAT(finished.output,
                AllOf(HasSubstr("opencl:0"), HasSubstr("interconnect.transfer"), HasSubstr("Cases")));
}

TEST_F(GpuCheckTest, SaysInOneLineWhatIsWrongWithItsArgumentsAndLeavesNothing) {
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"--fast"}, {"--device"}, {"--device", "opencl", "--quick"}}) {
        const Finished finished = gpu_check(arguments);
        EXPECT_EQ(finished.exit_code, 2) << arguments.front();
        EXPECT_EQ(std::count(finished.errors.begin(), finished.errors.end(), '\n'), 1) << finished.errors;
        EXPECT_THAT(folder_.names(), IsEmpty());
    }
}

TEST_F(GpuCheckTest, ACardThatIsNotUsedIsNotPassedOver) {
    const std::string driver = "LD_LIBRARY_PATH=" FAKE_CUDA_FOLDER;
    const Finished one = gpu_check({"--quick", "--out", "out", "--", "--only", "memory.capacity"},
                                   {driver, "FAKE_CUDA_CARDS=One,9.0,1024;Old,6.1,64"});
    EXPECT_EQ(one.exit_code, 3) << one.errors;
    EXPECT_THAT(one.errors, HasSubstr("out/devices.txt"));
    EXPECT_THAT(test::read_file(folder_.path() / "out" / "devices.txt"), HasSubstr("cuda:1 (Old)"));
    const Finished none = gpu_check({"--quick"}, {driver, "FAKE_CUDA_CARDS=Old,6.1,64"});
    EXPECT_EQ(none.exit_code, 3);
    EXPECT_THAT(none.errors, HasSubstr("no GPU to measure"));
}

}  // namespace
}  // namespace assay
