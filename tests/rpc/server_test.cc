#include "lib/rpc/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

#include "lib/base/check.h"
#include "lib/base/status_macros.h"
#include "lib/rpc/call.h"
#include "lib/rpc/channel.h"
#include "simpul/timeline/v1/timeline_service.grpc.pb.h"
#include "tests/rpc/http2_frames.h"
#include "tests/rpc/http_client.h"
#include "tests/rpc/raw_call.h"

namespace simpul::rpc {
namespace {

using ::testing::_;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;
using ::testing::StartsWith;
using timeline::v1::GetTimelineRequest;
using timeline::v1::GetTimelineResponse;
using timeline::v1::TimelineService;
using timeline::v1::WatchTimelineRequest;
using timeline::v1::WatchTimelineResponse;

// A place where one thread waits for another.
class Gate {
 public:
  void Open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void Wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

// A handler that says that it runs, and goes on when it is told to.
auto WaitFor(Gate& running, Gate& go_on) {
  return [&](const auto&, auto&, const auto&) {
    running.Open();
    go_on.Wait();
    return absl::OkStatus();
  };
}

// A stream of one message that waits until nobody wants more.
absl::Status WriteOnceAndWait(Stream<WatchTimelineResponse>& stream) {
  static_cast<void>(stream.Write({}));
  Gate woken;
  stream.WhenCancelled([&] { woken.Open(); });
  woken.Wait();
  stream.WhenCancelled(nullptr);
  return absl::CancelledError();
}

// A service whose answers the test decides.
class Service final : public TimelineService::CallbackService {
 public:
  explicit Service(base::Metrics& metrics, int threads = 2, size_t queue_max = 100)
      : bound_(*this, "simpul.timeline.v1.TimelineService", metrics, threads, queue_max) {}

  std::function<absl::Status(const GetTimelineRequest&, GetTimelineResponse&,
                             const grpc::CallbackServerContext&)>
      get = [](const auto&, auto&, const auto&) { return absl::OkStatus(); };
  std::function<void(Finish)> get_later;
  std::function<absl::Status(Stream<WatchTimelineResponse>&)> watch;
  Calls& calls() { return bound_.calls; }

 private:
  grpc::ServerUnaryReactor* GetTimeline(grpc::CallbackServerContext* context,
                                        const GetTimelineRequest* request,
                                        GetTimelineResponse* response) override {
    if (get_later) return UnaryAsync(context, bound_.calls, "GetTimeline", get_later);
    return Unary(context, bound_.calls, "GetTimeline",
                 [this, context, request, response] { return get(*request, *response, *context); });
  }
  grpc::ServerWriteReactor<WatchTimelineResponse>* WatchTimeline(
      grpc::CallbackServerContext* context, const WatchTimelineRequest*) override {
    return ServerStream<WatchTimelineResponse>(context, bound_.calls, "WatchTimeline", watch);
  }

  Bound<Service> bound_;
};

class ServerTest : public ::testing::Test {
 protected:
  void Start() {
    absl::StatusOr<std::unique_ptr<Server>> started = Server::Start("127.0.0.1:0", {service_});
    ASSERT_TRUE(started.ok()) << started.status();
    server_ = *std::move(started);
    channel_ = Connect(server_->address());
    stub_ = TimelineService::NewStub(channel_);
  }

  grpc::Status Get(GetTimelineResponse* response = nullptr) {
    grpc::ClientContext context;
    GetTimelineResponse ignored;
    return stub_->GetTimeline(&context, {}, response == nullptr ? &ignored : response);
  }

