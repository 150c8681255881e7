#pragma once

#include <algorithm>
#include <memory>
#include <new>

#include "probes/inference/decoder.h"

namespace assay::inference {

/// Zeroed memory on a page boundary.
struct Memory {
    struct Free {
        void operator()(std::byte* memory) const { ::operator delete[](memory, std::align_val_t{4096}); }
    };
    explicit Memory(std::uint64_t size)
        : bytes(static_cast<std::byte*>(::operator new[](size, std::align_val_t{4096}))) {
        std::fill_n(bytes.get(), size, std::byte{});
    }
    std::unique_ptr<std::byte[], Free> bytes;
};

inline DecoderShape tiny_shape() {
    DecoderShape shape;
    shape.hidden = 96;
    shape.layers = 2;
    shape.query_heads = 6;
    shape.key_value_heads = 2;
    shape.head_dimension = 32;
    shape.intermediate = 160;
    shape.vocabulary = 131;
    shape.query_key_value_bias = true;
    return shape;
}

/// A whole tiny model with its memory, its cache holding `past` random positions.
struct TinyDecoder {
    TinyDecoder(const DecoderShape& shape, kernels::WeightFormat format, int threads, kernels::Isa isa,
                std::size_t past, std::size_t room = 16, bool int8_activations = false,
                std::uint64_t seed = 7)
        : team(threads),
          weight_memory(weight_bytes(shape, format)),
          cache_memory(cache_bytes(shape, past + room)),
          weights(place_weights(shape, format, weight_memory.bytes.get())),
          cache(place_cache(shape, past + room, cache_memory.bytes.get())) {
        weights.int8_activations = int8_activations;
        fill_weights(weights, seed, team, {});
        fill_cache(cache, shape, past, 11);
        decoder = std::make_unique<Decoder>(weights, cache, team, isa);
    }

    kernels::ThreadTeam team;
    Memory weight_memory, cache_memory;
    DecoderWeights weights;
    Cache cache;
    std::unique_ptr<Decoder> decoder;
};

}  // namespace assay::inference
