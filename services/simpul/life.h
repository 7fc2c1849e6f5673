// What happens to people during some days, as their clinics record it.
#pragma once

#include <cstdint>

#include "simpul/outbox.h"
#include "simpul/village.h"

namespace simpul::cli {

// Lives `days` days from `start`: posyandu and clinic days, pregnancies and births, screenings,
// referrals, home visits. Babies born meanwhile are added to the village. Follows from the seed.
void Live(uint64_t seed, Village& village, Day start, int days, Outbox& outbox);

}  // namespace simpul::cli
