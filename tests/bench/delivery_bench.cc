// How fast what stands on the log reaches the platform, the sandbox being a process beside ours.
//
//   bench_delivery [EVENTS [RATE]]     prints one JSON object a line
//
// 20,000 weighings of as many children unless said otherwise, each one Encounter with a Condition
// and three Observations, with the timeline in the same process: a backlog, then 700 events a
// second for ten seconds. CPU seconds are ours and the sandbox's apart: other load meets only wall
// time.

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "forwarder/forwarder.h"
#include "lib/base/check.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/status_macros.h"
#include "lib/base/uuid.h"
#include "lib/eventlog/embedded_log.h"
#include "sandbox/sandbox.h"
#include "tests/bench/measure.h"
#include "tests/bench/weighings.h"
#include "tests/support/temp_folder.h"
#include "timeline/timeline_role.h"

namespace simpul::forwarder {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr size_t kBatch = 500;
constexpr int kPacedSeconds = 10;
constexpr std::string_view kNamespace = "5a3b1e00-0000-4000-8000-000000000000";

event::v1::Event Weighing(size_t child) {
  event::v1::Event event;
  event.set_event_id(base::UuidV5(kNamespace, "weighing " + std::to_string(child)));
  event.mutable_facility()->set_system("kemenkes");
  event.mutable_facility()->set_code("P7324020101");
  event.mutable_unit()->set_kind(event::v1::UNIT_KIND_POSYANDU);
  event.mutable_unit()->set_code("melati");
  event.mutable_recorder()->set_id("kader-1");
  event.mutable_recorder()->set_role(event::v1::RECORDER_ROLE_KADER);
  event::v1::Subject& subject = *event.mutable_subject();
  subject.add_identities()->mutable_nik()->set_number(
      fmt::format("732402{:02}{:02}24{:04}", 1 + child / 9999 % 28, 1 + child / 279'972 % 12,
                  1 + child % 9999)
          .substr(0, 16));
  subject.set_name(fmt::format("Anak {}", child));
  subject.set_sex(event::v1::SEX_MALE);
  subject.set_birth_date("2024-05-15");
  constexpr int64_t kAt = 1'770'081'300;  // 2026-02-03T01:15:00Z
  event.mutable_occurred_at()->mutable_time()->set_seconds(kAt);
  event.mutable_occurred_at()->set_utc_offset_min(480);
  event.mutable_occurred_at()->set_precision(event::v1::TIME_PRECISION_MINUTE);
  event.mutable_recorded_at()->set_seconds(kAt + 3600);
  event.set_channel(event::v1::CHANNEL_APP);
  event.set_purpose(event::v1::PURPOSE_PRODUCTION);
  event::v1::Visit& visit = *event.mutable_visit();
  visit.set_encounter_class(event::v1::ENCOUNTER_CLASS_AMBULATORY);
  visit.set_weight_g(9'000 + static_cast<uint32_t>(child % 3000));
  visit.set_length_mm(800 + static_cast<uint32_t>(child % 90));
  visit.set_position(event::v1::MEASURING_POSITION_LYING);
  visit.set_head_mm(470);
  return event;
}

constexpr std::string_view kDirectory = R"({
  "facilities": [{"codes": [{"system": "kemenkes", "code": "P7324020101"}], "name": "Puskesmas",
                  "kind": "puskesmas", "organization": "100027469",
                  "location": "b017aa54-f1df-4ec2-9d84-8823815d7228"}],
  "practitioners": [{"practitioner_id": "10009880728", "name": "Bidan"}],
  "defaults": [{"facility": {"system": "kemenkes", "code": "P7324020101"},
                "practitioner_id": "10009880728"}]})";

