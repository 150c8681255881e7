#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "kernels/cpu/features.h"
#include "kernels/device/device.h"

namespace assay::kernels {

/// The instruction set that OpenBLAS's kernels of a core ("SkylakeX", "NEOVERSEN1") are written for, as far
/// as gemm.ceiling's loops stand for them.
Isa isa_of_core(std::string_view core);

/// OpenBLAS, loaded when first asked for: linked, it would start its threads whenever the binary starts, and
/// its choice of kernels could no longer be corrected. It stays loaded until the process ends.
class OpenBlas {
  public:
    /// Absent when the library or a function of it is missing, or does not take the `core` asked for: the
    /// processor that its kernels are written for, "SkylakeX", or "auto". The environment's OPENBLAS_
    /// variables are left aside, so that a run measures the machine and not the shell it was started from.
    /// With "auto" OpenBLAS picks by a table of CPUs, and for one that it does not know it falls back to
    /// kernels without AVX-512: where the CPU has AVX-512 and the core picked has not, it is loaded again for
    /// SkylakeX. The first call settles the core for the process.
    static std::variant<const OpenBlas*, Absent> load(const std::string& core = "auto");

    /// Threads of later products, at most what the library was built for; returns how many it will use. Each
    /// that it starts is bound to a CPU of its own, those of cpus_by_core() in their order but for the first,
    /// which is left to the caller: it computes, too, and binds itself as long as it needs.
    int set_threads(int threads) const;
    std::string core_name() const;  ///< "SkylakeX"
    /// The instruction set that the core's kernels are written for.
    Isa isa() const;
    std::string version() const;  ///< "OpenBLAS 0.3.21 ..."
    /// Why the core is not the library's own choice, and which variables were left aside; may be empty.
    const std::string& core_note() const;

    /// c = a × b, row-major and dense: a [m × k], b [k × n], c [m × n].
    void multiply(int m, int n, int k, const float* a, const float* b, float* c) const;
    void multiply(int m, int n, int k, const double* a, const double* b, double* c) const;

    ~OpenBlas();

  private:
    struct Functions;
    static std::variant<const OpenBlas*, Absent> load_once(const std::string& core);
    explicit OpenBlas(std::unique_ptr<Functions> functions);
    std::unique_ptr<Functions> functions_;
};

}  // namespace assay::kernels
