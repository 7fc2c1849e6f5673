#include "simpul/growth_table.h"

#include <algorithm>
#include <iterator>

namespace simpul::cli {
namespace {

struct Row {
  int months;
  int boy_weight_g, girl_weight_g;
  int boy_length_mm, girl_length_mm;
  int boy_head_mm, girl_head_mm;
};

constexpr Row kRows[] = {
    {0, 3300, 3200, 499, 491, 345, 339},       {1, 4500, 4200, 547, 537, 373, 365},
    {2, 5600, 5100, 584, 571, 391, 383},       {3, 6400, 5800, 614, 598, 405, 395},
    {4, 7000, 6400, 639, 621, 416, 406},       {6, 7900, 7300, 676, 657, 433, 422},
    {8, 8600, 7900, 706, 687, 445, 434},       {10, 9200, 8500, 733, 715, 454, 442},
    {12, 9600, 8900, 757, 740, 461, 449},      {15, 10300, 9600, 791, 775, 468, 457},
    {18, 10900, 10200, 823, 807, 474, 462},    {24, 12200, 11500, 871, 857, 483, 472},
    {36, 14300, 13900, 961, 951, 495, 485},    {48, 16300, 16100, 1033, 1027, 502, 493},
    {60, 18300, 18200, 1100, 1094, 507, 499},  {84, 22900, 22400, 1217, 1208, 515, 508},
    {120, 31200, 31900, 1378, 1386, 525, 520}, {156, 45000, 46000, 1560, 1564, 540, 535},
    {192, 60000, 53500, 1729, 1625, 553, 545}, {228, 65000, 55500, 1765, 1630, 556, 548},
};

// Straight between the rows at the age.
template <typename Member>
int Median(int age_days, Member member) {
  // 30.4375 days a month, in ten-thousandths.
  const long scaled = static_cast<long>(age_days) * 10000;
  const Row* above = std::find_if(std::begin(kRows), std::end(kRows), [scaled](const Row& row) {
    return static_cast<long>(row.months) * 304375 >= scaled;
  });
  if (above == std::begin(kRows)) return above->*member;
  if (above == std::end(kRows)) return std::prev(above)->*member;
  const Row* below = std::prev(above);
  const long from = static_cast<long>(below->months) * 304375;
  const long to = static_cast<long>(above->months) * 304375;
  return static_cast<int>(below->*member +
                          (above->*member - below->*member) * (scaled - from) / (to - from));
}

// The median moved by z times a spread given in thousandths of the median.
int Moved(int median, int spread_permille, int z) {
  return static_cast<int>(median + static_cast<long>(median) * spread_permille * z / 100000);
}

}  // namespace

int WeightG(bool girl, int age_days, int z) {
  const int g = Moved(Median(age_days, girl ? &Row::girl_weight_g : &Row::boy_weight_g), 120, z);
  return g / 10 * 10;
}

int LengthMm(bool girl, int age_days, int z) {
  return Moved(Median(age_days, girl ? &Row::girl_length_mm : &Row::boy_length_mm), 38, z);
}

int HeadMm(bool girl, int age_days, int z) {
  return Moved(Median(age_days, girl ? &Row::girl_head_mm : &Row::boy_head_mm), 28, z);
}

int ArmMm(int age_days, int z) {
  const int months = age_days * 100 / 3044;
  return Moved(months < 12 ? 142 + months / 3 : 146 + months / 4, 80, z);
}

}  // namespace simpul::cli
