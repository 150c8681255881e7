#include "kernels/device/device.h"

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/cpu/affinity.h"
#include "kernels/cpu/caches.h"
#include "kernels/cpu/thread_team.h"
#include "kernels/device/memory_limit.h"
#include "kernels/device/pages.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

/// A made-up /proc and /sys, removed with it.
class FakeRoot {
  public:
    FakeRoot() {
        std::string name = (fs::temp_directory_path() / "assay-root-XXXXXX").string();
        if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
        path_ = name;
    }
    ~FakeRoot() { fs::remove_all(path_); }
    FakeRoot(const FakeRoot&) = delete;
    FakeRoot& operator=(const FakeRoot&) = delete;

    FakeRoot& put(const std::string& file, const std::string& text) {
        fs::create_directories((path_ / file).parent_path());
        std::ofstream(path_ / file) << text;
        return *this;
    }
    const fs::path& path() const { return path_; }

  private:
    fs::path path_;
};

constexpr const char* ten_gib = "MemTotal:       16777216 kB\nMemFree:  1 kB\nMemAvailable:   10485760 kB\n";
constexpr std::uint64_t gib = std::uint64_t{1} << 30;

std::unique_ptr<Device> cpu() {
    return std::get<std::unique_ptr<Device>>(open_device("cpu:0"));
}

TEST(CpusByCore, AreOneOfEachCoreFirstAlsoWhereSomeMayNotBeUsed) {
    FakeRoot root;
    for (const int cpu : {0, 1, 2, 64, 65, 66})
        root.put("sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/thread_siblings_list",
                 std::to_string(cpu % 64) + "," + std::to_string(cpu % 64 + 64) + "\n");
    EXPECT_EQ(kernels::ordered_by_core({0, 1, 2, 64, 65, 66}, root.path()),
              (std::vector<int>{0, 1, 2, 64, 65, 66}));
    EXPECT_EQ(kernels::ordered_by_core({0, 64, 65}, root.path()), (std::vector<int>{0, 65, 64}));
    EXPECT_EQ(kernels::ordered_by_core({3, 200}, root.path()), (std::vector<int>{3, 200}));
}

TEST(UsableMemory, IsWhatTheSystemHasAvailableWithoutCgroups) {
    FakeRoot root;
    EXPECT_EQ(usable_memory_bytes(root.path()), 0u) << "nothing can be read";
    root.put("proc/meminfo", ten_gib);
    EXPECT_EQ(usable_memory_bytes(root.path()), 10 * gib);
}

TEST(UsableMemory, IsWhatACgroupOfVersion2LeavesItsPageCacheNotCounted) {
    FakeRoot root;
    root.put("proc/meminfo", ten_gib)
        .put("proc/self/cgroup", "0::/box/inner\n")
        .put("sys/fs/cgroup/box/inner/memory.max", "4294967296\n")
        .put("sys/fs/cgroup/box/inner/memory.current", "2147483648\n")
        .put("sys/fs/cgroup/box/inner/memory.stat", "anon 1073741824\ninactive_file 1073741824\n");
    EXPECT_EQ(usable_memory_bytes(root.path()), 3 * gib);
    root.put("sys/fs/cgroup/box/memory.max", "3221225472\n")
        .put("sys/fs/cgroup/box/memory.current", "1073741824\n");
    EXPECT_EQ(usable_memory_bytes(root.path()), 2 * gib) << "a parent's limit counts too";
    root.put("sys/fs/cgroup/box/inner/memory.max", "max\n").put("sys/fs/cgroup/box/memory.max", "max\n");
    EXPECT_EQ(usable_memory_bytes(root.path()), 10 * gib);
}

TEST(UsableMemory, IsNextToNothingNotUnlimitedWhenACgroupIsOverItsLimit) {
    FakeRoot root;
    root.put("proc/meminfo", ten_gib)
        .put("proc/self/cgroup", "0::/\n")
        .put("sys/fs/cgroup/memory.max", "1073741824\n")
        .put("sys/fs/cgroup/memory.current", "2147483648\n");
    EXPECT_EQ(usable_memory_bytes(root.path()), 1u) << "0 would be no limit at all";
}

