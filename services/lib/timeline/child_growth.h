// What a person's measurements say together: growth of each contact, and the growth card of all.
//
// Pure. Wherever these facts are kept, this is what they are compared with: it looks at all entries
// and at nothing else, so a late, corrected or retracted weighing is the same call again.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lib/rules/growth.h"
#include "lib/rules/kms.h"
#include "lib/rules/versions.h"
#include "simpul/event/v1/event.pb.h"
#include "simpul/event/v1/identity.pb.h"
#include "simpul/timeline/v1/entry.pb.h"

namespace simpul::timeline {

// One event that measured something growth is about. What was taken back is none; exercises are,
// but count for nobody.
struct MeasuredContact {
  std::string entry_id;
  event::v1::Event event;     // as it counts now
  std::chrono::sys_days day;  // on the wall calendar where it took place
  rules::Measurement measurement;
  rules::Growth growth;
  std::optional<size_t> weighing;  // in ChildGrowth::card.weighings; nullopt: not weighed
};

struct ChildGrowth {
  std::vector<MeasuredContact> contacts;  // by day, then as they stand on the timeline
  // Without weighings after death. Its ids are the decimal places of contacts.
  rules::Kms card;
  std::vector<size_t> contact_of;  // of each weighing of the card
  std::vector<std::string> ids;    // what the card's ids point to
};

// `person` says sex and birth date: Demographics of the same entries. Entries in any order; each
// weighing is judged by the rules in force on its own day.
ChildGrowth GrowthOf(std::span<const v1::Entry> entries, const event::v1::Subject& person,
                     const rules::RulesInForce& rules = {});

}  // namespace simpul::timeline