  base::Metrics metrics_;
  std::shared_ptr<Service> service_ = std::make_shared<Service>(metrics_);
  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<TimelineService::Stub> stub_;
};

TEST_F(ServerTest, AnswersWithWhatTheHandlerReturns) {
  service_->get = [](const auto&, GetTimelineResponse& response, const auto&) {
    response.set_position("p");
    return absl::OkStatus();
  };
  Start();
  GetTimelineResponse response;
  ASSERT_TRUE(Get(&response).ok());
  EXPECT_EQ(response.position(), "p");
}

TEST_F(ServerTest, PassesCodeAndWordsOfAnErrorOn) {
  service_->get = [](const auto&, auto&, const auto&) {
    return absl::InvalidArgumentError("page_size is above 500.");
  };
  Start();
  const grpc::Status status = Get();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "page_size is above 500.");
  EXPECT_EQ(status.error_details(), "");
}

TEST_F(ServerTest, SaysWhenToComeAgainAfterAnOverload) {
  service_->get = [](const auto&, auto&, const auto&) {
    return absl::ResourceExhaustedError("full");
  };
  Start();
  const RawAnswer answer = RawCall(channel_, "/simpul.timeline.v1.TimelineService/GetTimeline", "");
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(answer.trailers, Contains(Pair("grpc-retry-pushback-ms", "500")));
  // google.rpc.Status { code: 8, details: Any { type_url, value: RetryInfo { Duration { nanos } } }
  // }
  EXPECT_EQ(
      answer.status.error_details(),
      std::string("\x08\x08\x1a\x34\x0a\x28type.googleapis.com/google.rpc.RetryInfo\x12\x08\x0a"
                  "\x06\x10\x80\xca\xb5\xee\x01"));
}

TEST_F(ServerTest, FinishesACallFromAnotherThread) {
  std::vector<std::thread> finishers;
  std::mutex mutex;
  service_->get_later = [&](Finish finish) {
    const std::lock_guard lock(mutex);
    finishers.emplace_back([finish = std::move(finish)] { finish(absl::NotFoundError("late")); });
  };
  Start();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Get().error_message(), "late");
  const std::lock_guard lock(mutex);  // the answer may be here before its thread is in the list
  for (std::thread& finisher : finishers) finisher.join();
}

TEST_F(ServerTest, EndsACallThatItsHandlerGaveUp) {
  service_->get_later = [](const Finish&) {};
  Start();
  EXPECT_EQ(Get().error_code(), grpc::StatusCode::INTERNAL);
}

TEST_F(ServerTest, IgnoresASecondAnswer) {
  service_->get_later = [](const Finish& finish) {
    finish(absl::OkStatus());
    finish(absl::InternalError("again"));
  };
  Start();
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(Get().ok());
}

TEST_F(ServerTest, RefusesCallsWhenTheQueueIsFull) {
  service_ = std::make_shared<Service>(metrics_, 1, 1);
  Gate running;
  Gate go_on;
  service_->get = WaitFor(running, go_on);
  Start();
  // One runs, one waits; a third finds no room. Whichever of the two comes first runs.
  auto first = std::async(std::launch::async, [&] { return Get(); });
  running.Wait();
  auto second = std::async(std::launch::async, [&] { return Get(); });
  auto third = std::async(std::launch::async, [&] { return Get(); });
  grpc::Status refused;
  while (refused.ok()) {
    if (second.wait_for(std::chrono::milliseconds(1)) == std::future_status::ready) {
      refused = second.get();
    } else if (third.wait_for(std::chrono::milliseconds(1)) == std::future_status::ready) {
      refused = third.get();
    }
  }
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(refused.error_message(), HasSubstr("nothing was done"));
  go_on.Open();
  EXPECT_TRUE(first.get().ok());
  if (second.valid()) {
    EXPECT_TRUE(second.get().ok());
  }
  if (third.valid()) {
    EXPECT_TRUE(third.get().ok());
  }
}

TEST_F(ServerTest, DoesNotRunACallWhoseCallerHasGone) {
  service_ = std::make_shared<Service>(metrics_, 1, 10);
  std::atomic<Gate*> running{nullptr};
  std::atomic<Gate*> go_on{nullptr};
  std::atomic<int> runs{0};
  service_->get = [&](const auto&, auto&, const auto&) {
    runs.fetch_add(1);
    if (Gate* gate = running.load(); gate != nullptr) gate->Open();
    if (Gate* gate = go_on.load(); gate != nullptr) gate->Wait();
    return absl::OkStatus();
  };
  Start();
  // Whether the server has learned in time that the caller has gone cannot be seen from here: so
  // this is done until it has.
  int started = 0;
  while (metrics_.Render().find("grpc_code=\"Canceled\"") == std::string::npos) {
    Gate first_running;
    Gate first_go_on;
    running = &first_running;
    go_on = &first_go_on;
    auto first = std::async(std::launch::async, [&] { return Get(); });
    first_running.Wait();
    running = nullptr;
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(20));
    GetTimelineResponse response;
    EXPECT_EQ(stub_->GetTimeline(&context, {}, &response).error_code(),
              grpc::StatusCode::DEADLINE_EXCEEDED);
    first_go_on.Open();
    EXPECT_TRUE(first.get().ok());
    EXPECT_TRUE(Get().ok());  // the pool is through with what came before
    go_on = nullptr;
    started += 3;
  }
  EXPECT_EQ(runs.load(), started - 1);
}

