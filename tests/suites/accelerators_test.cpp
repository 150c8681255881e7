#include <gtest/gtest.h>

#include "suites/suite.h"

namespace assay {
namespace {

DeviceInfo card(const std::string& name) {
    DeviceInfo info;
    info.kind = "gpu";
    info.name = name;
    return info;
}

TEST(AcceleratorFacts, OfNvidiaAreFoundByTheWholeNameAndOfOthersByAPart) {
    const std::vector<AcceleratorFacts> facts = load_accelerator_facts();
    ASSERT_NE(find_accelerator(facts, card("NVIDIA L40")), nullptr);
    EXPECT_EQ(find_accelerator(facts, card("NVIDIA L40"))->name, "l40");
    EXPECT_EQ(find_accelerator(facts, card("NVIDIA L40S"))->name, "l40s");
    EXPECT_EQ(find_accelerator(facts, card("NVIDIA A10G")), nullptr) << "another card";
    EXPECT_EQ(find_accelerator(facts, card("AMD Instinct MI300X OAM"))->name, "mi300x");
    EXPECT_EQ(find_accelerator(facts, card("")), nullptr);
}

TEST(AcceleratorFacts, AreLimitsWithTheirSourceAndNothingWhereNothingIsPublished) {
    const std::vector<AcceleratorFacts> facts = load_accelerator_facts();
    const AcceleratorFacts* const h200 = find_accelerator(facts, card("NVIDIA H200"));
    ASSERT_NE(h200, nullptr);
    EXPECT_DOUBLE_EQ(peak_limit(h200, "bf16")->value, 989.4e12);
    EXPECT_NE(peak_limit(h200, "bf16")->source.find("datasheet"), std::string::npos);
    EXPECT_DOUBLE_EQ(memory_bandwidth_limit(h200)->value, 4.8e12);
    EXPECT_FALSE(peak_limit(find_accelerator(facts, card("Tesla T4")), "fp8"));
    const AcceleratorFacts* const half = find_accelerator(facts, card("AMD Instinct MI250X"));
    ASSERT_NE(half, nullptr);
    EXPECT_EQ(half->memory_bytes, 64'000'000'000u) << "its driver shows two devices";
    EXPECT_DOUBLE_EQ(memory_bandwidth_limit(half)->value, 1638.4e9);
    EXPECT_DOUBLE_EQ(peak_limit(half, "f16")->value, 191.5e12);
    EXPECT_FALSE(peak_limit(nullptr, "f32"));
    EXPECT_FALSE(memory_bandwidth_limit(nullptr));
}

}  // namespace
}  // namespace assay
