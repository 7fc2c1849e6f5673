// How fast the log on Kafka takes and gives records, against librdkafka alone with the same broker,
// settings and bytes.
//
//   tests/support/with_kafka.py -- bench_kafka [ROUNDS]    prints one JSON object a line, as the
//   others
#include <cstdlib>
#include <deque>
#include <future>
#include <string>
#include <vector>

#include "lib/base/check.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/uuid.h"
#include "lib/eventlog/kafka_log.h"
#include "lib/eventlog/kafka_topics.h"
#include "tests/bench/measure.h"
#include "tests/bench/raw_producer.h"
#include "tests/bench/samples.h"

namespace simpul::eventlog {
namespace {

using bench::Cost;
using bench::Sample;

constexpr uint32_t kPartitions = 24;
constexpr size_t kBatch = 500;
constexpr size_t kBatchesInFlight = 40;
constexpr size_t kRecords = 200'000;  // a round

constexpr std::string_view kId = "7d444840-9dc0-41d1-b245-5ffdce74fad2";
constexpr std::string_view kType = "simpul.event.visit";
constexpr std::string_view kSource = "P7324020101";
constexpr int64_t kTimeUs = 1'767'575'520'000'000;

void Produce(bench::RawProducer& raw, const std::vector<Sample>& samples) {
  for (size_t i = 0; i < kRecords; ++i) {
    const Sample& sample = samples[i % samples.size()];
    raw.Put(static_cast<int32_t>(event::PartitionOf(sample.key, kPartitions)), sample.key,
            sample.value);
  }
  raw.Flush();
}

std::vector<Draft> DraftsOf(const std::vector<Sample>& samples, size_t from) {
  std::vector<Draft> drafts;
  drafts.reserve(kBatch);
  for (size_t i = from; i < from + kBatch; ++i) {
    const Sample& sample = samples[i % samples.size()];
    drafts.push_back({.key = sample.key,
                      .value = sample.value,
                      .ce_id = std::string(kId),
                      .ce_type = std::string(kType),
                      .ce_source = std::string(kSource),
                      .ce_time_us = kTimeUs});
  }
  return drafts;
}

// Batches of 500, each answered whole, some on their way at once.
void Append(KafkaLog& log, const std::vector<Sample>& samples) {
  std::deque<std::future<void>> waiting;
  const auto wait_first = [&waiting] {
    waiting.front().get();
    waiting.pop_front();
  };
  for (size_t from = 0; from < kRecords; from += kBatch) {
    if (waiting.size() == kBatchesInFlight) wait_first();
    auto answered = std::make_shared<std::promise<void>>();
    waiting.push_back(answered->get_future());
    auto admission = log.Admit(kBatch * (bench::kRecordBytes + 16));
    SIMPUL_CHECK(admission.ok(), "{}", admission.status().ToString());
    log.Append(DraftsOf(samples, from), *std::move(admission),
               [answered](std::vector<Appended> answers) {
                 for (const Appended& answer : answers) SIMPUL_CHECK(answer.ok(), "not taken");
                 answered->set_value();
               });
  }
  while (!waiting.empty()) wait_first();
}

size_t ReadAll(KafkaLog& log) {
  std::vector<Start> starts;
  size_t count = 0;
  for (uint32_t partition = 0; partition < kPartitions; ++partition) {
    const Place place{Topic::kEvents, partition};
    starts.push_back({place, 1});
    count += static_cast<size_t>(log.End(place).value() - 1);
  }
  const auto subscription = log.Subscribe(std::move(starts));
  for (size_t i = 0; i < count; ++i) {
    const auto record = (*subscription)->Poll(std::chrono::seconds(30));
    SIMPUL_CHECK(record.ok() && record->has_value(), "{}", record.status().ToString());
  }
  return count;
}

int Run(int count, char** words) {
  base::SetLogMinimum(base::Severity::kError);
  const int rounds = count > 1 ? std::atoi(words[1]) : 4;
  const char* bootstrap = std::getenv("SIMPUL_KAFKA");
  SIMPUL_CHECK(bootstrap != nullptr, "run by tests/support/with_kafka.py");
  const std::vector<Sample> samples = bench::MakeSamples(100'000);
  base::Metrics metrics;
  KafkaLog::Options options;
  options.secret_fingerprint = "12345678";
  options.accept_single_copy = true;
  options.in_flight_bytes_max = 64 << 20;
  const auto make = [&](KafkaSettings& settings, const std::string& prefix) {
    settings.bootstrap = bootstrap;
    settings.topic_prefix = prefix;
    const absl::Status made = CreateTopics(
        settings, {.partitions = kPartitions, .replicas = 1, .secret_fingerprint = "12345678"},
        base::SystemClock());
    SIMPUL_CHECK(made.ok(), "{}", made.ToString());
  };
  KafkaSettings ours_settings;
  KafkaSettings raw_settings;
  make(ours_settings, "ours.");
  make(raw_settings, "raw.");
  const auto log = KafkaLog::Open(ours_settings, options, metrics);
  SIMPUL_CHECK(log.ok(), "{}", log.status().ToString());
  bench::RawProducer raw(bootstrap, raw_settings.TopicName(Topic::kEvents));
  Produce(raw, samples);  // connections are made, the broker is warm
  Append(**log, samples);
  std::vector<double> ours_rates;
  std::vector<double> raw_rates;
  Cost ours_cost;
  Cost raw_cost;
  for (int round = 0; round < rounds; ++round) {
    const Cost theirs = bench::Measure([&] { Produce(raw, samples); });
    const Cost own = bench::Measure([&] { Append(**log, samples); });
    raw_rates.push_back(kRecords / theirs.wall_s);
    ours_rates.push_back(kRecords / own.wall_s);
    raw_cost.cpu_s += theirs.cpu_s;
    ours_cost.cpu_s += own.cpu_s;
  }
  const double records = static_cast<double>(rounds) * kRecords;
  bench::Print("intake on Kafka, batches of 500", bench::Median(ours_rates),
               bench::Median(raw_rates), "records/s");
  bench::Print("intake on Kafka, per CPU second of ours", records / ours_cost.cpu_s,
               records / raw_cost.cpu_s, "records/s");
  size_t read = 0;
  const Cost reading = bench::Measure([&] { read = ReadAll(**log); });
  bench::PrintAsked("reading back from Kafka, one by one",
                    static_cast<double>(read) / reading.wall_s, "as fast as it is written",
                    "records/s");
  return 0;
}

}  // namespace
}  // namespace simpul::eventlog

int main(int count, char** words) { return simpul::eventlog::Run(count, words); }
