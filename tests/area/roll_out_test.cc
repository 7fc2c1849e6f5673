#include "lib/area/roll_out.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/area/lines.h"

namespace simpul::area {
namespace {

using simpul::testing::D;
using simpul::testing::ReadWithPlaces;
using std::chrono::year;

const Code kNuha{"bpjs", "0342R074"};

std::string Post(std::string_view person, std::string_view role, std::string_view more = "") {
  return R"({"row":"roster","facility":"bpjs|0342R074","unit":"PST1","person":")" +
         std::string(person) + R"(","role":")" + std::string(role) + "\"" + std::string(more) +
         "}\n";
}

// Ready all of February 2026 and until 14 May.
Directory Staffed() {
  return ReadWithPlaces(Post("b", "midwife") + Post("p", "nurse") + Post("k1", "kader") +
                        Post("k2", "kader", R"(,"until":"2026-05-15")"));
}

const AreaCode kDistrict = *AreaCode::Parse("73.24.02");
constexpr auto kFebruary = year(2026) / 2;
constexpr auto kMay = year(2026) / 5;

TEST(RollOut, CountsUnitsPustuAndDays) {
  const Directory directory = Staffed();
  const RollOut february = RollOutOf(directory, kDistrict, kFebruary, {});
  EXPECT_EQ(february.active_facilities, 1);  // the clinic says no stage, the office stands nowhere
  EXPECT_EQ(february.active_units, 3);       // Melati 3 from the 10th
  EXPECT_EQ(february.pustu, 1);
  EXPECT_EQ(february.pustu_ready, 1);
  EXPECT_EQ(february.pustu_days, 28);
  EXPECT_EQ(february.pustu_days_ready, 28);
  EXPECT_EQ(february.pustu_days_with_service, 0);
  EXPECT_EQ(RollOutOf(directory, kDistrict, year(2026) / 1, {}).active_units, 2);
  EXPECT_EQ(RollOutOf(directory, kDistrict, year(2026) / 4, {}).active_units, 2);
  const RollOut may = RollOutOf(directory, kDistrict, kMay, {});
  EXPECT_EQ(may.pustu, 1);
  EXPECT_EQ(may.pustu_ready, 0);
  EXPECT_EQ(may.pustu_days, 31);
  EXPECT_EQ(may.pustu_days_ready, 14);
  EXPECT_EQ(RollOutOf(directory, kDistrict, year(2026) / 9, {}), RollOut{});      // closed
  EXPECT_EQ(RollOutOf(directory, kDistrict, year(2024) / 2, {}), RollOut{});      // planned
  EXPECT_EQ(RollOutOf(directory, kDistrict, year(2024) / 3, {}).pustu_days, 31);  // pilot
}

TEST(RollOut, CountsAPustuDayWithServiceOnce) {
  const ServiceDay services[] = {
      {kNuha, "PST1", D("2026-02-01")},
      {kNuha, "PST1", D("2026-02-01"), 7},
      {{"kemenkes", "P7324020201"}, "PST1", D("2026-02-28")},  // another of its codes
      {kNuha, "PST1", D("2026-01-31")},                        // another month
      {kNuha, "PST1", D("2026-03-01")},
      {kNuha, "MLT4", D("2026-02-02")},  // no Pustu
      {kNuha, "", D("2026-02-03")},      // the Puskesmas itself
      {kNuha, "PST1", D("2026-02-05"), 0},
  };
  const RollOut february = RollOutOf(Staffed(), kDistrict, kFebruary, services);
  EXPECT_EQ(february.pustu_days_with_service, 2);
  EXPECT_EQ(february.left_out_not_active, 0);
  EXPECT_EQ(february.left_out_unknown, 0);
}

TEST(RollOut, SaysHowManyEventsItLeavesOut) {
  const ServiceDay services[] = {
      {kNuha, "MLT3", D("2026-02-09"), 3},  // the day before it begins
      {kNuha, "MLT3", D("2026-02-10"), 5},
      {kNuha, "MLT3", D("2026-02-28"), 5},
      {kNuha, "MLT3", D("2026-01-31"), 23},  // other months
      {kNuha, "MLT3", D("2026-03-01"), 29},
      {kNuha, "none", D("2026-02-10"), 11},
      {{"bpjs", "none"}, "PST1", D("2026-02-10"), 13},
      {{"kemenkes", "P7324020101"}, "PST1", D("2026-02-10"), 17},  // the code has ended
      {{"kemenkes", "K1"}, "", D("2026-02-10"), 19},               // says no stage
  };
  const RollOut february = RollOutOf(Staffed(), kDistrict, kFebruary, services);
  EXPECT_EQ(february.left_out_not_active, 3);
  EXPECT_EQ(february.left_out_unknown, 11 + 13 + 17 + 19);
  EXPECT_EQ(february.pustu_days_with_service, 0);
}

TEST(RollOut, KeepsToItsArea) {
  const Directory directory = Staffed();
  const ServiceDay services[] = {{kNuha, "PST1", D("2026-02-10")},
                                 {kNuha, "MLT3", D("2026-02-09"), 3}};
  const RollOut matano =
      RollOutOf(directory, *AreaCode::Parse("73.24.02.2005"), kFebruary, services);
  EXPECT_EQ(matano.active_units, 1);  // Melati 4
  EXPECT_EQ(matano.pustu, 0);
  EXPECT_EQ(matano.left_out_not_active, 0);
  const RollOut all = RollOutOf(directory, *AreaCode::Parse("kemenkes|D7324"), kFebruary, services);
  EXPECT_EQ(all.active_units, 3);
  EXPECT_EQ(all.pustu_days_with_service, 1);
  EXPECT_EQ(all.left_out_not_active, 3);
  EXPECT_EQ(RollOutOf(directory, *AreaCode::Parse("73.25"), kFebruary, services), RollOut{});
}

TEST(RollOut, CountsAPustuThatIsAFacilityOfItsOwn) {
  const Directory directory = simpul::testing::Read(
      R"({"row":"facility","codes":[{"code":"a|1"}],"kind":"pustu","name":"x","regions":["73.24.02.2003"],"stages":[{"stage":"active","from":"2026-02-15"}]}
{"row":"roster","facility":"a|1","person":"b","role":"midwife"}
{"row":"roster","facility":"a|1","person":"p","role":"nurse"}
{"row":"roster","facility":"a|1","person":"k1","role":"kader"}
{"row":"roster","facility":"a|1","person":"k2","role":"kader"})");
  const ServiceDay services[] = {{{"a", "1"}, "", D("2026-02-14"), 2},
                                 {{"a", "1"}, "", D("2026-02-15")}};
  EXPECT_EQ(RollOutOf(directory, kDistrict, kFebruary, services),
            (RollOut{.active_facilities = 1,
                     .active_units = 1,
                     .pustu = 1,
                     .pustu_ready = 1,
                     .pustu_days = 14,
                     .pustu_days_ready = 14,
                     .pustu_days_with_service = 1,
                     .left_out_not_active = 2}));
}

}  // namespace
}  // namespace simpul::area
