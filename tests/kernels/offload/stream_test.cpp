#include "kernels/offload/stream.h"

#include <memory>
#include <stdexcept>
#include <variant>

#include <gtest/gtest.h>

#include "tests/fake_cuda/fake_cuda.h"
#include "tests/kernels/faulty_accelerator.h"
#include "tests/kernels/pocl.h"

namespace assay::kernels {
namespace {

constexpr StreamKernel all_kernels[] = {StreamKernel::read,  StreamKernel::write, StreamKernel::copy,
                                        StreamKernel::scale, StreamKernel::add,   StreamKernel::triad};

/// Those of the device as it is, and those of a card.
std::vector<OffloadedPattern> every_pattern(Device& device, StreamKernel kernel) {
    std::vector<OffloadedPattern> patterns = offloaded_patterns(*device.accelerator(), kernel);
    FaultyAccelerator card(open_pocl(), {});
    card.described().kind = "gpu";
    for (const OffloadedPattern& pattern : offloaded_patterns(card, kernel)) patterns.push_back(pattern);
    return patterns;
}

TEST(OffloadedStream, DoesWhatTheHostComputesInEveryPattern) {
    const std::unique_ptr<Device> device = open_pocl();
    for (const std::uint64_t pieces : {1, 3, 37}) {
        OffloadedStream stream(*device->accelerator(), 3, pieces * offloaded_array_multiple, 11);
        for (const StreamKernel kernel : all_kernels) {
            for (const OffloadedPattern& pattern : every_pattern(*device, kernel)) {
                stream.poison(kernel);
                stream.run(kernel, pattern);
                EXPECT_EQ(stream.wrong_elements(kernel, pattern), 0u)
                    << to_string(kernel) << ": " << pattern.describe() << ", " << pieces;
            }
        }
    }
}

TEST(OffloadedStream, OnCudaDoesWhatTheHostComputesInEveryPattern) {
    const fake_cuda::Fresh driver;
    std::variant<std::unique_ptr<Device>, Absent> device = open_device("cuda:0");
    ASSERT_TRUE(std::holds_alternative<std::unique_ptr<Device>>(device)) << std::get<Absent>(device).reason;
    Accelerator& accelerator = *std::get<std::unique_ptr<Device>>(device)->accelerator();
    OffloadedStream stream(accelerator, 3, 3 * offloaded_array_multiple, 11);
    for (const StreamKernel kernel : all_kernels) {
        for (const OffloadedPattern& pattern : offloaded_patterns(accelerator, kernel)) {
            stream.poison(kernel);
            stream.run(kernel, pattern);
            EXPECT_EQ(stream.wrong_elements(kernel, pattern), 0u)
                << to_string(kernel) << ": " << pattern.describe();
        }
    }
}

TEST(OffloadedStream, WritesAndReadsOneArray) {
    const std::unique_ptr<Device> device = open_pocl();
    OffloadedStream stream(*device->accelerator(), 1, offloaded_array_multiple, 5);
    const OffloadedPattern pattern = plain_offloaded_pattern(*device->accelerator());
    for (const StreamKernel kernel : {StreamKernel::write, StreamKernel::read}) {
        stream.poison(kernel);
        stream.run(kernel, pattern);
        EXPECT_EQ(stream.wrong_elements(kernel, pattern), 0u);
    }
}

TEST(OffloadedStream, NoticesWhatWasNotDone) {
    // The inputs are filled by the first two launches.
    for (const StreamKernel kernel : all_kernels) {
        FaultyAccelerator idle(open_pocl(), {.launch_not_made = 2});
        OffloadedStream stream(idle, 3, offloaded_array_multiple, 5);
        const OffloadedPattern pattern = plain_offloaded_pattern(idle);
        stream.poison(kernel);
        stream.run(kernel, pattern);
        const std::uint64_t elements = offloaded_array_multiple / 4;
        EXPECT_EQ(stream.wrong_elements(kernel, pattern), kernel == StreamKernel::read ? 1 : elements)
            << to_string(kernel);
    }
}

TEST(OffloadedStream, NoticesOneWrongBit) {
    for (const StreamKernel kernel : all_kernels) {
        FaultyAccelerator wrong(open_pocl(), {.wrong_byte_at = 4099, .wrong_bits = 0x01});
        OffloadedStream stream(wrong, 3, offloaded_array_multiple, 5);
        const OffloadedPattern pattern = plain_offloaded_pattern(wrong);
        stream.run(kernel, pattern);
        EXPECT_EQ(stream.wrong_elements(kernel, pattern), 1u) << to_string(kernel);
    }
}

TEST(OffloadedStream, ElementsDifferByIndexBeyond32BitsAndBySeed) {
    EXPECT_NE(offloaded_element(5, 1), offloaded_element(5, 2));
    EXPECT_NE(offloaded_element(5, 1), offloaded_element(5 + (std::uint64_t{1} << 32), 1));
    EXPECT_NE(offloaded_element(5, 1), offloaded_element(6, 1));
}

}  // namespace
}  // namespace assay::kernels
