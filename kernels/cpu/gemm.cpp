#include "kernels/cpu/gemm.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <cblas.h>
#include <dlfcn.h>

#include "kernels/cpu/affinity.h"
#include "kernels/cpu/features.h"

namespace assay::kernels {

namespace {

constexpr const char* library_name = "libopenblas.so.0";

/// A shared library, closed with its owner.
class Library {
  public:
    explicit Library(const char* name) : handle_(dlopen(name, RTLD_NOW | RTLD_LOCAL)) {}
    ~Library() {
        if (handle_ != nullptr) dlclose(handle_);
    }
    Library(Library&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    Library& operator=(Library&& other) noexcept {
        std::swap(handle_, other.handle_);
        return *this;
    }
    explicit operator bool() const { return handle_ != nullptr; }

    template <typename Function>
    bool find(const char* name, Function*& function) const {
        function = reinterpret_cast<Function*>(dlsym(handle_, name));
        return function != nullptr;
    }

  private:
    void* handle_;
};

bool core_uses_avx512(std::string_view core) {
    constexpr std::array<std::string_view, 3> cores = {"SkylakeX", "Cooperlake", "SapphireRapids"};
    return std::find(cores.begin(), cores.end(), core) != cores.end();
}

bool same_but_for_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char left, char right) {
        return std::tolower(static_cast<unsigned char>(left)) ==
               std::tolower(static_cast<unsigned char>(right));
    });
}

/// Sets (or with null removes) an environment variable until the end of the block.
class ScopedVariable {
  public:
    ScopedVariable(const char* name, const char* value) : name_(name) {
        if (const char* old = std::getenv(name)) old_ = old;
        assign(value);
    }
    ~ScopedVariable() { assign(old_ ? old_->c_str() : nullptr); }
    ScopedVariable(const ScopedVariable&) = delete;
    ScopedVariable& operator=(const ScopedVariable&) = delete;
    const std::optional<std::string>& old() const { return old_; }

  private:
    void assign(const char* value) const { value != nullptr ? setenv(name_, value, 1) : unsetenv(name_); }

    const char* name_;
    std::optional<std::string> old_;
};

}  // namespace

Isa isa_of_core(std::string_view core) {
#if defined(__aarch64__)
    // All others' kernels are of NEON. Of SVE, whose registers may be wider, there is no loop.
    constexpr std::array<std::string_view, 3> sve_cores = {"armv8sve", "neoversev1", "a64fx"};
    const bool sve = std::any_of(sve_cores.begin(), sve_cores.end(),
                                 [&](std::string_view name) { return same_but_for_case(core, name); });
    return !sve && supports(Isa::neon) ? Isa::neon : Isa::portable;
#else
    constexpr std::array<std::string_view, 3> avx2_cores = {"Haswell", "Zen", "Excavator"};
    if (core_uses_avx512(core)) return Isa::avx512;
    return std::find(avx2_cores.begin(), avx2_cores.end(), core) != avx2_cores.end() ? Isa::avx2
                                                                                     : Isa::portable;
#endif
}

struct OpenBlas::Functions {
    Library library{library_name};
    decltype(cblas_sgemm)* sgemm = nullptr;
    decltype(cblas_dgemm)* dgemm = nullptr;
    decltype(openblas_set_num_threads)* set_threads = nullptr;
    decltype(openblas_get_num_threads)* get_threads = nullptr;
    decltype(openblas_get_corename)* core = nullptr;
    decltype(openblas_get_config)* config = nullptr;
    std::string core_note;
    int started = 1;  ///< threads that compute, the caller's among them

    bool resolve() {
        return library.find("cblas_sgemm", sgemm) && library.find("cblas_dgemm", dgemm) &&
               library.find("openblas_set_num_threads", set_threads) &&
               library.find("openblas_get_num_threads", get_threads) &&
               library.find("openblas_get_corename", core) && library.find("openblas_get_config", config);
    }
};

