#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>

#include "kernels/cuda/memory.h"

namespace assay::cuda {

class LoadedKernel final : public Kernel {
  public:
    LoadedKernel(Function function, std::string name) : function_(function), name_(std::move(name)) {}
    Function get() const { return function_; }
    const std::string& name() const { return name_; }

  private:
    Function function_;
    std::string name_;
};

/// Flags in page-locked memory, one for each gate of a queue, on which a kernel spins.
class GateFlags;

/// A stream that does not wait for the default one. Marks are events. Pageable host memory is copied by way
/// of the driver's own buffers: such a call returns late, and behind a closed gate not before the gate gives
/// up.
class StreamQueue final : public Queue {
  public:
    /// A held queue goes on by itself after this, so that a host that died does not keep a card busy.
    static constexpr std::chrono::seconds longest_hold{10};

    /// `spin` is the kernel that holds it.
    StreamQueue(std::shared_ptr<const CardContext> context, LoadedKernel& spin);
    ~StreamQueue() override;

    void launch(Kernel& kernel, const Grid& grid, std::span<const KernelArgument> arguments) override;
    void write(DeviceMemory& to, std::size_t offset, const void* from, std::size_t bytes) override;
    void read(void* to, const DeviceMemory& from, std::size_t offset, std::size_t bytes) override;
    void copy(DeviceMemory& to, std::size_t to_offset, const DeviceMemory& from, std::size_t from_offset,
              std::size_t bytes) override;
    void fill(DeviceMemory& to, std::size_t offset, std::size_t bytes, std::uint8_t value) override;
    std::unique_ptr<Mark> mark() override;
    std::unique_ptr<Gate> hold() override;
    void finish() override;
    double seconds_between(const Mark& begin, const Mark& end) override;
    void* native() override { return stream_; }

  private:
    std::shared_ptr<const CardContext> context_;
    const Driver& driver_;
    LoadedKernel& spin_;
    Stream stream_ = nullptr;
    std::shared_ptr<GateFlags> flags_;  ///< made by the first hold()
};

}  // namespace assay::cuda
