// What the kernel knows of a TCP connection, and its end. Within lib/rpc only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace simpul::rpc {

struct Traffic {
  bool has_ended = false;  // either side has closed or shut down
  int64_t bytes_received = 0;
  bool has_unread = false;  // bytes that the program has not read yet
};
Traffic TrafficOf(int fd);

// True when the other side has not received everything that was sent.
bool HasUnsent(int fd);

// Who is at the other end: the bytes of its address and its port. Empty when it has ended.
std::string PeerOf(int fd);
std::string PeerText(std::string_view address_bytes, int port);

// Resets the connection and throws away what has not been read: whoever reads it gets an error
// next, not the megabytes that came before the cut. The descriptor stays open.
void CutOff(int fd);

}  // namespace simpul::rpc
