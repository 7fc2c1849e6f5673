#include "lib/area/directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "tests/area/lines.h"

namespace simpul::area {
namespace {

using simpul::testing::D;
using simpul::testing::Read;
using simpul::testing::ReadWithPlaces;
using simpul::testing::Village;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Code kNuha{"bpjs", "0342R074"};

std::vector<std::string> Names(const Directory& directory, const std::vector<size_t>& facilities) {
  std::vector<std::string> names;
  for (const size_t facility : facilities) names.push_back(directory.facilities()[facility].name);
  return names;
}

std::vector<std::string> UnitNames(const Directory& directory, const std::vector<size_t>& units) {
  std::vector<std::string> names;
  for (const size_t unit : units) names.push_back(directory.units()[unit].name);
  return names;
}

TEST(Directory, FindsAFacilityByACodeOnTheDaysItHadIt) {
  const Directory directory = ReadWithPlaces("");
  const auto name = [&](const Code& code, std::string_view day) {
    const auto facility = directory.Find(code, D(day));
    return facility ? directory.facilities()[*facility].name : "-";
  };
  EXPECT_EQ(name({"kemenkes", "P7324020101"}, "2025-12-31"), "Nuha");
  EXPECT_EQ(name({"kemenkes", "P7324020101"}, "2026-01-01"), "-");
  EXPECT_EQ(name({"kemenkes", "P7324020201"}, "2025-12-31"), "-");
  EXPECT_EQ(name({"kemenkes", "P7324020201"}, "2026-01-01"), "Nuha");
  EXPECT_EQ(name(kNuha, "1999-01-01"), "Nuha");
  // The same text in another system is another code.
  EXPECT_EQ(name({"kemenkes", "0342R074"}, "2026-01-01"), "-");
}

TEST(Directory, GivesACodeToAnotherFacilityOnceTheFirstHasLostIt) {
  const Directory directory = Read(
      R"({"row":"facility","codes":[{"code":"bpjs|1","until":"2025-01-01"}],"kind":"clinic","name":"Old"}
{"row":"facility","codes":[{"code":"bpjs|1","from":"2025-01-01"}],"kind":"clinic","name":"New"})");
  EXPECT_EQ(Names(directory, {*directory.Find({"bpjs", "1"}, D("2024-12-31"))})[0], "Old");
  EXPECT_EQ(Names(directory, {*directory.Find({"bpjs", "1"}, D("2025-01-01"))})[0], "New");
}

TEST(Directory, KnowsWhoTakesPartOnADay) {
  const Directory directory = ReadWithPlaces("");
  const struct {
    Code facility;
    std::string_view unit, day;
    Activity activity;
  } kCases[] = {
      {kNuha, "", "2024-02-29", Activity::kNotActive},  // planned
      {kNuha, "", "2024-03-01", Activity::kActive},     // pilot
      {kNuha, "", "2025-01-01", Activity::kActive},     // active
      {kNuha, "", "2026-08-31", Activity::kActive},
      {kNuha, "", "2026-09-01", Activity::kNotActive},  // closed
      {kNuha, "PST1", "2024-02-29", Activity::kNotActive},
      {kNuha, "PST1", "2024-03-01", Activity::kActive},
      {kNuha, "MLT3", "2026-02-09", Activity::kNotActive},
      {kNuha, "MLT3", "2026-02-10", Activity::kActive},
      {kNuha, "MLT3", "2026-02-28", Activity::kActive},
      {kNuha, "MLT3", "2026-03-01", Activity::kNotActive},
      {kNuha, "MLT3", "2026-05-01", Activity::kActive},
      {kNuha, "MLT3", "2026-09-01", Activity::kNotActive},
      {kNuha, "nobody", "2026-05-01", Activity::kUnknown},
      {{"bpjs", "none"}, "", "2026-05-01", Activity::kUnknown},
      {{"kemenkes", "K1"}, "", "2026-05-01", Activity::kUnknown},           // no stages
      {{"kemenkes", "P7324020101"}, "", "2026-05-01", Activity::kUnknown},  // the code has ended
  };
  for (const auto& one : kCases) {
    SCOPED_TRACE(one.facility.Text() + " " + std::string(one.unit) + " " + std::string(one.day));
    EXPECT_EQ(directory.ActivityOn(one.facility, one.unit, D(one.day)), one.activity);
  }
  const size_t nuha = *directory.Find(kNuha, D("2024-01-01"));
  EXPECT_EQ(directory.StageOn(nuha, D("2024-02-29")), Stage::kPlanned);
  EXPECT_EQ(directory.StageOn(nuha, D("2024-03-01")), Stage::kPilot);
  EXPECT_EQ(directory.StageOn(nuha, D("2025-01-01")), Stage::kActive);
  EXPECT_EQ(directory.StageOn(nuha, D("2026-09-01")), Stage::kClosed);
}

TEST(Directory, KnowsWhatIsAboveAndUnder) {
  const Directory directory = ReadWithPlaces("");
  const Day day = D("2026-05-01");
  const size_t clinic = *directory.Find({"kemenkes", "K1"}, day);
  EXPECT_THAT(Names(directory, directory.Ancestors(clinic)), ElementsAre("Nuha", "Dinkes"));
  const auto under = [&](std::string_view area) {
    return Names(directory, directory.FacilitiesUnder(*AreaCode::Parse(area), day));
  };
  EXPECT_THAT(under("kemenkes|D7324"), ElementsAre("Dinkes", "Klinik", "Nuha"));
  EXPECT_THAT(under("bpjs|0342R074"), ElementsAre("Klinik", "Nuha"));
  EXPECT_THAT(under("kemenkes|K1"), ElementsAre("Klinik"));
  EXPECT_THAT(under("kemenkes|P7324020101"), IsEmpty());  // nobody's on that day
  EXPECT_THAT(under("73.24.02"), ElementsAre("Klinik", "Nuha"));
  EXPECT_THAT(under("73.24.02.2003"), ElementsAre("Nuha"));
  EXPECT_THAT(under("bps|7324020"), ElementsAre("Nuha"));
  EXPECT_THAT(under("73.24.02.2003/Sumasang"), IsEmpty());
  const auto units = [&](std::string_view area) {
    return UnitNames(directory, directory.UnitsUnder(*AreaCode::Parse(area), day));
  };
  EXPECT_THAT(units("73.24.02.2003"), ElementsAre("Melati 3", "Pustu Nikkel"));
  EXPECT_THAT(units("73.24.02.2005"), ElementsAre("Melati 4"));
  EXPECT_THAT(units("kemenkes|D7324"), ElementsAre("Melati 3", "Melati 4", "Pustu Nikkel"));
  EXPECT_THAT(units("kemenkes|K1"), IsEmpty());
  EXPECT_THAT(units("bps|7324020003"), ElementsAre("Melati 3", "Pustu Nikkel"));
}

constexpr std::string_view kServes =
    R"({"row":"serves","area":"73.24.02","facility":"bpjs|0342R074"}
{"row":"serves","area":"73.24.02.2003/Sumasang","facility":"bpjs|0342R074","unit":"MLT3"}
{"row":"serves","area":"73.24.02.2003//1","facility":"bpjs|0342R074","unit":"MLT4"}
{"row":"serves","area":"73.24.02.2003/Sumasang/001/2","facility":"bpjs|0342R074","unit":"MLT3","person":"kader-07","from":"2026-01-01","until":"2026-07-01"}
{"row":"serves","area":"bps|7324020003","facility":"kemenkes|K1"}
)";

TEST(Directory, SaysWhoServesWhereSomebodyLives) {
  const Directory directory = ReadWithPlaces(kServes);
  const auto serving = [&](const event::v1::Address& home, std::string_view day) {
    std::vector<std::string> who;
    for (const Service& service : directory.Serving(home, D(day))) {
      who.push_back(service.place.unit + ":" + service.person);
    }
    return who;
  };
  const auto home = Village("73.24.02.2003", "SUMASANG", "01", "002");
  EXPECT_THAT(serving(home, "2026-01-01"), ElementsAre("MLT3:kader-07", "MLT4:", "MLT3:", ":"));
  EXPECT_THAT(serving(home, "2026-06-30"), ElementsAre("MLT3:kader-07", "MLT4:", "MLT3:", ":"));
  EXPECT_THAT(serving(home, "2026-07-01"), ElementsAre("MLT4:", "MLT3:", ":"));
  EXPECT_THAT(serving(home, "2025-12-31"), ElementsAre("MLT4:", "MLT3:", ":"));
  EXPECT_THAT(serving(Village("73.24.02.2003", "", "1"), "2026-02-01"), ElementsAre("MLT4:", ":"));
  EXPECT_THAT(serving(Village("73.24.02.2005"), "2026-02-01"), ElementsAre(":"));
  EXPECT_THAT(serving(Village("73.24.03.2005"), "2026-02-01"), IsEmpty());
  EXPECT_THAT(serving(Village("7324020003", "", "", "", "bps"), "2026-02-01"), ElementsAre(":"));
  EXPECT_THAT(serving(Village("73.24.02", "", "1"), "2026-02-01"), IsEmpty());
  EXPECT_THAT(serving({}, "2026-02-01"), IsEmpty());
}

TEST(Directory, OrdersWhoServesTheSameAreaByPlaceAndPerson) {
  const auto row = [](std::string_view more) {
    return R"({"row":"serves","area":"73.24.02.2003","facility":"bpjs|0342R074")" +
           std::string(more) + "}\n";
  };
  const Directory directory =
      ReadWithPlaces(row(R"(,"unit":"PST1","person":"a")") + row(R"(,"unit":"MLT4","person":"c")") +
                     row(R"(,"unit":"MLT4","person":"b")") + row(""));
  std::string who;
  for (const Service& service : directory.Serving(Village("73.24.02.2003"), D("2026-01-01"))) {
    who += service.place.unit + ":" + service.person + " ";
  }
  EXPECT_EQ(who, ": MLT4:b MLT4:c PST1:a ");
}

TEST(Directory, TakesAFacilitysAreaForWhatItAndThoseBelowItServe) {
  const Directory directory = ReadWithPlaces(kServes);
  const Day day = D("2026-02-01");
  const auto in = [&](std::string_view area, const event::v1::Address& home) {
    return directory.Contains(*AreaCode::Parse(area), home, day);
  };
  EXPECT_TRUE(in("73.24.02.2003", Village("73.24.02.2003")));
  EXPECT_TRUE(in("bpjs|0342R074", Village("73.24.02.2005")));
  EXPECT_TRUE(in("kemenkes|D7324", Village("73.24.02.2005")));
  EXPECT_FALSE(in("kemenkes|K1", Village("73.24.02.2005")));
  EXPECT_TRUE(in("kemenkes|K1", Village("7324020003", "", "", "", "bps")));
  EXPECT_FALSE(in("bpjs|0342R074", Village("73.24.03.2005")));
  EXPECT_TRUE(in("bpjs|0342R074//1", Village("73.24.02.2005", "", "001")));
  EXPECT_FALSE(in("bpjs|0342R074//1", Village("73.24.02.2005", "", "2")));
  EXPECT_FALSE(in("bpjs|none", Village("73.24.02.2005")));
}

TEST(Directory, TellsAVillageThatTheRegionListLacks) {
  const Directory directory = Read(R"({"row":"region","code":"kemendagri|73.24","name":"Luwu Timur"}
{"row":"region","code":"kemendagri|73","name":"Sulawesi Selatan"}
{"row":"region","code":"kemendagri|73.24.02","name":"Nuha"}
{"row":"region","code":"kemendagri|73.24.02.2003","name":"Nikkel"})");
  EXPECT_EQ(directory.InRegionList({"kemendagri", "73.24.02.2003"}), Listed::kListed);
  EXPECT_EQ(directory.InRegionList({"kemendagri", "73.24.02.2004"}), Listed::kNotListed);
  EXPECT_EQ(directory.InRegionList({"bps", "7324022003"}), Listed::kNoList);
  EXPECT_EQ(directory.RegionName({"kemendagri", "73.24.02.2003"}), "Nikkel");
  EXPECT_EQ(directory.RegionName({"kemendagri", "73.24.02.2004"}), "");
  EXPECT_EQ(directory.RegionName({"bps", "73"}), "");
  EXPECT_THAT(directory.Count().regions.at("kemendagri"), ElementsAre(1, 1, 1, 1));
}

std::string Post(std::string_view person, std::string_view role, std::string_view more = "") {
  return R"({"row":"roster","facility":"bpjs|0342R074","unit":"PST1","person":")" +
         std::string(person) + R"(","role":")" + std::string(role) + "\"" + std::string(more) +
         "}\n";
}

