#include <exception>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <thread>

#include <sys/socket.h>

#include <fmt/format.h>

#include "probes/interconnect/slices.h"
#include "probes/interconnect/transfer.h"

namespace assay::interconnect {
namespace {

/// Sends every byte back until the other side closes.
class Echo {
  public:
    explicit Echo(os::FileDescriptor socket) : socket_(std::move(socket)), thread_([this] { run(); }) {}
    ~Echo() {
        ::shutdown(socket_.get(), SHUT_RDWR);
        thread_.join();
    }
    Echo(const Echo&) = delete;
    Echo& operator=(const Echo&) = delete;

  private:
    void run() {
        try {
            std::byte byte{};
            while (receive_some(socket_, {&byte, 1}) == 1) send_all(socket_, {&byte, 1});
        } catch (const std::exception&) {
            // The initiator sees the broken connection itself.
        }
    }

    os::FileDescriptor socket_;
    std::thread thread_;
};

struct Opening {
    int streams = 0;
    bool initiator_sends = true;
    StreamOptions stream;
};

/// "open <streams> <send|receive> <message bytes> <seed> <damaged message, or -1>"
Opening read_opening(const std::string& line) {
    Opening opening;
    std::istringstream words(line);
    std::string command, direction;
    long long damaged = -1;
    words >> command >> opening.streams >> direction >> opening.stream.message_bytes >> opening.stream.seed >>
        damaged;
    if (!words || command != "open") throw std::runtime_error("not an opening: " + line);
    opening.initiator_sends = direction == "send";
    if (damaged >= 0) opening.stream.damaged_message = static_cast<std::uint64_t>(damaged);
    return opening;
}

/// Moves data until the initiator says stop; a receiver tells each slice as it goes by.
void run_load(LineChannel& control, std::vector<os::FileDescriptor> sockets, const Opening& opening) {
    const bool receives = opening.initiator_sends;
    Streams streams(receives ? Streams::Kind::receive : Streams::Kind::send, std::move(sockets),
                    opening.stream);
    SteadyClock clock;
    SliceCounter slices(clock, streams);
    control.send("running");
    while (!control.wait(slices.left())) {
        if (slices.left().count() > 0) continue;
        const Slice slice = slices.take();
        if (receives) control.send(fmt::format("slice {} {}", slice.seconds, slice.bytes));
    }
    const std::string command = control.receive();
    if (command != "stop") throw std::runtime_error("expected stop, got " + command);
    streams.stop();
    control.send("done " + to_line(streams.finish()));
}

}  // namespace

int respond(os::FileDescriptor listener, const Token& token, std::chrono::milliseconds limit) {
    int refused = 0;
    LineChannel control(accept_peer(listener, token, Role::control, limit, refused));
    try {
        const Opening opening = read_opening(control.receive());
        const Echo echo(accept_peer(listener, token, Role::latency, limit, refused));
        std::vector<os::FileDescriptor> sockets;
        for (int i = 0; i < opening.streams; ++i) {
            sockets.push_back(accept_peer(listener, token, Role::data, limit, refused));
        }
        listener.reset();
        control.send(fmt::format("ready {}", refused));
        const std::string command = control.receive();
        if (command != "start") throw std::runtime_error("expected start, got " + command);
        run_load(control, std::move(sockets), opening);
        if (const std::string last = control.receive(); last != "bye") {
            throw std::runtime_error("expected bye, got " + last);
        }
    } catch (const std::exception& error) {
        std::string reason = error.what();
        for (char& c : reason) {
            if (c == '\n') c = ' ';
        }
        control.send("error " + reason);
        throw;
    }
    return refused;
}

}  // namespace assay::interconnect
