// What stands beside a storage figure.

#include <filesystem>
#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/core/os/mounts.h"
#include "probes/storage/target/target.h"
#include "tests/probes/inventory/fake_root.h"

namespace assay::storage {
namespace {

using testing::Contains;
using testing::Key;

TEST(Describe, NamesTheMountInWhichTheTargetLies) {
    const std::filesystem::path here = std::filesystem::current_path();
    Target target;
    target.kind = Target::Kind::scratch_folder;
    target.path = here;
    target.file_system = os::file_system_of(here);
    const std::optional<os::Mount> mount = os::mount_of(here);
    ASSERT_TRUE(mount);
    const std::map<std::string, std::string> facts = describe(target);
    EXPECT_EQ(facts.at("mount"), mount->point);
    EXPECT_EQ(facts.at("mount_source"), mount->source);
    EXPECT_EQ(facts.at("mount_type"), mount->type);
    EXPECT_EQ(facts.at("mount_options"), mount->options);
    EXPECT_THAT(facts, Contains(Key("cpu_governor")));
}

TEST(Describe, ADeviceOnItsOwnHasNoMount) {
    Target target;
    target.kind = Target::Kind::named_device;
    target.path = "/dev/nvme0n1";
    EXPECT_FALSE(describe(target).contains("mount"));
    EXPECT_EQ(describe(target).at("target"), "/dev/nvme0n1");
}

TEST(ShareOfDevice, IsOfTheWholeDisksUnderTheTarget) {
    const inventory::FakeRoot root;
    root.write("a/size", "2048");
    root.write("a/a1/size", "1024");
    root.write("b/size", "6144");
    const std::filesystem::path& sys = root.path();
    Target target;
    EXPECT_FALSE(share_of_device(target, 1)) << "no disk is known";
    target.leaves = {{"a1", "a", sys / "a/a1", sys / "a"}};
    EXPECT_DOUBLE_EQ(share_of_device(target, 512 * 1024).value_or(0), 0.5) << "a partition is not the disk";
    target.leaves.push_back({"a2", "a", sys / "a/a2", sys / "a"});
    EXPECT_DOUBLE_EQ(share_of_device(target, 512 * 1024).value_or(0), 0.5) << "a disk counts once";
    target.leaves.push_back({"b", "b", sys / "b", sys / "b"});
    EXPECT_DOUBLE_EQ(share_of_device(target, 512 * 1024).value_or(0), 0.125);
    target.leaves.push_back({"c", "c", sys / "c", sys / "c"});
    EXPECT_FALSE(share_of_device(target, 1)) << "one disk does not tell its size";
}

}  // namespace
}  // namespace assay::storage
