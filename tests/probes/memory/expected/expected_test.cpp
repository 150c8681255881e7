#include "probes/memory/expected/expected.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <stdlib.h>

#include <gmock/gmock.h>

#include "tests/probes/core/smbios_table.h"

namespace assay {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string xeon_4310 = "Intel(R) Xeon(R) Silver 4310 CPU @ 2.10GHz";
const std::string epyc_7543 = "AMD EPYC 7543 32-Core Processor";

CpuFacts facts() {
    return {{{"xeon-silver-4310", {"Xeon(R) Silver 4310"}, 8, 2667e6, 2, "s"},
             {"epyc-7543", {"AMD EPYC 7543"}, 8, 3200e6, 2, "s"},
             {"epyc-7443p", {"AMD EPYC 7443P"}, 8, 3200e6, 1, "s"},
             {"i7-13700k", {"Core(TM) i7-13700K"}, 2, 5600e6, 1, "s"}},
            0.7,
            0.8,
            "s"};
}

MemorySystem system_of(const std::string& cpu) {
    MemorySystem system;
    system.cpu_model = cpu;
    return system;
}

/// `populated` of eight channels of one module each.
std::vector<os::MemoryModule> modules_of(int populated, double configured = 3200e6, double rated = 3200e6) {
    std::vector<os::MemoryModule> modules;
    for (int channel = 0; channel < 8; ++channel) {
        os::MemoryModule module;
        module.locator = std::string("P0-DIMM") + static_cast<char>('A' + channel) + "1";
        module.populated = channel < populated;
        if (module.populated) {
            module.configured_transfers = configured;
            module.rated_transfers = rated;
        }
        modules.push_back(module);
    }
    return modules;
}

ExpectedBandwidth expect(const MemorySystem& system, double measured) {
    const CpuFacts known = facts();
    return expect_bandwidth(&known, system, measured);
}

TEST(CpuModel, IsFoundByItsNameInCpuinfoAndNoOther) {
    const CpuFacts known = facts();
    EXPECT_EQ(find_cpu_model(known, xeon_4310)->name, "xeon-silver-4310");
    EXPECT_EQ(find_cpu_model(known, epyc_7543)->name, "epyc-7543");
    EXPECT_EQ(find_cpu_model(known, "AMD EPYC 7443P 24-Core Processor")->name, "epyc-7443p");
    for (const char* const unknown :
         {"AMD EPYC", "", "AMD EPYC 7443 24-Core Processor", "AMD EPYC 75430",
          "Intel(R) Xeon(R) Silver 4310T CPU", "13th Gen Intel(R) Core(TM) i7-13700KF"})
        EXPECT_EQ(find_cpu_model(known, unknown), nullptr) << unknown;
}

TEST(ExpectedBandwidth, OfEveryChannelIsTheArithmetic) {
    const ExpectedBandwidth one = expect(system_of(xeon_4310), 0);
    ASSERT_TRUE(one.full);
    EXPECT_DOUBLE_EQ(one.full->value, 8 * 2667e6 * 8);
    EXPECT_THAT(one.full->source, AllOf(HasSubstr("8 channels x 2667 MT/s x 8 byte x 1 socket"),
                                        HasSubstr("xeon-silver-4310")));
    EXPECT_FALSE(one.plugged_in);
    EXPECT_FALSE(one.share);
    EXPECT_THAT(one.sentences, IsEmpty());

    MemorySystem two = system_of(epyc_7543);
    two.sockets = two.sockets_used = two.numa_nodes = 2;
    EXPECT_DOUBLE_EQ(expect(two, 0).full->value, 409.6e9);
    two.sockets_used = 1;
    EXPECT_DOUBLE_EQ(expect(two, 0).full->value, 204.8e9) << "the process may use one socket's CPUs";
}

TEST(ExpectedBandwidth, SaysNothingWhenAllIsWell) {
    MemorySystem system = system_of(epyc_7543);
    EXPECT_THAT(expect(system, 150e9).sentences, IsEmpty());
    system.modules = modules_of(8);
    const ExpectedBandwidth expected = expect(system, 150e9);
    EXPECT_THAT(expected.sentences, IsEmpty());
    EXPECT_DOUBLE_EQ(expected.limit()->value, 204.8e9);
    EXPECT_NEAR(*expected.share, 150 / 204.8, 1e-12);
}

TEST(ExpectedBandwidth, OfAnUnknownCpuIsUnknownAndSaysSo) {
    const ExpectedBandwidth expected = expect(system_of("AMD EPYC"), 30e9);
    EXPECT_FALSE(expected.limit());
    EXPECT_FALSE(expected.share);
    EXPECT_THAT(expected.sentences, ElementsAre(AllOf(HasSubstr("unknown"), HasSubstr("\"AMD EPYC\""))));
    EXPECT_THAT(expect_bandwidth(nullptr, system_of(epyc_7543), 30e9).sentences,
                ElementsAre(HasSubstr("unknown")));
}

TEST(ExpectedBandwidth, OfAnUnknownCpuIsThatOfItsModules) {
    MemorySystem system = system_of("Some CPU");
    system.modules = modules_of(4, 2400e6, 2400e6);
    const ExpectedBandwidth expected = expect(system, 60e9);
    EXPECT_FALSE(expected.full);
    ASSERT_TRUE(expected.limit());
    EXPECT_DOUBLE_EQ(expected.limit()->value, 4 * 2400e6 * 8);
    EXPECT_THAT(expected.sentences,
                ElementsAre(AllOf(HasSubstr("4 of the 8 channels that the board names have a module"),
                                  HasSubstr("4 of 8 slots"), HasSubstr("50 %"))))
        << "one sentence: of what is plugged in, the share is good";
    system.modules = modules_of(8, 2400e6, 2400e6);
    EXPECT_THAT(expect(system, 120e9).sentences, IsEmpty());
    system.modules = modules_of(4, 2400e6, 2400e6);
    for (std::size_t i = 0; i < system.modules->size(); ++i)
        (*system.modules)[i].locator = "PROC 1 DIMM " + std::to_string(i + 1);
    EXPECT_THAT(expect(system, 60e9).sentences, ElementsAre(HasSubstr("unknown")))
        << "names that tell no channels accuse nobody";
}

TEST(ExpectedBandwidth, SeesMissingChannelsInTheSlots) {
    MemorySystem system = system_of(epyc_7543);
    system.modules = modules_of(4);
    const ExpectedBandwidth expected = expect(system, 77e9);
    EXPECT_DOUBLE_EQ(expected.plugged_in->value, 102.4e9);
    EXPECT_THAT(expected.sentences,
                ElementsAre(AllOf(HasSubstr("4 of 8 memory channels"), HasSubstr("50 %"))))
        << "one sentence: of what is plugged in, the share is good";
}

TEST(ExpectedBandwidth, SeesTooFewModulesWhereSlotsHaveNumbersOnly) {
    MemorySystem system = system_of(epyc_7543);
    system.modules = modules_of(6);
    for (std::size_t i = 0; i < system.modules->size(); ++i)
        (*system.modules)[i].locator = "PROC 1 DIMM " + std::to_string(i + 1);
    const ExpectedBandwidth expected = expect(system, 110e9);
    EXPECT_THAT(expected.sentences, ElementsAre(HasSubstr("6 modules for 8 memory channels")));
    EXPECT_DOUBLE_EQ(expected.plugged_in->value, 6 * 3200e6 * 8);
}

TEST(ExpectedBandwidth, SeesModulesThatRunSlowly) {
    MemorySystem system = system_of(epyc_7543);
    system.modules = modules_of(8, 2666e6, 3200e6);
    const ExpectedBandwidth expected = expect(system, 130e9);
    EXPECT_DOUBLE_EQ(expected.limit()->value, 8 * 2666e6 * 8);
    EXPECT_THAT(expected.sentences,
                ElementsAre(AllOf(HasSubstr("2666 MT/s"), HasSubstr("rated for 3200"), HasSubstr("CPU"))));
    (*system.modules)[3].configured_transfers = 2400e6;
    EXPECT_THAT(expect(system, 130e9).sentences, testing::Contains(HasSubstr("2400 to 2666 MT/s")));
    MemorySystem close = system_of(xeon_4310);
    close.modules = modules_of(8, 2666e6, 2666e6);
    EXPECT_THAT(expect(close, 125e9).sentences, IsEmpty()) << "2666 and 2667 are the same speed";
}

TEST(ExpectedBandwidth, TakesALowShareForMissingChannelsWhereSlotsCannotBeRead) {
    const ExpectedBandwidth expected = expect(system_of(epyc_7543), 77e9);
    EXPECT_THAT(expected.sentences,
                ElementsAre(AllOf(HasSubstr("38 %"), HasSubstr("4 of 8 memory channels"))));
}

TEST(ExpectedBandwidth, NamesNoShortageWhereFewOfTheCpusMayBeUsed) {
    // Two CPUs of a sound machine draw as much as one channel gives.
    MemorySystem system = system_of(epyc_7543);
    system.cpus_allowed = 2;
    system.cpus_online = 32;
    const auto innocent =
        ElementsAre(AllOf(HasSubstr("2 of 32 CPUs"), HasSubstr("alone may not draw"),
                          Not(HasSubstr("channels with modules")), Not(HasSubstr("looks"))));
    EXPECT_THAT(expect(system, 20e9).sentences, innocent);
    system.numa_nodes = 8;
    EXPECT_THAT(expect(system, 20e9).sentences, innocent);
    system.in_virtual_machine = true;
    EXPECT_THAT(expect(system, 20e9).sentences, innocent);
    system = system_of(epyc_7543);
    system.cpus_allowed = system.cpus_online = 32;
    EXPECT_THAT(expect(system, 20e9).sentences, ElementsAre(HasSubstr("1 of 8 memory channels")));
    system.cpus_allowed = 2;
    EXPECT_THAT(expect(system, 160e9).sentences, IsEmpty()) << "a few CPUs that draw enough";
}

TEST(ExpectedBandwidth, TakesALowShareForOneNumaNodeOfSeveral) {
    MemorySystem system = system_of(epyc_7543);
    system.modules = modules_of(8);
    system.numa_nodes = 4;
    EXPECT_THAT(expect(system, 38e9).sentences, ElementsAre(HasSubstr("one of 4 NUMA nodes")));
    EXPECT_THAT(expect(system, 120e9).sentences, ElementsAre(HasSubstr("no known shortage")));
}

TEST(ExpectedBandwidth, SeesSocketsThatAreInterleaved) {
    MemorySystem system = system_of(epyc_7543);
    system.sockets = system.sockets_used = 2;
    EXPECT_THAT(expect(system, 180e9).sentences,
                ElementsAre(HasSubstr("2 sockets show as a single NUMA node")));
}

TEST(ExpectedBandwidth, OfAVirtualMachineCannotBeToldFromMissingChannels) {
    MemorySystem system = system_of(epyc_7543);
    system.in_virtual_machine = true;
    system.sockets = system.sockets_used = 8;
    system.modules = modules_of(1);
    const ExpectedBandwidth expected = expect(system, 30e9);
    EXPECT_FALSE(expected.plugged_in) << "a hypervisor makes its modules up";
    EXPECT_DOUBLE_EQ(expected.full->value, 409.6e9) << "no more sockets than the model can have";
    EXPECT_THAT(expected.sentences,
                ElementsAre(AllOf(HasSubstr("virtual machine"), HasSubstr("look the same"))));
}

TEST(ExpectedBandwidth, SaysWhenMoreWasMeasuredThanCanBe) {
    EXPECT_THAT(expect(system_of(epyc_7543), 300e9).sentences, ElementsAre(HasSubstr("more than")));
}

TEST(MemorySystem, IsReadFromTheKernelsFilesAndTheFirmwaresTable) {
    std::string folder = (std::filesystem::temp_directory_path() / "assay-memory-XXXXXX").string();
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    const std::filesystem::path root = folder;
    const auto write = [&](const std::string& file, const std::string& text) {
        std::filesystem::create_directories((root / file).parent_path());
        std::ofstream(root / file, std::ios::binary) << text;
    };
    write("proc/cpuinfo", "processor\t: 0\nmodel name\t: " + epyc_7543 + "\nflags\t\t: fpu sse2\n");
    write("sys/devices/system/cpu/online", "0-3\n");
    for (const int cpu : {0, 1, 2, 3})
        write("sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/physical_package_id",
              std::to_string(cpu / 2) + "\n");
    write("sys/devices/system/node/has_memory", "0-1\n");
    test::SmbiosTable table;
    table.slot({"DIMM_A1", "", 16384, 3200, 3200});
    table.end();
    write("sys/firmware/dmi/tables/DMI", table.bytes());
    const MemorySystem system = read_memory_system(root);
    EXPECT_EQ(system.cpu_model, epyc_7543);
    EXPECT_EQ(system.sockets, 2);
    EXPECT_EQ(system.sockets_used, 2);
    EXPECT_EQ(system.cpus_allowed, 4);
    EXPECT_EQ(system.cpus_online, 4);
    EXPECT_EQ(system.numa_nodes, 2);
    EXPECT_FALSE(system.in_virtual_machine);
    ASSERT_TRUE(system.modules);
    EXPECT_EQ(system.modules->size(), 1u);
    write("proc/cpuinfo", "model name\t: AMD EPYC\nflags\t\t: fpu hypervisor sse2\n");
    EXPECT_TRUE(read_memory_system(root).in_virtual_machine);
    const MemorySystem socket = read_memory_system(root, std::vector<int>{2, 3});
    EXPECT_EQ(socket.sockets_used, 1);
    EXPECT_EQ(socket.cpus_allowed, 2);
    EXPECT_EQ(socket.cpus_online, 2) << "all of the socket that is used";
    const MemorySystem few = read_memory_system(root, std::vector<int>{0, 2});
    EXPECT_EQ(few.cpus_allowed, 2);
    EXPECT_EQ(few.cpus_online, 4);
    const MemorySystem nothing = read_memory_system(root / "nowhere");
    EXPECT_EQ(nothing.cpu_model, "");
    EXPECT_EQ(nothing.sockets, 1);
    EXPECT_EQ(nothing.numa_nodes, 1);
    EXPECT_FALSE(nothing.modules);
    std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace assay
