#include "kernels/device/shared_library.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace assay {
namespace {

using testing::HasSubstr;

TEST(SharedLibrary, SaysOfSeveralNamesWhatIsWrongWithTheOneThatIsThere) {
    const std::string broken =
        (std::filesystem::temp_directory_path() / ("assay-broken-" + std::to_string(::getpid()))).string();
    std::ofstream(broken) << "no library";
    std::string error;
    EXPECT_FALSE(SharedLibrary::load({"libassay-none.so.2", broken.c_str(), "libassay-none.so.1"}, error));
    EXPECT_THAT(error, HasSubstr(broken));
    EXPECT_FALSE(SharedLibrary::load({"libassay-none.so.2", "libassay-none.so.1"}, error));
    EXPECT_THAT(error, HasSubstr("libassay-none.so.2"));
    std::filesystem::remove(broken);
}

}  // namespace
}  // namespace assay
