#include "simpul/outbox.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "lib/base/uuid.h"

namespace simpul::cli {
namespace {

namespace v1 = event::v1;

// Namespace of simulated ids.
constexpr std::string_view kNamespace = "0d6a3b54-71f6-5c26-9a43-5f0e0b7c9d11";
constexpr int64_t kDayS = 24 * 3600;

}  // namespace

std::string Outbox::NextId() {
  return base::UuidV5(kNamespace, fmt::format("{}|{}", seed_, ids_++));
}

int64_t Outbox::Delay() {
  const uint64_t kind = random_.Below(100);
  if (kind < 80) return random_.Between(5, 1800);
  if (kind < 94) return random_.Between(kDayS / 2, 5 * kDayS);
  return random_.Between(8 * kDayS, 60 * kDayS);
}

void Outbox::Send(size_t event, int64_t at_s) {
  sent_.push_back({at_s, sent_.size(), event});
  // An answer that got lost: the program sends the same again, now or after days.
  if (random_.Chance(25)) {
    sent_.push_back({at_s + random_.Between(30, 6 * kDayS), sent_.size(), event});
  }
}

void Outbox::Put(v1::Event event) {
  const int64_t at = event.recorded_at().seconds() + Delay();
  events_.push_back(std::move(event));
  Send(events_.size() - 1, at);
  const v1::Event original = events_.back();
  const bool measured = original.has_visit() && original.visit().has_weight_g();
  const bool correctable = measured || original.has_referral() || original.has_screening() ||
                           !original.immunisation().lot().empty();
  if (correctable && random_.Chance(20)) {
    Correct(original, random_.Between(600, 9 * kDayS));
    // Two people put the same thing right, each in their own way.
    if (random_.Chance(200)) Correct(original, random_.Between(600, 9 * kDayS));
    if (random_.Chance(80)) Retract(original, random_.Between(9 * kDayS, 12 * kDayS));
  } else if ((correctable || original.has_visit() || original.has_supplement() ||
              original.has_lab_result() || original.has_immunisation()) &&
             random_.Chance(7)) {
    Retract(original, random_.Between(600, 9 * kDayS));
  }
}

void Outbox::PutRight(v1::Event& event) {
  if (event.has_visit()) {
    v1::Visit& visit = *event.mutable_visit();
    const uint32_t gram = visit.weight_g() / 50;
    visit.set_weight_g(visit.weight_g() + static_cast<uint32_t>(random_.Between(1, gram)));
  } else if (event.has_immunisation()) {
    // Read off the vial again.
    std::string& lot = *event.mutable_immunisation()->mutable_lot();
    lot += static_cast<char>('A' + random_.Below(26));
  } else if (event.has_screening()) {
    // A question asked again; its answer never changes the result. Where none can, what follows is
    // put right.
    v1::Screening& screening = *event.mutable_screening();
    const bool abnormal = screening.result() == v1::SCREENING_RESULT_NEEDS_CHECK;
    const uint64_t first = random_.Below(static_cast<uint64_t>(screening.answers_size()));
    for (int i = 0; i < screening.answers_size(); ++i) {
      v1::Answer& answer = *screening.mutable_answers(
          static_cast<int>((first + static_cast<uint64_t>(i)) % screening.answers_size()));
      if (answer.flag() == abnormal) continue;
      answer.set_flag(abnormal);
      screening.set_score(screening.score() + (abnormal ? 1 : -1));
      return;
    }
    screening.set_follow_up(abnormal ? v1::FOLLOW_UP_URGENT : v1::FOLLOW_UP_EDUCATION);
  } else if (event.has_referral()) {
    event.mutable_referral()->set_reason(event.referral().reason() + "; sudah dikonfirmasi");
  }
}

v1::Event Outbox::Amendment(const v1::Event& original, int64_t after_s) {
  v1::Event amendment = original;
  amendment.clear_payload();
  amendment.clear_started_at();
  amendment.clear_ended_at();
  amendment.clear_device();
  amendment.set_event_id(NextId());
  const int64_t written = original.recorded_at().seconds() + after_s;
  amendment.mutable_recorded_at()->set_seconds(written);
  amendment.mutable_occurred_at()->mutable_time()->set_seconds(written);
  amendment.mutable_occurred_at()->set_precision(v1::TIME_PRECISION_SECOND);
  return amendment;
}

void Outbox::Correct(const v1::Event& original, int64_t after_s) {
  v1::Event event = Amendment(original, after_s);
  v1::Correction& correction = *event.mutable_correction();
  correction.set_original_event_id(original.event_id());
  correction.set_reason("salah ketik");
  *correction.mutable_replacement() = original;
  PutRight(*correction.mutable_replacement());
  *correction.mutable_replacement()->mutable_recorded_at() = event.recorded_at();
  const int64_t at = event.recorded_at().seconds() + random_.Between(5, 1800);
  events_.push_back(std::move(event));
  Send(events_.size() - 1, at);
}

void Outbox::Retract(const v1::Event& original, int64_t after_s) {
  v1::Event event = Amendment(original, after_s);
  event.mutable_retraction()->set_original_event_id(original.event_id());
  event.mutable_retraction()->set_reason("dicatat pada orang yang salah");
  const int64_t at = event.recorded_at().seconds() + random_.Between(5, 1800);
  events_.push_back(std::move(event));
  Send(events_.size() - 1, at);
}

void Outbox::ReuseIds(size_t conflicts) {
  // Plain measurements only: nothing refers to them.
  std::vector<size_t> plain;
  for (size_t i = 0; i < events_.size(); ++i) {
    if (events_[i].has_visit() && events_[i].visit().has_weight_g() &&
        events_[i].visit().ordinal().empty() && events_[i].purpose() == v1::PURPOSE_PRODUCTION) {
      plain.push_back(i);
    }
  }
  if (plain.size() < 2) return;
  // One id under two patients: two events, both stand.
  const v1::Event& first = events_[plain.front()];
  const auto other = std::find_if(plain.begin(), plain.end(), [&](size_t i) {
    return events_[i].subject().name() != first.subject().name() &&
           events_[i].facility().code() == first.facility().code();
  });
  if (other != plain.end()) {
    v1::Event again = events_[*other];
    again.set_event_id(first.event_id());
    again.set_visit_id(again.visit_id() + "-b");
    const int64_t at = again.recorded_at().seconds() + 3600;
    events_.push_back(std::move(again));
    sent_.push_back({at, sent_.size(), events_.size() - 1});
  }
  // Other content under one id and patient: the first to arrive stands, the other is a conflict.
  for (size_t i = 0; i < conflicts; ++i) {
    v1::Event changed = events_[plain[(i * 7 + 3) % plain.size()]];
    changed.mutable_visit()->set_weight_g(changed.visit().weight_g() + 100);
    const int64_t at = changed.recorded_at().seconds() + 90 * kDayS;
    events_.push_back(std::move(changed));
    sent_.push_back({at, sent_.size(), events_.size() - 1});
  }
}

void Outbox::ForEach(const std::function<void(const v1::Event&)>& take) {
  std::sort(sent_.begin(), sent_.end(), [](const Sent& a, const Sent& b) {
    return std::pair(a.at_s, a.number) < std::pair(b.at_s, b.number);
  });
  for (const Sent& sent : sent_) take(events_[sent.event]);
}

}  // namespace simpul::cli
