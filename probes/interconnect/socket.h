#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "probes/core/os/file_descriptor.h"

/// TCP sockets on the loopback address. Errors are std::system_error naming the call; every blocking call
/// gives up after a time limit, so that a lost peer is an error and never a hang.
namespace assay::interconnect {

/// A secret that both ends know and nobody else.
using Token = std::array<std::byte, 16>;
Token random_token();

/// What a connection is for.
enum class Role : std::uint8_t { control = 'c', data = 'd', latency = 'l' };

/// A listening socket on 127.0.0.1 and a port of the kernel's choice; no other address reaches it.
os::FileDescriptor listen_on_loopback();
std::uint16_t port_of(const os::FileDescriptor& socket);

/// Connects to 127.0.0.1:`port` and introduces itself; returns when the other side has accepted the token.
/// Throws std::runtime_error when it was refused.
os::FileDescriptor connect_to_loopback(std::uint16_t port, const Token& token, Role role);

/// Waits for a peer with the right token and role. Whoever shows another token is closed without a word and
/// counted in `refused`. Throws std::runtime_error when `limit` has passed.
os::FileDescriptor accept_peer(const os::FileDescriptor& listener, const Token& token, Role role,
                               std::chrono::milliseconds limit, int& refused);

void send_all(const os::FileDescriptor& socket, std::span<const std::byte> bytes);
/// Fills `bytes`; false when the other side closed before the first byte of them.
bool receive_all(const os::FileDescriptor& socket, std::span<std::byte> bytes);
/// What has arrived, at least one byte; 0 at the end of the stream.
std::size_t receive_some(const os::FileDescriptor& socket, std::span<std::byte> bytes);

/// Segments that the kernel sent again on this connection.
std::uint64_t retransmits_of(const os::FileDescriptor& socket);
/// "cubic".
std::string congestion_control_of(const os::FileDescriptor& socket);

/// Text lines over a connection: the talk beside the measurement.
class LineChannel {
  public:
    explicit LineChannel(os::FileDescriptor socket) : socket_(std::move(socket)) {}
    void send(std::string line);
    /// The next line. Throws std::runtime_error when the other side has closed.
    std::string receive();
    /// True when a line can be had, or the other side has closed, within `limit`.
    bool wait(std::chrono::milliseconds limit);

  private:
    os::FileDescriptor socket_;
    std::string pending_;
};

}  // namespace assay::interconnect
