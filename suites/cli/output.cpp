#include "suites/cli/output.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "reports/utf8.h"

namespace assay::cli {
namespace {

constexpr int default_columns = 100;
constexpr int fewest_columns = 80;

[[noreturn]] void fail(const std::string& call) {
    throw std::system_error(errno, std::generic_category(), call);
}

int columns_of(int descriptor) {
    winsize size{};
    if (::ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return default_columns;
    return std::max<int>(size.ws_col, fewest_columns);
}

/// Removes the file on the way out unless it has got its name.
class TemporaryFile {
  public:
    explicit TemporaryFile(std::string path) : path_(std::move(path)) {
        const int file = ::mkostemp(path_.data(), O_CLOEXEC);
        if (file < 0) fail(fmt::format("create {}", path_));
        file_ = os::FileDescriptor(file);
    }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    ~TemporaryFile() {
        if (!path_.empty()) ::unlink(path_.c_str());
    }

    void write(std::string_view content) {
        while (!content.empty()) {
            const ssize_t written = ::write(file_.get(), content.data(), content.size());
            if (written < 0 && errno == EINTR) continue;
            if (written < 0) fail(fmt::format("write {}", path_));
            content.remove_prefix(static_cast<std::size_t>(written));
        }
        if (::fsync(file_.get()) != 0) fail(fmt::format("fsync {}", path_));
    }

    void rename_to(const std::filesystem::path& path) {
        // mkostemp makes files private; a report is as readable as the user's other files.
        const mode_t mask = ::umask(0);
        ::umask(mask);
        if (::fchmod(file_.get(), 0666 & ~mask) != 0) fail(fmt::format("fchmod {}", path_));
        if (::rename(path_.c_str(), path.c_str()) != 0) fail(fmt::format("rename to {}", path.string()));
        path_.clear();
    }

  private:
    std::string path_;
    os::FileDescriptor file_;
};

std::filesystem::path folder_of(const std::filesystem::path& path) {
    return path.parent_path().empty() ? std::filesystem::path(".") : path.parent_path();
}

}  // namespace

void print(std::string_view text) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
        fail("write to standard output");
}

void print_error_line(std::string_view text) {
    fmt::print(stderr, "{}\n", text);
    std::fflush(stderr);
}

OutputGuard::OutputGuard() : kept_(::dup(STDOUT_FILENO)) {
    ::dup2(STDERR_FILENO, STDOUT_FILENO);
}

OutputGuard::~OutputGuard() {
    std::fflush(stdout);
    if (kept_) ::dup2(kept_.get(), STDOUT_FILENO);
}

std::filesystem::path own_program() {
    return std::filesystem::read_symlink("/proc/self/exe");
}

void check_output_file(const std::filesystem::path& path) {
    std::error_code missing;
    const std::filesystem::file_status status = std::filesystem::status(path, missing);
    if (std::filesystem::is_directory(status))
        throw InputError(fmt::format("{}: is a directory; the path of a file is accepted", path.string()));
    if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
        throw InputError(fmt::format(
            "{}: is no regular file; the path of a regular or a new file is accepted", path.string()));
    if (!std::filesystem::is_directory(folder_of(path), missing))
        throw InputError(fmt::format(
            "{}: its folder does not exist; a file in a folder that exists is accepted", path.string()));
    if (::access(folder_of(path).c_str(), W_OK) != 0)
        throw InputError(
            fmt::format("{}: its folder cannot be written ({}); a file in a writable folder is accepted",
                        path.string(), std::generic_category().message(errno)));
}

void write_atomically(const std::filesystem::path& path, std::string_view content) {
    check_output_file(path);
    TemporaryFile file((folder_of(path) / fmt::format(".{}.XXXXXX", path.filename().string())).string());
    file.write(content);
    file.rename_to(path);
}

TextStyle style_of_output() {
    TextStyle style;
    style.columns = columns_of(STDOUT_FILENO);
    style.colour = ::isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
    return style;
}

ErrorStream style_of_error() {
    const char* const terminal = std::getenv("TERM");
    const bool dumb = terminal == nullptr || std::string_view(terminal) == "dumb";
    return {::isatty(STDERR_FILENO) == 1 && !dumb, columns_of(STDERR_FILENO)};
}

std::string cut_to(std::string_view text, int columns) {
    int used = 0;
    std::size_t end = 0;
    while (end < text.size()) {
        const std::size_t length = first_code_point(text.substr(end)).bytes;
        used += display_width(text.substr(end, length));
        if (used > columns) break;
        end += length;
    }
    return std::string(text.substr(0, end));
}

}  // namespace assay::cli
