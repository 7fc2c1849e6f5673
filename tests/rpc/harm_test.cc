// Callers that mean harm, over real sockets: they are cut, and the others are served.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <thread>
#include <vector>

#include "lib/base/check.h"
#include "lib/rpc/call.h"
#include "lib/rpc/channel.h"
#include "lib/rpc/server.h"
#include "simpul/timeline/v1/timeline_service.grpc.pb.h"
#include "tests/rpc/http2_frames.h"
#include "tests/rpc/http_client.h"

namespace simpul::rpc {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using timeline::v1::GetTimelineRequest;
using timeline::v1::GetTimelineResponse;
using timeline::v1::TimelineService;

// Far below what is used where nobody cuts: gigabytes. The sanitizer keeps what was freed.
#ifdef __SANITIZE_ADDRESS__
constexpr long kMemoryMax = 1500;
#else
constexpr long kMemoryMax = 400;
#endif

constexpr char kMethod[] = "/simpul.timeline.v1.TimelineService/GetTimeline";

class Service final : public TimelineService::CallbackService {
 public:
  explicit Service(base::Metrics& metrics)
      : bound_(*this, "simpul.timeline.v1.TimelineService", metrics, 2) {}

 private:
  grpc::ServerUnaryReactor* GetTimeline(grpc::CallbackServerContext* context,
                                        const GetTimelineRequest*, GetTimelineResponse*) override {
    return Unary(context, bound_.calls, "GetTimeline", [] { return absl::OkStatus(); });
  }

  Bound<Service> bound_;
};

// The most memory this process has had, in MiB.
long PeakMemory() {
  std::ifstream status("/proc/self/status");
  long kib = 0;
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) kib = std::stol(line.substr(6));
  }
  SIMPUL_CHECK(kib > 0, "no VmHWM");
  return kib / 1024;
}

class HarmTest : public ::testing::Test {
 protected:
  HarmTest() {
    auto server = Server::Start("127.0.0.1:0", {std::make_shared<Service>(metrics_)}, &metrics_);
    SIMPUL_CHECK(server.ok(), "no server");
    server_ = *std::move(server);
    stub_ = TimelineService::NewStub(Connect(server_->address()));
  }

  grpc::Status Get(std::string page_token = "") {
    grpc::ClientContext context;
    // On a busy machine a connection takes its time, and may have to be made again.
    context.set_wait_for_ready(true);
    GetTimelineRequest request;
    request.set_page_token(std::move(page_token));
    GetTimelineResponse response;
    return stub_->GetTimeline(&context, request, &response);
  }

  // Sends `piece` until the server cuts the connection, `bytes_max` at most, while another caller
  // is served all the time. True when it was cut.
  template <typename Piece>
  bool SendUntilCut(RawConnection& attacker, int64_t bytes_max, Piece piece) {
    std::atomic<bool> over{false};
    std::thread other([&] {
      while (!over) EXPECT_TRUE(Get().ok());
    });
    int64_t sent = 0;
    bool cut = false;
    while (!cut && sent < bytes_max) {
      const std::string bytes = piece();
      sent += static_cast<int64_t>(bytes.size());
      cut = !attacker.Send(bytes);
    }
    over = true;
    other.join();
    return cut;
  }

  base::Metrics metrics_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<TimelineService::Stub> stub_;
};

TEST_F(HarmTest, CutsACallerThatResetsEveryCallItOpens) {
  // Calls that never get their message, calls that do, and calls of a method nobody serves.
  for (const char* path : {kMethod, "/nothing"}) {
    for (const bool with_message : {false, true}) {
      const long before = PeakMemory();
      RawConnection attacker(server_->address());
      ASSERT_TRUE(attacker.Send(Greeting()));
      const std::string headers = CallHeaders(path);
      uint32_t stream = 1;
      EXPECT_TRUE(SendUntilCut(attacker, 1 << 30, [&] {
        std::string bytes;
        for (int i = 0; i < 100; ++i, stream += 2) {
          bytes += Frame(FrameType::kHeaders, kEndHeaders, stream, headers);
          if (with_message) {
            bytes += Frame(FrameType::kData, kEndStream, stream, std::string(5, '\0'));
          }
          bytes += Frame(FrameType::kReset, 0, stream, std::string("\0\0\0\x08", 4));
        }
        return bytes;
      }));
      EXPECT_LT(PeakMemory() - before, kMemoryMax);
    }
  }
  EXPECT_THAT(metrics_.Render(),
              HasSubstr("simpul_rpc_connections_cut_total{reason=\"resets\"} 4"));
  EXPECT_TRUE(Get().ok());
}

