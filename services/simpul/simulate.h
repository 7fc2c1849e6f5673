// Believable clinic months, the same every time for the same seed.
#pragma once

#include <cstdint>
#include <functional>

#include "simpul/life.h"
#include "simpul/village.h"

namespace simpul::cli {

struct Simulation {
  uint64_t seed = 1;
  size_t patients = 100;
  int days = 30;
  Day start = std::chrono::year(2025) / 1 / 6;
  size_t conflicts = 0;  // events under an id used before with other content
  size_t refusals = 0;   // events that must be refused, each for another reason
};

// Calls `take` for every event in the order of arrival; returns the village they happened in.
// `is_refusal` tells the events that must be refused. `begin`, if any, is given the village before
// the first event; when it returns false there is none. Pure but for the two.
Village Simulate(const Simulation& simulation,
                 const std::function<void(const event::v1::Event&, bool is_refusal)>& take,
                 const std::function<bool(const Village&)>& begin = nullptr);

}  // namespace simpul::cli
