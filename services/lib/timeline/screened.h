// What the programme's tables say of the events of one entry: each thing that was measured or
// asked, mapped from the contract to lib/rules/screening.h.
//
// Which codes, ids of questions and words are understood is data of screened_words.cc, and
// docs/screening.md lists it. Growth, children's arms and adults' body mass index are not here:
// lib/rules/growth.h. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "lib/rules/screening.h"
#include "simpul/event/v1/event.pb.h"
#include "simpul/timeline/v1/derived.pb.h"

namespace simpul::timeline {

// One event of the entry that counts, and what all the patient's events say of the person that day.
struct ScreenedEvent {
  const event::v1::Event* event = nullptr;
  uint32_t member = 0;  // its place in the entry, from 0
  rules::ScreenedPerson person;
  // Since the KPSP before this one, when that was doubtful: DoubtfulKpsp. Of any entry.
  std::optional<int> days_since_doubtful_kpsp;
  const rules::ScreeningRules* tables = nullptr;  // the version that the event's own date chose
};

// Appends what was screened, by member, then in a fixed order. `events` are all of the entry that
// count, in any order: what one of them needs of another (protein in the urine beside a blood
// pressure, a danger sign, the readings of the hours before) is found here. Must outlive the call
// alone. Events for which MayScreen is false may be left out.
void Screen(std::span<const ScreenedEvent> events, v1::Derived& out);

// False for an event of which Screen has nothing to say, and that no other event of its entry
// needs. Cheap: by kind and presence.
bool MayScreen(const event::v1::Event& event);

// Whether this KPSP came out doubtful; nullopt: it is none, or says nothing.
std::optional<bool> DoubtfulKpsp(const event::v1::Event& event);

}  // namespace simpul::timeline