TEST_F(ServerTest, CountsAndTimesCalls) {
  service_->get = [](const auto&, auto&, const auto&) { return absl::NotFoundError("no"); };
  Start();
  EXPECT_FALSE(Get().ok());
  const std::string text = metrics_.Render();
  EXPECT_THAT(text, HasSubstr("grpc_server_handled_total{grpc_code=\"NotFound\",grpc_method="
                              "\"GetTimeline\",grpc_service=\"simpul.timeline.v1.TimelineService\","
                              "grpc_type=\"unary\"} 1"));
  EXPECT_THAT(text, HasSubstr("grpc_server_started_total{grpc_method=\"GetTimeline\""));
  EXPECT_THAT(text, HasSubstr("grpc_server_handling_seconds_count{grpc_method=\"GetTimeline\""));
}

TEST_F(ServerTest, StreamsWhatTheHandlerWrites) {
  service_->watch = [](Stream<WatchTimelineResponse>& stream) {
    for (int i = 1; i <= 1000; ++i) {
      WatchTimelineResponse response;
      response.mutable_entry()->set_revision(i);
      if (!stream.Write(response)) return absl::CancelledError();
    }
    return absl::OkStatus();
  };
  Start();
  grpc::ClientContext context;
  const auto reader = stub_->WatchTimeline(&context, {});
  WatchTimelineResponse response;
  uint32_t last = 0;
  while (reader->Read(&response)) EXPECT_EQ(response.entry().revision(), ++last);
  EXPECT_EQ(last, 1000);
  EXPECT_TRUE(reader->Finish().ok());
}

