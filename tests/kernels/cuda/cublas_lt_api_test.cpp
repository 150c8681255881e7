#include <string>
#include <variant>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/cuda/cublas_lt_api.h"

namespace assay::cuda {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// The library that such a card takes: its name, or the reason for its absence.
std::string library_for(const std::string& capability, const std::string& interface) {
    DeviceInfo card;
    card.compute_capability = capability;
    card.interface = interface;
    const std::variant<const lt::Api*, Absent> found = lt::api(card);
    if (const Absent* absent = std::get_if<Absent>(&found)) return absent->reason;
    return std::get<const lt::Api*>(found)->library;
}

TEST(CublasLt, CardsBeforeTuringAndDriversBeforeCuda13TakeTheLibraryOfCuda12) {
    // Where a machine has it, it is taken; else the reason names it.
    EXPECT_THAT(library_for("7.0", "CUDA 13.0"), HasSubstr("libcublasLt.so.12"));
    EXPECT_THAT(library_for("9.0", "CUDA 12.4"), HasSubstr("libcublasLt.so.12"));
    // The tests' own stands for CUDA 13's.
    EXPECT_THAT(library_for("7.5", "CUDA 13.0"), HasSubstr("libcublasLt.so.13"));
    EXPECT_THAT(library_for("12.1", "CUDA 13.1"), HasSubstr("libcublasLt.so.13"));
}

}  // namespace
}  // namespace assay::cuda
