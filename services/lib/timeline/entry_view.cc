#include "lib/timeline/entry_view.h"

#include <algorithm>
#include <tuple>

#include "lib/base/bytes.h"
#include "lib/base/wire.h"

namespace simpul::timeline {
namespace {

using base::WireReader;
using event::FacilityView;
using event::v1::Facility;
using v1::Amendment;
using v1::Entry;
using v1::Member;

bool Read(std::string_view bytes, AmendmentView& amendment) {
  WireReader in(bytes);
  while (in.Next()) {
    switch (in.field().number) {
      case Amendment::kEventIdFieldNumber:
        amendment.event_id = in.field().bytes;
        break;
      case Amendment::kContentFieldNumber:
        amendment.content = in.field().bytes;
        break;
      case Amendment::kDigestFieldNumber:
        amendment.digest = in.field().bytes;
        break;
      default:
        break;
    }
  }
  return in.ok();
}

bool Read(const base::WireField& field, MemberView& member) {
  switch (field.number) {
    case Member::kEventIdFieldNumber:
      member.event_id = field.bytes;
      return true;
    case Member::kKindFieldNumber:
      member.kind = static_cast<uint32_t>(field.value);
      return true;
    case Member::kEventFieldNumber:
      member.event = field.bytes;
      return true;
    case Member::kStateFieldNumber:
      member.state = static_cast<v1::MemberState>(field.value);
      return true;
    case Member::kOccurredAtUsFieldNumber:
      member.occurred_at_us = static_cast<int64_t>(field.value);
      return true;
    case Member::kRecordedAtUsFieldNumber:
      member.recorded_at_us = static_cast<int64_t>(field.value);
      return true;
    case Member::kContentFieldNumber:
      member.content = field.bytes;
      return true;
    case Member::kDigestFieldNumber:
      member.digest = field.bytes;
      return true;
    case Member::kFacilityFieldNumber:
      return event::ReadFacility(field.bytes, member.facility);
    case Member::kAmendmentsFieldNumber:
      return Read(field.bytes, member.amendments.emplace_back());
    default:
      return true;
  }
}

bool Read(const base::WireField& field, EntryView& entry) {
  switch (field.number) {
    case Entry::kEntryIdFieldNumber:
      entry.entry_id = field.bytes;
      return true;
    case Entry::kRevisionFieldNumber:
      entry.revision = static_cast<uint32_t>(field.value);
      return true;
    case Entry::kKindFieldNumber:
      entry.kind = static_cast<v1::EntryKind>(field.value);
      return true;
    case Entry::kWithdrawnFieldNumber:
      entry.withdrawn = field.value != 0;
      return true;
    case Entry::kSubjectKeyFieldNumber:
      entry.subject_key = field.bytes;
      return true;
    case Entry::kFacilityFieldNumber:
      return event::ReadFacility(field.bytes, entry.facility);
    case Entry::kGroupIdFieldNumber:
      entry.group_id = field.bytes;
      return true;
    case Entry::kPurposeFieldNumber:
      entry.purpose = static_cast<event::v1::Purpose>(field.value);
      return true;
    case Entry::kMembersFieldNumber: {
      std::optional<MemberView> member = ReadMember(field.bytes);
      if (!member.has_value()) return false;
      entry.members.push_back(*std::move(member));
      return true;
    }
    case Entry::kDerivedFieldNumber:
      entry.derived = field.bytes;
      return true;
    default:
      return false;
  }
}

}  // namespace

std::optional<std::string_view> MemberView::AmendmentDigest(std::string_view id) const {
  for (const AmendmentView& amendment : amendments) {
    if (amendment.event_id == id) return amendment.digest;
  }
  return std::nullopt;
}

MemberView* EntryView::Find(const FacilityView& of, std::string_view event_id) {
  for (MemberView& member : members) {
    if (member.event_id == event_id && member.facility == of) return &member;
  }
  return nullptr;
}

std::optional<MemberView> ReadMember(std::string_view bytes) {
  MemberView member;
  member.bytes = bytes;
  WireReader in(bytes);
  while (in.Next()) {
    if (!Read(in.field(), member)) return std::nullopt;
  }
  if (!in.ok()) return std::nullopt;
  return member;
}

std::optional<EntryView> ReadEntry(std::string_view bytes) {
  EntryView entry;
  WireReader in(bytes);
  while (in.Next()) {
    if (!Read(in.field(), entry)) return std::nullopt;
  }
  if (!in.ok()) return std::nullopt;
  return entry;
}

void PutFacility(std::string& out, uint32_t field, const FacilityView& facility) {
  const auto size = [](std::string_view text) {
    return text.empty() ? 0 : 1 + base::VarintSize(text.size()) + text.size();
  };
  base::PutTag(out, field, base::WireType::kBytes);
  base::PutVarint(out, size(facility.system) + size(facility.code));
  base::PutBytesField(out, Facility::kSystemFieldNumber, facility.system);
  base::PutBytesField(out, Facility::kCodeFieldNumber, facility.code);
}

std::string WriteEntry(const EntryView& entry) {
  size_t size = 128 + entry.group_id.size() + entry.facility.code.size() + entry.derived.size();
  for (const MemberView& member : entry.members) size += member.bytes.size() + 8;
  std::string out;
  out.reserve(size);
  base::PutBytesField(out, Entry::kEntryIdFieldNumber, entry.entry_id);
  base::PutNumberField(out, Entry::kRevisionFieldNumber, entry.revision);
  base::PutNumberField(out, Entry::kKindFieldNumber, static_cast<uint64_t>(entry.kind));
  base::PutNumberField(out, Entry::kWithdrawnFieldNumber, entry.withdrawn);
  base::PutBytesField(out, Entry::kSubjectKeyFieldNumber, entry.subject_key);
  PutFacility(out, Entry::kFacilityFieldNumber, entry.facility);
  base::PutBytesField(out, Entry::kGroupIdFieldNumber, entry.group_id);
  base::PutNumberField(out, Entry::kPurposeFieldNumber, static_cast<uint64_t>(entry.purpose));
  for (const MemberView& member : entry.members) {
    base::PutMessageField(out, Entry::kMembersFieldNumber, member.bytes);
  }
  base::PutBytesField(out, Entry::kDerivedFieldNumber, entry.derived);
  return out;
}

base::Sha256Digest ContentDigest(const EntryView& entry) {
  std::string text = "simpul.entry.v1";
  text.reserve(256);
  text.push_back('\0');
  base::PutBe32(text, static_cast<uint32_t>(entry.kind));
  base::PutText(text, entry.facility.system);
  base::PutText(text, entry.facility.code);
  base::PutText(text, entry.group_id);
  base::PutBe32(text, static_cast<uint32_t>(entry.purpose));
  base::PutBe32(text, static_cast<uint32_t>(entry.members.size()));
  for (const MemberView& member : entry.members) {
    text.append(member.content);
    base::PutBe32(text, static_cast<uint32_t>(member.state));
    base::PutBe32(text, static_cast<uint32_t>(member.amendments.size()));
    if (member.amendments.empty()) continue;
    std::vector<AmendmentView> amendments = member.amendments;
    std::ranges::sort(amendments, {}, &AmendmentView::event_id);
    for (const AmendmentView& amendment : amendments) text.append(amendment.content);
  }
  // What nothing is derived of keeps its digest when rules are added.
  if (!entry.derived.empty()) base::PutText(text, entry.derived);
  return base::Sha256(text);
}

bool Before(const MemberView& a, const MemberView& b) {
  const auto key = [](const MemberView& member) {
    return std::tuple(member.occurred_at_us, member.recorded_at_us, member.facility.system,
                      member.facility.code, member.event_id);
  };
  return key(a) < key(b);
}

bool Before(const v1::Member& a, const v1::Member& b) {
  const auto key = [](const v1::Member& member) {
    return std::tuple(member.occurred_at_us(), member.recorded_at_us(),
                      std::string_view(member.facility().system()),
                      std::string_view(member.facility().code()),
                      std::string_view(member.event_id()));
  };
  return key(a) < key(b);
}

bool Before(const v1::Entry& a, const v1::Entry& b) { return Before(a.members(0), b.members(0)); }

}  // namespace simpul::timeline
