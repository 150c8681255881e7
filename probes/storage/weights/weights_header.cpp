#include "probes/storage/weights/weights_header.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "probes/core/case.h"

namespace assay::storage {

std::string describe(const WeightsHeader& header) {
    std::string types;
    for (const auto& [type, bytes] : header.bytes_by_type) {
        types += fmt::format("{}{} bytes of {}", types.empty() ? "" : ", ", bytes, type);
    }
    return fmt::format("{}, {} tensors, {}", header.format, header.tensors,
                       types.empty() ? "no data" : types);
}

HeaderFile::HeaderFile(const os::FileDescriptor& file, std::string name)
    : descriptor_(file.get()), name_(std::move(name)) {
    struct stat status {};
    if (::fstat(descriptor_, &status) != 0) {
        throw std::system_error(errno, std::generic_category(), fmt::format("fstat {}", name_));
    }
    bytes_ = static_cast<std::uint64_t>(status.st_size);
}

void HeaderFile::read(std::uint64_t offset, std::span<std::byte> into) const {
    if (offset > bytes_ || into.size() > bytes_ - offset) {
        refuse(fmt::format("is cut short: its header goes beyond its {} bytes", bytes_), "a whole file");
    }
    while (!into.empty()) {
        const ssize_t got = ::pread(descriptor_, into.data(), into.size(), static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw std::system_error(errno, std::generic_category(), fmt::format("pread {}", name_));
        if (got == 0) refuse("became shorter while it was read", "a file that nobody changes");
        into = into.subspan(static_cast<std::size_t>(got));
        offset += static_cast<std::uint64_t>(got);
    }
}

void HeaderFile::refuse(std::string_view wrong, std::string_view accepted) const {
    throw InputError(fmt::format("{} {}; accepted: {}", name_, wrong, accepted));
}

void order_and_refuse_overlaps(const HeaderFile& file, std::vector<TensorPlace>& places) {
    std::sort(places.begin(), places.end(), [](const TensorPlace& one, const TensorPlace& other) {
        return one.begin != other.begin ? one.begin < other.begin : one.end < other.end;
    });
    for (std::size_t i = 1; i < places.size(); ++i) {
        if (places[i].begin >= places[i - 1].end) continue;
        file.refuse(fmt::format("has tensors {} and {} overlap at byte {} of its data",
                                quote_name(places[i - 1].name), quote_name(places[i].name), places[i].begin),
                    "tensors that lie one after the other");
    }
}

std::string quote_name(std::string_view name) {
    constexpr std::size_t longest = 60;
    std::string text = "\"";
    for (const char letter : name.substr(0, longest)) {
        const bool printable = letter >= ' ' && letter <= '~' && letter != '"';
        text += printable ? letter : '?';
    }
    if (name.size() > longest) text += "...";
    return text + "\"";
}

}  // namespace assay::storage