TEST_F(ServerTest, TellsAStreamThatItsCallerHasGone) {
  Gate told;
  service_->watch = [&](Stream<WatchTimelineResponse>& stream) {
    static_cast<void>(stream.Write({}));
    Gate woken;
    stream.WhenCancelled([&] { woken.Open(); });
    woken.Wait();
    EXPECT_TRUE(stream.Cancelled());
    EXPECT_FALSE(stream.Write({}));
    stream.WhenCancelled(nullptr);
    told.Open();
    return absl::CancelledError();
  };
  Start();
  {
    grpc::ClientContext context;
    const auto reader = stub_->WatchTimeline(&context, {});
    WatchTimelineResponse response;
    ASSERT_TRUE(reader->Read(&response));
    context.TryCancel();
    EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  told.Wait();
}

TEST_F(ServerTest, RefusesMoreStreamsThanItsLimit) {
  service_->calls().streams_max = 1;
  service_->watch = WriteOnceAndWait;
  Start();
  grpc::ClientContext first_context;
  const auto first = stub_->WatchTimeline(&first_context, {});
  WatchTimelineResponse response;
  ASSERT_TRUE(first->Read(&response));
  grpc::ClientContext second_context;
  const auto second = stub_->WatchTimeline(&second_context, {});
  EXPECT_FALSE(second->Read(&response));
  EXPECT_EQ(second->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  first_context.TryCancel();
  EXPECT_FALSE(first->Finish().ok());
}

TEST_F(ServerTest, DrainEndsStreamsAtOnceAndSaysToComeAgain) {
  service_->watch = WriteOnceAndWait;
  Start();
  grpc::ClientContext context;
  const auto reader = stub_->WatchTimeline(&context, {});
  WatchTimelineResponse response;
  ASSERT_TRUE(reader->Read(&response));
  auto ended = std::async(std::launch::async, [&] {
    while (reader->Read(&response)) {
    }
    return reader->Finish();
  });
  server_->Drain(std::chrono::hours(1));
  const grpc::Status status = ended.get();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("stopping"));
}

TEST_F(ServerTest, DrainLetsCallsInHandFinish) {
  Gate running;
  Gate go_on;
  service_->get = WaitFor(running, go_on);
  Start();
  auto call = std::async(std::launch::async, [&] { return Get(); });
  running.Wait();
  auto drained = std::async(std::launch::async, [&] { server_->Drain(std::chrono::hours(1)); });
  go_on.Open();
  EXPECT_TRUE(call.get().ok());
  drained.get();
  EXPECT_EQ(Get().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(ServerTest, DrainDoesNotWaitForConnectionsWithoutACall) {
  Start();
  RawConnection silent(server_->address());
  RawConnection idle(server_->address());
  ASSERT_TRUE(idle.Send(Greeting()));
  EXPECT_NE(idle.Read(9), "");
  EXPECT_TRUE(Get().ok());
  server_->Drain(std::chrono::hours(1));
  static_cast<void>(silent.ReadToEnd());
  static_cast<void>(idle.ReadToEnd());
}

TEST_F(ServerTest, DrainTellsAHandlerThatWaits) {
  Gate running;
  service_->get = [&](const auto&, auto&, const grpc::CallbackServerContext& context) {
    running.Open();
    while (!Cancelled(context)) std::this_thread::yield();
    return absl::UnavailableError("stopping");
  };
  Start();
  auto call = std::async(std::launch::async, [&] { return Get(); });
  running.Wait();
  server_->Drain(std::chrono::hours(1));
  EXPECT_EQ(call.get().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(ServerTest, DrainsOnceHoweverOftenItIsTold) {
  Start();
  server_->Drain(std::chrono::seconds(1));
  server_->Drain(std::chrono::seconds(1));
}

TEST_F(ServerTest, SaysThatThePortIsInUse) {
  Start();
  const absl::StatusOr<std::unique_ptr<Server>> second =
      Server::Start(server_->address(), {std::make_shared<Service>(metrics_)});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(base::Message(second.status())),
              StartsWith(server_->address() + " is in use"));
}

TEST_F(ServerTest, CanListenAgainWhereItListened) {
  Start();
  const std::string address = server_->address();
  EXPECT_TRUE(Get().ok());
  server_.reset();
  const absl::StatusOr<std::unique_ptr<Server>> second = Server::Start(address, {service_});
  EXPECT_TRUE(second.ok()) << second.status();
}

TEST_F(ServerTest, RefusesAnAddressThatIsNone) {
  EXPECT_EQ(Server::Start("7400", {service_}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Server::Start("192.0.2.1:0", {service_}).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST_F(ServerTest, AnswersHealthChecks) {
  Start();
  const RawAnswer answer = RawCall(channel_, "/grpc.health.v1.Health/Check", "");
  EXPECT_TRUE(answer.status.ok()) << answer.status.error_message();
  EXPECT_EQ(answer.bytes, "\x08\x01");  // SERVING
}

TEST_F(ServerTest, DescribesItsServicesByReflection) {
  Start();
  // ServerReflectionRequest { list_services: "" }
  const RawAnswer services =
      RawCall(channel_, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
              std::string("\x3a\x00", 2));
  ASSERT_TRUE(services.status.ok()) << services.status.error_message();
  EXPECT_THAT(services.bytes, HasSubstr("simpul.timeline.v1.TimelineService"));
  // ServerReflectionRequest { file_containing_symbol }
  const std::string symbol = "simpul.timeline.v1.TimelineService";
  const RawAnswer file =
      RawCall(channel_, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
              "\x22" + std::string(1, static_cast<char>(symbol.size())) + symbol);
  ASSERT_TRUE(file.status.ok()) << file.status.error_message();
  EXPECT_THAT(file.bytes, HasSubstr("GetTimelineRequest"));
}

TEST_F(ServerTest, SurvivesCallsOfAMethodNobodyServes) {
  Start();
  for (const char* path : {"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
                           "/simpul.timeline.v1.TimelineService/Nothing", "/nothing"}) {
    EXPECT_EQ(RawCall(channel_, path, "").status.error_code(), grpc::StatusCode::UNIMPLEMENTED)
        << path;
  }
  EXPECT_TRUE(Get().ok());
}

TEST_F(ServerTest, RefusesAMessageAboveItsLimit) {
  Start();
  const RawAnswer answer = RawCall(channel_, "/simpul.timeline.v1.TimelineService/GetTimeline",
                                   std::string(kReceiveBytesMax + 1, '\0'));
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(answer.status.error_message(), HasSubstr("larger than max"));
  // What callers know it by from an overload.
  EXPECT_THAT(answer.trailers, Not(Contains(Pair("grpc-retry-pushback-ms", _))));
  EXPECT_EQ(answer.status.error_details(), "");
}

TEST_F(ServerTest, SurvivesCallersThatGoAwayAtAnyMoment) {
  service_->watch = [](Stream<WatchTimelineResponse>& stream) {
    while (stream.Write({})) {
    }
    return absl::CancelledError();
  };
  Start();
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&, caller] {
      for (int i = 0; i < 50; ++i) {
        grpc::ClientContext stream_context;
        const auto reader = stub_->WatchTimeline(&stream_context, {});
        WatchTimelineResponse response;
        for (int k = 0; k < (i + caller) % 5; ++k) static_cast<void>(reader->Read(&response));
        stream_context.TryCancel();
        EXPECT_FALSE(reader->Finish().ok());

        grpc::ClientContext context;
        context.set_deadline(std::chrono::system_clock::now() +
                             std::chrono::microseconds(100 * (i % 10)));
        GetTimelineResponse ignored;
        static_cast<void>(stub_->GetTimeline(&context, {}, &ignored));
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_TRUE(Get().ok());
}

}  // namespace
}  // namespace simpul::rpc
