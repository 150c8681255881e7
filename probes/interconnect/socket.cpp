#include "probes/interconnect/socket.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <fmt/format.h>

namespace assay::interconnect {
namespace {

constexpr std::array<char, 8> magic = {'a', 's', 's', 'a', 'y', 't', 'c', 'p'};
constexpr std::size_t hello_bytes = magic.size() + sizeof(Token) + 1;
using Hello = std::array<std::byte, hello_bytes>;
constexpr std::byte welcome{'y'};

constexpr std::chrono::milliseconds stall_limit{10'000};  ///< a peer silent for this long is lost
constexpr std::chrono::milliseconds hello_limit{1'000};   ///< a stranger holds us up no longer

[[noreturn]] void fail(const std::string& call) {
    const int code = errno == EAGAIN || errno == EWOULDBLOCK ? ETIMEDOUT : errno;
    throw std::system_error(code, std::generic_category(), call);
}

Hello make_hello(const Token& token, Role role) {
    Hello hello;
    std::memcpy(hello.data(), magic.data(), magic.size());
    std::copy(token.begin(), token.end(), hello.begin() + magic.size());
    hello.back() = static_cast<std::byte>(role);
    return hello;
}

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
}

os::FileDescriptor make_socket() {
    os::FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket) fail("socket(AF_INET, SOCK_STREAM)");
    return socket;
}

void set_stall_limit(const os::FileDescriptor& socket, std::chrono::milliseconds limit) {
    timeval time{};
    time.tv_sec = static_cast<time_t>(limit.count() / 1000);
    time.tv_usec = static_cast<suseconds_t>(limit.count() % 1000 * 1000);
    if (::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time) != 0 ||
        ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time) != 0) {
        fail("setsockopt(SO_RCVTIMEO, SO_SNDTIMEO)");
    }
}

/// Small messages leave at once. Bulk data fills its segments anyway.
void set_no_delay(const os::FileDescriptor& socket) {
    const int on = 1;
    if (::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) {
        fail("setsockopt(TCP_NODELAY)");
    }
}

bool readable_within(int socket, std::chrono::milliseconds limit) {
    pollfd wanted{socket, POLLIN, 0};
    while (true) {
        const int ready = ::poll(&wanted, 1, static_cast<int>(std::max<long long>(limit.count(), 0)));
        if (ready >= 0) return ready > 0;
        if (errno != EINTR) fail("poll(socket)");
    }
}

/// Whether the newcomer knows the token. One that says nothing, or too little, does not.
bool is_welcome(const os::FileDescriptor& socket, const Hello& expected) {
    Hello hello{};
    try {
        if (!receive_all(socket, hello)) return false;
    } catch (const std::exception&) {
        return false;
    }
    // Every byte is compared, so that the time taken tells nothing about where a guess went wrong.
    std::byte difference{0};
    for (std::size_t i = 0; i < hello.size(); ++i) difference |= hello[i] ^ expected[i];
    return difference == std::byte{0};
}

}  // namespace

Token random_token() {
    Token token;
    if (::getrandom(token.data(), token.size(), 0) != static_cast<ssize_t>(token.size())) fail("getrandom");
    return token;
}

os::FileDescriptor listen_on_loopback() {
    os::FileDescriptor listener = make_socket();
    const sockaddr_in address = loopback(0);
    if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        fail("bind(127.0.0.1)");
    }
    constexpr int waiting = 128;
    if (::listen(listener.get(), waiting) != 0) fail("listen(127.0.0.1)");
    return listener;
}

std::uint16_t port_of(const os::FileDescriptor& socket) {
    sockaddr_in address{};
    socklen_t length = sizeof address;
    if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) fail("getsockname");
    return ntohs(address.sin_port);
}

