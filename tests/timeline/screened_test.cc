#include "lib/timeline/screened.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/timeline/screened_words.h"
#include "tests/support/source_file.h"

namespace simpul::timeline {
namespace {

namespace ev = event::v1;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Person = rules::ScreenedPerson;

constexpr std::string_view kIcd10 = "http://hl7.org/fhir/sid/icd-10";

void Set(ev::Code& code, std::string_view system, std::string_view value) {
  code.set_system(std::string(system));
  code.set_code(std::string(value));
}

ev::Event By(ev::RecorderRole role) {
  ev::Event event;
  event.mutable_recorder()->set_role(role);
  return event;
}

using Fill = std::function<void(ev::Visit&)>;
ev::Event VisitOf(const Fill& fill, ev::RecorderRole role = ev::RECORDER_ROLE_MIDWIFE) {
  ev::Event event = By(role);
  fill(*event.mutable_visit());
  return event;
}

ev::Event Pressure(uint32_t systolic, uint32_t diastolic,
                   ev::RecorderRole role = ev::RECORDER_ROLE_MIDWIFE) {
  return VisitOf(
      [&](ev::Visit& visit) {
        visit.set_systolic_mmhg(systolic);
        visit.set_diastolic_mmhg(diastolic);
      },
      role);
}

ev::Event Lab(std::string_view loinc, std::string_view value, std::string_view unit) {
  ev::Event event = By(ev::RECORDER_ROLE_LABORATORY);
  Set(*event.mutable_lab_result()->mutable_code(), kLoinc, loinc);
  event.mutable_lab_result()->mutable_quantity()->set_value(std::string(value));
  event.mutable_lab_result()->mutable_quantity()->set_unit(std::string(unit));
  return event;
}

ev::Event LabText(std::string_view loinc, std::string_view text) {
  ev::Event event = By(ev::RECORDER_ROLE_LABORATORY);
  Set(*event.mutable_lab_result()->mutable_code(), kLoinc, loinc);
  event.mutable_lab_result()->set_text(std::string(text));
  return event;
}

ev::Event LabCoded(std::string_view loinc, std::string_view system, std::string_view code) {
  ev::Event event = By(ev::RECORDER_ROLE_LABORATORY);
  Set(*event.mutable_lab_result()->mutable_code(), kLoinc, loinc);
  Set(*event.mutable_lab_result()->mutable_coded(), system, code);
  return event;
}

// Seen at a visit, with a laboratory's code.
ev::Event Seen(std::string_view loinc, std::string_view text) {
  return VisitOf([&](ev::Visit& visit) {
    Set(*visit.add_observations()->mutable_code(), kLoinc, loinc);
    visit.mutable_observations(0)->set_text(std::string(text));
  });
}

using FillTool = std::function<void(ev::Screening&)>;
ev::Event Tool(std::string_view tool, const FillTool& fill,
               ev::RecorderRole role = ev::RECORDER_ROLE_MIDWIFE) {
  ev::Event event = By(role);
  event.mutable_screening()->set_tool(std::string(tool));
  fill(*event.mutable_screening());
  return event;
}

ev::Event Scored(std::string_view tool, int score,
                 ev::RecorderRole role = ev::RECORDER_ROLE_MIDWIFE) {
  return Tool(tool, [&](ev::Screening& form) { form.set_score(score); }, role);
}

ev::Event Worded(std::string_view tool, std::string_view text,
                 ev::RecorderRole role = ev::RECORDER_ROLE_MIDWIFE) {
  return Tool(tool, [&](ev::Screening& form) { form.set_result_text(std::string(text)); }, role);
}

ev::Event Resulted(std::string_view tool, ev::ScreeningResult result,
                   ev::RecorderRole role = ev::RECORDER_ROLE_MIDWIFE) {
  return Tool(tool, [&](ev::Screening& form) { form.set_result(result); }, role);
}

void Yes(ev::Screening& form, std::string_view question, bool yes) {
  ev::Answer* answer = form.add_answers();
  answer->set_link_id(std::string(question));
  answer->set_flag(yes);
}

void Counted(ev::Screening& form, std::string_view question, int64_t number) {
  ev::Answer* answer = form.add_answers();
  answer->set_link_id(std::string(question));
  answer->set_number(number);
}

void MeasuredAnswer(ev::Screening& form, std::string_view question, std::string_view value,
                    std::string_view unit) {
  ev::Answer* answer = form.add_answers();
  answer->set_link_id(std::string(question));
  answer->mutable_quantity()->set_value(std::string(value));
  answer->mutable_quantity()->set_unit(std::string(unit));
}

// The first `yes` questions are answered with yes, the others with no.
FillTool Srq20(int yes, std::optional<int> score = std::nullopt, bool item_17 = false) {
  return [=](ev::Screening& form) {
    for (int question = 1; question <= 20; ++question) {
      Yes(form, fmt::format("{}", question), question <= yes || (item_17 && question == 17));
    }
    if (score) form.set_score(*score);
  };
}

// One answer to each of the questions asked about a child's TB.
FillTool Signs(bool cough, bool contact) {
  return [=](ev::Screening& form) {
    Yes(form, "batuk", cough);
    Yes(form, "demam", false);
    Yes(form, "berat_badan", false);
    Yes(form, "lesu", false);
    Yes(form, "kontak", contact);
  };
}

FillTool Readings(const std::vector<std::pair<int, int>>& hand_and_foot) {
  return [=](ev::Screening& form) {
    for (size_t n = 0; n < hand_and_foot.size(); ++n) {
      Counted(form, fmt::format("hand.{}", n + 1), hand_and_foot[n].first);
      Counted(form, fmt::format("foot.{}", n + 1), hand_and_foot[n].second);
    }
  };
}

Person Aged(int years) { return {.age_months = years * 12, .sex = ev::SEX_FEMALE}; }

Person Pregnant(std::optional<int> days) {
  Person person = Aged(27);
  person.pregnant = true;
  person.gestation_days = days;
  return person;
}

Person Newborn() { return {.age_months = 0}; }

ScreenedEvent Of(const ev::Event& event, uint32_t member, const Person& person) {
  return {
      .event = &event, .member = member, .person = person, .tables = rules::FindScreeningRules(1)};
}

// A row in a line: input rule class result level, or why there is none; then what else it has.
std::string LineOf(const v1::Screened& row) {
  std::string line = fmt::format("{} {}", row.input(), row.rule().empty() ? "-" : row.rule());
  if (row.not_derived().empty()) {
    line += fmt::format(" {} {} {}", row.screening_class(), rules::Word(row.result()), row.level());
  } else {
    line += fmt::format(" !{}", row.not_derived());
    EXPECT_TRUE(row.screening_class().empty() && row.level().empty() &&
                row.result() == ev::SCREENING_RESULT_UNSPECIFIED)
        << line;
  }
  if (row.has_score()) line += fmt::format(" score={}", row.score());
  if (!row.flag().empty()) line += " " + row.flag();
  return line;
}

std::vector<std::string> LinesOf(const v1::Derived& derived) {
  std::vector<std::string> lines;
  for (const v1::Screened& row : derived.screened()) lines.push_back(LineOf(row));
  return lines;
}

std::vector<std::string> Lines(const ev::Event& event, const Person& person) {
  const ScreenedEvent screened = Of(event, 0, person);
  v1::Derived derived;
  Screen({&screened, 1}, derived);
  return LinesOf(derived);
}

struct Case {
  std::string_view what;
  ev::Event event;
  Person person;
  std::vector<std::string> rows;
};

void Expect(const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    EXPECT_EQ(Lines(one.event, one.person), one.rows) << one.what;
    if (!one.rows.empty()) {
      EXPECT_TRUE(MayScreen(one.event)) << one.what;
    }
  }
}

constexpr auto kKader = ev::RECORDER_ROLE_KADER;

TEST(Screened, MeasuresOfAVisit) {
  const auto measured = [](const Fill& fill) { return VisitOf(fill); };
  Expect({
      {"138/92: the worse wins",
       Pressure(138, 92),
       Aged(40),
       {"blood_pressure blood_pressure_adult ht_1 abnormal puskesmas"}},
      {"by a kader",
       Pressure(138, 92, kKader),
       Aged(40),
       {"blood_pressure blood_pressure_adult needs_check needs_check puskesmas"}},
      {"normal by a kader",
       Pressure(118, 76, kKader),
       Aged(40),
       {"blood_pressure blood_pressure_adult optimal normal routine"}},
      {"isolated",
       Pressure(150, 80),
       Aged(40),
       {"blood_pressure blood_pressure_adult ht_1 abnormal puskesmas",
        "blood_pressure isolated_systolic isolated_systolic abnormal puskesmas"}},
      {"a child's", Pressure(110, 70), Aged(9), {"blood_pressure blood_pressure_child !off"}},
      {"age unknown", Pressure(110, 70), {}, {"blood_pressure blood_pressure_child !age_unknown"}},
      {"half of it",
       measured([](ev::Visit& visit) { visit.set_systolic_mmhg(150); }),
       Aged(40),
       {"blood_pressure blood_pressure_adult !missing"}},
      {"fever",
       measured([](ev::Visit& visit) { visit.set_temperature_dc(375); }),
       Aged(3),
       {"temperature fever fever needs_check not_said"}},
      {"no fever",
       measured([](ev::Visit& visit) { visit.set_temperature_dc(374); }),
       Aged(3),
       {"temperature fever no_fever normal routine"}},
      {"KEK",
       measured([](ev::Visit& visit) { visit.set_muac_mm(234); }),
       Pregnant(100),
       {"muac lila_pregnancy kek abnormal puskesmas"}},
      {"not KEK",
       measured([](ev::Visit& visit) { visit.set_muac_mm(235); }),
       Pregnant(100),
       {"muac lila_pregnancy not_kek normal routine"}},
      {"an arm that growth looks at",
       measured([](ev::Visit& visit) { visit.set_muac_mm(120); }),
       Aged(2),
       {}},
      {"an arm nobody looks at",
       measured([](ev::Visit& visit) { visit.set_muac_mm(220); }),
       Aged(30),
       {}},
      {"an old arm",
       measured([](ev::Visit& visit) { visit.set_muac_mm(209); }),
       Aged(70),
       {"muac skilas_lila low needs_check not_said"}},
      {"waist of a woman",
       measured([](ev::Visit& visit) { visit.set_waist_mm(801); }),
       Aged(30),
       {"waist waist_women central_obesity abnormal not_said"}},
      {"waist in pregnancy",
       measured([](ev::Visit& visit) { visit.set_waist_mm(950); }),
       Pregnant(100),
       {}},
      {"waist, sex unknown",
       measured([](ev::Visit& visit) { visit.set_waist_mm(850); }),
       {.age_months = 400},
       {"waist waist_men !sex_unknown"}},
      {"BMI 18.49 in trimester 1",
       measured([](ev::Visit& visit) {
         visit.set_weight_g(41599);
         visit.set_length_mm(1500);
       }),
       Pregnant(84),
       {"bmi bmi_pregnancy_trimester_1 underweight abnormal puskesmas"}},
      {"BMI 18.5 in trimester 1",
       measured([](ev::Visit& visit) {
         visit.set_weight_g(41625);
         visit.set_length_mm(1500);
       }),
       Pregnant(84),
       {"bmi bmi_pregnancy_trimester_1 not_underweight normal routine"}},
      {"BMI later",
       measured([](ev::Visit& visit) {
         visit.set_weight_g(41625);
         visit.set_length_mm(1500);
       }),
       Pregnant(85),
       {}},
      {"BMI of an adult is growth's",
       measured([](ev::Visit& visit) {
         visit.set_weight_g(41625);
         visit.set_length_mm(1500);
       }),
       Aged(30),
       {}},
      {"an adult's saturation",
       measured([](ev::Visit& visit) { visit.set_spo2_percent(85); }),
       Aged(30),
       {}},
      {"a newborn's at one place",
       measured([](ev::Visit& visit) { visit.set_spo2_percent(89); }),
       Newborn(),
       {"pulse_oximetry pulse_oximetry refer_at_once abnormal emergency"}},
      {"a newborn's at one place, better",
       measured([](ev::Visit& visit) { visit.set_spo2_percent(97); }),
       Newborn(),
       {"pulse_oximetry pulse_oximetry !missing"}},
      {"danger sign",
       measured([](ev::Visit& visit) { Set(*visit.add_danger_signs(), kSnomed, "25064002"); }),
       Aged(30),
       {"danger_sign danger_sign danger_sign abnormal urgent"}},
      {"convulsion among others",
       measured([](ev::Visit& visit) {
         Set(*visit.add_danger_signs(), kSnomed, "25064002");
         Set(*visit.add_danger_signs(), kSnomed, "91175000");
       }),
       Aged(30),
       {"danger_sign danger_sign convulsion abnormal emergency"}},
      {"convulsion of a newborn in ICD-10",
       measured([](ev::Visit& visit) { Set(*visit.add_danger_signs(), kIcd10, "P90"); }),
       Newborn(),
       {"danger_sign danger_sign convulsion abnormal emergency"}},
      {"danger sign seen by a kader",
       VisitOf([](ev::Visit& visit) { Set(*visit.add_danger_signs(), kSnomed, "25064002"); },
               kKader),
       Aged(30),
       {"danger_sign danger_sign needs_check needs_check urgent"}},
      {"nobody was met",
       measured([](ev::Visit& visit) {
         visit.mutable_home_visit()->set_outcome(ev::HOME_VISIT_OUTCOME_NOT_MET);
         visit.set_systolic_mmhg(190);
         visit.set_diastolic_mmhg(120);
       }),
       Aged(30),
       {}},
      {"nothing was measured",
       measured([](ev::Visit& visit) { visit.set_note("x"); }),
       Aged(30),
       {}},
  });
}

TEST(Screened, LaboratoryResults) {
  ev::Event tsh = Lab("29575-8", "21", "m[IU]/L");
  tsh.mutable_lab_result()->mutable_range()->set_high("20");
  Person known = Aged(50);
  known.hypertension_or_diabetes = true;
  Person known_not = Aged(50);
  known_not.hypertension_or_diabetes = false;
  Expect({
      {"random glucose",
       Lab("2345-7", "140", "mg/dL"),
       Aged(50),
       {"glucose_random glucose_random prediabetes_range abnormal recheck"}},
      {"no class between",
       Lab("2345-7", "139.9", "mg/dL"),
       Aged(50),
       {"glucose_random glucose_random no_class  not_said"}},
      {"another unit",
       Lab("2345-7", "7.8", "mmol/L"),
       Aged(50),
       {"glucose_random glucose_random !unit"}},
      {"words for a number",
       LabText("2345-7", "tinggi"),
       Aged(50),
       {"glucose_random glucose_random !not_a_number"}},
      {"glucose of no kind", Lab("74774-1", "180", "mg/dL"), Aged(50), {"glucose - !no_table"}},
      {"Hb in pregnancy, week unknown",
       Lab("718-7", "10.4", "g/dL"),
       Pregnant(std::nullopt),
       {"haemoglobin hb_pregnancy_trimester_1_3 anaemia abnormal not_said"}},
      {"Hb in pregnancy, week unknown, between",
       Lab("718-7", "10.8", "g/dL"),
       Pregnant(std::nullopt),
       {"haemoglobin hb_pregnancy_trimester_1_3 !gestation_unknown"}},
      {"Hb of a pupil", Lab("30352-9", "11", "g/dL"), Aged(8), {"haemoglobin hb_school !off"}},
      {"cholesterol, known to have either",
       Lab("2093-3", "200", "mg/dL"),
       known,
       {"cholesterol cholesterol flagged abnormal puskesmas"}},
      {"cholesterol, known to have none",
       Lab("2093-3", "200", "mg/dL"),
       known_not,
       {"cholesterol cholesterol !condition_absent"}},
      {"HBsAg coded",
       LabCoded("75410-1", kSnomed, "260385009"),
       Pregnant(100),
       {"hbsag hbsag non_reactive normal routine"}},
      {"HBsAg in words",
       LabText("75410-1", " Non-Reaktif "),
       Aged(30),
       {"hbsag hbsag non_reactive normal routine"}},
      {"HBsAg reactive",
       LabText("75410-1", "REAKTIF"),
       Aged(30),
       {"hbsag hbsag reactive abnormal puskesmas"}},
      {"HBsAg, not understood",
       LabText("75410-1", "diulang"),
       Aged(30),
       {"hbsag hbsag !unknown_result"}},
      {"protein +1",
       LabText("5804-0", "+1"),
       Pregnant(200),
       {"urine_protein urine_protein protein needs_check not_said"}},
      {"protein ++, coded",
       LabCoded("5804-0", kSnomed, "260348001"),
       Pregnant(200),
       {"urine_protein urine_protein much_protein abnormal not_said"}},
      {"protein trace",
       LabText("5804-0", "Trace"),
       Pregnant(200),
       {"urine_protein urine_protein none normal routine"}},
      {"protein in a number",
       Lab("5804-0", "30", "mg/dL"),
       Pregnant(200),
       {"urine_protein urine_protein !unit"}},
      {"protein of others", LabText("5804-0", "+1"), Aged(30), {}},
      {"TSH above the laboratory's range",
       tsh,
       Newborn(),
       {"tsh shk_range high abnormal hospital"}},
      {"TSH without a range",
       Lab("29575-8", "21", "m[IU]/L"),
       Newborn(),
       {"tsh shk_range !no_range"}},
      {"birth weight",
       Lab("8339-4", "1999", "g"),
       Newborn(),
       {"birth_weight birth_weight bblr_under_2000 abnormal emergency"}},
      {"birth weight in kg",
       Lab("8339-4", "1.9", "kg"),
       Newborn(),
       {"birth_weight birth_weight !unit"}},
      {"seen at a visit",
       Seen("79882-7", "6/12"),
       Aged(50),
       {"visual_acuity visual_acuity not_low normal routine"}},
      {"seen at a visit, low",
       Seen("79883-5", "6/15"),
       Aged(50),
       {"visual_acuity visual_acuity low needs_check recheck"}},
      {"sight in words",
       Seen("79883-5", "kabur"),
       Aged(50),
       {"visual_acuity visual_acuity !not_a_number"}},
      {"what no rule knows", Lab("3084-1", "8", "mg/dL"), Aged(50), {}},
      {"no LOINC", LabCoded("", kSnomed, "10828004"), Aged(50), {}},
  });
}

TEST(Screened, ToolsByScoreResultAndWords) {
  Expect({
      {"AKS", Scored("AKS", 11), Aged(70), {"AKS aks moderate abnormal hospital"}},
      {"more than it gives", Scored("AKS", 21), Aged(70), {"AKS aks !out_of_range"}},
      {"PUMA", Scored("PUMA", 6), Aged(50), {"PUMA puma high abnormal puskesmas"}},
      {"SKILAS",
       Resulted("SKILAS", ev::SCREENING_RESULT_NORMAL),
       Aged(70),
       {"SKILAS skilas none_ticked normal routine"}},
      {"SKILAS with its measures",
       Tool("SKILAS",
            [](ev::Screening& form) {
              form.set_score(2);
              MeasuredAnswer(form, "mobilisasi", "14.1", "s");
              MeasuredAnswer(form, "weight_loss", "3.5", "kg");
            }),
       Aged(70),
       {"SKILAS skilas ticked needs_check not_said",
        "chair_stand skilas_chair_stand too_slow needs_check not_said",
        "weight_loss skilas_weight_loss !unit"}},
      {"a spelling",
       Scored("MINICOG", 2),
       Aged(70),
       {"MINI-COG mini_cog impaired abnormal not_said"}},
      {"no table", Scored("SDQ", 20), Aged(12), {"SDQ sdq !no_table"}},
      {"a tool nobody defined", Scored("POSBINDU-7", 3), Aged(40), {"POSBINDU-7 - !no_table"}},
      {"a tool nobody defined, in words",
       Worded("POSBINDU-7", "baik"),
       Aged(40),
       {"POSBINDU-7 - !no_table"}},
      {"words for a score", Worded("AKS", "mandiri"), Aged(70), {"AKS aks !unknown_result"}},
      {"IVA has no classes", Worded("IVA", "negatif"), Aged(35), {"IVA cervix !no_table"}},
      {"SHK", Worded("SHK", "Tinggi"), Newborn(), {"SHK shk_range high abnormal hospital"}},
      {"G6PD", Worded("G6PD", "positif"), Newborn(), {"G6PD g6pd positive abnormal hospital"}},
      {"stool",
       Worded("STOOL-COLOUR", "pucat"),
       Newborn(),
       {"STOOL-COLOUR stool_colour pale abnormal puskesmas"}},
      {"MTBS by colour",
       Worded("MTBS", "merah"),
       Aged(2),
       {"MTBS mtbs_colour red abnormal hospital"}},
      {"MTBS by score", Scored("MTBS", 4), Aged(2), {"MTBS mtbs !no_table"}},
      {"MTBS, which of two",
       Resulted("MTBS", ev::SCREENING_RESULT_ABNORMAL),
       Aged(2),
       {"MTBS mtbs_colour !unknown_result"}},
      {"HBsAg as a tool",
       Worded("HBSAG", "reaktif"),
       Aged(30),
       {"HBSAG hbsag reactive abnormal puskesmas"}},
      {"hearing", Scored("TDD", 1), Aged(3), {"TDD hearing_test not_passed abnormal puskesmas"}},
      {"only answers",
       Tool("AKS", [](ev::Screening& form) { Counted(form, "1", 2); }),
       Aged(70),
       {"AKS aks !missing"}},
      {"sight",
       Tool("VISUS",
            [](ev::Screening& form) {
              form.add_answers()->set_words("6/6");
              form.add_answers()->set_words("6/18");
            }),
       Aged(50),
       {"visual_acuity visual_acuity not_low normal routine",
        "visual_acuity visual_acuity low needs_check recheck"}},
      {"the reflex of the pupil has no classes",
       Worded("PUPIL-REFLEX", "ada"),
       Aged(2),
       {"PUPIL-REFLEX pupil_reflex !no_table"}},
      {"tumbling E, three in a row",
       Tool("TUMBLING-E",
            [](ev::Screening& form) {
              for (const bool right : {false, true, true, true}) Yes(form, "e", right);
            }),
       Aged(4),
       {"TUMBLING-E tumbling_e pass normal routine"}},
      {"tumbling E, three of five",
       Tool("TUMBLING-E",
            [](ev::Screening& form) {
              for (const bool right : {true, true, false, true, false}) Yes(form, "e", right);
            }),
       Aged(4),
       {"TUMBLING-E tumbling_e not_passed needs_check not_said"}},
      {"thalassaemia",
       Tool("THALASSAEMIA",
            [](ev::Screening& form) {
              MeasuredAnswer(form, "MCV", "64", "fL");
              MeasuredAnswer(form, "eritrosit", "5.2", "10*6/uL");
            }),
       Aged(2),
       {"THALASSAEMIA mentzer low abnormal puskesmas"}},
      {"APRI",
       Tool("APRI", [](ev::Screening& form) { MeasuredAnswer(form, "apri", "0.51", "1"); }),
       Aged(40),
       {"apri apri high abnormal puskesmas"}},
      {"ASSIST without a substance",
       Scored("ASSIST", 30),
       Aged(30),
       {"ASSIST - !substance_unknown"}},
      {"ASSIST by tool",
       Scored("ASSIST-GANJA", 27),
       Aged(30),
       {"ASSIST-OTHER assist_other high abnormal puskesmas"}},
      {"ASSIST by question, the highest of each",
       Tool("ASSIST",
            [](ev::Screening& form) {
              Counted(form, "alkohol", 10);
              Counted(form, "tembakau", 3);
              Counted(form, "ganja", 4);
            }),
       Aged(30),
       {"ASSIST-ALCOHOL assist_alcohol low normal routine",
        "ASSIST-OTHER assist_other moderate abnormal puskesmas"}},
  });
}

TEST(Screened, Srq20FollowsFromItsAnswers) {
  Expect({
      {"5", Tool("SRQ-20", Srq20(5)), Aged(30), {"SRQ-20 srq_20 normal normal routine score=5"}},
      {"6",
       Tool("SRQ-20", Srq20(6)),
       Aged(30),
       {"SRQ-20 srq_20 abnormal abnormal puskesmas score=6"}},
      {"the recorded score is another",
       Tool("SRQ-20", Srq20(7, 3)),
       Aged(30),
       {"SRQ-20 srq_20 abnormal abnormal puskesmas score=7 score_disagrees"}},
      {"question 17 alone, total recorded as 0",
       Tool("SRQ-20", Srq20(0, 0, true)),
       Aged(30),
       {"SRQ-20 srq_20_item_17 abnormal_item_17 abnormal urgent score=1 score_disagrees"}},
      {"question 17, heard by a kader",
       Tool("SRQ20", Srq20(0, std::nullopt, true), kKader),
       Aged(30),
       {"SRQ-20 srq_20_item_17 needs_check needs_check urgent score=1"}},
      {"Q01 and words",
       Tool("SRQ-20",
            [](ev::Screening& form) {
              for (int question = 1; question <= 20; ++question) {
                ev::Answer* answer = form.add_answers();
                answer->set_link_id(fmt::format("Q{:02}", question));
                answer->set_words(question < 3 ? "Ya" : "tidak");
              }
            }),
       Aged(30),
       {"SRQ-20 srq_20 normal normal routine score=2"}},
      {"question 17 twice, once with yes",
       Tool("SRQ-20",
            [](ev::Screening& form) {
              Srq20(0, std::nullopt, true)(form);
              Yes(form, "17", false);
            }),
       Aged(30),
       {"SRQ-20 srq_20_item_17 abnormal_item_17 abnormal urgent score=1"}},
      {"question 17 is open",
       Tool("SRQ-20",
            [](ev::Screening& form) {
              for (int question = 1; question <= 16; ++question) {
                Yes(form, fmt::format("{}", question), false);
              }
            }),
       Aged(30),
       {"SRQ-20 srq_20 !answers_missing"}},
      {"a high score alone",
       Scored("SRQ-20", 6),
       Aged(30),
       {"SRQ-20 srq_20 abnormal abnormal puskesmas"}},
      {"a low score alone", Scored("SRQ-20", 0), Aged(30), {"SRQ-20 srq_20 !answers_missing"}},
      {"a low score, found abnormal",
       Tool("SRQ-20",
            [](ev::Screening& form) {
              form.set_score(2);
              form.set_result(ev::SCREENING_RESULT_ABNORMAL);
            }),
       Aged(30),
       {"SRQ-20 srq_20 abnormal abnormal puskesmas"}},
  });
}

TEST(Screened, TuberculosisIsPresumedNeverFound) {
  const auto with_result = [](const FillTool& fill, ev::ScreeningResult result) {
    return [=](ev::Screening& form) {
      fill(form);
      form.set_result(result);
    };
  };
  Expect({
      {"recorded by a kader",
       Resulted("TB-SYMPTOM", ev::SCREENING_RESULT_PRESUMPTIVE, kKader),
       Aged(60),
       {"TB-SYMPTOM tb_symptom presumptive presumptive puskesmas"}},
      {"as words of a kader",
       Worded("TB-SYMPTOM", "terduga TBC", kKader),
       Aged(60),
       {"TB-SYMPTOM tb_symptom presumptive presumptive puskesmas"}},
      {"TB itself is no word of the list",
       Worded("TB-SYMPTOM", "TBC", kKader),
       Aged(60),
       {"TB-SYMPTOM tb_symptom !unknown_result"}},
      {"a child coughs",
       Tool("TB-SYMPTOM", Signs(true, false)),
       Aged(5),
       {"TB-SYMPTOM tb_child_signs presumptive presumptive puskesmas"}},
      {"a child in contact",
       Tool("TB-SYMPTOM", Signs(false, true)),
       Aged(5),
       {"TB-SYMPTOM tb_symptom close_contact needs_check puskesmas"}},
      {"a child with nothing",
       Tool("TB-SYMPTOM", Signs(false, false)),
       Aged(5),
       {"TB-SYMPTOM tb_child_signs not_presumptive normal routine"}},
      {"presumed for another reason",
       Tool("TB-SYMPTOM", with_result(Signs(false, false), ev::SCREENING_RESULT_PRESUMPTIVE)),
       Aged(5),
       {"TB-SYMPTOM tb_symptom presumptive presumptive puskesmas"}},
      {"signs of a child that was called normal",
       Tool("TB-SYMPTOM", with_result(Signs(true, false), ev::SCREENING_RESULT_NORMAL)),
       Aged(5),
       {"TB-SYMPTOM tb_child_signs presumptive presumptive puskesmas"}},
      {"an adult's signs have no table",
       Tool("TB-SYMPTOM", Signs(true, false)),
       Aged(40),
       {"TB-SYMPTOM tb_adult_signs !off"}},
      {"an adult's result",
       Tool("TB-SYMPTOM", with_result(Signs(true, false), ev::SCREENING_RESULT_NORMAL)),
       Aged(40),
       {"TB-SYMPTOM tb_symptom not_presumptive normal routine"}},
      {"numbers of questions say nothing",
       Tool("TB-SYMPTOM", [](ev::Screening& form) { Yes(form, "1", true); }),
       Aged(5),
       {"TB-SYMPTOM tb_symptom !missing"}},
  });
}

TEST(Screened, DoubtfulKpspAgainAfterTwoWeeksRefers) {
  const ev::Event doubtful = Worded("KPSP", "Meragukan");
  for (const auto& [days, expected] : std::vector<std::pair<std::optional<int>, std::string>>{
           {std::nullopt, "KPSP kpsp doubtful needs_check recheck"},
           {13, "KPSP kpsp doubtful needs_check recheck"},
           {14, "KPSP kpsp doubtful_again abnormal puskesmas"}}) {
    ScreenedEvent screened = Of(doubtful, 0, Aged(2));
    screened.days_since_doubtful_kpsp = days;
    v1::Derived derived;
    Screen({&screened, 1}, derived);
    EXPECT_THAT(LinesOf(derived), ElementsAre(expected));
  }
  Expect({{"score alone", Scored("KPSP", 8), Aged(2), {"KPSP kpsp !no_table"}},
          {"result",
           Resulted("KPSP", ev::SCREENING_RESULT_ABNORMAL),
           Aged(2),
           {"KPSP kpsp deviation abnormal puskesmas"}}});
  EXPECT_EQ(DoubtfulKpsp(doubtful), true);
  EXPECT_EQ(DoubtfulKpsp(Resulted("KPSP", ev::SCREENING_RESULT_NEEDS_CHECK)), true);
  EXPECT_EQ(DoubtfulKpsp(Worded("KPSP", "sesuai")), false);
  EXPECT_EQ(DoubtfulKpsp(Scored("KPSP", 8)), std::nullopt);
  EXPECT_EQ(DoubtfulKpsp(Worded("SDQ", "meragukan")), std::nullopt);
}

TEST(Screened, ThirdReadingThatSaysRepeatRefers) {
  Expect({{"twice in one form",
           Tool("PJB", Readings({{94, 94}, {94, 94}})),
           Newborn(),
           {"pulse_oximetry pulse_oximetry repeat needs_check recheck"}},
          {"thrice in one form",
           Tool("PJB", Readings({{94, 94}, {94, 94}, {94, 94}})),
           Newborn(),
           {"pulse_oximetry pulse_oximetry_repeated refer abnormal hospital"}},
          {"nothing in it",
           Tool("PJB", [](ev::Screening& form) { form.set_result_text("x"); }),
           Newborn(),
           {"pulse_oximetry pulse_oximetry !missing"}}});

  const ev::Event hour = Tool("PJB", Readings({{94, 94}}));
  const std::vector<ScreenedEvent> hours = {Of(hour, 0, Newborn()), Of(hour, 1, Newborn()),
                                            Of(hour, 2, Newborn())};
  v1::Derived derived;
  Screen(hours, derived);
  EXPECT_THAT(LinesOf(derived),
              ElementsAre("pulse_oximetry pulse_oximetry repeat needs_check recheck",
                          "pulse_oximetry pulse_oximetry repeat needs_check recheck",
                          "pulse_oximetry pulse_oximetry_repeated refer abnormal hospital"));
}

TEST(Screened, ABirthStandsForItsLiveChildren) {
  ev::Event event = By(ev::RECORDER_ROLE_MIDWIFE);
  event.mutable_birth()->set_gestation_days(258);
  for (const auto& [weight, alive] :
       std::vector<std::pair<uint32_t, bool>>{{1999, true}, {900, false}, {2500, true}}) {
    ev::Baby* baby = event.mutable_birth()->add_babies();
    baby->set_weight_g(weight);
    baby->set_alive(alive);
  }
  Expect({{"twins and one that died",
           event,
           Aged(30),
           {"gestation_at_birth gestation_at_birth preterm abnormal not_said",
            "birth_weight birth_weight bblr_under_2000 abnormal emergency",
            "birth_weight birth_weight not_low normal routine"}}});
}

TEST(Screened, APregnancyThatIsOpenedHasItsRisks) {
  const auto opened = [](ev::PregnancyState state) {
    ev::Event event = By(ev::RECORDER_ROLE_MIDWIFE);
    event.mutable_pregnancy()->set_state(state);
    event.mutable_pregnancy()->set_para(3);
    return event;
  };
  Expect({{"too many, too old",
           opened(ev::PREGNANCY_STATE_OPEN),
           Aged(36),
           {"mother_age risk_mother_age too_old needs_check not_said",
            "children risk_children too_many needs_check not_said"}},
          {"age unknown",
           opened(ev::PREGNANCY_STATE_OPEN),
           {},
           {"children risk_children too_many needs_check not_said"}},
          {"closed", opened(ev::PREGNANCY_STATE_CLOSED), Aged(36), {}}});
}

// What one event needs of another of its entry, in whatever order they are given.
TEST(Screened, LooksAtTheWholeEntryInAnyOrder) {
  const ev::Event pressure = Pressure(146, 88);
  const ev::Event urine = LabText("5804-0", "+");
  const ev::Event sign =
      VisitOf([](ev::Visit& visit) { Set(*visit.add_danger_signs(), kSnomed, "25064002"); });
  const ev::Event not_met = VisitOf([](ev::Visit& visit) {
    visit.mutable_home_visit()->set_outcome(ev::HOME_VISIT_OUTCOME_NOT_MET);
  });
  std::vector<ScreenedEvent> events = {Of(pressure, 0, Pregnant(200)), Of(urine, 1, Pregnant(200)),
                                       Of(sign, 2, Pregnant(200)), Of(not_met, 3, Pregnant(200))};
  v1::Derived first;
  Screen(events, first);
  EXPECT_THAT(LinesOf(first),
              ElementsAre("blood_pressure blood_pressure_adult ht_1 abnormal puskesmas",
                          "blood_pressure isolated_systolic isolated_systolic abnormal puskesmas",
                          "blood_pressure blood_pressure_danger high_with_danger_sign abnormal "
                          "hospital",
                          "blood_pressure pre_eclampsia pre_eclampsia abnormal urgent",
                          "urine_protein urine_protein protein needs_check not_said",
                          "danger_sign danger_sign danger_sign abnormal urgent"));
  std::vector<uint32_t> members;
  for (const v1::Screened& row : first.screened()) members.push_back(row.member());
  EXPECT_THAT(members, ElementsAre(0, 0, 0, 0, 1, 2));

  const auto by_member = [](const ScreenedEvent& a, const ScreenedEvent& b) {
    return a.member < b.member;
  };
  while (std::next_permutation(events.begin(), events.end(), by_member)) {
    v1::Derived again;
    Screen(events, again);
    EXPECT_EQ(again.SerializeAsString(), first.SerializeAsString());
  }
}

TEST(Screened, SkipsWhatHasNothingToScreen) {
  EXPECT_FALSE(MayScreen(By(ev::RECORDER_ROLE_MIDWIFE)));
  EXPECT_FALSE(MayScreen(VisitOf([](ev::Visit& visit) { visit.set_weight_g(7000); })));
  ev::Event dose = By(ev::RECORDER_ROLE_MIDWIFE);
  dose.mutable_immunisation()->set_antigen("BCG");
  EXPECT_FALSE(MayScreen(dose));
  EXPECT_THAT(Lines(dose, Aged(0)), IsEmpty());
  ev::Event referral = By(ev::RECORDER_ROLE_MIDWIFE);
  referral.mutable_referral()->set_number("R1");
  EXPECT_FALSE(MayScreen(referral));
}

// Rows of the same word stand together: "| hbsag | `reactive` | reactive · reaktif |".
std::vector<std::string> PageLines(std::span<const Wording> wordings) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < wordings.size(); ++at) {
    const Wording& row = wordings[at];
    const bool goes_on =
        at > 0 && wordings[at - 1].of == row.of && wordings[at - 1].word == row.word;
    if (goes_on) {
      lines.back() += fmt::format(" · {}", row.text);
    } else {
      lines.push_back(fmt::format("| {} | `{}` | {}", row.of, row.word, row.text));
    }
  }
  for (std::string& line : lines) line += " |";
  return lines;
}

