#pragma once

#include <optional>
#include <string>
#include <vector>

namespace assay {

/// What is published of a processor model's memory, each figure of one socket (catalogue data, with sources).
struct CpuModelFacts {
    std::string name;                ///< "epyc-7543"
    std::vector<std::string> match;  ///< parts of the model name in /proc/cpuinfo that end with a word
    int memory_channels = 0;         ///< of 64 data bits
    double memory_transfers_per_second = 0;  ///< the fastest that the CPU is specified for
    int sockets_at_most = 0;
    std::string sources;
};

/// Processors that the catalogue knows, and which share of the theoretical bandwidth is reached in practice.
struct CpuFacts {
    std::vector<CpuModelFacts> models;
    double attainable_share_low = 0;   ///< 0..1, of a machine with every channel populated
    double attainable_share_high = 0;  ///< 0..1
    std::string attainable_source;
};

/// The model that the name in /proc/cpuinfo is; null when the catalogue has none, or more than one.
const CpuModelFacts* find_cpu_model(const CpuFacts& facts, const std::string& model_name);

}  // namespace assay
