// What is done for somebody at an attendance, each one event.
#pragma once

#include <string>

#include "simpul/life/clerk.h"

namespace simpul::cli::life {

// One dose of a vaccine.
struct Dose {
  const char* antigen;
  unsigned number;
  int due_months;
  const char* kfa;
  event::v1::Route route;
};

// Blood pressure and weight of an adult; `full` with height and waist. `worker` null: a kader, who
// treats nothing.
void CheckAdult(Clerk& clerk, const Attendance& at, const Worker* worker, bool full);

void Haemoglobin(Clerk& clerk, const Attendance& at, const Worker& worker);
void Glucose(Clerk& clerk, const Attendance& at, const Worker& worker);
void UrineProtein(Clerk& clerk, const Attendance& at, const Worker& worker);

void Give(Clerk& clerk, const Attendance& at, const Worker* worker, event::v1::SupplementKind kind,
          const char* name, const char* amount, const char* unit);
// Given here, or not given, or reported as given elsewhere.
void Immunise(Clerk& clerk, const Attendance& at, const Dose& dose);

// A screening of yes-or-no questions; returns the event's id if it found something.
std::string Screen(Clerk& clerk, const Attendance& at, const Worker& worker, const char* tool,
                   int questions, unsigned yes_permille, int abnormal_from,
                   const char* platform_number);

}  // namespace simpul::cli::life
