#include "kernels/device/hwmon.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

namespace assay {
namespace {

namespace fs = std::filesystem;

/// The kernel's folder of the card 0000:c3:00.0 below a root of its own; gone with the test.
class Card {
  public:
    Card() {
        std::string name = (fs::temp_directory_path() / "assay-root-XXXXXX").string();
        if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
        root_ = name;
        fs::create_directories(folder());
    }
    ~Card() { fs::remove_all(root_); }
    Card(const Card&) = delete;
    Card& operator=(const Card&) = delete;

    const fs::path& root() const { return root_; }
    void write(const std::string& file, const std::string& text) const {
        fs::create_directories((folder() / file).parent_path());
        std::ofstream(folder() / file) << text << '\n';
    }
    std::unique_ptr<Telemetry> telemetry() const {
        return std::get<std::unique_ptr<Telemetry>>(hwmon::open_telemetry("0000:c3:00.0", root_));
    }

  private:
    fs::path folder() const { return root_ / "sys/bus/pci/devices/0000:c3:00.0"; }
    fs::path root_;
};

TEST(Hwmon, ReadsAnAmdCardInBaseUnits) {
    Card card;
    card.write("hwmon/hwmon7/name", "amdgpu");
    card.write("hwmon/hwmon7/power1_average", "281000000");
    card.write("hwmon/hwmon7/power1_cap", "300000000");
    card.write("hwmon/hwmon7/power1_cap_default", "560000000");
    card.write("hwmon/hwmon7/temp1_input", "41000");
    card.write("hwmon/hwmon7/temp1_label", "edge");
    card.write("hwmon/hwmon7/temp2_input", "55000");
    card.write("hwmon/hwmon7/temp2_label", "junction");
    card.write("hwmon/hwmon7/temp3_input", "47500");
    card.write("hwmon/hwmon7/temp3_label", "mem");
    card.write("hwmon/hwmon7/freq1_input", "1700000000");
    card.write("hwmon/hwmon7/freq1_label", "sclk");
    card.write("hwmon/hwmon7/freq2_input", "1600000000");
    card.write("hwmon/hwmon7/freq2_label", "mclk");
    card.write("gpu_busy_percent", "88");
    card.write("mem_info_vram_used", "10000000000");
    card.write("ras/umc_err_count", "ue: 1\nce: 3");
    const std::unique_ptr<Telemetry> telemetry = card.telemetry();
    EXPECT_EQ(telemetry->source(), "hwmon (amdgpu)");
    const TelemetryReading reading = telemetry->read();
    EXPECT_DOUBLE_EQ(reading.power.value(), 281);
    EXPECT_DOUBLE_EQ(reading.power_limit.value(), 300);
    EXPECT_DOUBLE_EQ(reading.default_power_limit.value(), 560);
    EXPECT_DOUBLE_EQ(reading.temperature.value(), 41);
    EXPECT_DOUBLE_EQ(reading.memory_temperature.value(), 47.5);
    EXPECT_EQ(reading.clock, 1.7e9);
    EXPECT_EQ(reading.memory_clock, 1.6e9);
    EXPECT_EQ(reading.utilisation, 0.88);
    EXPECT_EQ(reading.used_bytes, 10'000'000'000u);
    EXPECT_EQ(reading.ecc_uncorrected, 1u);
    EXPECT_EQ(reading.ecc_corrected, 3u);
    EXPECT_FALSE(reading.throttle_reasons);
}

TEST(Hwmon, LeavesOutWhatIsNotThereOrNoNumber) {
    Card card;
    card.write("hwmon/hwmon0/power1_input", "100000000");
    card.write("hwmon/hwmon0/temp1_input", "warm");
    const TelemetryReading reading = card.telemetry()->read();
    EXPECT_DOUBLE_EQ(reading.power.value(), 100);
    EXPECT_FALSE(reading.temperature || reading.memory_temperature || reading.clock || reading.power_limit ||
                 reading.utilisation || reading.used_bytes || reading.ecc_uncorrected);
    EXPECT_EQ(card.telemetry()->source(), "hwmon");
}

TEST(Hwmon, MakesPowerOfTheEnergyThatIntelCounts) {
    Card card;
    card.write("hwmon/hwmon0/energy1_input", "1000000");
    const std::unique_ptr<Telemetry> telemetry = card.telemetry();
    EXPECT_FALSE(telemetry->read().power);
    card.write("hwmon/hwmon0/energy1_input", "1500000");
    EXPECT_GT(telemetry->read().power.value(), 0);
    EXPECT_EQ(telemetry->read().power, 0);
}

TEST(Hwmon, SaysWhereThereIsNoMonitorAndWhoseACardIs) {
    Card card;
    card.write("vendor", "0x1002");
    const auto none = hwmon::open_telemetry("0000:c3:00.0", card.root());
    EXPECT_NE(std::get<Absent>(none).reason.find("0000:c3:00.0"), std::string::npos);
    EXPECT_EQ(hwmon::vendor_of("0000:c3:00.0", card.root()), 0x1002u);
    EXPECT_FALSE(hwmon::vendor_of("0000:c4:00.0", card.root()));
}

}  // namespace
}  // namespace assay
