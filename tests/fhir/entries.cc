#include "tests/fhir/entries.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "lib/base/clock.h"
#include "lib/base/hash.h"
#include "lib/event/date.h"
#include "lib/event/kind.h"

namespace simpul::fhir {
namespace {

namespace v1 = ::simpul::event::v1;

timeline::v1::EntryKind EntryKindOf(const v1::Event& event) {
  switch (event.payload_case()) {
    case v1::Event::kReferral:
      return timeline::v1::ENTRY_KIND_REFERRAL;
    case v1::Event::kPregnancy:
      return timeline::v1::ENTRY_KIND_PREGNANCY;
    case v1::Event::kPatientRegistered:
      return timeline::v1::ENTRY_KIND_PATIENT_REGISTERED;
    case v1::Event::kPatientLinked:
      return timeline::v1::ENTRY_KIND_PATIENT_LINKED;
    case v1::Event::kPatientUnlinked:
      return timeline::v1::ENTRY_KIND_PATIENT_UNLINKED;
    case v1::Event::kPatientStatus:
      return timeline::v1::ENTRY_KIND_PATIENT_STATUS;
    case v1::Event::kConsent:
      return timeline::v1::ENTRY_KIND_CONSENT;
    case v1::Event::kRestriction:
      return timeline::v1::ENTRY_KIND_RESTRICTION;
    default:
      return timeline::v1::ENTRY_KIND_VISIT;
  }
}

std::string GroupOf(const v1::Event& event) {
  if (event.has_referral()) return event.referral().number();
  if (event.has_pregnancy()) return event.pregnancy().pregnancy_id();
  return event.visit_id().empty() ? event.event_id() : event.visit_id();
}

}  // namespace

std::string TestSubjectKey() {
  std::string key;
  for (char c = 0; c < 16; ++c) key.push_back(c);
  return key;
}

timeline::v1::Entry EntryOf(const std::vector<v1::Event>& events) {
  timeline::v1::Entry entry;
  const v1::Event& first = events.front();
  entry.set_entry_id("7b1d5c1e-7d0f-5d8e-9a55-0f3a6e5c0001");
  entry.set_revision(1);
  entry.set_kind(EntryKindOf(first));
  entry.set_subject_key(TestSubjectKey());
  *entry.mutable_facility() = first.has_referral() ? first.referral().from() : first.facility();
  entry.set_group_id(GroupOf(first));
  entry.set_purpose(first.purpose());
  for (const v1::Event& event : events) {
    if (event::IsAmendment(event.payload_case())) continue;
    timeline::v1::Member* member = entry.add_members();
    member->set_event_id(event.event_id());
    member->set_kind(event.payload_case());
    member->set_event(event.SerializeAsString());
    member->set_state(timeline::v1::MEMBER_STATE_STANDING);
    member->set_recorded_at_us(base::ToMicros(event::ToTime(event.recorded_at())));
    member->set_occurred_at_us(base::ToMicros(event::ToTime(event.occurred_at().time())));
    member->set_content(std::string(base::AsBytes(base::Sha256(member->event()))));
    *member->mutable_facility() = event.facility();
  }
  for (const v1::Event& event : events) {
    if (!event::IsAmendment(event.payload_case())) continue;
    const std::string& original = event.has_correction() ? event.correction().original_event_id()
                                                         : event.retraction().original_event_id();
    for (timeline::v1::Member& member : *entry.mutable_members()) {
      if (member.event_id() != original) continue;
      entry.set_revision(entry.revision() + 1);
      if (event.has_correction()) {
        member.set_event(event.correction().replacement().SerializeAsString());
        member.set_state(timeline::v1::MEMBER_STATE_CORRECTED);
      } else {
        member.set_state(timeline::v1::MEMBER_STATE_RETRACTED);
      }
    }
  }
  entry.set_withdrawn(std::all_of(entry.members().begin(), entry.members().end(),
                                  [](const timeline::v1::Member& member) {
                                    return member.state() == timeline::v1::MEMBER_STATE_RETRACTED;
                                  }));
  return entry;
}

std::string TestDirectoryJson() {
  return R"({
  "facilities": [
    {"codes": [{"system": "kemenkes", "code": "P7324020101"},
               {"system": "satusehat", "code": "100027469"}],
     "name": "Puskesmas Nuha", "kind": "puskesmas", "organization": "100027469",
     "location": "b017aa54-f1df-4ec2-9d84-8823815d7228"},
    {"codes": [{"system": "kemenkes", "code": "7324011"}],
     "name": "RSUD Contoh", "kind": "hospital", "organization": "100011111",
     "location": "dc01c797-547a-4e4d-97cd-4ece0630e380"}],
  "units": [
    {"facility": {"system": "kemenkes", "code": "P7324020101"}, "code": "MLT3",
     "kind": "posyandu", "name": "Posyandu Melati 3",
     "location": "ef011065-38c9-46f8-9c35-d1fe68966a3e"}],
  "practitioners": [
    {"practitioner_id": "10009880728", "nik": "7324025203890003", "name": "Bidan Uji Contoh"},
    {"practitioner_id": "10001354453", "name": "Perawat Uji Contoh"}],
  "defaults": [
    {"facility": {"system": "kemenkes", "code": "P7324020101"}, "unit": "MLT3",
     "practitioner_id": "10001354453", "from": "2024-01-01"},
    {"facility": {"system": "kemenkes", "code": "P7324020101"}, "unit": "",
     "practitioner_id": "10009880728"},
    {"facility": {"system": "kemenkes", "code": "7324011"}, "practitioner_id": "10002222222"}]
})";
}

Directory TestDirectory() {
  absl::StatusOr<Directory> directory = Directory::Parse(TestDirectoryJson());
  EXPECT_TRUE(directory.ok()) << directory.status();
  return directory.ok() ? *std::move(directory) : Directory();
}

Mapped MappedOf(const timeline::v1::Entry& entry) {
  MapResult result = Map(entry, TestDirectory(), {"P02478375538"});
  if (auto* mapped = std::get_if<Mapped>(&result)) return *std::move(mapped);
  if (auto* not_sent = std::get_if<NotSent>(&result)) {
    ADD_FAILURE() << "not sent: " << not_sent->reason;
  } else {
    ADD_FAILURE() << "needs the directory: " << std::get<NeedsDirectory>(result).reason;
  }
  return {};
}

}  // namespace simpul::fhir
