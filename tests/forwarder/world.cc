#include "tests/forwarder/world.h"

#include <condition_variable>
#include <mutex>

#include "lib/base/file.h"
#include "sandbox/json.h"
#include "tests/fhir/entries.h"
#include "tests/support/sample_events.h"
#include "tests/timeline/records.h"

namespace simpul::forwarder {

using simpul::testing::HttpClient;

World::World() : clock(simpul::testing::SampleNow()), secret(simpul::testing::SampleSecret()) {
  log = simpul::testing::OpenLog(folder / "log", secret, metrics);
  StartTimeline();
  WriteDirectory(fhir::TestDirectoryJson());
  EXPECT_TRUE(base::WriteFileAtomically(
                  folder / "credentials.json",
                  R"([{"organization":"100027469","client_id":"100027469","client_secret":"s"},
                      {"organization":"100011111","client_id":"100011111","client_secret":"s"}])")
                  .ok());
  options.folder = folder / "forwarder";
  options.credentials_file = folder / "credentials.json";
  options.directory_file = folder / "directory.json";
  options.retry.base = std::chrono::milliseconds(20);
  options.retry.cap = std::chrono::milliseconds(200);
  options.retry.request_limit = std::chrono::milliseconds(1500);
  options.retry.held_base = std::chrono::milliseconds(50);
  options.retry.held_cap = std::chrono::milliseconds(400);
  options.miss_lasts = std::chrono::milliseconds(50);
  options.memory_bytes = 8 << 20;
  sandbox_options.data = folder / "sandbox";
  sandbox_options.clock = &clock;
}

World::~World() {
  forwarder.reset();
  timeline.reset();
  platform.reset();
}

void World::StartSandbox() {
  auto started = sandbox::Sandbox::Start(sandbox_options);
  ASSERT_TRUE(started.ok()) << started.status();
  platform = *std::move(started);
  options.platform_url = "http://" + platform->address();
}

void World::StartForwarder() {
  auto opened = Forwarder::Open(*log, secret, options, clock, metrics);
  ASSERT_TRUE(opened.ok()) << opened.status();
  forwarder = *std::move(opened);
}

void World::ForgetDeliveries() {
  forwarder.reset();
  timeline.reset();
  log.reset();
  for (const char* name : {"log", "timeline", "forwarder"}) {
    std::filesystem::remove_all(folder / name);
  }
  log = simpul::testing::OpenLog(folder / "log", secret, metrics);
}

void World::StartTimeline() {
  timeline = *timeline_role::TimelineRole::Open(*log, secret, folder / "timeline", metrics);
}

void World::AppendAttempt(const event::v1::Event& event, const std::string& record_id) {
  log::v1::LogRecord record;
  log::v1::DeliveryRecord& step = *record.mutable_delivery();
  step.set_claim("a process before");
  step.set_at_us(base::ToMicros(clock.Now()));
  step.mutable_attempt()->set_entry_id(record_id);
  step.mutable_attempt()->set_revision(1);
  step.mutable_attempt()->set_attempt(1);
  eventlog::Draft draft;
  draft.topic = eventlog::Topic::kDeliveries;
  draft.key = secret.KeyOf(*event::StrongestIdentity(event.subject()))->view();
  draft.value = record.SerializeAsString();
  for (const auto& appended : eventlog::AppendAndWait(*log, {draft})) {
    EXPECT_TRUE(appended.ok()) << appended.status();
  }
}

void World::WriteDirectory(const std::string& json) {
  EXPECT_TRUE(base::WriteFileAtomically(folder / "directory.json", json).ok());
}

void World::Push(const std::vector<event::v1::Event>& events) {
  simpul::testing::Push(*log, secret, events);
}

bool World::Eventually(const std::function<bool()>& holds) {
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    never.wait_for(lock, std::chrono::milliseconds(5));
  }
  return true;
}

delivery::v1::EventTrace World::Trace(const std::string& event_id) {
  delivery::v1::TraceRequest request;
  request.add_event_ids(event_id);
  delivery::v1::TraceResponse response;
  const absl::Status status = forwarder->Trace(request, response);
  EXPECT_TRUE(status.ok()) << status;
  return response.traces_size() == 0 ? delivery::v1::EventTrace() : response.traces(0);
}

delivery::v1::DeliveryRecordTrace World::Record(const std::string& event_id) {
  const delivery::v1::EventTrace trace = Trace(event_id);
  if (trace.records().empty()) return {};
  return *trace.records().rbegin();
}

::testing::AssertionResult World::Becomes(const std::string& event_id,
                                          delivery::v1::DeliveryState state,
                                          const std::string& reason) {
  delivery::v1::DeliveryRecordTrace record;
  const bool holds = Eventually([&] {
    record = Record(event_id);
    return record.state() == state && (reason.empty() || record.reason() == reason);
  });
  if (holds) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "it is " << record.ShortDebugString();
}

std::string World::Checksum() {
  delivery::v1::GetLedgerResponse response;
  EXPECT_TRUE(forwarder->GetLedger({}, response).ok());
  return response.checksum();
}

void World::Fault(const std::string& json) {
  HttpClient client(platform->address());
  EXPECT_EQ(client.Post("/sandbox/v1/faults", json).status, 201);
}

void World::ClearFaults() {
  HttpClient client(platform->address());
  EXPECT_EQ(client.Delete("/sandbox/v1/faults").status, 200);
}

std::string World::Report() {
  HttpClient client(platform->address());
  return client.Get("/sandbox/v1/report").body;
}

uint64_t World::Created() {
  sandbox::JsonText json(Report());
  return (*json.root())["created"].GetUint64();
}

void World::ExpectNothingTwice() {
  EXPECT_THAT(Report(), ::testing::HasSubstr(R"("created_twice":[])"));
}

std::vector<std::string> World::Resources(const std::string& type) {
  HttpClient client(platform->address());
  std::vector<std::string> lines;
  std::string body = client.Get("/sandbox/v1/resources?type=" + type).body;
  while (!body.empty()) {
    const size_t end = body.find('\n');
    lines.push_back(body.substr(0, end));
    body.erase(0, end == std::string::npos ? body.size() : end + 1);
  }
  return lines;
}

}  // namespace simpul::forwarder
