// The entry points: what each does on a card, done on the host. Documentation: NVIDIA's CUDA Driver API.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include <sys/mman.h>

#include "tests/fake_cuda/blocks.h"
#include "tests/fake_cuda/programs.h"
#include "tests/fake_cuda/state.h"

namespace assay::fake_cuda {
namespace {

// As much after each piece as CUDA's alignment leaves, which is looked at when it is freed, and then a closed
// page: a kernel that goes beyond ends the program.
constexpr std::uint64_t page = 4096, alignment = 256;
constexpr std::uint64_t poisoned_bytes = 1 << 20;
constexpr unsigned char slack_value = 0x5A;

Result allocate(Address* address, std::uint64_t bytes, int card) {
    if (bytes == 0) return error::invalid_value;
    State& known = state();
    const std::lock_guard lock(known.mutex);
    if (card >= 0) {
        std::uint64_t used = bytes + known.cards[static_cast<std::size_t>(card)].used_by_others;
        for (const auto& [other, piece] : known.pieces)
            if (piece.card == card) used += piece.bytes;
        if (used > known.cards[static_cast<std::size_t>(card)].memory_bytes) return error::out_of_memory;
    }
    const std::uint64_t rounded = (bytes + alignment - 1) / alignment * alignment;
    const std::uint64_t open = (rounded + page - 1) / page * page;
    void* const mapped = mmap(nullptr, open + page, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED) return error::out_of_memory;
    mprotect(static_cast<char*>(mapped) + open, page, PROT_NONE);
    *address = reinterpret_cast<Address>(mapped) + open - rounded;
    std::memset(reinterpret_cast<void*>(*address), 0xA5, std::min(bytes, poisoned_bytes));
    std::memset(reinterpret_cast<void*>(*address + bytes), slack_value, rounded - bytes);
    known.pieces[*address] = {bytes, open + page, card};
    return error::none;
}

/// As a driver's freeing does, for whoever still uses the memory.
void wait_for_all_streams() {
    std::set<Stream> streams;
    {
        const std::lock_guard lock(state().mutex);
        streams = state().streams;
    }
    for (const Stream stream : streams) stream->wait_until_done();
    stream_of(nullptr).wait_until_done();
}

Result release(Address address) {
    wait_for_all_streams();
    State& known = state();
    const std::lock_guard lock(known.mutex);
    const auto found = known.pieces.find(address);
    if (found == known.pieces.end()) return error::invalid_value;
    const std::uint64_t bytes = found->second.bytes;
    for (Address at = address + bytes; at % alignment != 0; ++at)
        if (*reinterpret_cast<const unsigned char*>(at) != slack_value) {
            std::fprintf(stderr, "something wrote behind the end of memory of %llu bytes\n",
                         static_cast<unsigned long long>(bytes));
            std::abort();
        }
    munmap(reinterpret_cast<void*>(address / page * page), found->second.mapped_bytes);
    known.pieces.erase(found);
    return error::none;
}

template <typename Object>
Object* live(Object* made) {
    const std::lock_guard lock(state().mutex);
    state().handles.insert(made);
    return made;
}

void forget(void* handle) {
    const std::lock_guard lock(state().mutex);
    state().handles.erase(handle);
}

std::uint64_t image_bytes(const char* image) {
    // A fat binary's header: magic, version and header size of two bytes each, size of what follows.
    std::uint32_t magic = 0;
    std::memcpy(&magic, image, sizeof magic);
    if (magic != 0xBA55ED50u) return std::strlen(image);
    std::uint16_t header = 0;
    std::uint64_t size = 0;
    std::memcpy(&header, image + 6, sizeof header);
    std::memcpy(&size, image + 8, sizeof size);
    return header + size;
}

double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// In the stream's order, but for a card that is lost by then.
void add(Stream stream, std::function<void()> work) {
    enqueue(stream, [work = std::move(work)] {
        work();
        return error::none;
    });
}

bool is_pinned(const void* pointer) {
    const Address address = reinterpret_cast<Address>(pointer);
    const std::lock_guard lock(state().mutex);
    auto after = state().pieces.upper_bound(address);
    if (after == state().pieces.begin()) return false;
    --after;
    return after->second.card < 0 && address < after->first + after->second.bytes;
}

Result copy(Address to, Address from, std::size_t bytes, Stream stream) {
    add(stream,
        [=] { std::memmove(reinterpret_cast<void*>(to), reinterpret_cast<const void*>(from), bytes); });
    return error::none;
}

Card& card_at(DeviceNumber device) {
    return state().cards[static_cast<std::size_t>(device)];
}

bool is_device(DeviceNumber device) {
    return device >= 0 && static_cast<std::size_t>(device) < state().cards.size();
}

}  // namespace
}  // namespace assay::fake_cuda

