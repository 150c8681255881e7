#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/core/probe.h"
#include "probes/storage/target/target.h"
#include "probes/storage/weights/weights_header.h"

namespace assay::storage {

/// A weights file that the user names.
struct NamedWeights {
    Target target;
    std::optional<WeightsHeader> header;  ///< of safetensors and GGUF; nothing of other files
    std::optional<std::string> md5;       ///< what the `.md5` file beside it states
};

/// Where weights come from: files that the user names, or a place in which shards are made.
struct WeightsSource {
    std::vector<NamedWeights> named;
    Target
        place;  ///< the scratch file or folder; of named files what they share: the disks under all of them
    std::uint64_t asked_bytes = 0;  ///< of the model, of `bytes`, of all named files

    bool is_named() const { return !named.empty(); }
};

/// Looks at the case's `target` (auto, a folder, or files separated by commas), `model`, `format` and `bytes`
/// without changing anything; headers of named files are read and checked. Throws InputError.
WeightsSource look_at_source(std::string_view probe, const Case& the_case, const Context& context);

/// The folder or the scratch file in which the case's files are made: its `target`, auto or a folder. Throws
/// InputError, for a block device above all.
Target look_at_place(std::string_view probe, const Case& the_case, const Context& context);

}  // namespace assay::storage
