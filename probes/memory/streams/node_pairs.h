#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/device/numa.h"

namespace assay {

/// Threads on one NUMA node, memory on one.
struct NodePair {
    int cpu_node = 0;
    std::vector<int> cpus;  ///< those of the node that the process may use
    int memory_node = 0;
    std::uint64_t memory_free_bytes = 0;  ///< of the memory node; 0: not told
};
struct NodePairs {
    std::vector<NodePair> pairs;
    std::vector<std::string> left_out;  ///< a sentence for each node without (allowed) CPUs or memory
};
/// Every node with allowed CPUs beside every node with allowed memory; no pairs where there is one of each:
/// that is the whole machine.
NodePairs node_pairs(const std::vector<NumaNode>& nodes, const std::vector<int>& allowed_cpus);

}  // namespace assay
