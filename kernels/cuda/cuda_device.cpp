#include "kernels/cuda/cuda_device.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <system_error>
#include <utility>

#include "kernels/cuda/built_kernels.h"
#include "kernels/cuda/listing.h"
#include "kernels/cuda/queue.h"
#include "kernels/device/cpu_device.h"
#include "kernels/device/programs.h"

namespace assay::cuda {

namespace {

/// What a driver says of a program that it cannot run: too new for it, or without code for the card.
bool means_unsuited(Result error) {
    constexpr std::array unsuited = {error::invalid_image, error::no_binary_for_gpu, error::invalid_ptx,
                                     error::unsupported_ptx_version, error::jit_compiler_not_found};
    return std::find(unsuited.begin(), unsuited.end(), error) != unsuited.end();
}

/// A program that was loaded on a card; unloaded with it.
class LoadedModule {
  public:
    LoadedModule(const Driver& driver, Module module) : driver_(driver), module_(module) {}
    ~LoadedModule() { driver_.module_unload(module_); }
    LoadedModule(const LoadedModule&) = delete;
    LoadedModule& operator=(const LoadedModule&) = delete;
    Module get() const { return module_; }

  private:
    const Driver& driver_;
    Module module_;
};

class CudaDevice final : public Accelerator {
  public:
    CudaDevice(std::shared_ptr<const CardContext> context, DeviceInfo info)
        : context_(std::move(context)),
          driver_(context_->driver()),
          info_(std::move(info)),
          queue_(context_, loaded("spin", "spin")) {}
    ~CudaDevice() override { driver_.ctx_set_current(context_->get()); }

    const DeviceInfo& info() const override { return info_; }
    const CardContext& context() const { return *context_; }

    std::unique_ptr<DeviceMemory> allocate(std::size_t bytes, bool) override {
        if (bytes == 0)
            throw std::system_error(EINVAL, std::generic_category(), "allocate 0 bytes of " + info_.id);
        return std::make_unique<CardMemory>(context_, bytes);
    }

    Kernel& kernel(std::string_view program, const std::string& function, const std::string&) override {
        return loaded(program, function);
    }
    bool has_extension(std::string_view) const override { return false; }

    Queue& queue() override { return queue_; }
    std::unique_ptr<Queue> make_queue() override {
        return std::make_unique<StreamQueue>(context_, loaded("spin", "spin"));
    }

    std::unique_ptr<DeviceMemory> allocate_host(std::size_t bytes, bool pinned) override {
        if (!pinned) return open_cpu_device()->allocate(bytes, false);
        if (bytes == 0) throw std::system_error(EINVAL, std::generic_category(), "page-lock 0 bytes");
        return std::make_unique<PinnedMemory>(context_, bytes);
    }
    std::uint64_t address(const DeviceMemory& memory) const override { return own_memory(memory).address(); }

    std::optional<std::uint64_t> free_bytes() const override {
        std::size_t free = 0, total = 0;
        context_->enter();
        if (driver_.mem_get_info(&free, &total) != error::none) return std::nullopt;
        return free;
    }

    Telemetry* telemetry() override { return telemetry_.of(info_); }

    bool reach(Accelerator& other) override {
        const CudaDevice* const peer = dynamic_cast<const CudaDevice*>(&other);
        // Either way, since the driver may take either card's engine for a copy.
        return peer != nullptr && reach(context(), peer->context()) && reach(peer->context(), context());
    }

  private:
    bool reach(const CardContext& from, const CardContext& to) const {
        if (from.number() == to.number()) return true;
        int can = 0;
        require(driver_, driver_.device_can_access_peer(&can, from.number(), to.number()),
                "cuDeviceCanAccessPeer");
        if (can == 0) return false;
        from.enter();
        const Result enabled = driver_.ctx_enable_peer_access(to.get(), 0);
        // A card without NVSwitch takes but eight peers; to the next it copies by the host.
        if (enabled == error::peer_access_unsupported || enabled == error::too_many_peers) return false;
        if (enabled != error::peer_access_already_enabled) require(driver_, enabled, "cuCtxEnablePeerAccess");
        return true;
    }

    LoadedKernel& loaded(std::string_view program, const std::string& name) {
        std::unique_ptr<LoadedKernel>& present = kernels_[std::string(program) + "\n" + name];
        if (!present) {
            Function function = nullptr;
            context_->enter();
            require(driver_, driver_.module_get_function(&function, module(program), name.c_str()),
                    "cuModuleGetFunction of " + name + " in cuda/" + std::string(program) + ".cu");
            // Else drivers load it with its first launch, and wait for all streams to do so: also for held
            // ones.
            int registers = 0;
            require(driver_,
                    driver_.func_load != nullptr
                        ? driver_.func_load(function)
                        : driver_.func_get_attribute(&registers, function_attribute_registers, function),
                    "loading " + name + " of cuda/" + std::string(program) + ".cu");
            present = std::make_unique<LoadedKernel>(function, name);
        }
        return *present;
    }

