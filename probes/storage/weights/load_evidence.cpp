#include "probes/storage/weights/load_evidence.h"

#include <fmt/format.h>

namespace assay::storage {
namespace {

/// Pages that the kernel may keep in spite of being asked to forget them: in use elsewhere this very moment.
constexpr double most_resident = 0.01;

}  // namespace

void LoadEvidence::add_coldness(LoadPath path, int repeat, std::optional<double> stayed) {
    coldness_untold_ = coldness_untold_ || !stayed;
    if (!stayed || (!warmest_load_.empty() && *stayed <= warmest_)) return;
    warmest_ = *stayed;
    warmest_load_ = fmt::format("load {} by {}", repeat + 1, to_string(path));
}

void LoadEvidence::add_counters(LoadPath path, const std::vector<Check>& checks) {
    for (Check check : checks) {
        check.name = fmt::format("{} ({})", check.name, to_string(path));
        const auto [kept, is_new] = counters_.emplace(check.name, check);
        if (!is_new && check.error > kept->second.error) kept->second = check;
    }
}

void LoadEvidence::add_load(LoadPath path, const ColdLoadResult& result) {
    seconds_[path].push_back(result.seconds);
    pieces_ += result.checked_pieces + result.pieces.size();
    if (wrong_.empty() && result.wrong_pieces > 0) {
        wrong_ = fmt::format("{} pieces are wrong that {} loaded, the first at byte {}", result.wrong_pieces,
                             to_string(path), result.first_wrong.value_or(0));
    }
}

void LoadEvidence::add_whole(LoadPath path, std::optional<std::uint64_t> wrong) {
    ++whole_loads_;
    if (!wrong_.empty() || !wrong) return;
    wrong_ = fmt::format("what {} loaded is wrong, first in the block at byte {}", to_string(path), *wrong);
}

void LoadEvidence::add_different(LoadPath path, const Shard& shard, const Piece& piece) {
    if (!wrong_.empty()) return;
    wrong_ = fmt::format("what {} loaded of {} at byte {} is not what the file reads as now", to_string(path),
                         shard.path.string(), piece.offset);
}

Check LoadEvidence::content_check() const {
    Check check;
    check.name = "what was loaded is what the files hold";
    check.passed = wrong_.empty() && pieces_ > 0;
    check.detail = wrong_.empty() ? fmt::format("{} pieces compared, and {} loads in full, none wrong",
                                                pieces_, whole_loads_)
                                  : wrong_;
    return check;
}

Check LoadEvidence::coldness_check() const {
    Check cold;
    cold.name = "the cache was cold";
    if (coldness_untold_ && warmest_ <= most_resident) {
        cold.detail =
            "neither the kernel tells this user what of the files is cached (only their owner and who may "
            "write to them), nor does a counter tell what was read from the device";
        return cold;
    }
    cold.error = warmest_;
    cold.passed = warmest_ <= most_resident;
    cold.detail = fmt::format(
        "at most {:.2f} % of a file stayed in the page cache when it was dropped, before {}; "
        "allowed {:.0f} %{}",
        warmest_ * 100, warmest_load_, most_resident * 100,
        cold.passed ? "" : ": another process has it mapped or locked");
    return cold;
}

std::vector<std::string> LoadEvidence::notes() const {
    if (!coldness_untold_ || counters_.empty()) return {};
    return {
        "the kernel tells only the owner of a file and who may write to it what of it is cached, and this "
        "user "
        "is neither: that the cache was cold is proved by the counters of what was read alone"};
}

std::vector<Check> LoadEvidence::checks() const {
    std::vector<Check> checks;
    // Where it is not told, what was read from the device proves it as well: 95 % of all.
    const bool counters_stand_for_it = coldness_untold_ && warmest_ <= most_resident && !counters_.empty();
    if (!counters_stand_for_it) checks.push_back(coldness_check());
    for (const auto& [name, check] : counters_) checks.push_back(check);
    checks.push_back(content_check());
    return checks;
}

}  // namespace assay::storage
