#include "timeline/page.h"

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "lib/base/bytes.h"
#include "lib/base/status_macros.h"
#include "lib/base/text.h"
#include "lib/event/kind.h"
#include "lib/eventlog/position_token.h"

namespace simpul::timeline_role {
namespace {

using event::v1::Event;
using event::v1::Subject;
using google::protobuf::internal::WireFormatLite;
using timeline::v1::Entry;
using timeline::v1::GetTimelineRequest;
using timeline::v1::Member;

constexpr size_t kPageSizeMax = 500;
constexpr size_t kPageSizeUsual = 100;
constexpr std::string_view kTokenPurpose = "simpul.timeline.page.v1";
constexpr size_t kMacBytes = 8;

// The years 1 to 9999, as protobuf's timestamps have them; nothing for others.
std::optional<int64_t> Micros(const google::protobuf::Timestamp& time) {
  constexpr int64_t kFirstSecond = -62'135'596'800;
  constexpr int64_t kLastSecond = 253'402'300'799;
  if (time.seconds() < kFirstSecond || time.seconds() > kLastSecond || time.nanos() < 0 ||
      time.nanos() > 999'999'999) {
    return std::nullopt;
  }
  return time.seconds() * 1'000'000 + time.nanos() / 1'000;
}

void SetMicros(int64_t us, google::protobuf::Timestamp* out) {
  int64_t seconds = us / 1'000'000;
  int64_t rest = us % 1'000'000;
  if (rest < 0) {
    rest += 1'000'000;
    --seconds;
  }
  out->set_seconds(seconds);
  out->set_nanos(static_cast<int32_t>(rest * 1'000));
}

// The order of an entry on its timeline as bytes that compare like it.
std::string OrderOf(const Entry& entry) {
  const Member& first = entry.members(0);
  std::string order;
  constexpr uint64_t kSign = 1ull << 63;  // so that times before 1970 stand first
  base::PutBe64(order, static_cast<uint64_t>(first.occurred_at_us()) ^ kSign);
  base::PutBe64(order, static_cast<uint64_t>(first.recorded_at_us()) ^ kSign);
  for (const std::string* text :
       {&first.facility().system(), &first.facility().code(), &first.event_id()}) {
    order.append(*text);
    order.push_back('\0');
  }
  return order;
}

std::string Token(const Question& question, const event::Secret& secret, const std::string& after) {
  std::string signed_bytes = question.signed_fields;
  signed_bytes.append(after);
  return base::ToBase64Url(secret.Mac(kTokenPurpose, signed_bytes).substr(0, kMacBytes) + after);
}

bool IsWanted(const Question& question, const Entry& entry) {
  const auto wants = [&question](uint32_t kind) {
    return question.kinds.empty() ||
           std::ranges::find(question.kinds, kind) != question.kinds.end();
  };
  return std::ranges::any_of(entry.members(), [&](const Member& member) {
    return member.occurred_at_us() >= question.from_us &&
           member.occurred_at_us() < question.until_us &&
           (wants(member.kind()) ||
            std::ranges::any_of(
                member.amendments(),
                [&](const timeline::v1::Amendment& amendment) { return wants(amendment.kind()); }));
  });
}

// The bytes of the event's subject, without reading the rest of it. The canonical encoding has the
// fields in the order of their numbers.
std::string_view SubjectBytes(std::string_view event) {
  google::protobuf::io::CodedInputStream in(reinterpret_cast<const uint8_t*>(event.data()),
                                            static_cast<int>(event.size()));
  constexpr uint32_t kTag =
      Event::kSubjectFieldNumber << 3 | WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
  for (uint32_t tag = in.ReadTag(); tag != 0 && tag <= kTag; tag = in.ReadTag()) {
    if (tag == kTag) {
      uint32_t size = 0;
      if (!in.ReadVarint32(&size)) return {};
      return event.substr(static_cast<size_t>(in.CurrentPosition()), size);
    }
    if (!WireFormatLite::SkipField(&in, tag)) return {};
  }
  return {};
}

// Fills what `person` does not say yet; true when nothing is missing any more.
bool Complete(Subject& person, const Subject& says) {
  if (person.identities().empty()) *person.mutable_identities() = says.identities();
  if (person.name().empty()) person.set_name(says.name());
  if (person.sex() == event::v1::SEX_UNSPECIFIED) person.set_sex(says.sex());
  if (person.birth_date().empty()) person.set_birth_date(says.birth_date());
  if (!person.has_residence() && says.has_residence()) {
    *person.mutable_residence() = says.residence();
  }
  if (person.family_card().empty()) person.set_family_card(says.family_card());
  if (person.phone().empty()) person.set_phone(says.phone());
  return !person.identities().empty() && !person.name().empty() &&
         person.sex() != event::v1::SEX_UNSPECIFIED && !person.birth_date().empty() &&
         person.has_residence() && !person.family_card().empty() && !person.phone().empty();
}

}  // namespace

absl::StatusOr<Question> Ask(const GetTimelineRequest& request, const event::Secret& secret) {
  Question question;
  auto subject = secret.KeyOf(request.patient());
  if (!subject.ok()) {
    return absl::InvalidArgumentError(
        "patient: no identity is set. Give one of nik, newborn, passport, card, local.");
  }
  question.subject = *subject;
  for (const auto& [name, given, time, us] :
       {std::tuple("from", request.has_from(), &request.from(), &question.from_us),
        {"until", request.has_until(), &request.until(), &question.until_us}}) {
    if (!given) continue;
    const std::optional<int64_t> micros = Micros(*time);
    if (!micros) {
      return absl::InvalidArgumentError(
          fmt::format("{}: no time. Give one of the years 1 to 9999, nanos from 0.", name));
    }
    *us = *micros;
  }
  if (question.from_us >= question.until_us) {
    return absl::InvalidArgumentError("until: it must be later than from.");
  }
  for (const std::string& name : request.kinds()) {
    const std::optional<event::Kind> kind = event::KindOfName(name);
    if (!kind.has_value()) {
      return absl::InvalidArgumentError(
          "kinds: an unknown kind. Kinds are the payload fields of an event, such as visit, "
          "immunisation, lab_result, screening, referral.");
    }
    question.kinds.push_back(static_cast<uint32_t>(*kind));
  }
  if (request.page_size() > kPageSizeMax) {
    return absl::InvalidArgumentError(fmt::format("page_size: at most {}.", kPageSizeMax));
  }
  question.page_size = request.page_size() == 0 ? kPageSizeUsual : request.page_size();
  if (!timeline::v1::Order_IsValid(request.order())) {
    return absl::InvalidArgumentError("order: an unknown value.");
  }
  question.newest_first = request.order() == timeline::v1::ORDER_NEWEST_FIRST;

  question.signed_fields.append(question.subject.view());
  base::PutBe64(question.signed_fields, static_cast<uint64_t>(question.from_us));
  base::PutBe64(question.signed_fields, static_cast<uint64_t>(question.until_us));
  question.signed_fields.push_back(question.newest_first ? 1 : 0);
  std::vector<uint32_t> kinds = question.kinds;
  std::ranges::sort(kinds);
  for (const uint32_t kind : kinds) base::PutText(question.signed_fields, std::to_string(kind));
  if (!request.page_token().empty()) {
    const absl::StatusOr<std::string> token = base::FromBase64Url(request.page_token());
    if (token.ok() && token->size() > kMacBytes) question.after = token->substr(kMacBytes);
    if (question.after.empty() || Token(question, secret, question.after) != request.page_token()) {
      return absl::InvalidArgumentError(
          "page_token: give next_page_token of the page before, with the same patient, from, "
          "until, kinds and order.");
    }
  }
  return question;
}

void Answer(const Question& question, const event::Secret& secret, const log::v1::Install& install,
            uint32_t partition, const std::vector<Entry>& entries,
            timeline::v1::GetTimelineResponse& response) {
  std::string last;
  const auto take = [&](const Entry& entry) {
    if (!IsWanted(question, entry)) return true;
    std::string order = OrderOf(entry);
    if (!question.after.empty() &&
        (question.newest_first ? order >= question.after : order <= question.after)) {
      return true;
    }
    if (static_cast<size_t>(response.entries_size()) == question.page_size) {
      response.set_next_page_token(Token(question, secret, last));
      return false;
    }
    *response.add_entries() = Show(entry, install, partition);
    last = std::move(order);
    return true;
  };
  if (question.newest_first) {
    for (auto it = entries.rbegin(); it != entries.rend() && take(*it); ++it) {
    }
  } else {
    for (auto it = entries.begin(); it != entries.end() && take(*it); ++it) {
    }
  }
}

timeline::v1::TimelineEntry Show(const Entry& entry, const log::v1::Install& install,
                                 uint32_t partition) {
  timeline::v1::TimelineEntry shown;
  shown.set_entry_id(entry.entry_id());
  shown.set_revision(entry.revision());
  shown.set_kind(entry.kind());
  shown.set_withdrawn(entry.withdrawn());
  *shown.mutable_facility() = entry.facility();
  shown.set_group_id(entry.group_id());
  shown.set_purpose(entry.purpose());
  if (entry.has_derived()) *shown.mutable_derived() = entry.derived();
  for (const Member& member : entry.members()) {
    timeline::v1::TimelineEvent& event = *shown.add_events();
    event.mutable_event()->ParsePartialFromString(member.event());
    event.set_state(member.state());
    event.set_position(eventlog::PositionToken(install, partition, member.position()));
    SetMicros(member.received_at_us(), event.mutable_received_at());
    for (const timeline::v1::Amendment& amendment : member.amendments()) {
      timeline::v1::TimelineAmendment& told = *event.add_amendments();
      told.set_event_id(amendment.event_id());
      told.set_kind(std::string(event::KindName(amendment.kind())));
      told.set_counts(amendment.counts());
      SetMicros(amendment.recorded_at_us(), told.mutable_recorded_at());
      told.set_reason(amendment.reason());
      *told.mutable_author() = amendment.author();
    }
  }
  return shown;
}

Subject Demographics(const std::vector<Entry>& entries) {
  struct Source {
    bool production;
    bool registration;
    const Member* member;
  };
  std::vector<Source> sources;
  for (const Entry& entry : entries) {
    for (const Member& member : entry.members()) {
      if (member.state() == timeline::v1::MEMBER_STATE_RETRACTED) continue;
      sources.push_back({entry.purpose() == event::v1::PURPOSE_PRODUCTION,
                         entry.kind() == timeline::v1::ENTRY_KIND_PATIENT_REGISTERED, &member});
    }
  }
  const auto rank = [](const Source& source) {
    const Member& member = *source.member;
    return std::tuple(source.production, source.registration, member.recorded_at_us(),
                      std::string_view(member.facility().system()),
                      std::string_view(member.facility().code()),
                      std::string_view(member.event_id()));
  };
  std::ranges::sort(sources, std::ranges::greater(), rank);
  Subject person;
  std::unordered_set<std::string_view> said;
  for (const Source& source : sources) {
    const std::string_view bytes = SubjectBytes(source.member->event());
    // Most events of a person say the same.
    if (!said.insert(bytes).second) continue;
    Subject says;
    if (says.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) &&
        Complete(person, says)) {
      break;
    }
  }
  return person;
}

}  // namespace simpul::timeline_role
