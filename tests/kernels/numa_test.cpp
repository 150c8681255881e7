#include "kernels/device/numa.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/device/pages.h"

namespace assay {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

class NumaNodes : public testing::Test {
  protected:
    NumaNodes() : root_(fs::path(testing::TempDir()) / "assay-numa-test") { fs::remove_all(root_); }
    ~NumaNodes() override { fs::remove_all(root_); }
    void write(const std::string& path, const std::string& text) {
        fs::create_directories((root_ / path).parent_path());
        std::ofstream(root_ / path) << text << '\n';
    }
    void node(const std::string& id, const std::string& cpus, const std::string& kib) {
        const std::string folder = "sys/devices/system/node/node" + id;
        write(folder + "/cpulist", cpus);
        write(folder + "/meminfo",
              "Node " + id + " MemTotal:       " + kib + " kB\nNode " + id + " MemFree: 1 kB");
    }
    fs::path root_;
};

TEST_F(NumaNodes, AreReadWithCpusMemoryAndWhatIsAllowed) {
    write("sys/devices/system/node/online", "0-1,4");
    node("0", "0-2,8", "1024");
    node("1", "3", "0");
    node("4", "", "2048");
    write("proc/self/status", "Name:\tassay\nMems_allowed_list:\t0-1");
    const std::vector<NumaNode> nodes = numa_nodes(root_);
    ASSERT_EQ(nodes.size(), 3u);
    EXPECT_THAT(nodes[0].cpus, ElementsAre(0, 1, 2, 8));
    EXPECT_EQ(nodes[0].memory_bytes, 1024u * 1024);
    EXPECT_TRUE(nodes[0].memory_allowed);
    EXPECT_EQ(nodes[1].memory_bytes, 0u);
    EXPECT_EQ(nodes[2].id, 4);
    EXPECT_THAT(nodes[2].cpus, IsEmpty());
    EXPECT_FALSE(nodes[2].memory_allowed);
}

TEST_F(NumaNodes, AreNoneWhereTheKernelKnowsNone) {
    EXPECT_THAT(numa_nodes(root_), IsEmpty());
}

TEST_F(NumaNodes, AreAllAllowedWhereTheSystemDoesNotTell) {
    write("sys/devices/system/node/online", "0");
    node("0", "0", "1024");
    EXPECT_TRUE(numa_nodes(root_).at(0).memory_allowed);
}

TEST_F(NumaNodes, HugePagesAreGivenAsTheSystemSays) {
    for (const auto& [text, given] : {std::pair("[always] madvise never", HugePages::unasked),
                                      {"always [madvise] never", HugePages::on_request},
                                      {"always madvise [never]", HugePages::none}}) {
        write("enabled", text);
        EXPECT_EQ(huge_pages_given(root_ / "enabled"), given) << text;
    }
    EXPECT_EQ(huge_pages_given(root_ / "absent"), HugePages::none);
}

TEST(NumaPage, LiesOnANodeOfTheMachineAndNowhereIsNoPage) {
    std::vector<char> touched(1 << 20, 'x');
    const std::optional<int> node = node_of_page(&touched[touched.size() / 2]);
    const std::vector<NumaNode> nodes = numa_nodes();
    if (node) {
        EXPECT_TRUE(std::any_of(nodes.begin(), nodes.end(), [&](const NumaNode& one) {
            return one.id == *node;
        })) << *node;
    }
    EXPECT_EQ(node_of_page(nullptr), std::nullopt);
}

}  // namespace
}  // namespace assay
