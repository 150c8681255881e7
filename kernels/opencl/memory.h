#pragma once

#include <memory>

#include "kernels/device/accelerator.h"
#include "kernels/opencl/handle.h"

namespace assay::opencl {

/// A buffer.
class Memory : public DeviceMemory {
  public:
    Memory(BufferHandle buffer, std::size_t bytes) : buffer_(std::move(buffer)), bytes_(bytes) {}
    /// A buffer in `host`, which it keeps.
    Memory(BufferHandle buffer, std::unique_ptr<DeviceMemory> host)
        : host_(std::move(host)), buffer_(std::move(buffer)), bytes_(host_->bytes()) {}
    cl_mem buffer() const { return buffer_.get(); }
    std::byte* host_pointer() override { return nullptr; }
    std::size_t bytes() const override { return bytes_; }
    std::size_t page_bytes() const override { return host_ ? host_->page_bytes() : 0; }

  private:
    std::unique_ptr<DeviceMemory> host_;
    BufferHandle buffer_;
    std::size_t bytes_;
};

/// The buffer behind memory that this interface made; DeviceError for other memory.
inline cl_mem buffer_of(const DeviceMemory& memory) {
    const Memory* const own = dynamic_cast<const Memory*>(&memory);
    if (own == nullptr) throw DeviceError("memory of another interface was given to an OpenCL device");
    return own->buffer();
}

}  // namespace assay::opencl