    Module module(std::string_view program) {
        std::unique_ptr<LoadedModule>& present = modules_[std::string(program)];
        if (present) return present->get();
        const std::string name = "cuda/" + std::string(program) + ".fatbin";
        const std::optional<std::string_view> image = kernels::embedded_program(name);
        if (!image) throw DeviceError("this build has no program " + name);
        Module made = nullptr;
        context_->enter();
        require(driver_, driver_.module_load_data(&made, image->data()), "cuModuleLoadData of " + name);
        present = std::make_unique<LoadedModule>(driver_, made);
        return made;
    }

    std::shared_ptr<const CardContext> context_;
    const Driver& driver_;
    DeviceInfo info_;
    LazyTelemetry telemetry_;
    std::map<std::string, std::unique_ptr<LoadedModule>> modules_;
    std::map<std::string, std::unique_ptr<LoadedKernel>> kernels_;
    StreamQueue queue_;
};

/// Why a card that is there cannot be used by anyone just now, or not by this build; empty: it can.
std::string obstacle(const ListedDevice& card, const CardContext& context) {
    const Driver& driver = context.driver();
    const std::optional<std::string_view> image = kernels::embedded_program("cuda/spin.fatbin");
    Module probe = nullptr;
    context.enter();
    Result loaded = driver.module_load_data(&probe, image ? image->data() : nullptr);
    if (loaded == error::none) {
        Function function = nullptr;
        loaded = driver.module_get_function(&function, probe, "spin");
        driver.module_unload(probe);
    }
    if (loaded == error::none) return {};
    if (!means_unsuited(loaded)) require(driver, loaded, "cuModuleLoadData of cuda/spin.fatbin");
    return card.info.id + " (" + card.info.name + ", compute capability " + card.info.compute_capability +
           ") cannot run this build's kernels (" + describe(built_kernels()) +
           "): cuModuleLoadData: " + error_name(driver, loaded) + "; the driver is one for " +
           card.info.interface + ", and one for " + wanted_version() +
           " or later is wanted; as opencl:N the card needs none";
}

}  // namespace

void list_devices(DeviceSurvey& survey) {
    survey.cuda_kernels = describe(built_kernels());
    Listing listing;
    try {
        listing = list_cards();
    } catch (const DeviceError& broken) {
        listing.absence = std::string("no CUDA device: the driver does not list them: ") + broken.what();
    }
    if (!listing.absence.empty()) survey.absences.push_back(listing.absence);
    for (const ListedDevice& card : listing.devices) {
        // OpenCL's way to a card that we have no kernels for is the better one, so this one is not offered.
        if (card.unusable.empty())
            survey.devices.push_back(card.info);
        else
            survey.absences.push_back(card.unusable);
    }
}

std::variant<std::unique_ptr<Device>, Absent> open_cuda_device(std::size_t number) {
    const Listing listing = list_cards();
    if (number >= listing.devices.size()) {
        const std::string count = std::to_string(listing.devices.size());
        return Absent{"there is no cuda:" + std::to_string(number) + ": " +
                      (listing.devices.empty() ? listing.absence
                                               : "the driver lists " + count + " device" +
                                                     (count == "1" ? "" : "s") + ", counted from cuda:0")};
    }
    const ListedDevice& card = listing.devices[number];
    const std::string who = card.info.id + " (" + card.info.name + ")";
    if (!card.unusable.empty()) return Absent{card.unusable};
    const Driver& driver = *listing.driver;
    Context primary = nullptr;
    const Result retained = driver.device_primary_ctx_retain(&primary, card.number);
    if (retained == error::device_unavailable)
        return Absent{who + " is in exclusive use by another process (cuDevicePrimaryCtxRetain: " +
                      error_name(driver, retained) + ")"};
    require(driver, retained, "cuDevicePrimaryCtxRetain of " + who);
    const std::shared_ptr<const CardContext> context =
        std::make_shared<CardContext>(driver, card.number, primary);
    if (std::string reason = obstacle(card, *context); !reason.empty()) return Absent{std::move(reason)};
    return std::make_unique<CudaDevice>(context, card.info);
}

}  // namespace assay::cuda
