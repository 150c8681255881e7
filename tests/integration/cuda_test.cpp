// Whole runs on a machine that seems to have NVIDIA's cards (tests/fake_cuda): whatever a driver does, one
// case has it for its reason, and the run goes on.

#include <gmock/gmock.h>

#include "tests/integration/program.h"

namespace assay {
namespace {

using nlohmann::json;
using test::Finished;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class CudaRunsTest : public ::testing::Test {
  protected:
    /// `settings` are those of tests/fake_cuda/fake_cuda.h.
    Finished run(const std::vector<std::string>& settings, const std::vector<std::string>& arguments) {
        std::vector<std::string> words = {"/usr/bin/env", "LD_LIBRARY_PATH=" + std::string(FAKE_CUDA_FOLDER)};
        words.insert(words.end(), settings.begin(), settings.end());
        words.emplace_back(FAULTY_PROGRAM);
        words.insert(words.end(), arguments.begin(), arguments.end());
        return test::run_program(words, folder_.path());
    }
    Finished probe(const std::vector<std::string>& settings, const std::string& device = "cuda:0") {
        return run(settings, {"probe", "faulty.device", "--set", "device=" + device, "--json"});
    }
    test::WorkFolder folder_;
};

TEST_F(CudaRunsTest, TheListShowsEachCardAsTheDriverTellsIt) {
    const Finished listed = run({"FAKE_CUDA_CARDS=NVIDIA H100 MIG 1g.10gb,9.0,1024;NVIDIA L4,8.9,512"},
                                {"list", "devices", "--json"});
    EXPECT_EQ(listed.exit_code, 0) << listed.errors;
    EXPECT_THAT(listed.output, AllOf(HasSubstr("cuda:0"), HasSubstr("NVIDIA H100 MIG 1g.10gb"),
                                     HasSubstr("cuda:1"), HasSubstr("NVIDIA L4")));
}

TEST_F(CudaRunsTest, ACaseRunsOnTheCardThatItNames) {
    const Finished finished = probe({"FAKE_CUDA_CARDS=One,9.0,1024;Two,8.0,1024"}, "cuda:1");
    EXPECT_EQ(finished.exit_code, 0) << finished.errors << finished.output;
    EXPECT_EQ(json::parse(finished.output)["metrics"][0]["value"], 4096);
}

struct Trouble {
    std::string setting, device, status, said;
};

TEST_F(CudaRunsTest, EveryTroubleIsThatCasesOutcome) {
    const std::vector<Trouble> troubles = {
        {"FAKE_CUDA_CARDS=", "cuda:0", "skipped", "CUDA_ERROR_NO_DEVICE"},
        {"FAKE_CUDA_CARDS=One,9.0,1024", "cuda:7", "skipped", "1 device, counted from cuda:0"},
        {"FAKE_CUDA_FAIL=cuInit 803 0", "cuda:0", "skipped", "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"},
        {"FAKE_CUDA_FAIL=cuDevicePrimaryCtxRetain 46 0", "cuda:0", "skipped", "exclusive use"},
        {"FAKE_CUDA_FAIL=cuModuleLoadData 222 0", "cuda:0", "skipped", "CUDA_ERROR_UNSUPPORTED_PTX_VERSION"},
        {"FAKE_CUDA_FAIL=cuMemAlloc_v2 2 1", "cuda:0", "failed", "4096 bytes: CUDA_ERROR_OUT_OF_MEMORY"},
        {"FAKE_CUDA_FAIL=cuMemsetD8Async 719 1", "cuda:0", "failed", "CUDA_ERROR_LAUNCH_FAILED"},
        {"FAKE_CUDA_FAIL=cuStreamSynchronize 214 1", "cuda:0", "failed", "CUDA_ERROR_ECC_UNCORRECTABLE"},
    };
    for (const Trouble& trouble : troubles) {
        const Finished finished = probe({trouble.setting}, trouble.device);
        EXPECT_EQ(finished.signal, 0) << trouble.setting;
        const json outcome = json::parse(finished.output, nullptr, false);
        ASSERT_TRUE(outcome.is_object()) << trouble.setting << finished.output << finished.errors;
        EXPECT_EQ(outcome["status"], trouble.status) << trouble.setting;
        EXPECT_THAT(outcome["reason"].get<std::string>(), HasSubstr(trouble.said)) << trouble.setting;
    }
}

TEST_F(CudaRunsTest, ADriverThatHangsCostsItsCaseAlone) {
    json hanging = {{"probe", "faulty.device"}, {"parameters", {{"device", "cuda:0"}}}, {"time_limit", 1}};
    const json suite = {{"schema", "assay.suite/1"},
                        {"name", "hanging"},
                        {"title", {{"en", "t"}, {"zh", "t"}}},
                        {"cases", {hanging, {{"probe", "faulty.good"}}}}};
    const Finished finished = run({"FAKE_CUDA_HANG=cuStreamSynchronize 1"},
                                  {"run", folder_.write("hanging.json", suite.dump()), "--out", "out"});
    EXPECT_EQ(finished.signal, 0) << finished.errors;
    std::vector<std::string> statuses;
    for (const json& line : test::read_json_lines(folder_.path() / "out" / "journal.jsonl"))
        if (line.contains("status")) statuses.push_back(line["status"].get<std::string>());
    EXPECT_THAT(statuses, ::testing::ElementsAre("timed_out", "measured"))
        << finished.output << finished.errors;
}

}  // namespace
}  // namespace assay
