// From topic events on Kafka to timelines and topic entries, against a raw loop on the same broker:
// consume, look up, put, produce.
//
//   tests/support/with_kafka.py -- bench_kafka_timeline [EVENTS [ROUNDS]]
//
// Prints one JSON object a line, as the others. 300,000 events unless said otherwise, 20 a patient.
// Both are given the same records, as many threads and a store for each partition. Ours is done
// when everything is applied, and all that was told is on topic entries and read back from there;
// the raw loop reads nothing back. The broker's processor time counts for both.

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>
#include <prometheus/counter.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <rocksdb/write_buffer_manager.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/base/check.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/status_macros.h"
#include "lib/eventlog/kafka_client.h"
#include "lib/eventlog/kafka_log.h"
#include "lib/eventlog/kafka_topics.h"
#include "tests/bench/broker.h"
#include "tests/bench/measure.h"
#include "tests/bench/raw_producer.h"
#include "tests/bench/weighings.h"
#include "tests/support/temp_folder.h"
#include "timeline/timeline_role.h"

namespace simpul::timeline {
namespace {

using eventlog::KafkaLog;
using eventlog::KafkaSettings;
using eventlog::Place;
using eventlog::Topic;
using Clock = std::chrono::steady_clock;

constexpr uint32_t kPartitions = 24;
constexpr size_t kThreads = 2;  // as in the role
constexpr size_t kBatch = 512;
constexpr size_t kStoreBytes = 40 << 20;
constexpr size_t kFetchedBytesMax = 16 << 20;
constexpr size_t kToldKept = 20'000;
constexpr std::chrono::seconds kSilenceMax{30};

const event::Secret& Secret() {
  static const event::Secret secret = *event::Secret::FromBytes(std::string(32, 'b'));
  return secret;
}

struct Spent {
  double wall_s = 0;
  double own_cpu_s = 0;
  double broker_cpu_s = 0;
};

Spent Spend(pid_t broker, const std::function<void()>& work) {
  const double before = bench::CpuSecondsOf(broker);
  const bench::Cost cost = bench::Measure(work);
  return {cost.wall_s, cost.cpu_s, bench::CpuSecondsOf(broker) - before};
}

std::unique_ptr<KafkaLog> OpenLog(const KafkaSettings& settings, base::Metrics& metrics) {
  KafkaLog::Options options;
  options.secret_fingerprint = Secret().Fingerprint();
  options.accept_single_copy = true;
  auto log = KafkaLog::Open(settings, options, metrics);
  SIMPUL_CHECK(log.ok(), "{}", base::Message(log.status()));
  return *std::move(log);
}

void MakeTopics(const KafkaSettings& settings) {
  const absl::Status made = eventlog::CreateTopics(
      settings,
      {.partitions = kPartitions, .replicas = 1, .secret_fingerprint = Secret().Fingerprint()},
      base::SystemClock());
  SIMPUL_CHECK(made.ok(), "{}", base::Message(made));
}

// The role on an empty folder, until nothing is left to apply, to append or to read back.
void Project(KafkaLog& log, size_t events, const std::filesystem::path& folder) {
  base::Metrics metrics;
  const auto role = timeline_role::TimelineRole::Open(log, Secret(), folder, metrics);
  SIMPUL_CHECK(role.ok(), "{}", base::Message(role.status()));
  const auto count = [&metrics](const char* name, const base::Labels& labels = {}) {
    return static_cast<size_t>(metrics.Counter(name, "", labels).Value());
  };
  const auto applied = [&](const std::string& consumer) {
    size_t records = 0;
    for (size_t n = 0; n < kThreads; ++n) {
      records += count("simpul_log_applied_records_total",
                       {{"consumer", fmt::format("{}_{}", consumer, n)}});
    }
    return records;
  };
  while (applied("timeline") < events ||
         applied("timeline_told") < count("simpul_timeline_revisions_total")) {
    std::this_thread::sleep_until(Clock::now() + std::chrono::milliseconds(2));
  }
}

// What was told, from each partition alike.
std::vector<std::string> Told(KafkaLog& log) {
  std::vector<std::string> told;
  for (uint32_t partition = 0; partition < kPartitions; ++partition) {
    const Place place{Topic::kEntries, partition};
    const auto end = log.End(place);
    auto subscription = log.Subscribe({{place, 1}});
    SIMPUL_CHECK(end.ok() && subscription.ok(), "{}", base::Message(subscription.status()));
    const size_t count = std::min<size_t>(kToldKept / kPartitions, static_cast<size_t>(*end - 1));
    for (size_t n = 0; n < count; ++n) {
      const auto record = (*subscription)->Poll(kSilenceMax);
      SIMPUL_CHECK(record.ok() && record->has_value(), "nothing comes");
      told.emplace_back((*record)->value);
    }
  }
  return told;
}

std::unique_ptr<rocksdb::DB> OpenRaw(const std::filesystem::path& folder,
                                     const std::shared_ptr<rocksdb::Cache>& cache,
                                     const std::shared_ptr<rocksdb::WriteBufferManager>& buffers) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.compression = rocksdb::kNoCompression;
  options.write_buffer_size = 16 << 20;
  options.write_buffer_manager = buffers;
  options.allow_concurrent_memtable_write = false;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  rocksdb::DB* db = nullptr;
  const auto status = rocksdb::DB::Open(options, folder.string(), &db);
  SIMPUL_CHECK(status.ok(), "{}", status.ToString());
  return std::unique_ptr<rocksdb::DB>(db);
}

// Half of the partitions on one thread: each record is read by itself; a batch of a partition is
// written once it is full or nothing more comes at once, as the follower does.
class RawLoop {
 public:
  RawLoop(const KafkaSettings& settings, size_t first, bench::RawProducer& producer,
          const std::vector<std::string>& told)
      : producer_(producer), told_(told) {
    auto reader = eventlog::kafka::ReaderSettings();
    reader.emplace_back("queued.max.messages.kbytes", fmt::format("{}", kFetchedBytesMax >> 10));
    auto client = eventlog::kafka::MakeClient(RD_KAFKA_CONSUMER, settings, reader);
    SIMPUL_CHECK(client.ok(), "{}", base::Message(client.status()));
    client_ = *std::move(client);
    queue_.reset(rd_kafka_queue_get_consumer(client_.get()));
    const eventlog::kafka::Owned<rd_kafka_topic_partition_list_t> list(
        rd_kafka_topic_partition_list_new(kPartitions));
    for (size_t partition = first; partition < kPartitions; partition += kThreads) {
      rd_kafka_topic_partition_list_add(list.get(), settings.TopicName(Topic::kEvents).c_str(),
                                        static_cast<int32_t>(partition))
          ->offset = 1;
    }
    SIMPUL_CHECK(rd_kafka_assign(client_.get(), list.get()) == RD_KAFKA_RESP_ERR_NO_ERROR, "");
  }
  ~RawLoop() {
    queue_.reset();
    rd_kafka_consumer_close(client_.get());
  }
  RawLoop(const RawLoop&) = delete;
  RawLoop& operator=(const RawLoop&) = delete;

