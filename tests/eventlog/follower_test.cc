#include "lib/eventlog/follower.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>

#include "lib/base/check.h"
#include "lib/eventlog/embedded_log.h"
#include "tests/support/temp_folder.h"

namespace simpul::eventlog {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

constexpr uint32_t kPartitions = 4;
constexpr std::chrono::seconds kNever{30};

// A real log whose subscriptions do not wait: they move this log's own time instead. And whose
// places can be made unreadable.
class TimelessLog final : public EventLog {
 public:
  explicit TimelessLog(EventLog& real) : real_(real) {}

  std::chrono::steady_clock::time_point Now() const {
    return std::chrono::steady_clock::time_point(std::chrono::milliseconds(now_ms_.load()));
  }
  // Polls answer with this error, or leave the record out, where it stands.
  void Damage(Place place, int64_t position, std::optional<absl::Status> error) {
    const std::lock_guard lock(mutex_);
    damaged_[{place, position}] = std::move(error);
  }

  const log::v1::Install& install() const override { return real_.install(); }
  absl::StatusOr<std::unique_ptr<Admission>> Admit(size_t bytes) override {
    return real_.Admit(bytes);
  }
  void Append(std::vector<Draft> drafts, std::unique_ptr<Admission> admission,
              absl::AnyInvocable<void(std::vector<Appended>)> done) override {
    real_.Append(std::move(drafts), std::move(admission), std::move(done));
  }
  absl::StatusOr<std::vector<int64_t>> Ends(std::span<const Place> places) override {
    return real_.Ends(places);
  }
  absl::StatusOr<std::unique_ptr<Subscription>> Subscribe(
      std::vector<Start> starts, std::chrono::milliseconds gather) override {
    absl::StatusOr<std::unique_ptr<Subscription>> real = real_.Subscribe(std::move(starts), gather);
    if (!real.ok()) return real.status();
    return std::make_unique<Reading>(*this, *std::move(real));
  }
  absl::Status Health() const override { return real_.Health(); }

 private:
  class Reading final : public Subscription {
   public:
    Reading(TimelessLog& log, std::unique_ptr<Subscription> real)
        : log_(log), real_(std::move(real)) {}
    absl::StatusOr<std::optional<Record>> Poll(std::chrono::milliseconds wait) override {
      for (;;) {
        absl::StatusOr<std::optional<Record>> record = real_->Poll(std::chrono::milliseconds(0));
        if (!record.ok()) return record;
        if (!record->has_value()) {
          log_.now_ms_ += wait.count();
          return record;
        }
        const std::lock_guard lock(log_.mutex_);
        const auto damaged = log_.damaged_.find({(*record)->place, (*record)->position});
        if (damaged == log_.damaged_.end()) return record;
        if (damaged->second.has_value()) return *damaged->second;
      }
    }
    std::optional<int64_t> KnownEnd(Place place) const override { return real_->KnownEnd(place); }
    void Wake() override { real_->Wake(); }

   private:
    TimelessLog& log_;
    std::unique_ptr<Subscription> real_;
  };

  EventLog& real_;
  std::atomic<int64_t> now_ms_ = 0;
  std::mutex mutex_;
  std::map<std::pair<Place, int64_t>, std::optional<absl::Status>> damaged_;
};

// Something that threads wait for.
template <typename T>
class Watched {
 public:
  void Change(const std::function<void(T&)>& change) {
    const std::lock_guard lock(mutex_);
    change(value_);
    changed_.notify_all();
  }
  // False when it never comes.
  [[nodiscard]] bool Await(const std::function<bool(const T&)>& wanted) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kNever, [&] { return wanted(value_); });
  }
  T Get() {
    const std::lock_guard lock(mutex_);
    return value_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  T value_{};
};

struct Call {
  Place place;
  std::vector<int64_t> positions;
};
using Calls = std::vector<Call>;

class FollowerTest : public ::testing::Test {
 protected:
  FollowerTest() {
    absl::StatusOr<std::unique_ptr<EmbeddedLog>> opened = EmbeddedLog::Open(
        folder_ / "log", {.partitions = kPartitions, .secret_fingerprint = "12345678"}, clock_,
        metrics_);
    SIMPUL_CHECK(opened.ok(), "{}", opened.status().ToString());
    real_ = *std::move(opened);
    log_.emplace(*real_);
  }

