#include "kernels/cuda/driver.h"

#include <gmock/gmock.h>

#include "kernels/cuda/built_kernels.h"
#include "kernels/cuda/listing.h"
#include "kernels/device/accelerator.h"
#include "tests/fake_cuda/fake_cuda.h"
#include "tests/probes/inventory/fake_root.h"

namespace assay::cuda {
namespace {

using inventory::FakeRoot;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::string reason_of(const char* library) {
    const std::variant<std::unique_ptr<Driver>, Absent> loaded = load_driver(library);
    const Absent* const absent = std::get_if<Absent>(&loaded);
    return absent != nullptr ? absent->reason : "it loads";
}

TEST(CudaDriver, ThatIsNotThereIsNamedWithTheVersionWanted) {
    EXPECT_THAT(reason_of("libassay_has_no_such.so.1"),
                AllOf(HasSubstr("libassay_has_no_such.so.1"), HasSubstr(wanted_version()),
                      HasSubstr("No such file")));
}

TEST(CudaDriver, WithoutAFunctionOfOursIsRefusedByItsName) {
    // A library that is surely there and no driver.
    EXPECT_THAT(reason_of("libm.so.6"),
                AllOf(HasSubstr("libm.so.6"), HasSubstr("cuInit"), HasSubstr(wanted_version())));
}

TEST(CudaDriver, TellsWhatALostDeviceAndFullMemoryAre) {
    const fake_cuda::Fresh fresh;
    const Driver& loaded = *std::get<std::unique_ptr<Driver>>(driver());
    EXPECT_NO_THROW(require(loaded, 0, "cuInit"));
    for (const int lost : {214, 700, 714, 719, 999}) {
        try {
            require(loaded, lost, "cuStreamSynchronize");
            ADD_FAILURE() << lost;
        } catch (const DeviceError& error) {
            EXPECT_TRUE(error.lost()) << lost;
            EXPECT_FALSE(error.out_of_memory());
            EXPECT_THAT(error.what(), AllOf(HasSubstr("cuStreamSynchronize"), HasSubstr("CUDA_ERROR_")));
        }
    }
    try {
        require(loaded, 2, "cuMemAlloc of 5 bytes");
        ADD_FAILURE();
    } catch (const DeviceError& error) {
        EXPECT_TRUE(error.out_of_memory());
        EXPECT_FALSE(error.lost());
        EXPECT_THAT(error.what(), HasSubstr("cuMemAlloc of 5 bytes: CUDA_ERROR_OUT_OF_MEMORY (2)"));
    }
}

TEST(CudaDriver, NamesAnErrorThatItDoesNotKnowByItsNumber) {
    EXPECT_EQ(error_name(*std::get<std::unique_ptr<Driver>>(driver()), 12345), "CUDA error (12345)");
}

TEST(CudaKernelModule, TellsItsVersionInProc) {
    const FakeRoot root;
    EXPECT_EQ(kernel_module_version(root.path()), "");
    root.write("proc/driver/nvidia/version",
               "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu Oct 19 18:56:32 UTC 2023\n"
               "GCC version:  gcc version 12.2.0 (Debian 12.2.0-14)\n");
    EXPECT_EQ(kernel_module_version(root.path()), "535.129.03");
    root.write(
        "proc/driver/nvidia/version",
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build  (root@a)\n");
    EXPECT_EQ(kernel_module_version(root.path()), "580.65.06");
}

TEST(BuiltKernels, AreDescribedByTheirCompilerAndRange) {
    EXPECT_EQ(describe({true, "CUDA 13.0", {75, 80, 121}}), "CUDA 13.0, 7.5 to 12.1");
    EXPECT_EQ(describe({true, "CUDA 12.4", {90}}), "CUDA 12.4, 9.0");
    EXPECT_THAT(describe({}), HasSubstr("without nvcc"));
    EXPECT_TRUE(built_kernels().present) << "a build with tests has placeholders at least";
}

}  // namespace
}  // namespace assay::cuda
