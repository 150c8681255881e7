#include "probes/core/os/child_process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>
#include <thread>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "probes/core/clock.h"
#include "probes/core/os/cgroup.h"
#include "probes/core/os/file_descriptor.h"
#include "probes/core/os/sysfs.h"
#include "probes/core/os/text.h"

namespace assay::os {
namespace {

using namespace std::chrono_literals;

constexpr Nanoseconds poll_interval = 50ms;
/// How long a killed child may take to end. One that sleeps in a hung driver never does; the run goes on
/// without it.
constexpr Nanoseconds patience_after_kill = 3s;
/// How long pipes are read after the child's end, where a process outside its group still holds them.
constexpr Nanoseconds patience_after_exit = 500ms;
constexpr std::size_t longest_line = 64u << 10;

[[noreturn]] void fail(std::string_view call) {
    throw std::system_error(errno, std::generic_category(), std::string(call));
}

/// How often the kernel's OOM killer struck here: in the own control group (versions 1 and 2) and anywhere.
struct OomCount {
    std::uint64_t group = 0;
    std::uint64_t anywhere = 0;
};

OomCount oom_count() {
    OomCount count;
    for (const std::filesystem::path& folder : cgroup_folders("memory")) {
        for (const char* const name : {"memory.oom_control", "memory.events"}) {
            const std::optional<std::string> text = read_text(folder / name);
            if (text) count.group += value_of(*text, "oom_kill").value_or(0);
        }
    }
    count.anywhere = value_of(read_text("/proc/vmstat").value_or(""), "oom_kill").value_or(0);
    return count;
}

struct Pipe {
    FileDescriptor read;
    FileDescriptor write;
};

Pipe make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail("pipe2");
    Pipe pipe{FileDescriptor(ends[0]), FileDescriptor(ends[1])};
    // Numbers above the standard ones, even where the parent runs without those: dup2() below relies on it.
    for (FileDescriptor* const end : {&pipe.read, &pipe.write}) {
        if (end->get() > 2) continue;
        FileDescriptor moved(::fcntl(end->get(), F_DUPFD_CLOEXEC, 3));
        if (!moved) fail("fcntl F_DUPFD_CLOEXEC");
        *end = std::move(moved);
    }
    return pipe;
}

int highest_descriptor() {
    int highest = 255;
    DIR* const folder = ::opendir("/proc/self/fd");
    if (folder == nullptr) return highest;
    while (const dirent* const entry = ::readdir(folder)) {
        highest = std::max(highest, static_cast<int>(parse_number(entry->d_name).value_or(0)));
    }
    ::closedir(folder);
    return highest;
}

/// All that the child needs between fork and exec, prepared by the parent: there only async-signal-safe calls
/// are allowed, since other threads may have held the allocator's lock.
struct Launch {
    std::vector<char*> arguments;
    std::vector<int> inherited;
    pid_t parent = 0;
    int null_input = -1;
    int output = -1;
    int error = -1;
    int exec_error = -1;
    int highest = 0;
};

void close_on_exec_above_standard(int highest) {
#ifdef SYS_close_range
    constexpr unsigned int cloexec_flag = 1u << 2;  // CLOSE_RANGE_CLOEXEC of linux/close_range.h
    if (::syscall(SYS_close_range, 3u, ~0u, cloexec_flag) == 0) return;
#endif
    for (int descriptor = 3; descriptor <= highest; ++descriptor) {
        ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);  // EBADF for those not open
    }
}

[[noreturn]] void become(const Launch& launch) {
    ::setpgid(0, 0);
    // The signal comes when the parent dies after this call; one that died before it is seen by its child
    // having another parent by now.
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != launch.parent) ::_exit(127);

    struct sigaction standard {};
    standard.sa_handler = SIG_DFL;
    for (int number = 1; number < NSIG; ++number) ::sigaction(number, &standard, nullptr);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);

    ::dup2(launch.null_input, STDIN_FILENO);
    ::dup2(launch.output, STDOUT_FILENO);
    ::dup2(launch.error, STDERR_FILENO);
    close_on_exec_above_standard(launch.highest);
    for (const int descriptor : launch.inherited) ::fcntl(descriptor, F_SETFD, 0);

    ::execvp(launch.arguments.front(), launch.arguments.data());
    const int reason = errno;
    [[maybe_unused]] const ssize_t written = ::write(launch.exec_error, &reason, sizeof reason);
    ::_exit(127);
}

