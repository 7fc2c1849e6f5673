// What is recorded of a person rather than of a contact: who they are, and what they agree to.
#pragma once

#include <string>

#include "simpul/life/clerk.h"

namespace simpul::cli::life {

// Somebody who came for the first time.
void Register(Clerk& clerk, const Person& person, Day day);
// A child of that mother, as it is known that day.
void RegisterChild(Clerk& clerk, const Person& child, Day day, const Worker& worker);

// The identity number comes weeks after the birth. Some programs register the child again under
// both identities, some link the one to the other. `twin_nik` is the number that a clerk takes by
// mistake when linking; empty: none.
void GetNik(Clerk& clerk, const Person& baby, bool registers_again, const std::string& twin_nik);

void Status(Clerk& clerk, const Person& person, Day day, event::v1::LifeStatus status);
// Consent to sharing, given or not, on some day.
void Agree(Clerk& clerk, const Person& person);

}  // namespace simpul::cli::life
