#include "probes/interconnect/device_copies/near_card.h"

#include <algorithm>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "kernels/device/numa.h"
#include "kernels/device/pci_link.h"

namespace assay::interconnect {

NearCard::NearCard(const DeviceInfo& card, const std::filesystem::path& root) {
    const std::size_t nodes = numa_nodes(root).size();
    if (nodes < 2) {
        note_ = "The host has one memory node: nothing was bound.";
        return;
    }
    const std::optional<int> node = pci_numa_node(card.pci_address, root);
    if (node)
        move_to(*node, root);
    else
        note_ = fmt::format(
            "The host has {} memory nodes, and which of them {} is attached to is not told: "
            "host memory lies where the system put it.",
            nodes, card.id);
}

NearCard::~NearCard() {
    if (node_) before_.apply(0);
}

void NearCard::move_to(int node, const std::filesystem::path& root) {
    const std::vector<int> allowed = before_.members();
    std::vector<int> near;
    bool memory_allowed = false;
    for (const NumaNode& one : numa_nodes(root)) {
        if (one.id != node) continue;
        memory_allowed = one.memory_allowed;
        std::copy_if(one.cpus.begin(), one.cpus.end(), std::back_inserter(near), [&](int cpu) {
            return std::find(allowed.begin(), allowed.end(), cpu) != allowed.end();
        });
    }
    if (near.empty() || !memory_allowed || !kernels::CpuSet::of(near).apply(0)) {
        note_ = fmt::format(
            "The card is attached to memory node {}, of which this process may not use {}: "
            "host memory lies elsewhere, and the copies cross the nodes.",
            node, near.empty() ? "a CPU" : "the memory");
        return;
    }
    node_ = node;
    note_ = fmt::format(
        "The card is attached to memory node {}: the copying thread ran on its CPUs, and "
        "host memory was taken from there.",
        node);
}

std::string NearCard::note() const {
    if (looked_at_ == 0) return note_;
    return note_ + fmt::format(" {} of {} pages of it that were looked at lie there.", near_, looked_at_);
}

void NearCard::look_at(DeviceMemory& memory) {
    if (!node_) return;
    constexpr std::size_t pages = 64;
    const std::size_t step = std::max<std::size_t>(memory.bytes() / pages, 1);
    for (std::size_t at = 0; at < memory.bytes(); at += step) {
        const std::optional<int> node = node_of_page(memory.host_pointer() + at);
        if (!node) return;
        ++looked_at_;
        if (*node == *node_) ++near_;
    }
}

void NearCard::bind(DeviceMemory& memory) {
    if (!node_) return;
    try {
        bind_memory(memory.host_pointer(), memory.bytes(), *node_);
    } catch (const std::system_error& error) {
        note_ += fmt::format(" Binding pageable memory to it was refused ({}).", error.what());
    }
}

}  // namespace assay::interconnect