TEST(Directory, HoldsAPustuReadyWithOneMidwifeOneNurseAndTwoKader) {
  const struct {
    int midwives, nurses, kader;
    bool ready;
  } kCases[] = {
      {1, 1, 2, true},  {2, 3, 4, true},  {1, 1, 1, false},
      {0, 1, 2, false}, {1, 0, 2, false}, {0, 0, 0, false},
  };
  for (const auto& one : kCases) {
    std::string lines;
    for (int i = 0; i < one.midwives; ++i) lines += Post("b" + std::to_string(i), "midwife");
    for (int i = 0; i < one.nurses; ++i) lines += Post("p" + std::to_string(i), "nurse");
    for (int i = 0; i < one.kader; ++i) lines += Post("k" + std::to_string(i), "kader");
    lines += Post("x", "other");
    const Directory directory = ReadWithPlaces(lines);
    const Day day = D("2026-05-01");
    const Readiness on = directory.ReadinessOn({*directory.Find(kNuha, day), "PST1"}, day);
    EXPECT_EQ(on.midwives, one.midwives);
    EXPECT_EQ(on.nurses, one.nurses);
    EXPECT_EQ(on.kader, one.kader);
    EXPECT_EQ(on.ready(), one.ready) << lines;
    EXPECT_FALSE(directory.ReadinessOn({0, "MLT3"}, day).ready());
  }
}

