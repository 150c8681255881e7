#include "suites/journal.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "suites/journal_json.h"

namespace assay {
namespace {

[[noreturn]] void fail(const std::string& call) {
    throw std::system_error(errno, std::generic_category(), call);
}

void lock(int file, const std::filesystem::path& path) {
    if (::flock(file, LOCK_EX | LOCK_NB) == 0) return;
    if (errno == EWOULDBLOCK)
        throw InputError(
            fmt::format("{}: another run is writing here; wait for it, or choose another folder "
                        "with --out",
                        path.string()));
    fail(fmt::format("flock {}", path.string()));
}

void write_line(int file, std::string line) {
    line += '\n';
    std::string_view rest = line;
    while (!rest.empty()) {
        const ssize_t written = ::write(file, rest.data(), rest.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) fail("write to the journal");
        rest.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::fdatasync(file) != 0) fail("fdatasync of the journal");
}

/// So that the journal's name survives a power cut as its lines do.
void sync_folder(const std::filesystem::path& folder) {
    const os::FileDescriptor directory = os::open_file(folder, O_RDONLY | O_DIRECTORY);
    if (::fsync(directory.get()) != 0 && errno != EINVAL) fail(fmt::format("fsync {}", folder.string()));
}

std::string read_all(int file, const std::filesystem::path& path) {
    struct stat status {};
    if (::fstat(file, &status) != 0) fail(fmt::format("fstat {}", path.string()));
    std::string content(static_cast<std::size_t>(status.st_size), '\0');
    std::size_t done = 0;
    while (done < content.size()) {
        const ssize_t count =
            ::pread(file, content.data() + done, content.size() - done, static_cast<off_t>(done));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail(fmt::format("read {}", path.string()));
        if (count == 0) break;
        done += static_cast<std::size_t>(count);
    }
    content.resize(done);
    return content;
}

os::FileDescriptor open_journal(const std::filesystem::path& folder, int flags) {
    const std::filesystem::path path = journal_path(folder);
    try {
        return os::open_file(path, flags);
    } catch (const std::system_error& error) {
        if (error.code() != std::errc::no_such_file_or_directory &&
            error.code() != std::errc::not_a_directory)
            throw;
        throw InputError(
            fmt::format("{}: there is no journal.jsonl here; the folder of an earlier run is "
                        "accepted",
                        folder.string()));
    }
}

JournalHeader read_header(std::string_view content, const std::filesystem::path& path) {
    const std::size_t end = content.find('\n');
    if (end == std::string_view::npos)
        throw InputError(
            fmt::format("{}:1: the first line is cut off, so nothing here can be used; run again "
                        "into another folder",
                        path.string()));
    try {
        return header_from_line(content.substr(0, end));
    } catch (const InputError& error) {
        throw InputError(fmt::format("{}:1: {}", path.string(), error.what()));
    }
}

void keep(Journal& journal, Outcome outcome, std::size_t line) {
    const std::vector<Outcome>::iterator same =
        std::find_if(journal.outcomes.begin(), journal.outcomes.end(),
                     [&](const Outcome& present) { return present.the_case == outcome.the_case; });
    if (same == journal.outcomes.end()) {
        journal.outcomes.push_back(std::move(outcome));
        return;
    }
    journal.notes.push_back(fmt::format(
        "journal.jsonl: line {} is of a case that an earlier line has too; the later one counts", line));
    *same = std::move(outcome);
}

}  // namespace

std::filesystem::path journal_path(const std::filesystem::path& folder) {
    return folder / "journal.jsonl";
}

JournalWriter JournalWriter::create(const std::filesystem::path& folder, const JournalHeader& header) {
    const std::filesystem::path path = journal_path(folder);
    os::FileDescriptor file;
    try {
        file = os::open_file(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND);
    } catch (const std::system_error& error) {
        if (error.code() != std::errc::file_exists) throw;
        throw InputError(
            fmt::format("{}: there is a journal already; go on with --resume {}, or choose another "
                        "folder with --out",
                        path.string(), folder.string()));
    }
    lock(file.get(), path);
    write_line(file.get(), header_line(header));
    sync_folder(folder);
    return JournalWriter(std::move(file));
}

JournalWriter JournalWriter::resume(const std::filesystem::path& folder) {
    const std::filesystem::path path = journal_path(folder);
    os::FileDescriptor file = open_journal(folder, O_RDWR | O_APPEND);
    lock(file.get(), path);
    const std::string content = read_all(file.get(), path);
    read_header(content, path);
    const std::size_t whole = content.rfind('\n') + 1;
    if (whole < content.size() && ::ftruncate(file.get(), static_cast<off_t>(whole)) != 0)
        fail(fmt::format("ftruncate {}", path.string()));
    return JournalWriter(std::move(file));
}

void JournalWriter::append(const Outcome& outcome) {
    write_line(file_.get(), outcome_line(outcome));
}

Journal read_journal(const std::filesystem::path& folder) {
    const std::filesystem::path path = journal_path(folder);
    const os::FileDescriptor file = open_journal(folder, O_RDONLY);
    const std::string content = read_all(file.get(), path);
    Journal journal;
    journal.header = read_header(content, path);
    std::size_t begin = content.find('\n') + 1;
    for (std::size_t line = 2; begin < content.size(); ++line) {
        const std::size_t end = content.find('\n', begin);
        if (end == std::string::npos) {
            journal.notes.push_back(
                fmt::format("journal.jsonl: line {} is cut off after {} bytes and was dropped", line,
                            content.size() - begin));
            break;
        }
        try {
            keep(journal, outcome_from_line(std::string_view(content).substr(begin, end - begin)), line);
        } catch (const InputError& error) {
            journal.notes.push_back(
                fmt::format("journal.jsonl: line {} was dropped: {}", line, error.what()));
        }
        begin = end + 1;
    }
    return journal;
}

}  // namespace assay