using namespace assay::fake_cuda;
using namespace assay::cuda;
namespace error = assay::cuda::error;

#define ASSAY_BEGIN(name, needs_context) \
    if (const Result planned = begin_call(name, needs_context); planned != error::none) return planned

extern "C" {

Result cuInit(unsigned) {
    ASSAY_BEGIN("cuInit", false);
    if (state().cards.empty()) return error::no_device;
    state().initialized = true;
    return error::none;
}

Result cuDriverGetVersion(int* version) {
    ASSAY_BEGIN("cuDriverGetVersion", false);
    *version = state().driver_version;
    return error::none;
}

Result cuDeviceGetCount(int* count) {
    ASSAY_BEGIN("cuDeviceGetCount", false);
    *count = static_cast<int>(state().cards.size());
    return error::none;
}

Result cuDeviceGet(DeviceNumber* device, int ordinal) {
    ASSAY_BEGIN("cuDeviceGet", false);
    if (!is_device(ordinal)) return error::invalid_device;
    *device = ordinal;
    return error::none;
}

Result cuDeviceGetName(char* name, int bytes, DeviceNumber device) {
    ASSAY_BEGIN("cuDeviceGetName", false);
    if (!is_device(device)) return error::invalid_device;
    std::snprintf(name, static_cast<std::size_t>(bytes), "%s", card_at(device).name.c_str());
    return error::none;
}

Result cuDeviceGetAttribute(int* value, int attribute, DeviceNumber device) {
    ASSAY_BEGIN("cuDeviceGetAttribute", false);
    if (!is_device(device)) return error::invalid_device;
    const Card& card = card_at(device);
    switch (attribute) {
        case attribute::multiprocessor_count:
            *value = card.multiprocessors;
            return error::none;
        case attribute::compute_mode:
            *value = card.compute_mode;
            return error::none;
        case attribute::compute_capability_major:
            *value = card.major;
            return error::none;
        case attribute::compute_capability_minor:
            *value = card.minor;
            return error::none;
        default:
            return error::invalid_value;
    }
}

Result cuDeviceTotalMem_v2(std::size_t* bytes, DeviceNumber device) {
    ASSAY_BEGIN("cuDeviceTotalMem_v2", false);
    if (!is_device(device)) return error::invalid_device;
    *bytes = card_at(device).memory_bytes;
    return error::none;
}

Result cuDeviceGetPCIBusId(char* text, int bytes, DeviceNumber device) {
    ASSAY_BEGIN("cuDeviceGetPCIBusId", false);
    if (!is_device(device)) return error::invalid_device;
    std::snprintf(text, static_cast<std::size_t>(bytes), "%s", card_at(device).pci_address.c_str());
    return error::none;
}

Result cuDeviceCanAccessPeer(int* can, DeviceNumber device, DeviceNumber peer) {
    ASSAY_BEGIN("cuDeviceCanAccessPeer", false);
    if (!is_device(device) || !is_device(peer)) return error::invalid_device;
    *can = card_at(device).reaches_peers && card_at(peer).reaches_peers && device != peer;
    return error::none;
}

Result cuDevicePrimaryCtxRetain(Context* context, DeviceNumber device) {
    ASSAY_BEGIN("cuDevicePrimaryCtxRetain", false);
    if (!is_device(device)) return error::invalid_device;
    if (card_at(device).taken || card_at(device).compute_mode == compute_mode_prohibited)
        return error::device_unavailable;
    *context = &state().contexts[static_cast<std::size_t>(device)];
    ++(*context)->retained;
    return error::none;
}

Result cuDevicePrimaryCtxRelease_v2(DeviceNumber device) {
    ASSAY_BEGIN("cuDevicePrimaryCtxRelease_v2", false);
    if (!is_device(device)) return error::invalid_device;
    --state().contexts[static_cast<std::size_t>(device)].retained;
    return error::none;
}

Result cuCtxSetCurrent(Context context) {
    ASSAY_BEGIN("cuCtxSetCurrent", false);
    if (context != nullptr && context->retained <= 0) return error::context_is_destroyed;
    set_current_context(context);
    return error::none;
}

Result cuCtxEnablePeerAccess(Context peer, unsigned) {
    ASSAY_BEGIN("cuCtxEnablePeerAccess", true);
    if (peer == current_context()) return error::invalid_device;
    return current_context()->peers.insert(peer->card).second ? error::none
                                                              : error::peer_access_already_enabled;
}

Result cuMemGetInfo_v2(std::size_t* free, std::size_t* total) {
    ASSAY_BEGIN("cuMemGetInfo_v2", true);
    const std::lock_guard lock(state().mutex);
    const int card = current_context()->card;
    *total = card_at(card).memory_bytes;
    std::uint64_t used = card_at(card).used_by_others;
    for (const auto& [address, piece] : state().pieces)
        if (piece.card == card) used += piece.bytes;
    // Pieces of a card that was lost in an earlier test are never freed.
    *free = *total - std::min<std::uint64_t>(*total, used);
    return error::none;
}

Result cuMemAlloc_v2(Address* address, std::size_t bytes) {
    ASSAY_BEGIN("cuMemAlloc_v2", true);
    return allocate(address, bytes, current_context()->card);
}

Result cuMemFree_v2(Address address) {
    ASSAY_BEGIN("cuMemFree_v2", true);
    return address == 0 ? error::none : release(address);
}

Result cuMemHostAlloc(void** pointer, std::size_t bytes, unsigned) {
    ASSAY_BEGIN("cuMemHostAlloc", true);
    Address address = 0;
    if (const Result failed = allocate(&address, bytes, -1); failed != error::none) return failed;
    *pointer = reinterpret_cast<void*>(address);
    return error::none;
}

Result cuMemFreeHost(void* pointer) {
    ASSAY_BEGIN("cuMemFreeHost", true);
    return release(reinterpret_cast<Address>(pointer));
}

Result cuMemHostGetDevicePointer_v2(Address* address, void* pointer, unsigned) {
    ASSAY_BEGIN("cuMemHostGetDevicePointer_v2", true);
    if (!is_pinned(pointer)) return error::invalid_value;
    *address = reinterpret_cast<Address>(pointer);
    return error::none;
}

Result cuMemcpyHtoDAsync_v2(Address to, const void* from, std::size_t bytes, Stream stream) {
    ASSAY_BEGIN("cuMemcpyHtoDAsync_v2", true);
    if (!is_mapped(to, bytes)) return error::invalid_value;
    if (is_pinned(from)) return copy(to, reinterpret_cast<Address>(from), bytes, stream);
    // Pageable memory goes by a buffer of the driver: the caller is free when the last part is in it.
    constexpr std::size_t buffer_bytes = 64 << 10;
    const auto buffer = std::make_shared<std::vector<char>>(bytes);
    std::memcpy(buffer->data(), from, bytes);
    add(stream, [=] { std::memcpy(reinterpret_cast<void*>(to), buffer->data(), bytes); });
    if (bytes > buffer_bytes) stream_of(stream).wait_until_done();
    return error::none;
}

Result cuMemcpyDtoHAsync_v2(void* to, Address from, std::size_t bytes, Stream stream) {
    ASSAY_BEGIN("cuMemcpyDtoHAsync_v2", true);
    if (!is_mapped(from, bytes)) return error::invalid_value;
    copy(reinterpret_cast<Address>(to), from, bytes, stream);
    // To pageable memory it returns when the bytes are there.
    if (!is_pinned(to)) stream_of(stream).wait_until_done();
    return error::none;
}

Result cuMemcpyDtoDAsync_v2(Address to, Address from, std::size_t bytes, Stream stream) {
    ASSAY_BEGIN("cuMemcpyDtoDAsync_v2", true);
    if (!is_mapped(to, bytes) || !is_mapped(from, bytes)) return error::invalid_value;
    return copy(to, from, bytes, stream);
}

Result cuMemcpyPeerAsync(Address to, Context, Address from, Context, std::size_t bytes, Stream stream) {
    ASSAY_BEGIN("cuMemcpyPeerAsync", true);
    if (!is_mapped(to, bytes) || !is_mapped(from, bytes)) return error::invalid_value;
    return copy(to, from, bytes, stream);
}

Result cuMemsetD8Async(Address to, unsigned char value, std::size_t bytes, Stream stream) {
    ASSAY_BEGIN("cuMemsetD8Async", true);
    if (!is_mapped(to, bytes)) return error::invalid_value;
    add(stream, [=] { std::memset(reinterpret_cast<void*>(to), value, bytes); });
    return error::none;
}

Result cuModuleLoadData(Module* module, const void* image) {
    ASSAY_BEGIN("cuModuleLoadData", true);
    if (image == nullptr) return error::invalid_value;
    const char* const bytes = static_cast<const char*>(image);
    const std::string_view content(bytes, image_bytes(bytes));
    for (const EmbeddedFile& known : known_programs()) {
        if (known.content != content) continue;
        const std::string_view file = known.name.substr(known.name.find('/') + 1);
        *module = live(new ModuleObject{std::string(file.substr(0, file.find('.')))});
        return error::none;
    }
    return error::invalid_image;
}

Result cuModuleUnload(Module module) {
    ASSAY_BEGIN("cuModuleUnload", true);
    if (!is_live(module)) return error::invalid_handle;
    forget(module);
    delete module;
    return error::none;
}

Result cuModuleGetFunction(Function* function, Module module, const char* name) {
    ASSAY_BEGIN("cuModuleGetFunction", true);
    if (!is_live(module)) return error::invalid_handle;
    for (const HostKernel& kernel : host_kernels()) {
        if (kernel.program != module->program || kernel.name != name) continue;
        const std::lock_guard lock(state().mutex);
        *function = &state().functions[kernel.program + "/" + name];
        (*function)->kernel = &kernel;
        return error::none;
    }
    return error::not_found;
}

Result cuFuncGetAttribute(int* value, int, Function) {
    ASSAY_BEGIN("cuFuncGetAttribute", true);
    *value = 32;
    return error::none;
}

Result cuFuncLoad(Function) {
    ASSAY_BEGIN("cuFuncLoad", true);
    return error::none;
}

Result cuLaunchKernel(Function function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                      unsigned block_y, unsigned block_z, unsigned, Stream stream, void** parameters,
                      void**) {
    ASSAY_BEGIN("cuLaunchKernel", true);
    const std::uint64_t threads = std::uint64_t{block_x} * block_y * block_z;
    if (grid_x == 0 || grid_y == 0 || grid_z != 1 || threads == 0 || block_z != 1 || threads > 1024 ||
        grid_x > 0x7fffffff || grid_y > 65535)
        return error::invalid_value;
    {
        const std::lock_guard lock(state().mutex);
        if (state().launches_left == 0) return error::none;
        if (state().launches_left > 0) --state().launches_left;
    }
    const HostKernel& kernel = *function->kernel;
    auto values = std::make_shared<std::vector<std::uint64_t>>(kernel.argument_bytes.size());
    for (std::size_t i = 0; i < values->size(); ++i)
        std::memcpy(&(*values)[i], parameters[i], kernel.argument_bytes[i]);
    enqueue(stream, [=, &kernel] {
        std::vector<const void*> arguments;
        for (const std::uint64_t& value : *values) arguments.push_back(&value);
        const std::string wrong = assay::simt::run_grid({grid_x, grid_y, 1}, {block_x, block_y, 1},
                                                        [&] { kernel.call(arguments); });
        if (wrong.empty()) return error::none;
        std::fprintf(stderr, "kernel %s: %s\n", kernel.name.c_str(), wrong.c_str());
        return error::launch_failed;
    });
    return error::none;
}

Result cuStreamCreate(Stream* stream, unsigned) {
    ASSAY_BEGIN("cuStreamCreate", true);
    *stream = live(new StreamObject);
    const std::lock_guard lock(state().mutex);
    state().streams.insert(*stream);
    return error::none;
}

Result cuStreamDestroy_v2(Stream stream) {
    ASSAY_BEGIN("cuStreamDestroy_v2", true);
    if (!is_live(stream)) return error::invalid_handle;
    forget(stream);
    {
        const std::lock_guard lock(state().mutex);
        state().streams.erase(stream);
    }
    delete stream;
    return error::none;
}

Result cuStreamSynchronize(Stream stream) {
    ASSAY_BEGIN("cuStreamSynchronize", true);
    if (stream != nullptr && !is_live(stream)) return error::invalid_handle;
    stream_of(stream).wait_until_done();
    return state().lost;
}

Result cuEventCreate(Event* event, unsigned) {
    ASSAY_BEGIN("cuEventCreate", true);
    *event = live(new EventObject);
    return error::none;
}

Result cuEventDestroy_v2(Event event) {
    ASSAY_BEGIN("cuEventDestroy_v2", true);
    if (!is_live(event)) return error::invalid_handle;
    forget(event);
    const std::lock_guard lock(state().mutex);
    state().destroyed_events.push_back(event);
    return error::none;
}

Result cuEventRecord(Event event, Stream stream) {
    ASSAY_BEGIN("cuEventRecord", true);
    if (!is_live(event) || (stream != nullptr && !is_live(stream))) return error::invalid_handle;
    {
        const std::lock_guard lock(event->mutex);
        event->recorded = true;
        event->passed = false;
    }
    add(stream, [event] {
        const std::lock_guard lock(event->mutex);
        event->passed = true;
        event->seconds = now();
    });
    return error::none;
}

Result cuEventElapsedTime(float* milliseconds, Event begin, Event end) {
    ASSAY_BEGIN("cuEventElapsedTime", true);
    if (!is_live(begin) || !is_live(end)) return error::invalid_handle;
    const std::scoped_lock lock(begin->mutex, end->mutex);
    if (!begin->recorded || !end->recorded) return error::invalid_handle;
    if (!begin->passed || !end->passed) return error::not_ready;
    *milliseconds = static_cast<float>((end->seconds - begin->seconds) * 1e3);
    return error::none;
}

}  // extern "C"
