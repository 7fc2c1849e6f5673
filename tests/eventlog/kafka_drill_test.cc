// What a Kafka log does when its producer dies, and when its broker does: what was acknowledged is
// there, where it was said to be.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <mutex>
#include <thread>

#include "lib/base/check.h"
#include "lib/base/clock.h"
#include "lib/base/metrics.h"
#include "lib/base/uuid.h"
#include "lib/eventlog/kafka_log.h"
#include "lib/eventlog/kafka_topics.h"

namespace simpul::eventlog {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr uint32_t kPartitions = 4;
constexpr int kWriters = 4;
constexpr int kBatch = 10;
constexpr std::chrono::milliseconds kNever{60'000};

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  SIMPUL_CHECK(value != nullptr, "{}: run by tests/support/with_kafka.py; ctest does", name);
  return value;
}

// Writers that send what got no answer again, and remember where each value was said to be.
class Journal {
 public:
  Journal(EventLog& log, int batches) {
    for (int writer = 0; writer < kWriters; ++writer) {
      threads_.emplace_back([this, &log, writer, batches] {
        for (int batch = 0; batch < batches; ++batch) Write(log, writer, batch);
      });
    }
  }
  void Join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  size_t acknowledged() {
    const std::lock_guard lock(mutex_);
    return said_.size();
  }

  // Reads everything from the start: each value stands where it was said to be.
  void Judge(EventLog& log) {
    std::vector<Start> starts;
    int64_t left = 0;
    for (uint32_t partition = 0; partition < kPartitions; ++partition) {
      const Place place{Topic::kEvents, partition};
      starts.push_back({place, 1});
      left += log.End(place).value() - 1;
    }
    std::map<std::pair<uint32_t, int64_t>, std::string> there;
    const auto subscription = log.Subscribe(starts);
    ASSERT_TRUE(subscription.ok()) << subscription.status();
    for (; left > 0; --left) {
      const auto record = (*subscription)->Poll(kNever);
      ASSERT_TRUE(record.ok() && record->has_value()) << record.status();
      there[{(*record)->place.partition, (*record)->position}] = std::string((*record)->value);
    }
    for (const auto& [value, place] : said_) {
      ASSERT_TRUE(there.contains(place)) << value << " was acknowledged and is lost";
      EXPECT_EQ(there[place], value) << "at " << place.first << ":" << place.second;
    }
  }

 private:
  void Write(EventLog& log, int writer, int batch) {
    std::vector<std::string> open;
    for (int i = 0; i < kBatch; ++i)
      open.push_back(std::to_string(writer * 1'000'000 + batch * kBatch + i));
    while (!open.empty()) {
      std::vector<Draft> drafts;
      for (const std::string& value : open) {
        std::string key = value;
        key.resize(16, '.');
        drafts.push_back({.topic = Topic::kEvents, .key = key, .value = value});
      }
      const std::vector<Appended> answers = AppendAndWait(log, drafts);
      ASSERT_EQ(answers.size(), drafts.size());
      std::vector<std::string> again;
      const std::lock_guard lock(mutex_);
      for (size_t i = 0; i < answers.size(); ++i) {
        if (answers[i].ok()) {
          said_[open[i]] = {event::PartitionOf(drafts[i].key, kPartitions), *answers[i]};
        } else {
          again.push_back(open[i]);
        }
      }
      open = std::move(again);
    }
  }

  std::mutex mutex_;
  std::map<std::string, std::pair<uint32_t, int64_t>> said_;
  std::vector<std::thread> threads_;
};

class KafkaDrillTest : public ::testing::Test {
 protected:
  KafkaDrillTest() {
    settings_.bootstrap = Environment("SIMPUL_KAFKA");
    settings_.topic_prefix = base::RandomUuid().substr(0, 8) + ".";
    const absl::Status made = CreateTopics(
        settings_, {.partitions = kPartitions, .replicas = 1, .secret_fingerprint = "f"},
        base::SystemClock());
    EXPECT_TRUE(made.ok()) << made;
    KafkaLog::Options options;
    options.secret_fingerprint = "f";
    options.accept_single_copy = true;
    auto log = KafkaLog::Open(settings_, options, metrics_);
    EXPECT_TRUE(log.ok()) << log.status();
    if (log.ok()) log_ = *std::move(log);
  }

  KafkaSettings settings_;
  base::Metrics metrics_;
  std::unique_ptr<KafkaLog> log_;
};

TEST_F(KafkaDrillTest, ReplacesAProducerThatDiedAndLosesNothingAcknowledged) {
  Journal journal(*log_, 200);
  journal.Join();
  EXPECT_THAT(metrics_.Render(), Not(HasSubstr("simpul_kafka_producers_replaced_total 0")));
  journal.Judge(*log_);
  EXPECT_TRUE(log_->Health().ok()) << log_->Health();
}

TEST_F(KafkaDrillTest, GoesOnWhenTheBrokerComesBack) {
  const std::string folder = Environment("SIMPUL_KAFKA_DIR");
  const std::string tool = Environment("SIMPUL_SOURCE_DIR") + "/deploy/kafka";
  Journal journal(*log_, 300);
  for (int kill = 0; kill < 2; ++kill) {
    const size_t before = journal.acknowledged();
    while (journal.acknowledged() < before + 50) std::this_thread::yield();
    ASSERT_EQ(std::system((tool + " stop --kill --dir " + folder).c_str()), 0);
    ASSERT_EQ(std::system((tool + " start --dir " + folder + " > /dev/null").c_str()), 0);
  }
  journal.Join();
  journal.Judge(*log_);
  EXPECT_TRUE(log_->Health().ok()) << log_->Health();
}

}  // namespace
}  // namespace simpul::eventlog

int main(int argc, char** argv) {
  // Before anything asks whether it is planted.
  const char* more = std::getenv("SIMPUL_PLANT_BUG");
  const std::string planted = "kafka_fatal_error," + std::string(more == nullptr ? "" : more);
  setenv("SIMPUL_PLANT_BUG", planted.c_str(), 1);
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