  void Run(const std::vector<std::unique_ptr<rocksdb::DB>>& stores, size_t records) {
    size_t held = 0;
    for (size_t read = 0; read < records;) {
      const int wait = held > 0 ? 0 : eventlog::kafka::Ms(kSilenceMax);
      const eventlog::kafka::Owned<rd_kafka_message_t> message(
          rd_kafka_consume_queue(queue_.get(), wait));
      if (message == nullptr) {
        SIMPUL_CHECK(held > 0, "nothing comes");
        for (auto& [partition, batch] : batches_) Write(*stores[partition], batch);
        held = 0;
        continue;
      }
      if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
      ++read;
      ++held;
      const auto partition = static_cast<uint32_t>(message->partition);
      Batch& batch = batches_[partition];
      Take(*message, *stores[partition], batch);
      if (batch.records == kBatch) {
        held -= batch.records;
        Write(*stores[partition], batch);
      }
    }
    for (auto& [partition, batch] : batches_) Write(*stores[partition], batch);
  }

 private:
  struct Batch {
    rocksdb::WriteBatch changes;
    size_t records = 0;
  };

  // A look-up of what would be a seen id; that, an entry and what is known of the patient are put.
  void Take(const rd_kafka_message_t& message, rocksdb::DB& store, Batch& batch) {
    const std::string_view key(static_cast<const char*>(message.key), message.key_len);
    const rocksdb::Slice value(static_cast<const char*>(message.payload), message.len);
    std::string seen = "s";
    seen.append(key);
    base::PutBe64(seen, static_cast<uint64_t>(message.offset) * 0x9e3779b97f4a7c15);
    rocksdb::PinnableSlice found;
    SIMPUL_CHECK(
        store.Get(rocksdb::ReadOptions(), store.DefaultColumnFamily(), seen, &found).IsNotFound(),
        "seen");
    std::string entry = "e";
    entry.append(key);
    base::PutBe64(entry, static_cast<uint64_t>(message.offset));
    batch.changes.Put(seen, rocksdb::Slice(entry.data() + entry.size() - 8, 8));
    batch.changes.Put(entry, value);
    batch.changes.Put("p" + std::string(key), rocksdb::Slice(value.data(), value.size() / 4));
    ++batch.records;
    producer_.Put(message.partition, key, told_[next_told_++ % told_.size()]);
  }

  static void Write(rocksdb::DB& store, Batch& batch) {
    if (batch.records == 0) return;
    SIMPUL_CHECK(store.Write(rocksdb::WriteOptions(), &batch.changes).ok(), "A write failed.");
    batch.changes.Clear();
    batch.records = 0;
  }

