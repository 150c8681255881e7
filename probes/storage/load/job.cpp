#include "probes/storage/load/job.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <stdexcept>
#include <system_error>

#include <unistd.h>

#include <fmt/format.h>

#include "kernels/cpu/affinity.h"
#include "probes/storage/target/block_pattern.h"

namespace assay::storage {
namespace {

/// One read in so many is compared with what was written: often enough to find rot, too seldom to cost. The
/// first one comes early, so that short runs see some, too.
std::uint32_t verify_every(std::uint64_t block_bytes) {
    return static_cast<std::uint32_t>(std::max<std::uint64_t>(4, (512 * pattern_bytes) / block_bytes));
}
constexpr std::uint32_t first_verified = 4;

/// Of what was written, at most so many blocks a job are read back at the end.
constexpr std::size_t most_read_back = 1024;

/// Readers roam over the whole span, as everybody's do. Whoever writes, or goes in order, has a part of its
/// own.
BlockRange range_of(const LoadOptions& options, const LoadTarget& target, int number) {
    const std::uint64_t blocks = target.span_bytes / options.block_bytes;
    if (options.order == Order::random && !options.writes()) return {0, blocks};
    const std::uint64_t jobs = static_cast<std::uint64_t>(options.jobs);
    const std::uint64_t at = static_cast<std::uint64_t>(number);
    return {blocks * at / jobs, blocks * (at + 1) / jobs};
}

EngineOptions engine_options(const LoadOptions& options, const LoadTarget& target, int file, int depth,
                             const os::Mapping& memory) {
    EngineOptions engine;
    engine.file = file;
    engine.memory = memory.span();
    engine.slot_bytes = options.block_bytes;
    engine.depth = depth;
    engine.polled = target.polled;
    return engine;
}

/// Generations that no earlier load of any run has used.
std::uint64_t first_generation(int number) {
    timespec time{};
    ::clock_gettime(CLOCK_REALTIME, &time);
    return (static_cast<std::uint64_t>(time.tv_sec) << 30) + static_cast<std::uint64_t>(time.tv_nsec) +
           static_cast<std::uint64_t>(number);
}

}  // namespace

void Book::reserve(const LoadOptions& options) {
    if (options.read_share > 0) read_latency.reserve();
    if (options.writes()) write_latency.reserve();
    if (!options.one_by_one()) return;
    submission.reserve();
    completion.reserve();
}

void Book::clear() {
    for (Histogram* const histogram : {&read_latency, &write_latency, &submission, &completion})
        histogram->clear();
    in_flight_ns = 0;
    operations = 0;
}

Job::Job(const JobSignals& signals, const LoadOptions& options, std::size_t target, int number, int cpu)
    : target_number(target),
      signals_(signals),
      options_(options),
      target_(options.targets[target]),
      cpu_(cpu),
      depth_(options.depth_of(number)),
      range_(range_of(options, target_, number)),
      file_(target_.open()),
      memory_(os::Mapping::anonymous(options.block_bytes * static_cast<std::uint64_t>(depth_))),
      engine_(make_engine(options.engine, engine_options(options, target_, file_.get(), depth_, memory_))),
      offsets_(options.order, range_, options.seed, target * 1000003 + static_cast<std::uint64_t>(number)),
      direction_(options.seed + 1, static_cast<std::uint64_t>(number)),
      read_threshold_(options.read_share >= 1
                          ? UINT64_MAX
                          : static_cast<std::uint64_t>(std::ldexp(options.read_share, 64))),
      written_(options.writes() ? range_ : BlockRange{}),
      generation_(first_generation(number)),
      generation_step_(static_cast<std::uint64_t>(options.jobs)),
      transfers_(static_cast<std::size_t>(depth_)),
      submitted_ns_(transfers_.size()),
      ready_slots_(transfers_.size()),
      ready_(transfers_.size()),
      completions_(transfers_.size()),
      until_verify_(first_verified) {
    if (range_.end - range_.first < transfers_.size()) {
        throw std::invalid_argument(
            fmt::format("{}: a job's part holds fewer blocks than are in flight", target_.name));
    }
    for (Book& book : books) book.reserve(options);
}

void Job::start() {
    thread_ = std::thread([this] { run(); });
}

void Job::join() {
    if (thread_.joinable()) thread_.join();
}

void Job::run() {
    try {
        if (cpu_ >= 0) kernels::CpuSet::single(cpu_).apply(0);  // refused: the scheduler chooses
        begin(*engine_);
        work();
    } catch (...) {
        error = std::current_exception();
    }
    let_go_of_engine();
    // Only now does the reader of slices stop waiting for this job.
    ended.store(true, std::memory_order_release);
}

void Job::let_go_of_engine() {
    engine_flags = engine_->flags();
    engine_refused = engine_->refused();
    engine_.reset();  // by the thread that used it, and before anybody reuses the memory
}

/// Settles what a slot does next, and makes the data that it writes.
Transfer Job::choose(std::uint32_t slot) {
    Transfer& transfer = transfers_[slot];
    transfer.write = options_.writes() && direction_.next() >= read_threshold_;
    std::uint64_t block = offsets_.next();
    if (transfer.write) {
        generation_ += generation_step_;
        while (!written_.begin(block, generation_)) block = offsets_.next();
        std::span<std::byte> data = memory_.span().subspan(slot * options_.block_bytes, options_.block_bytes);
        const std::uint64_t seed = written_seed();
        std::uint64_t index = block * options_.block_bytes / pattern_bytes;
        for (; !data.empty(); data = data.subspan(pattern_bytes)) {
            fill_block(data.first<pattern_bytes>(), seed, index++, generation_);
        }
    }
    transfer.offset = block * options_.block_bytes;
    return transfer;
}

std::int64_t Job::age_of_those_in_flight(std::size_t in_flight, std::int64_t now) const {
    return static_cast<std::int64_t>(in_flight * static_cast<std::uint64_t>(now) - submitted_sum_ns_);
}

void Job::take(const Completion& completion, std::int64_t now) {
    const Transfer& transfer = transfers_[completion.slot];
    if (completion.result != static_cast<std::int32_t>(transfer.bytes)) fail(transfer, completion.result);
    const std::uint64_t latency = static_cast<std::uint64_t>(now - submitted_ns_[completion.slot]);
    if (transfer.write) {
        book_->write_latency.record(latency);
        total.written_bytes += transfer.bytes;
        written_.end(transfer.offset / options_.block_bytes);
    } else {
        book_->read_latency.record(latency);
        total.read_bytes += transfer.bytes;
        if (target_.pattern_seed && --until_verify_ == 0) {
            until_verify_ = verify_every(options_.block_bytes);
            verify(transfer.offset,
                   memory_.span().subspan(completion.slot * options_.block_bytes, transfer.bytes));
        }
    }
    ++total.operations;
    submitted_sum_ns_ -= static_cast<std::uint64_t>(submitted_ns_[completion.slot]);
    ready_slots_[ready_count_++] = completion.slot;
}

void Job::fail(const Transfer& transfer, std::int32_t result) const {
    const std::string what = fmt::format("{} of {} bytes at {} of {}", transfer.write ? "write" : "read",
                                         transfer.bytes, transfer.offset, target_.name);
    if (result < 0) throw std::system_error(-result, std::generic_category(), what);
    throw std::runtime_error(fmt::format("{} returned only {}: was it truncated?", what, result));
}

/// Of a long read its first and last block, so that the comparison stays short. Parts of blocks cannot be
/// told from themselves.
void Job::verify(std::uint64_t offset, std::span<const std::byte> data) {
    if (data.size() % pattern_bytes != 0) return;
    ++total.verified;
    const std::uint64_t index = offset / pattern_bytes;
    const std::uint64_t last = index + data.size() / pattern_bytes - 1;
    const std::optional<std::uint64_t> seed = target_.pattern_seed;
    if (check_block(data.first<pattern_bytes>(), index, seed) == BlockState::right &&
        check_block(data.last<pattern_bytes>(), last, seed) == BlockState::right) {
        return;
    }
    count_wrong(offset);
}

void Job::count_wrong(std::uint64_t offset) {
    ++total.wrong;
    if (total.first_wrong_offset) return;
    total.first_wrong_offset = offset;
    total.first_wrong_target = target_.name;
}

void Job::verify_written() {
    const std::vector<WrittenBlocks::Written> written = written_.all();
    const std::size_t stride = std::max<std::size_t>(1, written.size() / most_read_back);
    for (std::size_t i = 0; i < written.size(); i += stride) {
        const std::uint64_t offset = written[i].block * options_.block_bytes;
        const std::span<std::byte> data = memory_.span().first(options_.block_bytes);
        const ssize_t got = ::pread(file_.get(), data.data(), data.size(), static_cast<off_t>(offset));
        if (got < 0) {
            throw std::system_error(
                errno, std::generic_category(),
                fmt::format("reading back what was written at {} of {}", offset, target_.name));
        }
        ++total.verified;
        bool right = got == static_cast<ssize_t>(data.size());
        for (std::size_t at = 0; right && at < data.size(); at += pattern_bytes) {
            const std::span<const std::byte, pattern_bytes> block = data.subspan(at).first<pattern_bytes>();
            const std::uint64_t index = (offset + at) / pattern_bytes;
            right = check_block(block, index, written_seed()) == BlockState::right &&
                    generation_of(block) == written[i].generation;
        }
        if (!right) count_wrong(offset);
    }
}

void Job::work() {
    for (std::uint32_t slot = 0; slot < transfers_.size(); ++slot) {
        transfers_[slot].slot = slot;
        transfers_[slot].bytes = static_cast<std::uint32_t>(options_.block_bytes);
        ready_slots_[slot] = slot;
    }
    ready_count_ = transfers_.size();
    const bool one_by_one = options_.one_by_one();
    const std::size_t least = static_cast<std::size_t>(std::max(1, options_.batch));
    // A batch of one is taken one by one also where more has come back: each goes out again at once, alone.
    const std::span<Completion> room =
        std::span(completions_).first(options_.batch == 1 ? 1 : completions_.size());
    std::size_t in_flight = 0;
    std::int64_t last = clock_.now().count();

    while (true) {
        const bool stopping = signals_.stop.load(std::memory_order_relaxed);
        if (!stopping && ready_count_ > 0) {
            // Not before: what was chosen and never written could not be told from a lost write.
            for (std::size_t i = 0; i < ready_count_; ++i) ready_[i] = choose(ready_slots_[i]);
            const std::int64_t now = clock_.now().count();
            for (std::size_t i = 0; i < ready_count_; ++i) submitted_ns_[ready_slots_[i]] = now;
            submitted_sum_ns_ += ready_count_ * static_cast<std::uint64_t>(now);
            book_->in_flight_ns += static_cast<double>(in_flight) * static_cast<double>(now - last);
            last = now;
            engine_->submit({ready_.data(), ready_count_}, one_by_one);
            in_flight += ready_count_;
            ready_count_ = 0;
        }
        if (in_flight == 0) break;

        const std::int64_t handed_over = one_by_one ? clock_.now().count() : 0;
        const std::size_t count = engine_->reap(room, std::min(least, in_flight));
        const std::int64_t now = clock_.now().count();
        account(last, now, in_flight, count);
        if (one_by_one) {
            book_->submission.record(static_cast<std::uint64_t>(handed_over - last));
            book_->completion.record(static_cast<std::uint64_t>(now - handed_over));
        }
        last = now;
        in_flight -= count;
        for (std::size_t i = 0; i < count; ++i) take(completions_[i], now);
    }
}

/// Enters into the books that `count` requests came back between `last` and `now`, `in_flight` being out.
/// Where a slice ended in between, each of the two gets its share: so that all slices together count every
/// operation once, over slices that are as long as the reader's clock says, also where this thread had to
/// wait for its CPU.
void Job::account(std::int64_t last, std::int64_t now, std::size_t in_flight, std::size_t count) {
    const double length = static_cast<double>(now - last);
    const double out = static_cast<double>(in_flight);
    const double done = static_cast<double>(count);
    const std::uint64_t wanted = signals_.slice.load(std::memory_order_acquire);
    if (wanted == slice_) {
        book_->in_flight_ns += out * length;
        book_->operations += done;
        return;
    }
    const std::int64_t boundary = std::clamp(signals_.boundary_ns.load(std::memory_order_relaxed), last, now);
    const double share = now > last ? static_cast<double>(boundary - last) / length : 1.0;
    book_->in_flight_ns += out * length * share;
    book_->operations += done * share;
    const std::int64_t age = age_of_those_in_flight(in_flight, boundary);
    book_->end_age_ns = age;
    slice_ = wanted;
    book_ = &books[slice_ % 2];
    book_->begin_age_ns = age;
    book_->in_flight_ns += out * length * (1 - share);
    book_->operations += done * (1 - share);
    seen_slice.store(slice_, std::memory_order_release);
}

}  // namespace assay::storage
