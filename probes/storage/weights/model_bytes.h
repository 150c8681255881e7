#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/core/probe.h"
#include "probes/storage/target/target.h"

namespace assay::storage {

/// The formats that model_bytes() knows: int4, int8, fp8, f16, bf16, f32.
std::vector<std::string_view> weight_formats();

/// Bytes of a model's weights in a file: its parameters times what one takes in the format, scales included
/// (int4: one of 16 bits for 32 weights; int8: one of 32 bits a row of the hidden size; fp8: one of 32 bits
/// for 128 × 128 weights, as DeepSeek publishes it).
std::uint64_t model_bytes(const Model& model, std::string_view format);

/// The model that the case names. Throws InputError naming those that are known.
const Model& find_model(std::string_view probe, const Case& the_case, const Context& context);

/// The largest multiple of 1 MiB, not above `bytes`, for which no_room() has no objection; 0 where nothing
/// fits, `bytes` itself where all does.
std::uint64_t bytes_that_fit(const Target& target, std::uint64_t bytes);

/// Seconds of `measured_bytes` scaled to `asked_bytes`: proportional, since a load this long is all
/// bandwidth.
double scaled_seconds(double seconds, std::uint64_t measured_bytes, std::uint64_t asked_bytes);

/// `bytes` in `count` parts that differ by less than 1 MiB where they are larger than that, each but the last
/// a multiple of 1 MiB (or of 4096 where they are small). Fewer parts where there is not a block for each.
std::vector<std::uint64_t> split_in_shards(std::uint64_t bytes, int count);

/// As many shards as repositories of models have: files of at most 5 GB, and at least two.
int usual_shards(std::uint64_t bytes);

}  // namespace assay::storage
