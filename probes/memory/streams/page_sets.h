#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kernels/device/pages.h"
#include "probes/memory/streams/stream_arrays.h"

namespace assay {

/// Which pages arrays are made on, before any is made.
struct PagePlan {
    std::vector<bool>
        huge;          ///< a set of arrays each: whether huge pages are asked for; the peers' pages first
    std::string note;  ///< one sentence for the reader, on what is compared or why huge pages are not
};
/// The first set has the pages that a program gets which asks for nothing, as the peers do; a second has huge
/// pages, where they are `wanted`, given on request alone, and thus not the same.
PagePlan plan_pages(bool wanted, HugePages given);

/// The same arrays on each kind of pages.
struct PageSets {
    std::vector<std::unique_ptr<StreamArraySet>> sets;
    std::vector<std::string> pages;  ///< "4096-byte pages"; by set
    std::string shortage;            ///< where fewer huge pages were given than asked for: a sentence

    std::vector<StreamArraySet*> pointers() const;
};
PageSets make_page_sets(const PagePlan& plan, Device& device, kernels::ThreadTeam& team, int arrays,
                        std::uint64_t bytes, std::uint64_t seed);

}  // namespace assay