// The sandbox in a process of its own, until its input ends.
class SandboxProcess {
 public:
  explicit SandboxProcess(const std::filesystem::path& data) {
    int up[2], down[2];
    SIMPUL_CHECK(::pipe(up) == 0 && ::pipe(down) == 0, "No pipes.");
    pid_ = ::fork();
    SIMPUL_CHECK(pid_ >= 0, "No process.");
    if (pid_ == 0) {
      ::close(down[1]);
      sandbox::Sandbox::Options options;
      options.data = data;
      const auto started = sandbox::Sandbox::Start(options);
      SIMPUL_CHECK(started.ok(), "{}", base::Message(started.status()));
      const std::string address = (*started)->address() + "\n";
      SIMPUL_CHECK(::write(up[1], address.data(), address.size()) > 0, "No reader.");
      char byte;
      while (::read(down[0], &byte, 1) > 0) {
      }
      std::_Exit(0);
    }
    ::close(up[1]);
    ::close(down[0]);
    input_ = down[1];
    char byte;
    while (::read(up[0], &byte, 1) == 1 && byte != '\n') address_.push_back(byte);
    ::close(up[0]);
  }
  void Stop() {
    ::close(input_);
    ::waitpid(pid_, nullptr, 0);
  }
  const std::string& address() const { return address_; }

 private:
  pid_t pid_ = 0;
  int input_ = -1;
  std::string address_;
};

class Bench {
 public:
  Bench(const std::filesystem::path& folder, const std::string& platform)
      : secret_(*event::Secret::FromBytes(std::string(32, 's'))) {
    auto log =
        eventlog::EmbeddedLog::Open(folder / "log", {.secret_fingerprint = secret_.Fingerprint()},
                                    base::SystemClock(), metrics_);
    SIMPUL_CHECK(log.ok(), "{}", base::Message(log.status()));
    log_ = *std::move(log);
    timeline_ = *timeline_role::TimelineRole::Open(*log_, secret_, folder / "timeline", metrics_);
    SIMPUL_CHECK(
        base::WriteFileAtomically(folder / "directory.json", kDirectory).ok() &&
            base::WriteFileAtomically(
                folder / "credentials.json",
                R"([{"organization":"100027469","client_id":"100027469","client_secret":"s"}])")
                .ok(),
        "The folder cannot be written.");
    Forwarder::Options options;
    options.folder = folder / "forwarder";
    options.platform_url = "http://" + platform;
    options.directory_file = folder / "directory.json";
    options.credentials_file = folder / "credentials.json";
    auto forwarder = Forwarder::Open(*log_, secret_, options, base::SystemClock(), metrics_);
    SIMPUL_CHECK(forwarder.ok(), "{}", base::Message(forwarder.status()));
    forwarder_ = *std::move(forwarder);
  }

  // Appends weighings of children [from, until) as intake does.
  void Push(size_t from, size_t until) {
    std::vector<eventlog::Draft> drafts;
    for (size_t child = from; child < until; ++child) {
      const event::v1::Event event = Weighing(child);
      const int64_t now_us = base::ToMicros(base::SystemClock().Now());
      pushed_us_[event.event_id()] = now_us;
      drafts.push_back(bench::DraftOf(event, secret_, now_us));
    }
    for (const eventlog::Appended& appended : eventlog::AppendAndWait(*log_, std::move(drafts))) {
      SIMPUL_CHECK(appended.ok(), "{}", base::Message(appended.status()));
    }
  }

  void AwaitDelivered(uint64_t count) {
    std::unique_lock lock(pause_mutex_);
    for (;;) {
      delivery::v1::GetLedgerResponse ledger;
      SIMPUL_CHECK(forwarder_->GetLedger({}, ledger).ok(), "No ledger.");
      uint64_t delivered = 0, stuck = 0;
      for (const auto& partition : ledger.partitions()) {
        delivered += partition.delivered();
        stuck += partition.refused() + partition.held() + partition.not_sent();
      }
      if (stuck != 0) {
        delivery::v1::ListDeadLettersResponse letters;
        SIMPUL_CHECK(forwarder_->ListDeadLetters({}, letters).ok(), "No dead letters.");
        const auto why = letters.rows().empty() ? "" : letters.rows(0).ShortDebugString();
        SIMPUL_CHECK(false, "The sandbox does not take the bench's weighings: {}", why);
      }
      if (delivered >= count) return;
      pause_.wait_for(lock, std::chrono::milliseconds(5));
    }
  }

