#include "lib/rpc/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "lib/base/status_macros.h"
#include "tests/rpc/http_client.h"

namespace simpul::rpc {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

HttpResponse Echo(const HttpRequest& request) {
  HttpResponse response;
  response.content_type = "text/plain";
  response.body = request.method + " " + request.path;
  for (const auto& [name, value] : request.query) response.body += " " + name + "=" + value;
  if (!request.body.empty()) response.body += " body " + request.body;
  return response;
}

std::unique_ptr<HttpServer> Started(HttpServer::Handler handler = Echo,
                                    HttpServer::Options options = {}) {
  absl::StatusOr<std::unique_ptr<HttpServer>> server =
      HttpServer::Start("127.0.0.1:0", options, std::move(handler));
  SIMPUL_CHECK(server.ok(), "{}", base::Message(server.status()));
  return *std::move(server);
}

TEST(HttpServer, AnswersSeveralRequestsOnOneConnection) {
  const auto server = Started();
  RawConnection connection(server->address());
  for (int i = 0; i < 3; ++i) {
    connection.Send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    const std::string answer = connection.ReadAnswer();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(answer, EndsWith("\r\n\r\nGET /a"));
  }
}

TEST(HttpServer, AnswersPipelinedRequestsInTheirOrder) {
  const auto server = Started();
  RawConnection connection(server->address());
  connection.Send(
      "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nPOST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: "
      "2\r\n\r\nhiGET /3 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(connection.ReadAnswer(), EndsWith("GET /1"));
  EXPECT_THAT(connection.ReadAnswer(), EndsWith("POST /2 body hi"));
  EXPECT_THAT(connection.ReadAnswer(), EndsWith("GET /3"));
}

TEST(HttpServer, DecodesPathAndQuery) {
  const auto server = Started();
  RawConnection connection(server->address());
  connection.Send(
      "GET /a%20b+c?name=X+Y&identifier=http%3A%2F%2Fs%7C1&flag&name=Z HTTP/1.1\r\nHost: "
      "x\r\n\r\n");
  EXPECT_THAT(connection.ReadAnswer(),
              EndsWith("GET /a b+c flag= identifier=http://s|1 name=X Y name=Z"));
}

TEST(HttpServer, HandsHeadersOverInLowerCase) {
  const auto server = Started([](const HttpRequest& request) {
    HttpResponse response;
    response.status = 201;
    response.headers["X-Seen"] = request.headers.at("authorization");
    return response;
  });
  RawConnection connection(server->address());
  connection.Send("PUT / HTTP/1.1\r\nHost: x\r\nAUTHORIZATION: Bearer t\r\n\r\n");
  const std::string answer = connection.ReadAnswer();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 201 Created\r\n"));
  EXPECT_THAT(answer, HasSubstr("X-Seen: Bearer t\r\n"));
}

TEST(HttpServer, ReadsChunkedBodies) {
  const auto server = Started();
  RawConnection connection(server->address());
  connection.Send(
      "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
      "chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n");
  EXPECT_THAT(connection.ReadAnswer(), EndsWith("POST /c body abc"));
}

TEST(HttpServer, ToldToExpectItSaysContinueBeforeTheBody) {
  const auto server = Started();
  RawConnection connection(server->address());
  connection.Send(
      "POST /e HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(connection.ReadAnswer(), "HTTP/1.1 100 Continue\r\n\r\n");
  connection.Send("abc");
  EXPECT_THAT(connection.ReadAnswer(), EndsWith("POST /e body abc"));
}

TEST(HttpServer, AnswersHeadWithoutBody) {
  const auto server = Started();
  RawConnection connection(server->address());
  connection.Send("HEAD /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string answer = connection.ReadToEnd();
  EXPECT_THAT(answer, HasSubstr("Content-Length: 7\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST(HttpServer, ClosesWhenAskedTo) {
  const auto server = Started();
  RawConnection connection(server->address());
  connection.Send("GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(connection.ReadToEnd(), HasSubstr("Connection: close\r\n"));
}

TEST(HttpServer, RefusesABodyAboveTheLimitWith413BeforeReadingIt) {
  HttpServer::Options options;
  options.body_max = 1000;
  const auto server = Started(Echo, options);
  RawConnection connection(server->address());
  connection.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8000000\r\n\r\n");
  const std::string answer = connection.ReadAnswer();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(answer, EndsWith("The body is larger than 1000 bytes.\n"));
}

TEST(HttpServer, TellsOneWhoGoesOnSendingThatTheBodyIsTooLarge) {
  HttpServer::Options options;
  options.body_max = 1000;
  const auto server = Started(Echo, options);
  RawConnection connection(server->address());
  connection.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n");
  connection.Send(std::string(4'000'000, 'x'));
  EXPECT_THAT(connection.ReadToEnd(), StartsWith("HTTP/1.1 413 "));
}

TEST(HttpServer, RefusesAChunkedBodyAboveTheLimitWith413) {
  HttpServer::Options options;
  options.body_max = 10;
  const auto server = Started(Echo, options);
  RawConnection connection(server->address());
  connection.Send(
      "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
      "chunked\r\n\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n");
  EXPECT_THAT(connection.ReadToEnd(), StartsWith("HTTP/1.1 413 "));
}

TEST(HttpServer, RefusesHugeHeadersWith431) {
  const auto server = Started();
  RawConnection connection(server->address());
  connection.Send("GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n");
  EXPECT_THAT(connection.ReadToEnd(), StartsWith("HTTP/1.1 431 "));
}

TEST(HttpServer, RefusesWhatIsNoRequestWith400) {
  const auto server = Started();
  for (const char* bytes :
       {"hello\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        "GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"}) {
    RawConnection connection(server->address());
    connection.Send(bytes);
    EXPECT_THAT(connection.ReadToEnd(), StartsWith("HTTP/1.1 400 ")) << bytes;
  }
}

TEST(HttpServer, ClosesAConnectionThatStaysSilent) {
  HttpServer::Options options;
  options.idle_max = std::chrono::milliseconds(20);
  const auto server = Started(Echo, options);
  RawConnection connection(server->address());
  connection.Send("GET / HTTP/1.1\r\nHo");
  EXPECT_EQ(connection.ReadToEnd(), "");
}

TEST(HttpServer, SaysSoWhenThereAreTooManyConnections) {
  HttpServer::Options options;
  options.connections_max = 1;
  const auto server = Started(Echo, options);
  RawConnection first(server->address());
  first.Send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(first.ReadAnswer(), EndsWith("GET /1"));
  RawConnection second(server->address());
  EXPECT_THAT(second.ReadToEnd(), StartsWith("HTTP/1.1 503 "));
  first.Send("GET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(first.ReadAnswer(), EndsWith("GET /2"));
}

TEST(HttpServer, SaysThatThePortIsInUse) {
  const auto server = Started();
  const absl::StatusOr<std::unique_ptr<HttpServer>> second =
      HttpServer::Start(server->address(), {}, Echo);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(base::Message(second.status())),
              StartsWith(server->address() + " is in use"));
}

TEST(HttpServer, SaysThatTheHostIsNoneOfThisMachines) {
  const absl::StatusOr<std::unique_ptr<HttpServer>> server =
      HttpServer::Start("192.0.2.1:0", {}, Echo);
  EXPECT_EQ(server.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(base::Message(server.status())), HasSubstr("no address of this machine"));
}

TEST(HttpServer, RefusesAnAddressThatIsNone) {
  for (const char* text : {"127.0.0.1", ":80", "127.0.0.1:http", "127.0.0.1:70000", "::1:80", ""}) {
    const absl::StatusOr<std::unique_ptr<HttpServer>> server = HttpServer::Start(text, {}, Echo);
    EXPECT_EQ(server.status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

TEST(HttpServer, ListensOnIpv6Too) {
  const absl::StatusOr<std::unique_ptr<HttpServer>> server = HttpServer::Start("[::1]:0", {}, Echo);
  if (server.ok()) {
    EXPECT_THAT((*server)->address(), StartsWith("[::1]:"));
  } else {  // a machine without IPv6
    EXPECT_EQ(server.status().code(), absl::StatusCode::kUnavailable);
  }
}

TEST(HttpServer, CanWaitBeforeAnAnswerWithoutHoldingOthersUp) {
  HttpServer::Options options;
  options.threads = 1;
  const auto server = Started(
      [](const HttpRequest& request) {
        HttpResponse response = Echo(request);
        if (request.path == "/slow") response.delay_ms = 60'000;
        return response;
      },
      options);
  RawConnection slow(server->address());
  slow.Send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
  RawConnection other(server->address());
  other.Send("GET /other HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(other.ReadAnswer(), EndsWith("GET /other"));
}

TEST(HttpServer, CanAnswerLate) {
  const auto server = Started([](const HttpRequest& request) {
    HttpResponse response = Echo(request);
    response.delay_ms = 5;
    return response;
  });
  RawConnection connection(server->address());
  for (int i = 0; i < 2; ++i) {
    connection.Send("GET /late HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(connection.ReadAnswer(), EndsWith("GET /late"));
  }
}

TEST(HttpServer, CanCloseWithoutAnAnswer) {
  const auto server = Started([](const HttpRequest&) {
    HttpResponse response;
    response.drop_connection = true;
    return response;
  });
  RawConnection connection(server->address());
  connection.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(connection.ReadToEnd(), "");
}

TEST(HttpServer, CanCloseInTheMiddleOfABody) {
  const auto server = Started([](const HttpRequest&) {
    HttpResponse response;
    response.body = "0123456789";
    response.truncate_body_at = 4;
    return response;
  });
  RawConnection connection(server->address());
  connection.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string answer = connection.ReadToEnd();
  EXPECT_THAT(answer, HasSubstr("Content-Length: 10\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n0123"));
}

TEST(HttpServer, StopsWhileConnectionsAreOpenAndAnswersWait) {
  auto server = Started([](const HttpRequest& request) {
    HttpResponse response = Echo(request);
    response.delay_ms = 60'000;
    return response;
  });
  RawConnection idle(server->address());
  RawConnection waiting(server->address());
  waiting.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  server.reset();
  EXPECT_EQ(idle.ReadToEnd(), "");
  EXPECT_EQ(waiting.ReadToEnd(), "");
}

TEST(HttpServer, AnswersManyCallersAtOnce) {
  std::atomic<int> handled{0};
  const auto server = Started([&](const HttpRequest& request) {
    handled.fetch_add(1);
    return Echo(request);
  });
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 8; ++caller) {
    callers.emplace_back([&] {
      RawConnection connection(server->address());
      for (int i = 0; i < 200; ++i) {
        connection.Send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
        ASSERT_THAT(connection.ReadAnswer(), EndsWith("GET /a"));
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(handled.load(), 1600);
}

}  // namespace
}  // namespace simpul::rpc
