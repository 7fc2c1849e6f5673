// Each printed threshold at its bound, below and above, with its source; and docs/screening.md.
#include "lib/rules/screening.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/source_file.h"

namespace simpul::rules {
namespace {

using event::v1::SEX_FEMALE;
using event::v1::SEX_MALE;
using event::v1::SEX_UNSPECIFIED;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const ScreeningRules& Version1() { return ScreeningVersions().front(); }
const ScreeningRules& Version2() { return *FindScreeningRules(2); }

ScreenedPerson Years(int years, event::v1::Sex sex = SEX_FEMALE) {
  return {.age_months = years * 12, .sex = sex};
}

ScreenedPerson Pregnant(std::optional<int> gestation_days) {
  return {
      .age_months = 28 * 12, .sex = SEX_FEMALE, .pregnant = true, .gestation_days = gestation_days};
}

ScreenedPerson WithHypertension(int years) {
  ScreenedPerson person = Years(years);
  person.hypertension_or_diabetes = true;
  return person;
}

Amount Number(std::string_view text) {
  const std::optional<Amount> amount = ReadAmount(text);
  EXPECT_TRUE(amount) << text;
  return amount.value_or(Amount{});
}

// "kek puskesmas", or "not_derived: unit".
std::string Text(const ScreeningAnswer& answer) {
  if (answer.not_derived) return fmt::format("not_derived: {}", Word(*answer.not_derived));
  return fmt::format("{} {}", answer.word, Word(answer.level));
}

std::string SourceText(const ScreeningSource& source) {
  return fmt::format("{} [{}]", source.text, Word(source.basis));
}

// Nobody, where the table asks for no one: the tool was filled in.
const ScreenedPerson kAnyone = {};
const ScreenedPerson kTrimester1 = Pregnant(84);
const ScreenedPerson kTrimester2 = Pregnant(85);
const ScreenedPerson kTrimester3 = Pregnant(169);
const ScreenedPerson kAgeTwo = Years(2);
const ScreenedPerson kAgeThree = Years(3);
const ScreenedPerson kMan = Years(40, SEX_MALE);
const ScreenedPerson kWoman = Years(40);
const ScreenedPerson kOld = Years(60);
const ScreenedPerson kHypertensive = WithHypertension(40);

constexpr std::string_view kKmk = "KMK HK.01.07/MENKES/2015/2023 [V]";
constexpr std::string_view kPkg = "PKG guide 2025 [V]";
constexpr std::string_view kKmkPkg = "KMK HK.01.07/MENKES/2015/2023, PKG guide 2025 [V]";
constexpr std::string_view kForm = "home-visit form, in public software [R]";
constexpr std::string_view kOurs = "no print [decided by Simpul]";

struct NumberCase {
  std::string_view rule;
  ScreenedPerson person;
  std::string_view number;
  std::string_view says;
  std::string_view source;
};

const NumberCase kNumberCases[] = {
    {"lila_pregnancy", kTrimester1, "234", "kek puskesmas", kKmk},
    {"lila_pregnancy", kTrimester1, "235", "not_kek routine", kKmk},
    {"lila_pregnancy", kTrimester3, "236", "not_kek routine", kKmk},
    {"bmi_pregnancy_trimester_1", kTrimester1, "18.49", "underweight puskesmas", kKmk},
    {"bmi_pregnancy_trimester_1", kTrimester1, "18.5", "not_underweight routine", kKmk},
    {"bmi_pregnancy_trimester_1", kTrimester1, "18.51", "not_underweight routine", kKmk},
    {"hb_pregnancy_trimester_1_3", kTrimester1, "10.9", "anaemia not_said", kKmk},
    {"hb_pregnancy_trimester_1_3", kTrimester1, "11", "no_anaemia routine", kKmk},
    {"hb_pregnancy_trimester_1_3", kTrimester1, "11.1", "no_anaemia routine", kKmk},
    {"hb_pregnancy_trimester_1_3", kTrimester3, "10.9", "anaemia not_said", kKmk},
    {"hb_pregnancy_trimester_1_3", kTrimester3, "11", "no_anaemia routine", kKmk},
    {"hb_pregnancy_trimester_2", kTrimester2, "10.4", "anaemia not_said", kKmk},
    {"hb_pregnancy_trimester_2", kTrimester2, "10.5", "no_anaemia routine", kKmk},
    {"hb_pregnancy_trimester_2", Pregnant(168), "10.6", "no_anaemia routine", kKmk},
    {"urine_protein", kTrimester3, "0", "none routine", kKmk},
    {"urine_protein", kTrimester3, "1", "protein not_said", kKmk},
    {"urine_protein", kTrimester3, "2", "much_protein not_said", kKmk},
    {"urine_protein", kTrimester3, "3", "much_protein not_said", kKmk},
    {"risk_mother_age", kTrimester1, "19", "too_young not_said", kKmk},
    {"risk_mother_age", kTrimester1, "20", "age_ideal routine", kKmk},
    {"risk_mother_age", kTrimester1, "21", "age_ideal routine", kKmk},
    {"risk_mother_age", kTrimester1, "35", "age_ideal routine", kKmk},
    {"risk_mother_age", kTrimester1, "36", "too_old not_said", kKmk},
    {"risk_mother_age", kTrimester1, "37", "too_old not_said", kKmk},
    {"risk_children", kTrimester1, "2", "children_ideal routine", kKmk},
    {"risk_children", kTrimester1, "3", "too_many not_said", kKmk},
    {"risk_children", kTrimester1, "4", "too_many not_said", kKmk},
    {"risk_spacing", kTrimester1, "23", "too_close not_said", kKmk},
    {"risk_spacing", kTrimester1, "24", "too_close not_said", kKmk},
    {"risk_spacing", kTrimester1, "25", "spacing_ideal routine", kKmk},

    {"pulse_oximetry", kAnyone, "89", "refer_at_once emergency", kKmkPkg},
    {"pulse_oximetry", kAnyone, "90", "repeat recheck", kKmkPkg},
    {"pulse_oximetry", kAnyone, "91", "repeat recheck", kKmkPkg},
    {"pulse_oximetry", kAnyone, "94", "repeat recheck", kKmkPkg},
    {"pulse_oximetry", kAnyone, "95", "repeat recheck", kKmkPkg},
    {"pulse_oximetry", kAnyone, "96", "pass routine", kKmkPkg},
    {"pulse_oximetry_difference", kAnyone, "2", "small_difference routine", kKmkPkg},
    {"pulse_oximetry_difference", kAnyone, "3", "repeat recheck", kOurs},
    {"pulse_oximetry_difference", kAnyone, "4", "repeat recheck", kOurs},
    {"birth_weight", kAnyone, "999", "bblasr emergency", kKmkPkg},
    {"birth_weight", kAnyone, "1000", "bblsr emergency", kKmkPkg},
    {"birth_weight", kAnyone, "1001", "bblsr emergency", kKmkPkg},
    {"birth_weight", kAnyone, "1499", "bblsr emergency", kKmkPkg},
    {"birth_weight", kAnyone, "1500", "bblr_under_2000 emergency", kKmkPkg},
    {"birth_weight", kAnyone, "1501", "bblr_under_2000 emergency", kKmkPkg},
    {"birth_weight", kAnyone, "1999", "bblr_under_2000 emergency", kKmkPkg},
    {"birth_weight", kAnyone, "2000", "bblr puskesmas", kKmkPkg},
    {"birth_weight", kAnyone, "2001", "bblr puskesmas", kKmkPkg},
    {"birth_weight", kAnyone, "2499", "bblr puskesmas", kKmkPkg},
    {"birth_weight", kAnyone, "2500", "not_low routine", kKmkPkg},
    {"birth_weight", kAnyone, "2501", "not_low routine", kKmkPkg},
    {"gestation_at_birth", kAnyone, "258", "preterm not_said", kKmkPkg},
    {"gestation_at_birth", kAnyone, "259", "term routine", kKmkPkg},
    {"gestation_at_birth", kAnyone, "260", "term routine", kKmkPkg},
    {"gestation_at_birth", kAnyone, "293", "term routine", kKmkPkg},
    {"gestation_at_birth", kAnyone, "294", "post_term not_said", kKmkPkg},
    {"gestation_at_birth", kAnyone, "295", "post_term not_said", kKmkPkg},

    {"hearing_test", kAnyone, "0", "pass routine", kPkg},
    {"hearing_test", kAnyone, "1", "not_passed puskesmas", kPkg},
    {"hearing_test", kAnyone, "2", "not_passed puskesmas", kPkg},
    {"hb_age_2", kAgeTwo, "10.9", "low recheck", kPkg},
    {"hb_age_2", kAgeTwo, "11", "not_low routine", kPkg},
    {"hb_age_2", kAgeTwo, "11.1", "not_low routine", kPkg},
    {"mentzer", kAgeTwo, "12.9", "low puskesmas", kPkg},
    {"mentzer", kAgeTwo, "13", "not_low routine", kPkg},
    {"mentzer", kAgeTwo, "13.1", "not_low routine", kPkg},
    {"shine_lal", kAgeTwo, "1529.9", "low puskesmas", kPkg},
    {"shine_lal", kAgeTwo, "1530", "not_low routine", kPkg},
    {"shine_lal", kAgeTwo, "1530.1", "not_low routine", kPkg},
    {"glucose_random_age_2", kAgeTwo, "139", "not_high routine", kPkg},
    {"glucose_random_age_2", kAgeTwo, "140", "high recheck", kPkg},
    {"glucose_random_age_2", kAgeTwo, "141", "high recheck", kPkg},
    {"glucose_fasting_age_2", kAgeTwo, "99", "not_high routine", kPkg},
    {"glucose_fasting_age_2", kAgeTwo, "100", "high puskesmas", kPkg},
    {"glucose_fasting_age_2", kAgeTwo, "101", "high puskesmas", kPkg},
    {"tb_child_signs", kAgeThree, "0", "not_presumptive routine", kKmk},
    {"tb_child_signs", kAgeThree, "1", "presumptive puskesmas", kKmk},
    {"tb_child_signs", kAgeThree, "2", "presumptive puskesmas", kKmk},
    {"tb_child_score", kAnyone, "5", "no_class not_said", kKmk},
    {"tb_child_score", kAnyone, "6", "score_met puskesmas", kKmk},
    {"tb_child_score", kAnyone, "7", "score_met puskesmas", kKmk},

    {"glucose_random", kWoman, "99", "normal routine", kKmkPkg},
    {"glucose_random", kWoman, "100", "no_class not_said", kOurs},
    {"glucose_random", kWoman, "101", "no_class not_said", kOurs},
    {"glucose_random", kWoman, "139", "no_class not_said", kOurs},
    {"glucose_random", kWoman, "140", "prediabetes_range recheck", kKmkPkg},
    {"glucose_random", kWoman, "141", "prediabetes_range recheck", kKmkPkg},
    {"glucose_random", kWoman, "199", "prediabetes_range recheck", kKmkPkg},
    {"glucose_random", kWoman, "200", "diabetes_range puskesmas", kKmkPkg},
    {"glucose_random", kWoman, "201", "diabetes_range puskesmas", kKmkPkg},
    {"glucose_fasting", kWoman, "99", "normal routine", kKmkPkg},
    {"glucose_fasting", kWoman, "100", "prediabetes_range recheck", kKmkPkg},
    {"glucose_fasting", kWoman, "101", "prediabetes_range recheck", kKmkPkg},
    {"glucose_fasting", kWoman, "125.9", "prediabetes_range recheck", kKmkPkg},
    {"glucose_fasting", kWoman, "126", "diabetes_range puskesmas", kKmkPkg},
    {"glucose_fasting", kWoman, "127", "diabetes_range puskesmas", kKmkPkg},
    {"glucose_2h", kWoman, "139", "normal routine", kKmkPkg},
    {"glucose_2h", kWoman, "140", "prediabetes_range recheck", kKmkPkg},
    {"glucose_2h", kWoman, "141", "prediabetes_range recheck", kKmkPkg},
    {"glucose_2h", kWoman, "199", "prediabetes_range recheck", kKmkPkg},
    {"glucose_2h", kWoman, "200", "diabetes_range puskesmas", kKmkPkg},
    {"glucose_2h", kWoman, "201", "diabetes_range puskesmas", kKmkPkg},
    {"hba1c", kWoman, "5.6", "normal routine", kKmkPkg},
    {"hba1c", kWoman, "5.7", "prediabetes_range recheck", kKmkPkg},
    {"hba1c", kWoman, "5.8", "prediabetes_range recheck", kKmkPkg},
    {"hba1c", kWoman, "6.4", "prediabetes_range recheck", kKmkPkg},
    {"hba1c", kWoman, "6.5", "diabetes_range puskesmas", kKmkPkg},
    {"hba1c", kWoman, "6.6", "diabetes_range puskesmas", kKmkPkg},
    {"waist_men", kMan, "899", "not_central_obesity routine", kKmkPkg},
    {"waist_men", kMan, "900", "not_central_obesity routine", kKmkPkg},
    {"waist_men", kMan, "901", "central_obesity not_said", kKmkPkg},
    {"waist_women", kWoman, "799", "not_central_obesity routine", kKmkPkg},
    {"waist_women", kWoman, "800", "not_central_obesity routine", kKmkPkg},
    {"waist_women", kWoman, "801", "central_obesity not_said", kKmkPkg},
    {"puma", kAnyone, "5", "not_high routine", kKmkPkg},
    {"puma", kAnyone, "6", "high puskesmas", kKmkPkg},
    {"puma", kAnyone, "7", "high puskesmas", kKmkPkg},
    {"srq_20", kAnyone, "5", "normal routine", kKmkPkg},
    {"srq_20", kAnyone, "6", "abnormal puskesmas", kKmkPkg},
    {"srq_20", kAnyone, "7", "abnormal puskesmas", kKmkPkg},
    {"assist_alcohol", kAnyone, "10", "low routine", kKmkPkg},
    {"assist_alcohol", kAnyone, "11", "moderate puskesmas", kKmkPkg},
    {"assist_alcohol", kAnyone, "12", "moderate puskesmas", kKmkPkg},
    {"assist_alcohol", kAnyone, "26", "moderate puskesmas", kKmkPkg},
    {"assist_alcohol", kAnyone, "27", "high puskesmas", kKmkPkg},
    {"assist_alcohol", kAnyone, "28", "high puskesmas", kKmkPkg},
    {"assist_other", kAnyone, "3", "low routine", kKmkPkg},
    {"assist_other", kAnyone, "4", "moderate puskesmas", kKmkPkg},
    {"assist_other", kAnyone, "5", "moderate puskesmas", kKmkPkg},
    {"assist_other", kAnyone, "26", "moderate puskesmas", kKmkPkg},
    {"assist_other", kAnyone, "27", "high puskesmas", kKmkPkg},
    {"assist_other", kAnyone, "28", "high puskesmas", kKmkPkg},
    {"visual_acuity", kWoman, "0.499", "low recheck", kKmkPkg},
    {"visual_acuity", kWoman, "0.5", "not_low routine", kKmkPkg},
    {"visual_acuity", kWoman, "0.501", "not_low routine", kKmkPkg},
    {"whisper", kAnyone, "3", "not_passed not_said", kKmkPkg},
    {"whisper", kAnyone, "4", "pass routine", kKmkPkg},
    {"whisper", kAnyone, "5", "pass routine", kKmkPkg},
    {"bowel", kAnyone, "3", "not_high routine", kKmkPkg},
    {"bowel", kAnyone, "4", "high not_said", kKmkPkg},
    {"bowel", kAnyone, "5", "high not_said", kKmkPkg},
    {"apri", kWoman, "0.49", "not_high routine", kKmkPkg},
    {"apri", kWoman, "0.5", "not_high routine", kKmkPkg},
    {"apri", kWoman, "0.5001", "high puskesmas", kKmkPkg},
    {"cholesterol", kHypertensive, "199", "not_flagged routine", kKmkPkg},
    {"cholesterol", kHypertensive, "200", "flagged puskesmas", kKmkPkg},
    {"cholesterol", kHypertensive, "201", "flagged puskesmas", kKmkPkg},
    {"ldl", kHypertensive, "99", "not_flagged routine", kKmkPkg},
    {"ldl", kHypertensive, "100", "flagged puskesmas", kKmkPkg},
    {"ldl", kHypertensive, "101", "flagged puskesmas", kKmkPkg},
    {"triglycerides", kHypertensive, "149", "not_flagged routine", kKmkPkg},
    {"triglycerides", kHypertensive, "150", "flagged puskesmas", kKmkPkg},
    {"triglycerides", kHypertensive, "151", "flagged puskesmas", kKmkPkg},
    {"hdl", kHypertensive, "59", "flagged puskesmas", kKmkPkg},
    {"hdl", kHypertensive, "60", "not_flagged routine", kKmkPkg},
    {"hdl", kHypertensive, "61", "not_flagged routine", kKmkPkg},
    {"egfr", kHypertensive, "89", "flagged puskesmas", kKmkPkg},
    {"egfr", kHypertensive, "90", "not_flagged routine", kKmkPkg},
    {"egfr", kHypertensive, "91", "not_flagged routine", kKmkPkg},

    {"aks", kAnyone, "4", "total hospital", kKmkPkg},
    {"aks", kAnyone, "5", "severe hospital", kKmkPkg},
    {"aks", kAnyone, "6", "severe hospital", kKmkPkg},
    {"aks", kAnyone, "8", "severe hospital", kKmkPkg},
    {"aks", kAnyone, "9", "moderate hospital", kKmkPkg},
    {"aks", kAnyone, "10", "moderate hospital", kKmkPkg},
    {"aks", kAnyone, "11", "moderate hospital", kKmkPkg},
    {"aks", kAnyone, "12", "light pustu", kKmkPkg},
    {"aks", kAnyone, "13", "light pustu", kKmkPkg},
    {"aks", kAnyone, "19", "light pustu", kKmkPkg},
    {"aks", kAnyone, "20", "independent routine", kKmkPkg},
    {"skilas", kAnyone, "0", "none_ticked routine", kKmkPkg},
    {"skilas", kAnyone, "1", "ticked not_said", kKmkPkg},
    {"skilas", kAnyone, "2", "ticked not_said", kKmkPkg},
    {"skilas_chair_stand", kOld, "13.9", "in_time routine", kKmkPkg},
    {"skilas_chair_stand", kOld, "14", "in_time routine", kKmkPkg},
    {"skilas_chair_stand", kOld, "14.1", "too_slow not_said", kKmkPkg},
    {"skilas_weight_loss", kOld, "2999", "not_lost routine", kKmkPkg},
    {"skilas_weight_loss", kOld, "3000", "not_lost routine", kKmkPkg},
    {"skilas_weight_loss", kOld, "3001", "lost not_said", kKmkPkg},
    {"skilas_lila", kOld, "209", "low not_said", kKmkPkg},
    {"skilas_lila", kOld, "210", "not_low routine", kKmkPkg},
    {"skilas_lila", kOld, "211", "not_low routine", kKmkPkg},
    {"mini_cog", kAnyone, "2", "impaired not_said", kKmkPkg},
    {"mini_cog", kAnyone, "3", "not_impaired routine", kKmkPkg},
    {"mini_cog", kAnyone, "4", "not_impaired routine", kKmkPkg},
    {"amt", kAnyone, "3", "0_3 not_said", kKmkPkg},
    {"amt", kAnyone, "4", "4_7 not_said", kKmkPkg},
    {"amt", kAnyone, "5", "4_7 not_said", kKmkPkg},
    {"amt", kAnyone, "7", "4_7 not_said", kKmkPkg},
    {"amt", kAnyone, "8", "8_10 routine", kKmkPkg},
    {"amt", kAnyone, "9", "8_10 routine", kKmkPkg},
    {"mna_sf", kAnyone, "11", "risk not_said", kKmkPkg},
    {"mna_sf", kAnyone, "12", "normal routine", kKmkPkg},
    {"mna_sf", kAnyone, "13", "normal routine", kKmkPkg},
    {"gds_4", kAnyone, "0", "0 routine", kKmkPkg},
    {"gds_4", kAnyone, "1", "1 not_said", kKmkPkg},
    {"gds_4", kAnyone, "2", "2_4 not_said", kKmkPkg},
    {"gds_4", kAnyone, "3", "2_4 not_said", kKmkPkg},
    {"rapuh", kAnyone, "0", "0 routine", kKmkPkg},
    {"rapuh", kAnyone, "1", "1_2 not_said", kKmkPkg},
    {"rapuh", kAnyone, "2", "1_2 not_said", kKmkPkg},
    {"rapuh", kAnyone, "3", "3_or_more not_said", kKmkPkg},
    {"rapuh", kAnyone, "4", "3_or_more not_said", kKmkPkg},

    {"fever", kAnyone, "37.4", "no_fever routine", kForm},
    {"fever", kAnyone, "37.5", "fever not_said", kForm},
    {"fever", kAnyone, "37.6", "fever not_said", kForm},
};

struct PressureCase {
  std::string_view rule;
  ScreenedPerson person;
  uint32_t systolic_mmhg;
  uint32_t diastolic_mmhg;
  std::optional<int> protein_plus;
  bool danger_sign;
  std::string_view says;
  std::string_view source;
};

const ScreenedPerson kTeen = Years(13);
const ScreenedPerson kAdult = Years(18);
const ScreenedPerson kAfter20Weeks = Pregnant(141);

const PressureCase kPressureCases[] = {
    {"pre_eclampsia", kAfter20Weeks, 139, 89, 2, false, "no_pre_eclampsia routine", kKmk},
    {"pre_eclampsia", kAfter20Weeks, 140, 89, 0, false, "no_pre_eclampsia routine", kKmk},
    {"pre_eclampsia", kAfter20Weeks, 140, 89, 1, false, "pre_eclampsia urgent", kKmk},
    {"pre_eclampsia", kAfter20Weeks, 141, 89, 1, false, "pre_eclampsia urgent", kKmk},
    {"pre_eclampsia", kAfter20Weeks, 139, 90, 1, false, "pre_eclampsia urgent", kKmk},
    {"pre_eclampsia", kAfter20Weeks, 139, 91, 1, false, "pre_eclampsia urgent", kKmk},
    {"pre_eclampsia", kAfter20Weeks, 140, 90, 2, false, "severe_pre_eclampsia emergency", kKmk},
    {"pre_eclampsia", kAfter20Weeks, 140, 90, 3, false, "severe_pre_eclampsia emergency", kKmk},
    {"pre_eclampsia", kAfter20Weeks, 159, 109, 1, false, "pre_eclampsia urgent", kKmk},
    {"pre_eclampsia", kAfter20Weeks, 160, 109, 1, false, "severe_pre_eclampsia emergency", kKmk},
    {"pre_eclampsia", kAfter20Weeks, 161, 109, 0, false, "severe_pre_eclampsia emergency", kKmk},
    {"pre_eclampsia", kAfter20Weeks, 159, 110, {}, false, "severe_pre_eclampsia emergency", kKmk},
    {"pre_eclampsia", kAfter20Weeks, 159, 111, 1, false, "severe_pre_eclampsia emergency", kKmk},

    {"blood_pressure_adolescent", kTeen, 119, 79, {}, false, "normal routine", kKmk},
    {"blood_pressure_adolescent", kTeen, 120, 79, {}, false, "raised not_said", kKmk},
    {"blood_pressure_adolescent", kTeen, 121, 79, {}, false, "raised not_said", kKmk},
    {"blood_pressure_adolescent", kTeen, 129, 79, {}, false, "raised not_said", kKmk},
    {"blood_pressure_adolescent", kTeen, 130, 79, {}, false, "stage_1 puskesmas", kKmk},
    {"blood_pressure_adolescent", kTeen, 131, 79, {}, false, "stage_1 puskesmas", kKmk},
    {"blood_pressure_adolescent", kTeen, 119, 80, {}, false, "stage_1 puskesmas", kKmk},
    {"blood_pressure_adolescent", kTeen, 119, 81, {}, false, "stage_1 puskesmas", kKmk},
    {"blood_pressure_adolescent", kTeen, 139, 89, {}, false, "stage_1 puskesmas", kKmk},
    {"blood_pressure_adolescent", kTeen, 140, 89, {}, false, "stage_2 puskesmas", kKmk},
    {"blood_pressure_adolescent", kTeen, 141, 89, {}, false, "stage_2 puskesmas", kKmk},
    {"blood_pressure_adolescent", kTeen, 139, 90, {}, false, "stage_2 puskesmas", kKmk},
    {"blood_pressure_adolescent", kTeen, 139, 91, {}, false, "stage_2 puskesmas", kKmk},

    {"blood_pressure_adult", kAdult, 119, 79, {}, false, "optimal routine", kKmkPkg},
    {"blood_pressure_adult", kAdult, 120, 79, {}, false, "normal routine", kKmkPkg},
    {"blood_pressure_adult", kAdult, 121, 79, {}, false, "normal routine", kKmkPkg},
    {"blood_pressure_adult", kAdult, 119, 80, {}, false, "normal routine", kKmkPkg},
    {"blood_pressure_adult", kAdult, 119, 81, {}, false, "normal routine", kKmkPkg},
    {"blood_pressure_adult", kAdult, 129, 84, {}, false, "normal routine", kKmkPkg},
    {"blood_pressure_adult", kAdult, 130, 84, {}, false, "high_normal recheck", kKmkPkg},
    {"blood_pressure_adult", kAdult, 131, 84, {}, false, "high_normal recheck", kKmkPkg},
    {"blood_pressure_adult", kAdult, 129, 85, {}, false, "high_normal recheck", kKmkPkg},
    {"blood_pressure_adult", kAdult, 129, 86, {}, false, "high_normal recheck", kKmkPkg},
    {"blood_pressure_adult", kAdult, 139, 89, {}, false, "high_normal recheck", kKmkPkg},
    {"blood_pressure_adult", kAdult, 140, 89, {}, false, "ht_1 puskesmas", kKmkPkg},
    {"blood_pressure_adult", kAdult, 141, 89, {}, false, "ht_1 puskesmas", kKmkPkg},
    {"blood_pressure_adult", kAdult, 139, 90, {}, false, "ht_1 puskesmas", kKmkPkg},
    {"blood_pressure_adult", kAdult, 138, 92, {}, false, "ht_1 puskesmas", kKmkPkg},
    {"blood_pressure_adult", kAdult, 159, 99, {}, false, "ht_1 puskesmas", kKmkPkg},
    {"blood_pressure_adult", kAdult, 160, 99, {}, false, "ht_2 puskesmas", kKmkPkg},
    {"blood_pressure_adult", kAdult, 161, 99, {}, false, "ht_2 puskesmas", kKmkPkg},
    {"blood_pressure_adult", kAdult, 159, 100, {}, false, "ht_2 puskesmas", kKmkPkg},
    {"blood_pressure_adult", kAdult, 159, 101, {}, false, "ht_2 puskesmas", kKmkPkg},
    {"blood_pressure_adult", kAdult, 179, 109, {}, false, "ht_2 puskesmas", kKmkPkg},
    {"blood_pressure_adult", kAdult, 180, 109, {}, false, "ht_3 puskesmas", kKmkPkg},
    {"blood_pressure_adult", kAdult, 181, 109, {}, false, "ht_3 puskesmas", kKmkPkg},
    {"blood_pressure_adult", kAdult, 179, 110, {}, false, "ht_3 puskesmas", kKmkPkg},
    {"blood_pressure_adult", kAdult, 179, 111, {}, false, "ht_3 puskesmas", kKmkPkg},

    {"isolated_systolic", kAdult, 139, 89, {}, false, "", ""},
    {"isolated_systolic", kAdult, 140, 89, {}, false, "isolated_systolic puskesmas", kKmkPkg},
    {"isolated_systolic", kAdult, 141, 89, {}, false, "isolated_systolic puskesmas", kKmkPkg},
    {"isolated_systolic", kAdult, 141, 90, {}, false, "", ""},
    {"isolated_systolic", kAdult, 141, 91, {}, false, "", ""},
    {"blood_pressure_danger", kAdult, 139, 89, {}, true, "", ""},
    {"blood_pressure_danger", kAdult, 140, 89, {}, true, "high_with_danger_sign hospital", kKmkPkg},
    {"blood_pressure_danger", kAdult, 141, 89, {}, true, "high_with_danger_sign hospital", kKmkPkg},
    {"blood_pressure_danger", kAdult, 139, 90, {}, true, "high_with_danger_sign hospital", kKmkPkg},
    {"blood_pressure_danger", kAdult, 139, 91, {}, true, "high_with_danger_sign hospital", kKmkPkg},
    {"blood_pressure_danger", kAdult, 141, 91, {}, false, "", ""},
};

struct WordCase {
  std::string_view rule;
  std::string_view word;
  std::string_view says;
  std::string_view source;
};

const WordCase kWordCases[] = {
    {"shk_range", "within_range", "within_range routine", kKmkPkg},
    {"shk_range", "high", "high hospital", kKmkPkg},
    {"g6pd", "negative", "negative routine", kKmkPkg},
    {"g6pd", "positive", "positive hospital", kKmkPkg},
    {"cah", "negative", "negative routine", kKmkPkg},
    {"cah", "positive", "positive hospital", kKmkPkg},
    {"pulse_oximetry_repeated", "refer", "refer hospital", kKmkPkg},
    {"stool_colour", "not_pale", "not_pale routine", kKmkPkg},
    {"stool_colour", "pale", "pale puskesmas", kKmkPkg},
    {"kpsp", "fits_age", "fits_age routine", kPkg},
    {"kpsp", "doubtful", "doubtful recheck", kPkg},
    {"kpsp", "doubtful_again", "doubtful_again puskesmas", kPkg},
    {"kpsp", "deviation", "deviation puskesmas", kPkg},
    {"tumbling_e", "pass", "pass routine", kPkg},
    {"tumbling_e", "not_passed", "not_passed not_said", kPkg},
    {"mtbs_colour", "green", "green not_said", kKmk},
    {"mtbs_colour", "yellow", "yellow puskesmas", kKmk},
    {"mtbs_colour", "red", "red hospital", kKmk},
    {"srq_20_item_17", "abnormal_item_17", "abnormal_item_17 urgent", kKmkPkg},
    {"pupil", "not_grey", "not_grey routine", kKmkPkg},
    {"pupil", "grey", "grey puskesmas", kKmkPkg},
    {"hbsag", "non_reactive", "non_reactive routine", kOurs},
    {"hbsag", "reactive", "reactive puskesmas", kOurs},
    {"anti_hcv", "non_reactive", "non_reactive routine", kOurs},
    {"anti_hcv", "reactive", "reactive puskesmas", kOurs},
    {"tb_symptom", "not_presumptive", "not_presumptive routine", kKmk},
    {"tb_symptom", "close_contact", "close_contact puskesmas", kKmk},
    {"tb_symptom", "presumptive", "presumptive puskesmas", kKmk},
    {"danger_sign", "danger_sign", "danger_sign urgent", kForm},
    {"danger_sign", "convulsion", "convulsion emergency", kForm},
};

const ScreeningRule& RuleOf(std::string_view id) {
  const ScreeningRule* rule = FindScreeningRule(Version1(), id);
  EXPECT_NE(rule, nullptr) << id;
  return rule == nullptr ? Version1().rules.front() : *rule;
}

ScreeningAnswer Answer(const NumberCase& one) {
  return ScreenAmount(Version1(), RuleOf(one.rule).input, one.person, Number(one.number));
}

std::optional<ScreeningAnswer> Answer(const PressureCase& one) {
  const std::vector<ScreeningAnswer> answers =
      ScreenBloodPressure(Version1(), one.person,
                          {.systolic_mmhg = one.systolic_mmhg,
                           .diastolic_mmhg = one.diastolic_mmhg,
                           .danger_sign = one.danger_sign,
                           .protein_plus = one.protein_plus});
  const auto found = std::ranges::find(answers, one.rule, &ScreeningAnswer::rule);
  if (found == answers.end()) return std::nullopt;
  return *found;
}

ScreeningAnswer Answer(const WordCase& one) {
  return ScreenWord(Version1(), RuleOf(one.rule).input, one.word);
}

// Thresholds.

TEST(Screening, ClassesEachNumberBelowAtAndAboveItsPrintedBound) {
  for (const NumberCase& one : kNumberCases) {
    SCOPED_TRACE(fmt::format("{} {}", one.rule, one.number));
    const ScreeningAnswer answer = Answer(one);
    EXPECT_EQ(answer.rule, one.rule);
    EXPECT_EQ(Text(answer), one.says);
    EXPECT_EQ(SourceText(answer.source), one.source);
    EXPECT_EQ(answer.version, 1U);
  }
}

TEST(Screening, GradesBloodPressureByTheWorseOfItsTwoNumbers) {
  for (const PressureCase& one : kPressureCases) {
    SCOPED_TRACE(fmt::format("{} {}/{}", one.rule, one.systolic_mmhg, one.diastolic_mmhg));
    const std::optional<ScreeningAnswer> answer = Answer(one);
    EXPECT_EQ(answer ? Text(*answer) : "", one.says);
    EXPECT_EQ(answer ? SourceText(answer->source) : "", one.source);
  }
}

TEST(Screening, TakesEachWordOfEachResultList) {
  for (const WordCase& one : kWordCases) {
    SCOPED_TRACE(fmt::format("{} {}", one.rule, one.word));
    const ScreeningAnswer answer = Answer(one);
    EXPECT_EQ(answer.rule, one.rule);
    EXPECT_EQ(Text(answer), one.says);
    EXPECT_EQ(SourceText(answer.source), one.source);
  }
}

TEST(Screening, EveryRowOfTheDataIsReachedByACaseAbove) {
  std::set<std::pair<std::string, std::string>> reached;
  const auto reach = [&reached](const ScreeningAnswer& answer) {
    reached.emplace(answer.rule, answer.word);
  };
  for (const NumberCase& one : kNumberCases) reach(Answer(one));
  for (const WordCase& one : kWordCases) reach(Answer(one));
  for (const PressureCase& one : kPressureCases) {
    if (const std::optional<ScreeningAnswer> answer = Answer(one)) reach(*answer);
  }
  for (const ScreeningRule& rule : Version1().rules) {
    if (!rule.off.empty()) continue;
    for (const ScreeningRow& row : rule.rows) {
      EXPECT_EQ(reached.count({std::string(rule.id), std::string(row.word)}), 1U)
          << rule.id << " " << row.word;
    }
  }
}

// Values below, at and above the bound that a case has tried.
struct Tried {
  bool below = false;
  bool at = false;
  bool above = false;

