// io_uring through liburing: registered file and buffers, one issuer, task work deferred until we wait,
// submission and waiting in one system call, and polled completion where asked for. What the kernel refuses
// is dropped, one setting at a time, and told.

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include <liburing.h>
#include <sys/uio.h>

#include <fmt/format.h>

#include "probes/storage/engine/engine.h"

namespace assay::storage {
namespace {

struct Setting {
    unsigned flag;
    std::string_view name;
};
// The later ones need the earlier ones.
constexpr Setting settings[] = {
    {IORING_SETUP_SINGLE_ISSUER, "single issuer"},
    {IORING_SETUP_DEFER_TASKRUN, "deferred task run"},
};
constexpr std::string_view polled_name = "polled completion";

class IoUringEngine final : public Engine {
  public:
    explicit IoUringEngine(const EngineOptions& options)
        : options_(options), polled_(options.polled), completions_(static_cast<std::size_t>(options.depth)) {}
    ~IoUringEngine() override { tear_down(); }
    IoUringEngine(const IoUringEngine&) = delete;
    IoUringEngine& operator=(const IoUringEngine&) = delete;

    /// The ring is made here: its one issuer is the thread that makes it.
    void begin() override {
        set_up();
        if (polled_ && !polling_works()) {
            tear_down();
            polled_ = false;
            set_up();
            refused_.push_back(fmt::format("{} (the device has no poll queue for it)", polled_name));
        }
        // Spares the kernel the look-up of the ring's descriptor at each call; for this thread alone.
        const int registered = ::io_uring_register_ring_fd(&ring_);  // how many, or the negative errno
        note("registered ring", registered == 0 ? -EINVAL : registered);
    }

    void submit(std::span<const Transfer> transfers, bool at_once) override {
        for (const Transfer& transfer : transfers) prepare(transfer);
        unsubmitted_ += transfers.size();
        if (!at_once) return;
        while (unsubmitted_ > 0) count_submitted(::io_uring_submit(&ring_), "io_uring_submit");
    }

    std::size_t reap(std::span<Completion> completions, std::size_t at_least) override {
        std::size_t taken = 0;
        // Even where enough is done already, what is queued has to go out.
        while (unsubmitted_ > 0 || taken < at_least) {
            if (unsubmitted_ == 0) taken += take(completions.subspan(taken));
            if (unsubmitted_ == 0 && taken >= at_least) break;
            const std::size_t missing = at_least > taken ? at_least - taken : 0;
            count_submitted(::io_uring_submit_and_wait(&ring_, static_cast<unsigned>(missing)),
                            "io_uring_submit_and_wait");
        }
        return taken + take(completions.subspan(taken));
    }

    std::vector<std::string> flags() const override { return flags_; }
    std::vector<std::string> refused() const override { return refused_; }

  private:
    void prepare(const Transfer& transfer) {
        io_uring_sqe* const entry = ::io_uring_get_sqe(&ring_);
        if (entry == nullptr) throw std::logic_error("more requests than the ring was made for");
        std::byte* const memory = options_.memory.data() + transfer.slot * options_.slot_bytes;
        const int file = registered_file_ ? 0 : options_.file;
        if (registered_memory_) {
            if (transfer.write)
                ::io_uring_prep_write_fixed(entry, file, memory, transfer.bytes, transfer.offset, 0);
            else
                ::io_uring_prep_read_fixed(entry, file, memory, transfer.bytes, transfer.offset, 0);
        } else if (transfer.write) {
            ::io_uring_prep_write(entry, file, memory, transfer.bytes, transfer.offset);
        } else {
            ::io_uring_prep_read(entry, file, memory, transfer.bytes, transfer.offset);
        }
        if (registered_file_) entry->flags |= IOSQE_FIXED_FILE;
        entry->user_data = transfer.slot;
    }

    void count_submitted(int result, const char* call) {
        if (result >= 0) {
            const std::size_t submitted = std::min(unsubmitted_, static_cast<std::size_t>(result));
            unsubmitted_ -= submitted;
            in_flight_ += submitted;
        } else if (result != -EINTR && result != -EAGAIN && result != -EBUSY) {
            throw std::system_error(-result, std::generic_category(), call);
        }
    }