  // From acceptance to the platform's answer, of the last `count` delivered, in milliseconds.
  std::vector<double> Latencies(size_t count) {
    std::vector<double> all;
    delivery::v1::ListDeliveriesRequest request;
    request.set_page_size(1000);
    delivery::v1::ListDeliveriesResponse page;
    do {
      page.Clear();
      SIMPUL_CHECK(forwarder_->ListDeliveries(request, page).ok(), "No deliveries.");
      for (const auto& change : page.changes()) {
        if (change.record().state() != delivery::v1::DELIVERY_STATE_DELIVERED) continue;
        const auto& at = change.record().changed_at();
        const int64_t at_us = at.seconds() * 1'000'000 + at.nanos() / 1000;
        all.push_back(static_cast<double>(at_us - pushed_us_[change.event_ids(0)]) / 1000);
      }
      request.set_after(page.cursor());
    } while (!page.at_end());
    if (all.size() > count) all.erase(all.begin(), all.end() - static_cast<long>(count));
    return all;
  }

 private:
  const event::Secret secret_;
  base::Metrics metrics_;
  std::map<std::string, int64_t> pushed_us_;
  std::mutex pause_mutex_;
  std::condition_variable pause_;
  std::unique_ptr<eventlog::EmbeddedLog> log_;
  std::unique_ptr<timeline_role::TimelineRole> timeline_;
  std::unique_ptr<Forwarder> forwarder_;
};

int Run(size_t events, int rate) {
  base::SetLogMinimum(base::Severity::kWarning);
  simpul::testing::TempFolder folder;
  SandboxProcess sandbox(folder / "sandbox");
  size_t children = events;
  {
    Bench own(folder.path(), sandbox.address());
    const bench::Cost cost = bench::Measure([&] {
      for (size_t from = 0; from < events; from += kBatch) {
        own.Push(from, std::min(events, from + kBatch));
      }
      own.AwaitDelivered(events);
    });
    const auto count = static_cast<double>(events);
    bench::PrintAsked("push to delivered, with the sandbox on the same cores", count / cost.wall_s,
                      ">= 1000, aim 3400", "events/s");
    bench::PrintAsked("push to delivered, per CPU second of ours", count / cost.cpu_s, "",
                      "events/s");

    const auto paced = SteadyClock::now();
    constexpr int kTicksPerSecond = 100;
    for (int tick = 0; tick < kPacedSeconds * kTicksPerSecond; ++tick) {
      own.Push(children, children + rate / kTicksPerSecond);
      children += rate / kTicksPerSecond;
      std::this_thread::sleep_until(paced +
                                    std::chrono::milliseconds(1000 / kTicksPerSecond) * (tick + 1));
    }
    own.AwaitDelivered(children);
    const std::vector<double> ms = own.Latencies(static_cast<size_t>(rate) * kPacedSeconds);
    bench::PrintAsked(fmt::format("push to delivered at {} events/s, p99", rate),
                      bench::Quantile(ms, 0.99), "< 250", "ms");
  }
  sandbox.Stop();
  bench::PrintAsked("the sandbox alone, per CPU second",
                    static_cast<double>(children) / bench::CpuSeconds(RUSAGE_CHILDREN), "",
                    "events/s");
  return 0;
}

}  // namespace
}  // namespace simpul::forwarder

int main(int argc, char** argv) {
  return simpul::forwarder::Run(argc > 1 ? std::stoul(argv[1]) : 20'000,
                                argc > 2 ? std::stoi(argv[2]) : 700);
}