/// A started child that is killed with its group and reaped, whatever happens to its owner.
class Child {
  public:
    explicit Child(pid_t pid) : pid_(pid) {
#ifdef SYS_pidfd_open
        pid_file_ = FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
#endif
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        if (reaped_) return;
        kill_group();
        wait_for(patience_after_kill);
    }

    int pid_file() const {
        return pid_file_.get();
    }

    /// The whole group. Only while the child is not reaped: its number is not another's until then.
    void kill_group() {
        if (reaped_) return;
        ::kill(-pid_, SIGKILL);
        ::kill(pid_, SIGKILL);
    }

    /// Whether it has ended; it stays a zombie, and its number its own.
    bool has_ended() {
        siginfo_t info{};
        if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
            return errno == ECHILD;
        }
        return info.si_pid == pid_;
    }

    /// Reaps it once it has ended.
    bool reap(int& status, rusage& usage) {
        pid_t got = -1;
        do {
            got = ::wait4(pid_, &status, WNOHANG, &usage);
        } while (got < 0 && errno == EINTR);
        reaped_ = got == pid_ || (got < 0 && errno == ECHILD);
        return got == pid_;
    }

    bool wait_for(Nanoseconds patience) {
        SteadyClock clock;
        const Nanoseconds until = clock.now() + patience;
        int status = 0;
        rusage usage{};
        while (!reap(status, usage) && !reaped_) {
            if (clock.now() >= until) return false;
            std::this_thread::sleep_for(5ms);
        }
        return true;
    }

  private:
    pid_t pid_;
    FileDescriptor pid_file_;
    bool reaped_ = false;
};

/// Cuts what comes into lines.
class LineSplitter {
  public:
    explicit LineSplitter(const std::function<void(std::string_view)>& sink) : sink_(sink) {}

    void take(std::string_view bytes) {
        if (!sink_) return;
        pending_.append(bytes);
        std::size_t begin = 0;
        for (std::size_t end = pending_.find('\n'); end != std::string::npos;
             end = pending_.find('\n', begin)) {
            sink_(std::string_view(pending_).substr(begin, end - begin));
            begin = end + 1;
        }
        pending_.erase(0, begin);
        if (pending_.size() > longest_line) finish();
    }
    void finish() {
        if (sink_ && !pending_.empty()) sink_(pending_);
        pending_.clear();
    }

  private:
    const std::function<void(std::string_view)>& sink_;
    std::string pending_;
};

/// Reads what is there, but not for ever from one that writes for ever; closes the descriptor at its end.
template <typename Sink>
void drain(FileDescriptor& file, const Sink& sink) {
    std::array<char, 65536> buffer;
    for (int reads = 0; file && reads < 64; ++reads) {
        const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
        if (got > 0) {
            sink(std::string_view(buffer.data(), static_cast<std::size_t>(got)));
            if (static_cast<std::size_t>(got) < buffer.size()) return;
        } else if (got == 0) {
            file.reset();
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return;
        } else if (errno != EINTR) {
            file.reset();
        }
    }
}

double seconds_from(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

/// What the kernel said of exec: 0 when the program runs.
int read_exec_error(const FileDescriptor& file) {
    int reason = 0;
    ssize_t got = -1;
    do {
        got = ::read(file.get(), &reason, sizeof reason);
    } while (got < 0 && errno == EINTR);
    return got == static_cast<ssize_t>(sizeof reason) ? reason : 0;
}

}  // namespace

