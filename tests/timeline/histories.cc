#include "tests/timeline/histories.h"

#include <algorithm>
#include <ostream>
#include <set>
#include <tuple>

#include "lib/base/check.h"
#include "lib/base/hash.h"
#include "lib/base/status_macros.h"
#include "lib/event/validate.h"
#include "lib/timeline/decode.h"
#include "lib/timeline/derive.h"
#include "lib/timeline/entry_view.h"
#include "lib/timeline/facts.h"

namespace simpul::testing {

using event::v1::Event;

log::v1::AcceptedEvent Receipt(const Event& event) {
  log::v1::AcceptedEvent receipt;
  receipt.set_event_id(event.event_id());
  *receipt.mutable_facility() = event.facility();
  receipt.set_kind(static_cast<uint32_t>(event.payload_case()));
  receipt.set_event(event::Canonical(event));
  const base::Sha256Digest digest = base::Sha256({"a secret", receipt.event()});
  receipt.set_digest(digest.data(), 16);
  receipt.set_received_at_us(1'770'000'000'000'000);
  return receipt;
}

timeline::Projected MapHistory::Apply(const Event& event) {
  if (!history_.has_value()) history_.emplace(subject_, read_);
  log::v1::LogRecord outer;
  *outer.mutable_event() = Receipt(event);
  const eventlog::OwnedRecord record{++position_, std::string(subject_.view()),
                                     outer.SerializeAsString()};
  const auto decoded = timeline::Decode(0, record);
  SIMPUL_CHECK(decoded.ok(), "{}", base::Message(decoded.status()));
  auto projected =
      timeline::Project(*history_, std::get<timeline::IncomingEvent>(*decoded), tally_);
  SIMPUL_CHECK(projected.ok(), "{}", base::Message(projected.status()));
  for (const timeline::Derived& derived : projected->derived) {
    if (const auto* change = std::get_if<timeline::EntryChange>(&derived)) {
      derived_.push_back((*history_->EntryAt(change->number))->bytes);
    } else if (const auto* waiting = std::get_if<log::v1::WaitingEvent>(&derived)) {
      derived_.push_back(waiting->SerializeAsString());
    } else {
      derived_.push_back(std::get<log::v1::DeadLetter>(derived).SerializeAsString());
    }
  }
  return *std::move(projected);
}

void MapHistory::EndBatch() {
  if (!history_.has_value()) return;
  history_->Changes([this](std::string_view key, const std::string* value) {
    if (value == nullptr) {
      kept_.erase(std::string(key));
    } else {
      kept_[std::string(key)] = *value;
    }
  });
  history_.reset();
}

std::vector<timeline::v1::Entry> MapHistory::Entries() const {
  std::vector<timeline::v1::Entry> entries;
  const auto end = kept_.lower_bound(timeline::WaitingKey(subject_, 0));
  for (auto it = kept_.lower_bound(timeline::EntryKey(subject_, 0)); it != end; ++it) {
    SIMPUL_CHECK(entries.emplace_back().ParseFromString(it->second), "No entry.");
  }
  std::ranges::sort(entries, [](const auto& a, const auto& b) { return timeline::Before(a, b); });
  return entries;
}

std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
  return out << outcome.events << " events, " << outcome.entries << " entries, " << outcome.waiting
             << " waiting, " << outcome.dead_letters << " dead letters, " << outcome.checksum;
}

Outcome Counted(const timeline::Tally& tally) {
  return {tally.events, tally.entries, tally.waiting, tally.dead_letters, tally.content.ToHex()};
}

namespace {

using Id = std::tuple<std::string, std::string, std::string>;  // system, code, event id

Id IdOf(const Event& event) {
  return {event.facility().system(), event.facility().code(), event.event_id()};
}

bool Amends(const Event& event) { return event.has_correction() || event.has_retraction(); }

// Kind of entry, facility, group, purpose.
using Room = std::tuple<int, std::string, std::string, std::string, int>;

Room RoomOf(const Event& event) {
  const int purpose = event.purpose();
  const std::string& system = event.facility().system();
  const std::string& code = event.facility().code();
  switch (static_cast<int>(event.payload_case())) {
    case 25:
      return {2, event.referral().from().system(), event.referral().from().code(),
              event.referral().number(), purpose};
    case 26:
      return {3, system, code, event.pregnancy().pregnancy_id(), purpose};
    case 28:
    case 29:
    case 30:
    case 31:
    case 32:
    case 33:
      return {static_cast<int>(event.payload_case()) - 24, system, code, event.event_id(), purpose};
    case 34:
    case 35:
      return {0, system, code, event.event_id(), purpose};
    default:
      return {1, system, code, event.visit_id().empty() ? event.event_id() : event.visit_id(),
              purpose};
  }
}

std::string Number(size_t number) {
  return {static_cast<char>(number >> 24), static_cast<char>(number >> 16),
          static_cast<char>(number >> 8), static_cast<char>(number)};
}
std::string Text(const std::string& text) { return Number(text.size()) + text; }
std::string Hash(const std::string& text) { return std::string(base::AsBytes(base::Sha256(text))); }

int64_t Us(const google::protobuf::Timestamp& time) {
  return time.seconds() * 1'000'000 + time.nanos() / 1000;
}

}  // namespace

Outcome Expect(const std::vector<Event>& events) {
  std::map<Id, Event> set;
  for (const Event& event : events) set[IdOf(event)] = event;

  Outcome outcome;
  std::map<Id, std::vector<const Event*>> amendments;
  for (const auto& [id, event] : set) {
    if (!Amends(event)) continue;
    const auto named = set.find({std::get<0>(id), std::get<1>(id),
                                 event.has_correction() ? event.correction().original_event_id()
                                                        : event.retraction().original_event_id()});
    if (named == set.end()) {
      ++outcome.waiting;
      ++outcome.events;
      continue;
    }
    const Event& original = named->second;
    bool fits = !Amends(original);
    if (fits && event.has_correction()) {
      const Event& now = event.correction().replacement();
      fits = IdOf(now) == IdOf(original) && RoomOf(now) == RoomOf(original) &&
             now.visit_id() == original.visit_id() &&
             now.subject().identities(0).SerializeAsString() ==
                 original.subject().identities(0).SerializeAsString();
    }
    if (!fits) {
      ++outcome.dead_letters;
      continue;
    }
    amendments[named->first].push_back(&event);
    ++outcome.events;
  }

  struct Line {
    std::tuple<int64_t, int64_t, std::string, std::string, std::string> order;
    std::string text;
    std::string event;  // as it counts now
    timeline::v1::MemberState state;
  };
  std::map<Room, std::vector<Line>> rooms;
  for (const auto& [id, event] : set) {
    if (Amends(event)) continue;
    ++outcome.events;
    const Event* now = &event;
    int state = 1;
    const Event* last = nullptr;
    std::map<std::string, std::string> contents;
    for (const Event* amendment : amendments[id]) {
      contents[amendment->event_id()] = Hash(amendment->SerializeAsString());
      if (amendment->has_retraction()) {
        state = 3;
      } else if (last == nullptr ||
                 std::pair(Us(last->recorded_at()), last->event_id()) <
                     std::pair(Us(amendment->recorded_at()), amendment->event_id())) {
        last = amendment;
        now = &amendment->correction().replacement();
      }
    }
    if (last != nullptr && state == 1) state = 2;
    std::string text = Hash(event.SerializeAsString()) + Number(static_cast<size_t>(state)) +
                       Number(contents.size());
    for (const auto& [amendment, content] : contents) text += content;
    rooms[RoomOf(event)].push_back({{Us(now->occurred_at().time()), Us(now->recorded_at()),
                                     std::get<0>(id), std::get<1>(id), std::get<2>(id)},
                                    text,
                                    now->SerializeAsString(),
                                    static_cast<timeline::v1::MemberState>(state)});
  }
  // What the rules say, told of all events at once.
  timeline::PatientFacts facts;
  uint32_t number = 0;
  for (const auto& [room, lines] : rooms) {
    for (const Line& line : lines) {
      if (line.state == timeline::v1::MEMBER_STATE_RETRACTED) continue;
      Event now;
      SIMPUL_CHECK(now.ParseFromString(line.event), "No event.");
      facts.Learn({{std::get<2>(line.order), std::get<3>(line.order)}, std::get<4>(line.order)},
                  number, &now, {});
    }
    ++number;
  }
  base::SetChecksum sum;
  for (auto& [room, lines] : rooms) {
    std::ranges::sort(lines, {}, &Line::order);
    std::string text = std::string("simpul.entry.v1") + '\0' +
                       Number(static_cast<size_t>(std::get<0>(room))) + Text(std::get<1>(room)) +
                       Text(std::get<2>(room)) + Text(std::get<3>(room)) +
                       Number(static_cast<size_t>(std::get<4>(room))) + Number(lines.size());
    timeline::EntryView entry{.kind = static_cast<timeline::v1::EntryKind>(std::get<0>(room))};
    for (const Line& line : lines) {
      text += line.text;
      entry.members.push_back({.event_id = std::get<4>(line.order),
                               .event = line.event,
                               .facility = {std::get<2>(line.order), std::get<3>(line.order)},
                               .state = line.state,
                               .occurred_at_us = std::get<0>(line.order),
                               .recorded_at_us = std::get<1>(line.order)});
    }
    const std::string derived = timeline::Derive(entry, facts, {}).value();
    if (!derived.empty()) text += Text(derived);
    sum.Add(base::Sha256(text));
  }
  outcome.entries = rooms.size();
  outcome.checksum = sum.ToHex();
  return outcome;
}

}  // namespace simpul::testing