  static Place In(uint32_t partition) { return {Topic::kEvents, partition}; }

  static std::vector<Start> FromTheFirst() {
    std::vector<Start> starts;
    for (uint32_t partition = 0; partition < kPartitions; ++partition) {
      starts.push_back({In(partition), 1});
    }
    return starts;
  }

  void Append(uint32_t partition, int count, size_t bytes = 3) {
    std::string key;
    for (int i = 0; key.empty() || event::PartitionOf(key, kPartitions) != partition; ++i) {
      key = std::to_string(i);
    }
    std::vector<Draft> drafts;
    for (int i = 0; i < count; ++i)
      drafts.push_back({.key = key, .value = std::string(bytes, 'v')});
    for (const Appended& outcome : AppendAndWait(*log_, std::move(drafts))) {
      ASSERT_TRUE(outcome.ok()) << outcome.status();
    }
  }

  std::unique_ptr<Follower> Follow(Follower::Handler handler, Follower::Options options = {},
                                   Follower::Idle idle = nullptr) {
    options.name = "test";
    options.clock = &clock_;
    options.now = [this] { return log_->Now(); };
    absl::StatusOr<std::unique_ptr<Follower>> follower = Follower::Start(
        *log_, FromTheFirst(), std::move(options), std::move(handler), metrics_, std::move(idle));
    SIMPUL_CHECK(follower.ok(), "{}", follower.status().ToString());
    return *std::move(follower);
  }

  // Notes the call, then answers with `answer`.
  Follower::Handler Noting(std::function<absl::Status(Place)> answer) {
    return [this, answer = std::move(answer)](Place place, std::span<const OwnedRecord> batch) {
      Call call{.place = place};
      for (const OwnedRecord& record : batch) call.positions.push_back(record.position);
      const absl::Status status = answer(place);
      calls_.Change([&](Calls& calls) { calls.push_back(call); });
      return status;
    };
  }

  // All positions handed over for a partition, in order of the calls.
  static std::vector<int64_t> PositionsOf(const Calls& calls, uint32_t partition) {
    std::vector<int64_t> positions;
    for (const Call& call : calls) {
      if (call.place != In(partition)) continue;
      positions.insert(positions.end(), call.positions.begin(), call.positions.end());
    }
    return positions;
  }

  static std::vector<int64_t> FromOneTo(int64_t last) {
    std::vector<int64_t> positions;
    for (int64_t i = 1; i <= last; ++i) positions.push_back(i);
    return positions;
  }

