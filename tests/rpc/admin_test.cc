#include "lib/rpc/admin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/counter.h>

#include <atomic>

#include "tests/rpc/http_client.h"

namespace simpul::rpc {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class AdminTest : public ::testing::Test {
 protected:
  AdminTest() {
    absl::StatusOr<std::unique_ptr<HttpServer>> started = StartAdmin(
        "127.0.0.1:0", metrics_,
        {{"log", [] { return absl::OkStatus(); }},
         {"timeline",
          [this] {
            return caught_up_ ? absl::OkStatus()
                              : absl::UnavailableError("12 records behind in partition 3.");
          }},
         {"directory",
          [this] {
            return file_is_good_ ? absl::OkStatus()
                                 : absl::InvalidArgumentError("not JSON at byte 3");
          },
          true}});
    SIMPUL_CHECK(started.ok(), "{}", started.status().ToString());
    server_ = *std::move(started);
  }

  std::string Ask(const std::string& line) {
    RawConnection connection(server_->address());
    connection.Send(line + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    return connection.ReadToEnd();
  }

  base::Metrics metrics_;
  std::atomic<bool> caught_up_{true};
  std::atomic<bool> file_is_good_{true};
  std::unique_ptr<HttpServer> server_;
};

TEST_F(AdminTest, IsAliveWhileTheProcessRuns) {
  caught_up_ = false;
  EXPECT_THAT(Ask("GET /livez"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(AdminTest, IsReadyWhenEveryPartIs) {
  const std::string answer = Ask("GET /readyz");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\nready\n"));
}

TEST_F(AdminTest, NamesWhatIsNotReadyAndWhy) {
  caught_up_ = false;
  const std::string answer = Ask("GET /readyz");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(answer, EndsWith("\r\n\r\ntimeline: 12 records behind in partition 3.\n"));
}

TEST_F(AdminTest, IsReadyAndSaysSoWhenAPartOnlyWarns) {
  file_is_good_ = false;
  const std::string answer = Ask("GET /readyz");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\nready\ndirectory: not JSON at byte 3\n"));
  caught_up_ = false;
  EXPECT_THAT(Ask("GET /readyz"), StartsWith("HTTP/1.1 503 "));
}

TEST_F(AdminTest, ShowsMetricsInPrometheusForm) {
  metrics_.Counter("simpul_test_total", "Tests.").Increment(3);
  const std::string answer = Ask("GET /metrics");
  EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain; version=0.0.4"));
  EXPECT_THAT(answer, HasSubstr("\nsimpul_test_total 3\n"));
}

TEST_F(AdminTest, NamesItsPagesWhenAskedForAnother) {
  const std::string answer = Ask("GET /");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(answer, HasSubstr("/livez, /readyz and /metrics"));
}

TEST_F(AdminTest, AnswersOnlyReads) {
  EXPECT_THAT(Ask("POST /livez"), StartsWith("HTTP/1.1 405 "));
}

TEST(AdminAction, IsDoneForWhoeverAsksWithItsHeader) {
  base::Metrics metrics;
  int done = 0;
  bool can = true;
  const auto server =
      StartAdmin("127.0.0.1:0", metrics, {}, {{"/checkpoint", [&]() -> absl::StatusOr<std::string> {
                                                 if (!can) return absl::UnavailableError("no disk");
                                                 ++done;
                                                 return "{\"made\":1}";
                                               }}});
  ASSERT_TRUE(server.ok()) << server.status();
  const auto ask = [&](const std::string& line, const std::string& header) {
    RawConnection connection((*server)->address());
    connection.Send(line + " HTTP/1.1\r\nHost: x\r\n" + header +
                    "Content-Length: 0\r\nConnection: close\r\n\r\n");
    return connection.ReadToEnd();
  };
  const std::string header = std::string(kActionHeader) + ": backup\r\n";
  EXPECT_THAT(ask("POST /checkpoint", ""), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(ask("GET /checkpoint", header), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(ask("POST /livez", header), StartsWith("HTTP/1.1 405 "));
  EXPECT_EQ(done, 0);
  EXPECT_THAT(ask("POST /checkpoint", header), EndsWith("{\"made\":1}"));
  EXPECT_EQ(done, 1);
  can = false;
  EXPECT_THAT(ask("POST /checkpoint", header), HasSubstr("no disk"));
}

}  // namespace
}  // namespace simpul::rpc
