// Sending somebody on, and what becomes of it.
#pragma once

#include <string>

#include "simpul/life/clerk.h"

namespace simpul::cli::life {

struct ReferralReason {
  std::string words;
  const char* rule;  // empty: somebody's own judgement
  const char* icd10;
  std::string evidence;  // id of the event that shows it
  event::v1::Urgency urgency;
};

// Refers from an attendance to another clinic, and writes down what both do about it over the next
// weeks. `by` null: a kader proposes it, and a midwife may take it up.
void Refer(Clerk& clerk, const Attendance& at, const Worker* by, const Clinic& to,
           const ReferralReason& reason);

}  // namespace simpul::cli::life
