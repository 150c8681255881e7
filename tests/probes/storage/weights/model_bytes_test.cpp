#include "probes/storage/weights/model_bytes.h"

#include <numeric>

#include <gtest/gtest.h>

#include "probes/storage/target/prepare.h"

namespace assay::storage {
namespace {

TEST(ModelBytes, AreParametersTimesWhatOneTakes) {
    Model model;
    model.hidden_size = 1024;
    model.parameters = 1'000'000;
    EXPECT_EQ(model_bytes(model, "f32"), 4'000'000u);
    EXPECT_EQ(model_bytes(model, "bf16"), 2'000'000u);
    EXPECT_EQ(model_bytes(model, "f16"), 2'000'000u);
    EXPECT_EQ(model_bytes(model, "fp8"), 1'000'244u);   // 4 bytes for 16384 weights
    EXPECT_EQ(model_bytes(model, "int8"), 1'003'906u);  // 4 bytes for 1024 weights
    EXPECT_EQ(model_bytes(model, "int4"), 562'500u);    // 18 bytes for 32 weights
}

TEST(ModelBytes, ScaleInProportion) {
    EXPECT_DOUBLE_EQ(scaled_seconds(2.5, 1 << 20, 3 << 20), 7.5);
    EXPECT_DOUBLE_EQ(scaled_seconds(2.5, 1 << 20, 1 << 20), 2.5);
}

TEST(ModelBytes, ThatFitAreTheMostThatTheRuleAllows) {
    Target target;
    target.file_system.free_bytes = (10 << 20) + 5;  // half of it may be taken
    EXPECT_EQ(bytes_that_fit(target, 4097), 4097u);
    EXPECT_EQ(bytes_that_fit(target, 5 << 20), 5u << 20);
    EXPECT_EQ(bytes_that_fit(target, 700ULL << 30), 5u << 20);
    target.size_bytes = 3 << 20;  // of the shared file is there already
    EXPECT_EQ(bytes_that_fit(target, 700ULL << 30), 8u << 20);
    EXPECT_TRUE(no_room(target, 9 << 20));
    target.size_bytes = 0;
    target.file_system.free_bytes = 1 << 20;
    EXPECT_EQ(bytes_that_fit(target, 700ULL << 30), 0u);
}

TEST(ModelBytes, AreSplitIntoShardsWithoutLossOrGain) {
    for (const std::uint64_t bytes : {4096ULL, 999'612'000ULL, 8ULL << 20, (8ULL << 20) + 1, 12'288ULL}) {
        for (const int count : {1, 2, 3, 7}) {
            const std::vector<std::uint64_t> shards = split_in_shards(bytes, count);
            EXPECT_EQ(std::accumulate(shards.begin(), shards.end(), 0ULL), bytes) << bytes << " in " << count;
            std::uint64_t begin = 0;
            for (const std::uint64_t shard : shards) {
                EXPECT_GT(shard, 0u);
                EXPECT_EQ(begin % 4096, 0u) << bytes << " in " << count;
                begin += shard;
            }
            if (bytes / 4096 >= static_cast<std::uint64_t>(count)) {
                EXPECT_EQ(shards.size(), static_cast<std::size_t>(count)) << bytes;
            }
        }
    }
    EXPECT_EQ(usual_shards(1 << 30), 2);
    EXPECT_EQ(usual_shards(700'000'000'000), 140);
}

}  // namespace
}  // namespace assay::storage
