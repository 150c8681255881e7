// Who uses a device or file, on a machine that is made up: what this one does not have can be told as well.

#include "probes/storage/target/occupancy.h"

#include <filesystem>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/probes/inventory/fake_root.h"
#include "tests/probes/storage/target/loop_device.h"

namespace assay::storage {
namespace {

using testing::AllOf;
using testing::HasSubstr;

struct stat device(unsigned high, unsigned low) {
    struct stat what {};
    what.st_mode = S_IFBLK;
    what.st_rdev = makedev(high, low);
    return what;
}

/// A disk nvme0n1 (259:0) with the partitions p1 (259:1) and p2 (259:2), and one nvme1n1 (259:3) without.
class Occupancy : public testing::Test {
  protected:
    Occupancy() {
        disk("nvme0n1", "259:0");
        partition("nvme0n1p1", "259:1");
        partition("nvme0n1p2", "259:2");
        disk("nvme1n1", "259:3");
    }
    void disk(const std::string& name, const std::string& number) {
        root_.write("sys/devices/" + name + "/dev", number);
        root_.folder("sys/devices/" + name + "/holders");
        root_.link("sys/dev/block/" + number, "sys/devices/" + name);
        root_.link("sys/block/" + name, "sys/devices/" + name);
    }
    void partition(const std::string& name, const std::string& number) {
        const std::string folder = "sys/devices/nvme0n1/" + name;
        root_.write(folder + "/partition", name.substr(name.size() - 1));
        root_.write(folder + "/dev", number);
        root_.folder(folder + "/holders");
        root_.link("sys/dev/block/" + number, folder);
    }
    void mount(const std::string& number, const std::string& source) {
        root_.write("proc/self/mountinfo", "1 0 0:7 / / rw - overlay overlay rw\n2 1 " + number +
                                               " / /data rw - ext4 " + source + " rw");
    }
    SystemRoots roots() const { return {root_.path() / "proc", root_.path() / "sys"}; }

