#pragma once

#include <cstddef>

#include <ucontext.h>

namespace assay::simt {

/// A stack of its own and a place in what runs on it. The one without a stack is a thread's own.
class Fiber {
  public:
    Fiber() = default;
    /// Calls `body(argument)`, which must not return, when first switched to.
    Fiber(void (*body)(void*), void* argument);
    ~Fiber();
    Fiber(const Fiber&) = delete;
    Fiber& operator=(const Fiber&) = delete;

    /// Goes on with `next` on this thread until something switches back.
    void switch_to(Fiber& next);

  private:
    static constexpr std::size_t stack_bytes = 64 << 10;
    static void begin(unsigned high, unsigned low);

    void (*body_)(void*) = nullptr;
    void* argument_ = nullptr;
    std::byte* stack_ = nullptr;
    ucontext_t context_{};
    // What the address sanitizer wants to know of stacks.
    [[maybe_unused]] void* fake_stack_ = nullptr;
    const void* bottom_ = nullptr;
    std::size_t size_ = 0;
    Fiber* came_from_ = nullptr;
};

}  // namespace assay::simt
