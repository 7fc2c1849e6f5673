// A client that writes exactly the bytes it is given: for requests no library would send.
#pragma once

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "lib/base/check.h"
#include "lib/rpc/address.h"

namespace simpul::rpc {

class RawConnection {
 public:
  explicit RawConnection(const std::string& address_text) {
    const absl::StatusOr<Address> address = ParseAddress(address_text);
    SIMPUL_CHECK(address.ok(), "{}", address_text);
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    SIMPUL_CHECK(getaddrinfo(address->host.c_str(), std::to_string(address->port).c_str(), &hints,
                             &found) == 0,
                 "{}", address_text);
    fd_ = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    SIMPUL_CHECK(::connect(fd_, found->ai_addr, found->ai_addrlen) == 0, "{}", address_text);
    freeaddrinfo(found);
  }
  ~RawConnection() { ::close(fd_); }
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  // As much as the other side takes; false when that was not all.
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

  // Head and body of one answer with a Content-Length; what there is when the other side closes.
  std::string ReadAnswer() {
    for (;;) {
      const size_t head_end = read_.find("\r\n\r\n");
      if (head_end != std::string::npos) {
        const size_t at = read_.find("Content-Length: ");
        const size_t length =
            at == std::string::npos || at > head_end ? 0 : std::stoul(read_.substr(at + 16));
        const size_t whole = head_end + 4 + length;
        if (read_.size() >= whole) {
          std::string answer = read_.substr(0, whole);
          read_.erase(0, whole);
          return answer;
        }
      }
      if (!ReadSome()) return std::exchange(read_, "");
    }
  }

  // So many bytes; fewer when the other side closes before.
  std::string Read(size_t bytes) {
    while (read_.size() < bytes && ReadSome()) {
    }
    std::string out = read_.substr(0, bytes);
    read_.erase(0, out.size());
    return out;
  }

  // Everything until the other side closes.
  std::string ReadToEnd() {
    while (ReadSome()) {
    }
    return std::exchange(read_, "");
  }

 private:
  bool ReadSome() {
    char bytes[16384];
    const ssize_t got = ::recv(fd_, bytes, sizeof(bytes), 0);
    if (got <= 0) return false;
    read_.append(bytes, static_cast<size_t>(got));
    return true;
  }

  int fd_ = -1;
  std::string read_;
};

}  // namespace simpul::rpc
