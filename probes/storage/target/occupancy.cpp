#include "probes/storage/target/occupancy.h"

#include <algorithm>
#include <string_view>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <fmt/format.h>

#include "probes/core/os/mounts.h"
#include "probes/core/os/sysfs.h"
#include "probes/core/os/text.h"

namespace assay::storage {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> entries_of(const fs::path& folder) {
    std::vector<fs::path> entries;
    std::error_code missing;
    fs::directory_iterator entry(folder, missing);
    // By hand: a process or device may go while it is looked at.
    for (; !missing && entry != fs::directory_iterator(); entry.increment(missing)) {
        entries.push_back(entry->path());
    }
    std::sort(entries.begin(), entries.end());
    return entries;
}

bool is_partition(const fs::path& folder) {
    std::error_code missing;
    return fs::exists(folder / "partition", missing);
}

/// The device's own folder in sysfs; empty where there is none.
fs::path folder_of(const struct stat& what, const SystemRoots& roots) {
    if (!S_ISBLK(what.st_mode)) return {};
    std::error_code missing;
    const fs::path link =
        roots.sys / "dev/block" / fmt::format("{}:{}", major(what.st_rdev), minor(what.st_rdev));
    const fs::path folder = fs::canonical(link, missing);
    return missing ? fs::path() : folder;
}

std::vector<fs::path> partitions_of(const fs::path& folder) {
    std::vector<fs::path> partitions;
    for (const fs::path& entry : entries_of(folder)) {
        if (is_partition(entry)) partitions.push_back(entry);
    }
    return partitions;
}

/// The device and the disk that it is a partition of: who uses the whole disk uses the partition.
std::vector<fs::path> itself_and_its_disk(const struct stat& what, const SystemRoots& roots) {
    std::vector<fs::path> folders;
    const fs::path folder = folder_of(what, roots);
    if (folder.empty()) return folders;
    folders.push_back(folder);
    if (is_partition(folder)) folders.push_back(folder.parent_path());
    return folders;
}

/// The same and its partitions: every part of the device.
std::vector<fs::path> all_parts(const struct stat& what, const SystemRoots& roots) {
    std::vector<fs::path> folders = itself_and_its_disk(what, roots);
    if (folders.empty()) return folders;
    for (fs::path& partition : partitions_of(folders.front())) folders.push_back(std::move(partition));
    return folders;
}

/// "259:1", as sysfs tells it.
std::string number_of(const fs::path& folder) {
    return os::read_text(folder / "dev").value_or("");
}

std::string number_text(dev_t number) {
    return fmt::format("{}:{}", major(number), minor(number));
}

/// Whether a path leads to the device or one of `numbers`, or to the very file.
bool leads_to(const std::string& path, const struct stat& what, const std::vector<std::string>& numbers) {
    struct stat other {};
    if (!path.starts_with('/') || ::stat(path.c_str(), &other) != 0) return false;
    if (S_ISBLK(other.st_mode)) {
        if (S_ISBLK(what.st_mode) && other.st_rdev == what.st_rdev) return true;
        return std::find(numbers.begin(), numbers.end(), number_text(other.st_rdev)) != numbers.end();
    }
    return !S_ISBLK(what.st_mode) && other.st_dev == what.st_dev && other.st_ino == what.st_ino;
}

std::vector<std::string> numbers_of(const std::vector<fs::path>& folders) {
    std::vector<std::string> numbers;
    for (const fs::path& folder : folders) {
        std::string number = number_of(folder);
        if (!number.empty()) numbers.push_back(std::move(number));
    }
    return numbers;
}

/// One who cannot be looked at (another user's process, one that has just ended) is passed over.
bool has_open(const fs::path& descriptor, const struct stat& what) {
    struct statx status {};
    // Without asking a network file system's server, which may be gone.
    if (::statx(AT_FDCWD, descriptor.c_str(), AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO, &status) != 0) {
        return false;
    }
    if (S_ISBLK(what.st_mode)) {
        return S_ISBLK(status.stx_mode) &&
               makedev(status.stx_rdev_major, status.stx_rdev_minor) == what.st_rdev;
    }
    return S_ISREG(status.stx_mode) && status.stx_ino == what.st_ino &&
           makedev(status.stx_dev_major, status.stx_dev_minor) == what.st_dev;
}

/// From the octal flags of fdinfo; where they are not told, the worse is assumed.
bool open_for_writing(const fs::path& process, const fs::path& descriptor) {
    const std::optional<std::string> info = os::read_text(process / "fdinfo" / descriptor.filename());
    if (!info) return true;
    for (const std::string_view line : os::split(*info, '\n')) {
        if (!line.starts_with("flags:")) continue;
        return ((line.back() - '0') & O_ACCMODE) != O_RDONLY;
    }
    return true;
}

}  // namespace

