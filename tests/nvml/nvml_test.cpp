#include "kernels/cuda/nvml.h"

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/device/shared_library.h"
#include "tests/fake_nvml/fake_nvml.h"

namespace assay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string address = "0000:65:00.0";

/// A form of the made-up library, with what it says as it is when made.
class Library {
  public:
    explicit Library(const std::string& form)
        : path_(std::string(FAKE_NVML_FOLDER) + "/" + form + "/libnvidia-ml.so.1") {
        std::string error;
        const std::optional<SharedLibrary> library = SharedLibrary::load({path_.c_str()}, error);
        FakeNvml* (*find_state)() = nullptr;
        if (!library || !library->find("fake_nvml", find_state))
            throw std::runtime_error(path_ + ": " + error);
        state_ = find_state();
        *state_ = {};
    }
    FakeNvml& state() { return *state_; }
    FakeCard& card() { return state_->cards.front(); }
    std::variant<nvml::Api, Absent> load() const { return nvml::load_api(path_.c_str()); }
    std::unique_ptr<Telemetry> telemetry() const {
        return std::get<std::unique_ptr<Telemetry>>(
            nvml::open_telemetry(std::get<nvml::Api>(load()), address));
    }

  private:
    std::string path_;
    FakeNvml* state_ = nullptr;
};

TEST(Nvml, TellsEverythingOfACardInBaseUnits) {
    Library library("complete");
    library.card().corrected = 7;
    library.card().uncorrected = 2;
    const std::unique_ptr<Telemetry> telemetry = library.telemetry();
    EXPECT_EQ(telemetry->source(), "NVML 580.95.05");
    const TelemetryReading reading = telemetry->read();
    EXPECT_EQ(reading.power, 350);
    EXPECT_EQ(reading.power_limit, 700);
    EXPECT_EQ(reading.default_power_limit, 700);
    EXPECT_EQ(reading.temperature, 61);
    EXPECT_EQ(reading.memory_temperature, 74);
    EXPECT_EQ(reading.clock, 1.98e9);
    EXPECT_EQ(reading.maximum_clock, 1.98e9);
    EXPECT_EQ(reading.memory_clock, 2.619e9);
    EXPECT_EQ(reading.utilisation, 0.97);
    EXPECT_EQ(reading.ecc_corrected, 7u);
    EXPECT_EQ(reading.ecc_uncorrected, 2u);
    EXPECT_EQ(reading.used_bytes, 3ull << 30);
    ASSERT_TRUE(reading.throttle_reasons);
    EXPECT_THAT(*reading.throttle_reasons, IsEmpty());
    EXPECT_THAT(reading.xids, IsEmpty());
}

TEST(Nvml, NamesWhatHoldsTheClockDownButNotThatTheCardIsIdle) {
    Library library("complete");
    const std::unique_ptr<Telemetry> telemetry = library.telemetry();
    library.card().clock_reasons = 0x1;
    EXPECT_THAT(*telemetry->read().throttle_reasons, IsEmpty());
    library.card().clock_reasons = 0x4 | 0x40;
    EXPECT_THAT(*telemetry->read().throttle_reasons,
                ElementsAre("software power cap", "hardware thermal slowdown"));
    library.card().clock_reasons = 0x2 | 0x8 | 0x10 | 0x20 | 0x80 | 0x100;
    EXPECT_THAT(*telemetry->read().throttle_reasons,
                ElementsAre("application clocks setting", "hardware slowdown", "sync boost",
                            "software thermal slowdown", "hardware power brake", "display clock setting"));
}

TEST(Nvml, LeavesOutWhatACardDoesNotSupport) {
    Library library("complete");
    library.state().not_supported = "nvmlDeviceGetPowerUsage";
    EXPECT_FALSE(library.telemetry()->read().power);
    EXPECT_EQ(library.telemetry()->read().temperature, 61);
    library.state().not_supported = "all";
    library.card().xids = {79};
    const TelemetryReading reading = library.telemetry()->read();
    EXPECT_FALSE(reading.power_limit || reading.temperature || reading.memory_temperature || reading.clock ||
                 reading.maximum_clock || reading.utilisation || reading.ecc_uncorrected ||
                 reading.used_bytes || reading.throttle_reasons);
    EXPECT_THAT(reading.xids, IsEmpty());
    EXPECT_EQ(library.state().open_event_sets, 0);
}

TEST(Nvml, ReadsNothingOfACardThatFellOffTheBus) {
    Library library("complete");
    const std::unique_ptr<Telemetry> telemetry = library.telemetry();
    library.state().lost = true;
    EXPECT_FALSE(telemetry->read().power);
    EXPECT_FALSE(telemetry->read().throttle_reasons);
}

TEST(Nvml, TellsEveryCriticalErrorOnceWithoutWaitingForOne) {
    Library library("complete");
    std::unique_ptr<Telemetry> telemetry = library.telemetry();
    EXPECT_THAT(telemetry->read().xids, IsEmpty());
    library.card().xids = {48, 94};
    EXPECT_THAT(telemetry->read().xids, ElementsAre(48, 94));
    EXPECT_THAT(telemetry->read().xids, IsEmpty());
    EXPECT_EQ(library.state().waits_with_time, 0);
    EXPECT_EQ(library.state().open_event_sets, 1);
    telemetry.reset();
    EXPECT_EQ(library.state().open_event_sets, 0);
}