TEST(Directory, CountsWhoStandsInAPustuOnTheDayItself) {
  const Directory directory = ReadWithPlaces(
      Post("b", "midwife", R"(,"weekdays":["mon","sun"])") + Post("p", "nurse") +
      Post("k1", "kader") + Post("k2", "kader", R"(,"from":"2026-05-04","until":"2026-05-11")"));
  const size_t nuha = *directory.Find(kNuha, D("2026-05-01"));
  const auto ready = [&](std::string_view day) {
    return directory.ReadinessOn({nuha, "PST1"}, D(day)).ready();
  };
  EXPECT_FALSE(ready("2026-05-03"));  // Sunday, the second kader begins tomorrow
  EXPECT_TRUE(ready("2026-05-04"));   // Monday
  EXPECT_FALSE(ready("2026-05-05"));  // Tuesday, no midwife
  EXPECT_TRUE(ready("2026-05-10"));   // Sunday
  EXPECT_FALSE(ready("2026-05-11"));  // Monday, the second kader has left
}

TEST(Directory, GivesTheTargetOfAnAreaIndicatorAndYear) {
  const Directory directory = ReadWithPlaces(
      R"({"row":"target","area":"73.24.02.2003","indicator":"K1","year":2026,"number":34}
{"row":"target","area":"73.24.02.2003//001","indicator":"K1","year":2026,"number":5}
{"row":"target","area":"bpjs|0342R074","indicator":"K1","year":2026,"number":90}
)");
  const auto target = [&](std::string_view area, std::string_view indicator, int year) {
    return directory.Target(*AreaCode::Parse(area), indicator, year).value_or(0);
  };
  EXPECT_EQ(target("73.24.02.2003", "K1", 2026), 34);
  EXPECT_EQ(target("73.24.02.2003//1", "K1", 2026), 5);
  EXPECT_EQ(target("73.24.02.2003//2", "K1", 2026), 0);
  EXPECT_EQ(target("73.24.02.2003", "K1", 2025), 0);
  EXPECT_EQ(target("73.24.02.2003", "K4", 2026), 0);
  EXPECT_EQ(target("73.24.02", "K1", 2026), 0);
  EXPECT_EQ(target("bps|7324022003", "K1", 2026), 0);
  // Any code of the facility.
  EXPECT_EQ(target("bpjs|0342R074", "K1", 2026), 90);
  EXPECT_EQ(target("kemenkes|P7324020101", "K1", 2026), 90);
  EXPECT_EQ(target("bpjs|0342R074//1", "K1", 2026), 0);
  EXPECT_EQ(target("bpjs|none", "K1", 2026), 0);
}

