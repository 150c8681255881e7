#include "probes/storage/weights/model_bytes.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "kernels/cpu/quantized.h"
#include "probes/storage/target/block_pattern.h"
#include "probes/storage/target/prepare.h"

namespace assay::storage {
namespace {

constexpr std::uint64_t mebibyte = 1 << 20;

double quantized_bytes(kernels::WeightFormat format, const Model& model) {
    constexpr std::int64_t group = 32;
    const std::size_t columns =
        static_cast<std::size_t>(std::max<std::int64_t>(1, model.hidden_size / group) * group);
    return static_cast<double>(kernels::packed_row_bytes(format, columns)) / static_cast<double>(columns);
}

double bytes_of_a_weight(const Model& model, std::string_view format) {
    constexpr double fp8_scale_bytes = 4.0 / (128 * 128);
    if (format == "int4") return quantized_bytes(kernels::WeightFormat::int4, model);
    if (format == "int8") return quantized_bytes(kernels::WeightFormat::int8, model);
    if (format == "fp8") return 1 + fp8_scale_bytes;
    return format == "f32" ? 4 : 2;
}

}  // namespace

std::vector<std::string_view> weight_formats() {
    return {"int4", "int8", "fp8", "f16", "bf16", "f32"};
}

std::uint64_t model_bytes(const Model& model, std::string_view format) {
    return static_cast<std::uint64_t>(
        std::llround(static_cast<double>(model.parameters) * bytes_of_a_weight(model, format)));
}

const Model& find_model(std::string_view probe, const Case& the_case, const Context& context) {
    const std::string& name = the_case.text("model");
    std::string known;
    for (const Model& model : context.models) {
        if (model.name == name) return model;
        known += (known.empty() ? "" : ", ") + model.name;
    }
    throw InputError(fmt::format("{}.model: \"{}\" is not a known model; accepted: {}, or a number of bytes",
                                 probe, name, known.empty() ? "none" : known));
}

std::uint64_t bytes_that_fit(const Target& target, std::uint64_t bytes) {
    if (!no_room(target, bytes)) return bytes;
    std::uint64_t fits = 0;
    std::uint64_t too_many = (bytes + mebibyte - 1) / mebibyte;
    while (too_many - fits > 1) {
        const std::uint64_t middle = fits + (too_many - fits) / 2;
        (no_room(target, middle * mebibyte) ? too_many : fits) = middle;
    }
    return fits * mebibyte;
}

double scaled_seconds(double seconds, std::uint64_t measured_bytes, std::uint64_t asked_bytes) {
    return seconds * (static_cast<double>(asked_bytes) / static_cast<double>(measured_bytes));
}

std::vector<std::uint64_t> split_in_shards(std::uint64_t bytes, int count) {
    const std::uint64_t parts = static_cast<std::uint64_t>(std::max(1, count));
    const std::uint64_t unit = bytes / parts >= mebibyte ? mebibyte : pattern_bytes;
    const std::uint64_t units = (bytes + unit - 1) / unit;
    std::vector<std::uint64_t> shards;
    std::uint64_t at = 0;
    for (std::uint64_t part = 0; part < parts; ++part) {
        const std::uint64_t end = std::min(bytes, units * (part + 1) / parts * unit);
        if (end > at) shards.push_back(end - at);
        at = end;
    }
    return shards;
}

int usual_shards(std::uint64_t bytes) {
    constexpr std::uint64_t largest_shard = 5'000'000'000;
    return static_cast<int>(std::max<std::uint64_t>(2, (bytes + largest_shard - 1) / largest_shard));
}

}  // namespace assay::storage
