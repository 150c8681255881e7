#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "probes/inventory/clock_loop.h"
#include "probes/inventory/inventory.h"
#include "probes/inventory/nvidia.h"
#include "probes/inventory/tree.h"

namespace assay {
namespace inventory {
namespace {

/// Numbers alone, since versions are compared part by part: "6.1.0-18-amd64" -> "6.1.0".
std::string version_of(const std::string& release) {
    return release.substr(0, release.find_first_not_of("0123456789."));
}

/// Adds a metric where its fact is known.
class Reporter {
  public:
    Reporter(const Probe& probe, Outcome& outcome) : probe_(probe), outcome_(outcome) {}

    template <typename Number>
    void number(std::string_view name, const std::optional<Number>& value) {
        if (!value) return;
        outcome_.metrics.push_back(make_exact_metric(probe_.metric(name), static_cast<double>(*value)));
    }
    void text(std::string_view name, const std::string& value) {
        if (!value.empty()) outcome_.metrics.push_back(make_text_metric(probe_.metric(name), value));
    }

  private:
    const Probe& probe_;
    Outcome& outcome_;
};

std::string governor_of(const CpuFacts& cpu) {
    if (cpu.governors.size() == 1) return cpu.governors.begin()->first;
    return cpu.governors.empty() ? "" : "mixed";
}

std::ptrdiff_t gpus_of(const Machine& machine) {
    return std::count_if(machine.accelerators.begin(), machine.accelerators.end(),
                         [](const PciDevice& device) { return device.computes; });
}

void add_notes(const Machine& machine, std::vector<std::string>& notes) {
    const CpuFacts& cpu = machine.cpu;
    if (!cpu.base_clock)
        notes.push_back("base clock: neither cpufreq, ACPI, CPUID nor the model's name tells it");
    if (cpu.base_clock_differs)
        notes.push_back("base clock: the CPUs have different ones, the greatest is given");
    if (cpu.governors.empty()) notes.push_back("governor: not exposed (no cpufreq)");
    if (!machine.topology.cores) notes.push_back("cores: the system does not show its topology");
    if (!machine.platform.hypervisor.empty()) {
        notes.push_back(
            fmt::format("virtual machine ({}): cores, sockets, clocks and disks are as the hypervisor "
                        "shows them; its cores may be hardware threads",
                        machine.platform.hypervisor));
    }
    if (cpu.allowed && cpu.logical && *cpu.allowed < *cpu.logical) {
        notes.push_back(fmt::format("this process may use {} of {} CPUs", *cpu.allowed, *cpu.logical));
    }
    double in_nodes = 0;
    for (const NumaNode& node : machine.topology.numa) in_nodes += static_cast<double>(node.memory_bytes);
    const double total = static_cast<double>(machine.memory.total_bytes.value_or(0));
    if (in_nodes > 0 && std::abs(in_nodes - total) > 0.1 * total) {
        notes.push_back(
            fmt::format("the NUMA nodes show {:.3g} GB of {:.3g} GB of memory: the kernel did not "
                        "assign all of it",
                        in_nodes / 1e9, total / 1e9));
    }
    if (!machine.sees_pci) {
        notes.push_back(
            "GPUs: the system shows no PCI devices, so that it is not known whether there are any");
    } else if (gpus_of(machine) == 0) {
        notes.push_back(
            "no GPU: PCI shows no display or accelerator device of NVIDIA, AMD or Intel to compute on");
    } else if (machine.software.nvidia_driver.empty()) {
        notes.push_back("driver version: no NVIDIA driver is loaded");
    }
    const bool links = std::any_of(machine.accelerators.begin(), machine.accelerators.end(),
                                   [](const PciDevice& device) { return device.link.known(); });
    if (links)
        notes.push_back("PCIe links are shown as found at rest; they may run slower then than under load");
    if (machine.platform.serial_needs_root) {
        notes.push_back("serial number: readable by root only");
    } else if (machine.platform.serial.empty()) {
        notes.push_back("serial number: the firmware gives none");
    }
}

}  // namespace

Outcome machine_outcome(const Case& the_case, const Probe& probe, const Machine& machine) {
    Outcome outcome;
    outcome.the_case = the_case;
    outcome.resolved = describe(machine);
    const CpuFacts& cpu = machine.cpu;
    Reporter report(probe, outcome);
    report.number("inventory.system.cpu_cores", machine.topology.cores);
    report.number("inventory.system.cpu_threads",
                  machine.topology.threads ? machine.topology.threads : cpu.logical);
    report.number("inventory.system.cpu_sockets", machine.topology.sockets);
    if (cpu.base_clock) {
        report.number("inventory.system.cpu_base_clock", std::optional<double>(cpu.base_clock->value));
    }
    if (!cpu.flags.empty())
        report.number("inventory.system.cpu_avx512", std::optional<int>(cpu.avx512() ? 1 : 0));
    report.text("inventory.system.cpu_governor", governor_of(cpu));
    report.number("inventory.system.memory_bytes", machine.memory.total_bytes);
    report.number("inventory.system.memory_limit_bytes", machine.memory.limit_bytes);
    if (!machine.topology.numa.empty()) {
        report.number("inventory.system.numa_nodes",
                      std::optional<std::size_t>(machine.topology.numa.size()));
    }
    if (machine.sees_devices) {
        const std::ptrdiff_t fabrics =
            std::count_if(machine.nvme.begin(), machine.nvme.end(),
                          [](const NvmeController& controller) { return controller.over_fabrics(); });
        report.number("inventory.system.nvme_over_fabrics", std::optional<std::ptrdiff_t>(fabrics));
    }
    if (machine.sees_pci) {
        report.number("inventory.system.gpus", std::optional<std::ptrdiff_t>(gpus_of(machine)));
    }
    report.text("inventory.system.driver_version", machine.software.nvidia_driver);
    if (machine.nvidia) {
        report.text("inventory.system.cuda_version", machine.nvidia->cuda_version);
        const std::vector<std::string> cards = describe_cards(*machine.nvidia);
        outcome.notes.insert(outcome.notes.end(), cards.begin(), cards.end());
    } else if (!machine.nvidia_absence.empty()) {
        outcome.notes.push_back("CUDA version: not reported, " + machine.nvidia_absence);
    }
    report.text("inventory.system.kernel_version", version_of(machine.software.kernel));
    add_notes(machine, outcome.notes);
    return outcome;
}

namespace {

/// Adds the measured clock, if the chain of additions is one of single cycles on this CPU.
void add_measured_clock(const Probe& probe, Context& context, Outcome& outcome) {
    const std::optional<double> ratio = multiplication_in_additions();
    if (!ratio) {
        outcome.notes.push_back("top clock: no chain of instructions of known latency for this architecture");
        return;
    }
    // A dependent multiplication takes 2 to 5 whole cycles on every CPU known; anything else means that the
    // additions were not one cycle each (or that the machine was too busy to tell).
    constexpr double tolerance = 0.04;
    const double cycles = std::round(*ratio);
    if (cycles < 2 || cycles > 5 || std::abs(*ratio / cycles - 1) > tolerance) {
        outcome.notes.push_back(fmt::format(
            "top clock: not derived, a dependent multiplication took {:.2f} dependent additions, which "
            "is no whole number of cycles",
            *ratio));
        return;
    }
    SamplingPolicy policy = context.sampling;
    policy.minimum_time = Seconds(0.2);
    policy.maximum_time = Seconds(0.6);
    policy.maximum_warm_up = Seconds(0.2);
    policy.fixed_time = false;
    constexpr double sample_milliseconds = 2;
    const SampleSet set =
        context.sample(policy, [] { return measure_clock(sample_milliseconds).value_or(0); });
    outcome.metrics.push_back(make_metric(probe.metric("inventory.system.cpu_max_clock"), set));
    outcome.resolved["cpu.max_clock"] =
        fmt::format("{:.3f} GHz measured on one core", outcome.metrics.back().value / 1e9);
    outcome.notes.push_back(fmt::format(
        "top clock: median rate of a chain of dependent additions, one a cycle, on one core, counted in the "
        "thread's own CPU time ({:.2f} additions take as long as one dependent multiplication)",
        *ratio));
}

void ask_nvidia(Machine& machine) {
    std::variant<nvml::DriverFacts, Absent> asked = nvml::read_driver_facts();
    if (const Absent* absent = std::get_if<Absent>(&asked))
        machine.nvidia_absence = absent->reason;
    else
        machine.nvidia = std::move(std::get<nvml::DriverFacts>(asked));
}

Outcome run(const Case& the_case, Context& context) {
    const Probe probe = inventory_system_probe();
    context.progress("reading the system", 0.0);
    Machine machine = gather_machine();
    if (!machine.software.nvidia_driver.empty()) ask_nvidia(machine);
    Outcome outcome = machine_outcome(the_case, probe, machine);
    context.progress("measuring the clock", 0.3);
    add_measured_clock(probe, context, outcome);
    return outcome;
}

Estimate estimate(const Case&, const Context&) {
    return {.seconds = 1.5};
}

}  // namespace
}  // namespace inventory

Probe inventory_system_probe() {
    using enum Unit;
    using enum Direction;
    Probe probe;
    probe.name = "inventory.system";
    probe.summary = "What the machine is: processors, memory, disks, network, accelerators, system software.";
    probe.metrics = {
        {"inventory.system.cpu_cores", count, higher, "physical cores that the system shows"},
        {"inventory.system.cpu_threads", count, higher, "hardware threads that the system shows"},
        {"inventory.system.cpu_sockets", count, none, "processor packages"},
        {"inventory.system.cpu_base_clock", hertz, higher, "guaranteed clock, as system or CPU state it"},
        {"inventory.system.cpu_max_clock", hertz, higher, "clock of one busy core, measured"},
        {"inventory.system.cpu_avx512", count, higher, "1 where AVX-512 (F, BW, DQ, VL) is there, else 0"},
        {"inventory.system.cpu_governor", text, none, "cpufreq governor; mixed where CPUs differ"},
        {"inventory.system.memory_bytes", byte, higher, "memory that the kernel manages"},
        {"inventory.system.memory_limit_bytes", byte, higher,
         "memory that the control group allows, where less"},
        {"inventory.system.numa_nodes", count, none, "NUMA nodes with memory"},
        {"inventory.system.nvme_over_fabrics", count, higher, "NVMe controllers attached over a network"},
        {"inventory.system.gpus", count, higher, "GPUs to compute on that PCI shows (NVIDIA, AMD, Intel)"},
        {"inventory.system.driver_version", version, higher, "NVIDIA driver"},
        {"inventory.system.cuda_version", version, higher, "newest CUDA that the driver serves"},
        {"inventory.system.kernel_version", version, none, "Linux kernel"},
    };
    probe.run = inventory::run;
    probe.estimate = inventory::estimate;
    return probe;
}

std::vector<std::string> visible_gpus(const std::filesystem::path& root) {
    std::vector<std::string> gpus;
    for (const inventory::PciDevice& device : inventory::gather_accelerators(root)) {
        if (device.computes) gpus.push_back(inventory::describe_device(device));
    }
    return gpus;
}

}  // namespace assay