os::FileDescriptor connect_to_loopback(std::uint16_t port, const Token& token, Role role) {
    os::FileDescriptor socket = make_socket();
    set_stall_limit(socket, stall_limit);
    const sockaddr_in address = loopback(port);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        fail(fmt::format("connect(127.0.0.1:{})", port));
    }
    set_no_delay(socket);
    std::byte answer{0};
    bool answered = false;
    try {
        send_all(socket, make_hello(token, role));
        answered = receive_all(socket, {&answer, 1});
    } catch (const std::system_error& error) {
        // Closing with our hello unread resets the connection: a refusal too.
        if (error.code() != std::errc::connection_reset && error.code() != std::errc::broken_pipe) throw;
    }
    if (!answered || answer != welcome) {
        throw std::runtime_error(
            fmt::format("127.0.0.1:{} refused the connection: wrong token or role", port));
    }
    return socket;
}

os::FileDescriptor accept_peer(const os::FileDescriptor& listener, const Token& token, Role role,
                               std::chrono::milliseconds limit, int& refused) {
    const Hello expected = make_hello(token, role);
    const std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::now() + limit;
    while (true) {
        const std::chrono::milliseconds left = std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0 || !readable_within(listener.get(), left)) {
            throw std::runtime_error("no peer with the right token came in time");
        }
        os::FileDescriptor socket(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!socket) {
            if (errno == EINTR || errno == ECONNABORTED) continue;
            fail("accept(127.0.0.1)");
        }
        set_stall_limit(socket, hello_limit);
        if (!is_welcome(socket, expected)) {
            ++refused;
            continue;
        }
        set_stall_limit(socket, stall_limit);
        set_no_delay(socket);
        send_all(socket, {&welcome, 1});
        return socket;
    }
}

void send_all(const os::FileDescriptor& socket, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) fail("send");
        bytes = bytes.subspan(static_cast<std::size_t>(sent));
    }
}

std::size_t receive_some(const os::FileDescriptor& socket, std::span<std::byte> bytes) {
    while (true) {
        const ssize_t got = ::recv(socket.get(), bytes.data(), bytes.size(), 0);
        if (got >= 0) return static_cast<std::size_t>(got);
        if (errno != EINTR) fail("recv");
    }
}

bool receive_all(const os::FileDescriptor& socket, std::span<std::byte> bytes) {
    bool first = true;
    while (!bytes.empty()) {
        const std::size_t got = receive_some(socket, bytes);
        if (got == 0) {
            if (first) return false;
            throw std::runtime_error("the peer closed the connection in the middle of a message");
        }
        first = false;
        bytes = bytes.subspan(got);
    }
    return true;
}

std::uint64_t retransmits_of(const os::FileDescriptor& socket) {
    tcp_info info{};
    socklen_t length = sizeof info;
    if (::getsockopt(socket.get(), IPPROTO_TCP, TCP_INFO, &info, &length) != 0) fail("getsockopt(TCP_INFO)");
    return info.tcpi_total_retrans;
}

std::string congestion_control_of(const os::FileDescriptor& socket) {
    std::array<char, 16> name{};
    socklen_t length = name.size();
    if (::getsockopt(socket.get(), IPPROTO_TCP, TCP_CONGESTION, name.data(), &length) != 0) return {};
    return std::string(name.data(), ::strnlen(name.data(), length));
}

void LineChannel::send(std::string line) {
    line += '\n';
    send_all(socket_, std::as_bytes(std::span(line)));
}

std::string LineChannel::receive() {
    while (true) {
        const std::size_t end = pending_.find('\n');
        if (end != std::string::npos) {
            std::string line = pending_.substr(0, end);
            pending_.erase(0, end + 1);
            return line;
        }
        std::array<char, 4096> buffer;
        const std::size_t got = receive_some(socket_, std::as_writable_bytes(std::span(buffer)));
        if (got == 0) throw std::runtime_error("the peer has gone");
        pending_.append(buffer.data(), got);
    }
}

bool LineChannel::wait(std::chrono::milliseconds limit) {
    return pending_.find('\n') != std::string::npos || readable_within(socket_.get(), limit);
}

}  // namespace assay::interconnect
