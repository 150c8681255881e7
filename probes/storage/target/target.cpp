#include "probes/storage/target/target.h"

#include <cerrno>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "probes/core/os/mounts.h"
#include "probes/core/os/sysfs.h"
#include "probes/core/os/text.h"

namespace assay::storage {
namespace {

constexpr std::uint64_t document_size_bytes = 10ULL << 30;  // --size=10G of the documents' fio job

[[noreturn]] void refuse(std::string_view where, const std::filesystem::path& path, std::string_view what) {
    throw InputError(fmt::format("{}: {} {}", where, path.string(), what));
}

void refuse_memory(std::string_view where, const Target& target) {
    if (!target.file_system.in_memory) return;
    refuse(
        where, target.path,
        fmt::format("is on {}, a file system in memory, which accepts direct I/O without a disk; accepted: a "
                    "place on a disk's file system",
                    target.file_system.type));
}

void find_device(Target& target, dev_t number) {
    target.device = os::block_device_of(number);
    if (!target.device) return;
    target.leaves = os::leaf_devices(*target.device);
    target.logical_block_bytes = os::logical_block_bytes(*target.device);
}

/// A loop device's file may lie in memory, and so may anything stacked upon one.
void refuse_loops_in_memory(std::string_view where, const Target& target) {
    for (const os::BlockDevice& device : target.leaves) {
        const std::optional<std::string> file = os::read_text(device.disk_folder / "loop/backing_file");
        if (!file) continue;
        std::error_code missing;
        if (!std::filesystem::exists(*file, missing)) continue;
        const os::FileSystem system = os::file_system_of(*file);
        if (system.in_memory) {
            refuse(where, target.path,
                   fmt::format(
                       "lies on {} whose file {} is on {}, a file system in memory; accepted: a real disk",
                       device.name, *file, system.type));
        }
    }
}

void look_at_named(std::string_view where, Target& target) {
    struct stat status {};
    if (::stat(target.path.c_str(), &status) != 0) {
        refuse(where, target.path,
               fmt::format("cannot be used: {}; accepted: an existing file, block device or folder, or auto",
                           std::strerror(errno)));
    }
    if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode)) {
        refuse(where, target.path,
               "is neither a file, a block device nor a folder; accepted: one of these, or auto");
    }
    const os::FileDescriptor file(::open(target.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file) {
        refuse(where, target.path,
               fmt::format("cannot be read: {}; accepted: a file or block device that this user may read",
                           std::strerror(errno)));
    }
    if (S_ISREG(status.st_mode)) {
        target.kind = Target::Kind::named_file;
        target.size_bytes = static_cast<std::uint64_t>(status.st_size);
        target.file_system = os::file_system_of(target.path);
        refuse_memory(where, target);
        find_device(target, status.st_dev);
    } else {
        target.kind = Target::Kind::named_device;
        unsigned long long bytes = 0;
        if (::ioctl(file.get(), BLKGETSIZE64, &bytes) != 0) {
            refuse(where, target.path, fmt::format("does not tell its size: {}", std::strerror(errno)));
        }
        if (bytes == 0) {
            refuse(
                where, target.path,
                "has no bytes, since nothing is behind it (a loop device without its file, a drive without "
                "its medium); accepted: a device with something in it");
        }
        target.size_bytes = bytes;
        find_device(target, status.st_rdev);
    }
    refuse_loops_in_memory(where, target);
    const os::FileDescriptor direct(::open(target.path.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
    if (!direct) {
        refuse(where, target.path, fmt::format("does not take direct I/O: {}", std::strerror(errno)));
    }
}

bool is_the_same(const std::filesystem::path& one, const std::filesystem::path& other) {
    struct stat first {};
    struct stat second {};
    if (one == other) return true;
    if (::stat(one.c_str(), &first) != 0 || ::stat(other.c_str(), &second) != 0) return false;
    if (S_ISBLK(first.st_mode) && S_ISBLK(second.st_mode)) return first.st_rdev == second.st_rdev;
    return first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

/// "a,b" names two, unless there is a file of just that name.
std::vector<std::filesystem::path> paths_in(const std::string& text) {
    std::error_code missing;
    if (std::filesystem::exists(text, missing)) return {text};
    std::vector<std::filesystem::path> paths;
    for (const std::string_view part : os::split(text, ',')) paths.emplace_back(part);
    return paths;
}

void look_at_scratch(std::string_view where, Target& target) {
    struct stat status {};
    if (::stat(target.path.c_str(), &status) != 0) {
        refuse(where, target.path,
               fmt::format("cannot hold the scratch file: {}; accepted: an existing folder on a disk",
                           std::strerror(errno)));
    }
    if (!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode)) {
        refuse(where, target.path, "cannot hold the scratch file; accepted: an existing folder on a disk");
    }
    target.kind = S_ISDIR(status.st_mode) ? Target::Kind::scratch_folder : Target::Kind::shared_scratch;
    target.size_bytes = S_ISREG(status.st_mode) ? static_cast<std::uint64_t>(status.st_size) : 0;
    target.file_system = os::file_system_of(target.path);
    refuse_memory(where, target);
    if (target.file_system.read_only || ::access(target.path.c_str(), W_OK) != 0) {
        refuse(where, target.path,
               "is read-only for this user; accepted: a folder in which files can be made");
    }
    find_device(target, status.st_dev);
    refuse_loops_in_memory(where, target);
}

void describe_file_system(const Target& target, std::map<std::string, std::string>& facts) {
    facts["file_system"] = target.file_system.type;
    const std::optional<os::Mount> mount = os::mount_of(target.path);
    if (!mount) return;
    facts["mount"] = mount->point;
    facts["mount_type"] = mount->type;  // says more than the magic number: nfs4, fuse.glusterfs
    facts["mount_source"] = mount->source;
    facts["mount_options"] = mount->options;
}

}  // namespace

std::vector<Target> look_at_targets(std::string_view probe, const Case& the_case, const Context& context) {
    if (the_case.is_auto("target")) {
        Target target;
        target.path = context.scratch.empty() ? std::filesystem::current_path() : context.scratch;
        look_at_scratch(fmt::format("{}: scratch folder", probe), target);
        return {target};
    }
    const std::string where = fmt::format("{}.target", probe);
    std::vector<Target> targets;
    for (const std::filesystem::path& path : paths_in(the_case.text("target"))) {
        for (const Target& other : targets) {
            if (!is_the_same(other.path, path)) continue;
            refuse(
                where, path,
                fmt::format("is named twice, first as {}; accepted: different targets", other.path.string()));
        }
        Target target;
        target.path = path;
        std::error_code missing;
        if (std::filesystem::is_directory(path, missing)) {
            look_at_scratch(where, target);
        } else {
            look_at_named(where, target);
        }
        targets.push_back(std::move(target));
    }
    if (targets.empty()) {
        throw InputError(
            fmt::format("{}: names nothing; accepted: a file, block device or folder, or auto", where));
    }
    return targets;
}

Target look_at_target(std::string_view probe, const Case& the_case, const Context& context) {
    std::vector<Target> targets = look_at_targets(probe, the_case, context);
    if (targets.size() > 1) {
        throw InputError(fmt::format("{}.target: names {} targets; accepted: one", probe, targets.size()));
    }
    return std::move(targets.front());
}

std::uint64_t span_bytes(std::string_view probe, const Case& the_case, const Target& target) {
    if (the_case.is_auto("size")) return target.is_scratch() ? document_size_bytes : target.size_bytes;
    const std::uint64_t size = the_case.bytes("size");
    if (!target.is_scratch() && size > target.size_bytes) {
        throw InputError(fmt::format("{}.size: {} bytes are more than {} has; accepted: up to {}, or auto",
                                     probe, size, target.path.string(), target.size_bytes));
    }
    return size;
}

std::map<std::string, std::string> describe(const Target& target) {
    std::map<std::string, std::string> facts;
    facts["target"] = target.is_scratch() ? "scratch file" : target.path.string();
    facts["cpu_governor"] =
        os::read_text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").value_or("not told");
    if (!target.file_system.type.empty()) describe_file_system(target, facts);
    if (target.device) {
        facts["block_device"] = target.device->name;
        facts["logical_block_bytes"] = fmt::format("{}", target.logical_block_bytes);
        for (const os::BlockDevice& leaf : target.leaves) {
            const std::string of_leaf = target.leaves.size() == 1 ? "" : leaf.disk + "_";
            for (const auto& [name, value] : os::queue_settings(leaf)) {
                facts[fmt::format("queue_{}{}", of_leaf, name)] = value;
            }
            for (const auto& [name, value] : os::device_facts(leaf)) {
                facts[fmt::format("device_{}{}", of_leaf, name)] = value;
            }
        }
    }
    return facts;
}

std::optional<double> share_of_device(const Target& target, std::uint64_t span_bytes) {
    std::map<std::string, std::uint64_t> disks;  // two partitions of a disk are one disk
    for (const os::BlockDevice& leaf : target.leaves) {
        const std::optional<std::uint64_t> bytes = os::disk_bytes(leaf);
        if (!bytes) return std::nullopt;
        disks[leaf.disk] = *bytes;
    }
    if (disks.empty()) return std::nullopt;
    std::uint64_t whole = 0;
    for (const auto& [disk, bytes] : disks) whole += bytes;
    return static_cast<double>(span_bytes) / static_cast<double>(whole);
}

}  // namespace assay::storage