  void Try(Amount amount, Bound bound) {
    const Bound next = {.thousandths = bound.thousandths, .above = true};
    below = below || !Reaches(amount, {.thousandths = bound.thousandths});
    at = at || amount == Amount{.thousandths = bound.thousandths};
    above = above || Reaches(amount, next);
  }
  bool all() const { return below && at && above; }
};

bool IsPrinted(Bound bound) {
  return bound != Bound{} && bound.thousandths != std::numeric_limits<int64_t>::max();
}

TEST(Screening, EveryBoundOfTheDataIsTriedBelowAtAndAbove) {
  for (const ScreeningRule& rule : Version1().rules) {
    if (!rule.off.empty() || rule.unit.empty()) continue;
    for (const ScreeningRow& row : rule.rows) {
      SCOPED_TRACE(fmt::format("{} {}", rule.id, row.word));
      Tried first;
      Tried second;
      for (const NumberCase& one : kNumberCases) {
        if (one.rule == rule.id) first.Try(Number(one.number), row.from);
      }
      for (const PressureCase& one : kPressureCases) {
        if (one.rule != rule.id) continue;
        first.Try(Amount::Whole(one.systolic_mmhg), row.from);
        second.Try(Amount::Whole(one.diastolic_mmhg), row.second);
      }
      const bool top_of_the_tool = rule.most && row.from == Bound{.thousandths = *rule.most * 1000};
      EXPECT_TRUE(!IsPrinted(row.from) || first.all() || (top_of_the_tool && first.at));
      EXPECT_TRUE(!IsPrinted(row.second) || second.all());
    }
  }
}

// The data.

TEST(Screening, DataIsInOrderAndSaysWhereItComesFrom) {
  std::set<std::string_view> ids;
  for (const ScreeningRule& rule : Version1().rules) {
    SCOPED_TRACE(rule.id);
    EXPECT_TRUE(ids.insert(rule.id).second);
    EXPECT_FALSE(rule.input.empty());
    std::set<std::string_view> words;
    for (size_t at = 0; at < rule.rows.size(); ++at) {
      const ScreeningRow& row = rule.rows[at];
      EXPECT_TRUE(words.insert(row.word).second) << row.word;
      EXPECT_FALSE(row.source.text.empty()) << row.word;
      EXPECT_EQ(row.source.basis == ScreeningBasis::kUnsourced, rule.off.starts_with("no source"))
          << "what is not sourced is off";
      if (at > 0 && !rule.unit.empty()) {
        EXPECT_GT(row.from.thousandths, rule.rows[at - 1].from.thousandths) << row.word;
      }
    }
  }
}

TEST(Screening, KnowsItsVersionsAndNoOther) {
  EXPECT_EQ(FindScreeningRules(1), &ScreeningVersions().front());
  EXPECT_EQ(FindScreeningRules(0), nullptr);
  EXPECT_EQ(FindScreeningRules(2), &ScreeningVersions().back());
  EXPECT_EQ(FindScreeningRules(3), nullptr);
}

TEST(Screening, EveryVersionHasTheRulesThatTheCodeNames) {
  for (const ScreeningRules& rules : ScreeningVersions()) {
    for (const std::string_view id :
         {"urine_protein", "pulse_oximetry", "shk_range", "isolated_systolic",
          "blood_pressure_danger", "pre_eclampsia", "srq_20", "srq_20_item_17", "visual_acuity",
          "mentzer", "shine_lal"}) {
      const ScreeningRule* rule = FindScreeningRule(rules, id);
      ASSERT_NE(rule, nullptr) << id;
      EXPECT_FALSE(rule->rows.empty()) << id;
    }
    EXPECT_EQ(FindScreeningRule(rules, "urine_protein")->rows.size(), 3U);
    EXPECT_EQ(FindScreeningRule(rules, "pre_eclampsia")->rows.size(), 3U);
  }
}

// The card's bounds, and nothing else.
TEST(Screening, Version2HasTheBoundsOfThePosyanduCardWhereItDisagreesWithTheDecree) {
  const ScreenedPerson pregnant = {.pregnant = true};
  const auto kek = [&](const ScreeningRules& rules, std::string_view mm) {
    return std::string(ScreenAmount(rules, "muac", pregnant, Number(mm)).word);
  };
  for (const auto& [mm, by_decree, by_card] :
       std::vector<std::array<std::string, 3>>{{"234", "kek", "kek"},
                                               {"235", "not_kek", "kek"},
                                               {"235.1", "not_kek", "not_kek"},
                                               {"236", "not_kek", "not_kek"}}) {
    EXPECT_EQ(kek(Version1(), mm), by_decree) << mm;
    EXPECT_EQ(kek(Version2(), mm), by_card) << mm;
  }
  const auto child = [](const ScreeningRules& rules, TbSigns signs) {
    signs.fever = signs.weight = signs.lethargy = signs.nodes = false;
    return ScreenTbSigns(rules, Years(5), signs);
  };
  const ScreeningAnswer one = child(Version2(), {.cough = true, .contact = false});
  EXPECT_EQ(one.word, "not_presumptive");
  EXPECT_EQ(one.version, 2U);
  EXPECT_EQ(one.source.basis, ScreeningBasis::kReported);
  EXPECT_EQ(child(Version1(), {.cough = true, .contact = false}).word, "presumptive");
  EXPECT_EQ(child(Version2(), {.cough = true, .contact = true}).word, "close_contact");
  EXPECT_EQ(ScreenAmount(Version2(), "tb_signs", Years(5), Number("2")).word, "presumptive");
}

TEST(Screening, Version2SharesEveryOtherRowWithVersion1) {
  ASSERT_EQ(Version2().rules.size(), Version1().rules.size());
  std::vector<std::string_view> others;
  for (size_t at = 0; at < Version1().rules.size(); ++at) {
    const ScreeningRule& first = Version1().rules[at];
    const ScreeningRule& second = Version2().rules[at];
    EXPECT_EQ(first.id, second.id);
    EXPECT_EQ(first.off, second.off) << first.id;
    if (first.rows.data() != second.rows.data()) others.push_back(first.id);
  }
  EXPECT_THAT(others, ::testing::ElementsAre("lila_pregnancy", "tb_child_signs"));
}

TEST(Screening, WhatWaitsForASourceAnswersNothing) {
  const ScreeningRules& rules = Version1();
  EXPECT_EQ(Text(ScreenAmount(rules, "tsh_cut_off", {}, Number("30"))), "not_derived: off");
  EXPECT_EQ(Text(ScreenAmount(rules, "haemoglobin", Years(12), Number("8"))), "not_derived: off");
  EXPECT_EQ(Text(ScreenAmount(rules, "haemoglobin", Years(5), Number("8"))), "not_derived: off");
  EXPECT_EQ(Text(ScreenAmount(rules, "tb_signs", Years(15), Number("4"))), "not_derived: off");
  EXPECT_EQ(Text(ScreenBloodPressure(rules, Years(12), {.systolic_mmhg = 150, .diastolic_mmhg = 95})
                     .front()),
            "not_derived: off");
}

TEST(Screening, ToolsWithoutPrintedBandsHaveNoTable) {
  for (const std::string_view tool :
       {"SDQ", "MTBS", "EPDS", "PHQ-9", "GDS-15", "SPPB", "SARC-CALF", "AD-8", "KPSP", "TB-SYMPTOM",
        "SADANIS", "IVA", "LUNG", "A-TOOL-NOBODY-DEFINED"}) {
    EXPECT_EQ(Text(ScreenScore(Version1(), tool, 12)), "not_derived: no_table") << tool;
  }
  EXPECT_EQ(Text(ScreenWord(Version1(), "SDQ", "abnormal")), "not_derived: no_table");
  EXPECT_EQ(Text(ScreenWord(Version1(), "PUMA", "high")), "not_derived: no_table");
  EXPECT_EQ(Text(ScreenWord(Version1(), "pupil_reflex", "absent")), "not_derived: no_table");
  EXPECT_EQ(Text(ScreenWord(Version1(), "KPSP", "meragukan")), "not_derived: unknown_result");
}

TEST(Screening, ScoresNoOneCanHaveAreNoScores) {
  for (const ScreeningRule& rule : Version1().rules) {
    if (!rule.most) continue;
    SCOPED_TRACE(rule.id);
    EXPECT_EQ(Text(ScreenAmount(Version1(), rule.input, {}, Amount::Whole(*rule.most + 1))),
              "not_derived: out_of_range");
    EXPECT_EQ(Text(ScreenAmount(Version1(), rule.input, {}, Amount::Whole(-1))),
              "not_derived: out_of_range");
    EXPECT_FALSE(ScreenAmount(Version1(), rule.input, {}, Amount::Whole(*rule.most)).not_derived);
  }
}

TEST(Screening, ARecordedResultIsTheFirstClassThatHasItUnlessLevelsDiffer) {
  using namespace event::v1;
  const auto recorded = [](std::string_view tool, ScreeningResult result) {
    return Text(ScreenResult(Version1(), tool, result));
  };
  EXPECT_EQ(recorded("KPSP", SCREENING_RESULT_NORMAL), "fits_age routine");
  EXPECT_EQ(recorded("KPSP", SCREENING_RESULT_NEEDS_CHECK), "doubtful recheck");
  EXPECT_EQ(recorded("KPSP", SCREENING_RESULT_ABNORMAL), "deviation puskesmas");
  EXPECT_EQ(recorded("TB-SYMPTOM", SCREENING_RESULT_PRESUMPTIVE), "presumptive puskesmas");
  EXPECT_EQ(recorded("TB-SYMPTOM", SCREENING_RESULT_NEEDS_CHECK), "close_contact puskesmas");
  EXPECT_EQ(recorded("PUMA", SCREENING_RESULT_ABNORMAL), "high puskesmas");
  EXPECT_EQ(recorded("AKS", SCREENING_RESULT_NORMAL), "independent routine");
  EXPECT_EQ(recorded("AKS", SCREENING_RESULT_ABNORMAL), "not_derived: unknown_result");
  EXPECT_EQ(recorded("MTBS-COLOUR", SCREENING_RESULT_ABNORMAL), "not_derived: unknown_result");
  EXPECT_EQ(recorded("PUMA", SCREENING_RESULT_INCONCLUSIVE), "not_derived: unknown_result");
  EXPECT_EQ(recorded("PUMA", SCREENING_RESULT_UNSPECIFIED), "not_derived: missing");
  EXPECT_EQ(recorded("SRQ-20", SCREENING_RESULT_ABNORMAL), "abnormal puskesmas");
  EXPECT_EQ(recorded("SRQ-20", SCREENING_RESULT_NORMAL), "not_derived: answers_missing");
  EXPECT_EQ(recorded("ASSIST", SCREENING_RESULT_ABNORMAL), "not_derived: substance_unknown");
  EXPECT_EQ(recorded("SDQ", SCREENING_RESULT_ABNORMAL), "not_derived: no_table");
  EXPECT_EQ(recorded("A-TOOL-NOBODY-DEFINED", SCREENING_RESULT_NORMAL), "not_derived: no_table");
}

TEST(Screening, AssistIsClassedBySubstance) {
  EXPECT_EQ(Text(ScreenScore(Version1(), "ASSIST", 8)), "not_derived: substance_unknown");
  EXPECT_EQ(Text(ScreenScore(Version1(), "ASSIST-ALCOHOL", 8)), "low routine");
  EXPECT_EQ(Text(ScreenScore(Version1(), "ASSIST-OTHER", 8)), "moderate puskesmas");
}

// Whom a table holds for.

TEST(Screening, TablesHoldForTheirAgesOnly) {
  const ScreeningRules& rules = Version1();
  const auto pressure = [&rules](int months) {
    return ScreenBloodPressure(rules, {.age_months = months},
                               {.systolic_mmhg = 139, .diastolic_mmhg = 79})
        .front();
  };
  EXPECT_EQ(pressure(155).rule, "blood_pressure_child");
  EXPECT_EQ(pressure(156).rule, "blood_pressure_adolescent");
  EXPECT_EQ(pressure(215).rule, "blood_pressure_adolescent");
  EXPECT_EQ(pressure(216).rule, "blood_pressure_adult");

  const auto glucose = [&rules](int months) {
    return Text(ScreenAmount(rules, "glucose_random", {.age_months = months}, Amount::Whole(140)));
  };
  EXPECT_EQ(glucose(23), "not_derived: age_out_of_table");
  EXPECT_EQ(glucose(24), "high recheck");
  EXPECT_EQ(glucose(35), "high recheck");
  EXPECT_EQ(glucose(36), "not_derived: age_out_of_table");
  EXPECT_EQ(glucose(179), "not_derived: age_out_of_table");
  EXPECT_EQ(glucose(180), "prediabetes_range recheck");
  EXPECT_EQ(Text(ScreenAmount(rules, "glucose_random", {}, Amount::Whole(140))),
            "not_derived: age_unknown");

  EXPECT_EQ(Text(ScreenAmount(rules, "haemoglobin", kMan, Number("9"))),
            "not_derived: age_out_of_table");
  EXPECT_EQ(Text(ScreenAmount(rules, "muac", {.age_months = 719, .sex = SEX_MALE}, Number("200"))),
            "not_derived: age_out_of_table");
  EXPECT_EQ(Text(ScreenAmount(rules, "tb_signs", {.age_months = 179}, Amount::Whole(1))),
            "presumptive puskesmas");
}

TEST(Screening, WaistIsJudgedBySexAndWithoutOnlyWhereBothAgree) {
  const ScreeningRules& rules = Version1();
  const ScreenedPerson unknown = Years(30, SEX_UNSPECIFIED);
  EXPECT_EQ(Text(ScreenAmount(rules, "waist", unknown, Number("800"))),
            "not_central_obesity routine");
  EXPECT_EQ(Text(ScreenAmount(rules, "waist", unknown, Number("801"))), "not_derived: sex_unknown");
  EXPECT_EQ(Text(ScreenAmount(rules, "waist", unknown, Number("900"))), "not_derived: sex_unknown");
  EXPECT_EQ(Text(ScreenAmount(rules, "waist", unknown, Number("901"))), "central_obesity not_said");
  EXPECT_EQ(Text(ScreenAmount(rules, "waist", Pregnant(100), Number("950"))),
            "not_derived: pregnancy");
  EXPECT_EQ(Text(ScreenAmount(rules, "waist", Years(14, SEX_MALE), Number("950"))),
            "not_derived: age_out_of_table");
}

TEST(Screening, HaemoglobinInPregnancyWithoutGestationIsSaidWhereAllTrimestersAgree) {
  const auto hb = [](std::string_view value) {
    return Text(ScreenAmount(Version1(), "haemoglobin", Pregnant(std::nullopt), Number(value)));
  };
  EXPECT_EQ(hb("10.4"), "anaemia not_said");
  EXPECT_EQ(hb("10.5"), "not_derived: gestation_unknown");
  EXPECT_EQ(hb("10.9"), "not_derived: gestation_unknown");
  EXPECT_EQ(hb("11"), "no_anaemia routine");
}

TEST(Screening, TrimestersEndWithDays84And168) {
  const auto rule = [](int days) {
    return ScreenAmount(Version1(), "haemoglobin", Pregnant(days), Number("10.7")).rule;
  };
  EXPECT_EQ(rule(84), "hb_pregnancy_trimester_1_3");
  EXPECT_EQ(rule(85), "hb_pregnancy_trimester_2");
  EXPECT_EQ(rule(168), "hb_pregnancy_trimester_2");
  EXPECT_EQ(rule(169), "hb_pregnancy_trimester_1_3");
  EXPECT_EQ(Text(ScreenAmount(Version1(), "bmi", Pregnant(85), Number("17"))),
            "not_derived: other_gestation");
  EXPECT_EQ(Text(ScreenAmount(Version1(), "bmi", Pregnant(std::nullopt), Number("17"))),
            "not_derived: gestation_unknown");
  EXPECT_EQ(Text(ScreenAmount(Version1(), "bmi", kWoman, Number("17"))),
            "not_derived: not_pregnant");
}

TEST(Screening, GlucoseThatOthersCallNormalIsNotCalledSoInPregnancy) {
  const auto fasting = [](std::string_view value) {
    return Text(ScreenAmount(Version1(), "glucose_fasting", Pregnant(150), Number(value)));
  };
  EXPECT_EQ(fasting("95"), "not_derived: pregnancy");
  EXPECT_EQ(fasting("126"), "diabetes_range puskesmas");
}

TEST(Screening, LipidsHoldFrom40YearsWithHypertensionOrDiabetes) {
  const auto ldl = [](ScreenedPerson person) {
    return Text(ScreenAmount(Version1(), "ldl", person, Number("130")));
  };
  ScreenedPerson healthy = Years(50);
  healthy.hypertension_or_diabetes = false;
  EXPECT_EQ(ldl(WithHypertension(39)), "not_derived: age_out_of_table");
  EXPECT_EQ(ldl(WithHypertension(40)), "flagged puskesmas");
  EXPECT_EQ(ldl(Years(50)), "not_derived: condition_unknown");
  EXPECT_EQ(ldl(healthy), "not_derived: condition_absent");
}

// Numbers and units.

TEST(Screening, ReadsDecimalsExactlyEnoughForEveryBound) {
  EXPECT_EQ(ReadAmount("11"), Amount::Whole(11));
  EXPECT_EQ(ReadAmount("+5.70"), Amount::Tenths(57));
  EXPECT_EQ(ReadAmount("18.49"), Amount::Hundredths(1849));
  EXPECT_EQ(ReadAmount("0.5000000"), (Amount{500, false}));
  EXPECT_EQ(ReadAmount("0.5001"), (Amount{500, true}));
  EXPECT_EQ(ReadAmount("10.9999"), (Amount{10'999, true}));
  EXPECT_EQ(ReadAmount("-0.0001"), (Amount{-1, true}));
  EXPECT_EQ(ReadAmount("-3"), Amount::Whole(-3));
  EXPECT_EQ(ReadAmount("999999999.999"), (Amount{999'999'999'999, false}));
  for (const std::string_view text :
       {"", "-", ".", "5.", ".5", "1e3", "5,7", "5.7x", "5.77777x", " 5", "1000000000"}) {
    EXPECT_EQ(ReadAmount(text), std::nullopt) << text;
  }
}

TEST(Screening, LaboratoryValuesCountInTheTablesUnitOnly) {
  const auto lab = [](std::string_view code, std::string_view value, std::string_view unit) {
    return Text(ScreenLab(Version1(), kHypertensive, code, value, unit));
  };
  EXPECT_EQ(lab("2345-7", "200", "mg/dL"), "diabetes_range puskesmas");
  EXPECT_EQ(lab("2345-7", "11.1", "mmol/L"), "not_derived: unit");
  EXPECT_EQ(lab("2345-7", "200", ""), "not_derived: unit");
  EXPECT_EQ(lab("2345-7", "high", "mg/dL"), "not_derived: not_a_number");
  EXPECT_EQ(lab("2345-7", "-1", "mg/dL"), "not_derived: out_of_range");
  EXPECT_EQ(lab("74774-1", "200", "mg/dL"), "not_derived: no_table");
  EXPECT_EQ(lab("1558-6", "126", "mg/dL"), "diabetes_range puskesmas");
  EXPECT_EQ(lab("1521-4", "199.9", "mg/dL"), "prediabetes_range recheck");
  EXPECT_EQ(lab("4548-4", "6.5", "%"), "diabetes_range puskesmas");
  EXPECT_EQ(lab("4548-4", "48", "mmol/mol"), "not_derived: unit");
  EXPECT_EQ(lab("2093-3", "200", "mg/dL"), "flagged puskesmas");
  EXPECT_EQ(lab("2089-1", "99.99", "mg/dL"), "not_flagged routine");
  EXPECT_EQ(lab("2571-8", "150", "mg/dL"), "flagged puskesmas");
  EXPECT_EQ(lab("2085-9", "59.9", "mg/dL"), "flagged puskesmas");
  for (const std::string_view code : {"718-7", "30352-9"}) {
    EXPECT_EQ(Text(ScreenLab(Version1(), kTrimester2, code, "10.4", "g/dL")), "anaemia not_said");
    EXPECT_EQ(Text(ScreenLab(Version1(), kTrimester2, code, "104", "g/L")), "not_derived: unit");
  }
  for (const ScreeningLabCode& code : ScreeningLabCodes()) {
    for (const ScreeningRule& rule : Version1().rules) {
      EXPECT_TRUE(rule.input != code.input || rule.unit == code.unit) << rule.id;
    }
  }
}

// Tools with a way of their own.

TEST(Screening, PressureOfOneNumberIsNoPressure) {
  const auto text = [](const BloodPressure& pressure) {
    return Text(ScreenBloodPressure(Version1(), kAdult, pressure).front());
  };
  EXPECT_EQ(text({.systolic_mmhg = 190}), "not_derived: missing");
  EXPECT_EQ(text({.diastolic_mmhg = 120}), "not_derived: missing");
  EXPECT_EQ(Text(ScreenBloodPressure(Version1(), {}, {.systolic_mmhg = 150, .diastolic_mmhg = 95})
                     .front()),
            "not_derived: age_unknown");
}

TEST(Screening, PreEclampsiaIsAskedAfterTwentyWeeks) {
  const auto of = [](const ScreenedPerson& person, uint32_t systolic, std::optional<int> protein) {
    std::vector<std::string> texts;
    for (const ScreeningAnswer& answer : ScreenBloodPressure(
             Version1(), person,
             {.systolic_mmhg = systolic, .diastolic_mmhg = 80, .protein_plus = protein})) {
      texts.push_back(fmt::format("{}: {}", answer.rule, Text(answer)));
    }
    return texts;
  };
  EXPECT_THAT(of(Pregnant(140), 135, 1), ElementsAre("blood_pressure_adult: high_normal recheck"));
  EXPECT_THAT(of(Pregnant(141), 135, 1), ElementsAre("blood_pressure_adult: high_normal recheck",
                                                     "pre_eclampsia: no_pre_eclampsia routine"));
  EXPECT_THAT(of(Pregnant(141), 150, std::nullopt),
              ElementsAre("blood_pressure_adult: ht_1 puskesmas",
                          "isolated_systolic: isolated_systolic puskesmas",
                          "pre_eclampsia: not_derived: missing"));
  EXPECT_THAT(of(Pregnant(std::nullopt), 150, 1),
              ElementsAre("blood_pressure_adult: ht_1 puskesmas",
                          "isolated_systolic: isolated_systolic puskesmas",
                          "pre_eclampsia: not_derived: gestation_unknown"));
  EXPECT_THAT(of(Pregnant(std::nullopt), 135, 1),
              ElementsAre("blood_pressure_adult: high_normal recheck"));
}

std::string Oximetry(std::vector<PulseOximetry> readings) {
  return Text(ScreenPulseOximetry(Version1(), readings));
}

TEST(Screening, PulseOximetryRefersOnTheThirdReadingThatSaysRepeat) {
  const PulseOximetry low = {94, 94};
  const PulseOximetry good = {97, 98};
  EXPECT_EQ(Oximetry({low}), "repeat recheck");
  EXPECT_EQ(Oximetry({low, low}), "repeat recheck");
  EXPECT_EQ(Oximetry({low, low, low}), "refer hospital");
  EXPECT_EQ(Oximetry({low, low, low, low}), "refer hospital");
  EXPECT_EQ(Oximetry({low, low, good}), "pass routine");
  EXPECT_EQ(Oximetry({low, low, good, low}), "repeat recheck");
  EXPECT_EQ(Oximetry({low, {97, std::nullopt}, low, low}), "refer hospital");
}

TEST(Screening, PulseOximetryTakesTheLowerPlaceAndTheDifference) {
  EXPECT_EQ(Oximetry({{96, 98}}), "pass routine");
  EXPECT_EQ(Oximetry({{96, 99}}), "repeat recheck");
  EXPECT_EQ(Oximetry({{100, 96}}), "repeat recheck");
  EXPECT_EQ(Oximetry({{98, 95}}), "repeat recheck");
  EXPECT_EQ(Oximetry({{98, 89}}), "refer_at_once emergency");
  EXPECT_EQ(Oximetry({{89, std::nullopt}}), "refer_at_once emergency");
  EXPECT_EQ(Oximetry({{std::nullopt, 89}}), "refer_at_once emergency");
  EXPECT_EQ(Oximetry({{std::nullopt, 97}}), "not_derived: missing");
  EXPECT_EQ(Oximetry({{101, 97}}), "not_derived: out_of_range");
  EXPECT_EQ(Oximetry({}), "not_derived: missing");
  EXPECT_EQ(Oximetry({{}}), "not_derived: missing");
}

Srq20Answers Answers(int yes) {
  Srq20Answers answers;
  answers.fill(false);
  std::fill_n(answers.begin(), yes, true);
  return answers;
}

TEST(Screening, SrqTwentyIsRecomputedFromItsAnswers) {
  const Srq20 five = ScreenSrq20(Version1(), Answers(5), std::nullopt);
  EXPECT_EQ(Text(five.answer), "normal routine");
  EXPECT_EQ(five.score, 5);
  EXPECT_FALSE(five.score_disagrees);
  EXPECT_EQ(Text(ScreenSrq20(Version1(), Answers(6), 6).answer), "abnormal puskesmas");

  const Srq20 wrong = ScreenSrq20(Version1(), Answers(6), 3);
  EXPECT_EQ(Text(wrong.answer), "abnormal puskesmas");
  EXPECT_EQ(wrong.score, 6);
  EXPECT_TRUE(wrong.score_disagrees);
}

TEST(Screening, SrqTwentyQuestion17AloneIsUrgent) {
  Srq20Answers answers = Answers(0);
  answers[16] = true;
  const Srq20 one = ScreenSrq20(Version1(), answers, 0);
  EXPECT_EQ(one.answer.rule, "srq_20_item_17");
  EXPECT_EQ(Text(one.answer), "abnormal_item_17 urgent");
  EXPECT_TRUE(one.score_disagrees);

  Srq20Answers only;
  only[16] = true;
  EXPECT_EQ(Text(ScreenSrq20(Version1(), only, 0).answer), "abnormal_item_17 urgent");
}

TEST(Screening, SrqTwentyWithOpenQuestionsIsSaidOnlyWhereTheyCannotChangeIt) {
  Srq20Answers answers = Answers(5);
  answers[10] = std::nullopt;
  EXPECT_EQ(Text(ScreenSrq20(Version1(), answers, 5).answer), "not_derived: answers_missing");
  EXPECT_EQ(ScreenSrq20(Version1(), answers, 5).score, std::nullopt);
  EXPECT_FALSE(ScreenSrq20(Version1(), answers, 6).score_disagrees);
  EXPECT_TRUE(ScreenSrq20(Version1(), answers, 7).score_disagrees);

  answers = Answers(4);
  answers[10] = std::nullopt;
  EXPECT_EQ(Text(ScreenSrq20(Version1(), answers, 4).answer), "normal routine");
  answers[16] = std::nullopt;
  EXPECT_EQ(Text(ScreenSrq20(Version1(), answers, 4).answer), "not_derived: answers_missing");
  answers = Answers(6);
  answers[16] = std::nullopt;
  EXPECT_EQ(Text(ScreenSrq20(Version1(), answers, 6).answer), "abnormal puskesmas");

  EXPECT_EQ(Text(ScreenScore(Version1(), "SRQ-20", 6)), "abnormal puskesmas");
  EXPECT_EQ(Text(ScreenScore(Version1(), "SRQ-20", 5)), "not_derived: answers_missing");
  EXPECT_EQ(Text(ScreenScore(Version1(), "SRQ-20", 21)), "not_derived: out_of_range");
  EXPECT_EQ(Text(ScreenSrq20(Version1(), {}, std::nullopt).answer), "not_derived: answers_missing");
}

TEST(Screening, KpspDoubtfulTwiceRefersFromTwoWeeksOn) {
  const auto kpsp = [](std::string_view result, std::optional<int> days) {
    return Text(ScreenKpsp(Version1(), result, days));
  };
  EXPECT_EQ(kpsp("doubtful", std::nullopt), "doubtful recheck");
  EXPECT_EQ(kpsp("doubtful", 13), "doubtful recheck");
  EXPECT_EQ(kpsp("doubtful", 14), "doubtful_again puskesmas");
  EXPECT_EQ(kpsp("doubtful", 15), "doubtful_again puskesmas");
  EXPECT_EQ(kpsp("fits_age", 14), "fits_age routine");
  EXPECT_EQ(kpsp("deviation", std::nullopt), "deviation puskesmas");
}

TEST(Screening, OneSignOfTbInAChildIsPresumptive) {
  const auto tb = [](const TbSigns& signs) {
    return Text(ScreenTbSigns(Version1(), Years(4), signs));
  };
  const TbSigns none = {.cough = false,
                        .fever = false,
                        .weight = false,
                        .lethargy = false,
                        .nodes = std::nullopt,
                        .contact = false};
  EXPECT_EQ(tb(none), "not_presumptive routine");
  EXPECT_EQ(tb({.cough = true}), "presumptive puskesmas");
  EXPECT_EQ(tb({.fever = true}), "presumptive puskesmas");
  EXPECT_EQ(tb({.weight = true}), "presumptive puskesmas");
  EXPECT_EQ(tb({.lethargy = true}), "presumptive puskesmas");
  EXPECT_EQ(tb({.nodes = true}), "presumptive puskesmas");
  EXPECT_EQ(tb({.contact = true}), "close_contact puskesmas");
  EXPECT_EQ(tb({.cough = true, .contact = true}), "presumptive puskesmas");
  TbSigns open = none;
  open.lethargy.reset();
  EXPECT_EQ(tb(open), "not_derived: answers_missing");
  open = none;
  open.contact.reset();
  EXPECT_EQ(tb(open), "not_derived: answers_missing");
  EXPECT_EQ(Text(ScreenTbSigns(Version1(), Years(15), {.cough = true})), "not_derived: off");
  EXPECT_EQ(Text(ScreenTbSigns(Version1(), {}, {.cough = true})), "not_derived: age_unknown");
}

TEST(Screening, TumblingEPassesByThreeInARowOrFourOfFive) {
  const auto e = [](std::string_view tries, int months = 48) {
    std::array<bool, 8> right;
    std::ranges::transform(tries, right.begin(), [](char one) { return one == '+'; });
    return Text(
        ScreenTumblingE(Version1(), {.age_months = months}, std::span(right).first(tries.size())));
  };
  EXPECT_EQ(e("+++"), "pass routine");
  EXPECT_EQ(e("-+++"), "pass routine");
  EXPECT_EQ(e("++-++"), "pass routine");
  EXPECT_EQ(e("++-+-"), "not_passed not_said");
  EXPECT_EQ(e("---"), "not_passed not_said");
  EXPECT_EQ(e("---+++"), "not_passed not_said") << "five tries";
  EXPECT_EQ(e("--"), "not_derived: answers_missing");
  EXPECT_EQ(e("++-+"), "not_derived: answers_missing");
  EXPECT_EQ(e(""), "not_derived: answers_missing");
  EXPECT_EQ(e("+++", 35), "not_derived: age_out_of_table");
  EXPECT_EQ(e("+++", 36), "pass routine");
  EXPECT_EQ(e("+++", 83), "pass routine");
  EXPECT_EQ(e("+++", 84), "not_derived: age_out_of_table");
}

TEST(Screening, VisualAcuityIsLowBelowSixTwelfths) {
  const auto visus = [](uint32_t distance, uint32_t line) {
    return Text(ScreenVisualAcuity(Version1(), kWoman, distance, line));
  };
  EXPECT_EQ(visus(6, 12), "not_low routine");
  EXPECT_EQ(visus(20, 40), "not_low routine");
  EXPECT_EQ(visus(6, 15), "low recheck");
  EXPECT_EQ(visus(6, 9), "not_low routine");
  EXPECT_EQ(visus(6, 0), "not_derived: out_of_range");
  EXPECT_EQ(Text(ScreenVisualAcuity(Version1(), Years(14), 6, 18)),
            "not_derived: age_out_of_table");
}

TEST(Screening, TshIsJudgedByTheLaboratorysOwnRange) {
  const auto tsh = [](std::string_view value, std::string_view high) {
    return Text(ScreenTsh(Version1(), value, high));
  };
  EXPECT_EQ(tsh("14.9", "15"), "within_range routine");
  EXPECT_EQ(tsh("15", "15"), "within_range routine");
  EXPECT_EQ(tsh("15.1", "15"), "high hospital");
  EXPECT_EQ(tsh("15.0001", "15"), "high hospital");
  EXPECT_EQ(tsh("15.0001", "15.0002"), "within_range routine");
  EXPECT_EQ(tsh("25", ""), "not_derived: no_range");
  EXPECT_EQ(tsh("", "15"), "not_derived: missing");
  EXPECT_EQ(tsh("high", "15"), "not_derived: not_a_number");
  EXPECT_EQ(tsh("-2", "15"), "not_derived: out_of_range");
}

TEST(Screening, ThalassaemiaIndicesComeFromTheFullCount) {
  const auto count = [](std::optional<Amount> mcv, std::optional<Amount> red,
                        std::optional<Amount> mch) {
    const ScreeningAnswer answer = ScreenThalassaemia(Version1(), kAgeTwo, mcv, red, mch);
    return fmt::format("{}: {}", answer.rule, Text(answer));
  };
  // 65 / 5 is 13; 65² x 36.2 / 100 is 1529.45.
  const Amount mcv = Amount::Whole(65);
  EXPECT_EQ(count(mcv, Amount::Whole(5), std::nullopt), "mentzer: not_low routine");
  EXPECT_EQ(count(mcv, Amount{5'001}, std::nullopt), "mentzer: low puskesmas");
  EXPECT_EQ(count(mcv, std::nullopt, Amount::Tenths(362)), "shine_lal: low puskesmas");
  EXPECT_EQ(count(mcv, Amount::Whole(5), Amount::Tenths(362)), "shine_lal: low puskesmas");
  EXPECT_EQ(count(mcv, Amount::Whole(5), Amount::Tenths(363)), "shine_lal: not_low routine");
  EXPECT_EQ(count(mcv, Amount{5'001}, Amount::Tenths(363)), "mentzer: low puskesmas");
  EXPECT_EQ(count(std::nullopt, Amount::Whole(5), Amount::Whole(20)),
            "mentzer: not_derived: missing");
  EXPECT_EQ(count(mcv, std::nullopt, std::nullopt), "mentzer: not_derived: missing");
  EXPECT_EQ(count(mcv, Amount::Whole(0), std::nullopt), "mentzer: not_derived: out_of_range");
  EXPECT_EQ(count(Amount::Whole(1000), Amount::Whole(5), Amount::Whole(20)),
            "mentzer: not_derived: out_of_range");
}

TEST(Screening, AKadersFindingNamesNoDisease) {
  for (const ScreeningRule& rule : Version1().rules) {
    for (const ScreeningRow& row : rule.rows) {
      ScreeningAnswer answer;
      answer.word = row.word;
      answer.result = row.result;
      answer.level = row.level;
      const ScreeningAnswer said = AsKaderFinding(answer);
      EXPECT_EQ(said.level, row.level);
      switch (row.result) {
        case event::v1::SCREENING_RESULT_ABNORMAL:
        case event::v1::SCREENING_RESULT_NEEDS_CHECK:
          EXPECT_EQ(said.word, "needs_check") << rule.id;
          EXPECT_EQ(said.result, event::v1::SCREENING_RESULT_NEEDS_CHECK) << rule.id;
          break;
        case event::v1::SCREENING_RESULT_PRESUMPTIVE:
          EXPECT_EQ(said.word, "presumptive") << rule.id;
          break;
        default:
          EXPECT_EQ(said.word, row.word) << rule.id;
      }
    }
  }
  EXPECT_EQ(Text(AsKaderFinding(ScreenWord(Version1(), "TB-SYMPTOM", "presumptive"))),
            "presumptive puskesmas");
  EXPECT_EQ(Text(AsKaderFinding(ScreenAmount(Version1(), "glucose_random", kMan, Number("250")))),
            "needs_check puskesmas");
  EXPECT_EQ(Text(AsKaderFinding(ScreenLab(Version1(), kMan, "2345-7", "11", "mmol/L"))),
            "not_derived: unit");
}

// docs/screening.md.

std::string Plain(int64_t thousandths) {
  std::string text = fmt::format("{}.{:03}", thousandths / 1000, thousandths % 1000);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

// "140 to < 200", "> 90".
std::string Band(std::optional<Bound> from, std::optional<Bound> until) {
  const std::string low =
      from && IsPrinted(*from) ? (from->above ? "> " : "≥ ") + Plain(from->thousandths) : "";
  const std::string high = until ? (until->above ? "≤ " : "< ") + Plain(until->thousandths) : "";
  if (low.empty() || high.empty()) return low + high;
  return low + ", " + high;
}

std::string Months(int from, int until) {
  const auto age = [](int months) {
    return months % 12 == 0 ? fmt::format("{} y", months / 12)
           : months == 1    ? "1 month"
                            : fmt::format("{} months", months);
  };
  if (from == 0 && until == kNoEnd) return "";
  if (until == kNoEnd) return "from " + age(from);
  if (from == 0) return "below " + age(until);
  return fmt::format("{} to below {}", age(from), age(until));
}

std::string Joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) {
    if (!part.empty()) text += (text.empty() ? "" : "; ") + part;
  }
  return text;
}

std::string_view SexText(event::v1::Sex sex) {
  return sex == SEX_FEMALE ? "women and girls" : sex == SEX_MALE ? "men and boys" : "";
}

bool HasPairs(const ScreeningRule& rule) {
  return std::ranges::any_of(rule.rows,
                             [](const ScreeningRow& row) { return IsPrinted(row.second); });
}

std::string RuleLine(const ScreeningRule& rule) {
  const ScreeningInvited& invited = rule.invited;
  const std::string interval =
      invited.every_months == 0 ? "" : fmt::format("every {} months", invited.every_months);
  const std::string state = !rule.off.empty()   ? fmt::format("off: {}", rule.off)
                            : rule.rows.empty() ? "no table"
                                                : "on";
  return fmt::format(
      "| `{}` | `{}` | {} | {} | {} | {} |", rule.id, rule.input,
      rule.unit.empty() ? "words" : rule.unit,
      Joined({Months(rule.scope.from_months, rule.scope.until_months),
              std::string(SexText(rule.scope.sex)), std::string(Word(rule.scope.condition))}),
      Joined({Months(invited.from_months, invited.until_months), std::string(SexText(invited.sex)),
              std::string(invited.who), interval}),
      state);
}

std::string RowLine(const ScreeningRule& rule, size_t at) {
  const ScreeningRow& row = rule.rows[at];
  std::string band;
  if (HasPairs(rule)) {
    const bool isolated = rule.id == "isolated_systolic";
    const std::string first = Band(row.from, std::nullopt);
    const std::string second =
        !IsPrinted(row.second) ? "" : (isolated ? "< " : "≥ ") + Plain(row.second.thousandths);
    band = first.empty()    ? "below"
           : second.empty() ? first
                            : first + (isolated ? " and " : " or ") + second;
  } else if (!rule.unit.empty()) {
    band = Band(row.from,
                at + 1 < rule.rows.size() ? std::optional(rule.rows[at + 1].from) : std::nullopt);
  }
  return fmt::format("| `{}` | {} | `{}` | {} | {}{} | {} | {} |", rule.id, band, row.word,
                     Word(row.result), Word(row.level), row.level_decided ? " *" : "", row.action,
                     SourceText(row.source));
}

// What docs/screening.md has of the data, line by line, in the order of the data: all rules of a
// section, then all their rows; at its end the rows that later versions have otherwise.
std::vector<std::string> DataLines() {
  std::vector<std::string> lines;
  const std::span<const ScreeningRule> rules = Version1().rules;
  for (size_t first = 0; first < rules.size();) {
    size_t last = first;
    while (last < rules.size() && rules[last].section == rules[first].section) ++last;
    for (const ScreeningRule& rule : rules.subspan(first, last - first)) {
      lines.push_back(RuleLine(rule));
    }
    for (const ScreeningRule& rule : rules.subspan(first, last - first)) {
      for (size_t at = 0; at < rule.rows.size(); ++at) lines.push_back(RowLine(rule, at));
    }
    first = last;
  }
  for (const ScreeningRules& later : ScreeningVersions().subspan(1)) {
    for (const ScreeningRule& rule : later.rules) {
      if (rule.rows.data() == FindScreeningRule(Version1(), rule.id)->rows.data()) continue;
      for (size_t at = 0; at < rule.rows.size(); ++at) lines.push_back(RowLine(rule, at));
    }
  }
  return lines;
}

TEST(ScreeningPage, HoldsEveryRuleAndRowOfTheDataAndNoOther) {
  std::vector<std::string> on_page;
  const std::string page = testing::SourceFile("docs/screening.md");
  const std::string_view rest = page;
  for (size_t begin = 0; begin < rest.size();) {
    const size_t end = std::min(rest.find('\n', begin), rest.size());
    const std::string_view line = rest.substr(begin, end - begin);
    const size_t close = line.starts_with("| `") ? line.find('`', 3) : line.npos;
    if (close != line.npos && FindScreeningRule(Version1(), line.substr(3, close - 3)) != nullptr) {
      on_page.emplace_back(line);
    }
    begin = end + 1;
  }
  EXPECT_THAT(on_page, ::testing::ElementsAreArray(DataLines()));
}

TEST(ScreeningPage, NamesEveryReasonLevelAndCode) {
  const std::string page = testing::SourceFile("docs/screening.md");
  for (int gap = 0; gap <= static_cast<int>(ScreeningGap::kSubstanceUnknown); ++gap) {
    EXPECT_THAT(page, HasSubstr(fmt::format("| `{}` |", Word(static_cast<ScreeningGap>(gap)))));
  }
  for (int level = 0; level <= static_cast<int>(ScreeningLevel::kEmergency); ++level) {
    EXPECT_THAT(page, HasSubstr(fmt::format("| `{}` |", Word(static_cast<ScreeningLevel>(level)))));
  }
  for (const ScreeningLabCode& code : ScreeningLabCodes()) {
    EXPECT_THAT(page,
                HasSubstr(fmt::format("| {} | `{}` | {} |", code.loinc, code.input, code.unit)));
  }
}

}  // namespace
}  // namespace simpul::rules
