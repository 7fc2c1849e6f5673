#include "lib/event/outline.h"

#include "lib/base/wire.h"
#include "lib/event/kind.h"
#include "lib/event/validate.h"
#include "lib/event/wire_check.h"

namespace simpul::event {
namespace {

using base::WireReader;
using google::protobuf::Timestamp;

int64_t Micros(int64_t seconds, int32_t nanos) { return seconds * 1'000'000 + nanos / 1'000; }

// The readers below are given bytes in which CheckWire finds nothing: types are right. False: the
// fields are not in order.

bool Read(std::string_view bytes, int64_t& micros) {
  int64_t seconds = 0;
  int32_t nanos = 0;
  WireReader in(bytes);
  while (in.Next()) {
    if (in.field().number == Timestamp::kSecondsFieldNumber) {
      seconds = static_cast<int64_t>(in.field().value);
    } else {
      nanos = static_cast<int32_t>(in.field().value);
    }
  }
  micros = Micros(seconds, nanos);
  return in.ok() && in.is_in_order();
}

bool ReadOccurred(std::string_view bytes, int64_t& micros) {
  WireReader in(bytes);
  while (in.Next()) {
    if (in.field().number == v1::EventTime::kTimeFieldNumber && !Read(in.field().bytes, micros)) {
      return false;
    }
  }
  return in.ok() && in.is_in_order();
}

bool ReadReferral(std::string_view bytes, Outline& outline) {
  WireReader in(bytes);
  while (in.Next()) {
    const uint32_t number = in.field().number;
    // Behind these it has lists, whose elements share a number.
    const bool wanted =
        number == v1::Referral::kNumberFieldNumber || number == v1::Referral::kFromFieldNumber;
    if (!wanted) continue;
    if (!in.is_in_order()) return false;
    if (number == v1::Referral::kNumberFieldNumber) {
      outline.episode = in.field().bytes;
    } else if (!ReadFacility(in.field().bytes, outline.origin)) {
      return false;
    }
  }
  return in.ok();
}

bool ReadPregnancy(std::string_view bytes, Outline& outline) {
  WireReader in(bytes);
  while (in.Next()) {
    if (in.field().number == v1::Pregnancy::kPregnancyIdFieldNumber) {
      outline.episode = in.field().bytes;
    }
  }
  return in.ok() && in.is_in_order();
}

bool ReadField(const base::WireField& field, Outline& outline) {
  switch (field.number) {
    case v1::Event::kEventIdFieldNumber:
      outline.event_id = field.bytes;
      return true;
    case v1::Event::kFacilityFieldNumber:
      outline.has_facility = true;
      return ReadFacility(field.bytes, outline.facility);
    case v1::Event::kVisitIdFieldNumber:
      outline.visit_id = field.bytes;
      return true;
    case v1::Event::kOccurredAtFieldNumber:
      return ReadOccurred(field.bytes, outline.occurred_at_us);
    case v1::Event::kRecordedAtFieldNumber:
      return Read(field.bytes, outline.recorded_at_us);
    case v1::Event::kPurposeFieldNumber:
      outline.purpose = static_cast<v1::Purpose>(static_cast<int32_t>(field.value));
      return true;
    default:
      break;
  }
  if (KindName(field.number).empty()) return true;
  // A second payload would take the first one's place.
  if (outline.kind != 0) return false;
  outline.kind = field.number;
  switch (static_cast<Kind>(field.number)) {
    case Kind::kReferral:
      return ReadReferral(field.bytes, outline);
    case Kind::kPregnancy:
      return ReadPregnancy(field.bytes, outline);
    default:
      return true;
  }
}

}  // namespace

int64_t Micros(const Timestamp& time) { return Micros(time.seconds(), time.nanos()); }

FacilityView ViewOf(const v1::Facility& facility) { return {facility.system(), facility.code()}; }

bool ReadFacility(std::string_view bytes, FacilityView& facility) {
  WireReader in(bytes);
  while (in.Next()) {
    const base::WireField& field = in.field();
    if (!in.is_in_order() || field.type != base::WireType::kBytes) return false;
    switch (field.number) {
      case v1::Facility::kSystemFieldNumber:
        facility.system = field.bytes;
        break;
      case v1::Facility::kCodeFieldNumber:
        facility.code = field.bytes;
        break;
      default:
        return false;
    }
  }
  return in.ok();
}

std::optional<Outline> ReadOutline(std::string_view bytes) {
  if (bytes.size() > kEventBytesMax || !CheckWire(bytes).findings.ok()) return std::nullopt;
  Outline outline;
  WireReader in(bytes);
  while (in.Next()) {
    if (!in.is_in_order() || !ReadField(in.field(), outline)) return std::nullopt;
  }
  if (!in.ok()) return std::nullopt;
  return outline;
}

Outline OutlineOf(const v1::Event& event) {
  Outline outline;
  outline.event_id = event.event_id();
  outline.has_facility = event.has_facility();
  outline.facility = ViewOf(event.facility());
  outline.visit_id = event.visit_id();
  outline.purpose = event.purpose();
  outline.kind = static_cast<uint32_t>(event.payload_case());
  outline.occurred_at_us = Micros(event.occurred_at().time());
  outline.recorded_at_us = Micros(event.recorded_at());
  if (event.has_referral()) {
    outline.origin = ViewOf(event.referral().from());
    outline.episode = event.referral().number();
  } else if (event.has_pregnancy()) {
    outline.episode = event.pregnancy().pregnancy_id();
  }
  return outline;
}

}  // namespace simpul::event
