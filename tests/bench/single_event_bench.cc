// Single events from 32 connections, each with one call in hand: how many are durable a second.
//
//   single_event_bench [--to HOST:PORT] [--seconds N] [--connections N]
//
// Without --to it serves ingest itself, with the embedded log in a temporary folder. Ends with one
// line of JSON on standard output; 1 when an event was not accepted.
#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/ingest.h"
#include "ingest/ingest_rpc.h"
#include "lib/base/check.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/status_macros.h"
#include "lib/base/uuid.h"
#include "lib/eventlog/embedded_log.h"
#include "lib/rpc/channel.h"
#include "lib/rpc/server.h"
#include "simpul/ingest/v1/ingest.grpc.pb.h"
#include "tests/bench/measure.h"
#include "tests/support/sample_events.h"
#include "tests/support/temp_folder.h"

namespace simpul {
namespace {

using Steady = std::chrono::steady_clock;

struct Options {
  std::string to;
  int seconds = 5;
  int connections = 32;
};

Options Read(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--to") options.to = argv[i + 1];
    if (name == "--seconds") options.seconds = std::atoi(argv[i + 1]);
    if (name == "--connections") options.connections = std::atoi(argv[i + 1]);
  }
  return options;
}

// Ingest and its log, in this process.
class OwnServer {
 public:
  OwnServer() {
    eventlog::EmbeddedLog::Options options;
    options.secret_fingerprint = secret_.Fingerprint();
    auto log = eventlog::EmbeddedLog::Open(folder_ / "log", options, base::SystemClock(), metrics_);
    SIMPUL_CHECK(log.ok(), "{}", base::Message(log.status()));
    log_ = *std::move(log);
    ingest_ = std::make_unique<ingest::Ingest>(*log_, secret_, base::SystemClock(), metrics_);
    auto server = rpc::Server::Start("127.0.0.1:0", {ingest::BindIngest(*ingest_, metrics_)});
    SIMPUL_CHECK(server.ok(), "{}", base::Message(server.status()));
    server_ = *std::move(server);
  }
  const std::string& address() const { return server_->address(); }

 private:
  testing::TempFolder folder_;
  base::Metrics metrics_;
  event::Secret secret_ = *event::Secret::FromBytes(std::string(32, 's'));
  std::unique_ptr<eventlog::EmbeddedLog> log_;
  std::unique_ptr<ingest::Ingest> ingest_;
  std::unique_ptr<rpc::Server> server_;
};

// What all connections share.
struct Run {
  Steady::time_point end;
  std::atomic<uint64_t> accepted{0};
  std::atomic<uint64_t> failed{0};
  std::mutex mutex;
  std::condition_variable all_done;
  int running = 0;
};

// One connection: a call, its answer, the next call.
class Connection {
 public:
  Connection(const std::string& address, int number, Run& run)
      : stub_(ingest::v1::IngestService::NewStub(rpc::Connect(address))), run_(run) {
    *request_.add_events() = testing::SampleWeighing();
    // Many patients, so that all partitions are written.
    request_.mutable_events(0)->mutable_subject()->mutable_identities(0)->mutable_nik()->set_number(
        fmt::format("732402150524{:04}", number + 1));
  }

  void Next() {
    if (Steady::now() >= run_.end) {
      // Notified under the lock: who waits then takes everything down.
      const std::lock_guard lock(run_.mutex);
      if (--run_.running == 0) run_.all_done.notify_all();
      return;
    }
    request_.mutable_events(0)->set_event_id(base::RandomUuid());
    context_ = std::make_unique<grpc::ClientContext>();
    stub_->async()->SubmitEvents(
        context_.get(), &request_, &response_, [this](const grpc::Status& status) {
          const bool ok = status.ok() && response_.outcomes_size() == 1 &&
                          response_.outcomes(0).outcome() == ingest::v1::OUTCOME_ACCEPTED;
          (ok ? run_.accepted : run_.failed).fetch_add(1);
          Next();
        });
  }

 private:
  std::unique_ptr<ingest::v1::IngestService::Stub> stub_;
  Run& run_;
  ingest::v1::SubmitEventsRequest request_;
  ingest::v1::SubmitEventsResponse response_;
  std::unique_ptr<grpc::ClientContext> context_;
};

int Main(int argc, char** argv) {
  const Options options = Read(argc, argv);
  base::SetLogMinimum(base::Severity::kWarning);
  std::unique_ptr<OwnServer> own;
  std::string address = options.to;
  if (address.empty()) {
    own = std::make_unique<OwnServer>();
    address = own->address();
  }
  Run run;
  run.running = options.connections;
  run.end = Steady::now() + std::chrono::seconds(options.seconds);
  std::vector<std::unique_ptr<Connection>> connections;
  for (int i = 0; i < options.connections; ++i) {
    connections.push_back(std::make_unique<Connection>(address, i, run));
  }
  const Steady::time_point begin = Steady::now();
  for (const auto& connection : connections) connection->Next();
  {
    std::unique_lock lock(run.mutex);
    run.all_done.wait(lock, [&] { return run.running == 0; });
  }
  const double seconds = std::chrono::duration<double>(Steady::now() - begin).count();
  bench::PrintAsked(fmt::format("single events, {} connections", options.connections),
                    static_cast<double>(run.accepted.load()) / seconds, ">= 5000", "events/s");
  if (run.failed.load() != 0) {
    fmt::print(stderr, "{} events were not accepted.\n", run.failed.load());
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace simpul

int main(int argc, char** argv) { return simpul::Main(argc, argv); }
