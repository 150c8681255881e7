#include "probes/storage/weights/checksum.h"

#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/probes/storage/disk_folder.h"
#include "tests/probes/storage/weights/bytes.h"

namespace assay::storage {
namespace {

using testing::HasSubstr;

class ChecksumTest : public DiskFolderTest {
  protected:
    std::string stated(const std::string& sidecar) {
        std::ofstream(folder_ / "model.gguf.md5") << sidecar;
        try {
            return stated_md5(folder_ / "model.gguf", "here").value_or("none");
        } catch (const InputError& error) {
            return error.what();
        }
    }
};

TEST(Checksum, IsTheMd5OfTheStandard) {
    // RFC 1321, appendix A.5.
    const auto nothing = [](std::uint64_t) {};
    EXPECT_EQ(md5_of(file_of(""), nothing), "d41d8cd98f00b204e9800998ecf8427e");
    EXPECT_EQ(md5_of(file_of("message digest"), nothing), "f96b697d7cb7938d525a2f31aaf161d0");
    EXPECT_EQ(md5_of(file_of(std::string(3'000'000, 'a')), nothing),
              md5_of(file_of(std::string(3'000'000, 'a')), nothing));
}

TEST_F(ChecksumTest, IsFoundBesideTheFileHoweverItIsWritten) {
    const std::string digest = "f96b697d7cb7938d525a2f31aaf161d0";
    EXPECT_EQ(stated_md5(folder_ / "model.gguf", "here"), std::nullopt);
    EXPECT_EQ(stated(digest + "  model.gguf\n"), digest);
    EXPECT_EQ(stated(digest + " *model.gguf\r\n"), digest);
    EXPECT_EQ(stated(digest + "  /somewhere/else/model.gguf\n"), digest);
    EXPECT_EQ(stated("F96B697D7CB7938D525A2F31AAF161D0\n"), digest);
    EXPECT_EQ(stated("MD5 (model.gguf) = " + digest + "\n"), digest);
    EXPECT_EQ(stated("d41d8cd98f00b204e9800998ecf8427e  other\n\n" + digest + "  model.gguf\n"), digest);
}

TEST_F(ChecksumTest, ThatStatesNothingForTheFileIsRefused) {
    const std::string digest = "f96b697d7cb7938d525a2f31aaf161d0";
    EXPECT_THAT(stated(""), HasSubstr("states no MD5 of model.gguf"));
    EXPECT_THAT(stated(digest + "  other.gguf\n"), HasSubstr("states no MD5 of model.gguf"));
    EXPECT_THAT(stated(digest.substr(1) + "  model.gguf\n"), HasSubstr("a line that states no MD5"));
    EXPECT_THAT(stated(std::string(100'000, 'f')), HasSubstr("states no MD5"));
}

}  // namespace
}  // namespace assay::storage
