#include "probes/core/os/mounts.h"

#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/core/os/scratch_file.h"
#include "probes/core/os/text.h"

namespace assay::os {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

// As Linux writes them.
constexpr const char* machine =
    R"(22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw,errors=remount-ro
60 27 259:7 / /data rw,noatime shared:2 master:9 - xfs /dev/mapper/vg0-data rw,attr2,inode64,logbufs=8
61 27 0:44 / /mnt/models rw,relatime - nfs4 10.0.0.7:/export/models rw,vers=4.2,rsize=1048576,nconnect=16,hard
62 27 0:45 / /mnt/ceph ro,relatime - ceph 10.0.0.8:6789,10.0.0.9:6789:/ rw,name=admin,secret=<hidden>,acl
63 27 0:46 / /var/lib/run/merged rw,relatime - overlay overlay rw,lowerdir=/l,upperdir=/u,workdir=/w
64 27 259:7 /models /srv/models rw,noatime - xfs /dev/mapper/vg0-data rw,attr2
65 27 8:17 / /mnt/my\040disk\134x rw - ext4 /dev/disk/by-label/my\040disk rw
66 60 0:50 / /data rw - tmpfs  rw,size=1k
nonsense
67 27 x:y / /broken rw - ext4 /dev/sdz rw
)";

const Mount& at(const std::vector<Mount>& mounts, const std::string& path) {
    const Mount* const mount = mount_above(mounts, path);
    if (mount == nullptr) throw std::runtime_error("no mount above " + path);
    return *mount;
}

TEST(Mounts, AreReadWithSourceTypeAndOptionsOfMountAndFileSystem) {
    const std::vector<Mount> mounts = parse_mountinfo(machine);
    ASSERT_THAT(mounts, SizeIs(9)) << "what is no mount is left out";
    const Mount& root = mounts[1];
    EXPECT_EQ(root.id, 27u);
    EXPECT_EQ(root.device, makedev(259, 2));
    EXPECT_EQ(root.point, "/");
    EXPECT_EQ(root.type, "ext4");
    EXPECT_EQ(root.source, "/dev/nvme0n1p2");
    EXPECT_EQ(root.options, "rw,relatime,errors=remount-ro");
    EXPECT_EQ(mounts[2].options, "rw,noatime,attr2,inode64,logbufs=8") << "optional fields are passed over";
}

TEST(Mounts, NameTheServerOfANetworkFileSystem) {
    const std::vector<Mount> mounts = parse_mountinfo(machine);
    const Mount& nfs = at(mounts, "/mnt/models/deepseek/weights");
    EXPECT_EQ(nfs.type, "nfs4");
    EXPECT_EQ(nfs.source, "10.0.0.7:/export/models");
    EXPECT_THAT(nfs.options, HasSubstr("nconnect=16,hard"));
    const Mount& ceph = at(mounts, "/mnt/ceph/a");
    EXPECT_EQ(ceph.type, "ceph");
    EXPECT_EQ(ceph.source, "10.0.0.8:6789,10.0.0.9:6789:/");
    EXPECT_EQ(ceph.options, "ro,relatime,name=admin,secret=<hidden>,acl")
        << "a read-only mount does not also say rw";
    EXPECT_EQ(at(mounts, "/var/lib/run/merged/x").type, "overlay");
}

TEST(Mounts, OfAPathIsTheDeepestWholeFolderAboveIt) {
    const std::vector<Mount> mounts = parse_mountinfo(machine);
    EXPECT_EQ(at(mounts, "/").point, "/");
    EXPECT_EQ(at(mounts, "/mnt/modelship").point, "/") << "not every path that begins alike";
    EXPECT_EQ(at(mounts, "/mnt/models").point, "/mnt/models");
    EXPECT_EQ(at(mounts, "/srv/models/a").root, "/models") << "a bind mount";
    EXPECT_EQ(at(mounts, "/data/a").type, "tmpfs") << "the later mount hides the earlier";
    EXPECT_EQ(at(mounts, "/data/a").source, "") << "a mount may have no source";
    EXPECT_EQ(mount_above(mounts, "relative"), nullptr);
    EXPECT_EQ(mount_above({}, "/"), nullptr);
}

TEST(Mounts, SpacesInNamesComeBack) {
    const std::vector<Mount> mounts = parse_mountinfo(machine);
    const Mount& spaced = at(mounts, "/mnt/my disk\\x/file");
    EXPECT_EQ(spaced.point, "/mnt/my disk\\x");
    EXPECT_EQ(spaced.source, "/dev/disk/by-label/my disk");
    EXPECT_EQ(unescape_octal(R"(a\040\011\012\134b)"), "a \t\n\\b");
    EXPECT_EQ(unescape_octal(R"(\08\9\04)"), R"(\08\9\04)") << "what is no escape stays";
}

TEST(Mounts, OfThisMachineAreFoundAlsoForAFileWithoutAName) {
    const std::filesystem::path here = std::filesystem::current_path();
    const std::optional<Mount> mount = mount_of(here);
    ASSERT_TRUE(mount);
    EXPECT_THAT(here.string(), testing::StartsWith(mount->point));
    struct stat status {};
    ASSERT_EQ(::stat(here.c_str(), &status), 0);
    if (major(status.st_dev) != 0) {
        EXPECT_EQ(mount->device, status.st_dev);
    }
    const FileDescriptor nameless = make_nameless_file(here);
    const std::optional<Mount> of_nameless = mount_of(path_of(nameless));
    ASSERT_TRUE(of_nameless);
    EXPECT_EQ(of_nameless->id, mount->id);
    EXPECT_THAT(mount_of("/proc/self/status")->type, "proc");
    EXPECT_FALSE(mount_of("/nonexistent/file"));
}

}  // namespace
}  // namespace assay::os
