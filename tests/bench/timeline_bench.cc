// How fast events get onto timelines, come back from the log, and are read.
//
//   bench_timeline [EVENTS [PART [FOLDER]]]     prints one JSON object a line
//
// 1 million events unless said otherwise, 20 a patient. PART: log (rebuild and reads), projection,
// or scale (what RocksDB alone takes for an event the more there are); all unless said otherwise.

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <rocksdb/write_buffer_manager.h>

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
#include "tests/bench/measure.h"
#include "tests/bench/weighings.h"
#include "tests/support/temp_folder.h"
#include "timeline/timeline_role.h"

namespace simpul::timeline {
namespace {

using bench::Cost;
using bench::kEventsAPatient;
using bench::Measure;
using bench::Weighing;

constexpr uint32_t kPartitions = 24;
constexpr size_t kBatch = 512;

const event::Secret& Secret() {
  static const event::Secret secret = *event::Secret::FromBytes(std::string(32, 'b'));
  return secret;
}

using Clock = std::chrono::steady_clock;

// Records of one partition in memory, as a follower hands them over.
std::vector<eventlog::OwnedRecord> RecordsOf(size_t first, size_t count, size_t patients,
                                             int64_t position) {
  std::vector<eventlog::OwnedRecord> records;
  records.reserve(count);
  for (size_t n = first; n < first + count; ++n) {
    eventlog::Draft draft = bench::DraftOf(Weighing(n, patients), Secret());
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

std::unique_ptr<rocksdb::DB> OpenRaw(const std::filesystem::path& folder,
                                     const std::shared_ptr<rocksdb::WriteBufferManager>& buffers,
                                     const std::shared_ptr<rocksdb::Cache>& cache = nullptr) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.compression = rocksdb::kNoCompression;
  options.write_buffer_size = 16 << 20;
  options.write_buffer_manager = buffers;
  options.allow_concurrent_memtable_write = false;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;  // null: one of RocksDB's own
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  rocksdb::DB* db = nullptr;
  const auto status = rocksdb::DB::Open(options, folder.string(), &db);
  SIMPUL_CHECK(status.ok(), "{}", status.ToString());
  return std::unique_ptr<rocksdb::DB>(db);
}

// Projection, log to timeline, against RocksDB alone with the same batches: as many stores,
// threads and write buffers, nothing read, decoded or checked; as RocksDB comes, with a log of its
// own, and without one, as the projection writes.
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
    bench::OnThreads(kThreads, [&](size_t first) {
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

  const auto write_raw = [&](const std::string& name, bool logged) {
    rocksdb::WriteOptions write;
    write.disableWAL = !logged;
    const auto buffers = std::make_shared<rocksdb::WriteBufferManager>(kMemory / 2);
    bench::OnThreads(kThreads, [&](size_t first) {
      std::vector<std::unique_ptr<rocksdb::DB>> own;
      for (size_t n = first; n < kStores; n += kThreads) {
        own.push_back(OpenRaw(folder / fmt::format("{}-{}", name, n), buffers));
      }
      for (const std::string& data : batches) {
        for (const std::unique_ptr<rocksdb::DB>& db : own) {
          rocksdb::WriteBatch batch(data);
          SIMPUL_CHECK(db->Write(write, &batch).ok(), "A write failed.");
        }
      }
    });
  };

  struct Costs {
    std::vector<double> wall, cpu;
    void Add(const Cost& cost) {
      wall.push_back(cost.wall_s);
      cpu.push_back(cost.cpu_s);
    }
  };
  Costs ours, logged, unlogged;
  for (size_t round = 0; round < kRounds; ++round) {
    ours.Add(Measure([&] { project(fmt::format("ours-{}", round), kStores, /*tap=*/nullptr); }));
    logged.Add(Measure([&] { write_raw(fmt::format("logged-{}", round), true); }));
    unlogged.Add(Measure([&] { write_raw(fmt::format("unlogged-{}", round), false); }));
  }
  const auto rate = [](const std::vector<double>& seconds) {
    return static_cast<double>(kEvents * kStores) / bench::Median(seconds);
  };
  bench::Print("projection, 2 threads as in serve; raw: RocksDB as it comes", rate(ours.wall),
               rate(logged.wall), "events/s");
  bench::Print("projection, per CPU second; raw: RocksDB as it comes", rate(ours.cpu),
               rate(logged.cpu), "events/s");
  bench::Print("projection, 2 threads as in serve; raw: RocksDB without its log too",
               rate(ours.wall), rate(unlogged.wall), "events/s");
}

// What one event takes of RocksDB alone, and how that grows: a look-up of a row of 300 bytes, and
// that row and a new one of 1,100 bytes put, patient after patient, in as many stores as `serve`
// has, within the memory its timelines have. No log, no ledger, nothing decoded. Processor time of
// 10 thousand events until nothing is left to merge.
void MeasureScale(size_t events, const std::filesystem::path& folder) {
  constexpr size_t kMeasured = 10'000;
  constexpr size_t kPushed = 500;  // together, over all stores
  constexpr size_t kMemory = 40 << 20;
  const auto run = [&](const std::string& name, size_t held) {
    const auto cache = rocksdb::NewLRUCache(kMemory);
    const auto buffers = std::make_shared<rocksdb::WriteBufferManager>(kMemory / 2, cache);
    std::vector<std::unique_ptr<rocksdb::DB>> stores;
    for (uint32_t n = 0; n < kPartitions; ++n) {
      stores.push_back(OpenRaw(folder / fmt::format("{}-{}", name, n), buffers, cache));
    }
    const size_t patients = std::max<size_t>(held / kEventsAPatient * 2, 1);
    const std::string head(300, 'h');
    const std::string entry(1'100, 'e');
    std::mt19937_64 key_of;
    const auto push = [&](size_t first, size_t count) {
      for (size_t at = first; at < first + count; at += kPushed) {
        std::vector<rocksdb::WriteBatch> batches(stores.size());
        for (size_t n = at; n < at + kPushed; ++n) {
          const size_t patient = n % patients;
          key_of.seed(patient);
          const std::string key = fmt::format("{:016x}", key_of());
          std::string found;
          const size_t store = patient % stores.size();
          const rocksdb::Status read = stores[store]->Get({}, key, &found);
          SIMPUL_CHECK(read.ok() || read.IsNotFound(), "{}", read.ToString());
          (void)batches[store].Put(key, head);
          (void)batches[store].Put(fmt::format("{}/{:08}", key, n / patients), entry);
        }
        for (size_t n = 0; n < stores.size(); ++n) {
          rocksdb::WriteOptions unlogged;
          unlogged.disableWAL = true;
          SIMPUL_CHECK(stores[n]->Write(unlogged, &batches[n]).ok(), "A write failed.");
        }
      }
      for (const auto& store : stores) {
        for (uint64_t left = 1; left > 0; std::this_thread::yield()) {
          left = 0;
          for (const std::string& what : {rocksdb::DB::Properties::kMemTableFlushPending,
                                          rocksdb::DB::Properties::kNumRunningFlushes,
                                          rocksdb::DB::Properties::kCompactionPending,
                                          rocksdb::DB::Properties::kNumRunningCompactions}) {
            uint64_t number = 0;
            SIMPUL_CHECK(store->GetIntProperty(what, &number), "{}", what);
            left += number;
          }
          if (left > 0) std::this_thread::sleep_until(Clock::now() + std::chrono::milliseconds(1));
        }
      }
    };
    push(0, held);
    // A merge of what many rounds wrote falls into one of them.
    constexpr size_t kRounds = 5;
    return Measure([&] { push(held, kRounds * kMeasured); }).cpu_s / (kRounds * kMeasured) * 1e6;
  };
  std::filesystem::create_directories(folder);
  const double few = run("few", kMeasured);
  const double many = run("many", events);
  bench::PrintAsked("RocksDB alone, a look-up and two puts, with 10000 events", few, "", "us");
  bench::PrintAsked(fmt::format("RocksDB alone, a look-up and two puts, with {} events", events),
                    many, "", "us");
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

// With the embedded log and the role, as in `serve`.
void MeasureWithLog(size_t events, const std::filesystem::path& folder) {
  const size_t patients = std::max<size_t>(events / kEventsAPatient, 1);
  base::Metrics metrics;
  auto log = eventlog::EmbeddedLog::Open(
      folder / "log", {.partitions = kPartitions, .secret_fingerprint = Secret().Fingerprint()},
      base::SystemClock(), metrics);
  SIMPUL_CHECK(log.ok(), "{}", base::Message(log.status()));
  bench::Fill(**log, Secret(), events, patients);

  {
    // Until everything it told was read back.
    const auto role = OpenAndCatchUp(**log, folder / "timeline", metrics);
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
  std::unique_ptr<timeline_role::TimelineRole> role;
  const Cost cost = Measure([&] { role = OpenAndCatchUp(**log, folder / "timeline", metrics); });
  bench::PrintAsked(fmt::format("rebuild of the timeline, {} events", events),
                    static_cast<double>(events) / cost.wall_s, ">= 50000", "events/s");

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
  bench::PrintAsked(fmt::format("timeline read with {} events, p99", events),
                    bench::Quantile(reads_ms, 0.99), "< 2", "ms");
}

}  // namespace

int Run(size_t events, const std::filesystem::path& folder, std::string_view part) {
  base::SetLogMinimum(base::Severity::kWarning);
  if (part.empty() || part == "log") MeasureWithLog(events, folder);
  if (part.empty() || part == "projection") MeasureProjection(folder / "projection");
  if (part.empty() || part == "scale") MeasureScale(events, folder / "scale");
  return 0;
}

}  // namespace simpul::timeline

int main(int argc, char** argv) {
  const size_t events = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  simpul::testing::TempFolder own;
  return simpul::timeline::Run(events, argc > 3 ? std::filesystem::path(argv[3]) : own.path(),
                               argc > 2 ? argv[2] : "");
}
