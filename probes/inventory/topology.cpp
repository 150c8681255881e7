#include <array>
#include <cstdlib>
#include <memory>
#include <type_traits>

#include <hwloc.h>

#include "probes/core/os/sysfs.h"
#include "probes/inventory/tree.h"

namespace assay::inventory {
namespace {

namespace fs = std::filesystem;

struct DestroyTopology {
    void operator()(hwloc_topology_t topology) const { hwloc_topology_destroy(topology); }
};
using TopologyOwner = std::unique_ptr<std::remove_pointer_t<hwloc_topology_t>, DestroyTopology>;

/// hwloc takes another root only from the environment, so it is set for as long as the tree is read.
class OtherRoot {
  public:
    explicit OtherRoot(const fs::path& root) : set_(root != "/") {
        if (set_) ::setenv("HWLOC_FSROOT", root.c_str(), 1);
    }
    ~OtherRoot() {
        if (set_) ::unsetenv("HWLOC_FSROOT");
    }
    OtherRoot(const OtherRoot&) = delete;
    OtherRoot& operator=(const OtherRoot&) = delete;

  private:
    bool set_;
};

/// Objects of a type; nothing when hwloc found none, since a machine without a core is one it cannot see
/// into.
std::optional<int> count_of(hwloc_topology_t topology, hwloc_obj_type_t type) {
    const int count = hwloc_get_nbobjs_by_type(topology, type);
    if (count <= 0) return std::nullopt;
    return count;
}

std::string list_of(hwloc_const_bitmap_t set) {
    std::string list;
    int first = hwloc_bitmap_first(set);
    while (first >= 0) {
        int last = first;
        while (hwloc_bitmap_isset(set, static_cast<unsigned>(last) + 1) != 0) ++last;
        if (!list.empty()) list += ',';
        list += std::to_string(first);
        if (last > first) list += '-' + std::to_string(last);
        first = hwloc_bitmap_next(set, last);
    }
    return list;
}

}  // namespace

Topology gather_topology(const fs::path& root) {
    // Without this folder hwloc falls back to counting the running machine's CPUs, which would be a guess.
    if (names_in(root / "sys/devices/system/cpu/cpu0/topology").empty()) return {};
    // hwloc stops the whole program at a list that it cannot read.
    for (const char* list : {"sys/devices/system/cpu/online", "sys/devices/system/node/online"}) {
        const std::optional<std::string> text = os::read_text(root / list);
        if (text && !count_of_list(*text)) return {};
    }

    const OtherRoot other(root);
    hwloc_topology_t handle = nullptr;
    if (hwloc_topology_init(&handle) != 0) return {};
    const TopologyOwner owner(handle);
    // Disallowed CPUs and nodes belong to the machine too: what a container may use is told apart from it.
    hwloc_topology_set_flags(handle, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED);
    hwloc_topology_set_icache_types_filter(handle, HWLOC_TYPE_FILTER_KEEP_ALL);
    if (hwloc_topology_load(handle) != 0) return {};

    Topology topology;
    topology.sockets = count_of(handle, HWLOC_OBJ_PACKAGE);
    topology.cores = count_of(handle, HWLOC_OBJ_CORE);
    topology.threads = count_of(handle, HWLOC_OBJ_PU);
    for (hwloc_obj_t node = nullptr;
         (node = hwloc_get_next_obj_by_type(handle, HWLOC_OBJ_NUMANODE, node)) != nullptr;) {
        topology.numa.push_back(
            {static_cast<int>(node->os_index), list_of(node->cpuset), node->attr->numanode.local_memory});
    }
    static constexpr std::array<std::pair<hwloc_obj_type_t, const char*>, 6> levels = {
        {{HWLOC_OBJ_L1CACHE, "L1d"},
         {HWLOC_OBJ_L1ICACHE, "L1i"},
         {HWLOC_OBJ_L2CACHE, "L2"},
         {HWLOC_OBJ_L3CACHE, "L3"},
         {HWLOC_OBJ_L4CACHE, "L4"},
         {HWLOC_OBJ_L5CACHE, "L5"}}};
    for (const auto& [type, name] : levels) {
        const std::optional<int> count = count_of(handle, type);
        if (!count) continue;
        const hwloc_obj_t first = hwloc_get_obj_by_type(handle, type, 0);
        if (first->attr->cache.size > 0) topology.caches.push_back({name, first->attr->cache.size, *count});
    }
    return topology;
}

}  // namespace assay::inventory