TEST(Nvml, TakesFormerNamesFromAnOldLibraryAndDoesWithoutTheRest) {
    Library library("old");
    library.card().clock_reasons = 0x20;
    library.card().xids = {79};
    const TelemetryReading reading = library.telemetry()->read();
    EXPECT_THAT(*reading.throttle_reasons, ElementsAre("software thermal slowdown"));
    EXPECT_EQ(reading.temperature, 61);
    EXPECT_FALSE(reading.memory_temperature);
    EXPECT_THAT(reading.xids, IsEmpty());
}

TEST(Nvml, AMissingOrTooOldLibraryIsAReason) {
    const std::variant<nvml::Api, Absent> missing = nvml::load_api("libnvidia-ml-of-nobody.so.1");
    EXPECT_THAT(std::get<Absent>(missing).reason, HasSubstr("libnvidia-ml-of-nobody.so.1"));
    const std::variant<nvml::Api, Absent> ancient = Library("ancient").load();
    EXPECT_THAT(std::get<Absent>(ancient).reason,
                testing::AllOf(HasSubstr("too old"), HasSubstr("nvmlInit_v2"), HasSubstr("319")));
    Library without_driver("complete");
    without_driver.state().init_result = 9;
    EXPECT_THAT(std::get<Absent>(without_driver.load()).reason, HasSubstr("Driver Not Loaded (9)"));
}

TEST(Nvml, TellsTwoCardsApart) {
    Library library("complete");
    library.state().cards.push_back({.bus_id = "00000001:CA:00.0", .power = 90'000});
    EXPECT_EQ(library.telemetry()->read().power, 350);
    const nvml::Api api = std::get<nvml::Api>(library.load());
    auto second = nvml::open_telemetry(api, "0001:CA:00.0");
    EXPECT_EQ(std::get<std::unique_ptr<Telemetry>>(second)->read().power, 90);
    const auto none = nvml::open_telemetry(api, "0000:01:00.0");
    EXPECT_THAT(std::get<Absent>(none).reason,
                testing::AllOf(HasSubstr("0000:01:00.0"), HasSubstr("Not Found (6)")));
}

TEST(Nvml, SaysThatWhatItTellsIsOfAWholeCardThatIsCutIntoSlices) {
    Library library("complete");
    EXPECT_EQ(library.telemetry()->remark(), "");
    library.card().mig = true;
    const std::unique_ptr<Telemetry> sliced = library.telemetry();
    EXPECT_THAT(sliced->remark(), testing::AllOf(HasSubstr("of the whole card"), HasSubstr("MIG")));
    EXPECT_EQ(sliced->source(), "NVML 580.95.05");
    EXPECT_EQ(sliced->read().power, 350);
    // A card that knows no MIG says so, which is no slice.
    library.state().not_supported = "nvmlDeviceGetMigMode";
    EXPECT_EQ(library.telemetry()->remark(), "");
}

TEST(Nvml, TellsWhatTheDriverAndItsCardsAre) {
    Library library("complete");
    library.state().cuda = 12040;
    library.state().cards.push_back({.name = "NVIDIA L40S", .bus_id = "00000000:CA:00.0", .ecc = false});
    const nvml::DriverFacts facts = nvml::read_driver_facts(std::get<nvml::Api>(library.load()));
    EXPECT_EQ(facts.driver_version, "580.95.05");
    EXPECT_EQ(facts.cuda_version, "12.4");
    ASSERT_EQ(facts.cards.size(), 2u);
    const nvml::CardFacts& card = facts.cards[0];
    EXPECT_EQ(card.name, "NVIDIA H100 80GB HBM3");
    EXPECT_EQ(card.pci_address, "0000:65:00.0");
    EXPECT_EQ(card.memory_bytes, 80ull << 30);
    EXPECT_EQ(card.persistence, true);
    EXPECT_EQ(card.ecc, true);
    EXPECT_EQ(card.mig, false);
    EXPECT_EQ(card.power_limit, 700);
    EXPECT_EQ(card.least_power_limit, 200);
    EXPECT_EQ(card.link_generation, 5u);
    EXPECT_EQ(card.link_width, 16u);
    EXPECT_EQ(facts.cards[1].name, "NVIDIA L40S");
    EXPECT_EQ(facts.cards[1].pci_address, "0000:ca:00.0");
    EXPECT_EQ(facts.cards[1].ecc, false);
}

TEST(FindTelemetry, AsksNvmlForACardOfNvidias) {
    Library("complete").card();  // the form that this program is linked with
    DeviceInfo card{"opencl:0", "gpu", "NVIDIA H100 80GB HBM3", 132, 80ull << 30};
    card.pci_address = address;
    auto found = find_telemetry(card);
    ASSERT_TRUE(std::holds_alternative<std::unique_ptr<Telemetry>>(found)) << std::get<Absent>(found).reason;
    EXPECT_EQ(std::get<std::unique_ptr<Telemetry>>(found)->source(), "NVML 580.95.05");
    LazyTelemetry lazy;
    ASSERT_NE(lazy.of(card), nullptr);
    EXPECT_EQ(lazy.of(card), lazy.of(card));
}

TEST(FindTelemetry, SaysWhyThereIsNone) {
    DeviceInfo card{"opencl:0", "gpu", "gfx90a", 104, 64ull << 30};
    EXPECT_THAT(std::get<Absent>(find_telemetry(card)).reason, HasSubstr("PCI address"));
    card.pci_address = "ffff:ff:1f.7";
    EXPECT_THAT(std::get<Absent>(find_telemetry(card)).reason, HasSubstr("ffff:ff:1f.7"));
    LazyTelemetry lazy;
    EXPECT_EQ(lazy.of(card), nullptr);
    card.kind = "cpu";
    EXPECT_THAT(std::get<Absent>(find_telemetry(card)).reason, HasSubstr("no card"));
}

}  // namespace
}  // namespace assay
