// The CUDA device against the tests' driver (tests/fake_cuda), which really runs the kernels.

#include <algorithm>
#include <cstring>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <system_error>
#include <variant>
#include <vector>

#include <gmock/gmock.h>

#include "kernels/cuda/built_kernels.h"
#include "kernels/device/accelerator.h"
#include "tests/fake_cuda/fake_cuda.h"

namespace assay {
namespace {

using fake_cuda::Card;
using fake_cuda::Fresh;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

std::unique_ptr<Device> opened(const std::string& id = "cuda:0") {
    std::variant<std::unique_ptr<Device>, Absent> device = open_device(id);
    if (const Absent* absent = std::get_if<Absent>(&device)) throw std::runtime_error(absent->reason);
    return std::move(std::get<std::unique_ptr<Device>>(device));
}

std::string absence_of(const std::string& id = "cuda:0") {
    const std::variant<std::unique_ptr<Device>, Absent> device = open_device(id);
    const Absent* const absent = std::get_if<Absent>(&device);
    return absent != nullptr ? absent->reason : "it is there";
}

std::vector<std::string> cuda_ids(const DeviceSurvey& survey) {
    std::vector<std::string> ids;
    for (const DeviceInfo& device : survey.devices)
        if (device.id.starts_with("cuda:")) ids.push_back(device.id + " " + device.name);
    return ids;
}

std::vector<std::byte> random_bytes(std::size_t count) {
    std::mt19937 random{std::random_device{}()};
    std::vector<std::byte> bytes(count);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
    return bytes;
}

/// What a DeviceError says; "" where none is thrown.
template <typename Call>
std::string error_of(const Call& call, bool lost = false, bool out_of_memory = false) {
    try {
        call();
    } catch (const DeviceError& error) {
        EXPECT_EQ(error.lost(), lost) << error.what();
        EXPECT_EQ(error.out_of_memory(), out_of_memory) << error.what();
        return error.what();
    }
    return "";
}

TEST(CudaDevice, IsListedWithWhatTheDriverTells) {
    const Fresh fresh({Card{.name = "Fake GPU",
                            .major = 9,
                            .multiprocessors = 132,
                            .memory_bytes = 5u << 20,
                            .pci_address = "0000:A1:00.0"}});
    const int major = std::max(12, cuda::wanted_major());
    fake_cuda::set_driver_version(1000 * major + 40);
    const DeviceSurvey survey = survey_devices();
    const std::unique_ptr<Device> device = opened();
    for (const DeviceInfo& info : {survey.devices.at(1), device->info()}) {
        EXPECT_EQ(info.id, "cuda:0");
        EXPECT_EQ(info.kind, "gpu");
        EXPECT_EQ(info.name, "Fake GPU");
        EXPECT_EQ(info.compute_units, 132);
        EXPECT_EQ(info.memory_bytes, 5u << 20);
        EXPECT_EQ(info.interface, "CUDA " + std::to_string(major) + ".4");
        EXPECT_EQ(info.pci_address, "0000:a1:00.0") << "as sysfs has it";
        EXPECT_EQ(info.compute_capability, "9.0");
    }
    EXPECT_EQ(survey.cuda_kernels, cuda::describe(cuda::built_kernels()));
    EXPECT_TRUE(device->accelerator()->is_card());
}

TEST(CudaDevice, TheSurveyTakesNothingOfACard) {
    const Fresh fresh;
    (void)survey_devices();
    EXPECT_THAT(fake_cuda::calls(), Not(Contains("cuDevicePrimaryCtxRetain")));
}

TEST(CudaDevice, SeveralOfDifferentKindsAreToldApart) {
    const Fresh fresh({Card{.name = "Big", .major = 10}, Card{.name = "Small", .major = 8, .minor = 6}});
    EXPECT_THAT(cuda_ids(survey_devices()), ::testing::ElementsAre("cuda:0 Big", "cuda:1 Small"));
    EXPECT_EQ(opened("cuda:1")->info().compute_capability, "8.6");
    EXPECT_THAT(absence_of("cuda:2"), AllOf(HasSubstr("cuda:2"), HasSubstr("2 devices")));
}

TEST(CudaDevice, ADriverThatDoesNotStartIsAReasonWithItsErrorsName) {
    for (const auto& [error, said] :
         std::vector<std::pair<int, std::string>>{{100, "CUDA_ERROR_NO_DEVICE (100)"},
                                                  {803, "different versions"},
                                                  {802, "fabric manager"},
                                                  {34, "stub"},
                                                  {999, "/dev/nvidia"}}) {
        const Fresh fresh;
        fresh.fail("cuInit", error, 0);
        EXPECT_THAT(absence_of(), AllOf(HasSubstr("cuda:0"), HasSubstr(said)));
        const DeviceSurvey survey = survey_devices();
        EXPECT_THAT(survey.absences, Contains(AllOf(HasSubstr("no CUDA device"), HasSubstr(said))));
        EXPECT_TRUE(cuda_ids(survey).empty());
    }
}

TEST(CudaDevice, NoneBecauseAVariableHidesAllIsSaidSo) {
    const Fresh fresh{std::vector<Card>()};
    ::setenv("CUDA_VISIBLE_DEVICES", "-1", 1);
    const std::string reason = absence_of();
    ::unsetenv("CUDA_VISIBLE_DEVICES");
    EXPECT_THAT(reason, HasSubstr("CUDA_VISIBLE_DEVICES='-1'"));
    EXPECT_THAT(absence_of(), AllOf(HasSubstr("no card"), Not(HasSubstr("VISIBLE"))));
}

TEST(CudaDevice, OneInExclusiveUseOrClosedIsAbsent) {
    const Fresh fresh({Card{.name = "Busy", .compute_mode = 3, .taken = true}, Card{.compute_mode = 2}});
    EXPECT_THAT(absence_of("cuda:0"), AllOf(HasSubstr("Busy"), HasSubstr("exclusive use"),
                                            HasSubstr("CUDA_ERROR_DEVICE_UNAVAILABLE")));
    EXPECT_THAT(absence_of("cuda:1"), HasSubstr("prohibited"));
    // Which is known without taking anything of the card, so that no list offers it.
    const DeviceSurvey survey = survey_devices();
    EXPECT_THAT(cuda_ids(survey), ::testing::ElementsAre("cuda:0 Busy"));
    EXPECT_THAT(survey.absences, Contains(AllOf(HasSubstr("cuda:1"), HasSubstr("prohibited"))));
}

TEST(CudaDevice, AnOlderCardThanTheKernelsIsLeftToOpenCl) {
    if (cuda::built_kernels().architectures.empty()) return;  // placeholders are for every card
    const Fresh fresh({Card{.name = "Old", .major = 6, .minor = 1}, Card{.name = "New", .major = 12}});
    const DeviceSurvey survey = survey_devices();
    EXPECT_THAT(cuda_ids(survey), ::testing::ElementsAre("cuda:1 New"));
    const auto why = AllOf(HasSubstr("cuda:0 (Old)"), HasSubstr("6.1"), HasSubstr("CUDA"),
                           HasSubstr("opencl:N"), HasSubstr(cuda::describe(cuda::built_kernels())));
    EXPECT_THAT(survey.absences, Contains(why));
    EXPECT_THAT(absence_of("cuda:0"), why);
}

TEST(CudaDevice, ADriverOlderThanTheKernelsLeavesTheCardToOpenClWithBothVersions) {
    if (cuda::wanted_major() == 0) return;  // placeholders are for every driver
    const Fresh fresh({Card{.name = "Card"}});
    fake_cuda::set_driver_version(1000 * cuda::wanted_major() - 980);
    const auto why = AllOf(HasSubstr("cuda:0 (Card)"),
                           HasSubstr("CUDA " + std::to_string(cuda::wanted_major() - 1) + ".2"),
                           HasSubstr(cuda::wanted_version()), HasSubstr("opencl:N"));
    const DeviceSurvey survey = survey_devices();
    EXPECT_TRUE(cuda_ids(survey).empty());
    EXPECT_THAT(survey.absences, Contains(why));
    EXPECT_THAT(absence_of(), why);
    EXPECT_EQ(fake_cuda::count_of("cuDevicePrimaryCtxRetain"), 0);
    fake_cuda::set_driver_version(1000 * cuda::wanted_major());
    EXPECT_THAT(cuda_ids(survey_devices()), ::testing::ElementsAre("cuda:0 Card"));
}

TEST(CudaDevice, ADriverThatDoesNotTakeTheKernelsIsAReasonWithBothVersions) {
    for (const int error : {200, 209, 222}) {
        const Fresh fresh;
        fake_cuda::set_driver_version(1000 * std::max(12, cuda::wanted_major()) + 10);
        fresh.fail("cuModuleLoadData", error, 0);
        EXPECT_THAT(absence_of(), AllOf(HasSubstr("CUDA_ERROR_"), HasSubstr(".1, and one for "),
                                        HasSubstr(cuda::wanted_version()), HasSubstr("opencl:N")));
        EXPECT_EQ(fake_cuda::count_of("cuDevicePrimaryCtxRelease_v2"), 1) << "nothing is kept of the card";
    }
}

TEST(CudaDevice, OneThatDoesNotTellWhatItIsDoesNotHideTheOthers) {
    const Fresh fresh({Card{.name = "Broken"}, Card{.name = "Well"}});
    fresh.fail("cuDeviceTotalMem_v2", 999, 1);
    const DeviceSurvey survey = survey_devices();
    EXPECT_THAT(cuda_ids(survey), ::testing::ElementsAre("cuda:1 Well"));
    EXPECT_THAT(survey.absences, Contains(AllOf(HasSubstr("cuda:0"), HasSubstr("cuDeviceTotalMem"))));
}

TEST(CudaDevice, BytesGoThereAndBackAndFromOneMemoryToAnother) {
    const Fresh fresh;
    const std::unique_ptr<Device> device = opened();
    Accelerator& accelerator = *device->accelerator();
    Queue& queue = accelerator.queue();
    constexpr std::size_t bytes = 300'001;
    const std::vector<std::byte> sent = random_bytes(bytes);
    const std::unique_ptr<DeviceMemory> first = accelerator.allocate(bytes, false);
    const std::unique_ptr<DeviceMemory> second = accelerator.allocate(bytes, false);
    EXPECT_EQ(first->host_pointer(), nullptr);
    EXPECT_NE(accelerator.address(*first), 0u);
    queue.fill(*second, 0, bytes, 0xFF);
    queue.write(*first, 0, sent.data(), bytes);
    queue.copy(*second, 100, *first, 7, bytes - 200);
    std::vector<std::byte> received(bytes);
    queue.read(received.data(), *second, 0, bytes);
    queue.finish();
    for (std::size_t i = 0; i < bytes; ++i) {
        const bool inside = i >= 100 && i < bytes - 100;
        ASSERT_EQ(received[i], inside ? sent[i - 93] : std::byte{0xFF}) << i;
    }
}

TEST(CudaDevice, PinnedMemoryIsTheHostsAndTheCards) {
    const Fresh fresh;
    const std::unique_ptr<Device> device = opened();
    Accelerator& accelerator = *device->accelerator();
    const std::unique_ptr<DeviceMemory> pinned = accelerator.allocate_host(4096, true);
    const std::unique_ptr<DeviceMemory> plain = accelerator.allocate_host(4096, false);
    ASSERT_NE(pinned->host_pointer(), nullptr);
    ASSERT_NE(plain->host_pointer(), nullptr);
    EXPECT_NE(accelerator.address(*pinned), 0u);
    EXPECT_NE(error_of([&] { (void)accelerator.address(*plain); }), "");
    const std::unique_ptr<DeviceMemory> memory = accelerator.allocate(4096, false);
    std::memset(pinned->host_pointer(), 0x3c, 4096);
    accelerator.queue().write(*memory, 0, pinned->host_pointer(), 4096);
    accelerator.queue().read(plain->host_pointer(), *memory, 0, 4096);
    accelerator.queue().finish();
    EXPECT_EQ(plain->host_pointer()[4095], std::byte{0x3c});
}

TEST(CudaDevice, AKernelGetsItsArgumentsInTheirOrder) {
    const Fresh fresh;
    const std::unique_ptr<Device> device = opened();
    Accelerator& accelerator = *device->accelerator();
    Queue& queue = accelerator.queue();
    const std::unique_ptr<DeviceMemory> flag = accelerator.allocate(4, false);
    const std::unique_ptr<DeviceMemory> expired = accelerator.allocate(4, false);
    Kernel& spin = accelerator.kernel("spin", "spin");
    EXPECT_EQ(&spin, &accelerator.kernel("spin", "spin"));
    for (const bool raised : {true, false}) {
        queue.fill(*flag, 0, 4, raised ? 1 : 0);
        queue.fill(*expired, 0, 4, 0);
        const KernelArgument arguments[] = {flag.get(), expired.get(), std::uint64_t{1000}};
        const double seconds = timed(queue, [&] { queue.launch(spin, {}, arguments); });
        EXPECT_GE(seconds, 0);
        std::uint32_t ended_by_limit = 9;
        queue.read(&ended_by_limit, *expired, 0, 4);
        queue.finish();
        EXPECT_EQ(ended_by_limit, raised ? 0u : 1u);
    }
}

TEST(CudaDevice, HoldsAQueueBackUntilTheGateOpensWhileAnotherGoesOn) {
    const Fresh fresh;
    const std::unique_ptr<Device> device = opened();
    Accelerator& accelerator = *device->accelerator();
    Queue& queue = accelerator.queue();
    const std::unique_ptr<Queue> other = accelerator.make_queue();
    EXPECT_NE(queue.native(), nullptr);
    EXPECT_NE(queue.native(), other->native());
    const std::unique_ptr<DeviceMemory> memory = accelerator.allocate(4096, false);
    const std::unique_ptr<DeviceMemory> host = accelerator.allocate_host(8192, true);
    std::memset(host->host_pointer(), 5, 8192);
    queue.fill(*memory, 0, 4096, 9);
    queue.finish();
    const std::unique_ptr<Gate> gate = queue.hold();
    const std::unique_ptr<Mark> begin = queue.mark();
    queue.read(host->host_pointer(), *memory, 0, 4096);
    const std::unique_ptr<Mark> end = queue.mark();
    other->read(host->host_pointer() + 4096, *memory, 0, 4096);
    other->finish();
    EXPECT_EQ(host->host_pointer()[17], std::byte{5}) << "behind the gate";
    EXPECT_EQ(host->host_pointer()[4096 + 17], std::byte{9}) << "beside it";
    gate->open();
    queue.finish();
    EXPECT_EQ(host->host_pointer()[17], std::byte{9});
    EXPECT_GE(queue.seconds_between(*begin, *end), 0);
}

TEST(CudaDevice, AGateOpensWhenItIsForgotten) {
    const Fresh fresh;
    const std::unique_ptr<Device> device = opened();
    Queue& queue = device->accelerator()->queue();
    const std::unique_ptr<DeviceMemory> memory = device->allocate(8, false);
    for (int i = 0; i < 600; ++i) {  // more often than there are flags
        const std::unique_ptr<Gate> gate = queue.hold();
        queue.fill(*memory, 0, 8, 1);
        gate->open();
    }
    (void)queue.hold();
    queue.finish();
    // One still closed when its queue goes.
    std::unique_ptr<Queue> other = device->accelerator()->make_queue();
    const std::unique_ptr<Gate> gate = other->hold();
    other.reset();
}

TEST(CudaDevice, CopiesToAnotherCardWithAndWithoutAWayOfItsOwn) {
    for (const bool reachable : {true, false}) {
        const Fresh fresh({Card{.name = "One", .reaches_peers = reachable}, Card{.name = "Two", .major = 8}});
        const std::unique_ptr<Device> one = opened("cuda:0"), two = opened("cuda:1");
        EXPECT_EQ(one->accelerator()->reach(*two->accelerator()), reachable);
        EXPECT_EQ(one->accelerator()->reach(*two->accelerator()), reachable) << "asked twice";
        const std::vector<std::byte> sent = random_bytes(10'000);
        const std::unique_ptr<DeviceMemory> from = one->allocate(sent.size(), false);
        const std::unique_ptr<DeviceMemory> to = two->allocate(sent.size(), false);
        Queue& queue = one->accelerator()->queue();
        queue.write(*from, 0, sent.data(), sent.size());
        queue.copy(*to, 0, *from, 0, sent.size());
        queue.finish();
        EXPECT_THAT(fake_cuda::calls(), Contains("cuMemcpyPeerAsync"));
        std::vector<std::byte> received(sent.size());
        two->accelerator()->queue().read(received.data(), *to, 0, sent.size());
        two->accelerator()->queue().finish();
        EXPECT_EQ(received, sent);
    }
}

TEST(CudaDevice, AProgramOrKernelThatIsNotThereIsNamed) {
    const Fresh fresh;
    const std::unique_ptr<Device> device = opened();
    Accelerator& accelerator = *device->accelerator();
    EXPECT_THAT(error_of([&] { (void)accelerator.kernel("no_such", "spin"); }), HasSubstr("cuda/no_such"));
    EXPECT_THAT(error_of([&] { (void)accelerator.kernel("spin", "no_such"); }),
                AllOf(HasSubstr("no_such"), HasSubstr("CUDA_ERROR_NOT_FOUND")));
}

TEST(CudaDevice, MemoryThatIsNotThereIsOutOfMemoryAndTheDeviceGoesOn) {
    const Fresh fresh({Card{.memory_bytes = 1 << 20}});
    const std::unique_ptr<Device> device = opened();
    const std::unique_ptr<DeviceMemory> most = device->allocate(1 << 19, false);
    EXPECT_THAT(error_of([&] { (void)device->allocate(1 << 20, false); }, false, true),
                HasSubstr("1048576 bytes: CUDA_ERROR_OUT_OF_MEMORY (2)"));
    EXPECT_NO_THROW((void)device->allocate(1 << 19, false));
    EXPECT_EQ(fake_cuda::allocated_bytes(), 1u << 19) << "freed with its owner";
    EXPECT_THROW((void)device->allocate(0, false), std::system_error);
}

TEST(CudaDevice, TellsWhatNobodyUsesOfItsMemory) {
    const Fresh fresh({Card{.memory_bytes = 64u << 20, .used_by_others = 24u << 20}, Card{}});
    const std::unique_ptr<Device> device = opened();
    const std::unique_ptr<Device> other = opened("cuda:1");
    const Accelerator& card = *device->accelerator();
    EXPECT_EQ(card.info().memory_bytes, 64u << 20);
    EXPECT_EQ(card.free_bytes(), 40u << 20);
    {
        const std::unique_ptr<DeviceMemory> own = device->allocate(8u << 20, false);
        EXPECT_EQ(card.free_bytes(), 32u << 20);
        EXPECT_EQ(other->accelerator()->free_bytes(), 1u << 30);
    }
    EXPECT_EQ(card.free_bytes(), 40u << 20);
    EXPECT_NE(error_of([&] { device->allocate(48u << 20, false); }, false, true), "");
    fake_cuda::fail("cuMemGetInfo_v2", 801);
    EXPECT_EQ(card.free_bytes(), std::nullopt);
}

TEST(CudaDevice, WhatLiesOutsideOfAMemoryIsRefused) {
    const Fresh fresh;
    const std::unique_ptr<Device> device = opened();
    const std::unique_ptr<DeviceMemory> memory = device->allocate(100, false);
    Queue& queue = device->accelerator()->queue();
    std::byte byte{};
    EXPECT_THAT(error_of([&] { queue.write(*memory, 100, &byte, 1); }), HasSubstr("100 bytes"));
    EXPECT_NE(error_of([&] { queue.fill(*memory, 1, ~std::size_t{0}, 0); }), "");
    const KernelArgument none[] = {static_cast<const DeviceMemory*>(nullptr), std::uint64_t{0}};
    EXPECT_NE(error_of([&] {
                  queue.launch(device->accelerator()->kernel("spin", "spin"),
                               {.groups_x = std::size_t{1} << 40}, none);
              }),
              "");
}

/// "expired" is of four bytes, behind the two that are asked for here.
void write_behind_the_end() {
    const std::unique_ptr<Device> device = opened();
    Accelerator& accelerator = *device->accelerator();
    const std::unique_ptr<DeviceMemory> flag = device->allocate(4, false);
    const std::unique_ptr<DeviceMemory> expired = device->allocate(2, false);
    const KernelArgument arguments[] = {flag.get(), expired.get(), std::uint64_t{1}};
    accelerator.queue().fill(*flag, 0, 4, 0);
    accelerator.queue().launch(accelerator.kernel("spin", "spin"), {}, arguments);
    accelerator.queue().finish();
}

TEST(CudaDeviceDeathTest, AKernelThatWritesBehindTheEndEndsTheProgram) {
    ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
    EXPECT_DEATH(write_behind_the_end(), "behind the end of memory of 2 bytes");
}

TEST(CudaDevice, OneThatIsLostInTheMiddleSaysSoFromThenOn) {
    for (const auto& [call, lost] : std::vector<std::pair<std::string, int>>{
             {"cuLaunchKernel", 719}, {"cuStreamSynchronize", 214}, {"cuMemcpyHtoDAsync_v2", 700}}) {
        const Fresh fresh;
        {
            const std::unique_ptr<Device> device = opened();
            Accelerator& accelerator = *device->accelerator();
            Queue& queue = accelerator.queue();
            const std::unique_ptr<DeviceMemory> memory = device->allocate(4096, false);
            fresh.fail(call, lost);
            const std::uint32_t one = 1;
            const auto work = [&] {
                const KernelArgument arguments[] = {memory.get(), memory.get(), std::uint64_t{1}};
                queue.write(*memory, 0, &one, sizeof one);
                queue.launch(accelerator.kernel("spin", "spin"), {}, arguments);
                queue.finish();
            };
            EXPECT_THAT(error_of(work, true),
                        AllOf(HasSubstr(call.substr(0, 8)), HasSubstr(std::to_string(lost))));
            EXPECT_THAT(error_of(work, true), HasSubstr(std::to_string(lost))) << "nor later";
            EXPECT_NE(error_of([&] { (void)device->allocate(1, false); }, true), "");
        }  // and its owners go without a word
    }
}

TEST(CudaDevice, EveryCallsErrorIsHeard) {
    for (const char* call :
         {"cuMemHostAlloc", "cuMemHostGetDevicePointer_v2", "cuMemcpyHtoDAsync_v2", "cuMemcpyDtoHAsync_v2",
          "cuMemcpyDtoDAsync_v2", "cuMemsetD8Async", "cuEventCreate", "cuEventRecord", "cuEventElapsedTime",
          "cuStreamCreate", "cuStreamSynchronize", "cuLaunchKernel", "cuFuncLoad", "cuModuleGetFunction",
          "cuModuleLoadData", "cuDevicePrimaryCtxRetain", "cuCtxSetCurrent", "cuDriverGetVersion",
          "cuDeviceGetCount"}) {
        const Fresh fresh;
        const auto work = [&] {
            const std::unique_ptr<Device> device = opened();
            Accelerator& accelerator = *device->accelerator();
            const std::unique_ptr<Queue> queue = accelerator.make_queue();
            const std::unique_ptr<DeviceMemory> host = accelerator.allocate_host(64, true);
            const std::unique_ptr<DeviceMemory> memory = accelerator.allocate(64, false);
            queue->fill(*memory, 0, 64, 1);
            const KernelArgument arguments[] = {memory.get(), memory.get(), std::uint64_t{1}};
            (void)timed(*queue, [&] {
                queue->launch(accelerator.kernel("spin", "spin"), {}, arguments);
                queue->write(*memory, 0, host->host_pointer(), 64);
                queue->copy(*memory, 0, *memory, 0, 64);
                queue->read(host->host_pointer(), *memory, 0, 64);
            });
        };
        EXPECT_NO_THROW(work()) << "as long as nothing is planted";
        fresh.fail(call, 1, 1);
        EXPECT_NE(error_of(work), "") << call;
    }
}

}  // namespace
}  // namespace assay
