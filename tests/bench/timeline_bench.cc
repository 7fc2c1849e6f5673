// How fast events get onto timelines, come back from the log, and are read.
//
//   bench_timeline [EVENTS] [FOLDER]     prints one JSON object a line: name, ours, raw, unit,
//   ratio
//
// 1 million events unless said otherwise, 20 a patient, of about 450 bytes; a third of them share a
// visit with others. CPU seconds are printed beside wall seconds: other load on the machine meets
// only the latter.

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <rocksdb/write_buffer_manager.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "lib/base/check.h"
#include "lib/base/log.h"
#include "lib/base/status_macros.h"
#include "lib/event/kind.h"
#include "lib/event/validate.h"
#include "lib/eventlog/embedded_log.h"
#include "lib/timeline/store.h"
#include "tests/support/temp_folder.h"
#include "timeline/timeline_role.h"

namespace simpul::timeline {
namespace {

using event::v1::Event;

constexpr uint32_t kPartitions = 24;
constexpr size_t kEventsAPatient = 20;
constexpr size_t kBatch = 512;

struct Cost {
  double wall_s = 0;
  double cpu_s = 0;
};

double CpuSeconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

Cost Measure(const std::function<void()>& work) {
  const double cpu = CpuSeconds();
  const auto begin = std::chrono::steady_clock::now();
  work();
  return {.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(),
          .cpu_s = CpuSeconds() - cpu};
}

void Print(std::string_view name, double ours, double raw, std::string_view unit,
           std::string_view more = "") {
  fmt::print(R"({{"name":"{}","ours":{:.1f},"raw":{:.1f},"unit":"{}","ratio":{:.2f}{}}})"
             "\n",
             name, ours, raw, unit, raw > 0 ? ours / raw : 0, more);
  std::fflush(stdout);
}

std::string Uuid(uint64_t a, uint64_t b) {
  return fmt::format("{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}", a >> 32, (a >> 16) & 0xffff,
                     a & 0xfff, (b >> 48) & 0xfff, b & 0xffffffffffff);
}

// The n-th event: patients take turns, so that the partitions' batches hold many of them.
Event Weighing(size_t n, size_t patients) {
  const size_t patient = n % patients;
  const size_t turn = n / patients;
  Event event;
  event.set_event_id(Uuid(n * 0x9e3779b97f4a7c15, n));
  event.mutable_facility()->set_system("kemenkes");
  event.mutable_facility()->set_code("P7324020101");
  event.mutable_unit()->set_kind(event::v1::UNIT_KIND_POSYANDU);
  event.mutable_unit()->set_code("73240201010003");
  event.mutable_unit()->set_name("Posyandu Melati 3");
  event.mutable_recorder()->set_id("kader-0012");
  event.mutable_recorder()->set_role(event::v1::RECORDER_ROLE_KADER);
  event.mutable_responsible()->set_practitioner_id("10009880728");
  event::v1::Subject& subject = *event.mutable_subject();
  subject.add_identities()->mutable_nik()->set_number(
      fmt::format("732402{:06}{:04}", patient / 9'000 + 10'100, patient % 9'000 + 1));
  subject.set_name("Anak Percobaan Kecepatan");
  subject.set_sex(event::v1::SEX_MALE);
  subject.set_birth_date("2024-01-15");
  subject.mutable_residence()->set_village_system("kemendagri");
  subject.mutable_residence()->set_village_code("73.24.02.2003");
  subject.mutable_residence()->set_dusun("Melati");
  subject.mutable_residence()->set_rw("02");
  subject.mutable_residence()->set_rt("05");
  // Three of nine turns are one attendance.
  const size_t attendance = turn % 9 < 3 ? turn / 9 * 9 : turn;
  if (turn % 9 < 3) event.set_visit_id(fmt::format("melati-3/{}/anak-{}", attendance, patient));
  const int64_t when = 1'735'700'000 + static_cast<int64_t>(attendance) * 2'592'000 +
                       static_cast<int64_t>(turn % 9) * 60;
  event.mutable_occurred_at()->mutable_time()->set_seconds(when);
  event.mutable_occurred_at()->set_utc_offset_min(480);
  event.mutable_occurred_at()->set_precision(event::v1::TIME_PRECISION_MINUTE);
  event.mutable_recorded_at()->set_seconds(when + 3'600);
  event.set_session_id(fmt::format("melati-3-{}", attendance));
  event.set_channel(event::v1::CHANNEL_APP);
  event.set_purpose(event::v1::PURPOSE_PRODUCTION);
  event.mutable_device()->set_id("hp-kader-12");
  event.mutable_device()->set_sequence(n);
  event.mutable_visit()->set_encounter_class(event::v1::ENCOUNTER_CLASS_AMBULATORY);
  event.mutable_visit()->set_weight_g(static_cast<uint32_t>(4'000 + turn * 300 + n % 97));
  event.mutable_visit()->set_length_mm(static_cast<uint32_t>(520 + turn * 12 + n % 13));
  event.mutable_visit()->set_position(event::v1::MEASURING_POSITION_LYING);
  event.mutable_visit()->set_head_mm(static_cast<uint32_t>(360 + turn));
  return event;
}

const event::Secret& Secret() {
  static const event::Secret secret = *event::Secret::FromBytes(std::string(32, 'b'));
  return secret;
}

eventlog::Draft Draft(const Event& event) {
  log::v1::LogRecord record;
  log::v1::AcceptedEvent& receipt = *record.mutable_event();
  receipt.set_event_id(event.event_id());
  *receipt.mutable_facility() = event.facility();
  receipt.set_kind(static_cast<uint32_t>(event.payload_case()));
  receipt.set_event(event::Canonical(event));
  receipt.set_digest(Secret().DigestOf(receipt.event()));
  receipt.set_received_at_us(1'770'000'000'000'000);
  return {.topic = eventlog::Topic::kEvents,
          .key = std::string(Secret().KeyOf(event.subject().identities(0))->view()),
          .value = record.SerializeAsString()};
}

using Clock = std::chrono::steady_clock;

// Records of one partition in memory, as a follower hands them over.
std::vector<eventlog::OwnedRecord> RecordsOf(size_t first, size_t count, size_t patients,
                                             int64_t position) {
  std::vector<eventlog::OwnedRecord> records;
  records.reserve(count);
  for (size_t n = first; n < first + count; ++n) {
    eventlog::Draft draft = Draft(Weighing(n, patients));
    records.push_back({position++, std::move(draft.key), std::move(draft.value)});
  }
  return records;
}

log::v1::Install Install() {
  log::v1::Install install;
  install.set_install_id("11111111-2222-4333-8444-555555555555");
  return install;
}

// Applies the records in batches, and reads back what is told of them as the log would give it.
class Feed {
 public:
  explicit Feed(const std::unique_ptr<Store>& store) : store_(*store) {}

  void Apply(std::span<const eventlog::OwnedRecord> records) {
    while (!records.empty()) {
      const size_t size = std::min(kBatch, records.size());
      Store::Applied applied;
      const absl::Status status = store_.Apply(records.first(size), nullptr, applied);
      SIMPUL_CHECK(status.ok(), "{}", base::Message(status));
      records = records.subspan(size);
      ReadBack();
    }
  }

 private:
  void ReadBack() {
    std::vector<eventlog::OwnedRecord> told;
    for (OutboxRecord& record : store_.Unread(0, SIZE_MAX)) {
      told.push_back({entries_++, std::move(record.key), std::move(record.value)});
    }
    if (told.empty()) return;
    const absl::Status status = store_.ReadBack(told);
    SIMPUL_CHECK(status.ok(), "{}", base::Message(status));
  }

  Store& store_;
  int64_t entries_ = 1;
};

// As in the role: two threads, each with its partitions, a batch of each in turn.
constexpr size_t kThreads = 2;
constexpr uint32_t kStores = 4;

void OnThreads(const std::function<void(size_t first)>& work) {
  std::vector<std::thread> threads;
  for (size_t n = 0; n < kThreads; ++n) threads.emplace_back(work, n);
  for (std::thread& thread : threads) thread.join();
}

std::unique_ptr<rocksdb::DB> OpenRaw(const std::filesystem::path& folder,
                                     const std::shared_ptr<rocksdb::WriteBufferManager>& buffers) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.compression = rocksdb::kNoCompression;
  options.write_buffer_size = 16 << 20;
  options.write_buffer_manager = buffers;
  options.allow_concurrent_memtable_write = false;
  rocksdb::BlockBasedTableOptions table;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  rocksdb::DB* db = nullptr;
  const auto status = rocksdb::DB::Open(options, folder.string(), &db);
  SIMPUL_CHECK(status.ok(), "{}", status.ToString());
  return std::unique_ptr<rocksdb::DB>(db);
}

// Projection, log to timeline, against RocksDB alone with the same batches: as many stores,
// threads and write buffers, nothing read, decoded or checked.
void MeasureProjection(const std::filesystem::path& folder) {
  constexpr size_t kEvents = 50'000;  // of a partition
  constexpr size_t kRounds = 5;
  constexpr size_t kMemory = 64 << 20;
  // The same records for every partition: what is measured does not look at the number.
  const std::vector<eventlog::OwnedRecord> records =
      RecordsOf(0, kEvents, kEvents / kEventsAPatient, 1);
  using Tap = std::function<void(const std::string& batch)>;
  const auto project = [&](const std::string& name, uint32_t stores, const Tap& tap) {
    const std::shared_ptr<StoreMemory> memory = StoreMemory::Make(kMemory);
    OnThreads([&](size_t first) {
      std::vector<std::unique_ptr<Store>> own;
      for (uint32_t n = static_cast<uint32_t>(first); n < stores; n += kThreads) {
        auto store = Store::Open(folder / fmt::format("{}-{}", name, n), Install(), n,
                                 {.memory = memory, .outbox_bytes_max = SIZE_MAX, .tap = tap});
        SIMPUL_CHECK(store.ok(), "{}", base::Message(store.status()));
        own.push_back(*std::move(store));
      }
      std::vector<Feed> feeds(own.begin(), own.end());
      for (size_t at = 0; at < records.size(); at += kBatch) {
        const size_t size = std::min(kBatch, records.size() - at);
        for (Feed& feed : feeds) feed.Apply(std::span(records).subspan(at, size));
      }
    });
  };
  std::vector<std::string> batches;
  size_t bytes = 0;
  project("tapped", 1, [&](const std::string& batch) {
    bytes += batch.size();
    batches.push_back(batch);
  });
  fmt::print(stderr, "{:.0f} bytes written an event\n",
             static_cast<double>(bytes) / static_cast<double>(kEvents));

  std::vector<double> ours_cpu, raw_cpu, ours_wall, raw_wall;
  for (size_t round = 0; round < kRounds; ++round) {
    const Cost ours =
        Measure([&] { project(fmt::format("ours-{}", round), kStores, /*tap=*/nullptr); });
    const Cost raw = Measure([&] {
      const auto buffers = std::make_shared<rocksdb::WriteBufferManager>(kMemory / 2);
      OnThreads([&](size_t first) {
        std::vector<std::unique_ptr<rocksdb::DB>> own;
        for (size_t n = first; n < kStores; n += kThreads) {
          own.push_back(OpenRaw(folder / fmt::format("raw-{}-{}", round, n), buffers));
        }
        for (const std::string& data : batches) {
          for (const std::unique_ptr<rocksdb::DB>& db : own) {
            rocksdb::WriteBatch batch(data);
            SIMPUL_CHECK(db->Write({}, &batch).ok(), "A write failed.");
          }
        }
      });
    });
    ours_cpu.push_back(ours.cpu_s);
    raw_cpu.push_back(raw.cpu_s);
    ours_wall.push_back(ours.wall_s);
    raw_wall.push_back(raw.wall_s);
  }
  const auto median = [](std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
  };
  const double events = static_cast<double>(kEvents * kStores);
  Print("projection", events / median(ours_wall), events / median(raw_wall), "events/s");
  Print("projection_a_cpu_second", events / median(ours_cpu), events / median(raw_cpu), "events/s");
}

// What the next 10,000 events cost in a store that holds `held` of them.
double CostAt(const std::filesystem::path& folder, size_t held) {
  constexpr size_t kEvents = 10'000;
  auto store = Store::Open(folder, Install(), 0,
                           {.memory = StoreMemory::Make(64 << 20), .outbox_bytes_max = 64 << 20});
  SIMPUL_CHECK(store.ok(), "{}", base::Message(store.status()));
  // Patients with half of their events.
  const size_t patients = std::max<size_t>(held / kEventsAPatient * 2, 500);
  int64_t position = 1;
  Feed feed(*store);
  const auto records = [&](size_t first, size_t count) {
    position += static_cast<int64_t>(count);
    return RecordsOf(first, count, patients, position - static_cast<int64_t>(count));
  };
  for (size_t n = 0; n < held; n += kEvents) feed.Apply(records(n, std::min(kEvents, held - n)));
  double best = 1e9;
  for (size_t round = 0; round < 5; ++round) {
    const auto next = records(held + round * kEvents, kEvents);
    best = std::min(best, Measure([&] { feed.Apply(next); }).cpu_s);
  }
  return best / static_cast<double>(kEvents) * 1e6;
}

void Fill(eventlog::EventLog& log, size_t events, size_t patients) {
  for (size_t n = 0; n < events;) {
    std::vector<eventlog::Draft> drafts;
    for (; n < events && drafts.size() < 2'000; ++n) drafts.push_back(Draft(Weighing(n, patients)));
    for (const eventlog::Appended& appended : eventlog::AppendAndWait(log, std::move(drafts))) {
      SIMPUL_CHECK(appended.ok(), "{}", base::Message(appended.status()));
    }
  }
}

std::unique_ptr<timeline_role::TimelineRole> OpenAndCatchUp(eventlog::EventLog& log,
                                                            const std::filesystem::path& folder,
                                                            base::Metrics& metrics) {
  auto role = timeline_role::TimelineRole::Open(log, Secret(), folder, metrics);
  SIMPUL_CHECK(role.ok(), "{}", base::Message(role.status()));
  while (!(*role)->Ready().ok())
    std::this_thread::sleep_until(Clock::now() + std::chrono::milliseconds(2));
  return *std::move(role);
}

double ResidentMib() {
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  long size = 0, resident = 0;
  SIMPUL_CHECK(std::fscanf(file, "%ld %ld", &size, &resident) == 2, "No statm.");
  std::fclose(file);
  return static_cast<double>(resident) * 4096 / (1 << 20);
}

// With the embedded log and the role, as in `serve`.
void MeasureWithLog(size_t events, const std::filesystem::path& folder) {
  const size_t patients = std::max<size_t>(events / kEventsAPatient, 1);
  base::Metrics metrics;
  auto log = eventlog::EmbeddedLog::Open(
      folder / "log", {.partitions = kPartitions, .secret_fingerprint = Secret().Fingerprint()},
      base::SystemClock(), metrics);
  SIMPUL_CHECK(log.ok(), "{}", base::Message(log.status()));
  Fill(**log, events, patients);
  fmt::print(stderr, "{:.0f} MiB resident with the log filled\n", ResidentMib());

  const auto catch_up = [&](std::string_view name) {
    std::unique_ptr<timeline_role::TimelineRole> role;
    const Cost cost = Measure([&] { role = OpenAndCatchUp(**log, folder / "timeline", metrics); });
    Print(name, static_cast<double>(events) / cost.wall_s, 50'000, "events/s",
          fmt::format(R"(,"wall_s":{:.2f},"cpu_us_an_event":{:.1f},"resident_mib":{:.0f})",
                      cost.wall_s, cost.cpu_s / static_cast<double>(events) * 1e6, ResidentMib()));
    return role;
  };
  {
    const auto role = catch_up("catch_up");
    // Until everything it told was read back.
    for (uint32_t p = 0; p < kPartitions; ++p) {
      const auto done = [&] {
        timeline::v1::GetStateResponse state;
        SIMPUL_CHECK(role->GetState(state).ok(), "State.");
        const auto& partition = state.partitions(static_cast<int>(p));
        return *(*log)->End({eventlog::Topic::kEntries, p}) - 1 >=
               static_cast<int64_t>(partition.events());
      };
      while (!done()) std::this_thread::yield();
    }
  }
  std::filesystem::remove_all(folder / "timeline");
  const auto role = catch_up("rebuild");

  std::mt19937_64 random(1);
  std::vector<double> reads_ms;
  for (int n = 0; n < 20'000; ++n) {
    v1::GetTimelineRequest request;
    *request.mutable_patient() = Weighing(random() % patients, patients).subject().identities(0);
    v1::GetTimelineResponse response;
    const auto begin = Clock::now();
    role->GetTimeline(request, response, [](const absl::Status& status) {
      SIMPUL_CHECK(status.ok(), "{}", base::Message(status));
    });
    reads_ms.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
    SIMPUL_CHECK(!response.entries().empty(), "An empty timeline.");
  }
  std::ranges::sort(reads_ms);
  Print("get_timeline_p99", reads_ms[reads_ms.size() * 99 / 100], 2, "ms",
        fmt::format(R"(,"p50":{:.3f})", reads_ms[reads_ms.size() / 2]));
}

}  // namespace

int Run(size_t events, const std::filesystem::path& folder, std::string_view part) {
  base::SetLogMinimum(base::Severity::kWarning);
  if (part.empty() || part == "log") MeasureWithLog(events, folder);
  if (part.empty() || part == "projection") MeasureProjection(folder / "projection");
  if (part.empty() || part == "size") {
    const double small = CostAt(folder / "small", 10'000 / kPartitions);
    const double large = CostAt(folder / "large", events / kPartitions);
    Print("cost_an_event_at_size", large, small, "cpu us");
  }
  return 0;
}

}  // namespace simpul::timeline

int main(int argc, char** argv) {
  const size_t events = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  simpul::testing::TempFolder own;
  return simpul::timeline::Run(events, argc > 3 ? std::filesystem::path(argv[3]) : own.path(),
                               argc > 2 ? argv[2] : "");
}
