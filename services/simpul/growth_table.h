// How big children are, roughly: for inventing believable ones, never for judging real ones.
//
// Round medians at a few ages, between which it goes straight. The rules that classify growth use
// the exact standards, not this.
#pragma once

namespace simpul::cli {

// z is in hundredths of a standard deviation. Whole numbers, so that every machine agrees.
int WeightG(bool girl, int age_days, int z);
int LengthMm(bool girl, int age_days, int z);
int HeadMm(bool girl, int age_days, int z);
int ArmMm(int age_days, int z);

}  // namespace simpul::cli
