#include "simpul/sender.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace simpul::cli {
namespace {

using ingest::v1::SubmitEventsRequest;
using ingest::v1::SubmitEventsResponse;
using std::chrono::milliseconds;

Sender::Options Quick() {
  Sender::Options options;
  options.retry_for = milliseconds(60'000);
  options.connect_for = milliseconds(60'000);
  return options;
}

Item ItemOf(uint64_t line, size_t bytes = 0) {
  Item item;
  item.line = line;
  item.event.set_event_id("event-" + std::to_string(line));
  item.event.mutable_visit()->set_note(std::string(bytes, 'n'));
  return item;
}

void Accept(const SubmitEventsRequest& request, SubmitEventsResponse& response) {
  for (const auto& event : request.events()) {
    auto& outcome = *response.add_outcomes();
    outcome.set_event_id(event.event_id());
    outcome.set_outcome(ingest::v1::OUTCOME_ACCEPTED);
  }
}

TEST(Sender, ClosesABatchAt500EventsAndAt1MiB) {
  std::mutex mutex;
  std::vector<std::pair<int, size_t>> batches;
  std::vector<uint64_t> lines;
  Sender sender(
      Quick(),
      [&](const SubmitEventsRequest& request, SubmitEventsResponse& response, milliseconds,
          milliseconds&) {
        const std::lock_guard lock(mutex);
        batches.emplace_back(request.events_size(), request.ByteSizeLong());
        Accept(request, response);
        return absl::OkStatus();
      },
      [&](const std::vector<Item>& items) {
        for (const Item& item : items) lines.push_back(item.line);
      });
  for (uint64_t i = 1; i <= 1200; ++i) ASSERT_TRUE(sender.Put(ItemOf(i)));
  for (uint64_t i = 1201; i <= 1300; ++i) ASSERT_TRUE(sender.Put(ItemOf(i, 30'000)));
  ASSERT_TRUE(sender.Finish().ok());
  size_t events = 0;
  for (const auto& [count, bytes] : batches) {
    EXPECT_LE(count, 500);
    EXPECT_LE(bytes, 1u << 20);
    events += static_cast<size_t>(count);
  }
  EXPECT_EQ(events, 1300u);
  EXPECT_EQ(batches.size(), 5u);
  ASSERT_EQ(lines.size(), 1300u);
  for (uint64_t i = 0; i < 1300; ++i) ASSERT_EQ(lines[i], i + 1);
}

TEST(Sender, SendsTheSameBytesAgainWhenThereIsNoAnswer) {
  for (const absl::StatusCode code :
       {absl::StatusCode::kUnavailable, absl::StatusCode::kDeadlineExceeded,
        absl::StatusCode::kResourceExhausted}) {
    std::vector<std::string> sent;
    size_t accepted = 0;
    Sender sender(
        Quick(),
        [&](const SubmitEventsRequest& request, SubmitEventsResponse& response, milliseconds,
            milliseconds& wait) {
          sent.push_back(request.SerializeAsString());
          if (sent.size() < 3) {
            wait = milliseconds(1);
            return absl::Status(code, "");
          }
          Accept(request, response);
          return absl::OkStatus();
        },
        [&](const std::vector<Item>& items) { accepted += items.size(); });
    for (uint64_t i = 1; i <= 10; ++i) ASSERT_TRUE(sender.Put(ItemOf(i)));
    ASSERT_TRUE(sender.Finish().ok());
    EXPECT_EQ(accepted, 10u);
    ASSERT_EQ(sent.size(), 3u);
    EXPECT_EQ(sent[0], sent[1]);
    EXPECT_EQ(sent[0], sent[2]);
  }
}

TEST(Sender, SendsOnlyWhatIsUnknownAgain) {
  std::map<std::string, int> times;
  size_t calls = 0;
  std::vector<Item> answered;
  Sender sender(
      Quick(),
      [&](const SubmitEventsRequest& request, SubmitEventsResponse& response, milliseconds,
          milliseconds&) {
        Accept(request, response);
        for (const auto& event : request.events()) ++times[event.event_id()];
        if (++calls == 1) response.mutable_outcomes(1)->set_outcome(ingest::v1::OUTCOME_UNKNOWN);
        return absl::OkStatus();
      },
      [&](const std::vector<Item>& items) { answered = items; });
  for (uint64_t i = 1; i <= 3; ++i) ASSERT_TRUE(sender.Put(ItemOf(i)));
  ASSERT_TRUE(sender.Finish().ok());
  EXPECT_EQ(times, (std::map<std::string, int>{{"event-1", 1}, {"event-2", 2}, {"event-3", 1}}));
  ASSERT_EQ(answered.size(), 3u);
  for (const Item& item : answered) {
    EXPECT_EQ(item.outcome.outcome(), ingest::v1::OUTCOME_ACCEPTED);
  }
}

TEST(Sender, GivesUpOnAnAnswerThatSendingAgainCannotHelp) {
  size_t unknown = 0;
  Sender sender(
      Quick(),
      [](const SubmitEventsRequest&, SubmitEventsResponse&, milliseconds, milliseconds&) {
        return absl::UnimplementedError("no such service");
      },
      [&](const std::vector<Item>& items) {
        for (const Item& item : items) {
          unknown += item.outcome.outcome() != ingest::v1::OUTCOME_ACCEPTED;
        }
      });
  ASSERT_TRUE(sender.Put(ItemOf(1)));
  EXPECT_EQ(sender.Finish().code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(unknown, 1u);
  EXPECT_FALSE(sender.Put(ItemOf(2)));
}

TEST(Sender, GivesUpWhenNobodyEverAnswers) {
  Sender::Options options = Quick();
  options.connect_for = milliseconds(0);
  Sender sender(
      options,
      [](const SubmitEventsRequest&, SubmitEventsResponse&, milliseconds, milliseconds&) {
        return absl::UnavailableError("refused");
      },
      [](const std::vector<Item>&) {});
  ASSERT_TRUE(sender.Put(ItemOf(1)));
  EXPECT_EQ(sender.Finish().code(), absl::StatusCode::kUnavailable);
}

TEST(Sender, DoesNotSendAgainWhatIsTooLargeForGrpc) {
  std::atomic<int> calls{0};
  Sender sender(
      Quick(),
      [&](const SubmitEventsRequest&, SubmitEventsResponse&, milliseconds, milliseconds&) {
        ++calls;
        return absl::ResourceExhaustedError("larger than max");
      },
      [](const std::vector<Item>&) {});
  ASSERT_TRUE(sender.Put(ItemOf(1)));
  EXPECT_EQ(sender.Finish().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(calls, 1);
}

TEST(Sender, EndsAPauseWhenItIsToldToStop) {
  Sender::Options options = Quick();
  options.retry_for = std::chrono::hours(2);
  options.stop_within = milliseconds(0);
  std::promise<void> called;
  std::atomic<int> calls{0};
  Sender sender(
      options,
      [&](const SubmitEventsRequest&, SubmitEventsResponse&, milliseconds, milliseconds& wait) {
        if (calls++ == 0) called.set_value();
        wait = milliseconds(30'000);  // what the server asks for
        return absl::ResourceExhaustedError("full");
      },
      [](const std::vector<Item>&) {});
  ASSERT_TRUE(sender.Put(ItemOf(1)));
  sender.Flush();
  called.get_future().wait();
  sender.Stop();
  EXPECT_EQ(sender.Finish().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(calls, 1);
}

TEST(Sender, GivesBackWhatWasNoEventInItsPlace) {
  std::vector<uint64_t> lines;
  Sender sender(
      Quick(),
      [](const SubmitEventsRequest& request, SubmitEventsResponse& response, milliseconds,
         milliseconds&) {
        EXPECT_EQ(request.events_size(), 2);
        Accept(request, response);
        return absl::OkStatus();
      },
      [&](const std::vector<Item>& items) {
        for (const Item& item : items) lines.push_back(item.line);
      });
  ASSERT_TRUE(sender.Put(ItemOf(1)));
  Item refused;
  refused.line = 2;
  refused.outcome.set_outcome(ingest::v1::OUTCOME_REFUSED);
  ASSERT_TRUE(sender.Put(std::move(refused)));
  ASSERT_TRUE(sender.Put(ItemOf(3)));
  ASSERT_TRUE(sender.Finish().ok());
  EXPECT_EQ(lines, (std::vector<uint64_t>{1, 2, 3}));
}

}  // namespace
}  // namespace simpul::cli
