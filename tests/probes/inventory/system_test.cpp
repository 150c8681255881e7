#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include "probes/inventory/clock_loop.h"
#include "probes/inventory/inventory.h"
#include "probes/inventory/tree.h"
#include "tests/probes/inventory/gpu_server.h"

namespace assay {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

/// Another program's word on this machine.
std::string output_of(const char* command) {
    struct Close {
        void operator()(FILE* pipe) const { ::pclose(pipe); }
    };
    const std::unique_ptr<FILE, Close> pipe(::popen(command, "r"));
    std::string text;
    for (int c = 0; pipe && (c = std::fgetc(pipe.get())) != EOF;) text += static_cast<char>(c);
    return text;
}

const Metric* find(const Outcome& outcome, const std::string& name) {
    for (const Metric& metric : outcome.metrics) {
        if (metric.name == "inventory.system." + name) return &metric;
    }
    return nullptr;
}

Outcome outcome_of(const inventory::Machine& machine) {
    const Probe probe = inventory_system_probe();
    return inventory::machine_outcome(make_case(probe, {}), probe, machine);
}

TEST(ThisMachine, AgreesWithLscpuOnCoresSocketsAndThreads) {
    std::set<std::string> cores, sockets;
    int threads = 0;
    const std::string table = output_of("LC_ALL=C lscpu -p=CORE,SOCKET 2>/dev/null");
    for (std::size_t at = 0; at < table.size();) {
        const std::size_t end = std::min(table.find('\n', at), table.size());
        const std::string line = table.substr(at, end - at);
        at = end + 1;
        if (line.empty() || line[0] == '#') continue;
        ++threads;
        cores.insert(line);
        sockets.insert(line.substr(line.find(',') + 1));
    }
    if (threads == 0) GTEST_SKIP() << "lscpu is not installed";
    const inventory::Topology topology = inventory::gather_topology("/");
    if (!topology.cores) GTEST_SKIP() << "the system does not show its topology";
    EXPECT_EQ(topology.threads, threads);
    EXPECT_EQ(topology.cores, static_cast<int>(cores.size()));
    EXPECT_EQ(topology.sockets, static_cast<int>(sockets.size()));
}

TEST(ThisMachine, AgreesWithNprocOnAllowedCpus) {
    const std::string nproc = output_of("env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc");
    EXPECT_EQ(inventory::gather_cpu("/", {}).allowed, std::atoi(nproc.c_str()));
}

TEST(ThisMachine, AgreesWithTheKernelOnMemoryAndRelease) {
    struct sysinfo info {};
    ASSERT_EQ(::sysinfo(&info), 0);
    utsname name{};
    ASSERT_EQ(::uname(&name), 0);
    EXPECT_EQ(inventory::gather_memory("/").total_bytes, std::uint64_t{info.totalram} * info.mem_unit);
    EXPECT_EQ(inventory::gather_software("/").kernel, name.release);
}

TEST(MeasuredClock, DependentMultiplicationsTakeWholeCycles) {
    const std::optional<double> ratio = inventory::multiplication_in_additions();
    if (!ratio) GTEST_SKIP() << "no chain for this architecture";
    EXPECT_NEAR(*ratio, std::round(*ratio), 0.15);
    EXPECT_GE(*ratio, 1.85);
    EXPECT_LE(*ratio, 5.15);
}

TEST(MeasuredClock, IsThatOfARealProcessor) {
    const std::optional<double> clock = inventory::measure_clock(1);
    if (!clock) GTEST_SKIP() << "no chain for this architecture";
    EXPECT_GT(*clock, 5e7);
    EXPECT_LT(*clock, 2e10);
}

TEST(MeasuredClock, DoesNotFallWhenOthersWantTheCpu) {
    if (!inventory::measure_clock(1)) GTEST_SKIP() << "no chain for this architecture";
    const auto median_clock = [] {
        std::vector<double> clocks;
        for (int i = 0; i < 15; ++i) clocks.push_back(*inventory::measure_clock(4));
        std::sort(clocks.begin(), clocks.end());
        return clocks[clocks.size() / 2];
    };
    const double quiet = median_clock();
    std::atomic<bool> done{false};
    std::vector<std::thread> others;
    for (unsigned i = 0; i < 3 * std::thread::hardware_concurrency(); ++i) {
        others.emplace_back([&done] {
            while (!done) {
            }
        });
    }
    const double busy = median_clock();
    done = true;
    for (std::thread& other : others) other.join();
    EXPECT_GT(busy, quiet / 2) << "time in which others had the CPU was counted";
}

TEST(Inventory, MeasuresThisMachineAndReportsOnlyWhatItDeclares) {
    const Probe probe = inventory_system_probe();
    SteadyClock clock;
    Context context{clock};
    context.sampling.minimum_samples = 5;
    const Outcome outcome = execute(probe, make_case(probe, {}), context);
    EXPECT_EQ(outcome.status, Status::measured) << outcome.reason;
    std::set<std::string> names;
    for (const Metric& metric : outcome.metrics) EXPECT_TRUE(names.insert(metric.name).second) << metric.name;
    EXPECT_THAT(names, Contains("inventory.system.memory_bytes"));
    EXPECT_THAT(names, Contains("inventory.system.kernel_version"));
    for (const auto& [key, value] : outcome.resolved) {
        EXPECT_FALSE(value.empty()) << key;
        EXPECT_EQ(value.find('\n'), std::string::npos) << key;
    }
}

TEST(Inventory, ReportsAGpuServersFactsAsMetrics) {
    const inventory::FakeRoot root;
    inventory::make_gpu_server(root);
    const Outcome outcome = outcome_of(inventory::gather_machine(root.path(), {}));
    EXPECT_EQ(find(outcome, "cpu_cores")->value, 4);
    EXPECT_EQ(find(outcome, "cpu_threads")->value, 8);
    EXPECT_EQ(find(outcome, "cpu_sockets")->value, 2);
    EXPECT_EQ(find(outcome, "cpu_base_clock")->value, 2.6e9);
    EXPECT_EQ(find(outcome, "cpu_avx512")->value, 1);
    EXPECT_EQ(find(outcome, "cpu_governor")->text, "performance");
    EXPECT_EQ(find(outcome, "memory_bytes")->value, 527569304.0 * 1024);
    EXPECT_EQ(find(outcome, "memory_limit_bytes"), nullptr);
    EXPECT_EQ(find(outcome, "numa_nodes")->value, 2);
    EXPECT_EQ(find(outcome, "nvme_over_fabrics")->value, 1);
    EXPECT_EQ(find(outcome, "gpus")->value, 1);
    EXPECT_EQ(find(outcome, "driver_version")->text, "535.154.05");
    EXPECT_EQ(find(outcome, "cuda_version"), nullptr);
    EXPECT_EQ(find(outcome, "kernel_version")->text, "6.1.0");
    EXPECT_EQ(outcome.resolved.at("kernel"), "6.1.0-18-amd64");
}

TEST(Inventory, SaysMixedWhereGovernorsDifferAndNothingWhereThereIsNone) {
    const inventory::FakeRoot root;
    inventory::make_gpu_server(root);
    root.write("sys/devices/system/cpu/cpu3/cpufreq/scaling_governor", "powersave");
    EXPECT_EQ(find(outcome_of(inventory::gather_machine(root.path(), {})), "cpu_governor")->text, "mixed");
    for (int cpu = 0; cpu < 8; ++cpu) {
        root.remove("sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/cpufreq");
    }
    const Outcome outcome = outcome_of(inventory::gather_machine(root.path(), {}));
    EXPECT_EQ(find(outcome, "cpu_governor"), nullptr);
    EXPECT_EQ(outcome.resolved.at("cpu.governor"), "not exposed");
}

TEST(Inventory, ANoteSaysWhatAContainerMayNotUse) {
    const inventory::FakeRoot root;
    inventory::make_gpu_server(root);
    root.write("proc/self/status", "Cpus_allowed_list:\t0-1");
    const Outcome outcome = outcome_of(inventory::gather_machine(root.path(), {}));
    EXPECT_THAT(outcome.notes, Contains(HasSubstr("2 of 8 CPUs")));
    EXPECT_EQ(find(outcome, "cpu_cores")->value, 4) << "the machine's, not the container's";
}

TEST(Inventory, NoGpuIsAFactOnlyWherePciIsSeen) {
    const inventory::FakeRoot root;
    inventory::add_pci(root, "0000:03:00.0", "0x030000", "0x1a03", "0x2000", "ast");
    EXPECT_EQ(find(outcome_of(inventory::gather_machine(root.path(), {})), "gpus")->value, 0);
    root.remove("sys/bus/pci");
    EXPECT_EQ(find(outcome_of(inventory::gather_machine(root.path(), {})), "gpus"), nullptr);
}

TEST(InventorySystem, TellsWhatOnlyNvidiasLibraryKnows) {
    inventory::Machine machine;
    machine.software.nvidia_driver = "580.95.05";
    machine.nvidia = nvml::DriverFacts{"580.95.05", "13.0", {}};
    nvml::CardFacts card;
    card.name = "NVIDIA H100 80GB HBM3";
    card.pci_address = "0000:65:00.0";
    card.ecc = true;
    card.power_limit = 500;
    card.default_power_limit = 700;
    machine.nvidia->cards = {card};
    const Outcome outcome = outcome_of(machine);
    bool told = false;
    for (const Metric& metric : outcome.metrics)
        told = told || (metric.name == "inventory.system.cuda_version" && metric.text == "13.0");
    EXPECT_TRUE(told);
    EXPECT_THAT(outcome.notes,
                testing::Contains("NVIDIA H100 80GB HBM3 at 0000:65:00.0: ECC on, power limit 500 W, "
                                  "lowered from 700 W"));
    machine.nvidia.reset();
    machine.nvidia_absence = "NVML was not found";
    EXPECT_THAT(outcome_of(machine).notes,
                testing::Contains("CUDA version: not reported, NVML was not found"));
}

}  // namespace
}  // namespace assay