    std::size_t take(std::span<Completion> completions) {
        const unsigned room = static_cast<unsigned>(std::min(completions.size(), completions_.size()));
        const unsigned count = ::io_uring_peek_batch_cqe(&ring_, completions_.data(), room);
        for (unsigned i = 0; i < count; ++i) {
            completions[i] = {static_cast<std::uint32_t>(completions_[i]->user_data), completions_[i]->res};
        }
        ::io_uring_cq_advance(&ring_, count);
        in_flight_ -= count;
        return count;
    }

    void set_up() {
        flags_.clear();
        refused_.clear();
        std::size_t count = std::size(settings);
        int result = make_ring(count);
        while (result == -EINVAL && count > 0) {
            --count;
            refused_.push_back(fmt::format("{} (this kernel does not have it)", settings[count].name));
            result = make_ring(count);
        }
        if (result < 0) {
            throw std::system_error(-result, std::generic_category(),
                                    "io_uring_setup (not in this kernel, or forbidden in this container)");
        }
        ring_stands_ = true;
        for (std::size_t i = 0; i < count; ++i) flags_.emplace_back(settings[i].name);
        if (polled_) flags_.emplace_back(polled_name);
        const int file = ::io_uring_register_files(&ring_, &options_.file, 1);
        registered_file_ = note("registered file", file);
        const iovec memory{options_.memory.data(),
                           options_.slot_bytes * static_cast<std::size_t>(options_.depth)};
        registered_memory_ = note("registered buffers", ::io_uring_register_buffers(&ring_, &memory, 1));
    }

    int make_ring(std::size_t count) {
        io_uring_params parameters{};
        parameters.flags = polled_ ? IORING_SETUP_IOPOLL : 0U;
        for (std::size_t i = 0; i < count; ++i) parameters.flags |= settings[i].flag;
        return ::io_uring_queue_init_params(static_cast<unsigned>(options_.depth), &ring_, &parameters);
    }

    bool note(std::string_view name, int result) {
        if (result >= 0) {
            flags_.emplace_back(name);
        } else {
            refused_.push_back(fmt::format("{} ({})", name, std::strerror(-result)));
        }
        return result >= 0;
    }

    /// Devices without poll queues refuse at the first request, not before.
    bool polling_works() {
        const Transfer first{0, static_cast<std::uint32_t>(options_.slot_bytes), 0, false};
        submit({&first, 1}, true);
        Completion done;
        reap({&done, 1}, 1);
        return done.result != -EOPNOTSUPP && done.result != -EINVAL;
    }

    /// The kernel takes a ring apart later, by itself: until then the file would stay open and the memory in
    /// use.
    void tear_down() {
        if (!ring_stands_) return;
        wait_for_the_rest();
        if (registered_file_) ::io_uring_unregister_files(&ring_);
        if (registered_memory_) ::io_uring_unregister_buffers(&ring_);
        ::io_uring_queue_exit(&ring_);
        ring_stands_ = false;
    }

    void wait_for_the_rest() {
        while (in_flight_ > 0) {
            io_uring_cqe* done = nullptr;
            const int result = ::io_uring_wait_cqe(&ring_, &done);
            if (result == -EINTR || result == -EAGAIN) continue;
            if (result < 0) return;
            ::io_uring_cqe_seen(&ring_, done);
            --in_flight_;
        }
    }

    EngineOptions options_;
    bool polled_;
    bool ring_stands_ = false;
    bool registered_file_ = false;
    bool registered_memory_ = false;
    std::size_t unsubmitted_ = 0;
    std::size_t in_flight_ = 0;
    io_uring ring_{};
    std::vector<io_uring_cqe*> completions_;
    std::vector<std::string> flags_;
    std::vector<std::string> refused_;
};

}  // namespace

std::unique_ptr<Engine> make_io_uring_engine(const EngineOptions& options) {
    return std::make_unique<IoUringEngine>(options);
}

}  // namespace assay::storage
