#include "tests/fake_cuda/state.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <sstream>

#include <unistd.h>

namespace assay::cuda {

StreamObject::StreamObject() : thread_([this] { work(); }) {}

StreamObject::~StreamObject() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void StreamObject::add(std::function<void()> work) {
    {
        const std::lock_guard lock(mutex_);
        queued_.push_back(std::move(work));
        ++undone_;
    }
    changed_.notify_all();
}

void StreamObject::wait_until_done() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return undone_ == 0; });
}

void StreamObject::work() {
    std::unique_lock lock(mutex_);
    while (true) {
        changed_.wait(lock, [this] { return ending_ || !queued_.empty(); });
        if (queued_.empty()) return;
        const std::function<void()> next = std::move(queued_.front());
        queued_.pop_front();
        lock.unlock();
        next();
        lock.lock();
        --undone_;
        changed_.notify_all();
    }
}

}  // namespace assay::cuda

namespace assay::fake_cuda {

namespace {

thread_local ContextObject* current = nullptr;

/// The fields of `text` between `separator`s.
std::vector<std::string> fields(const std::string& text, char separator) {
    std::vector<std::string> found;
    std::istringstream stream(text);
    for (std::string field; std::getline(stream, field, separator);) found.push_back(field);
    return found;
}

std::string setting(const char* name) {
    const char* const value = std::getenv(name);
    return value != nullptr ? value : "";
}

void take_cards(State& state, std::vector<Card> cards) {
    state.cards = std::move(cards);
    state.contexts.clear();
    for (std::size_t i = 0; i < state.cards.size(); ++i)
        state.contexts.push_back({static_cast<int>(i), 0, {}});
}

std::vector<Card> cards_of_environment() {
    if (std::getenv("FAKE_CUDA_CARDS") == nullptr) return {Card{}};
    std::vector<Card> cards;
    for (const std::string& text : fields(setting("FAKE_CUDA_CARDS"), ';')) {
        const std::vector<std::string> parts = fields(text, ',');
        Card card;
        card.name = parts.at(0);
        card.major = std::stoi(parts.at(1));
        card.minor = std::stoi(parts.at(1).substr(parts[1].find('.') + 1));
        card.memory_bytes = std::stoull(parts.at(2)) << 20;
        card.pci_address = "0000:" + std::to_string(65 + cards.size()) + ":00.0";
        cards.push_back(card);
    }
    return cards;
}

void read_environment(State& state) {
    take_cards(state, cards_of_environment());
    state.driver_version = 13000;
    if (const std::string version = setting("FAKE_CUDA_DRIVER"); !version.empty())
        state.driver_version = std::stoi(version);
    for (const std::string& text : fields(setting("FAKE_CUDA_FAIL"), ';')) {
        Planned planned;
        std::istringstream(text) >> planned.call >> planned.error >> planned.at;
        state.planned.push_back(planned);
    }
    if (Planned planned; std::istringstream(setting("FAKE_CUDA_HANG")) >> planned.call >> planned.at) {
        planned.hangs = true;
        state.planned.push_back(planned);
    }
}

/// By the documentation of the errors, "any further CUDA work will return the same error".
constexpr std::array not_recovered_from = {214, 220, 226, 700, 702, 710, 714,
                                           715, 716, 717, 718, 719, 721, 911};

}  // namespace

State& state() {
    static State& only = *[] {
        State* const made = new State;
        read_environment(*made);
        return made;
    }();
    return only;
}

std::vector<HostKernel>& host_kernels() {
    static std::vector<HostKernel> kernels;
    return kernels;
}

void reset() {
    State& known = state();
    const std::lock_guard lock(known.mutex);
    known.planned.clear();
    known.calls.clear();
    known.lost = error::none;
    known.initialized = false;
    known.launches_left = -1;
    current = nullptr;
    read_environment(known);
}

void set_cards(std::vector<Card> cards) {
    const std::lock_guard lock(state().mutex);
    take_cards(state(), std::move(cards));
}

void set_driver_version(int version) {
    const std::lock_guard lock(state().mutex);
    state().driver_version = version;
}

void fail(const std::string& call, int error, int at) {
    const std::lock_guard lock(state().mutex);
    state().planned.push_back({call, error, at, false, 0});
}

void hang(const std::string& call, int at) {
    const std::lock_guard lock(state().mutex);
    state().planned.push_back({call, error::none, at, true, 0});
}

void skip_launches_after(int launches) {
    const std::lock_guard lock(state().mutex);
    state().launches_left = launches;
}

std::vector<std::string> calls() {
    const std::lock_guard lock(state().mutex);
    return state().calls;
}

int count_of(const std::string& call) {
    const std::vector<std::string> made = calls();
    return static_cast<int>(std::count(made.begin(), made.end(), call));
}

std::uint64_t allocated_bytes() {
    const std::lock_guard lock(state().mutex);
    std::uint64_t bytes = 0;
    for (const auto& [address, piece] : state().pieces)
        if (piece.card >= 0) bytes += piece.bytes;
    return bytes;
}

bool is_mapped(Address address, std::uint64_t bytes) {
    const std::lock_guard lock(state().mutex);
    auto after = state().pieces.upper_bound(address);
    if (after == state().pieces.begin()) return false;
    --after;
    return address + bytes <= after->first + after->second.bytes;
}

bool is_card_memory(const void* pointer, std::uint64_t bytes) {
    return is_mapped(reinterpret_cast<Address>(pointer), bytes);
}

Result remember(Result error) {
    const std::lock_guard lock(state().mutex);
    if (std::find(not_recovered_from.begin(), not_recovered_from.end(), error) != not_recovered_from.end() &&
        state().lost == error::none)
        state().lost = error;
    return error;
}

Result begin_call(const char* name, bool needs_context) {
    State& known = state();
    std::unique_lock lock(known.mutex);
    known.calls.emplace_back(name);
    Result result = error::none;
    for (Planned& planned : known.planned) {
        if (planned.call != name) continue;
        ++planned.seen;
        if (planned.at != 0 && planned.seen != planned.at) continue;
        if (planned.hangs) {
            lock.unlock();
            while (true) ::pause();
        }
        result = planned.error;
    }
    if (result != error::none) {
        lock.unlock();
        return remember(result);
    }
    if (std::string(name) == "cuInit") return error::none;
    if (!known.initialized) return error::not_initialized;
    if (known.lost != error::none) return known.lost;
    if (needs_context && current == nullptr) return error::invalid_context;
    return error::none;
}

ContextObject* current_context() {
    return current;
}

void set_current_context(ContextObject* context) {
    current = context;
}

bool is_live(void* handle) {
    const std::lock_guard lock(state().mutex);
    return state().handles.count(handle) != 0;
}

StreamObject& stream_of(Stream stream) {
    if (stream != nullptr) return *stream;
    static StreamObject& default_stream = *new StreamObject;
    return default_stream;
}

void enqueue(void* stream, std::function<int()> work) {
    stream_of(static_cast<Stream>(stream)).add([work = std::move(work)] {
        if (state().lost == error::none) remember(work());
    });
}

}  // namespace assay::fake_cuda
