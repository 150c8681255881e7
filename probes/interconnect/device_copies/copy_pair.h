#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "kernels/device/accelerator.h"
#include "probes/core/probe.h"
#include "probes/interconnect/device_copies/copy_route.h"
#include "probes/interconnect/device_copies/copy_timing.h"
#include "probes/interconnect/device_copies/link_record.h"
#include "probes/interconnect/device_copies/near_card.h"

namespace assay::interconnect {

/// The copies between a device and the host, or one other device. Metrics, checks and what was resolved go
/// into the outcome as they are measured.
class CopyPair {
  public:
    /// `other` null: the host, with memory pinned or pageable as the case says.
    CopyPair(const Case& the_case, Context& context, Accelerator& device, Accelerator* other, NearCard& near,
             LinkRecord& links, Outcome& outcome);

    void measure(const std::string& direction, std::size_t bytes, const SamplingPolicy& policy);
    /// What the figures could be at most, and what there is to say of these copies; when all are measured.
    void finish();

  private:
    std::unique_ptr<DeviceMemory> host_memory(std::size_t bytes);
    CopyRoute route(const std::string& direction, std::size_t bytes);
    void read_links();
    int copies_of(CopyRoute& route, int at_least);
    void measure_one_way(const std::string& direction, std::size_t bytes, const SamplingPolicy& policy);
    void measure_both(std::size_t bytes, const SamplingPolicy& policy);
    Labels axes(const std::string& direction) const { return {{"direction", direction}, {"to", label_}}; }
    void add_bandwidth(const std::string& direction, const SampleSet& set, int copies);
    void add_latency(CopyRoute& route, std::size_t bytes);
    void add_limits();

    Context& context_;
    Accelerator& device_;
    Accelerator* other_;
    NearCard& near_;
    LinkRecord& links_;
    Outcome& outcome_;
    Probe probe_;
    bool pinned_;
    std::string label_;  ///< of the axis `to`
    const AcceleratorFacts* facts_;
    bool reached_ = false;  ///< two devices, each reaching the other's memory
    CopyMethod method_;
    std::vector<std::size_t> bandwidths_;  ///< among the outcome's metrics
    double fastest_way_ = 0;               ///< byte/s of one direction
    int both_samples_ = 0, apart_ = 0;     ///< samples both ways, and those that did not run side by side
};

}  // namespace assay::interconnect
