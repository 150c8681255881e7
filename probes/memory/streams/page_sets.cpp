#include "probes/memory/streams/page_sets.h"

#include <optional>

#include <fmt/format.h>

namespace assay {

namespace {

// Less of the memory on huge pages than this is said: the figure is then of mixed pages.
constexpr double whole_share = 0.9;

}  // namespace

PagePlan plan_pages(bool wanted, HugePages given) {
    if (!wanted) return {{false}, "Huge pages are not used, as asked for."};
    switch (given) {
        case HugePages::unasked:
            return {{true}, "The system gives huge pages unasked: every pattern has them."};
        case HugePages::none:
            return {
                {false},
                "The system gives no transparent huge pages (transparent_hugepage/enabled): every pattern "
                "has the small ones."};
        case HugePages::on_request:
            break;
    }
    return {{false, true},
            "The plain loop has the pages that a program gets which asks for nothing; the best pattern is "
            "looked for on these and on huge pages."};
}

std::vector<StreamArraySet*> PageSets::pointers() const {
    std::vector<StreamArraySet*> pointers;
    for (const std::unique_ptr<StreamArraySet>& set : sets) pointers.push_back(set.get());
    return pointers;
}

PageSets make_page_sets(const PagePlan& plan, Device& device, kernels::ThreadTeam& team, int arrays,
                        std::uint64_t bytes, std::uint64_t seed) {
    PageSets made;
    for (const bool huge : plan.huge) {
        made.sets.push_back(std::make_unique<StreamArraySet>(device, team, arrays, bytes, huge, seed));
        DeviceMemory& memory = made.sets.back()->memory();
        std::string pages = fmt::format("{}-byte pages", memory.page_bytes());
        const std::optional<double> share =
            huge ? huge_page_share(memory.host_pointer(), memory.bytes()) : std::nullopt;
        // Arrays of less than a huge page have none, and nobody expects them to.
        if (share && *share < whole_share && memory.bytes() >= memory.page_bytes()) {
            pages = fmt::format("{:.0f} % {}", *share * 100, pages);
            made.shortage = fmt::format(
                "Huge pages were asked for and {:.1f} % of the memory was given on them; the rest is on "
                "small "
                "pages.",
                *share * 100);
        }
        made.pages.push_back(pages);
    }
    return made;
}

}  // namespace assay
