#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace assay::storage {

/// How requests reach the kernel.
enum class EngineKind { libaio, io_uring };
std::string_view to_string(EngineKind kind);
std::optional<EngineKind> engine_from_string(std::string_view name);

/// A read into, or a write from, the memory of a slot.
struct Transfer {
    std::uint64_t offset = 0;
    std::uint32_t bytes = 0;
    std::uint32_t slot = 0;
    bool write = false;
};

/// What became of the transfer of a slot: bytes moved, or the negative errno.
struct Completion {
    std::uint32_t slot = 0;
    std::int32_t result = 0;
};

struct EngineOptions {
    int file = -1;                     ///< open for direct I/O; stays the caller's
    std::span<std::byte> memory = {};  ///< slot i has the bytes from i * slot_bytes on
    std::uint64_t slot_bytes = 4096;
    int depth = 1;        ///< most requests in flight; slots are 0 .. depth - 1
    bool polled = false;  ///< ask for polled completion (io_uring alone has it)
};

/// An engine that the system does not have, or not enough of: no request has been made yet.
class EngineFailure : public std::system_error {
  public:
    explicit EngineFailure(const std::system_error& error) : std::system_error(error) {}
};

/// A queue of asynchronous requests to one file, used by one thread. Neither allocates nor locks once it
/// stands. Errors of the calls are std::system_error; those of single requests come back as their result.
/// Destroying it, which that thread does too, waits for what is in flight and lets go of the file.
class Engine {
  public:
    virtual ~Engine() = default;

    /// Called once by the thread that will use it, before anything else. Throws std::system_error.
    virtual void begin() {}
    /// Hands requests to the kernel. io_uring may keep them until reap(), which saves a system call, unless
    /// `at_once`.
    virtual void submit(std::span<const Transfer> transfers, bool at_once) = 0;
    /// Waits until at least `at_least` requests (of those in flight) are done and takes up to
    /// completions.size().
    virtual std::size_t reap(std::span<Completion> completions, std::size_t at_least) = 0;

    /// The settings in force, "registered buffers" and the like, and those that were refused, with the
    /// reason.
    virtual std::vector<std::string> flags() const { return {}; }
    virtual std::vector<std::string> refused() const { return {}; }
};

/// Throws EngineFailure where the system does not have it (ENOSYS, EPERM) or not enough of it.
std::unique_ptr<Engine> make_engine(EngineKind kind, const EngineOptions& options);
/// Calls its begin(). Throws EngineFailure.
void begin(Engine& engine);

/// The first engine that the system has, after begin(). Throws as make_engine() does where there is none.
std::unique_ptr<Engine> begin_any_engine(const EngineOptions& options);

// One file each; make_engine() chooses.
std::unique_ptr<Engine> make_libaio_engine(const EngineOptions& options);
std::unique_ptr<Engine> make_io_uring_engine(const EngineOptions& options);

}  // namespace assay::storage
