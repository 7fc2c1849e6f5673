#include <gtest/gtest.h>
#include <poll.h>

#include <future>

#include "simpul/stop.h"

namespace simpul::cli {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

TEST(Stop, IsReadableOnceItWasAskedFor) {
  Stop stop;
  pollfd ready = {.fd = stop.fd(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(::poll(&ready, 1, 0), 0);
  EXPECT_FALSE(stop.asked());
  stop.Ask();
  stop.Ask();
  EXPECT_EQ(::poll(&ready, 1, -1), 1);
  EXPECT_TRUE(stop.asked());
}

TEST(WhenStopped, ActsOnceTheEndWasAskedFor) {
  Stop stop;
  std::promise<void> acted;
  const WhenStopped when(stop, milliseconds(1), [&acted] { acted.set_value(); });
  stop.Ask();
  acted.get_future().wait();
}

TEST(WhenStopped, DoesNothingWhenTheEndWasNotAskedFor) {
  const Stop stop;
  const WhenStopped when(stop, milliseconds(0), [] { FAIL(); });
}

TEST(WhenStopped, DoesNothingWhenTheWorkIsDoneBeforeTheTimeIsUp) {
  Stop stop;
  const WhenStopped when(stop, hours(1), [] { FAIL(); });
  stop.Ask();
}

}  // namespace
}  // namespace simpul::cli