TEST_F(HarmTest, CutsACallerWhoseHeaderHasNoEnd) {
  for (const size_t frame_bytes : {16384, 16}) {
    RawConnection attacker(server_->address());
    // A field of which 256 MiB are to come.
    const std::string field = CallHeaders(kMethod) + std::string("\0\1a\x7f\x81\xff\xff\x7f", 8);
    ASSERT_TRUE(attacker.Send(Greeting() + Frame(FrameType::kHeaders, 0, 1, field)));
    std::string frames;
    while (frames.size() < 65536) {
      frames += Frame(FrameType::kContinuation, 0, 1, std::string(frame_bytes, 'a'));
    }
    EXPECT_TRUE(SendUntilCut(attacker, 1 << 30, [&] { return frames; }));
  }
  EXPECT_THAT(metrics_.Render(), HasSubstr("simpul_rpc_connections_cut_total{reason="));
  EXPECT_TRUE(Get().ok());
}

TEST_F(HarmTest, CutsACallerThatNeverCalls) {
  RawConnection attacker(server_->address());
  ASSERT_TRUE(attacker.Send(Greeting()));
  std::string frames;
  while (frames.size() < 65536) {
    frames += Frame(FrameType::kPriority, 0, 1, std::string(5, '\0'));
  }
  EXPECT_TRUE(SendUntilCut(attacker, 1 << 30, [&] { return frames; }));
  EXPECT_TRUE(Get().ok());
}

TEST_F(HarmTest, LeavesACallerOfManyAndLargeCallsAlone) {
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 32; ++caller) {
    callers.emplace_back([&] {
      for (int i = 0; i < 200; ++i) EXPECT_TRUE(Get().ok());
    });
  }
  for (std::thread& caller : callers) caller.join();
  callers.clear();
  for (int caller = 0; caller < 12; ++caller) {
    callers.emplace_back([&] {
      for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(Get(std::string(kReceiveBytesMax - 1000, 'p')).ok());
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_THAT(metrics_.Render(), Not(HasSubstr("simpul_rpc_connections_cut_total")));
}

TEST_F(HarmTest, LetsACallerHearThatItsMessageIsTooLarge) {
  for (int i = 0; i < 5; ++i) {
    const grpc::Status status = Get(std::string(16 << 20, 'p'));
    EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_THAT(status.error_message(), HasSubstr("larger than max"));
  }
  EXPECT_THAT(metrics_.Render(), Not(HasSubstr("simpul_rpc_connections_cut_total")));
}

TEST_F(HarmTest, KnowsWhoseCallsAreWhoseOverIpv6Too) {
  for (const auto& [listen, call] : {std::pair("[::1]:0", "[::1]"), {"[::]:0", "127.0.0.1"}}) {
    const auto server = Server::Start(listen, {std::make_shared<Service>(metrics_)}, &metrics_);
    ASSERT_TRUE(server.ok()) << server.status();
    const std::string& address = (*server)->address();
    stub_ = TimelineService::NewStub(Connect(call + address.substr(address.rfind(':'))));
    // More than may come without a call.
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(Get(std::string(1 << 20, 'p')).ok()) << listen;
  }
  EXPECT_THAT(metrics_.Render(), Not(HasSubstr("simpul_rpc_connections_cut_total")));
}

TEST_F(HarmTest, LeavesACallerAloneThatGivesUpSomeCalls) {
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 16; ++caller) {
    callers.emplace_back([&, caller] {
      for (int i = 0; i < 100; ++i) {
        grpc::ClientContext context;
        context.set_deadline(std::chrono::system_clock::now() +
                             std::chrono::microseconds(100 * ((i + caller) % 20)));
        GetTimelineResponse response;
        static_cast<void>(stub_->GetTimeline(&context, {}, &response));
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_THAT(metrics_.Render(), Not(HasSubstr("simpul_rpc_connections_cut_total")));
  EXPECT_TRUE(Get().ok());
}

}  // namespace
}  // namespace simpul::rpc
