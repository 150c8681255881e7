#pragma once

#include <initializer_list>
#include <optional>
#include <string>

namespace assay {

/// A library of a vendor, loaded at run time and never unloaded: drivers keep threads and exit handlers.
class SharedLibrary {
  public:
    /// The first of `names` that loads; `error` is the loader's reason: of one that is there and does not
    /// load rather than of one that is not there, of the first of several alike.
    static std::optional<SharedLibrary> load(std::initializer_list<const char*> names, std::string& error);

    const std::string& name() const { return name_; }
    /// False (and null) when the library has no such symbol: too old, or another library of that name.
    template <typename Function>
    bool find(const char* symbol, Function*& function) const {
        function = reinterpret_cast<Function*>(find(symbol));
        return function != nullptr;
    }

  private:
    SharedLibrary(void* handle, std::string name);
    void* find(const char* symbol) const;

    void* handle_;
    std::string name_;
};

}  // namespace assay
