// The program in processes of its own, and who calls it over gRPC: what the benchmarks of the whole
// program share.
#pragma once

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>
#include <sys/types.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "lib/base/check.h"
#include "lib/base/file.h"
#include "lib/rpc/channel.h"
#include "simpul/ingest/v1/ingest.grpc.pb.h"
#include "simpul/timeline/v1/timeline_service.grpc.pb.h"
#include "tests/bench/measure.h"
#include "tests/bench/weighings.h"
#include "tests/support/child_process.h"

namespace simpul::bench {

using Steady = std::chrono::steady_clock;

inline constexpr int kRate = 700;  // events a second: the nation's peak hour
inline constexpr int kPacedSeconds = 10;
// So many that none comes late because of the one before.
inline constexpr size_t kPacedThreads = 48;

// `simpul serve` on a folder, from start to end.
class Serving {
 public:
  // `words` follow those that name the folder and ask for any ports.
  Serving(const std::string& path, const std::filesystem::path& data,
          std::vector<std::string> words = {})
      : data_(data), process_(std::filesystem::absolute(path), Words(data, std::move(words))) {
    process_.Hear(1);  // it listens
  }
  ~Serving() { process_.Stop(); }
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;

  void Kill() { process_.Kill(); }
  pid_t pid() const { return process_.pid(); }

  // Where it listens for "grpc" and "admin".
  std::string Address(std::string_view door) const {
    const auto ports = base::ReadFile(data_ / "ports.json");
    SIMPUL_CHECK(ports.ok(), "The program has ended.");
    const std::string before = fmt::format("\"{}\":\"", door);
    const size_t at = ports->find(before);
    SIMPUL_CHECK(at != std::string::npos, "ports.json lacks {}.", door);
    const size_t from = at + before.size();
    return ports->substr(from, ports->find('"', from) - from);
  }

 private:
  static std::vector<std::string> Words(const std::filesystem::path& data,
                                        std::vector<std::string> more) {
    std::vector<std::string> words = {"serve",       "--data",  data.string(), "--grpc",
                                      "127.0.0.1:0", "--admin", "127.0.0.1:0"};
    std::ranges::move(more, std::back_inserter(words));
    return words;
  }

  std::filesystem::path data_;
  testing::ChildProcess process_;
};

// Channels of its own.
class Caller {
 public:
  explicit Caller(const std::string& address) : Caller(rpc::Connect(address)) {}
  Caller(const std::string& ingest, const std::string& timeline)
      : Caller(rpc::Connect(ingest), rpc::Connect(timeline)) {}

  // The positions of the events [from, until).
  std::vector<std::string> Submit(size_t from, size_t until, size_t patients) {
    ingest::v1::SubmitEventsRequest request;
    for (size_t n = from; n < until; ++n) *request.add_events() = Weighing(n, patients);
    grpc::ClientContext context;
    ingest::v1::SubmitEventsResponse response;
    const grpc::Status status = ingest_->SubmitEvents(&context, request, &response);
    SIMPUL_CHECK(status.ok(), "{}", status.error_message());
    std::vector<std::string> positions;
    for (const auto& outcome : response.outcomes()) {
      SIMPUL_CHECK(outcome.outcome() == ingest::v1::OUTCOME_ACCEPTED, "{}",
                   outcome.ShortDebugString());
      positions.push_back(outcome.position());
    }
    return positions;
  }

  // Waits until the event is on its patient's timeline.
  void Await(size_t n, size_t patients, const std::string& position) {
    timeline::v1::GetTimelineRequest request;
    *request.mutable_patient() = Weighing(n, patients).subject().identities(0);
    request.set_min_position(position);
    request.mutable_wait_max()->set_seconds(30);
    request.set_page_size(1);
    grpc::ClientContext context;
    timeline::v1::GetTimelineResponse response;
    const grpc::Status status = timeline_->GetTimeline(&context, request, &response);
    SIMPUL_CHECK(status.ok(), "{}", status.error_message());
    SIMPUL_CHECK(!response.entries().empty(), "The timeline is empty.");
  }

  // True once everything on the log is on the timelines.
  bool HasCaughtUp() {
    grpc::ClientContext context;
    timeline::v1::GetStateResponse state;
    const grpc::Status status = timeline_->GetState(&context, {}, &state);
    SIMPUL_CHECK(status.ok(), "{}", status.error_message());
    return std::ranges::all_of(state.partitions(), [](const auto& partition) {
      return partition.position() == partition.log_end();
    });
  }

 private:
  explicit Caller(const std::shared_ptr<grpc::Channel>& both) : Caller(both, both) {}
  Caller(const std::shared_ptr<grpc::Channel>& ingest,
         const std::shared_ptr<grpc::Channel>& timeline)
      : ingest_(ingest::v1::IngestService::NewStub(ingest)),
        timeline_(timeline::v1::TimelineService::NewStub(timeline)) {}

  std::unique_ptr<ingest::v1::IngestService::Stub> ingest_;
  std::unique_ptr<timeline::v1::TimelineService::Stub> timeline_;
};

// From before the call that submits an event until it is seen on the timeline, in milliseconds.
// The doors of ingest and of timeline may be one.
inline std::vector<double> Pace(const std::string& ingest, const std::string& timeline,
                                size_t first, size_t patients) {
  std::vector<double> all;
  std::mutex mutex;
  std::vector<std::unique_ptr<Caller>> callers;
  for (size_t n = 0; n < kPacedThreads; ++n) {
    callers.push_back(std::make_unique<Caller>(ingest, timeline));
    callers.back()->HasCaughtUp();
    callers.back()->Submit(first - 1, first, patients);  // known already: to both it is connected
  }
  const auto begin = Steady::now();
  OnThreads(kPacedThreads, [&](size_t thread) {
    Caller& caller = *callers[thread];
    std::vector<double> own;
    for (size_t n = thread; n < static_cast<size_t>(kRate) * kPacedSeconds; n += kPacedThreads) {
      const auto due = begin + std::chrono::microseconds(1'000'000 * n / kRate);
      std::this_thread::sleep_until(due);
      caller.Await(first + n, patients, caller.Submit(first + n, first + n + 1, patients).at(0));
      // From when it was due: who comes late because the one before took long has waited too.
      own.push_back(SecondsSince(due) * 1000);
    }
    const std::lock_guard lock(mutex);
    all.insert(all.end(), own.begin(), own.end());
  });
  return all;
}

}  // namespace simpul::bench
