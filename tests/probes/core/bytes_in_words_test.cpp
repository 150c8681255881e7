#include "probes/core/bytes_in_words.h"

#include <cstdint>

#include <gtest/gtest.h>

namespace assay {
namespace {

TEST(BytesInWords, SaysTheExactCountAndAUnitThatIsTakenIn) {
    EXPECT_EQ(bytes_in_words(0), "0 bytes");
    EXPECT_EQ(bytes_in_words(1), "1 byte");
    EXPECT_EQ(bytes_in_words(1048575), "1048575 bytes");
    EXPECT_EQ(bytes_in_words(1048576), "1048576 bytes (1 MiB)");
    EXPECT_EQ(bytes_in_words(1048577), "1048577 bytes (1.0 MiB)") << "one too many to be exact";
    EXPECT_EQ(bytes_in_words(17179869184), "17179869184 bytes (16 GiB)");
    EXPECT_EQ(bytes_in_words(17000000000), "17000000000 bytes (15.8 GiB)");
    EXPECT_EQ(bytes_in_words(1099511627776), "1099511627776 bytes (1 TiB)");
    EXPECT_EQ(bytes_in_words(UINT64_MAX), "18446744073709551615 bytes (16777216.0 TiB)");
}

TEST(BytesInWords, CountsOneInTheSingular) {
    EXPECT_EQ(counted(0, "array", "arrays"), "0 arrays");
    EXPECT_EQ(counted(1, "array", "arrays"), "1 array");
    EXPECT_EQ(counted(3, "array", "arrays"), "3 arrays");
}

}  // namespace
}  // namespace assay
