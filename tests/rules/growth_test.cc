#include "lib/rules/growth.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/source_file.h"

namespace simpul::rules {
namespace {

namespace v1 = event::v1;
using std::chrono::sys_days;
using std::chrono::year;

constexpr v1::Sex kBoy = v1::SEX_MALE;
constexpr v1::Sex kGirl = v1::SEX_FEMALE;
constexpr v1::MeasuringPosition kLying = v1::MEASURING_POSITION_LYING;
constexpr v1::MeasuringPosition kStanding = v1::MEASURING_POSITION_STANDING;

Measurement Child(v1::Sex sex, Age age) {
  Measurement in;
  in.sex = sex;
  in.age = age;
  return in;
}

Measurement Long(v1::Sex sex, Age age, double length_mm,
                 v1::MeasuringPosition position = v1::MEASURING_POSITION_UNSPECIFIED) {
  Measurement in = Child(sex, age);
  in.length_mm = length_mm;
  in.position = position;
  return in;
}

const Score& ScoreOf(const Growth& growth, Index index) {
  static const Score kNothing;
  const auto* score = std::get_if<Score>(&growth.of(index));
  if (score != nullptr) return *score;
  ADD_FAILURE() << Word(index) << ": " << Word(std::get<NotDerived>(growth.of(index)));
  return kNothing;
}

int32_t ZOf(const Measurement& in, Index index) {
  return ScoreOf(Assess(in), index).z_hundredths.value_or(99'999);
}

std::string WhyNot(const Measurement& in, Index index) {
  const Growth growth = Assess(in);
  const auto* reason = std::get_if<NotDerived>(&growth.of(index));
  return reason == nullptr ? "derived" : std::string(Word(*reason));
}

// What WHO's own program gives, from the tests of its package anthro.
TEST(Growth, GivesThePublishedExamples) {
  Measurement girl = Child(kGirl, AgeOfDays(1522));
  girl.weight_g = 17'000;
  EXPECT_EQ(ZOf(girl, Index::kWeightForAge), 24);
  EXPECT_EQ(ZOf(Long(kBoy, AgeOfDays(44), 500, kLying), Index::kLengthHeightForAge), -329);
  const Measurement short_boy = Long(kBoy, AgeOfDays(987), 728.6, kLying);
  EXPECT_EQ(ZOf(short_boy, Index::kLengthHeightForAge), -609);
  EXPECT_TRUE(ScoreOf(Assess(short_boy), Index::kLengthHeightForAge).implausible);
  EXPECT_EQ(ZOf(Long(kGirl, AgeOfMonths(24), 775, kStanding), Index::kLengthHeightForAge), -255);
  EXPECT_EQ(ZOf(Long(kBoy, AgeOfMonths(8), 600, kStanding), Index::kLengthHeightForAge), -481);
  EXPECT_EQ(ZOf(Long(kBoy, AgeOfMonths(9), 600, kStanding), Index::kLengthHeightForAge), -502);
}

// A measure of one kind put into an otherwise ordinary child.
struct Scale {
  Index index;
  Measurement child;
  std::optional<double> Measurement::* measure;
};

// The least measure whose z is at least the wanted one, and whose z it is.
Measurement WithZ(const Scale& scale, int32_t hundredths) {
  double low = scale.measure == &Measurement::muac_mm ? 30 : 100;
  double high = scale.measure == &Measurement::weight_g ? 200'000 : 800;
  if (scale.measure == &Measurement::length_mm) high = 2'500;
  Measurement in = scale.child;
  for (int i = 0; i < 80; ++i) {
    const double middle = (low + high) / 2;
    in.*scale.measure = middle;
    (ZOf(in, scale.index) < hundredths ? low : high) = middle;
  }
  in.*scale.measure = high;
  EXPECT_EQ(ZOf(in, scale.index), hundredths);
  return in;
}

struct Boundary {
  const char* source;
  Scale scale;
  int32_t hundredths;
  GrowthClass below, at, above;  // one hundredth below, there, one hundredth above
};

// A child below five for each index that has classes or flags.
const struct {
  Scale weight = {Index::kWeightForAge, Child(kGirl, AgeOfDays(700)), &Measurement::weight_g};
  Scale length = {Index::kLengthHeightForAge, Child(kBoy, AgeOfDays(400)), &Measurement::length_mm};
  Scale for_length = {Index::kWeightForLengthHeight, Long(kBoy, AgeOfDays(400), 760),
                      &Measurement::weight_g};
  Scale bmi = {Index::kBmiForAge, Long(kGirl, AgeOfDays(1200), 950), &Measurement::weight_g};
  Scale head = {Index::kHeadForAge, Child(kGirl, AgeOfDays(90)), &Measurement::head_mm};
} kUnderFives;

std::vector<Boundary> Boundaries() {
  using enum GrowthClass;
  const char* permenkes = "Permenkes 2/2020";
  const char* kmk = "KMK HK.01.07/MENKES/2015/2023, 5 to 18 years";
  const auto& [weight, length, for_length, bmi, head] = kUnderFives;
  const Scale school = {Index::kBmiForAge, Long(kBoy, AgeOfMonths(120.5), 1380),
                        &Measurement::weight_g};
  return {
      {permenkes, weight, -300, kSangatKurang, kKurang, kKurang},
      {permenkes, weight, -200, kKurang, kNormal, kNormal},
      {permenkes, weight, 100, kNormal, kNormal, kRisikoBeratBadanLebih},
      {permenkes, length, -300, kSangatPendek, kPendek, kPendek},
      {permenkes, length, -200, kPendek, kNormal, kNormal},
      {permenkes, length, 300, kNormal, kNormal, kTinggi},
      {permenkes, for_length, -300, kGiziBuruk, kGiziKurang, kGiziKurang},
      {permenkes, for_length, -200, kGiziKurang, kGiziBaik, kGiziBaik},
      {permenkes, for_length, 100, kGiziBaik, kGiziBaik, kBerisikoGiziLebih},
      {permenkes, for_length, 200, kBerisikoGiziLebih, kBerisikoGiziLebih, kGiziLebih},
      {permenkes, for_length, 300, kGiziLebih, kGiziLebih, kObesitas},
      {permenkes, bmi, -300, kGiziBuruk, kGiziKurang, kGiziKurang},
      {permenkes, bmi, -200, kGiziKurang, kGiziBaik, kGiziBaik},
      {permenkes, bmi, 100, kGiziBaik, kGiziBaik, kBerisikoGiziLebih},
      {permenkes, bmi, 200, kBerisikoGiziLebih, kBerisikoGiziLebih, kGiziLebih},
      {permenkes, bmi, 300, kGiziLebih, kGiziLebih, kObesitas},
      {permenkes, head, -200, kMikrosefali, kNormal, kNormal},
      {permenkes, head, 200, kNormal, kNormal, kMakrosefali},
      {kmk, school, -300, kGiziBuruk, kGiziKurang, kGiziKurang},
      {kmk, school, -200, kGiziKurang, kGiziBaik, kGiziBaik},
      {kmk, school, 100, kGiziBaik, kGiziBaik, kGiziLebih},
      {kmk, school, 200, kGiziLebih, kGiziLebih, kObesitas},
  };
}

TEST(GrowthClass, ChangesAtEachBoundaryOfItsSource) {
  for (const Boundary& boundary : Boundaries()) {
    const auto at = [&boundary](int32_t hundredths) {
      return Word(
          ScoreOf(Assess(WithZ(boundary.scale, hundredths)), boundary.scale.index).growth_class);
    };
    SCOPED_TRACE(std::string(boundary.source) + ", " + std::string(Word(boundary.scale.index)) +
                 " " + std::to_string(boundary.hundredths));
    EXPECT_EQ(at(boundary.hundredths - 1), Word(boundary.below));
    EXPECT_EQ(at(boundary.hundredths), Word(boundary.at));
    EXPECT_EQ(at(boundary.hundredths + 1), Word(boundary.above));
  }
}

TEST(GrowthFlag, MarksWhatWhoTakesForImpossible) {
  const auto& [weight, length, for_length, bmi, head] = kUnderFives;
  const Scale arm = {Index::kMuacForAge, Child(kGirl, AgeOfDays(900)), &Measurement::muac_mm};
  const Scale school_weight = {Index::kWeightForAge, Child(kBoy, AgeOfMonths(100)),
                               &Measurement::weight_g};
  const Scale school_height = {Index::kLengthHeightForAge, Child(kBoy, AgeOfMonths(200)),
                               &Measurement::length_mm};
  struct Limits {
    Scale scale;
    int32_t least, most;
  };
  for (const Limits& limits :
       {Limits{weight, -600, 500}, Limits{length, -600, 600}, Limits{for_length, -500, 500},
        Limits{bmi, -500, 500}, Limits{head, -500, 500}, Limits{arm, -500, 500},
        Limits{school_weight, -600, 500}, Limits{school_height, -600, 600}}) {
    const auto marked = [&limits](int32_t hundredths) {
      return ScoreOf(Assess(WithZ(limits.scale, hundredths)), limits.scale.index).implausible;
    };
    SCOPED_TRACE(Word(limits.scale.index));
    EXPECT_TRUE(marked(limits.least - 1));
    EXPECT_FALSE(marked(limits.least));
    EXPECT_FALSE(marked(limits.most));
    EXPECT_TRUE(marked(limits.most + 1));
  }
}

TEST(GrowthLength, IsLengthToTheDay730AndHeightFrom731) {
  const auto used = [](int days, v1::MeasuringPosition position) {
    return *Assess(Long(kBoy, AgeOfDays(days), 860, position)).length_used_mm;
  };
  EXPECT_EQ(used(730, kLying), 860);
  EXPECT_EQ(used(730, kStanding), 867);
  EXPECT_EQ(used(730, v1::MEASURING_POSITION_UNSPECIFIED), 860);
  EXPECT_EQ(used(731, kLying), 853);
  EXPECT_EQ(used(731, kStanding), 860);
  EXPECT_EQ(used(731, v1::MEASURING_POSITION_UNSPECIFIED), 860);
  // One child, one length, on both days: the tables of length and of height differ by the same 0.7
  // cm.
  EXPECT_EQ(ZOf(Long(kBoy, AgeOfDays(730), 860, kLying), Index::kLengthHeightForAge), -59);
  EXPECT_EQ(ZOf(Long(kBoy, AgeOfDays(731), 853, kStanding), Index::kLengthHeightForAge),
            ZOf(Long(kBoy, AgeOfDays(731), 860, kLying), Index::kLengthHeightForAge));
}

TEST(GrowthLength, TakesStandingBeforeNineMonthsForASlip) {
  // 9 months are 273.9 days.
  const Growth before = Assess(Long(kGirl, AgeOfDays(273), 700, kStanding));
  EXPECT_TRUE(before.standing_too_young);
  EXPECT_EQ(before.length_used_mm, 700);
  const Growth from = Assess(Long(kGirl, AgeOfDays(274), 700, kStanding));
  EXPECT_FALSE(from.standing_too_young);
  EXPECT_EQ(from.length_used_mm, 707);
  EXPECT_FALSE(Assess(Long(kGirl, AgeOfDays(100), 600, kLying)).standing_too_young);
  EXPECT_FALSE(Assess(Long(kGirl, AgeOfMonths(9), 700, kStanding)).standing_too_young);
}

TEST(GrowthLength, DecidesTheTableWhenTheAgeIsUnknown) {
  Measurement in = Long(kBoy, AgeOfDays(0), 869);
  in.age.reset();
  in.weight_g = 12'000;
  const int32_t as_length = ZOf(in, Index::kWeightForLengthHeight);
  in.position = kLying;
  EXPECT_EQ(ZOf(in, Index::kWeightForLengthHeight), as_length);
  in.position = kStanding;
  EXPECT_NE(ZOf(in, Index::kWeightForLengthHeight), as_length);
  in.length_mm = 870;
  const int32_t as_height = ZOf(in, Index::kWeightForLengthHeight);
  in.position = v1::MEASURING_POSITION_UNSPECIFIED;
  EXPECT_EQ(ZOf(in, Index::kWeightForLengthHeight), as_height);
  EXPECT_EQ(Word(ScoreOf(Assess(in), Index::kWeightForLengthHeight).growth_class), "gizi_baik");
  EXPECT_EQ(WhyNot(in, Index::kWeightForAge), "age_unknown");
  EXPECT_EQ(WhyNot(in, Index::kBmiForAge), "age_unknown");
  EXPECT_FALSE(Assess(in).status);
}

TEST(GrowthTables, EndWhereTheirSourcesEnd) {
  const auto weighed = [](Age age, double length_mm) {
    Measurement in = Long(kGirl, age, length_mm);
    in.weight_g = 15'000;
    in.head_mm = 500;
    in.muac_mm = 150;
    return in;
  };
  const Measurement last = weighed(AgeOfDays(1856), 1080);
  for (const Index index : {Index::kWeightForAge, Index::kLengthHeightForAge,
                            Index::kWeightForLengthHeight, Index::kBmiForAge, Index::kHeadForAge}) {
    EXPECT_EQ(WhyNot(last, index), "derived") << Word(index);
  }
  EXPECT_EQ(WhyNot(weighed(AgeOfDays(90), 600), Index::kMuacForAge), "age_out_of_table");
  EXPECT_EQ(WhyNot(weighed(AgeOfDays(91), 600), Index::kMuacForAge), "derived");
  EXPECT_EQ(WhyNot(weighed(AgeOfDays(1826), 1080), Index::kMuacForAge), "derived");
  EXPECT_EQ(WhyNot(weighed(AgeOfDays(1827), 1080), Index::kMuacForAge), "age_out_of_table");
  const Measurement next = weighed(AgeOfDays(1857), 1080);
  EXPECT_EQ(WhyNot(next, Index::kWeightForAge), "derived");
  EXPECT_EQ(WhyNot(next, Index::kLengthHeightForAge), "derived");
  EXPECT_EQ(WhyNot(next, Index::kBmiForAge), "derived");
  EXPECT_EQ(WhyNot(next, Index::kWeightForLengthHeight), "age_out_of_table");
  EXPECT_EQ(WhyNot(next, Index::kHeadForAge), "age_out_of_table");
  EXPECT_EQ(WhyNot(weighed(AgeOfMonths(120), 1380), Index::kWeightForAge), "derived");
  EXPECT_EQ(WhyNot(weighed(AgeOfMonths(120.01), 1380), Index::kWeightForAge), "age_out_of_table");
  EXPECT_EQ(WhyNot(weighed(AgeOfMonths(228), 1600), Index::kLengthHeightForAge), "derived");
  EXPECT_EQ(WhyNot(weighed(AgeOfMonths(228.01), 1600), Index::kLengthHeightForAge),
            "age_out_of_table");
  EXPECT_EQ(WhyNot(weighed(AgeOfDays(-1), 500), Index::kWeightForAge), "age_out_of_table");
  EXPECT_EQ(WhyNot(weighed(AgeOfDays(-1), 500), Index::kWeightForLengthHeight), "age_out_of_table");
  EXPECT_EQ(WhyNot(weighed(AgeOfDays(300), 449.9), Index::kWeightForLengthHeight),
            "length_out_of_table");
  EXPECT_EQ(WhyNot(weighed(AgeOfDays(300), 450), Index::kWeightForLengthHeight), "derived");
  EXPECT_EQ(WhyNot(weighed(AgeOfDays(300), 1100), Index::kWeightForLengthHeight), "derived");
  EXPECT_EQ(WhyNot(weighed(AgeOfDays(300), 1100.1), Index::kWeightForLengthHeight),
            "length_out_of_table");
  EXPECT_EQ(WhyNot(weighed(AgeOfDays(900), 649.9), Index::kWeightForLengthHeight),
            "length_out_of_table");
  EXPECT_EQ(WhyNot(weighed(AgeOfDays(900), 650), Index::kWeightForLengthHeight), "derived");
  EXPECT_EQ(WhyNot(weighed(AgeOfDays(900), 1200), Index::kWeightForLengthHeight), "derived");
}

TEST(GrowthTables, GoOnFromOneStandardToTheOther) {
  // 60.995 months are 1856.5 days and so the first of the second standard, hours before its first
  // row.
  EXPECT_EQ(AgeOfMonths(60.995).days, 1857);
  EXPECT_EQ(ZOf(Long(kBoy, AgeOfMonths(60.995), 1102.647), Index::kLengthHeightForAge), 0);
  EXPECT_EQ(ZOf(Long(kBoy, AgeOfMonths(61), 1102.647), Index::kLengthHeightForAge), 0);
  // Halfway between two rows: medians 110.2647 and 110.8006.
  EXPECT_EQ(ZOf(Long(kBoy, AgeOfMonths(61.5), 1105.3265), Index::kLengthHeightForAge), 0);
}

TEST(GrowthClass, FollowsTheAge) {
  const auto classed = [](Age age, Index index) {
    Measurement in = Long(kGirl, age, 1090);
    in.weight_g = 18'200;
    in.head_mm = 498;
    return Word(ScoreOf(Assess(in), index).growth_class);
  };
  // 60 months are 1826.25 days.
  for (const Age age : {AgeOfDays(1826), AgeOfMonths(59.99)}) {
    EXPECT_EQ(classed(age, Index::kWeightForAge), "normal");
    EXPECT_EQ(classed(age, Index::kLengthHeightForAge), "normal");
    EXPECT_EQ(classed(age, Index::kWeightForLengthHeight), "gizi_baik");
    EXPECT_EQ(classed(age, Index::kHeadForAge), "normal");
  }
  for (const Age age : {AgeOfDays(1827), AgeOfMonths(60)}) {
    EXPECT_EQ(classed(age, Index::kWeightForAge), "no_class_table");
    EXPECT_EQ(classed(age, Index::kLengthHeightForAge), "no_class_table");
    EXPECT_EQ(classed(age, Index::kWeightForLengthHeight), "no_class_table");
    EXPECT_EQ(classed(age, Index::kHeadForAge), "no_class_table");
    EXPECT_EQ(classed(age, Index::kBmiForAge), "gizi_baik");
  }
  // z = +1.5: at risk below 60 months, overweight from there.
  const auto at_one_and_a_half = [](Age age) {
    return Word(
        ScoreOf(
            Assess(WithZ({Index::kBmiForAge, Long(kGirl, age, 1090), &Measurement::weight_g}, 150)),
            Index::kBmiForAge)
            .growth_class);
  };
  EXPECT_EQ(at_one_and_a_half(AgeOfDays(1826)), "berisiko_gizi_lebih");
  EXPECT_EQ(at_one_and_a_half(AgeOfDays(1827)), "gizi_lebih");
}

TEST(GrowthClass, OfAnAdultIsThatOfTheBodyMassIndex) {
  const auto classed = [](Age age, double bmi, v1::Sex sex) {
    Measurement in = Long(sex, age, 1600, kStanding);
    in.weight_g = bmi * 2'560;  // 1.6 m squared, in grams
    return ScoreOf(Assess(in), Index::kBmiForAge);
  };
  const Age adult = AgeOfMonths(30 * 12);
  struct Row {
    double bmi;
    const char* expected;
  };
  // KMK HK.01.07/MENKES/2015/2023, Asia-Pacific.
  for (const Row& row :
       {Row{18.49, "imt_kurang"}, Row{18.5, "imt_normal"}, Row{22.99, "imt_normal"},
        Row{23, "imt_berisiko"}, Row{24.99, "imt_berisiko"}, Row{25, "obesitas_1"},
        Row{29.99, "obesitas_1"}, Row{30, "obesitas_2"}}) {
    for (const v1::Sex sex : {kBoy, kGirl, v1::SEX_UNSPECIFIED}) {
      const Score score = classed(adult, row.bmi, sex);
      EXPECT_EQ(Word(score.growth_class), row.expected) << row.bmi;
      EXPECT_FALSE(score.z_hundredths);
    }
  }
  EXPECT_EQ(Word(classed(AgeOfMonths(215.9), 17, kGirl).growth_class), "gizi_baik");
  const Score young = classed(AgeOfMonths(216), 17, kGirl);
  EXPECT_EQ(Word(young.growth_class), "imt_kurang");
  EXPECT_TRUE(young.z_hundredths);
}

TEST(GrowthArm, IsClassedByCentimetresFromSixTo59Months) {
  const auto arm = [](Age age, double mm, v1::Sex sex = kGirl) {
    Measurement in = Child(sex, age);
    in.muac_mm = mm;
    return ScoreOf(Assess(in), Index::kMuacForAge);
  };
  for (const Age age : {AgeOfDays(183), AgeOfMonths(6), AgeOfDays(1826)}) {
    EXPECT_EQ(Word(arm(age, 114.9).growth_class), "lila_merah");
    EXPECT_EQ(Word(arm(age, 115).growth_class), "lila_kuning");
    EXPECT_EQ(Word(arm(age, 124.9).growth_class), "lila_kuning");
    EXPECT_EQ(Word(arm(age, 125).growth_class), "lila_hijau");
    EXPECT_TRUE(arm(age, 125).z_hundredths);
  }
  EXPECT_EQ(Word(arm(AgeOfDays(182), 110).growth_class), "no_class_table");
  const Score without_sex = arm(AgeOfDays(400), 110, v1::SEX_UNSPECIFIED);
  EXPECT_EQ(Word(without_sex.growth_class), "lila_merah");
  EXPECT_FALSE(without_sex.z_hundredths);
}

TEST(GrowthOedema, WithholdsWhatDependsOnWeightAndCountsAsSevere) {
  Measurement in = Long(kBoy, AgeOfDays(500), 780, kLying);
  in.weight_g = 10'500;
  in.muac_mm = 140;
  in.head_mm = 470;
  EXPECT_EQ(Word(Assess(in).status->growth_class), "gizi_baik");
  in.oedema = true;
  EXPECT_EQ(WhyNot(in, Index::kWeightForAge), "oedema");
  EXPECT_EQ(WhyNot(in, Index::kWeightForLengthHeight), "oedema");
  EXPECT_EQ(WhyNot(in, Index::kBmiForAge), "oedema");
  EXPECT_EQ(WhyNot(in, Index::kLengthHeightForAge), "derived");
  EXPECT_EQ(WhyNot(in, Index::kMuacForAge), "derived");
  EXPECT_EQ(WhyNot(in, Index::kHeadForAge), "derived");
  const Growth growth = Assess(in);
  EXPECT_FALSE(growth.bmi_hundredths);
  ASSERT_TRUE(growth.status);
  EXPECT_EQ(Word(growth.status->growth_class), "gizi_buruk");
  EXPECT_EQ(Word(growth.status->from), "oedema");
  in.age = AgeOfDays(1827);
  EXPECT_FALSE(Assess(in).status) << "a rule for children under 60 months";
}

TEST(GrowthStatus, ComesFromWeightForLengthElseBmiAndNeverFromTheImplausible) {
  Measurement in = Long(kBoy, AgeOfDays(500), 780, kLying);
  EXPECT_FALSE(Assess(in).status);
  in.weight_g = 10'500;
  EXPECT_EQ(Word(Assess(in).status->from), "weight_for_length_height");
  in.length_mm = 440;  // beyond the table by length
  in.weight_g = 3'200;
  EXPECT_EQ(Word(Assess(in).status->from), "bmi_for_age");
  in.length_mm = 780;
  in.weight_g = 30'000;
  EXPECT_TRUE(ScoreOf(Assess(in), Index::kWeightForLengthHeight).implausible);
  EXPECT_FALSE(Assess(in).status);
  Measurement pupil = Long(kGirl, AgeOfDays(3000), 1300, kStanding);
  pupil.weight_g = 27'000;
  EXPECT_EQ(Word(Assess(pupil).status->from), "bmi_for_age");
}

TEST(GrowthReason, SaysWhyAnIndexIsNotDerived) {
  Measurement in = Child(kBoy, AgeOfDays(400));
  EXPECT_EQ(WhyNot(in, Index::kWeightForAge), "weight_missing");
  EXPECT_EQ(WhyNot(in, Index::kLengthHeightForAge), "length_missing");
  EXPECT_EQ(WhyNot(in, Index::kWeightForLengthHeight), "weight_missing");
  EXPECT_EQ(WhyNot(in, Index::kBmiForAge), "weight_missing");
  EXPECT_EQ(WhyNot(in, Index::kHeadForAge), "head_missing");
  EXPECT_EQ(WhyNot(in, Index::kMuacForAge), "muac_missing");
  in.weight_g = 9'000;
  EXPECT_EQ(WhyNot(in, Index::kBmiForAge), "length_missing");
  in.length_mm = 750;
  in.head_mm = 460;
  in.muac_mm = 140;
  in.sex = v1::SEX_UNSPECIFIED;
  for (const Index index : {Index::kWeightForAge, Index::kLengthHeightForAge,
                            Index::kWeightForLengthHeight, Index::kBmiForAge, Index::kHeadForAge}) {
    EXPECT_EQ(WhyNot(in, index), "sex_unknown") << Word(index);
  }
  in.sex = kBoy;
  for (const double nobodys : {0.0, -5.0, 9e6}) {
    in.weight_g = in.length_mm = in.head_mm = in.muac_mm = nobodys;
    for (int i = 0; i < kIndices; ++i) {
      EXPECT_EQ(WhyNot(in, static_cast<Index>(i)), "measure_out_of_range") << nobodys;
    }
  }
}

TEST(GrowthAge, IsCountedInDaysAndRoundedHalfUpFromMonths) {
  EXPECT_EQ(AgeBetween(sys_days(year(2024) / 2 / 28), sys_days(year(2024) / 3 / 1)).days, 2);
  EXPECT_EQ(AgeOfMonths(24).days, 731);     // 730.5
  EXPECT_EQ(AgeOfMonths(22.45).days, 683);  // 683.3
  EXPECT_EQ(AgeOfMonths(0.016).days, 0);    // 0.487
  EXPECT_EQ(AgeOfMonths(61).days, 1857);
  EXPECT_EQ(AgeOfDays(487).months, 16);
}

TEST(GrowthWords, AreEachExplainedInTheDocument) {
  const std::string document = testing::SourceFile("docs/growth.md");
  const auto explained = [&document](std::string_view word) {
    EXPECT_NE(document.find("`" + std::string(word) + "`"), std::string::npos) << word;
  };
  for (int i = 0; i < kIndices; ++i) explained(Word(static_cast<Index>(i)));
  for (int i = 0; i <= static_cast<int>(GrowthClass::kObesitas2); ++i) {
    explained(Word(static_cast<GrowthClass>(i)));
  }
  for (int i = 0; i <= static_cast<int>(NotDerived::kLengthOutOfTable); ++i) {
    explained(Word(static_cast<NotDerived>(i)));
  }
}

}  // namespace
}  // namespace simpul::rules
