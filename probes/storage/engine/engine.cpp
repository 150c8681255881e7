#include "probes/storage/engine/engine.h"

#include <stdexcept>
#include <system_error>

namespace assay::storage {

std::string_view to_string(EngineKind kind) {
    return kind == EngineKind::libaio ? "libaio" : "io_uring";
}

std::optional<EngineKind> engine_from_string(std::string_view name) {
    for (const EngineKind kind : {EngineKind::libaio, EngineKind::io_uring}) {
        if (to_string(kind) == name) return kind;
    }
    return std::nullopt;
}

std::unique_ptr<Engine> make_engine(EngineKind kind, const EngineOptions& options) {
    if (options.memory.size() < options.slot_bytes * static_cast<std::uint64_t>(options.depth)) {
        throw std::logic_error("an engine's memory is smaller than its slots");
    }
    try {
        return kind == EngineKind::libaio ? make_libaio_engine(options) : make_io_uring_engine(options);
    } catch (const std::system_error& error) {
        throw EngineFailure(error);
    }
}

void begin(Engine& engine) {
    try {
        engine.begin();
    } catch (const std::system_error& error) {
        throw EngineFailure(error);
    }
}

std::unique_ptr<Engine> begin_any_engine(const EngineOptions& options) {
    std::unique_ptr<Engine> engine;
    try {
        engine = make_engine(EngineKind::libaio, options);
    } catch (const EngineFailure&) {
        engine = make_engine(EngineKind::io_uring, options);
    }
    begin(*engine);
    return engine;
}

}  // namespace assay::storage
