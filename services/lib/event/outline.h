// What decides where an event stands on a timeline, without building the event.
#pragma once

#include <google/protobuf/timestamp.pb.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "simpul/event/v1/event.pb.h"

namespace simpul::event {

// A facility's code in its system.
struct FacilityView {
  std::string_view system;
  std::string_view code;
  friend bool operator==(const FacilityView&, const FacilityView&) = default;
};

// Since 1970, of a time of an event that Parse takes; what is below a microsecond is left out.
int64_t Micros(const google::protobuf::Timestamp& time);

FacilityView ViewOf(const v1::Facility& facility);

// From the bytes of a Facility as Canonical writes them; false for any others.
bool ReadFacility(std::string_view bytes, FacilityView& facility);

// Views into the event's bytes, or into the event.
struct Outline {
  std::string_view event_id;
  bool has_facility = false;
  FacilityView facility;
  std::string_view visit_id;
  v1::Purpose purpose = v1::PURPOSE_UNSPECIFIED;
  uint32_t kind = 0;           // field number of the payload; 0: none
  int64_t occurred_at_us = 0;  // since 1970
  int64_t recorded_at_us = 0;
  FacilityView origin;       // of a referral: where it comes from
  std::string_view episode;  // referral number or pregnancy id
};

// Of the bytes of an event that Parse takes. Nullopt when it does not, and when the fields do not
// stand in the order of their numbers, each once: then Parse tells. Any thread.
std::optional<Outline> ReadOutline(std::string_view bytes);

// The same of an event that was built.
Outline OutlineOf(const v1::Event& event);

}  // namespace simpul::event
