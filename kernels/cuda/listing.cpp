#include "kernels/cuda/listing.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "kernels/cuda/built_kernels.h"
#include "kernels/device/accelerator.h"

namespace assay::cuda {

namespace {

/// Why the driver does not start, in words where the error's name does not tell what to do.
std::string start_failure(const Driver& driver, Result error) {
    std::string reason = "no CUDA device: cuInit: " + error_name(driver, error);
    const char* const visible = std::getenv("CUDA_VISIBLE_DEVICES");
    if ((error == error::no_device || error == error::invalid_device) && visible != nullptr)
        reason += "; CUDA_VISIBLE_DEVICES='" + std::string(visible) + "' hides all, or there are none";
    else if (error == error::no_device)
        reason += "; the driver is there, but it sees no card (or MIG is on and has no instance)";
    else if (error == error::system_driver_mismatch)
        reason +=
            "; libcuda.so.1 and the driver in the kernel are of different versions: restart after an update";
    else if (error == error::compat_not_supported_on_device)
        reason += "; the forward-compatibility libcuda.so.1 does not support this card";
    else if (error == error::system_not_ready)
        reason += "; on a server with NVSwitch its fabric manager must run";
    else if (error == error::stub_library)
        reason += "; the libcuda.so.1 found first is the toolkit's stub, not the driver's";
    else if (error == error::unknown)
        reason += "; often /dev/nvidia* are missing or may not be opened, or the kernel's module hangs";
    return reason;
}

std::string version_text(int version) {
    return "CUDA " + std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

std::string lower_case(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

/// Why this build cannot run on a card of this compute capability, as far as can be told without taking
/// anything of it; empty where it can.
std::string obstacle_to(const ListedDevice& card, int architecture, int driver_version, bool prohibited) {
    const BuiltKernels& kernels = built_kernels();
    const std::string who = card.info.id + " (" + card.info.name + ")";
    if (prohibited)
        return who +
               " is closed to everyone: its compute mode is 'prohibited' (nvidia-smi -c DEFAULT opens it)";
    if (!kernels.present)
        return who +
               " is not used: this build has no CUDA kernels, since it was made without nvcc; what is "
               "reached as opencl:N needs none";
    // Drivers run what older compilers made, and what is of their own major version.
    if (driver_version / 1000 < wanted_major())
        return who + " is not used: its driver is one for " + version_text(driver_version) +
               ", and this build's kernels (" + describe(kernels) + ") want one for " + wanted_version() +
               " or later; as opencl:N the card needs none";
    if (kernels.architectures.empty() || architecture >= kernels.architectures.front()) return {};
    return who + " is not used: its compute capability is " + card.info.compute_capability +
           ", and this build's kernels (" + describe(kernels) + ") begin at " +
           capability_text(kernels.architectures.front()) +
           "; a build with CUDA 12's nvcc has kernels from 7.0 on, and as opencl:N the card needs none";
}

ListedDevice card_of(const Driver& driver, DeviceNumber number, int ordinal, int driver_version,
                     const std::string& module_version) {
    const auto value_of = [&](int attribute) {
        int value = 0;
        require(driver, driver.device_get_attribute(&value, attribute, number),
                "cuDeviceGetAttribute " + std::to_string(attribute));
        return value;
    };
    ListedDevice card;
    card.number = number;
    card.info.id = "cuda:" + std::to_string(ordinal);
    card.info.kind = "gpu";
    std::array<char, 256> text{};
    require(driver, driver.device_get_name(text.data(), text.size() - 1, number), "cuDeviceGetName");
    card.info.name = text.data();
    card.info.compute_units = value_of(attribute::multiprocessor_count);
    std::size_t bytes = 0;
    require(driver, driver.device_total_mem(&bytes, number), "cuDeviceTotalMem");
    card.info.memory_bytes = bytes;
    card.info.interface = version_text(driver_version);
    card.info.driver_version = module_version;
    text.fill('\0');
    if (driver.device_get_pci_bus_id(text.data(), text.size() - 1, number) == error::none)
        card.info.pci_address = lower_case(text.data());
    const int architecture =
        10 * value_of(attribute::compute_capability_major) + value_of(attribute::compute_capability_minor);
    card.info.compute_capability = capability_text(architecture);
    const bool prohibited = value_of(attribute::compute_mode) == compute_mode_prohibited;
    card.unusable = obstacle_to(card, architecture, driver_version, prohibited);
    return card;
}

}  // namespace

Listing list_cards() {
    Listing listing;
    const std::variant<std::unique_ptr<Driver>, Absent>& loaded = driver();
    if (const Absent* absent = std::get_if<Absent>(&loaded)) {
        listing.absence = absent->reason;
        return listing;
    }
    const Driver& driver = *std::get<std::unique_ptr<Driver>>(loaded);
    if (const Result started = driver.init(0); started != error::none) {
        listing.absence = start_failure(driver, started);
        return listing;
    }
    listing.driver = &driver;
    int version = 0, count = 0;
    require(driver, driver.driver_get_version(&version), "cuDriverGetVersion");
    require(driver, driver.device_get_count(&count), "cuDeviceGetCount");
    if (count == 0) listing.absence = start_failure(driver, error::no_device);
    const std::string module_version = kernel_module_version();
    for (int ordinal = 0; ordinal < count; ++ordinal) {
        DeviceNumber number = 0;
        require(driver, driver.device_get(&number, ordinal), "cuDeviceGet " + std::to_string(ordinal));
        try {
            listing.devices.push_back(card_of(driver, number, ordinal, version, module_version));
        } catch (const DeviceError& broken) {
            // The others may be well.
            ListedDevice card;
            card.info.id = "cuda:" + std::to_string(ordinal);
            card.unusable = card.info.id + " does not tell what it is: " + broken.what();
            listing.devices.push_back(card);
        }
    }
    return listing;
}

std::string kernel_module_version(const std::filesystem::path& root) {
    // "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu Oct 19 18:56:32 UTC 2023"
    std::ifstream file(root / "proc/driver/nvidia/version");
    std::string line, word;
    std::getline(file, line);
    std::istringstream words(line);
    while (words >> word)
        if (word.find('.') != std::string::npos && word.find_first_not_of("0123456789.") == std::string::npos)
            return word;
    return {};
}

}  // namespace assay::cuda