TEST(ScreenedPage, ListsEveryWordCodeAndQuestion) {
  const std::string page = testing::SourceFile("docs/screening.md");
  for (const std::span<const Wording> wordings : {Wordings(), Questions()}) {
    for (const std::string& line : PageLines(wordings)) EXPECT_THAT(page, HasSubstr(line));
  }
  for (const std::span<const CodedText> codes : {CodedTexts(), Convulsions()}) {
    for (const CodedText& row : codes) {
      EXPECT_THAT(page, HasSubstr(fmt::format("{} {}", row.code, row.text)));
    }
  }
  for (const Spelling& tool : ToolSpellings()) {
    EXPECT_THAT(page, HasSubstr(fmt::format("`{}` is `{}`", tool.from, tool.to)));
  }
  for (const Spelling& tool : ToolResultLists()) {
    EXPECT_THAT(page, HasSubstr(fmt::format("`{}` → {}", tool.from, tool.to)));
  }
}

// A word that a list does not have would silently be no class.
TEST(ScreenedWords, MeanAClassOfTheirList) {
  const rules::ScreeningRules& tables = *rules::FindScreeningRules(1);
  for (const Wording& row : Wordings()) {
    if (row.of == "protein" || row.of == "answer") continue;
    EXPECT_FALSE(rules::ScreenWord(tables, row.of, row.word).not_derived) << row.of << row.text;
  }
}

}  // namespace
}  // namespace simpul::timeline