    inventory::FakeRoot root_;
    const struct stat disk_ = device(259, 0), first_ = device(259, 1), second_ = device(259, 2),
                      other_ = device(259, 3);
};

TEST_F(Occupancy, IsNothingOnAFreeDisk) {
    for (const auto& look :
         {mounted, partitioned, held_by_stack, swapped_to, backs_loop, read_only_device, open_elsewhere}) {
        EXPECT_EQ(look(other_, roots()), std::nullopt);
    }
    EXPECT_EQ(mounted(second_, roots()), std::nullopt);
    EXPECT_EQ(partitioned(second_, roots()), std::nullopt);
}

TEST_F(Occupancy, AMountCountsForThePartitionAndItsDiskAndNotForItsNeighbour) {
    mount("259:1", "/dev/nvme0n1p1");
    EXPECT_THAT(mounted(first_, roots()).value_or(""), HasSubstr("is mounted at /data"));
    EXPECT_THAT(mounted(disk_, roots()).value_or(""), HasSubstr("is mounted at /data"));
    EXPECT_EQ(mounted(second_, roots()), std::nullopt);
    EXPECT_EQ(mounted(other_, roots()), std::nullopt);
}

TEST_F(Occupancy, AMountOfTheWholeDiskCountsForItsPartitions) {
    mount("259:0", "/dev/nvme0n1");
    EXPECT_TRUE(mounted(second_, roots()));
}

TEST_F(Occupancy, AMountWithAMadeUpNumberIsToldByItsSource) {
    struct stat null_loop {};
    if (::stat("/dev/loop0", &null_loop) != 0) GTEST_SKIP() << "no block device node to name";
    mount("0:99", "/dev/loop0");
    EXPECT_THAT(mounted(null_loop, roots()).value_or(""), HasSubstr("/dev/loop0"));
    EXPECT_EQ(mounted(other_, roots()), std::nullopt);
}

TEST_F(Occupancy, PartitionsAreNamed) {
    EXPECT_THAT(partitioned(disk_, roots()).value_or(""), AllOf(HasSubstr("nvme0n1p1"), HasSubstr("1 more")));
}

TEST_F(Occupancy, RaidAndVolumesHoldTheirDisks) {
    root_.link("sys/devices/nvme1n1/holders/md0", "sys/devices/md0");
    EXPECT_EQ(held_by_stack(other_, roots()), "is part of the RAID md0");
    root_.remove("sys/devices/nvme1n1/holders/md0");
    root_.write("sys/devices/dm-3/dm/name", "vg0-data");
    root_.link("sys/devices/nvme1n1/holders/dm-3", "sys/devices/dm-3");
    EXPECT_EQ(held_by_stack(other_, roots()), "is part of dm-3 (vg0-data)");
}

TEST_F(Occupancy, WhatHoldsAPartitionHoldsItsDiskAndWhatHoldsTheDiskHoldsEveryPartition) {
    root_.link("sys/devices/nvme0n1/nvme0n1p1/holders/bcache0", "sys/devices/bcache0");
    EXPECT_TRUE(held_by_stack(first_, roots()));
    EXPECT_TRUE(held_by_stack(disk_, roots()));
    EXPECT_FALSE(held_by_stack(second_, roots()));
    root_.remove("sys/devices/nvme0n1/nvme0n1p1/holders/bcache0");
    root_.link("sys/devices/nvme0n1/holders/md1", "sys/devices/md1");
    EXPECT_TRUE(held_by_stack(second_, roots()));
}

TEST_F(Occupancy, ReadOnlyIsTheDisksOrThePartitions) {
    root_.write("sys/devices/nvme0n1/ro", "1");
    EXPECT_EQ(read_only_device(second_, roots()), "is read-only");
    root_.write("sys/devices/nvme1n1/ro", "0");
    EXPECT_EQ(read_only_device(other_, roots()), std::nullopt);
}

TEST_F(Occupancy, SwapSpaceIsToldByFileAndByDevice) {
    root_.write("swap file", "x");
    const std::string file = (root_.path() / "swap file").string();
    std::string escaped = file;
    escaped.replace(escaped.find(' '), 1, "\\040");
    root_.write("proc/swaps",
                "Filename\t\t\t\tType\t\tSize\n" + escaped + "                 file\t\t8\t0\t-2");
    struct stat what {};
    ASSERT_EQ(::stat(file.c_str(), &what), 0);
    EXPECT_THAT(swapped_to(what, roots()).value_or(""), HasSubstr("swap space in use"));
    root_.write("another", "x");
    ASSERT_EQ(::stat((root_.path() / "another").c_str(), &what), 0);
    EXPECT_EQ(swapped_to(what, roots()), std::nullopt);
    if (::stat("/dev/loop0", &what) != 0) return;
    root_.write("proc/swaps", "Filename Type\n/dev/loop0\tpartition\t8\t0\t-2");
    EXPECT_TRUE(swapped_to(what, roots()));
    EXPECT_FALSE(swapped_to(other_, roots()));
}

TEST_F(Occupancy, AProcessThatHasItOpenIsNamed) {
    root_.write("file", "x");
    root_.write("proc/123/comm", "postgres");
    root_.write("proc/123/fdinfo/4", "pos:\t0\nflags:\t0100002\nmnt_id:\t27");
    root_.folder("proc/123/fd");
    root_.folder("proc/notaprocess/fd");
    const std::filesystem::path link = root_.path() / "proc/123/fd/4";
    std::filesystem::create_symlink(root_.path() / "file", link);
    struct stat what {};
    ASSERT_EQ(::stat((root_.path() / "file").c_str(), &what), 0);
    EXPECT_EQ(open_elsewhere(what, roots()), "is open for writing in process 123 (postgres)");
    root_.write("proc/123/fdinfo/4", "pos:\t0\nflags:\t0100000\nmnt_id:\t27");
    EXPECT_EQ(open_elsewhere(what, roots()), std::nullopt) << "who reads a file does no harm";
    if (::stat("/dev/loop0", &what) != 0) return;
    std::filesystem::remove(link);
    std::filesystem::create_symlink("/dev/loop0", link);
    EXPECT_EQ(open_elsewhere(what, roots()), "is open in process 123 (postgres)")
        << "of a device a reader counts as well";
    std::filesystem::rename(root_.path() / "proc/123", root_.path() / fmt::format("proc/{}", ::getpid()));
    EXPECT_EQ(open_elsewhere(what, roots()), std::nullopt) << "the own process does not count";
}

struct Content {
    std::uint64_t offset;
    std::string bytes;
    std::string said;
};

std::optional<std::string> said_of(const DiskFolder& folder, const Content& content, char filling) {
    std::string disk(1 << 20, filling);
    disk.replace(content.offset, content.bytes.size(), content.bytes);
    const os::FileDescriptor file = os::open_file(folder.write("disk", disk), O_RDONLY);
    return content_in_use(file.get(), disk.size());
}

TEST(ContentInUse, TellsWhatADeviceIsAPartOfThoughNothingIsSwitchedOn) {
    using namespace std::string_literals;
    const DiskFolder folder;
    const std::string one_entry =
        "\x80\0\0\0\x83\0\0\0\0\x08\0\0\0\x10\0\0"s + std::string(48, '\0') + "\x55\xaa";
    const std::string raid = "\xfc\x4e\x2b\xa9";
    const std::vector<Content> contents = {
        {446, one_entry, "partition table (MBR)"},
        {512, "EFI PART", "partition table (GPT)"},
        {4096, "EFI PART", "partition table (GPT)"},
        {4096, raid, "Linux RAID"},
        {0, raid, "Linux RAID"},
        {(1 << 20) - 8192, raid, "Linux RAID"},
        {(1 << 20) - 65536, raid, "Linux RAID"},
        {512, "LABELONE", "LVM"},
        {4086, "SWAPSPACE2", "swap"},
        {(128 << 10) + 4096, "\x0c\xb1\xba\0\0\0\0\0"s, "ZFS"},
    };
    for (const Content& content : contents) {
        EXPECT_THAT(said_of(folder, content, '\0').value_or("nothing"), HasSubstr(content.said));
    }
    EXPECT_EQ(said_of(folder, {0, "", ""}, '\0'), std::nullopt);
    EXPECT_EQ(said_of(folder, {0, "", ""}, 'x'), std::nullopt);
    // The start of FAT, whose mark at the end of the sector is the partition table's.
    EXPECT_EQ(said_of(folder, {510, "\x55\xaa", ""}, 'x'), std::nullopt);
    EXPECT_EQ(said_of(folder, {510, "\x55\xaa", ""}, '\0'), std::nullopt);
    const os::FileDescriptor empty = os::open_file(folder.write("empty", ""), O_RDONLY);
    EXPECT_EQ(content_in_use(empty.get(), 0), std::nullopt);
}

}  // namespace
}  // namespace assay::storage