constexpr std::string_view kCompetencies =
    R"({"row":"competency","facility":"bpjs|0342R074","person":"kader-07","skill":7,"group":"infant_under_five","tier":"purwa","from":"2026-01-01","until":"2027-01-01"}
{"row":"competency","facility":"bpjs|0342R074","person":"kader-07","skill":8,"group":"infant_under_five","tier":"purwa","until":"2026-02-01"}
)";

TEST(Directory, MarksNothingWithoutARowThatAMeasurementNeedsASkill) {
  const Directory directory = ReadWithPlaces(kCompetencies);
  EXPECT_EQ(directory.SkillOn(kNuha, "kader-07", "weight", D("2026-05-01")), Skill::kNotAsked);
  EXPECT_EQ(directory.SkillOn(kNuha, "nobody", "weight", D("2026-05-01")), Skill::kNotAsked);
}

TEST(Directory, KnowsWhoHasASkillOnADay) {
  const Directory directory =
      ReadWithPlaces(std::string(kCompetencies) +
                     R"({"row":"skill_needed","measurement":"weight","skill":7,"from":"2025-06-01"}
{"row":"skill_needed","measurement":"length","skill":7}
{"row":"skill_needed","measurement":"length","skill":8}
)");
  const struct {
    std::string_view person, measurement, day;
    Skill skill;
  } kCases[] = {
      {"kader-07", "weight", "2025-05-31", Skill::kNotAsked},
      {"kader-07", "weight", "2025-06-01", Skill::kLacks},
      {"kader-07", "weight", "2025-12-31", Skill::kLacks},
      {"kader-07", "weight", "2026-01-01", Skill::kHas},
      {"kader-07", "weight", "2026-12-31", Skill::kHas},
      {"kader-07", "weight", "2027-01-01", Skill::kLacks},
      {"kader-07", "length", "2026-01-31", Skill::kHas},
      {"kader-07", "length", "2026-02-01", Skill::kLacks},  // one of the two
      {"kader-07", "head", "2026-01-31", Skill::kNotAsked},
      {"kader-08", "weight", "2026-01-31", Skill::kUnknown},
  };
  for (const auto& one : kCases) {
    SCOPED_TRACE(std::string(one.person) + " " + std::string(one.measurement) + " " +
                 std::string(one.day));
    EXPECT_EQ(directory.SkillOn(kNuha, one.person, one.measurement, D(one.day)), one.skill);
  }
  // An id is known within its facility.
  EXPECT_EQ(directory.SkillOn({"kemenkes", "K1"}, "kader-07", "weight", D("2026-01-31")),
            Skill::kUnknown);
}

