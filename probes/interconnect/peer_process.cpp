#include "probes/interconnect/peer_process.h"

#include <cerrno>
#include <csignal>
#include <system_error>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace assay::interconnect {
namespace {

constexpr int failed_exit = 70;  ///< EX_SOFTWARE

[[noreturn]] void be_the_peer(pid_t parent, const std::function<int()>& body) {
    int code = failed_exit;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    // The parent may have died before the line above took effect.
    if (::getppid() == parent) {
        try {
            code = body();
        } catch (...) {
            code = failed_exit;
        }
    }
    // Never back into the parent's program: its buffers and destructors are its own.
    ::_exit(code);
}

}  // namespace

PeerProcess::PeerProcess(const std::function<int()>& body) {
    const pid_t parent = ::getpid();
    id_ = ::fork();
    if (id_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (id_ == 0) be_the_peer(parent, body);
}

PeerProcess::~PeerProcess() {
    if (id_ < 0) return;
    ::kill(id_, SIGKILL);
    while (::waitpid(id_, nullptr, 0) < 0 && errno == EINTR) {
    }
}

int PeerProcess::wait() {
    int status = 0;
    while (::waitpid(id_, &status, 0) < 0) {
        if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "waitpid");
    }
    id_ = -1;
    constexpr int signal_offset = 128;
    return WIFEXITED(status) ? WEXITSTATUS(status) : signal_offset + WTERMSIG(status);
}

}  // namespace assay::interconnect
