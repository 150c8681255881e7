#include "probes/interconnect/device_copies/link_record.h"

#include <algorithm>
#include <memory>
#include <string>
#include <variant>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/cpu/affinity.h"
#include "kernels/device/numa.h"
#include "probes/interconnect/device_copies/near_card.h"
#include "tests/probes/interconnect/device_copies/made_system.h"

namespace assay::interconnect {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class LinkRecords : public testing::Test {
  protected:
    LinkRecord record_of(const std::string& address = MadeSystem::address) {
        return {address, system_.root(), clock_};
    }
    MadeSystem system_;
    SteadyClock clock_;
};

TEST_F(LinkRecords, LimitCopiesByTheNarrowestLink) {
    system_.links("32.0 GT/s PCIe", "16", "16.0 GT/s PCIe", "16");
    LinkRecord record = record_of();
    EXPECT_FALSE(record.known());
    record.read();
    ASSERT_TRUE(record.known());
    const std::optional<Limit> limit = link_limit(record, nullptr, 25e9);
    ASSERT_TRUE(limit);
    EXPECT_NEAR(limit->value, 31.5e9, 0.01e9);
    EXPECT_THAT(limit->source, HasSubstr("PCIe 4.0 x16"));
    EXPECT_THAT(limit->source, HasSubstr("0000:00:01.0"));
    EXPECT_NEAR(of_both(limit)->value, 63.0e9, 0.02e9);
}

TEST_F(LinkRecords, APortThatCopiesOutrunIsMadeUpAndNoLimit) {
    // As a virtual machine's port above a card that is passed through.
    system_.links("32.0 GT/s PCIe", "16", "2.5 GT/s PCIe", "1");
    LinkRecord record = record_of();
    record.read();
    const std::optional<Limit> limit = link_limit(record, nullptr, 55e9);
    ASSERT_TRUE(limit);
    EXPECT_NEAR(limit->value, 63.0e9, 0.02e9);
    EXPECT_THAT(limit->source, HasSubstr(MadeSystem::address));
    EXPECT_FALSE(link_limit(record, nullptr, 400e9)) << "not over this link at all";
}

TEST_F(LinkRecords, AreMetricsOfTheCardsOwnLinkWithEveryReading) {
    system_.links("16.0 GT/s PCIe", "8", "32.0 GT/s PCIe", "4");
    LinkRecord record = record_of();
    record.read();
    record.read();
    system_.links("8.0 GT/s PCIe", "8", "32.0 GT/s PCIe", "4");
    record.read();
    Outcome outcome;
    record.add_metrics({"x.link_generation", Unit::count, Direction::higher, "generation"},
                       {"x.link_width", Unit::count, Direction::higher, "width"}, outcome);
    record.add_notes(outcome);
    ASSERT_EQ(outcome.metrics.size(), 2u);
    EXPECT_EQ(outcome.metrics[0].value, 4);
    EXPECT_THAT(outcome.metrics[0].samples, ElementsAre(4, 4, 3));
    EXPECT_EQ(outcome.metrics[1].value, 8);
    EXPECT_THAT(outcome.notes, Contains(HasSubstr("The card can PCIe 5.0 x16")));
    EXPECT_THAT(outcome.notes, Contains(HasSubstr("2 of the readings differ")));
}

TEST_F(LinkRecords, OfWhatIsNotToldAreNoMetricsButANote) {
    LinkRecord record = record_of();
    record.read();
    EXPECT_FALSE(record.known());
    Outcome outcome;
    record.add_metrics({"x.g", Unit::count, Direction::higher, "g"},
                       {"x.w", Unit::count, Direction::higher, "w"}, outcome);
    record.add_notes(outcome);
    EXPECT_TRUE(outcome.metrics.empty());
    EXPECT_THAT(outcome.notes, Contains(HasSubstr("tells no link of 0000:02:00.0")));
    EXPECT_FALSE(link_limit(record, nullptr, 1e9));

    AcceleratorFacts facts;
    facts.product = "Test card";
    facts.pcie_generation = 5;
    facts.pcie_width = 16;
    facts.peer_bandwidth_both_directions = 900e9;
    const std::optional<Limit> limit = link_limit(record, &facts, 1e9);
    ASSERT_TRUE(limit);
    EXPECT_THAT(limit->source, HasSubstr("datasheet of Test card"));
    EXPECT_NEAR(limit->value, 63.0e9, 0.02e9);
    EXPECT_FALSE(link_limit(record, &facts, 64e9)) << "a card in the processor has no such link";
    EXPECT_DOUBLE_EQ(peer_limit(&facts)->value, 450e9);
    EXPECT_FALSE(peer_limit(nullptr));
}

TEST_F(LinkRecords, NoteANarrowerPortAbove) {
    system_.links("32.0 GT/s PCIe", "16", "32.0 GT/s PCIe", "8");
    LinkRecord record = record_of();
    record.read();
    Outcome outcome;
    record.add_notes(outcome);
    EXPECT_THAT(outcome.notes, Contains(HasSubstr("port 0000:00:01.0 above it carries less: PCIe 5.0 x8")));
    EXPECT_THAT(outcome.notes, Not(Contains(HasSubstr("The card can"))));
}

class NearCards : public testing::Test {
  protected:
    NearCards() {
        system_.links("32.0 GT/s PCIe", "16", "32.0 GT/s PCIe", "16");
        card_.id = "cuda:0";
        card_.pci_address = MadeSystem::address;
    }
    static std::vector<int> cpus() { return kernels::CpuSet::of_calling_thread().members(); }
    MadeSystem system_;
    DeviceInfo card_;
};

TEST_F(NearCards, MoveTheThreadThereAndBack) {
    const std::vector<int> before = cpus();
    system_.write("sys/devices/system/node/online", "0-1");
    system_.node("0", "4000");
    system_.node("1", std::to_string(before.back()) + ",4001");
    system_.write(std::string(MadeSystem::card) + "numa_node", "1");
    {
        const NearCard near(card_, system_.root());
        EXPECT_EQ(near.node(), 1);
        EXPECT_THAT(cpus(), ElementsAre(before.back()));
        EXPECT_THAT(near.note(), HasSubstr("memory node 1"));
    }
    EXPECT_EQ(cpus(), before);
}

TEST_F(NearCards, LookWherePagesReallyLie) {
    const std::unique_ptr<DeviceMemory> memory =
        std::get<std::unique_ptr<Device>>(open_device("cpu:0"))->allocate(1 << 20, false);
    std::fill_n(memory->host_pointer(), memory->bytes(), std::byte{1});
    const std::optional<int> real = node_of_page(memory->host_pointer());
    if (!real) return;  // a kernel that does not tell
    // The card is near a node whose CPUs are ours, which is not the one that the pages lie on.
    const std::string other = std::to_string(*real + 1);
    system_.write("sys/devices/system/node/online", std::to_string(*real) + "," + other);
    system_.node(std::to_string(*real), "4000");
    system_.node(other, std::to_string(cpus().front()));
    system_.write(std::string(MadeSystem::card) + "numa_node", other);
    NearCard near(card_, system_.root());
    near.look_at(*memory);
    EXPECT_THAT(near.note(), HasSubstr("0 of 64 pages of it that were looked at lie there"));
}

TEST_F(NearCards, SayWhereTheyMayNotGo) {
    const std::vector<int> before = cpus();
    system_.write("sys/devices/system/node/online", "0-1");
    system_.node("0", std::to_string(before.back()));
    system_.node("1", "4001");
    system_.write(std::string(MadeSystem::card) + "numa_node", "1");
    const NearCard near(card_, system_.root());
    EXPECT_EQ(near.node(), std::nullopt);
    EXPECT_EQ(cpus(), before);
    EXPECT_THAT(near.note(), HasSubstr("may not use a CPU"));
}

TEST_F(NearCards, DoNothingWhereNoNodeIsToldOrThereIsOne) {
    system_.write("sys/devices/system/node/online", "0");
    system_.node("0", "0");
    EXPECT_THAT(NearCard(card_, system_.root()).note(), HasSubstr("one memory node"));
    system_.write("sys/devices/system/node/online", "0-1");
    system_.node("1", "1");
    system_.write(std::string(MadeSystem::card) + "numa_node", "-1");
    EXPECT_THAT(NearCard(card_, system_.root()).note(), HasSubstr("not told"));
}

}  // namespace
}  // namespace assay::interconnect
