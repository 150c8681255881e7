#include "probes/core/os/memory_modules.h"

#include <cstdint>
#include <filesystem>
#include <random>
#include <span>
#include <string>

#include <gmock/gmock.h>

#include "tests/probes/core/smbios_table.h"

namespace assay::os {
namespace {

using test::SmbiosSlot;
using test::SmbiosTable;

std::vector<MemoryModule> parse(const std::string& bytes) {
    // A copy of exactly this size, so that a sanitizer sees what is read beyond it.
    const std::vector<char> exact(bytes.begin(), bytes.end());
    return parse_memory_modules(std::as_bytes(std::span(exact)));
}

std::vector<MemoryModule> slots(const std::vector<SmbiosSlot>& wanted) {
    SmbiosTable table;
    table.other();
    for (const SmbiosSlot& slot : wanted) table.slot(slot);
    table.end();
    return parse(table.bytes());
}

TEST(MemoryModules, AreReadWithSizeSpeedAndPlace) {
    const std::vector<MemoryModule> modules =
        slots({{"P1-DIMMA1", "P0_Node0_Channel0_Dimm0", 16384, 3200, 2933},
               {"P1-DIMMA2", "P0_Node0_Channel0_Dimm1"},
               {"P1-DIMMB1", "P0_Node0_Channel1_Dimm0", 65536, 4800, 0, 0x22}});
    ASSERT_EQ(modules.size(), 3u);
    EXPECT_TRUE(modules[0].populated);
    EXPECT_EQ(modules[0].locator, "P1-DIMMA1");
    EXPECT_EQ(modules[0].bank, "P0_Node0_Channel0_Dimm0");
    EXPECT_EQ(modules[0].bytes, std::uint64_t{16} << 30);
    EXPECT_EQ(modules[0].rated_transfers, 3200e6);
    EXPECT_EQ(modules[0].configured_transfers, 2933e6);
    EXPECT_EQ(modules[0].data_bits, 64);
    EXPECT_EQ(modules[0].type, "DDR4");
    EXPECT_EQ(modules[0].part, "Part") << "without the blanks that pad it";
    EXPECT_FALSE(modules[1].populated);
    EXPECT_FALSE(modules[1].configured_transfers);
    EXPECT_EQ(modules[2].bytes, std::uint64_t{64} << 30) << "from the extended size";
    EXPECT_EQ(modules[2].type, "DDR5");
    EXPECT_FALSE(modules[2].configured_transfers) << "0 is unknown";
}

TEST(MemoryModules, OfFlashAndWhatFollowsTheEndAreLeftOut) {
    SmbiosTable table;
    table.slot({"BIOS", "", 16, 0, 0, 0x09});
    table.slot({"DIMM_A1", "", 8192, 2400, 2400});
    table.end();
    table.slot({"DIMM_B1", "", 8192, 2400, 2400});
    EXPECT_EQ(parse(table.bytes()).size(), 1u);
}

TEST(MemoryModules, OfATableCutAnywhereAreThoseThatAreWhole) {
    SmbiosTable table;
    for (int i = 0; i < 4; ++i) table.slot({"DIMM_A1", "bank", 8192, 2400, 2400});
    const std::size_t one = table.bytes().size() / 4;
    for (std::size_t size = 0; size <= table.bytes().size(); ++size)
        EXPECT_EQ(parse(table.bytes().substr(0, size)).size(), size / one) << size;
}

TEST(MemoryModules, OfAnOldFirmwareHaveNoConfiguredSpeed) {
    SmbiosTable table;  // SMBIOS 2.1: 0x15 bytes
    table.byte(17), table.byte(0x15), table.number(1, 2), table.number(0, 4), table.number(64, 2);
    table.number(64, 2), table.number(4096, 2), table.byte(9), table.byte(0), table.byte(1), table.byte(0);
    table.byte(0x18), table.number(0, 2), table.text("DIMM0"), table.byte(0);
    const std::vector<MemoryModule> modules = parse(table.bytes());
    ASSERT_EQ(modules.size(), 1u);
    EXPECT_EQ(modules[0].bytes, std::uint64_t{4} << 30);
    EXPECT_FALSE(modules[0].rated_transfers);
    EXPECT_FALSE(modules[0].configured_transfers);
}

TEST(MemoryModules, OfHostileTablesEndTheReading) {
    EXPECT_TRUE(parse("").empty());
    EXPECT_TRUE(parse(std::string("\x11\x00\x00\x00\x00\x00", 6)).empty()) << "no length";
    EXPECT_TRUE(parse(std::string("\x11\x03\x00\x00\x00\x00", 6)).empty()) << "shorter than its header";
    EXPECT_TRUE(parse(std::string("\x11\xff\x00\x00\x00\x00", 6)).empty()) << "longer than the table";
    SmbiosTable strings;
    strings.slot({"A", "B", 8192});
    strings.bytes().pop_back();
    EXPECT_TRUE(parse(strings.bytes()).empty()) << "strings without an end";
    SmbiosTable many;
    for (int i = 0; i < 5000; ++i) many.slot({"A", "B", 8192});
    EXPECT_LE(parse(many.bytes()).size(), 1024u);
    SmbiosTable number;
    number.slot({"A", "B", 8192});
    number.bytes()[0x10] = static_cast<char>(0xff);
    EXPECT_EQ(parse(number.bytes()).at(0).locator, "") << "a string that is not there";
}

TEST(MemoryModules, OfRandomBytesDoNoHarm) {
    std::mt19937_64 random(5);
    SmbiosTable table;
    for (int i = 0; i < 8; ++i) table.slot({"DIMM_A1", "CHANNEL A", 8192, 2400, 2400});
    for (int round = 0; round < 2000; ++round) {
        std::string bytes = table.bytes();
        for (int change = 0; change < 8; ++change)
            bytes[random() % bytes.size()] = static_cast<char>(random());
        named_channels(parse(bytes));
    }
}

TEST(MemoryModules, OfAMachineThatDoesNotTellAreNotNone) {
    EXPECT_FALSE(read_memory_modules("/nowhere"));
}

std::optional<int> populated(const std::vector<SmbiosSlot>& wanted) {
    const std::optional<NamedChannels> channels = named_channels(slots(wanted));
    return channels ? std::optional(channels->populated) : std::nullopt;
}

TEST(NamedChannels, AreToldByTheNamesOfManyFirmwares) {
    const auto count = populated;
    EXPECT_EQ(count({{"P1-DIMMA1", "", 8192},
                     {"P1-DIMMA2", "", 8192},
                     {"P1-DIMMB1", "", 8192},
                     {"P2-DIMMA1", "", 8192},
                     {"P2-DIMMB1", ""}}),
              3);
    EXPECT_EQ(count({{"DIMM 0", "P0 CHANNEL A", 8192},
                     {"DIMM 1", "P0 CHANNEL A", 8192},
                     {"DIMM 0", "P0 CHANNEL B", 8192},
                     {"DIMM 1", "P0 CHANNEL B"}}),
              2);
    EXPECT_EQ(count({{"Controller0-ChannelA-DIMM1", "BANK 0", 8192},
                     {"Controller1-ChannelA-DIMM1", "BANK 0", 8192}}),
              2);
    EXPECT_EQ(
        count(
            {{"DIMM_P0_A0", "BANK 0", 8192}, {"DIMM_P0_B0", "BANK 1", 8192}, {"DIMM_P1_A0", "BANK 2", 8192}}),
        3);
    EXPECT_EQ(count({{"Channel A DIMM 0", "Node 0", 8192}, {"Channel A DIMM 0", "Node 1", 8192}}), 2)
        << "the bank tells the sockets apart";
    EXPECT_EQ(count({{"_Node0_Channel1_Dimm0", "", 8192}, {"_Node0_Channel10_Dimm0", "", 8192}}), 2);
}

TEST(NamedChannels, AreCountedWithTheEmptyOnes) {
    const std::optional<NamedChannels> channels = named_channels(slots({{"P1-DIMMA1", "", 8192},
                                                                        {"P1-DIMMA2", "", 8192},
                                                                        {"P1-DIMMB1", ""},
                                                                        {"P1-DIMMC1", "", 8192},
                                                                        {"P1-DIMMD1", ""}}));
    ASSERT_TRUE(channels);
    EXPECT_EQ(channels->populated, 2);
    EXPECT_EQ(channels->named, 4);
}

TEST(NamedChannels, AreUnknownWhereNamesDoNotTell) {
    const auto count = populated;
    EXPECT_FALSE(count({}));
    EXPECT_FALSE(count({{"PROC 1 DIMM 1", "", 8192}, {"PROC 1 DIMM 2", "", 8192}}));
    EXPECT_FALSE(count({{"A1", "", 8192}}));
    EXPECT_FALSE(count({{"DIMMA1", "", 8192}, {"DIMMA1", "", 8192}})) << "the same slot twice";
    EXPECT_FALSE(
        count({{"DIMMA1", "", 8192}, {"DIMMA2", "", 8192}, {"DIMMA3", "", 8192}, {"DIMMA4", "", 8192}}))
        << "no channel has four slots";
}

}  // namespace
}  // namespace assay::os
