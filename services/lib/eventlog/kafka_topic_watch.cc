#include "lib/eventlog/kafka_topic_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

namespace simpul::eventlog::kafka {
namespace {

constexpr std::chrono::milliseconds kPause{3'000};
constexpr std::chrono::milliseconds kAskMax{2'000};
constexpr int kTimesBelieved = 3;

}  // namespace

TopicWatch::TopicWatch(rd_kafka_t* client, std::vector<std::string> topics) : client_(client) {
  for (std::string& name : topics) {
    handles_.emplace_back(rd_kafka_topic_new(client, name.c_str(), nullptr));
    topics_.push_back({.name = std::move(name)});
  }
  thread_ = std::thread([this] { Run(); });
}

TopicWatch::~TopicWatch() {
  pause_.End();
  thread_.join();
}

absl::Status TopicWatch::Found() const {
  const std::lock_guard lock(mutex_);
  return found_;
}

void TopicWatch::Run() {
  while (pause_.For(kPause)) Ask();
}

void TopicWatch::Ask() {
  const rd_kafka_metadata_t* answer = nullptr;
  if (rd_kafka_metadata(client_, 0, nullptr, &answer, Ms(kAskMax)) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return;
  }
  const Owned<const rd_kafka_metadata_t> owned(answer);
  const std::span told(answer->topics, static_cast<size_t>(answer->topic_cnt));
  absl::Status found;
  for (Watched& topic : topics_) {
    const auto row = std::ranges::find_if(
        told, [&](const rd_kafka_metadata_topic_t& each) { return topic.name == each.topic; });
    const bool is_unknown =
        row != told.end() && row->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    topic.times_unknown = is_unknown ? topic.times_unknown + 1 : 0;
    if (found.ok() && topic.times_unknown >= kTimesBelieved) {
      found = absl::UnavailableError(fmt::format(
          "{} is gone: the brokers know no such topic. Restore it, with its records", topic.name));
    }
  }
  const std::lock_guard lock(mutex_);
  found_ = std::move(found);
}

}  // namespace simpul::eventlog::kafka
