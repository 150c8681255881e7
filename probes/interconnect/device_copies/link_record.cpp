#include "probes/interconnect/device_copies/link_record.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace assay::interconnect {

namespace {

double carried(const PciLink& link) {
    return pci_link_bytes_per_second(*link.generation, *link.width);
}

Limit arithmetic(int generation, int width, const std::string& whose) {
    return {pci_link_bytes_per_second(generation, width),
            fmt::format("PCIe {}.0 x{} arithmetic before packet headers, {}", generation, width, whose)};
}

}  // namespace

LinkRecord::LinkRecord(std::string address, std::filesystem::path root, Clock& clock)
    : address_(std::move(address)), root_(std::move(root)), clock_(clock), begin_(clock.now()) {}

void LinkRecord::read() {
    const std::vector<PciLink> links = pci_links(address_, root_);
    if (links.empty()) return;
    own_.push_back(links.front());
    least_.push_back(*narrowest(links));
    at_.push_back(seconds_of(clock_.now() - begin_));
}

void LinkRecord::add_metrics(const MetricDeclaration& generation, const MetricDeclaration& width,
                             Outcome& outcome) const {
    if (!known()) return;
    SampleSet generations, widths;
    generations.at = widths.at = at_;
    for (const PciLink& link : own_) {
        generations.values.push_back(*link.generation);
        widths.values.push_back(*link.width);
    }
    outcome.metrics.push_back(make_metric(generation, generations));
    outcome.metrics.push_back(make_metric(width, widths));
}

void LinkRecord::add_notes(Outcome& outcome) const {
    if (!known()) {
        outcome.notes.push_back(
            address_.empty()
                ? "The driver tells no PCI address of the card: its link was not read."
                : fmt::format("The system tells no link of {}, as in some virtual machines: it was not read.",
                              address_));
        return;
    }
    outcome.resolved["link"] = describe(own());
    outcome.notes.push_back(
        fmt::format("Link: {} of {}, read from /sys {} times while copies ran (links sleep when idle).",
                    describe(own()), own().address, own_.size()));
    const int can_generation = own().greatest_generation.value_or(*own().generation);
    const int can_width = own().greatest_width.value_or(*own().width);
    if (can_generation > *own().generation || can_width > *own().width)
        outcome.notes.push_back(
            fmt::format("The card can PCIe {}.0 x{}: slot, riser, firmware setting or a bad contact keep the "
                        "link below it.",
                        can_generation, can_width));
    if (carried(least()) < carried(own()))
        outcome.notes.push_back(
            fmt::format("The port {} above it carries less: {}.", least().address, describe(least())));
    const auto changed = [&](const PciLink& link) {
        return link.generation != own().generation || link.width != own().width;
    };
    if (const std::ptrdiff_t others = std::count_if(own_.begin(), own_.end(), changed); others > 0)
        outcome.notes.push_back(fmt::format("{} of the readings differ from the last one.", others));
}

std::string describe(const PciLink& link) {
    return fmt::format("PCIe {}.0 x{}", *link.generation, *link.width);
}

std::optional<Limit> link_limit(const LinkRecord& record, const AcceleratorFacts* facts, double measured) {
    std::vector<Limit> candidates;
    if (record.known()) {
        for (const PciLink* link : {&record.least(), &record.own()})
            candidates.push_back(arithmetic(*link->generation, *link->width, "link of " + link->address));
    } else if (facts != nullptr && facts->pcie_generation && facts->pcie_width) {
        candidates.push_back(
            arithmetic(*facts->pcie_generation, *facts->pcie_width,
                       "by the datasheet of " + facts->product + " (the link was not told)"));
    }
    for (const Limit& limit : candidates)
        if (measured <= limit.value) return limit;
    return std::nullopt;
}

std::optional<Limit> peer_limit(const AcceleratorFacts* facts) {
    if (facts == nullptr || !facts->peer_bandwidth_both_directions) return std::nullopt;
    return Limit{*facts->peer_bandwidth_both_directions / 2,
                 fmt::format("half of both directions of all links, datasheet of {}", facts->product)};
}

std::optional<Limit> of_both(std::optional<Limit> limit) {
    if (limit) {
        limit->value *= 2;
        limit->source += ", both ways";
    }
    return limit;
}

}  // namespace assay::interconnect