  bench::RawProducer& producer_;
  const std::vector<std::string>& told_;
  size_t next_told_ = 0;
  eventlog::kafka::Owned<rd_kafka_t> client_;
  eventlog::kafka::Owned<rd_kafka_queue_t> queue_;
  std::map<uint32_t, Batch> batches_;
};

void LoopRaw(KafkaLog& log, const KafkaSettings& from, const KafkaSettings& to,
             const std::vector<std::string>& told, const std::filesystem::path& folder) {
  bench::RawProducer producer(to.bootstrap, to.TopicName(Topic::kEntries));
  std::filesystem::create_directories(folder);
  const std::shared_ptr<rocksdb::Cache> cache = rocksdb::NewLRUCache(kStoreBytes);
  const auto buffers = std::make_shared<rocksdb::WriteBufferManager>(kStoreBytes / 2, cache);
  std::vector<std::unique_ptr<rocksdb::DB>> stores;
  std::vector<size_t> records(kThreads);
  for (uint32_t partition = 0; partition < kPartitions; ++partition) {
    stores.push_back(OpenRaw(folder / fmt::format("{:02}", partition), cache, buffers));
    const auto end = log.End({Topic::kEvents, partition});
    SIMPUL_CHECK(end.ok(), "{}", base::Message(end.status()));
    records[partition % kThreads] += static_cast<size_t>(*end - 1);
  }
  bench::OnThreads(kThreads, [&](size_t thread) {
    RawLoop(from, thread, producer, told).Run(stores, records[thread]);
  });
  producer.Flush();
}

int Run(size_t events, size_t rounds) {
  base::SetLogMinimum(base::Severity::kError);
  const char* bootstrap = std::getenv("SIMPUL_KAFKA");
  SIMPUL_CHECK(bootstrap != nullptr, "run by tests/support/with_kafka.py");
  const pid_t broker = bench::BrokerPid();
  testing::TempFolder folder;
  std::vector<double> ours_rate, raw_rate, ours_us, own_us, broker_us, raw_us;
  // The first does not count: a broker that has just begun costs twice as much.
  for (size_t round = 0; round < rounds + 1; ++round) {
    KafkaSettings settings;
    settings.bootstrap = bootstrap;
    settings.topic_prefix = fmt::format("ours-{}.", round);
    KafkaSettings raw_settings = settings;
    raw_settings.topic_prefix = fmt::format("raw-{}.", round);
    MakeTopics(settings);
    MakeTopics(raw_settings);
    base::Metrics metrics;
    const std::unique_ptr<KafkaLog> log = OpenLog(settings, metrics);
    bench::Fill(*log, Secret(), events, std::max<size_t>(events / bench::kEventsAPatient, 1));
    const std::filesystem::path here = folder.path() / fmt::format("{}", round);
    const Spent ours = Spend(broker, [&] { Project(*log, events, here / "ours"); });
    const std::vector<std::string> told = Told(*log);
    const Spent raw =
        Spend(broker, [&] { LoopRaw(*log, settings, raw_settings, told, here / "raw"); });
    std::filesystem::remove_all(here);
    if (round == 0) continue;
    const auto count = static_cast<double>(events);
    const auto us = [count](double seconds) { return seconds * 1e6 / count; };
    ours_rate.push_back(count / ours.wall_s);
    raw_rate.push_back(count / raw.wall_s);
    own_us.push_back(us(ours.own_cpu_s));
    broker_us.push_back(us(ours.broker_cpu_s));
    ours_us.push_back(us(ours.own_cpu_s + ours.broker_cpu_s));
    raw_us.push_back(us(raw.own_cpu_s + raw.broker_cpu_s));
    fmt::print(stderr,
               "{:.0f} events/s, {:.1f} us of ours and {:.1f} of the broker an event; raw {:.0f}, "
               "{:.1f} and {:.1f}\n",
               ours_rate.back(), own_us.back(), broker_us.back(), raw_rate.back(),
               us(raw.own_cpu_s), us(raw.broker_cpu_s));
  }
  bench::Print("timeline from Kafka, until all it told is read back", bench::Median(ours_rate),
               bench::Median(raw_rate), "events/s");
  bench::PrintAsked("timeline from Kafka, processor time an event, the broker's included",
                    bench::Median(ours_us), "<= 46", "us");
  bench::PrintAsked("of it ours", bench::Median(own_us), "", "us");
  bench::PrintAsked("of it the broker's", bench::Median(broker_us), "", "us");
  bench::PrintAsked("the raw loop's processor time an event, the broker's included",
                    bench::Median(raw_us), "", "us");
  return 0;
}

}  // namespace
}  // namespace simpul::timeline

int main(int argc, char** argv) {
  return simpul::timeline::Run(argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 300'000,
                               argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 3);
}
