#include <array>
#include <cmath>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/device/accelerator.h"
#include "kernels/offload/stream.h"
#include "tests/kernels/faulty_accelerator.h"
#include "tests/kernels/pocl.h"

namespace assay {
namespace {

TEST(OpenClDevice, IsListedWithWhatItIsReachedThrough) {
    const DeviceSurvey survey = survey_devices();
    bool found = false;
    for (const DeviceInfo& device : survey.devices) {
        if (device.id != "opencl:0") continue;
        found = true;
        EXPECT_EQ(device.kind, "cpu");
        EXPECT_TRUE(device.interface.starts_with("OpenCL ")) << device.interface;
        EXPECT_GT(device.compute_units, 0);
        EXPECT_GT(device.memory_bytes, 0u);
    }
    EXPECT_TRUE(found);
}

TEST(OpenClDevice, RunsAKernelAndTellsItsTime) {
    const std::unique_ptr<Device> device = open_pocl();
    Accelerator& accelerator = *device->accelerator();
    Queue& queue = accelerator.queue();
    constexpr std::uint64_t count = 100'000;
    const std::unique_ptr<DeviceMemory> memory = accelerator.allocate(count * sizeof(std::uint32_t), false);
    EXPECT_EQ(memory->host_pointer(), nullptr);
    queue.fill(*memory, 0, memory->bytes(), 0xFF);
    const KernelArgument arguments[] = {memory.get(), count, std::uint32_t{7}};
    const double seconds = timed(queue, [&] {
        queue.launch(accelerator.kernel("stream", "fill"), {.groups_x = 4, .group_x = 64}, arguments);
    });
    EXPECT_GT(seconds, 0);
    EXPECT_LT(seconds, 10);
    std::vector<std::uint32_t> values(count);
    queue.read(values.data(), *memory, 0, memory->bytes());
    queue.finish();
    for (std::uint64_t i = 0; i < count; ++i) ASSERT_EQ(values[i], kernels::offloaded_element(i, 7)) << i;
}

TEST(OpenClDevice, HoldsAQueueBackUntilTheGateOpens) {
    const std::unique_ptr<Device> device = open_pocl();
    Accelerator& accelerator = *device->accelerator();
    Queue& queue = accelerator.queue();
    const std::unique_ptr<DeviceMemory> memory = accelerator.allocate(4096, false);
    const std::unique_ptr<DeviceMemory> host = accelerator.allocate_host(4096, true);
    ASSERT_NE(host->host_pointer(), nullptr);
    host->host_pointer()[17] = std::byte{5};
    queue.fill(*memory, 0, 4096, 9);
    queue.finish();
    const std::unique_ptr<Gate> gate = queue.hold();
    queue.read(host->host_pointer(), *memory, 0, 4096);
    EXPECT_EQ(host->host_pointer()[17], std::byte{5});
    gate->open();
    queue.finish();
    EXPECT_EQ(host->host_pointer()[17], std::byte{9});
}

TEST(OpenClDevice, SaysWhatTheCompilerSaidOfAProgramThatDoesNotBuild) {
    const std::unique_ptr<Device> device = open_pocl();
    try {
        device->accelerator()->kernel("stream", "fill", "-Dkernel=nonsense");
        ADD_FAILURE() << "it builds";
    } catch (const DeviceError& error) {
        EXPECT_NE(std::string(error.what()).find("stream.cl"), std::string::npos) << error.what();
        EXPECT_NE(std::string(error.what()).find("nonsense"), std::string::npos) << error.what();
    }
}

TEST(FaultyAccelerator, PlantsWhatItIsTold) {
    FaultyAccelerator small(open_pocl(), {.memory_bytes = 1 << 20});
    const std::unique_ptr<DeviceMemory> most = small.allocate((1 << 20) - 100, false);
    EXPECT_THROW(small.allocate(101, false), DeviceError);

    FaultyAccelerator flipped(open_pocl(), {.wrong_byte_at = 5, .wrong_bits = 0x10});
    const std::unique_ptr<DeviceMemory> memory = flipped.allocate(64, false);
    flipped.queue().fill(*memory, 0, 64, 1);
    std::array<std::uint8_t, 8> bytes{};
    flipped.queue().read(bytes.data(), *memory, 0, bytes.size());
    flipped.queue().finish();
    EXPECT_EQ(bytes[4], 0x01);
    EXPECT_EQ(bytes[5], 0x11);

    FaultyAccelerator lost(open_pocl(), {.lost_at_launch = 0});
    const KernelArgument arguments[] = {memory.get(), std::uint64_t{1}, std::uint32_t{7}};
    EXPECT_THROW(lost.queue().launch(lost.kernel("stream", "fill", ""), {}, arguments), DeviceError);
    EXPECT_THROW(lost.queue().finish(), DeviceError);
}

TEST(OpenClDevice, BeyondTheLastIsAbsentWithHowManyThereAre) {
    const std::variant<std::unique_ptr<Device>, Absent> device = open_device("opencl:77");
    ASSERT_TRUE(std::holds_alternative<Absent>(device));
    EXPECT_NE(std::get<Absent>(device).reason.find("opencl:77"), std::string::npos);
}

}  // namespace
}  // namespace assay