std::optional<std::string> mounted(const struct stat& what, const SystemRoots& roots) {
    if (!S_ISBLK(what.st_mode)) return std::nullopt;
    std::vector<std::string> numbers = numbers_of(all_parts(what, roots));
    numbers.push_back(number_text(what.st_rdev));  // also where sysfs does not know the device
    const std::string text = os::read_text(roots.proc / "self/mountinfo").value_or("");
    for (const os::Mount& mount : os::parse_mountinfo(text)) {
        const bool by_number =
            std::find(numbers.begin(), numbers.end(), number_text(mount.device)) != numbers.end();
        // File systems that make numbers up (btrfs) are told by their source.
        if (!by_number && !leads_to(mount.source, what, numbers)) continue;
        return fmt::format("is mounted at {} ({}, as {})", mount.point, mount.type, mount.source);
    }
    return std::nullopt;
}

std::optional<std::string> partitioned(const struct stat& what, const SystemRoots& roots) {
    const std::vector<fs::path> partitions = partitions_of(folder_of(what, roots));
    if (partitions.empty()) return std::nullopt;
    return fmt::format("has partitions ({}{})", partitions.front().filename().string(),
                       partitions.size() > 1 ? fmt::format(" and {} more", partitions.size() - 1) : "");
}

std::optional<std::string> held_by_stack(const struct stat& what, const SystemRoots& roots) {
    for (const fs::path& folder : all_parts(what, roots)) {
        const std::vector<fs::path> holders = entries_of(folder / "holders");
        if (holders.empty()) continue;
        const std::string holder = holders.front().filename().string();
        const std::optional<std::string> label = os::read_text(holders.front() / "dm/name");
        const bool raid = holder.starts_with("md");
        return fmt::format("is part of {}{}{}", raid ? "the RAID " : "", holder,
                           label ? fmt::format(" ({})", *label) : "");
    }
    return std::nullopt;
}

std::optional<std::string> swapped_to(const struct stat& what, const SystemRoots& roots) {
    const std::vector<std::string> numbers = numbers_of(all_parts(what, roots));
    const std::string swaps = os::read_text(roots.proc / "swaps").value_or("");
    for (const std::string_view line : os::split(swaps, '\n')) {
        std::vector<std::string_view> words = os::split(line, ' ');
        if (words.empty() || !words.front().starts_with('/')) continue;
        const std::string space = os::unescape_octal(os::split(words.front(), '\t').front());
        if (leads_to(space, what, numbers)) return fmt::format("is swap space in use ({})", space);
    }
    return std::nullopt;
}

std::optional<std::string> backs_loop(const struct stat& what, const SystemRoots& roots) {
    const std::vector<std::string> numbers = numbers_of(all_parts(what, roots));
    for (const fs::path& device : entries_of(roots.sys / "block")) {
        const std::optional<std::string> file = os::read_text(device / "loop/backing_file");
        if (!file || !leads_to(*file, what, numbers)) continue;
        return fmt::format("holds the data of the loop device {}", device.filename().string());
    }
    return std::nullopt;
}

std::optional<std::string> read_only_device(const struct stat& what, const SystemRoots& roots) {
    for (const fs::path& folder : itself_and_its_disk(what, roots)) {
        if (os::read_integer(folder / "ro").value_or(0) != 0) return "is read-only";
    }
    return std::nullopt;
}

std::optional<std::string> open_elsewhere(const struct stat& what, const SystemRoots& roots) {
    const std::string own = fmt::format("{}", ::getpid());
    for (const fs::path& process : entries_of(roots.proc)) {
        const std::string number = process.filename().string();
        if (!os::parse_number(number) || number == own) continue;
        for (const fs::path& descriptor : entries_of(process / "fd")) {
            if (!has_open(descriptor, what)) continue;
            if (!S_ISBLK(what.st_mode) && !open_for_writing(process, descriptor)) continue;
            return fmt::format("is open{} in process {} ({})", S_ISBLK(what.st_mode) ? "" : " for writing",
                               number, os::read_text(process / "comm").value_or("?"));
        }
    }
    return std::nullopt;
}

}  // namespace assay::storage