TEST(Directory, IsTheSameInAnyOrderOfLinesAndFiles) {
  const std::string text = std::string(simpul::testing::kPlaces) + std::string(kServes) +
                           std::string(kCompetencies) + Post("b", "midwife");
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  std::reverse(lines.begin(), lines.end());
  std::string first;
  std::string second = "# a note\r\n\n";
  for (size_t i = 0; i < lines.size(); ++i) (i % 2 == 0 ? first : second) += lines[i] + "\r\n";
  const SourceText files[] = {{"a", first}, {"b", second}};
  const auto turned = Parse(files);
  ASSERT_TRUE(turned.ok()) << turned.status();
  const Directory straight = Read(text);
  EXPECT_EQ(turned->digest(), straight.digest());
  EXPECT_EQ(turned->digest().size(), 64);
  EXPECT_NE(turned->digest(), ReadWithPlaces(kServes).digest());
  ASSERT_EQ(turned->facilities().size(), straight.facilities().size());
  for (size_t i = 0; i < straight.facilities().size(); ++i) {
    EXPECT_EQ(turned->facilities()[i].name, straight.facilities()[i].name);
    EXPECT_EQ(turned->facilities()[i].parent, straight.facilities()[i].parent);
  }
  for (size_t i = 0; i < straight.units().size(); ++i) {
    EXPECT_EQ(turned->units()[i].code, straight.units()[i].code);
  }
  const auto home = Village("73.24.02.2003", "Sumasang", "1", "2");
  const auto a = turned->Serving(home, D("2026-02-01"));
  const auto b = straight.Serving(home, D("2026-02-01"));
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_EQ(a[i].area.Text(), b[i].area.Text());
}

}  // namespace
}  // namespace simpul::area
