#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "probes/core/outcome.h"
#include "probes/storage/weights/cold_load.h"

namespace assay::storage {

/// What is known of all loads of a case: their times, and whether each was what it claims to be.
class LoadEvidence {
  public:
    /// `stayed`: what make_cold() left in the cache before the load; nothing where this user is not
    /// told.
    void add_coldness(LoadPath path, int repeat, std::optional<double> stayed);
    /// The counters' checks of one load; of each path's loads the worst is kept.
    void add_counters(LoadPath path, const std::vector<Check>& checks);
    void add_load(LoadPath path, const ColdLoadResult& result);
    /// Of memory looked at in full after a load.
    void add_whole(LoadPath path, std::optional<std::uint64_t> wrong);
    /// Of named files: a piece that reads otherwise now than what a load left in memory.
    void add_different(LoadPath path, const Shard& shard, const Piece& piece);

    const std::vector<double>& seconds(LoadPath path) const { return seconds_.at(path); }
    std::vector<Check> checks() const;
    /// What a reader must know of how far the checks go.
    std::vector<std::string> notes() const;

  private:
    Check coldness_check() const;
    Check content_check() const;

    std::map<LoadPath, std::vector<double>> seconds_;
    std::map<std::string, Check> counters_;
    double warmest_ = 0;
    std::string warmest_load_;
    bool coldness_untold_ = false;
    std::uint64_t pieces_ = 0;
    std::uint64_t whole_loads_ = 0;
    std::string wrong_;  ///< the first that was found
};

}  // namespace assay::storage
