#pragma once

// A driver for CUDA without a card: a shared object named libcuda.so.1 with the entry points that assay
// calls. A card's memory is the host's, a stream is a thread, and kernels really run: each
// kernels/cuda/NAME.cu is compiled for the host, too, its blocks' threads as fibers (simt.h). It records
// calls, fails when told, runs out of memory, hangs.
//
// A new kernels/cuda/NAME.cu needs nothing here: CMake finds it, and its kernels by their `extern "C"
// __global__`. Names of kernels are unique over all programs. What a kernel uses of CUDA beside what simt.h
// has is added there, or gets a host form in kernels/cuda/device_code.h.
//
// Unit tests: add `fake_cuda` to the libraries of assay_test(...) in tests/CMakeLists.txt. The product's
// dlopen of libcuda.so.1 finds the one that is linked. Begin each test with reset(), or hold a Fresh:
//     const fake_cuda::Fresh driver({{.name = "Fake GPU", .memory_bytes = 1 << 30}});
//     driver.fail("cuMemAlloc_v2", 2, 3);            // the third one: CUDA_ERROR_OUT_OF_MEMORY
//     open_device("cuda:0") ...
// Without it there is one card. Whole programs: LD_LIBRARY_PATH with this library's folder
// ($<TARGET_FILE_DIR:fake_cuda>), and, in the environment:
//     FAKE_CUDA_CARDS="Fake GPU,9.0,1024;Tesla V100,7.0,2048"    name, compute capability, MiB; empty: no
//     card FAKE_CUDA_FAIL="cuLaunchKernel 719 5;cuInit 100 0"         call, error, which one from the start
//     (0: all) FAKE_CUDA_HANG="cuStreamSynchronize 1"                     call, which one
//     FAKE_CUDA_DRIVER=12020                                     the CUDA version that the driver is one for
//
// A fake library of NVIDIA's on top of it (cuBLASLt) takes card memory's address for a pointer and hands its
// work to `enqueue`.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace assay::fake_cuda {

struct Card {
    std::string name = "Fake GPU";
    int major = 9, minor = 0;  ///< compute capability
    int multiprocessors = 4;
    std::uint64_t memory_bytes = std::uint64_t{1} << 30;
    std::uint64_t used_by_others = 0;  ///< of these
    std::string pci_address = "0000:65:00.0";
    int compute_mode = 0;  ///< 2: prohibited, 3: exclusive to one process
    bool taken = false;    ///< in use by another process that has it for itself
    bool reaches_peers = true;
};

/// As after loading, by the environment: cards, planned failures, a driver that is not lost.
void reset();
void set_cards(std::vector<Card> cards);
void set_driver_version(int version);

/// Call number `at` from now on of this entry point returns `error`; 0: every one. After an error that a real
/// card does not recover from, all later calls return it.
void fail(const std::string& call, int error, int at = 1);
/// Call number `at` from now on never returns.
void hang(const std::string& call, int at = 1);
/// This many later kernel launches and all after them do nothing (a wrong result, not an error).
void skip_launches_after(int launches);

/// Names of the entry points called since reset(), in their order.
std::vector<std::string> calls();
int count_of(const std::string& call);
std::uint64_t allocated_bytes();  ///< of cards' memory, by everyone
/// True when [pointer, pointer + bytes) lies in one piece of a card's memory.
bool is_card_memory(const void* pointer, std::uint64_t bytes);

/// Work of a library, in a stream's order; null is the default stream. The result is CUDA's (0: done).
void enqueue(void* stream, std::function<int()> work);

/// reset() before and after a test.
class Fresh {
  public:
    Fresh() { reset(); }
    explicit Fresh(std::vector<Card> cards) : Fresh() { set_cards(std::move(cards)); }
    ~Fresh() { reset(); }
    Fresh(const Fresh&) = delete;
    Fresh& operator=(const Fresh&) = delete;
    void fail(const std::string& call, int error, int at = 1) const { fake_cuda::fail(call, error, at); }
};

}  // namespace assay::fake_cuda
