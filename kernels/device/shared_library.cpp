#include "kernels/device/shared_library.h"

#include <utility>

#include <dlfcn.h>

namespace assay {

SharedLibrary::SharedLibrary(void* handle, std::string name) : handle_(handle), name_(std::move(name)) {}

std::optional<SharedLibrary> SharedLibrary::load(std::initializer_list<const char*> names,
                                                 std::string& error) {
    error.clear();
    bool absent = true;
    for (const char* name : names) {
        // RTLD_NODELETE: also not when something else closes it.
        if (void* const handle = dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE))
            return SharedLibrary(handle, name);
        const char* const told = dlerror();
        const std::string reason = told != nullptr ? told : std::string(name) + " does not load";
        // "libx.so.1: cannot open shared object file: No such file or directory" begins with what is not
        // there: the library itself, or one that it needs.
        const bool is_absent =
            reason.starts_with(name) && reason.find("No such file or directory") != std::string::npos;
        if (error.empty() || (absent && !is_absent)) {
            error = reason;
            absent = is_absent;
        }
    }
    return std::nullopt;
}

void* SharedLibrary::find(const char* symbol) const {
    return dlsym(handle_, symbol);
}

}  // namespace assay
