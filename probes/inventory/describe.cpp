#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "probes/inventory/tree.h"

namespace assay::inventory {
namespace {

using Facts = std::map<std::string, std::string>;

/// Sizes of disks, in powers of 1000 as they are sold.
std::string decimal_bytes(double bytes) {
    static constexpr std::array<std::pair<double, const char*>, 4> units = {
        {{1e12, "TB"}, {1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}}};
    for (const auto& [size, unit] : units) {
        if (bytes >= size) return fmt::format("{:.4g} {}", bytes / size, unit);
    }
    return fmt::format("{:.0f} B", bytes);
}

/// Sizes of memory and caches, in powers of 1024.
std::string binary_bytes(double bytes) {
    static constexpr std::array<std::pair<double, const char*>, 4> units = {
        {{0x1p40, "TiB"}, {0x1p30, "GiB"}, {0x1p20, "MiB"}, {0x1p10, "KiB"}}};
    for (const auto& [size, unit] : units) {
        if (bytes >= size) return fmt::format("{:.4g} {}", bytes / size, unit);
    }
    return fmt::format("{:.0f} B", bytes);
}

std::string hertz(double value) {
    return fmt::format("{:.4g} GHz", value / 1e9);
}

std::string bit_rate(double value) {
    return value >= 1e9 ? fmt::format("{:.4g} Gbit/s", value / 1e9)
                        : fmt::format("{:.4g} Mbit/s", value / 1e6);
}

/// Parts that are not empty, with commas between.
std::string listed(std::initializer_list<std::string> parts) {
    std::string text;
    for (const std::string& part : parts) {
        if (part.empty()) continue;
        if (!text.empty()) text += ", ";
        text += part;
    }
    return text;
}

std::string labelled(const char* label, const std::string& value) {
    return value.empty() ? std::string() : fmt::format("{} {}", label, value);
}

std::string counted(std::optional<int> count, const char* one, const char* many) {
    if (!count) return {};
    return fmt::format("{} {}", *count, *count == 1 ? one : many);
}

void put(Facts& facts, std::string key, std::string value) {
    if (!value.empty()) facts.insert_or_assign(std::move(key), std::move(value));
}

/// The instruction sets that the kernels have use for, present and absent.
std::string instruction_sets(const CpuFacts& cpu) {
    if (cpu.flags.empty()) return {};
    static constexpr std::array<std::pair<const char*, const char*>, 9> sets = {
        {{"avx2", "AVX2"},
         {"avx512_vnni", "AVX-512 VNNI"},
         {"avx512_bf16", "AVX-512 BF16"},
         {"avx512_fp16", "AVX-512 FP16"},
         {"avx_vnni", "AVX-VNNI"},
         {"amx_int8", "AMX int8"},
         {"amx_bf16", "AMX bf16"},
         {"sve", "SVE"},
         {"asimddp", "NEON dot product"}}};
    std::string text;
    for (const auto& [flag, name] : sets) {
        if (cpu.has(flag)) text = listed({text, name});
    }
    const bool x86 = cpu.has("lm");  // "long mode": only there is it worth saying what is missing
    return listed({cpu.avx512() ? "AVX-512" : "", text, x86 && !cpu.avx512() ? "no AVX-512" : "",
                   x86 && !cpu.has("amx_tile") ? "no AMX" : ""});
}

void describe_cpu(const CpuFacts& cpu, const Topology& topology, Facts& facts) {
    put(facts, "cpu.model", cpu.model);
    put(facts, "cpu.microcode", cpu.microcode);
    put(facts, "cpu.topology",
        listed({counted(topology.sockets, "socket", "sockets"), counted(topology.cores, "core", "cores"),
                counted(topology.threads, "thread", "threads")}));
    if (cpu.allowed) {
        std::string text = fmt::format("{} ({})", *cpu.allowed, cpu.allowed_list);
        if (cpu.logical) text = fmt::format("{} of {} ({})", *cpu.allowed, *cpu.logical, cpu.allowed_list);
        put(facts, "cpu.allowed", text);
    }
    if (cpu.quota) put(facts, "cpu.quota", fmt::format("{:.4g} CPUs (cgroup)", *cpu.quota));
    put(facts, "cpu.base_clock",
        cpu.base_clock ? fmt::format("{} ({})", hertz(cpu.base_clock->value), cpu.base_clock->source)
                       : "not exposed");
    if (cpu.cpufreq_max) put(facts, "cpu.cpufreq_max", hertz(*cpu.cpufreq_max));
    if (cpu.tsc_clock)
        put(facts, "cpu.tsc_clock", hertz(*cpu.tsc_clock) + " (time-stamp counter, no base clock)");
    put(facts, "cpu.instruction_sets", instruction_sets(cpu));
    if (cpu.smt_active) put(facts, "cpu.smt", *cpu.smt_active ? "on" : "off");
    std::string governors;
    for (const auto& [governor, cpus] : cpu.governors) {
        governors = listed(
            {governors, cpu.governors.size() == 1 ? governor : fmt::format("{} on {}", governor, cpus)});
    }
    put(facts, "cpu.governor", governors.empty() ? "not exposed" : governors);
    put(facts, "cpu.cpufreq_driver", cpu.cpufreq_driver);
    for (const CacheLevel& cache : topology.caches) {
        put(facts, "cache." + cache.name,
            fmt::format("{} x {}", cache.count, binary_bytes(static_cast<double>(cache.bytes))));
    }
    for (const NumaNode& node : topology.numa) {
        put(facts, fmt::format("numa.{}", node.index),
            listed({binary_bytes(static_cast<double>(node.memory_bytes)), labelled("CPUs", node.cpus)}));
    }
}

/// "8 x 64 GiB DDR5 at 4800 MT/s (rated 5600)": like ones together, in the order of the slots.
std::string modules_in_words(const std::vector<os::MemoryModule>& modules) {
    std::vector<std::pair<std::string, int>> kinds;
    int empty = 0;
    for (const os::MemoryModule& module : modules) {
        if (!module.populated) {
            ++empty;
            continue;
        }
        std::string kind = module.bytes ? binary_bytes(static_cast<double>(*module.bytes)) : "unknown size";
        if (!module.type.empty()) kind += ' ' + module.type;
        if (module.configured_transfers)
            kind += fmt::format(" at {:.0f} MT/s", *module.configured_transfers / 1e6);
        if (module.rated_transfers && module.rated_transfers != module.configured_transfers)
            kind += fmt::format(" (rated {:.0f})", *module.rated_transfers / 1e6);
        if (kinds.empty() || kinds.back().first != kind) kinds.emplace_back(kind, 0);
        ++kinds.back().second;
    }
    std::string text;
    for (const auto& [kind, count] : kinds) text = listed({text, fmt::format("{} x {}", count, kind)});
    return listed(
        {text, counted(empty > 0 ? std::optional(empty) : std::nullopt, "slot empty", "slots empty")});
}

void describe_memory(const MemoryFacts& memory, Facts& facts) {
    if (memory.total_bytes)
        put(facts, "memory.total", binary_bytes(static_cast<double>(*memory.total_bytes)));
    if (memory.available_bytes) {
        put(facts, "memory.available", binary_bytes(static_cast<double>(*memory.available_bytes)));
    }
    put(facts, "memory.limit",
        memory.limit_bytes ? fmt::format("{} ({})", binary_bytes(static_cast<double>(*memory.limit_bytes)),
                                         memory.limit_source)
                           : "none");
    for (const HugePagePool& pool : memory.huge_pages) {
        const std::string size = binary_bytes(static_cast<double>(pool.page_bytes));
        put(facts, "memory.huge_pages." + std::to_string(pool.page_bytes),
            fmt::format("{} of {}, {} free", pool.total, size, pool.free));
    }
    put(facts, "memory.transparent_huge_pages", memory.transparent_huge_pages);
    put(facts, "memory.modules", memory.modules ? modules_in_words(*memory.modules) : "not exposed");
    if (!memory.modules) return;
    if (const std::optional<os::NamedChannels> channels = os::named_channels(*memory.modules))
        put(facts, "memory.channels_with_modules", std::to_string(channels->populated));
}

void describe_devices(const Machine& machine, Facts& facts) {
    for (const PciDevice& device : machine.accelerators) {
        const std::string ids = fmt::format("[{:04x}:{:04x}]", device.vendor, device.device);
        const std::string node = device.numa_node ? fmt::format("NUMA node {}", *device.numa_node) : "";
        std::string name = device.vendor_name.empty() ? "unknown vendor" : device.vendor_name;
        if (!device.name.empty()) name += ' ' + device.name;
        put(facts, "pci." + device.address,
            listed({name + ' ' + ids, describe_link(device.link),
                    device.driver.empty() ? "no driver" : labelled("driver", device.driver), node,
                    device.computes ? "" : "not a GPU to compute on"}));
    }
    for (const BlockDevice& block : machine.blocks) {
        std::string kind;
        if (block.rotational) kind = *block.rotational ? "rotational" : "not rotational";
        put(facts, "block." + block.name,
            listed({block.model, decimal_bytes(static_cast<double>(block.bytes)), block.transport, kind,
                    labelled("firmware", block.firmware), describe_link(block.link)}));
    }
    for (const NvmeController& controller : machine.nvme) {
        put(facts, "nvme." + controller.name,
            listed({controller.model, labelled("transport", controller.transport),
                    labelled("firmware", controller.firmware), controller.state}));
    }
    for (const NetworkInterface& interface : machine.interfaces) {
        put(facts, "network." + interface.name,
            listed({interface.infiniband ? "InfiniBand" : "",
                    interface.speed_bits ? bit_rate(*interface.speed_bits) : "speed not told",
                    labelled("driver", interface.driver), interface.state,
                    interface.mtu ? fmt::format("MTU {}", *interface.mtu) : "",
                    describe_link(interface.link)}));
    }
    for (const RdmaPort& port : machine.rdma) {
        put(facts, fmt::format("rdma.{}/{}", port.device, port.port),
            listed({port.link_layer, port.rate, port.state}));
    }
}

void describe_platform(const Platform& platform, const SoftwareFacts& software, Facts& facts) {
    put(facts, "system.vendor", platform.vendor);
    put(facts, "system.product", platform.product);
    put(facts, "system.board", platform.board);
    put(facts, "system.bios", platform.bios);
    put(facts, "system.serial", platform.serial);
    put(facts, "hypervisor", platform.hypervisor.empty() ? "none seen" : platform.hypervisor);
    put(facts, "container", platform.container);
    put(facts, "kernel", software.kernel);
    put(facts, "operating_system", software.operating_system);
    put(facts, "libc", software.libc);
    std::string libraries;
    for (const std::string& library : software.libraries) libraries = listed({libraries, library});
    put(facts, "libraries", libraries);
    put(facts, "driver.nvidia", software.nvidia_driver);
    put(facts, "driver.amdgpu", software.amdgpu_driver);
}

}  // namespace

std::string describe_device(const PciDevice& device) {
    std::string text = device.vendor_name;
    if (!device.name.empty()) text += ' ' + device.name;
    return fmt::format("{} [{:04x}:{:04x}] at {}", text, device.vendor, device.device, device.address);
}

std::map<std::string, std::string> describe(const Machine& machine) {
    Facts facts;
    describe_cpu(machine.cpu, machine.topology, facts);
    describe_memory(machine.memory, facts);
    describe_devices(machine, facts);
    describe_platform(machine.platform, machine.software, facts);
    return facts;
}

}  // namespace assay::inventory
