// How fast the embedded log takes records durably, against RocksDB alone with the same bytes.
//
//   bench_intake [FOLDER] [ROUNDS]     prints one JSON object a line: name, ours, raw, unit, ratio
//
// Ours and raw take turns on the same disk, so that other load on the machine meets both.

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/base/check.h"
#include "lib/base/log.h"
#include "lib/eventlog/embedded_log.h"
#include "tests/bench/measure.h"
#include "tests/bench/samples.h"
#include "tests/support/temp_folder.h"

namespace simpul::eventlog {
namespace {

constexpr uint32_t kPartitions = 24;
using bench::kRecordBytes;

// Wall and processor seconds of something.
using bench::Cost;
using bench::Measure;

Cost& operator+=(Cost& sum, const Cost& other) {
  sum.wall_s += other.wall_s;
  sum.cpu_s += other.cpu_s;
  return sum;
}

using bench::MakeSamples;
using bench::Sample;

std::unique_ptr<rocksdb::DB> OpenRaw(const std::filesystem::path& folder) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.compression = rocksdb::kLZ4Compression;
  options.max_background_jobs = 2;
  rocksdb::DB* store = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(options, folder.string(), &store);
  SIMPUL_CHECK(status.ok(), "{}", status.ToString());
  return std::unique_ptr<rocksdb::DB>(store);
}

std::unique_ptr<EmbeddedLog> OpenOurs(const std::filesystem::path& folder, base::Metrics& metrics) {
  absl::StatusOr<std::unique_ptr<EmbeddedLog>> log =
      EmbeddedLog::Open(folder, {.partitions = kPartitions, .secret_fingerprint = "12345678"},
                        base::SystemClock(), metrics);
  SIMPUL_CHECK(log.ok(), "{}", log.status().ToString());
  return *std::move(log);
}

// The same keys and bytes as the log keeps, each thread with batches of its own: RocksDB commits
// what waits together.
void WriteRaw(rocksdb::DB& store, const std::vector<Sample>& samples, int threads, int batches,
              int batch_records, std::vector<std::atomic<uint64_t>>& positions) {
  bench::OnThreads(threads, [&](size_t thread) {
    rocksdb::WriteOptions options;
    options.sync = true;
    size_t next = static_cast<size_t>(thread) * 7919;
    for (int i = 0; i < batches; ++i) {
      rocksdb::WriteBatch batch;
      for (int record = 0; record < batch_records; ++record) {
        const Sample& sample = samples[next++ % samples.size()];
        const uint32_t partition = event::PartitionOf(sample.key, kPartitions);
        std::string key(1, '\1');
        base::PutBe16(key, static_cast<uint16_t>(partition));
        base::PutBe64(key, positions[partition]++);
        std::string value;
        value.reserve(10 + sample.key.size() + sample.value.size());
        base::PutBe64(value, 1'750'000'000'000'000);
        base::PutBe16(value, static_cast<uint16_t>(sample.key.size()));
        value += sample.key;
        value += sample.value;
        SIMPUL_CHECK(batch.Put(key, value).ok(), "put");
      }
      const rocksdb::Status status = store.Write(options, &batch);
      SIMPUL_CHECK(status.ok(), "{}", status.ToString());
    }
  });
}

void WriteOurs(EmbeddedLog& log, const std::vector<Sample>& samples, int threads, int batches,
               int batch_records) {
  bench::OnThreads(threads, [&](size_t thread) {
    size_t next = static_cast<size_t>(thread) * 7919;
    for (int i = 0; i < batches; ++i) {
      std::vector<Draft> drafts;
      drafts.reserve(static_cast<size_t>(batch_records));
      for (int record = 0; record < batch_records; ++record) {
        const Sample& sample = samples[next++ % samples.size()];
        drafts.push_back({.key = sample.key, .value = sample.value});
      }
      for (const Appended& outcome : AppendAndWait(log, std::move(drafts))) {
        SIMPUL_CHECK(outcome.ok(), "{}", outcome.status().ToString());
      }
    }
  });
}

// Reads everything, place after place as they take turns.
size_t ReadOurs(EmbeddedLog& log) {
  std::vector<Start> starts;
  size_t count = 0;
  for (uint32_t partition = 0; partition < kPartitions; ++partition) {
    const Place place{Topic::kEvents, partition};
    starts.push_back({place, 1});
    count += static_cast<size_t>(log.End(place).value() - 1);
  }
  const auto subscription = log.Subscribe(std::move(starts));
  size_t bytes = 0;
  for (size_t i = 0; i < count; ++i) {
    const auto record = (*subscription)->Poll(std::chrono::seconds(10));
    SIMPUL_CHECK(record.ok() && record->has_value(), "{}", record.status().ToString());
    bytes += (*record)->value.size();
  }
  SIMPUL_CHECK(bytes == count * kRecordBytes, "{}", bytes);
  return count;
}

size_t ReadRaw(rocksdb::DB& store) {
  size_t count = 0;
  const std::unique_ptr<rocksdb::Iterator> it(store.NewIterator({}));
  for (it->SeekToFirst(); it->Valid(); it->Next()) ++count;
  return count;
}

struct Load {
  std::string name;
  int threads = 0;
  int batches = 0;  // a thread and round
  int batch_records = 0;
};

int Run(int count, char** words) {
  base::SetLogMinimum(base::Severity::kError);
  std::optional<testing::TempFolder> own;
  if (count < 2) own.emplace();
  const std::filesystem::path folder = own.has_value() ? own->path() : words[1];
  const int rounds = count > 2 ? std::atoi(words[2]) : 8;
  const std::vector<Sample> samples = MakeSamples(100'000);

  for (const Load& load : {Load{"durable intake, 4 writers, batches of 500", 4, 20, 500},
                           Load{"durable intake, 32 writers, single records", 32, 100, 1}}) {
    base::Metrics metrics;
    std::unique_ptr<EmbeddedLog> ours = OpenOurs(folder / "ours", metrics);
    std::unique_ptr<rocksdb::DB> raw = OpenRaw(folder / "raw");
    std::vector<std::atomic<uint64_t>> positions(kPartitions);
    Cost ours_cost;
    Cost raw_cost;
    for (int round = 0; round < rounds; ++round) {
      raw_cost += Measure([&] {
        WriteRaw(*raw, samples, load.threads, load.batches, load.batch_records, positions);
      });
      ours_cost += Measure(
          [&] { WriteOurs(*ours, samples, load.threads, load.batches, load.batch_records); });
    }
    const double records =
        static_cast<double>(rounds) * load.threads * load.batches * load.batch_records;
    bench::Print(load.name, records / ours_cost.wall_s, records / raw_cost.wall_s, "records/s");
    bench::Print(load.name + ", per CPU second", records / ours_cost.cpu_s,
                 records / raw_cost.cpu_s, "records/s");
    if (load.batch_records > 1) {
      size_t ours_read = 0;
      size_t raw_read = 0;
      const Cost ours_reading = Measure([&] { ours_read = ReadOurs(*ours); });
      const Cost raw_reading = Measure([&] { raw_read = ReadRaw(*raw); });
      bench::Print("reading it back", static_cast<double>(ours_read) / ours_reading.wall_s,
                   static_cast<double>(raw_read) / raw_reading.wall_s, "records/s");
    }
    ours.reset();
    raw.reset();
    std::filesystem::remove_all(folder / "ours");
    std::filesystem::remove_all(folder / "raw");
  }
  return 0;
}

}  // namespace
}  // namespace simpul::eventlog

int main(int count, char** words) { return simpul::eventlog::Run(count, words); }
