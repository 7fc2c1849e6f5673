#include "records/record.h"

#include <algorithm>
#include <variant>

#include "lib/fhir/map.h"

namespace simpul::records {
namespace {

// What stays with us whatever becomes of it: no later revision can have been a record.
bool IsNeverSent(const timeline::v1::Entry& entry) {
  if (entry.purpose() == event::v1::PURPOSE_TRAINING) return true;
  switch (entry.kind()) {
    case timeline::v1::ENTRY_KIND_VISIT:
    case timeline::v1::ENTRY_KIND_REFERRAL:
    case timeline::v1::ENTRY_KIND_PREGNANCY:
      return false;
    default:
      return true;
  }
}

void SetCommittedAt(int64_t us, v1::PullRecordsResponse& record) {
  record.mutable_committed_at()->set_seconds(us / 1'000'000);
  record.mutable_committed_at()->set_nanos(static_cast<int32_t>(us % 1'000'000 * 1000));
}

}  // namespace

std::optional<v1::PullRecordsResponse> MakeRecord(const timeline::v1::Entry& entry,
                                                  const fhir::Directory& directory) {
  if (IsNeverSent(entry)) return std::nullopt;
  v1::PullRecordsResponse record;
  record.set_record_id(entry.entry_id());
  record.set_revision(entry.revision());
  record.set_operation(entry.revision() == 1 ? v1::OPERATION_NEW : v1::OPERATION_REPLACED);
  *record.mutable_facility() = entry.facility();
  int64_t newest_us = 0;
  for (const timeline::v1::Member& member : entry.members()) {
    record.add_event_ids(member.event_id());
    newest_us = std::max(newest_us, member.received_at_us());
    for (const timeline::v1::Amendment& amendment : member.amendments()) {
      record.add_event_ids(amendment.event_id());
      newest_us = std::max(newest_us, amendment.received_at_us());
    }
  }
  SetCommittedAt(newest_us, record);

  if (entry.withdrawn()) {
    record.set_operation(v1::OPERATION_WITHDRAWN);
    return record;
  }
  const fhir::MapResult mapped =
      fhir::Map(entry, directory, {}, {.naming = fhir::Naming::kIdentifiers});
  if (const auto* not_sent = std::get_if<fhir::NotSent>(&mapped); not_sent != nullptr) {
    // An earlier revision may have been a record: it must not stay with the puller.
    if (entry.revision() == 1) return std::nullopt;
    record.set_operation(v1::OPERATION_WITHDRAWN);
    record.add_unmapped(not_sent->reason);
  } else if (const auto* needs = std::get_if<fhir::NeedsDirectory>(&mapped); needs != nullptr) {
    record.add_unmapped(needs->reason);
  } else {
    const auto& whole = std::get<fhir::Mapped>(mapped);
    record.set_bundle_json(fhir::CollectionBundle(whole));
    for (const std::string& what : whole.unmapped) record.add_unmapped(what);
  }
  return record;
}

}  // namespace simpul::records
