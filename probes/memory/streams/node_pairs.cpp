#include "probes/memory/streams/node_pairs.h"

#include <algorithm>

#include <fmt/format.h>

namespace assay {

namespace {

std::vector<int> shared_cpus(const std::vector<int>& node, const std::vector<int>& allowed) {
    std::vector<int> shared;
    for (const int cpu : node)
        if (std::find(allowed.begin(), allowed.end(), cpu) != allowed.end()) shared.push_back(cpu);
    return shared;
}

std::string without_cpus(const NumaNode& node) {
    return fmt::format("NUMA node {} has no CPU{}: it is measured as memory alone.", node.id,
                       node.cpus.empty() ? "" : " that this process may use");
}

std::string without_memory(const NumaNode& node) {
    return fmt::format("NUMA node {} has no memory{}: its CPUs are measured with the other nodes' memory.",
                       node.id, node.memory_bytes == 0 ? "" : " that this process may use");
}

}  // namespace

NodePairs node_pairs(const std::vector<NumaNode>& nodes, const std::vector<int>& allowed_cpus) {
    NodePairs result;
    if (nodes.size() < 2) return result;
    std::vector<NodePair> with_cpus;
    std::vector<const NumaNode*> with_memory;
    for (const NumaNode& node : nodes) {
        const std::vector<int> cpus = shared_cpus(node.cpus, allowed_cpus);
        const bool memory = node.memory_bytes != 0 && node.memory_allowed;
        if (!cpus.empty()) with_cpus.push_back({node.id, cpus});
        if (memory) with_memory.push_back(&node);
        if (cpus.empty() && !memory)
            result.left_out.push_back(fmt::format(
                "NUMA node {} has neither CPU nor memory that this process may use: left out.", node.id));
        else if (cpus.empty())
            result.left_out.push_back(without_cpus(node));
        else if (!memory)
            result.left_out.push_back(without_memory(node));
    }
    if (with_cpus.size() < 2 && with_memory.size() < 2) return result;
    for (NodePair pair : with_cpus)
        for (const NumaNode* const memory_node : with_memory) {
            pair.memory_node = memory_node->id;
            pair.memory_free_bytes = memory_node->free_bytes;
            result.pairs.push_back(pair);
        }
    return result;
}

}  // namespace assay
