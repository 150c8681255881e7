#include <memory>
#include <variant>

#include <gtest/gtest.h>

#include "kernels/device/accelerator.h"
#include "tests/fake_cuda/fake_cuda.h"
#include "tests/fake_nvml/fake_nvml.h"

namespace assay {
namespace {

TEST(CudaDeviceTelemetry, IsThatOfTheCardAtItsPciAddress) {
    const fake_cuda::Fresh fresh({{.name = "One", .pci_address = "0000:17:00.0"},
                                  {.name = "Two", .pci_address = "0000:A5:00.0"},
                                  {.name = "Unknown to NVML", .pci_address = "0000:01:00.0"}});
    *fake_nvml() = FakeNvml{};
    fake_nvml()->cards.resize(2);
    fake_nvml()->cards[0].bus_id = "00000000:a5:00.0";
    fake_nvml()->cards[0].power = 111'000;
    fake_nvml()->cards[1].bus_id = "00000000:17:00.0";
    fake_nvml()->cards[1].power = 222'000;
    for (const auto& [id, power] : {std::pair{"cuda:0", 222.0}, std::pair{"cuda:1", 111.0}}) {
        const std::unique_ptr<Device> device = std::get<std::unique_ptr<Device>>(open_device(id));
        Telemetry* const telemetry = device->accelerator()->telemetry();
        ASSERT_NE(telemetry, nullptr) << id;
        EXPECT_EQ(telemetry->read().power, power);
    }
    const std::unique_ptr<Device> unknown = std::get<std::unique_ptr<Device>>(open_device("cuda:2"));
    EXPECT_EQ(unknown->accelerator()->telemetry(), nullptr);
    *fake_nvml() = FakeNvml{};
}

}  // namespace
}  // namespace assay
