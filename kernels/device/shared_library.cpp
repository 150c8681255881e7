#include "kernels/device/shared_library.h"

#include <utility>

#include <dlfcn.h>

namespace assay {

SharedLibrary::SharedLibrary(void* handle, std::string name) : handle_(handle), name_(std::move(name)) {}

std::optional<SharedLibrary> SharedLibrary::load(std::initializer_list<const char*> names,
                                                 std::string& error) {
    for (const char* name : names) {
        // RTLD_NODELETE: also not when something else closes it.
        if (void* const handle = dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE))
            return SharedLibrary(handle, name);
        const char* const reason = dlerror();
        error = reason != nullptr ? reason : std::string(name) + " does not load";
    }
    return std::nullopt;
}

void* SharedLibrary::find(const char* symbol) const {
    return dlsym(handle_, symbol);
}

}  // namespace assay