TEST(UsableMemory, IsWhatACgroupOfVersion1Leaves) {
    FakeRoot root;
    root.put("proc/meminfo", ten_gib)
        .put("proc/self/cgroup", "9:cpu,cpuacct:/x\n4:memory:/docker/0123\n0::/elsewhere\n")
        .put("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    EXPECT_EQ(usable_memory_bytes(root.path()), 10 * gib) << "the largest number means no limit";
    root.put("sys/fs/cgroup/memory/docker/0123/memory.limit_in_bytes", "6442450944\n")
        .put("sys/fs/cgroup/memory/docker/0123/memory.usage_in_bytes", "2147483648\n")
        .put("sys/fs/cgroup/memory/docker/0123/memory.stat",
             "inactive_file 1\ntotal_inactive_file 1073741824\n");
    EXPECT_EQ(usable_memory_bytes(root.path()), 5 * gib);
}

TEST(UsableMemory, FindsTheContainersLimitAtTheMountWhenItsPathIsTheHosts) {
    FakeRoot root;
    root.put("proc/meminfo", ten_gib)
        .put("proc/self/cgroup", "0::/system.slice/docker-0123.scope\n")
        .put("sys/fs/cgroup/memory.max", "2147483648\n")
        .put("sys/fs/cgroup/memory.current", "0\n");
    EXPECT_EQ(usable_memory_bytes(root.path()), 2 * gib);
}

TEST(LastLevelCaches, AreSummedOnceForAllCpusThatShareThem) {
    FakeRoot root;
    for (const int cpu : {0, 1, 2, 3}) {
        const std::string cache = "sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/cache/";
        root.put(cache + "index0/level", "1\n")
            .put(cache + "index0/type", "Data\n")
            .put(cache + "index0/size", "48K\n")
            .put(cache + "index0/shared_cpu_list", std::to_string(cpu) + "\n");
        root.put(cache + "index1/level", "3\n")
            .put(cache + "index1/type", "Unified\n")
            .put(cache + "index1/size", "32768K\n")
            .put(cache + "index1/shared_cpu_list", cpu < 2 ? "0-1\n" : "2-3\n");
    }
    root.put("sys/devices/system/cpu/cpufreq/cache/index0/level", "9\n");
    EXPECT_EQ(kernels::last_level_cache_bytes(root.path()), std::uint64_t{64} << 20);
}

TEST(LastLevelCaches, OfAMachineThatTellsNothingAreZero) {
    FakeRoot root;
    EXPECT_EQ(kernels::last_level_cache_bytes(root.path()), 0u);
    fs::create_directories(root.path() / "sys/devices/system/cpu/cpu0");
    EXPECT_EQ(kernels::last_level_cache_bytes(root.path()), 0u);
}

TEST(DataCaches, OfACpuAreItsOwnWithTheSmallestFirst) {
    FakeRoot root;
    const auto put = [&](int cpu, int index, const char* level, const char* type, const char* size) {
        const std::string folder =
            "sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/cache/index" + std::to_string(index) + "/";
        root.put(folder + "level", level).put(folder + "type", type).put(folder + "size", size);
        root.put(folder + "coherency_line_size", "64\n");
    };
    put(3, 0, "3\n", "Unified\n", "32768K\n");
    put(3, 1, "1\n", "Data\n", "32K\n");
    put(3, 2, "1\n", "Instruction\n", "64K\n");
    put(3, 3, "2\n", "Unified\n", "1M\n");
    put(4, 0, "1\n", "Data\n", "48K\n");
    const std::vector<kernels::DataCache> caches = kernels::data_caches_of(3, root.path());
    ASSERT_EQ(caches.size(), 3u);
    EXPECT_EQ(caches[0].bytes, 32u << 10);
    EXPECT_EQ(caches[0].level, 1);
    EXPECT_EQ(caches[0].line_bytes, 64u);
    EXPECT_EQ(caches[1].bytes, 1u << 20);
    EXPECT_EQ(caches[2].level, 3);
    EXPECT_TRUE(kernels::data_caches_of(5, root.path()).empty());
}

TEST(HugePageShare, CountsPagesReservedBeforehandWhichAreNotResident) {
    FakeRoot root;
    root.put("smaps",
             "200000-600000 rw-p 00000000 00:0f 7 /anon_hugepage (deleted)\nSize: 4096 kB\n"
             "KernelPageSize: 2048 kB\nRss: 0 kB\nAnonHugePages: 0 kB\nPrivate_Hugetlb: 4096 kB\n");
    EXPECT_DOUBLE_EQ(
        huge_page_share(reinterpret_cast<void*>(0x200000), 0x400000, root.path() / "smaps").value(), 1);
}

TEST(HugePageShare, IsOfTheMappingsAskedForAlone) {
    FakeRoot root;
    root.put("smaps",
             "1000-5000 rw-p 00000000 00:00 0 \nRss: 16 kB\nAnonHugePages: 0 kB\n"
             "200000-600000 rw-p 00000000 00:00 0 \nSize: 4096 kB\nRss: 4096 kB\nAnonHugePages: 2048 kB\n"
             "600000-800000 rw-p 00000000 00:00 0 [heap]\nRss: 2048 kB\nAnonHugePages: 2048 kB\n");
    const fs::path smaps = root.path() / "smaps";
    EXPECT_DOUBLE_EQ(huge_page_share(reinterpret_cast<void*>(0x200000), 0x400000, smaps).value(), 0.5);
    EXPECT_DOUBLE_EQ(huge_page_share(reinterpret_cast<void*>(0x200000), 0x600000, smaps).value(), 4.0 / 6);
    EXPECT_DOUBLE_EQ(huge_page_share(reinterpret_cast<void*>(0x1000), 0x10, smaps).value(), 0);
    EXPECT_FALSE(huge_page_share(reinterpret_cast<void*>(0x9000000), 1, smaps));
    EXPECT_FALSE(huge_page_share(reinterpret_cast<void*>(0x1000), 1, root.path() / "missing"));
}

TEST(Device, TheCpuIsThereAndSaysWhatItIs) {
    const std::vector<DeviceInfo> devices = survey_devices().devices;
    ASSERT_FALSE(devices.empty());
    EXPECT_EQ(devices[0].id, "cpu:0");
    EXPECT_EQ(devices[0].kind, "cpu");
    EXPECT_FALSE(devices[0].name.empty());
    EXPECT_EQ(devices[0].compute_units, kernels::allowed_cpus());
    EXPECT_GT(devices[0].memory_bytes, std::uint64_t{1} << 20);
    EXPECT_EQ(cpu()->info().id, "cpu:0");
}

TEST(Device, OthersAreAbsentWithAReason) {
    for (const char* id : {"cuda:99", "opencl:99", "cpu:1"}) {
        const std::variant<std::unique_ptr<Device>, Absent> opened = open_device(id);
        ASSERT_TRUE(std::holds_alternative<Absent>(opened)) << id;
        EXPECT_NE(std::get<Absent>(opened).reason.find(id), std::string::npos) << id;
    }
}

TEST(Device, AMalformedIdIsRefusedWithWhatWouldDo) {
    for (const char* id :
         {"", "cpu", "cpu:", "cpu:x", "cuda:-1", "tpu:0", "cpu:0 ", ":0", "cuda:99999999999"}) {
        try {
            (void)open_device(id);
            ADD_FAILURE() << "accepted '" << id << "'";
        } catch (const std::invalid_argument& error) {
            EXPECT_NE(std::string(error.what()).find("cpu:0"), std::string::npos);
        }
    }
}

TEST(Device, MemoryIsAlignedWritableAndAsLargeAsAskedFor) {
    const std::unique_ptr<Device> device = cpu();
    for (const bool huge : {false, true}) {
        for (const std::size_t bytes : {std::size_t{1}, std::size_t{4097}, std::size_t{5} << 20}) {
            const std::unique_ptr<DeviceMemory> memory = device->allocate(bytes, huge);
            EXPECT_EQ(memory->bytes(), bytes);
            EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory->host_pointer()) % 64, 0u);
            std::memset(memory->host_pointer(), 0x5a, bytes);
            EXPECT_EQ(memory->host_pointer()[bytes - 1], std::byte{0x5a});
            if (!huge) {
                EXPECT_EQ(memory->page_bytes(), static_cast<std::size_t>(sysconf(_SC_PAGESIZE)));
                EXPECT_EQ(huge_page_share(memory->host_pointer(), bytes).value_or(0), 0);
            }
        }
    }
}

TEST(Device, RefusesMoreMemoryThanThereIs) {
    const std::unique_ptr<Device> device = cpu();
    EXPECT_THROW(device->allocate(std::size_t{1} << 60, false), std::system_error);
    EXPECT_THROW(device->allocate(0, false), std::system_error);
}

}  // namespace
}  // namespace assay
