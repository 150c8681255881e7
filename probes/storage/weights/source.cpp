#include "probes/storage/weights/source.h"

#include <algorithm>

#include <fcntl.h>

#include <fmt/format.h>

#include "probes/core/os/text.h"
#include "probes/storage/target/extents.h"
#include "probes/storage/weights/checksum.h"
#include "probes/storage/weights/gguf.h"
#include "probes/storage/weights/model_bytes.h"
#include "probes/storage/weights/safetensors.h"

namespace assay::storage {
namespace {

bool is_folder(const std::string& path) {
    std::error_code error;
    return std::filesystem::is_directory(path, error);
}

Case with_target(const Case& the_case, const std::string& target) {
    Case other = the_case;
    other.parameters["target"] = target;
    return other;
}

std::vector<std::string> paths_of(const std::string& target) {
    // A name may hold a comma itself.
    std::error_code error;
    if (std::filesystem::exists(target, error)) return {target};
    std::vector<std::string> paths;
    for (const std::string_view path : os::split(target, ',')) paths.emplace_back(path);
    return paths;
}

std::optional<WeightsHeader> read_header(const os::FileDescriptor& file, const std::filesystem::path& path,
                                         const std::string& name) {
    const std::string extension = path.extension().string();
    if (extension == ".safetensors") return read_safetensors(file, name);
    if (extension == ".gguf" || begins_as_gguf(file)) return read_gguf(file, name);
    return std::nullopt;
}

NamedWeights look_at_named(std::string_view probe, const Case& the_case, const Context& context,
                           const std::string& path) {
    const std::string name = fmt::format("{}.target: {}", probe, path);
    NamedWeights weights;
    weights.target = look_at_target(probe, with_target(the_case, path), context);
    if (weights.target.kind != Target::Kind::named_file) {
        throw InputError(name + " is a block device; accepted: files of weights, a folder, or auto");
    }
    if (weights.target.size_bytes == 0) throw InputError(name + " is empty; accepted: a file of weights");
    const os::FileDescriptor file = os::open_file(path, O_RDONLY);
    weights.header = read_header(file, path, name);
    const Extents extents = read_extents(file, weights.target.size_bytes);
    if (extents.known && !extents.complete()) {
        throw InputError(fmt::format(
            "{} has blocks that were never written, which read as zeros without touching the disk "
            "({}); accepted: a file written in full",
            name, describe(extents)));
    }
    if (the_case.text("checksum") == "md5") weights.md5 = stated_md5(path, fmt::format("{}.target", probe));
    return weights;
}

void add_leaves(Target& place, const Target& file) {
    for (const os::BlockDevice& leaf : file.leaves) {
        const bool known = std::any_of(place.leaves.begin(), place.leaves.end(),
                                       [&](const os::BlockDevice& other) { return other.name == leaf.name; });
        if (!known) place.leaves.push_back(leaf);
    }
    place.logical_block_bytes = std::max(place.logical_block_bytes, file.logical_block_bytes);
}

void refuse_given(std::string_view probe, const Case& the_case, std::string_view parameter) {
    if (the_case.is_auto(parameter)) return;
    throw InputError(fmt::format("{}.{}: a file that is named is loaded whole and as it is; accepted: auto",
                                 probe, parameter));
}

}  // namespace

Target look_at_place(std::string_view probe, const Case& the_case, const Context& context) {
    const std::string& target = the_case.text("target");
    if (the_case.is_auto("target")) return look_at_target(probe, the_case, context);
    if (!is_folder(target)) {
        throw InputError(fmt::format(
            "{}.target: {} is no folder; accepted: an existing folder on a disk, or auto", probe, target));
    }
    Context there = context;
    there.scratch = target;
    return look_at_target(probe, with_target(the_case, "auto"), there);
}

WeightsSource look_at_source(std::string_view probe, const Case& the_case, const Context& context) {
    WeightsSource source;
    const std::string& target = the_case.text("target");
    if (the_case.is_auto("target") || is_folder(target)) {
        source.place = look_at_place(probe, the_case, context);
        source.asked_bytes = the_case.is_auto("bytes")
                                 ? model_bytes(find_model(probe, the_case, context), the_case.text("format"))
                                 : the_case.bytes("bytes");
        return source;
    }
    for (const std::string_view parameter : {"bytes", "measured_bytes", "shards"}) {
        refuse_given(probe, the_case, parameter);
    }
    for (const std::string& path : paths_of(target)) {
        source.named.push_back(look_at_named(probe, the_case, context, path));
    }
    if (source.named.empty()) {
        throw InputError(fmt::format("{}.target: names no file; accepted: files separated by commas", probe));
    }
    source.place = source.named.front().target;
    for (const NamedWeights& weights : source.named) {
        source.asked_bytes += weights.target.size_bytes;
        add_leaves(source.place, weights.target);
    }
    return source;
}

}  // namespace assay::storage
