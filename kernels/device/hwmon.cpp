#include "kernels/device/hwmon.h"

#include <charconv>
#include <chrono>
#include <fstream>
#include <initializer_list>
#include <mutex>
#include <sstream>
#include <system_error>
#include <utility>

namespace assay::hwmon {

namespace {

namespace fs = std::filesystem;

std::optional<std::string> text_of(const fs::path& file) {
    std::ifstream stream(file);
    std::stringstream text;
    if (!stream || !(text << stream.rdbuf())) return std::nullopt;
    std::string read = text.str();
    while (!read.empty() && (read.back() == '\n' || read.back() == ' ')) read.pop_back();
    return read;
}

template <typename Number>
std::optional<Number> parsed(const std::string& text, int base) {
    Number value = 0;
    const char* const last = text.data() + text.size();
    const std::from_chars_result end = std::from_chars(text.data(), last, value, base);
    if (end.ec != std::errc() || end.ptr != last) return std::nullopt;
    return value;
}

/// A whole number, times `scale`.
std::optional<double> number_of(const fs::path& file, double scale) {
    const std::optional<std::string> text = text_of(file);
    const std::optional<std::int64_t> value = text ? parsed<std::int64_t>(*text, 10) : std::nullopt;
    if (!value) return std::nullopt;
    return static_cast<double>(*value) * scale;
}

std::optional<std::uint64_t> count_of(const fs::path& file) {
    const std::optional<std::string> text = text_of(file);
    return text ? parsed<std::uint64_t>(*text, 10) : std::nullopt;
}

/// The first input of a kind ("temp") whose label is one of `labels`; empty when there is none.
fs::path labelled(const fs::path& folder, const std::string& kind,
                  std::initializer_list<const char*> labels) {
    for (const char* const wanted : labels)
        for (int number = 1; number <= 8; ++number) {
            const std::string name = kind + std::to_string(number);
            if (text_of(folder / (name + "_label")) == wanted) return folder / (name + "_input");
        }
    return {};
}

class HardwareMonitor final : public Telemetry {
  public:
    HardwareMonitor(fs::path device, fs::path monitor)
        : device_(std::move(device)), monitor_(std::move(monitor)), name_(text_of(monitor_ / "name")) {
        // amdgpu's "edge" is the first; the hottest place would be "junction".
        memory_temperature_ = labelled(monitor_, "temp", {"mem", "vram"});
        clock_ = labelled(monitor_, "freq", {"sclk"});
        if (clock_.empty()) clock_ = monitor_ / "freq1_input";
        memory_clock_ = labelled(monitor_, "freq", {"mclk"});
    }

    TelemetryReading read() override {
        constexpr double micro = 1e-6, milli = 1e-3;
        const std::lock_guard lock(mutex_);
        TelemetryReading reading;
        reading.power = first_of({"power1_average", "power1_input"}, micro);
        if (!reading.power) reading.power = power_from_energy();
        reading.power_limit = first_of({"power1_cap", "power1_max"}, micro);
        reading.default_power_limit = first_of({"power1_cap_default", "power1_rated_max"}, micro);
        reading.temperature = number_of(monitor_ / "temp1_input", milli);
        reading.memory_temperature = number_of(memory_temperature_, milli);
        reading.clock = number_of(clock_, 1);
        reading.memory_clock = number_of(memory_clock_, 1);
        reading.utilisation = number_of(device_ / "gpu_busy_percent", 0.01);
        reading.used_bytes = count_of(device_ / "mem_info_vram_used");
        read_errors(reading);
        return reading;
    }

    std::string source() const override { return name_ ? "hwmon (" + *name_ + ")" : "hwmon"; }

  private:
    std::optional<double> first_of(std::initializer_list<const char*> files, double scale) const {
        for (const char* const file : files)
            if (const std::optional<double> value = number_of(monitor_ / file, scale)) return value;
        return std::nullopt;
    }

    /// Intel's drivers count energy instead: the mean power since the last reading.
    std::optional<double> power_from_energy() {
        const std::optional<double> energy = number_of(monitor_ / "energy1_input", 1e-6);
        const std::chrono::steady_clock::time_point now = std::chrono::steady_clock::now();
        const std::optional<double> before = std::exchange(energy_, energy);
        const double elapsed = std::chrono::duration<double>(now - std::exchange(energy_at_, now)).count();
        if (!energy || !before || *energy < *before || elapsed <= 0) return std::nullopt;
        return (*energy - *before) / elapsed;
    }

    /// amdgpu counts the errors of its memory (umc) as "ue: 0" and "ce: 3".
    void read_errors(TelemetryReading& reading) const {
        std::istringstream text(text_of(device_ / "ras" / "umc_err_count").value_or(""));
        std::string name;
        for (std::uint64_t count = 0; text >> name >> count;) {
            if (name == "ue:") reading.ecc_uncorrected = count;
            if (name == "ce:") reading.ecc_corrected = count;
        }
    }

    fs::path device_, monitor_, memory_temperature_, clock_, memory_clock_;
    std::optional<std::string> name_;
    std::mutex mutex_;              ///< of what follows
    std::optional<double> energy_;  ///< joule, at the last reading
    std::chrono::steady_clock::time_point energy_at_{};
};

fs::path device_folder(const std::string& pci_address, const fs::path& root) {
    return root / "sys/bus/pci/devices" / pci_address;
}

}  // namespace

std::optional<std::uint32_t> vendor_of(const std::string& pci_address, const fs::path& root) {
    const std::optional<std::string> text = text_of(device_folder(pci_address, root) / "vendor");
    if (!text || !text->starts_with("0x")) return std::nullopt;
    return parsed<std::uint32_t>(text->substr(2), 16);
}

std::variant<std::unique_ptr<Telemetry>, Absent> open_telemetry(const std::string& pci_address,
                                                                const fs::path& root) {
    const fs::path device = device_folder(pci_address, root);
    std::error_code error;
    fs::directory_iterator monitors(device / "hwmon", error);
    for (; !error && monitors != fs::directory_iterator(); monitors.increment(error))
        return std::make_unique<HardwareMonitor>(device, monitors->path());
    return Absent{"no telemetry: the driver of " + pci_address + " shows no hardware monitor in sysfs"};
}

}  // namespace assay::hwmon
