#pragma once

#include <utility>

#include "kernels/opencl/api.h"

namespace assay::opencl {

/// Owns an object of OpenCL. `Release` is the member of Api that gives it back.
template <typename Object, auto Release>
class Handle {
  public:
    Handle() = default;
    Handle(const Api& api, Object object) : api_(&api), object_(object) {}
    ~Handle() { reset(); }
    Handle(Handle&& other) noexcept : api_(other.api_), object_(std::exchange(other.object_, nullptr)) {}
    Handle& operator=(Handle&& other) noexcept {
        if (this != &other) {
            reset();
            api_ = other.api_;
            object_ = std::exchange(other.object_, nullptr);
        }
        return *this;
    }
    Object get() const { return object_; }
    explicit operator bool() const { return object_ != nullptr; }

  private:
    void reset() {
        if (object_ != nullptr) (api_->*Release)(object_);
        object_ = nullptr;
    }

    const Api* api_ = nullptr;
    Object object_ = nullptr;
};

using ContextHandle = Handle<cl_context, &Api::release_context>;
using QueueHandle = Handle<cl_command_queue, &Api::release_command_queue>;
using BufferHandle = Handle<cl_mem, &Api::release_mem_object>;
using ProgramHandle = Handle<cl_program, &Api::release_program>;
using KernelHandle = Handle<cl_kernel, &Api::release_kernel>;
using EventHandle = Handle<cl_event, &Api::release_event>;

}  // namespace assay::opencl
