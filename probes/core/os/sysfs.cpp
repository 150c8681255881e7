#include "probes/core/os/sysfs.h"

#include <array>
#include <cerrno>
#include <charconv>

#include <fcntl.h>
#include <unistd.h>

#include "probes/core/os/file_descriptor.h"

namespace assay::os {

std::optional<std::string> read_text(const std::filesystem::path& path) {
    const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file) return std::nullopt;
    std::string text;
    std::array<char, 4096> buffer{};
    while (true) {
        const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return std::nullopt;
        if (got == 0) break;
        text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    if (text.ends_with('\n')) text.pop_back();
    return text;
}

std::optional<std::int64_t> read_integer(const std::filesystem::path& path) {
    const std::optional<std::string> text = read_text(path);
    if (!text) return std::nullopt;
    std::int64_t value = 0;
    const char* const last = text->data() + text->size();
    const std::from_chars_result end = std::from_chars(text->data(), last, value);
    if (end.ec != std::errc() || end.ptr != last) return std::nullopt;
    return value;
}

}  // namespace assay::os
