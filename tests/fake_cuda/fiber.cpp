#include "tests/fake_cuda/fiber.h"

#include <cstdint>

#include <sys/mman.h>

#ifdef ASSAY_SANITIZE
#include <sanitizer/common_interface_defs.h>
#endif

namespace assay::simt {

Fiber::Fiber(void (*body)(void*), void* argument) : body_(body), argument_(argument) {
    // Its lowest page is closed: a stack that is too small ends the program where it overflows.
    stack_ = static_cast<std::byte*>(
        mmap(nullptr, stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(stack_, 4096, PROT_NONE);
    bottom_ = stack_;
    size_ = stack_bytes;
    getcontext(&context_);
    context_.uc_stack.ss_sp = stack_;
    context_.uc_stack.ss_size = stack_bytes;
    context_.uc_link = nullptr;
    const std::uintptr_t self = reinterpret_cast<std::uintptr_t>(this);
    makecontext(&context_, reinterpret_cast<void (*)()>(&Fiber::begin), 2, static_cast<unsigned>(self >> 32),
                static_cast<unsigned>(self));
}

Fiber::~Fiber() {
    if (stack_ != nullptr) munmap(stack_, stack_bytes);
}

void Fiber::begin(unsigned high, unsigned low) {
    Fiber& self = *reinterpret_cast<Fiber*>(static_cast<std::uintptr_t>(high) << 32 | low);
#ifdef ASSAY_SANITIZE
    __sanitizer_finish_switch_fiber(nullptr, &self.came_from_->bottom_, &self.came_from_->size_);
#endif
    self.body_(self.argument_);
}

void Fiber::switch_to(Fiber& next) {
    next.came_from_ = this;
#ifdef ASSAY_SANITIZE
    __sanitizer_start_switch_fiber(&fake_stack_, next.bottom_, next.size_);
#endif
    swapcontext(&context_, &next.context_);
#ifdef ASSAY_SANITIZE
    __sanitizer_finish_switch_fiber(fake_stack_, &came_from_->bottom_, &came_from_->size_);
#endif
}

}  // namespace assay::simt
