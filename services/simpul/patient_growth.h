// simpul growth --patient: what a running Simpul says of one person's growth.
#pragma once

#include <string>

#include "simpul/command.h"

namespace simpul::cli {

struct PatientGrowth {
  std::string patient;  // as event::ParseIdentity takes it
  std::string min_position;
  double wait_s = 5;
};

// Prints it: a line of JSON for each measurement, or tables. The exit status.
int ShowPatientGrowth(const Door& door, const PatientGrowth& asked);

}  // namespace simpul::cli