  testing::TempFolder folder_;
  base::ManualClock clock_{base::FromMicros(1'750'000'000'000'000)};
  base::Metrics metrics_;
  std::unique_ptr<EmbeddedLog> real_;
  std::optional<TimelessLog> log_;
  Watched<Calls> calls_;
};

absl::Status Fine(Place) { return absl::OkStatus(); }

TEST_F(FollowerTest, HandsEachPlaceOverInOrderInBatchesOfLimitedLength) {
  for (uint32_t partition = 0; partition < kPartitions; ++partition) Append(partition, 1000);
  const auto follower = Follow(Noting(Fine), {.batch_records = 64});
  ASSERT_TRUE(calls_.Await([](const Calls& calls) {
    for (uint32_t partition = 0; partition < kPartitions; ++partition) {
      if (PositionsOf(calls, partition) != FromOneTo(1000)) return false;
    }
    return true;
  }));
  size_t full = 0;
  for (const Call& call : calls_.Get()) {
    EXPECT_LE(call.positions.size(), 64u);
    if (call.positions.size() == 64) ++full;
  }
  EXPECT_GT(full, 4 * 1000 / 64 / 2u) << "a backlog is read in full batches";
}

TEST_F(FollowerTest, HoldsNoMoreBytesThanItMay) {
  for (uint32_t partition = 0; partition < kPartitions; ++partition) Append(partition, 50, 1000);
  const auto follower = Follow(Noting(Fine), {.batch_bytes = 5000});
  ASSERT_TRUE(
      calls_.Await([](const Calls& calls) { return PositionsOf(calls, 3) == FromOneTo(50); }));
  for (const Call& call : calls_.Get()) EXPECT_LE(call.positions.size(), 5u);
}

TEST_F(FollowerTest, GoesOnWithWhatComesLater) {
  const auto follower = Follow(Noting(Fine));
  for (int64_t i = 1; i <= 20; ++i) {
    Append(2, 1);
    ASSERT_TRUE(
        calls_.Await([&](const Calls& calls) { return PositionsOf(calls, 2) == FromOneTo(i); }));
  }
}

TEST_F(FollowerTest, TriesTheSameBatchAgainAfterPausesThatDouble) {
  Append(1, 3);
  std::vector<int64_t> at_ms;
  const auto follower = Follow(Noting([&](Place) -> absl::Status {
    at_ms.push_back(
        std::chrono::duration_cast<std::chrono::milliseconds>(log_->Now().time_since_epoch())
            .count());
    if (at_ms.size() == 12) return absl::OkStatus();
    return at_ms.size() % 2 == 0 ? absl::UnavailableError("not now")
                                 : absl::ResourceExhaustedError("too much");
  }));
  ASSERT_TRUE(calls_.Await([](const Calls& calls) { return calls.size() == 12; }));
  for (const Call& call : calls_.Get()) EXPECT_THAT(call.positions, ElementsAre(1, 2, 3));
  std::vector<int64_t> pauses_ms;
  for (size_t i = 1; i < at_ms.size(); ++i) pauses_ms.push_back(at_ms[i] - at_ms[i - 1]);
  EXPECT_THAT(pauses_ms, ElementsAre(10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5000, 5000));
}

TEST_F(FollowerTest, BeginsAgainWithTheShortestPauseAfterASuccess) {
  Append(1, 1);
  std::vector<int64_t> at_ms;
  const auto follower = Follow(Noting([&](Place) -> absl::Status {
    at_ms.push_back(
        std::chrono::duration_cast<std::chrono::milliseconds>(log_->Now().time_since_epoch())
            .count());
    return at_ms.size() % 3 == 0 ? absl::OkStatus() : absl::UnavailableError("not now");
  }));
  ASSERT_TRUE(calls_.Await([](const Calls& calls) { return calls.size() == 3; }));
  Append(1, 1);
  ASSERT_TRUE(calls_.Await([](const Calls& calls) { return calls.size() == 6; }));
  EXPECT_EQ(at_ms[1] - at_ms[0], 10);
  EXPECT_EQ(at_ms[2] - at_ms[1], 20);
  EXPECT_EQ(at_ms[4] - at_ms[3], 10);
  EXPECT_EQ(at_ms[5] - at_ms[4], 20);
}

TEST_F(FollowerTest, TriesAgainAtOnceWhenItIsTold) {
  Append(1, 2);
  std::atomic<bool> has_room = false;
  Follower::Options options;
  options.name = "test";
  // Without being told it would wait for longer than any test.
  options.pause_min = options.pause_max = std::chrono::hours(1);
  const auto follower =
      Follower::Start(*log_, {{In(1), 1}}, options, Noting([&](Place) -> absl::Status {
        return has_room ? absl::OkStatus() : absl::ResourceExhaustedError("full");
      }),
                      metrics_);
  ASSERT_TRUE(follower.ok());
  ASSERT_TRUE(calls_.Await([](const Calls& calls) { return calls.size() == 1; }));
  has_room = true;
  (*follower)->RetryNow();
  ASSERT_TRUE(calls_.Await([](const Calls& calls) { return calls.size() >= 2; }));
  for (const Call& call : calls_.Get()) EXPECT_THAT(call.positions, ElementsAre(1, 2));
}

TEST_F(FollowerTest, AWaitingPlaceHoldsUpNoOther) {
  std::atomic<bool> is_held = true;
  for (uint32_t partition = 0; partition < kPartitions; ++partition) Append(partition, 100);
  const auto follower = Follow(
      [&](Place place, std::span<const OwnedRecord> batch) -> absl::Status {
        if (place == In(0) && is_held) return absl::UnavailableError("not now");
        Call call{.place = place};
        for (const OwnedRecord& record : batch) call.positions.push_back(record.position);
        calls_.Change([&](Calls& calls) { calls.push_back(call); });
        return absl::OkStatus();
      },
      {.batch_records = 10});
  for (int round = 2; round <= 4; ++round) {
    for (uint32_t partition = 0; partition < kPartitions; ++partition) Append(partition, 100);
    ASSERT_TRUE(calls_.Await([&](const Calls& calls) {
      return PositionsOf(calls, 1) == FromOneTo(100 * round) &&
             PositionsOf(calls, 2) == FromOneTo(100 * round) &&
             PositionsOf(calls, 3) == FromOneTo(100 * round);
    }));
  }
  EXPECT_THAT(PositionsOf(calls_.Get(), 0), IsEmpty());
  is_held = false;
  ASSERT_TRUE(
      calls_.Await([](const Calls& calls) { return PositionsOf(calls, 0) == FromOneTo(400); }));
  EXPECT_THAT(follower->Stopped(), IsEmpty());
}

TEST_F(FollowerTest, StopsOnlyThePlaceThatFails) {
  for (uint32_t partition = 0; partition < kPartitions; ++partition) Append(partition, 10);
  const auto follower = Follow(Noting([](Place place) -> absl::Status {
    return place == In(2) ? absl::InternalError("number 4 came where 3 was expected")
                          : absl::OkStatus();
  }));
  for (uint32_t partition = 0; partition < kPartitions; ++partition) Append(partition, 10);
  ASSERT_TRUE(calls_.Await([](const Calls& calls) {
    return PositionsOf(calls, 0) == FromOneTo(20) && PositionsOf(calls, 1) == FromOneTo(20) &&
           PositionsOf(calls, 3) == FromOneTo(20) && !PositionsOf(calls, 2).empty();
  }));
  EXPECT_THAT(follower->Stopped(), ElementsAre(Pair(In(2), "number 4 came where 3 was expected")));
  const Calls calls = calls_.Get();
  EXPECT_EQ(std::ranges::count(calls, In(2), &Call::place), 1) << "it is not called again";
}

TEST_F(FollowerTest, StopsOnlyThePlaceThatCannotBeRead) {
  for (uint32_t partition = 0; partition < kPartitions; ++partition) Append(partition, 10);
  log_->Damage(In(1), 4, absl::DataLossError("position 4 cannot be read"));
  const auto follower = Follow(Noting(Fine));
  ASSERT_TRUE(calls_.Await([](const Calls& calls) {
    return PositionsOf(calls, 0) == FromOneTo(10) && PositionsOf(calls, 2) == FromOneTo(10) &&
           PositionsOf(calls, 3) == FromOneTo(10) && PositionsOf(calls, 1) == FromOneTo(3);
  }));
  Append(0, 5);
  ASSERT_TRUE(
      calls_.Await([](const Calls& calls) { return PositionsOf(calls, 0) == FromOneTo(15); }));
  EXPECT_THAT(follower->Stopped(), ElementsAre(Pair(In(1), "position 4 cannot be read")));
}

TEST_F(FollowerTest, StopsAPlaceWhosePositionsHaveAHole) {
  for (uint32_t partition = 0; partition < kPartitions; ++partition) Append(partition, 10);
  log_->Damage(In(3), 7, std::nullopt);
  const auto follower = Follow(Noting(Fine));
  Append(0, 1);
  ASSERT_TRUE(calls_.Await([](const Calls& calls) {
    return PositionsOf(calls, 0) == FromOneTo(11) && PositionsOf(calls, 1) == FromOneTo(10) &&
           PositionsOf(calls, 2) == FromOneTo(10) && PositionsOf(calls, 3) == FromOneTo(6);
  }));
  EXPECT_THAT(follower->Stopped(),
              ElementsAre(Pair(In(3), HasSubstr("position 8 came where 7 was expected"))));
}

TEST_F(FollowerTest, DoesNotStartBeyondTheEnd) {
  const auto follower =
      Follower::Start(*log_, {{In(0), 5}}, {.name = "test"}, Noting(Fine), metrics_);
  EXPECT_EQ(follower.status().code(), absl::StatusCode::kOutOfRange);
}

TEST_F(FollowerTest, ShowsHowFarItIsBehindAndWhatStandsStill) {
  for (uint32_t partition = 0; partition < kPartitions; ++partition) Append(partition, 10);
  clock_.Advance(std::chrono::seconds(7));
  Watched<bool> is_shown;
  const auto follower = Follow(
      Noting([](Place place) -> absl::Status {
        if (place == In(1)) return absl::UnavailableError("not now");
        if (place == In(2)) return absl::InternalError("a bug");
        return absl::OkStatus();
      }),
      {}, [&] {
        const std::string text = metrics_.Render();
        const auto has = [&](const char* line) { return text.find(line) != std::string::npos; };
        if (has("simpul_log_lag_records{consumer=\"test\",topic=\"simpul.events.v1\"} 20\n") &&
            has("simpul_log_lag_seconds{consumer=\"test\",topic=\"simpul.events.v1\"} 7\n") &&
            has("simpul_log_stopped_places{consumer=\"test\"} 1\n") &&
            has("simpul_log_applied_records_total{consumer=\"test\"} 20\n") &&
            !has("simpul_log_retries_total{consumer=\"test\"} 0\n")) {
          is_shown.Change([](bool& shown) { shown = true; });
        }
      });
  EXPECT_TRUE(is_shown.Await([](bool shown) { return shown; })) << metrics_.Render();
}

TEST_F(FollowerTest, ShowsNoLagWhenEverythingIsApplied) {
  Append(0, 10);
  clock_.Advance(std::chrono::seconds(7));
  Watched<bool> is_shown;
  const auto follower = Follow(Noting(Fine), {}, [&] {
    const std::string text = metrics_.Render();
    if (text.find("simpul_log_applied_records_total{consumer=\"test\"} 10\n") !=
            std::string::npos &&
        text.find("simpul_log_lag_records{consumer=\"test\",topic=\"simpul.events.v1\"} 0\n") !=
            std::string::npos &&
        text.find("simpul_log_lag_seconds{consumer=\"test\",topic=\"simpul.events.v1\"} 0\n") !=
            std::string::npos) {
      is_shown.Change([](bool& shown) { shown = true; });
    }
  });
  EXPECT_TRUE(is_shown.Await([](bool shown) { return shown; })) << metrics_.Render();
}

TEST_F(FollowerTest, RunsIdleSoonAfterAWake) {
  Watched<int> idles;
  absl::StatusOr<std::unique_ptr<Follower>> follower =
      Follower::Start(*real_, FromTheFirst(), {.name = "test", .tick = std::chrono::hours(1)},
                      Noting(Fine), metrics_, [&] { idles.Change([](int& count) { ++count; }); });
  ASSERT_TRUE(follower.ok());
  for (int i = 1; i <= 10; ++i) {
    ASSERT_TRUE(idles.Await([&](int count) { return count >= i; }));
    (*follower)->Wake();
  }
}

TEST_F(FollowerTest, RunsIdleAtEveryTick) {
  Watched<std::vector<int64_t>> at_ms;
  const auto follower = Follow(Noting(Fine), {.tick = std::chrono::milliseconds(250)}, [&] {
    at_ms.Change([&](std::vector<int64_t>& at) {
      at.push_back(
          std::chrono::duration_cast<std::chrono::milliseconds>(log_->Now().time_since_epoch())
              .count());
    });
  });
  ASSERT_TRUE(at_ms.Await([](const std::vector<int64_t>& at) { return at.size() >= 4; }));
  const std::vector<int64_t> at = at_ms.Get();
  EXPECT_THAT(std::vector<int64_t>(at.begin(), at.begin() + 4), ElementsAre(0, 250, 500, 750));
}

TEST_F(FollowerTest, EndsAfterTheBatchInHand) {
  Append(0, 100);
  auto follower = Follow(Noting(Fine), {.batch_records = 1});
  ASSERT_TRUE(calls_.Await([](const Calls& calls) { return !calls.empty(); }));
  follower.reset();
  const size_t calls = calls_.Get().size();
  Append(0, 1);
  EXPECT_THAT(calls_.Get(), SizeIs(calls));
}

}  // namespace
}  // namespace simpul::eventlog
