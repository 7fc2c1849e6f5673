#include "simpul/stop.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "lib/base/check.h"

namespace simpul::cli {
namespace {

// True once `fd` is readable, false when `over` is, or the time is up.
bool Await(int fd, int over, int timeout_ms) {
  for (;;) {
    pollfd waits[] = {{.fd = over, .events = POLLIN, .revents = 0},
                      {.fd = fd, .events = POLLIN, .revents = 0}};
    const int ready = ::poll(waits, 2, timeout_ms);
    if (ready < 0 && errno == EINTR) continue;
    return waits[0].revents == 0 && waits[1].revents != 0;
  }
}

}  // namespace

Stop::Stop() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  SIMPUL_CHECK(fd_ >= 0, "no file descriptor is left");
}

Stop::~Stop() { ::close(fd_); }

void Stop::Ask() {
  asked_.store(true);
  const uint64_t one = 1;
  static_cast<void>(!::write(fd_, &one, sizeof(one)));
}

WhenStopped::WhenStopped(const Stop& stop, std::chrono::milliseconds after,
                         std::function<void()> act)
    : thread_([this, &stop, after, act = std::move(act)] {
        if (!Await(stop.fd(), over_.fd(), -1)) return;
        // Nothing but the end of this interrupts the wait.
        Await(-1, over_.fd(), static_cast<int>(after.count()));
        if (!over_.asked()) act();
      }) {}

WhenStopped::~WhenStopped() {
  over_.Ask();
  thread_.join();
}

}  // namespace simpul::cli