ChildExit run_child(const std::vector<std::string>& arguments, const ChildOptions& options) {
    if (arguments.empty()) throw std::invalid_argument("run_child: no program named");
    for (const int descriptor : options.inherited) {
        if (descriptor < 3 || ::fcntl(descriptor, F_GETFD) < 0) {
            throw std::invalid_argument(
                fmt::format("run_child: descriptor {} cannot be inherited", descriptor));
        }
    }

    Pipe output = make_pipe();
    Pipe error = make_pipe();
    Pipe exec_error = make_pipe();
    FileDescriptor null_input = open_file("/dev/null", O_RDONLY);

    std::vector<std::string> words = arguments;
    Launch launch;
    for (std::string& word : words) launch.arguments.push_back(word.data());
    launch.arguments.push_back(nullptr);
    launch.inherited = options.inherited;
    launch.parent = ::getpid();
    launch.null_input = null_input.get();
    launch.output = output.write.get();
    launch.error = error.write.get();
    launch.exec_error = exec_error.write.get();
    launch.highest = highest_descriptor();

    SteadyClock clock;
    const OomCount oom_before = oom_count();
    const Nanoseconds started = clock.now();
    const pid_t pid = ::fork();
    if (pid < 0) fail("fork");
    if (pid == 0) become(launch);

    Child child(pid);
    ::setpgid(pid, pid);  // whoever comes first; EACCES once the child runs its program is no loss
    output.write.reset();
    error.write.reset();
    exec_error.write.reset();
    null_input.reset();
    if (const int reason = read_exec_error(exec_error.read); reason != 0) {
        throw std::system_error(reason, std::generic_category(), fmt::format("exec {}", arguments.front()));
    }
    exec_error.read.reset();
    for (const int descriptor : {output.read.get(), error.read.get()}) {
        if (::fcntl(descriptor, F_SETFL, O_NONBLOCK) != 0) fail("fcntl O_NONBLOCK");
    }

    ChildExit result;
    LineSplitter lines(options.on_error_line);
    const auto keep_output = [&](std::string_view bytes) {
        const std::size_t room = options.output_limit - std::min(options.output_limit, result.output.size());
        result.output_truncated = result.output_truncated || bytes.size() > room;
        result.output.append(bytes.substr(0, room));
    };
    const auto keep_error = [&](std::string_view bytes) { lines.take(bytes); };

    const Nanoseconds limit = started + std::chrono::duration_cast<Nanoseconds>(options.time_limit);
    Nanoseconds next_question = started;
    Nanoseconds give_up = Nanoseconds::max();  // set once the group was killed
    bool ended = false;
    while (!ended) {
        std::array<pollfd, 3> files{
            {{output.read.get(), POLLIN, 0}, {error.read.get(), POLLIN, 0}, {child.pid_file(), POLLIN, 0}}};
        const Nanoseconds until_limit = std::max(limit - clock.now(), Nanoseconds(0));
        const Nanoseconds wait = std::min(poll_interval, until_limit + 1ms);
        ::poll(files.data(), files.size(),
               static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(wait).count()));
        drain(output.read, keep_output);
        drain(error.read, keep_error);
        ended = child.has_ended();
        if (ended) break;

        const Nanoseconds now = clock.now();
        if (give_up != Nanoseconds::max()) {
            if (now >= give_up) break;
            // A killed child ends soon; without this the closed pipes would make poll() spin.
            std::this_thread::sleep_for(1ms);
            continue;
        }
        if (now >= limit) {
            result.timed_out = true;
        } else if (options.should_stop && now >= next_question) {
            result.interrupted = options.should_stop();
            next_question = now + poll_interval;
        }
        if (result.timed_out || result.interrupted) {
            child.kill_group();
            give_up = now + patience_after_kill;
        }
    }
    result.elapsed = clock.now() - started;
    // What the child left running in its group would disturb whatever is measured next.
    child.kill_group();
    const Nanoseconds last_read = clock.now() + patience_after_exit;
    while (ended && (output.read || error.read) && clock.now() < last_read) {
        drain(output.read, keep_output);
        drain(error.read, keep_error);
        if (output.read || error.read) std::this_thread::sleep_for(1ms);
    }
    lines.finish();

    int status = 0;
    rusage usage{};
    if (child.reap(status, usage)) {
        if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
        if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
        result.user_time = std::chrono::duration<double>(seconds_from(usage.ru_utime));
        result.system_time = std::chrono::duration<double>(seconds_from(usage.ru_stime));
        result.peak_memory_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
    } else {
        result.signal = SIGKILL;  // sent, but the child hangs in the kernel and is left behind
    }
    if (result.signal == SIGKILL && !result.timed_out && !result.interrupted) {
        const OomCount oom_after = oom_count();
        result.out_of_memory = oom_after.group > oom_before.group || oom_after.anywhere > oom_before.anywhere;
    }
    return result;
}

}  // namespace assay::os
