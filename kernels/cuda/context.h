#pragma once

#include <memory>
#include <string>

#include "kernels/cuda/driver.h"

namespace assay::cuda {

/// A device's primary context, which libraries of the vendor share; given back with the last of its owners.
class CardContext {
  public:
    /// Takes over a context that was retained.
    CardContext(const Driver& driver, DeviceNumber number, Context retained)
        : driver_(driver), number_(number), context_(retained) {}
    ~CardContext() { driver_.device_primary_ctx_release(number_); }
    CardContext(const CardContext&) = delete;
    CardContext& operator=(const CardContext&) = delete;

    const Driver& driver() const { return driver_; }
    DeviceNumber number() const { return number_; }
    Context get() const { return context_; }
    /// Makes it the calling thread's, as most calls want it.
    void enter() const { require(driver_, driver_.ctx_set_current(context_), "cuCtxSetCurrent"); }
    void require_done(Result error, const std::string& call) const { require(driver_, error, call); }

  private:
    const Driver& driver_;
    DeviceNumber number_;
    Context context_;
};

}  // namespace assay::cuda
