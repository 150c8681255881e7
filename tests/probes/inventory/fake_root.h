#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace assay::inventory {

/// A folder that stands for "/" of another machine; gone when the test is.
class FakeRoot {
  public:
    FakeRoot() {
        // Hundreds of tiny files: in memory where that is possible.
        for (const std::filesystem::path& place :
             {std::filesystem::path("/dev/shm"), std::filesystem::temp_directory_path()}) {
            std::string name = (place / "assay-root-XXXXXX").string();
            if (::mkdtemp(name.data()) == nullptr) continue;
            path_ = name;
            return;
        }
        throw std::runtime_error("no folder for temporary files");
    }
    ~FakeRoot() {
        std::error_code error;
        std::filesystem::remove_all(path_, error);
    }
    FakeRoot(const FakeRoot&) = delete;
    FakeRoot& operator=(const FakeRoot&) = delete;

    const std::filesystem::path& path() const { return path_; }

    void write(const std::string& file, const std::string& text) const {
        std::filesystem::create_directories((path_ / file).parent_path());
        std::ofstream(path_ / file) << text << '\n';
    }
    void folder(const std::string& name) const { std::filesystem::create_directories(path_ / name); }
    /// A link from `name` to `target`, both below the root, relative as the kernel makes them.
    void link(const std::string& name, const std::string& target) const {
        std::filesystem::create_directories((path_ / name).parent_path());
        std::filesystem::create_directories(path_ / target);
        std::filesystem::create_symlink((path_ / target).lexically_relative((path_ / name).parent_path()),
                                        path_ / name);
    }
    void remove(const std::string& name) const { std::filesystem::remove_all(path_ / name); }

  private:
    std::filesystem::path path_;
};

}  // namespace assay::inventory
