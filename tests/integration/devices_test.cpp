// What `assay list devices` tells of machines that have other devices than this one (tests/fake_cuda,
// tests/fake_opencl).

#include <map>

#include <gmock/gmock.h>

#include "tests/integration/program.h"

namespace assay {
namespace {

using nlohmann::json;
using test::Finished;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

class DevicesTest : public ::testing::Test {
  protected:
    /// The list in JSON, of a machine with these folders of libraries and other settings.
    json list(const std::vector<std::string>& settings) {
        std::vector<std::string> words = {"/usr/bin/env"};
        words.insert(words.end(), settings.begin(), settings.end());
        words.insert(words.end(), {ASSAY_PROGRAM, "list", "devices", "--json"});
        const Finished finished = test::run_program(words, folder_.path());
        EXPECT_EQ(finished.exit_code, 0) << finished.errors;
        return json::parse(finished.output, nullptr, false);
    }
    static std::vector<std::string> absences(const json& listed) {
        return listed.at("absences").get<std::vector<std::string>>();
    }
    test::WorkFolder folder_;
};

TEST_F(DevicesTest, ACardThatIsReachedInTwoWaysIsToldToBeOne) {
    const json listed = list({"LD_LIBRARY_PATH=" FAKE_CUDA_FOLDER ":" FAKE_OPENCL_FOLDER,
                              "FAKE_CUDA_CARDS=One,9.0,1024;Two,9.0,1024"});
    ASSERT_TRUE(listed.is_object());
    std::map<std::string, json> by_id;
    for (const json& device : listed.at("devices")) by_id[device.at("id")] = device;
    ASSERT_EQ(by_id.size(), 6u) << listed.dump(1);
    EXPECT_EQ(by_id["opencl:0"]["pci_address"], "0000:65:00.0");
    EXPECT_EQ(by_id["opencl:0"]["same_as"], "cuda:0") << "by NVIDIA's attributes";
    EXPECT_EQ(by_id["opencl:1"]["pci_address"], "0000:66:00.0");
    EXPECT_EQ(by_id["opencl:1"]["same_as"], "cuda:1") << "by Khronos's extension";
    EXPECT_EQ(by_id["opencl:2"]["pci_address"], "0000:21:00.0") << "by AMD's topology";
    EXPECT_EQ(by_id["opencl:2"].value("same_as", ""), "");
    EXPECT_EQ(by_id["opencl:2"]["name"], "AMD Made Up") << "the board, not the chip";
    EXPECT_THAT(absences(listed), Contains(AllOf(HasSubstr("OpenCL platform Without devices has no device"),
                                                 HasSubstr("CL_DEVICE_NOT_FOUND"))));
}

TEST_F(DevicesTest, ACardThatCudaLeavesOutIsOpenClsOwn) {
    const json listed = list({"LD_LIBRARY_PATH=" FAKE_CUDA_FOLDER ":" FAKE_OPENCL_FOLDER,
                              "FAKE_CUDA_CARDS=Broken,9.0,1024", "FAKE_CUDA_FAIL=cuDeviceTotalMem_v2 999 1"});
    for (const json& device : listed.at("devices")) {
        EXPECT_NE(device.at("id"), "cuda:0");
        EXPECT_EQ(device.value("same_as", ""), "");
    }
    EXPECT_EQ(listed.at("devices").size(), 4u);
}

TEST_F(DevicesTest, ALoaderWithoutAVendorsDriverIsAReason) {
    std::filesystem::create_directory(folder_.path() / "none");
    const std::string none = (folder_.path() / "none/").string();
    // ocl-icd's name for the folder, and Khronos's.
    const json listed = list({"OCL_ICD_VENDORS=" + none, "OPENCL_VENDOR_PATH=" + none});
    EXPECT_THAT(absences(listed), Contains(HasSubstr("no OpenCL platform")));
    EXPECT_EQ(listed.at("devices").size(), 1u) << listed.dump(1);
}

}  // namespace
}  // namespace assay
