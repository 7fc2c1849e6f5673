// The tables of WHO's growth standards, as published: no smoothing, no shorter form.
//
// Sources: WHO Child Growth Standards (2006), by day and by millimetre; WHO growth reference 5-19
// years (2007), by month. Made by generate.py beside this; constant.
#pragma once

#include <cstdint>
#include <span>

namespace simpul::rules {

// The distribution at one age or length: M the median (kg, cm or kg/m²), L its skewness, S its
// spread. Whole numbers that hold the published decimals exactly.
struct Lms {
  int32_t m_e4;   // M in 1/10000
  int16_t l_e4;   // L in 1/10000
  uint16_t s_e5;  // S in 1/100000
};

// Row i is for `first` + i.
struct LmsTable {
  int first;
  std::span<const Lms> rows;

  int last() const { return first + static_cast<int>(rows.size()) - 1; }
};

// Of one sex.
struct GrowthStandards {
  LmsTable weight_by_day;   // 0 to 1856 days
  LmsTable stature_by_day;  // length to 730 days, then height
  LmsTable bmi_by_day;
  LmsTable head_by_day;
  LmsTable arm_by_day;        // 91 to 1826 days
  LmsTable weight_by_length;  // 450 to 1100 mm, lying
  LmsTable weight_by_height;  // 650 to 1200 mm, standing
  LmsTable weight_by_month;   // 61 to 120 months
  LmsTable stature_by_month;  // 61 to 228 months
  LmsTable bmi_by_month;
};

extern const GrowthStandards kBoysGrowth;
extern const GrowthStandards kGirlsGrowth;

}  // namespace simpul::rules
