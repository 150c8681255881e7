#include "probes/storage/weights/checksum.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <fmt/format.h>

#include "probes/core/case.h"
#include "probes/core/os/text.h"

namespace assay::storage {
namespace {

constexpr std::size_t digest_digits = 32;
constexpr std::size_t longest_sidecar_bytes = 1 << 16;

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// The digest in lower case; empty for what is none.
std::string digest_of(std::string_view text) {
    if (text.size() != digest_digits) return {};
    std::string digest(text);
    for (char& letter : digest) {
        if (letter >= 'A' && letter <= 'F') letter = static_cast<char>(letter - 'A' + 'a');
        if (!(letter >= '0' && letter <= '9') && !(letter >= 'a' && letter <= 'f')) return {};
    }
    return digest;
}

struct Statement {
    std::string digest;
    std::string name;  ///< of the file, without its folder; empty where the line names none
};

std::optional<Statement> parse_line(std::string_view line) {
    constexpr std::string_view bsd = "MD5 (";
    constexpr std::string_view bsd_middle = ") = ";
    Statement statement;
    std::string_view name;
    if (line.starts_with(bsd)) {
        const std::size_t middle = line.rfind(bsd_middle);
        if (middle == std::string_view::npos) return std::nullopt;
        statement.digest = digest_of(line.substr(middle + bsd_middle.size()));
        name = line.substr(bsd.size(), middle - bsd.size());
    } else {
        statement.digest = digest_of(line.substr(0, digest_digits));
        name = trimmed(line.substr(std::min(line.size(), digest_digits)));
        if (name.starts_with('*')) name.remove_prefix(1);
    }
    if (statement.digest.empty()) return std::nullopt;
    statement.name = std::filesystem::path(name).filename().string();
    return statement;
}

std::string read_sidecar(const std::filesystem::path& path) {
    const os::FileDescriptor file = os::open_file(path, O_RDONLY);
    std::string text(longest_sidecar_bytes, '\0');
    const ssize_t got = ::pread(file.get(), text.data(), text.size(), 0);
    if (got < 0)
        throw std::system_error(errno, std::generic_category(), fmt::format("pread {}", path.string()));
    text.resize(static_cast<std::size_t>(got));
    return text;
}

}  // namespace

std::string md5_of(const os::FileDescriptor& file, const std::function<void(std::uint64_t)>& progress) {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    const auto need = [](bool well) {
        // A system in FIPS mode refuses MD5.
        if (!well) throw std::runtime_error("this system's cryptographic library refuses MD5");
    };
    need(context != nullptr && EVP_DigestInit_ex(context.get(), EVP_md5(), nullptr) == 1);
    std::vector<std::byte> buffer(1 << 20);
    std::uint64_t at = 0;
    while (true) {
        const ssize_t got = ::pread(file.get(), buffer.data(), buffer.size(), static_cast<off_t>(at));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw std::system_error(errno, std::generic_category(), "pread for a checksum");
        if (got == 0) break;
        need(EVP_DigestUpdate(context.get(), buffer.data(), static_cast<std::size_t>(got)) == 1);
        at += static_cast<std::uint64_t>(got);
        progress(at);
    }
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    need(EVP_DigestFinal_ex(context.get(), digest.data(), &length) == 1);
    std::string text;
    for (unsigned i = 0; i < length; ++i) text += fmt::format("{:02x}", digest[i]);
    return text;
}

std::optional<std::string> stated_md5(const std::filesystem::path& path, std::string_view where) {
    const std::filesystem::path sidecar = path.string() + ".md5";
    std::error_code error;
    if (!std::filesystem::is_regular_file(sidecar, error)) return std::nullopt;
    std::vector<Statement> statements;
    const std::string text = read_sidecar(sidecar);
    for (const std::string_view line : os::split(text, '\n')) {
        if (trimmed(line).empty() || line.starts_with('#')) continue;
        const std::optional<Statement> statement = parse_line(trimmed(line));
        if (!statement) {
            throw InputError(fmt::format(
                "{}: {} has a line that states no MD5; accepted: lines of md5sum, \"DIGEST  NAME\"", where,
                sidecar.string()));
        }
        statements.push_back(*statement);
    }
    for (const Statement& statement : statements) {
        if (statement.name == path.filename().string()) return statement.digest;
    }
    if (statements.size() == 1 && statements.front().name.empty()) return statements.front().digest;
    throw InputError(fmt::format("{}: {} states no MD5 of {}; accepted: lines of md5sum, \"DIGEST  NAME\"",
                                 where, sidecar.string(), path.filename().string()));
}

}  // namespace assay::storage
