#include "lib/rpc/listener.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <memory>
#include <mutex>
#include <vector>

#include "lib/base/status_macros.h"
#include "lib/rpc/channel.h"
#include "lib/rpc/server.h"
#include "tests/rpc/http_client.h"
#include "tests/rpc/raw_call.h"

namespace simpul::rpc {
namespace {

// Says "hello" on every connection it takes, and keeps it open.
class Greeter {
 public:
  explicit Greeter(size_t connections_max) {
    auto listener = Listener::Open({.host = "127.0.0.1", .port = 0}, connections_max);
    SIMPUL_CHECK(listener.ok(), "{}", base::Message(listener.status()));
    listener_ = *std::move(listener);
    listener_->Accept([this](int fd) {
      taken_.push_back(fd);
      SIMPUL_CHECK(::send(fd, "hello", 5, MSG_NOSIGNAL) == 5, "The greeting was not sent.");
    });
  }
  ~Greeter() {
    listener_->Stop();
    for (const int fd : taken_) ::close(fd);
  }
  std::string address() const { return listener_->address().text(); }

 private:
  std::vector<int> taken_;  // the listener's thread's until Stop
  std::unique_ptr<Listener> listener_;
};

TEST(Listener, ClosesConnectionsBeyondItsLimitUntilOneHasEnded) {
  Greeter greeter(2);
  auto first = std::make_unique<RawConnection>(greeter.address());
  EXPECT_EQ(first->Read(5), "hello");
  RawConnection second(greeter.address());
  EXPECT_EQ(second.Read(5), "hello");
  EXPECT_EQ(RawConnection(greeter.address()).Read(5), "");
  first.reset();
  // The end of the first reaches the listener a moment later.
  while (RawConnection(greeter.address()).Read(5).empty()) {
  }
}

TEST(Listener, LeavesConnectionsAloneWhenItStops) {
  auto greeter = std::make_unique<Greeter>(2);
  RawConnection connection(greeter->address());
  EXPECT_EQ(connection.Read(5), "hello");
  greeter.reset();
  EXPECT_EQ(connection.Read(5), "");
}

TEST(Listener, SaysThatThePortIsInUse) {
  Greeter greeter(2);
  const auto second = Listener::Open(*ParseAddress(greeter.address()), 2);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
}

// Takes every file descriptor there is, up to a low limit.
class NoDescriptors {
 public:
  NoDescriptors() {
    SIMPUL_CHECK(::getrlimit(RLIMIT_NOFILE, &before_) == 0, "");
    rlimit low = before_;
    low.rlim_cur = 256;
    SIMPUL_CHECK(::setrlimit(RLIMIT_NOFILE, &low) == 0, "");
    for (int fd = 0; fd >= 0;) {
      fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
      if (fd >= 0) taken_.push_back(fd);
    }
  }
  ~NoDescriptors() {
    while (!taken_.empty()) GiveOne();
    ::setrlimit(RLIMIT_NOFILE, &before_);
  }
  void GiveOne() {
    ::close(taken_.back());
    taken_.pop_back();
  }

 private:
  rlimit before_{};
  std::vector<int> taken_;
};

TEST(Server, AcceptsAgainAfterItHadNoFileDescriptorLeft) {
  auto server = Server::Start("127.0.0.1:0", {});
  ASSERT_TRUE(server.ok()) << server.status();
  const std::string address = (*server)->address();
  {
    NoDescriptors none;
    none.GiveOne();  // for this side of the connection
    for (int i = 0; i < 20; ++i) {
      RawConnection refused(address);
      EXPECT_EQ(refused.ReadToEnd(), "");
    }
  }
  const RawAnswer answer = RawCall(Connect(address), "/grpc.health.v1.Health/Check", "");
  EXPECT_TRUE(answer.status.ok()) << answer.status.error_message();
}

}  // namespace
}  // namespace simpul::rpc
