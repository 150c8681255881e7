#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <fstream>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <fmt/format.h>

#include "probes/core/os/sysfs.h"
#include "probes/inventory/cgroup.h"
#include "probes/inventory/tree.h"

namespace assay::inventory {
namespace {

namespace fs = std::filesystem;

/// Fields of /proc/cpuinfo's first processor; `processors` counts them all.
std::map<std::string, std::string> first_processor(const fs::path& root, int& processors) {
    std::map<std::string, std::string> fields;
    std::ifstream stream(root / "proc/cpuinfo");
    bool first = true;
    for (std::string line; std::getline(stream, line);) {
        const std::size_t colon = line.find(':');
        if (colon == std::string::npos) {
            first = first && fields.empty();
            continue;
        }
        const std::string name = trimmed(line.substr(0, colon));
        if (name == "processor") ++processors;
        if (first) fields.emplace(name, trimmed(line.substr(colon + 1)));
    }
    return fields;
}

/// "Intel(R) Xeon(R) Silver 4310 CPU @ 2.10GHz" -> 2.1e9.
std::optional<double> clock_in_name(const std::string& model) {
    const std::size_t at = model.rfind('@');
    if (at == std::string::npos) return std::nullopt;
    const std::string text = trimmed(model.substr(at + 1));
    double value = 0;
    const std::from_chars_result end = std::from_chars(text.data(), text.data() + text.size(), value);
    if (end.ec != std::errc() || value <= 0) return std::nullopt;
    const std::string unit = trimmed(std::string_view(end.ptr, text.data() + text.size()));
    if (unit == "GHz") return value * 1e9;
    if (unit == "MHz") return value * 1e6;
    return std::nullopt;
}

/// What one CPU's folder tells of its guaranteed clock. Intel's driver gives base_frequency (kHz); elsewhere
/// ACPI's nominal_freq (MHz) is the same notion.
std::optional<Sourced> base_clock_of(const fs::path& cpu) {
    if (const std::optional<std::int64_t> kilohertz = os::read_integer(cpu / "cpufreq/base_frequency");
        kilohertz && *kilohertz > 0) {
        return Sourced{static_cast<double>(*kilohertz) * 1e3, "cpufreq base_frequency"};
    }
    if (const std::optional<std::int64_t> megahertz = os::read_integer(cpu / "acpi_cppc/nominal_freq");
        megahertz && *megahertz > 0) {
        return Sourced{static_cast<double>(*megahertz) * 1e6, "ACPI CPPC nominal_freq"};
    }
    return std::nullopt;
}

void read_cpu_folders(const fs::path& root, CpuFacts& cpu) {
    const fs::path folder = root / "sys/devices/system/cpu";
    for (const std::string& name : names_in(folder)) {
        if (!name.starts_with("cpu") || !leading_integer(name.substr(3))) continue;
        const fs::path one = folder / name;
        const std::optional<Sourced> base = base_clock_of(one);
        if (base && cpu.base_clock && base->value != cpu.base_clock->value) cpu.base_clock_differs = true;
        if (base && (!cpu.base_clock || base->value > cpu.base_clock->value)) cpu.base_clock = base;
        const std::string governor = text_of(one / "cpufreq/scaling_governor");
        if (!governor.empty()) ++cpu.governors[governor];
        const std::optional<std::int64_t> most = os::read_integer(one / "cpufreq/cpuinfo_max_freq");
        if (most && *most > 0) {
            cpu.cpufreq_max = std::max(cpu.cpufreq_max.value_or(0), static_cast<double>(*most) * 1e3);
        }
    }
    cpu.cpufreq_driver = text_of(folder / "cpu0/cpufreq/scaling_driver");
    const std::string smt = text_of(folder / "smt/active");
    if (smt == "0" || smt == "1") cpu.smt_active = smt == "1";
    cpu.logical = count_of_list(text_of(folder / "online"));
}

void read_allowed(const fs::path& root, CpuFacts& cpu) {
    for (const std::string& line : lines_of(root / "proc/self/status")) {
        if (!line.starts_with("Cpus_allowed_list:")) continue;
        cpu.allowed_list = trimmed(line.substr(line.find(':') + 1));
        cpu.allowed = count_of_list(cpu.allowed_list);
    }
}

}  // namespace

CpuidFacts read_cpuid() {
    CpuidFacts facts;
#if defined(__x86_64__)
    unsigned int eax = 0, ebx = 0, ecx = 0, edx = 0;
    if (__get_cpuid(0x16, &eax, &ebx, &ecx, &edx) != 0 && (eax & 0xffff) != 0) {
        facts.base_clock_hertz = (eax & 0xffff) * 1e6;
    }
    constexpr unsigned int hypervisor_bit = 1u << 31;
    if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & hypervisor_bit) != 0) {
        __cpuid(0x40000000, eax, ebx, ecx, edx);
        const std::array<unsigned int, 3> words = {ebx, ecx, edx};
        std::array<char, 13> text{};
        std::memcpy(text.data(), words.data(), 12);
        facts.hypervisor_signature = text.data();
        if (facts.hypervisor_signature.empty()) facts.hypervisor_signature = "unnamed";
    }
#endif
    return facts;
}

bool CpuFacts::has(const std::string& flag) const {
    return std::find(flags.begin(), flags.end(), flag) != flags.end();
}

bool CpuFacts::avx512() const {
    return has("avx512f") && has("avx512bw") && has("avx512dq") && has("avx512vl");
}

CpuFacts gather_cpu(const fs::path& root, const CpuidFacts& cpuid) {
    CpuFacts cpu;
    int processors = 0;
    std::map<std::string, std::string> fields = first_processor(root, processors);
    cpu.model = fields["model name"];
    cpu.vendor = fields.contains("vendor_id") ? fields["vendor_id"] : fields["CPU implementer"];
    cpu.microcode = fields["microcode"];
    cpu.flags = split_words(fields.contains("flags") ? fields["flags"] : fields["Features"]);
    read_cpu_folders(root, cpu);
    read_allowed(root, cpu);
    if (const std::optional<CgroupLimit> quota = cgroup_cpu_quota(root)) cpu.quota = quota->value;
    if (!cpu.logical && processors > 0) cpu.logical = processors;
    if (!cpu.base_clock && cpuid.base_clock_hertz) {
        cpu.base_clock = Sourced{*cpuid.base_clock_hertz, "CPUID leaf 0x16"};
    }
    if (!cpu.base_clock) {
        if (const std::optional<double> named = clock_in_name(cpu.model)) {
            cpu.base_clock = Sourced{*named, "the model's name"};
        }
    }
    // Only where the time-stamp counter runs at a constant rate is BogoMIPS twice that rate.
    double bogomips = 0;
    const std::string& text = fields["bogomips"];
    if (cpu.has("constant_tsc") &&
        std::from_chars(text.data(), text.data() + text.size(), bogomips).ec == std::errc() && bogomips > 0) {
        cpu.tsc_clock = bogomips / 2 * 1e6;
    }
    return cpu;
}

}  // namespace assay::inventory
