// The kinds of event, by the field number of their payload in simpul.event.v1.Event.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace simpul::event {

// Values are field numbers: frozen.
enum class Kind : uint32_t {
  kVisit = 20,
  kImmunisation = 21,
  kSupplement = 22,
  kLabResult = 23,
  kScreening = 24,
  kReferral = 25,
  kPregnancy = 26,
  kBirth = 27,
  kPatientRegistered = 28,
  kPatientLinked = 29,
  kPatientUnlinked = 30,
  kPatientStatus = 31,
  kConsent = 32,
  kRestriction = 33,
  kCorrection = 34,
  kRetraction = 35,
};

// The payload's field name: visit, immunisation, lab_result, ... Empty for a number that is no
// kind.
std::string_view KindName(uint32_t kind);

// The kind of that name.
std::optional<Kind> KindOfName(std::string_view name);

// True for corrections and retractions, which change an entry and are none.
inline bool IsAmendment(uint32_t kind) {
  return kind == static_cast<uint32_t>(Kind::kCorrection) ||
         kind == static_cast<uint32_t>(Kind::kRetraction);
}

}  // namespace simpul::event
