// Falling ill.
#pragma once

#include "simpul/life/clerk.h"

namespace simpul::cli::life {

// Somebody is ill that day and goes to the Pustu or the clinic, is treated there, and may be sent
// to the hospital.
void FallIll(Clerk& clerk, const Person& person, Day day);

}  // namespace simpul::cli::life
