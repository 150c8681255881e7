#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "kernels/cpu/affinity.h"
#include "kernels/device/device.h"

namespace assay::interconnect {

/// While it lives, the calling thread runs on the CPUs of the memory node that the card is attached to, as
/// far as the process may: the memory that it touches first, and what the driver pins for it, comes from
/// there. Does nothing where there is one node, or the card's is not told; `note` says what was done.
class NearCard {
  public:
    NearCard(const DeviceInfo& card, const std::filesystem::path& root);
    ~NearCard();
    NearCard(const NearCard&) = delete;
    NearCard& operator=(const NearCard&) = delete;

    std::string note() const;
    /// The node; nothing where no thread was moved.
    std::optional<int> node() const { return node_; }
    /// Has pages of host memory that nobody touched yet come from the node.
    void bind(DeviceMemory& memory);
    /// Looks where pages of host memory that was touched really lie, for the note.
    void look_at(DeviceMemory& memory);

  private:
    void move_to(int node, const std::filesystem::path& root);

    kernels::CpuSet before_ = kernels::CpuSet::of_calling_thread();
    std::optional<int> node_;
    std::string note_;
    int looked_at_ = 0, near_ = 0;  ///< pages
};

}  // namespace assay::interconnect
