#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "kernels/device/pci_link.h"
#include "probes/core/accelerator_facts.h"
#include "probes/core/clock.h"
#include "probes/core/outcome.h"
#include "probes/core/sampling.h"

namespace assay::interconnect {

/// The PCIe links between a card and the host, read while copies run over them.
class LinkRecord {
  public:
    LinkRecord(std::string address, std::filesystem::path root, Clock& clock);

    void read();
    /// False where the system has told no link as yet.
    bool known() const { return !own_.empty(); }
    /// The card's own link and the one that carries least on the way to the host, as read last. Known only.
    const PciLink& own() const { return own_.back(); }
    const PciLink& least() const { return least_.back(); }

    /// Generation and width of the card's own link, a sample a reading.
    void add_metrics(const MetricDeclaration& generation, const MetricDeclaration& width,
                     Outcome& outcome) const;
    /// What a reader must know: readings, a link below what it can, a narrower one above.
    void add_notes(Outcome& outcome) const;

  private:
    std::string address_;
    std::filesystem::path root_;
    Clock& clock_;
    Nanoseconds begin_;
    std::vector<PciLink> own_, least_;
    std::vector<double> at_;  ///< seconds since it was made
};

/// "PCIe 4.0 x16"
std::string describe(const PciLink& link);

/// What copies between host and device can reach at most, `measured` being the fastest that they were one
/// way: the least link's arithmetic, else the card's own link's (ports of virtual machines are made up), else
/// nothing, as what was outrun is no limit. Where no link is told, the datasheet's.
std::optional<Limit> link_limit(const LinkRecord& record, const AcceleratorFacts* facts, double measured);
/// Of copies from one device to another: half the datasheet's sum of both directions.
std::optional<Limit> peer_limit(const AcceleratorFacts* facts);
/// A limit of one direction made that of both together.
std::optional<Limit> of_both(std::optional<Limit> limit);

}  // namespace assay::interconnect