OpenBlas::OpenBlas(std::unique_ptr<Functions> functions) : functions_(std::move(functions)) {}
OpenBlas::~OpenBlas() = default;

std::variant<const OpenBlas*, Absent> OpenBlas::load_once(const std::string& core) {
    const auto absent = [](const std::string& what) {
        const char* why = dlerror();
        return Absent{what + (why != nullptr ? std::string(" (") + why + ")" : "") +
                      "; on Debian, the package libopenblas0-pthread has it"};
    };
    // No threads before set_threads() asks for them.
    const ScopedVariable threads("OPENBLAS_NUM_THREADS", "1");
    const ScopedVariable cache("OPENBLAS_L2_SIZE", nullptr);
    const ScopedVariable core_type("OPENBLAS_CORETYPE", core == "auto" ? nullptr : core.c_str());
    std::unique_ptr<Functions> functions = std::make_unique<Functions>();
    if (!functions->library) return absent("OpenBLAS cannot be loaded");
    if (!functions->resolve()) return absent("OpenBLAS lacks a function");

    std::string note;
    if (core_type.old()) note += "OPENBLAS_CORETYPE=" + *core_type.old() + " was left aside. ";
    if (cache.old()) note += "OPENBLAS_L2_SIZE=" + *cache.old() + " was left aside. ";
    const std::string chosen = functions->core();
    if (core != "auto" && !same_but_for_case(core, chosen))
        return Absent{"OpenBLAS has no core '" + core + "' for this CPU; it would use " + chosen};
    if (core == "auto" && cpu_features().avx512 && !core_uses_avx512(chosen)) {
        functions.reset();
        const ScopedVariable forced("OPENBLAS_CORETYPE", "SkylakeX");
        functions = std::make_unique<Functions>();
        if (!functions->library || !functions->resolve()) return absent("OpenBLAS cannot be loaded again");
        note += "OpenBLAS chose the core " + chosen + " for a CPU with AVX-512; it was made to use " +
                functions->core() + ".";
    }
    if (note.ends_with(' ')) note.pop_back();
    functions->core_note = note;
    return new const OpenBlas(std::move(functions));
}

std::variant<const OpenBlas*, Absent> OpenBlas::load(const std::string& core) {
    // Never destroyed: its threads may outlive every owner.
    static const std::variant<const OpenBlas*, Absent> loaded = load_once(core);
    if (const OpenBlas* const* blas = std::get_if<const OpenBlas*>(&loaded);
        blas != nullptr && core != "auto" && !same_but_for_case(core, (*blas)->core_name()))
        return Absent{"OpenBLAS already runs with the core " + (*blas)->core_name() + " in this process"};
    return loaded;
}

int OpenBlas::set_threads(int threads) const {
    // A thread has the CPUs of the one that starts it, and OpenBLAS starts those that it lacks when it is
    // told their number: one by one they can be sent to their places. Later products with fewer threads use
    // the first ones.
    const CpuSet before = CpuSet::of_calling_thread();
    const std::vector<int> cpus = cpus_by_core();
    int& started = functions_->started;
    for (; started < threads && started < static_cast<int>(cpus.size()); ++started) {
        CpuSet::single(cpus[static_cast<std::size_t>(started)]).apply(0);
        functions_->set_threads(started + 1);
    }
    before.apply(0);
    functions_->set_threads(threads);
    started = std::max(started, threads);
    return functions_->get_threads();
}

std::string OpenBlas::core_name() const {
    return functions_->core();
}

Isa OpenBlas::isa() const {
    return isa_of_core(core_name());
}

std::string OpenBlas::version() const {
    return functions_->config();
}

const std::string& OpenBlas::core_note() const {
    return functions_->core_note;
}

void OpenBlas::multiply(int m, int n, int k, const float* a, const float* b, float* c) const {
    functions_->sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1, a, k, b, n, 0, c, n);
}

void OpenBlas::multiply(int m, int n, int k, const double* a, const double* b, double* c) const {
    functions_->dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1, a, k, b, n, 0, c, n);
}

}  // namespace assay::kernels
