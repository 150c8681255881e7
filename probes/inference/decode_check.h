#pragma once

#include <cstdint>
#include <vector>

#include "probes/core/outcome.h"
#include "probes/inference/decode_plan.h"
#include "probes/inference/reference_decoder.h"

namespace assay::inference {

/// Largest relative error (Euclidean) of a token's logits that still counts as right: sums in f32 err by
/// 1e-6, and a key or value that rounds to the other neighbouring f16 adds up to 1e-4 on a tiny shape. An
/// activation that rounds to the other neighbouring int8 adds up to 2 %.
double logits_tolerance(bool int8_activations);

/// The plan's shape made tiny: grouping, head dimension, bias and tying as in the model, everything else
/// small.
DecoderShape miniature_of(const DecoderShape& shape);

/// Decodes `tokens` tokens greedily with both and compares logits and tokens. A token is right when the
/// reference finds it as likely as its own, within what `tolerance` of the logits may do.
std::vector<Check> compare(Decoder& decoder, ReferenceDecoder& reference, std::size_t tokens,
                           std::uint32_t first, double tolerance);

/// Decodes greedily with the plan's format, instruction set and team on the miniature, and compares logits
/// and tokens with the f64 reference decoder: with f32 activations, where the bounds are tight, and with the
/// plan's.
std::vector<Check> check_against_reference(const DecodePlan& plan, kernels::ThreadTeam& team,
                                           std::uint64_t seed);

/// Whether the decoder's last logits are finite and not all the same.
Check check_logits_finite(const Decoder& decoder);

/// Some rows of the last output head, drawn by seed, against f64 over the dequantized weights.
Check check_head_rows(const Decoder& decoder, const DecoderWeights& weights, std::uint64_t seed);

}  // namespace assay::inference
