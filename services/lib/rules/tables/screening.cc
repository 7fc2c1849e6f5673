// The screening tables of the programme, a line or two to each printed class. docs/screening.md is
// compared with them.
#include "lib/rules/screening.h"

namespace simpul::rules {
namespace {

using event::v1::ScreeningResult;
using event::v1::SEX_FEMALE;
using event::v1::SEX_MALE;
using Condition = ScreeningCondition;
using Level = ScreeningLevel;
using Row = ScreeningRow;
using Section = ScreeningSection;

constexpr ScreeningResult kNormal = event::v1::SCREENING_RESULT_NORMAL;
constexpr ScreeningResult kCheck = event::v1::SCREENING_RESULT_NEEDS_CHECK;
constexpr ScreeningResult kAbnormal = event::v1::SCREENING_RESULT_ABNORMAL;
constexpr ScreeningResult kPresumptive = event::v1::SCREENING_RESULT_PRESUMPTIVE;
constexpr ScreeningResult kNoResult = event::v1::SCREENING_RESULT_UNSPECIFIED;

constexpr ScreeningSource kKmk = {"KMK HK.01.07/MENKES/2015/2023", ScreeningBasis::kRead};
constexpr ScreeningSource kPkg = {"PKG guide 2025", ScreeningBasis::kRead};
constexpr ScreeningSource kKmkPkg = {"KMK HK.01.07/MENKES/2015/2023, PKG guide 2025",
                                     ScreeningBasis::kRead};
constexpr ScreeningSource kCard = {"Posyandu card, in public software", ScreeningBasis::kReported};
constexpr ScreeningSource kKmkBoundOfCard = {
    "KMK HK.01.07/MENKES/2015/2023, the bound from the Posyandu card, in public software",
    ScreeningBasis::kReported};
constexpr ScreeningSource kForm = {"home-visit form, in public software",
                                   ScreeningBasis::kReported};
constexpr ScreeningSource kOurs = {"no print", ScreeningBasis::kDecided};
constexpr ScreeningSource kHearsay = {"none", ScreeningBasis::kUnsourced};

constexpr int kYear = 12;

constexpr Bound kLowest = {};
constexpr Bound kNever = {.thousandths = std::numeric_limits<int64_t>::max()};
constexpr Bound From(int whole, int tenths = 0) { return {whole * 1000LL + tenths * 100LL}; }
constexpr Bound Above(int whole, int tenths = 0) { return {whole * 1000LL + tenths * 100LL, true}; }

struct Asks {
  Level level;
  bool decided;
  std::string_view action;
};
// The level follows from the source's own words.
constexpr Asks Printed(Level level, std::string_view action = "") { return {level, false, action}; }
// The source names an action and no place, or two.
constexpr Asks Decided(Level level, std::string_view action = "") { return {level, true, action}; }
constexpr Asks NotSaid(std::string_view action = "") { return {Level::kNotSaid, false, action}; }
constexpr Asks kRoutine = {Level::kRoutine, false, ""};

constexpr Row Band(Bound from, std::string_view word, ScreeningResult result, Asks asks,
                   ScreeningSource source) {
  return {.from = from,
          .word = word,
          .result = result,
          .level = asks.level,
          .level_decided = asks.decided,
          .action = asks.action,
          .source = source};
}
// Two numbers; either is enough.
constexpr Row Pair(Bound from, Bound second, std::string_view word, ScreeningResult result,
                   Asks asks, ScreeningSource source) {
  Row row = Band(from, word, result, asks, source);
  row.second = second;
  return row;
}
constexpr Row Listed(std::string_view word, ScreeningResult result, Asks asks,
                     ScreeningSource source) {
  return Band(kLowest, word, result, asks, source);
}

// Pregnancy.

constexpr Row kLilaPregnancy[] = {
    Band(kLowest, "kek", kAbnormal,
         Decided(Level::kPuskesmas, "doctor; extra food for at least 90 days"), kKmk),
    Band(From(235), "not_kek", kNormal, kRoutine, kKmk),
};
constexpr Row kBmiPregnancy[] = {
    Band(kLowest, "underweight", kAbnormal,
         Decided(Level::kPuskesmas, "doctor; extra food for at least 90 days"), kKmk),
    Band(From(18, 5), "not_underweight", kNormal, kRoutine, kKmk),
};
constexpr Row kHbPregnancy[] = {
    Band(kLowest, "anaemia", kAbnormal, NotSaid(), kKmk),
    Band(From(11), "no_anaemia", kNormal, kRoutine, kKmk),
};
constexpr Row kHbPregnancy2[] = {
    Band(kLowest, "anaemia", kAbnormal, NotSaid(), kKmk),
    Band(From(10, 5), "no_anaemia", kNormal, kRoutine, kKmk),
};
constexpr Row kUrineProtein[] = {
    Band(kLowest, "none", kNormal, kRoutine, kKmk),
    Band(From(1), "protein", kCheck, NotSaid(), kKmk),
    Band(From(2), "much_protein", kAbnormal, NotSaid(), kKmk),
};
constexpr Row kPreEclampsia[] = {
    Pair(kLowest, kLowest, "no_pre_eclampsia", kNormal, kRoutine, kKmk),
    Pair(From(140), From(90), "pre_eclampsia", kAbnormal, Decided(Level::kUrgent), kKmk),
    Pair(From(160), From(110), "severe_pre_eclampsia", kAbnormal, Printed(Level::kEmergency), kKmk),
};
constexpr Row kMotherAge[] = {
    Band(kLowest, "too_young", kCheck, NotSaid(), kKmk),
    Band(From(20), "age_ideal", kNormal, kRoutine, kKmk),
    Band(From(36), "too_old", kCheck, NotSaid(), kKmk),
};
constexpr Row kChildren[] = {
    Band(kLowest, "children_ideal", kNormal, kRoutine, kKmk),
    Band(From(3), "too_many", kCheck, NotSaid(), kKmk),
};
constexpr Row kSpacing[] = {
    Band(kLowest, "too_close", kCheck, NotSaid(), kKmk),
    Band(Above(24), "spacing_ideal", kNormal, kRoutine, kKmk),
};

// Newborns. Their tests are made where a hospital is the next step.

constexpr Row kTsh[] = {
    Listed("within_range", kNormal, kRoutine, kKmkPkg),
    Listed("high", kAbnormal, Decided(Level::kHospital, "paediatrician"), kKmkPkg),
};
constexpr Row kTshCutOff[] = {
    Band(kLowest, "within_range", kNormal, kRoutine, kHearsay),
    Band(From(20), "high", kAbnormal, Decided(Level::kHospital, "paediatrician"), kHearsay),
};
constexpr Row kBloodSpot[] = {
    Listed("negative", kNormal, kRoutine, kKmkPkg),
    Listed("positive", kAbnormal, Decided(Level::kHospital, "refer"), kKmkPkg),
};
constexpr Row kPulseOximetry[] = {
    Band(kLowest, "refer_at_once", kAbnormal, Printed(Level::kEmergency, "refer at once"), kKmkPkg),
    Band(From(90), "repeat", kCheck, Printed(Level::kRecheck, "again in an hour"), kKmkPkg),
    Band(Above(95), "pass", kNormal, Printed(Level::kRoutine, "look again at 2 months"), kKmkPkg),
};
constexpr Row kPulseOximetryDifference[] = {
    Band(kLowest, "small_difference", kNormal, kRoutine, kKmkPkg),
    // Exactly 3 is decided by Simpul; beyond it is printed.
    Band(From(3), "repeat", kCheck, Printed(Level::kRecheck, "again in an hour"), kOurs),
};
constexpr Row kPulseOximetryRepeated[] = {
    Listed("refer", kAbnormal, Decided(Level::kHospital, "refer"), kKmkPkg),
};
constexpr Row kStoolColour[] = {
    Listed("not_pale", kNormal, kRoutine, kKmkPkg),
    Listed("pale", kAbnormal, Decided(Level::kPuskesmas, "doctor, refer"), kKmkPkg),
};
constexpr Row kBirthWeight[] = {
    Band(kLowest, "bblasr", kAbnormal, Printed(Level::kEmergency, "refer at once"), kKmkPkg),
    Band(From(1000), "bblsr", kAbnormal, Printed(Level::kEmergency, "refer at once"), kKmkPkg),
    Band(From(1500), "bblr_under_2000", kAbnormal, Printed(Level::kEmergency, "refer at once"),
         kKmkPkg),
    Band(From(2000), "bblr", kAbnormal,
         Decided(Level::kPuskesmas,
                 "well: small-baby book, kangaroo care; ill: first antibiotic "
                 "dose, stabilise"),
         kKmkPkg),
    Band(From(2500), "not_low", kNormal, kRoutine, kKmkPkg),
};
constexpr Row kGestation[] = {
    Band(kLowest, "preterm", kAbnormal, NotSaid(), kKmkPkg),
    Band(From(259), "term", kNormal, kRoutine, kKmkPkg),
    Band(From(294), "post_term", kAbnormal, NotSaid(), kKmkPkg),
};

// Infants to preschool.

constexpr Row kKpsp[] = {
    Listed("fits_age", kNormal, kRoutine, kPkg),
    Listed("doubtful", kCheck, Printed(Level::kRecheck, "stimulate; again in 2 weeks"), kPkg),
    Listed("deviation", kAbnormal, Decided(Level::kPuskesmas, "refer"), kPkg),
    Listed("doubtful_again", kAbnormal, Decided(Level::kPuskesmas, "refer"), kPkg),
};
constexpr Row kHearing[] = {
    Band(kLowest, "pass", kNormal, kRoutine, kPkg),
    Band(From(1), "not_passed", kAbnormal, Decided(Level::kPuskesmas, "refer"), kPkg),
};
constexpr Row kTumblingE[] = {
    Listed("pass", kNormal, kRoutine, kPkg),
    Listed("not_passed", kCheck, NotSaid(), kPkg),
};
constexpr Row kHbAge2[] = {
    Band(kLowest, "low", kCheck, Decided(Level::kRecheck, "full count"), kPkg),
    Band(From(11), "not_low", kNormal, kRoutine, kPkg),
};
constexpr Row kMentzer[] = {
    Band(kLowest, "low", kAbnormal, Decided(Level::kPuskesmas, "refer"), kPkg),
    Band(From(13), "not_low", kNormal, kRoutine, kPkg),
};
constexpr Row kShineLal[] = {
    Band(kLowest, "low", kAbnormal, Decided(Level::kPuskesmas, "refer"), kPkg),
    Band(From(1530), "not_low", kNormal, kRoutine, kPkg),
};
constexpr Row kGlucoseRandomAge2[] = {
    Band(kLowest, "not_high", kNormal, kRoutine, kPkg),
    Band(From(140), "high", kCheck, Printed(Level::kRecheck, "fasting glucose"), kPkg),
};
constexpr Row kGlucoseFastingAge2[] = {
    Band(kLowest, "not_high", kNormal, kRoutine, kPkg),
    Band(From(100), "high", kAbnormal, Decided(Level::kPuskesmas, "refer"), kPkg),
};
constexpr Row kTbChildSigns[] = {
    Band(kLowest, "not_presumptive", kNormal, kRoutine, kKmk),
    Band(From(1), "presumptive", kPresumptive, Decided(Level::kPuskesmas, "TCM, 2 sputum"), kKmk),
};
constexpr Row kTbChildScore[] = {
    Band(kLowest, "no_class", kNoResult, NotSaid("clinician decides"), kKmk),
    Band(From(6), "score_met", kPresumptive, Decided(Level::kPuskesmas, "clinician decides"), kKmk),
};
constexpr Row kMtbsColour[] = {
    Listed("green", kCheck, NotSaid("treat"), kKmk),
    Listed("yellow", kAbnormal, Printed(Level::kPuskesmas, "doctor"), kKmk),
    Listed("red", kAbnormal, Decided(Level::kHospital, "refer"), kKmk),
};

// School age and adolescents.

constexpr Row kPressureAdolescent[] = {
    Pair(kLowest, kLowest, "normal", kNormal, kRoutine, kKmk),
    Pair(From(120), kNever, "raised", kCheck, NotSaid(), kKmk),
    Pair(From(130), From(80), "stage_1", kAbnormal,
         Printed(Level::kPuskesmas, "Puskesmas, then paediatrician"), kKmk),
    Pair(From(140), From(90), "stage_2", kAbnormal,
         Printed(Level::kPuskesmas, "Puskesmas, then paediatrician"), kKmk),
};
constexpr Row kHbSchoolGirls[] = {
    Band(kLowest, "anaemia", kAbnormal, NotSaid(), kHearsay),
    Band(From(12), "no_anaemia", kNormal, kRoutine, kHearsay),
};
constexpr Row kHbSchool[] = {
    Band(kLowest, "anaemia", kAbnormal, NotSaid(), kHearsay),
    Band(From(11, 5), "no_anaemia", kNormal, kRoutine, kHearsay),
};

// Adults.

constexpr Asks kHypertension = Printed(Level::kPuskesmas, "measure twice more; Puskesmas");
constexpr Row kPressureAdult[] = {
    Pair(kLowest, kLowest, "optimal", kNormal, kRoutine, kKmkPkg),
    Pair(From(120), From(80), "normal", kNormal, kRoutine, kKmkPkg),
    Pair(From(130), From(85), "high_normal", kCheck,
         Printed(Level::kRecheck, "educate; every month"), kKmkPkg),
    Pair(From(140), From(90), "ht_1", kAbnormal, kHypertension, kKmkPkg),
    Pair(From(160), From(100), "ht_2", kAbnormal, kHypertension, kKmkPkg),
    Pair(From(180), From(110), "ht_3", kAbnormal, kHypertension, kKmkPkg),
};
// Systolic from, and diastolic below.
constexpr Row kIsolatedSystolic[] = {
    Pair(From(140), From(90), "isolated_systolic", kAbnormal, kHypertension, kKmkPkg),
};
constexpr Row kPressureDanger[] = {
    Pair(From(140), From(90), "high_with_danger_sign", kAbnormal, Printed(Level::kHospital),
         kKmkPkg),
};

constexpr Asks kDiabetes = Printed(Level::kPuskesmas);
constexpr Asks kPrediabetes = Printed(Level::kRecheck, "every 3 months");
constexpr Row kGlucoseRandom[] = {
    Band(kLowest, "normal", kNormal, kRoutine, kKmkPkg),
    // Printed as normal is what lies below 100, prediabetes begins at 140.
    Band(From(100), "no_class", kNoResult, NotSaid(), kOurs),
    Band(From(140), "prediabetes_range", kAbnormal, kPrediabetes, kKmkPkg),
    Band(From(200), "diabetes_range", kAbnormal, kDiabetes, kKmkPkg),
};
constexpr Row kGlucoseFasting[] = {
    Band(kLowest, "normal", kNormal, kRoutine, kKmkPkg),
    Band(From(100), "prediabetes_range", kAbnormal, kPrediabetes, kKmkPkg),
    Band(From(126), "diabetes_range", kAbnormal, kDiabetes, kKmkPkg),
};
constexpr Row kGlucose2h[] = {
    Band(kLowest, "normal", kNormal, kRoutine, kKmkPkg),
    Band(From(140), "prediabetes_range", kAbnormal, kPrediabetes, kKmkPkg),
    Band(From(200), "diabetes_range", kAbnormal, kDiabetes, kKmkPkg),
};
constexpr Row kHbA1c[] = {
    Band(kLowest, "normal", kNormal, kRoutine, kKmkPkg),
    Band(From(5, 7), "prediabetes_range", kAbnormal, kPrediabetes, kKmkPkg),
    Band(From(6, 5), "diabetes_range", kAbnormal, kDiabetes, kKmkPkg),
};
constexpr Asks kRiskForGlucose = NotSaid("a risk that calls to a glucose test");
constexpr Row kWaistMen[] = {
    Band(kLowest, "not_central_obesity", kNormal, kRoutine, kKmkPkg),
    Band(Above(900), "central_obesity", kAbnormal, kRiskForGlucose, kKmkPkg),
};
constexpr Row kWaistWomen[] = {
    Band(kLowest, "not_central_obesity", kNormal, kRoutine, kKmkPkg),
    Band(Above(800), "central_obesity", kAbnormal, kRiskForGlucose, kKmkPkg),
};
constexpr Row kTbAdultSigns[] = {
    Band(kLowest, "not_presumptive", kNormal, kRoutine, kCard),
    Band(From(2), "presumptive", kPresumptive, Decided(Level::kPuskesmas, "refer"), kCard),
};
constexpr Row kPuma[] = {
    Band(kLowest, "not_high", kNormal, kRoutine, kKmkPkg),
    Band(From(6), "high", kAbnormal, Decided(Level::kPuskesmas, "spirometry or refer"), kKmkPkg),
};
constexpr Row kSrq20[] = {
    Band(kLowest, "normal", kNormal, kRoutine, kKmkPkg),
    Band(From(6), "abnormal", kAbnormal, Decided(Level::kPuskesmas, "refer"), kKmkPkg),
};
constexpr Row kSrq20Item17[] = {
    Listed("abnormal_item_17", kAbnormal, Printed(Level::kUrgent, "refer"), kKmkPkg),
};
constexpr Row kAssistAlcohol[] = {
    Band(kLowest, "low", kNormal, kRoutine, kKmkPkg),
    Band(From(11), "moderate", kAbnormal, Decided(Level::kPuskesmas, "IPWL"), kKmkPkg),
    Band(From(27), "high", kAbnormal, Decided(Level::kPuskesmas, "IPWL"), kKmkPkg),
};
constexpr Row kAssistOther[] = {
    Band(kLowest, "low", kNormal, kRoutine, kKmkPkg),
    Band(From(4), "moderate", kAbnormal, Decided(Level::kPuskesmas, "IPWL"), kKmkPkg),
    Band(From(27), "high", kAbnormal, Decided(Level::kPuskesmas, "IPWL"), kKmkPkg),
};
constexpr Row kVisualAcuity[] = {
    Band(kLowest, "low", kCheck, Printed(Level::kRecheck, "pinhole"), kKmkPkg),
    Band(From(0, 5), "not_low", kNormal, kRoutine, kKmkPkg),
};
constexpr Row kPupil[] = {
    Listed("not_grey", kNormal, kRoutine, kKmkPkg),
    Listed("grey", kAbnormal, Decided(Level::kPuskesmas, "refer"), kKmkPkg),
};
constexpr Row kWhisper[] = {
    Band(kLowest, "not_passed", kAbnormal, NotSaid(), kKmkPkg),
    Band(From(4), "pass", kNormal, kRoutine, kKmkPkg),
};
constexpr Row kApcs[] = {
    Band(kLowest, "not_high", kNormal, kRoutine, kKmkPkg),
    Band(From(4), "high", kAbnormal, NotSaid(), kKmkPkg),
};
constexpr Row kHepatitis[] = {
    Listed("non_reactive", kNormal, kRoutine, kOurs),
    Listed("reactive", kAbnormal, Decided(Level::kPuskesmas, "APRI"), kOurs),
};
constexpr Row kApri[] = {
    Band(kLowest, "not_high", kNormal, kRoutine, kKmkPkg),
    Band(Above(0, 5), "high", kAbnormal, Decided(Level::kPuskesmas, "refer"), kKmkPkg),
};
constexpr Asks kReferCardioRenal = Decided(Level::kPuskesmas, "refer");
constexpr Row kCholesterol[] = {
    Band(kLowest, "not_flagged", kNormal, kRoutine, kKmkPkg),
    Band(From(200), "flagged", kAbnormal, kReferCardioRenal, kKmkPkg),
};
constexpr Row kLdl[] = {
    Band(kLowest, "not_flagged", kNormal, kRoutine, kKmkPkg),
    Band(From(100), "flagged", kAbnormal, kReferCardioRenal, kKmkPkg),
};
constexpr Row kTriglycerides[] = {
    Band(kLowest, "not_flagged", kNormal, kRoutine, kKmkPkg),
    Band(From(150), "flagged", kAbnormal, kReferCardioRenal, kKmkPkg),
};
constexpr Row kHdl[] = {
    Band(kLowest, "flagged", kAbnormal, kReferCardioRenal, kKmkPkg),
    Band(From(60), "not_flagged", kNormal, kRoutine, kKmkPkg),
};
constexpr Row kEgfr[] = {
    Band(kLowest, "flagged", kAbnormal, kReferCardioRenal, kKmkPkg),
    Band(From(90), "not_flagged", kNormal, kRoutine, kKmkPkg),
};

// The old.

constexpr Asks kDependent = Decided(Level::kHospital, "home care or hospital");
constexpr Row kAks[] = {
    Band(kLowest, "total", kAbnormal, kDependent, kKmkPkg),
    Band(From(5), "severe", kAbnormal, kDependent, kKmkPkg),
    Band(From(9), "moderate", kAbnormal, kDependent, kKmkPkg),
    Band(From(12), "light", kAbnormal, Decided(Level::kPustu, "Pustu or Puskesmas"), kKmkPkg),
    Band(From(20), "independent", kNormal, kRoutine, kKmkPkg),
};
constexpr Row kSkilas[] = {
    Band(kLowest, "none_ticked", kNormal, kRoutine, kKmkPkg),
    Band(From(1), "ticked", kCheck, NotSaid("follow-up tool of each ticked domain"), kKmkPkg),
};
constexpr Row kChairStand[] = {
    Band(kLowest, "in_time", kNormal, kRoutine, kKmkPkg),
    Band(Above(14), "too_slow", kCheck, NotSaid("tick mobility"), kKmkPkg),
};
constexpr Row kWeightLoss[] = {
    Band(kLowest, "not_lost", kNormal, kRoutine, kKmkPkg),
    Band(Above(3000), "lost", kCheck, NotSaid("tick nutrition"), kKmkPkg),
};
constexpr Row kLilaElderly[] = {
    Band(kLowest, "low", kCheck, NotSaid("tick nutrition"), kKmkPkg),
    Band(From(210), "not_low", kNormal, kRoutine, kKmkPkg),
};
constexpr Row kMiniCog[] = {
    Band(kLowest, "impaired", kAbnormal, NotSaid(), kKmkPkg),
    Band(From(3), "not_impaired", kNormal, kRoutine, kKmkPkg),
};
// The bands of AMT, GDS-4 and RAPUH are printed as numbers without words.
constexpr Row kAmt[] = {
    Band(kLowest, "0_3", kAbnormal, NotSaid(), kKmkPkg),
    Band(From(4), "4_7", kAbnormal, NotSaid(), kKmkPkg),
    Band(From(8), "8_10", kNormal, kRoutine, kKmkPkg),
};
constexpr Row kMnaSf[] = {
    Band(kLowest, "risk", kAbnormal, NotSaid(), kKmkPkg),
    Band(From(12), "normal", kNormal, kRoutine, kKmkPkg),
};
constexpr Row kGds4[] = {
    Band(kLowest, "0", kNormal, kRoutine, kKmkPkg),
    Band(From(1), "1", kCheck, NotSaid("GDS-15"), kKmkPkg),
    Band(From(2), "2_4", kCheck, NotSaid("GDS-15"), kKmkPkg),
};
constexpr Row kRapuh[] = {
    Band(kLowest, "0", kNormal, kRoutine, kKmkPkg),
    Band(From(1), "1_2", kCheck, NotSaid(), kKmkPkg),
    Band(From(3), "3_or_more", kAbnormal, NotSaid(), kKmkPkg),
};

// Any age.

constexpr Row kTbSymptom[] = {
    Listed("not_presumptive", kNormal, kRoutine, kKmk),
    Listed("close_contact", kCheck, Printed(Level::kPuskesmas), kKmk),
    Listed("presumptive", kPresumptive, Decided(Level::kPuskesmas, "TCM, 2 sputum"), kKmk),
};
constexpr Row kFever[] = {
    Band(kLowest, "no_fever", kNormal, kRoutine, kForm),
    Band(From(37, 5), "fever", kCheck, NotSaid(), kForm),
};
constexpr Row kDangerSign[] = {
    Listed("danger_sign", kAbnormal, Decided(Level::kUrgent, "health worker at once"), kForm),
    Listed("convulsion", kAbnormal, Decided(Level::kEmergency, "health worker at once"), kForm),
};

constexpr std::string_view kNotSourced = "no source at hand gives the threshold";

constexpr ScreeningRule kRules1[] = {
    {.id = "lila_pregnancy",
     .section = Section::kPregnancy,
     .input = "muac",
     .unit = "mm",
     .scope = {.condition = Condition::kPregnant},
     .invited = {.sex = SEX_FEMALE, .who = "pregnant, at every ANC visit"},
     .rows = kLilaPregnancy},
    {.id = "bmi_pregnancy_trimester_1",
     .section = Section::kPregnancy,
     .input = "bmi",
     .unit = "kg/m2",
     .scope = {.condition = Condition::kPregnantTrimester1},
     .invited = {.sex = SEX_FEMALE, .who = "pregnant, in trimester 1"},
     .rows = kBmiPregnancy},
    {.id = "hb_pregnancy_trimester_1_3",
     .section = Section::kPregnancy,
     .input = "haemoglobin",
     .unit = "g/dL",
     .scope = {.condition = Condition::kPregnantTrimester1Or3},
     .invited = {.sex = SEX_FEMALE, .who = "pregnant"},
     .rows = kHbPregnancy},
    {.id = "hb_pregnancy_trimester_2",
     .section = Section::kPregnancy,
     .input = "haemoglobin",
     .unit = "g/dL",
     .scope = {.condition = Condition::kPregnantTrimester2},
     .invited = {.sex = SEX_FEMALE, .who = "pregnant"},
     .rows = kHbPregnancy2},
    {.id = "urine_protein",
     .section = Section::kPregnancy,
     .input = "urine_protein",
     .unit = "plus",
     .scope = {.condition = Condition::kPregnant},
     .invited = {.sex = SEX_FEMALE, .who = "pregnant"},
     .rows = kUrineProtein},
    {.id = "pre_eclampsia",
     .section = Section::kPregnancy,
     .input = "pre_eclampsia",
     .unit = "mm[Hg]",
     .scope = {.condition = Condition::kPregnantAfter20Weeks},
     .invited = {.sex = SEX_FEMALE, .who = "pregnant, at every ANC visit"},
     .rows = kPreEclampsia},
    {.id = "risk_mother_age",
     .section = Section::kPregnancy,
     .input = "mother_age",
     .unit = "completed years",
     .scope = {.condition = Condition::kPregnant},
     .invited = {.sex = SEX_FEMALE, .who = "pregnant"},
     .rows = kMotherAge},
    {.id = "risk_children",
     .section = Section::kPregnancy,
     .input = "children",
     .unit = "children before",
     .scope = {.condition = Condition::kPregnant},
     .invited = {.sex = SEX_FEMALE, .who = "pregnant"},
     .rows = kChildren},
    {.id = "risk_spacing",
     .section = Section::kPregnancy,
     .input = "spacing",
     .unit = "months since the last birth",
     .scope = {.condition = Condition::kPregnant},
     .invited = {.sex = SEX_FEMALE, .who = "pregnant"},
     .rows = kSpacing},
    {.id = "epds",
     .section = Section::kPregnancy,
     .input = "EPDS",
     .unit = "points",
     .invited = {.sex = SEX_FEMALE, .who = "pregnant or after a birth"}},

    {.id = "shk_range",
     .section = Section::kNewborn,
     .input = "tsh",
     .invited = {.until_months = 1, .who = "best at 48 to 72 hours of life"},
     .rows = kTsh},
    {.id = "shk_cut_off",
     .section = Section::kNewborn,
     .input = "tsh_cut_off",
     .unit = "uU/mL",
     .invited = {.until_months = 1, .who = "best at 48 to 72 hours of life"},
     .rows = kTshCutOff,
     .off = kNotSourced},
    {.id = "g6pd",
     .section = Section::kNewborn,
     .input = "g6pd",
     .invited = {.until_months = 1, .who = "from the spot of blood of the SHK"},
     .rows = kBloodSpot},
    {.id = "cah",
     .section = Section::kNewborn,
     .input = "cah",
     .invited = {.until_months = 1, .who = "from the spot of blood of the SHK"},
     .rows = kBloodSpot},
    {.id = "pulse_oximetry",
     .section = Section::kNewborn,
     .input = "pulse_oximetry_lower",
     .unit = "% of the lower of right hand and foot",
     .invited = {.until_months = 1},
     .most = 100,
     .rows = kPulseOximetry},
    {.id = "pulse_oximetry_difference",
     .section = Section::kNewborn,
     .input = "pulse_oximetry_difference",
     .unit = "% between hand and foot",
     .invited = {.until_months = 1},
     .most = 100,
     .rows = kPulseOximetryDifference},
    {.id = "pulse_oximetry_repeated",
     .section = Section::kNewborn,
     .input = "pulse_oximetry_repeated",
     .invited = {.until_months = 1, .who = "three readings in a row that say repeat"},
     .rows = kPulseOximetryRepeated},
    {.id = "stool_colour",
     .section = Section::kNewborn,
     .input = "stool_colour",
     .invited = {.until_months = 4, .who = "every day, by the card"},
     .rows = kStoolColour},
    {.id = "birth_weight",
     .section = Section::kNewborn,
     .input = "birth_weight",
     .unit = "g",
     .invited = {.until_months = 1},
     .rows = kBirthWeight},
    {.id = "gestation_at_birth",
     .section = Section::kNewborn,
     .input = "gestation_at_birth",
     .unit = "days",
     .invited = {.until_months = 1},
     .rows = kGestation},

    {.id = "kpsp",
     .section = Section::kChild,
     .input = "KPSP",
     .invited = {.until_months = 6 * kYear},
     .rows = kKpsp},
    {.id = "hearing_test",
     .section = Section::kChild,
     .input = "TDD",
     .unit = "answers no",
     .invited = {.until_months = 6 * kYear},
     .rows = kHearing},
    {.id = "pupil_reflex",
     .section = Section::kChild,
     .input = "pupil_reflex",
     .invited = {.from_months = 1 * kYear, .until_months = 3 * kYear}},
    {.id = "tumbling_e",
     .section = Section::kChild,
     .input = "TUMBLING-E",
     .scope = {.from_months = 3 * kYear, .until_months = 7 * kYear},
     .invited = {.from_months = 3 * kYear, .until_months = 7 * kYear},
     .rows = kTumblingE},
    {.id = "hb_age_2",
     .section = Section::kChild,
     .input = "haemoglobin",
     .unit = "g/dL",
     .scope = {.from_months = 2 * kYear, .until_months = 3 * kYear},
     .invited = {.from_months = 2 * kYear, .until_months = 3 * kYear},
     .rows = kHbAge2},
    {.id = "mentzer",
     .section = Section::kChild,
     .input = "mentzer",
     .unit = "MCV in fL / red cells in 10^6/uL",
     .scope = {.from_months = 2 * kYear, .until_months = 3 * kYear},
     .invited = {.from_months = 2 * kYear, .until_months = 3 * kYear, .who = "whose Hb is low"},
     .rows = kMentzer},
    {.id = "shine_lal",
     .section = Section::kChild,
     .input = "shine_lal",
     .unit = "MCV in fL, squared, x MCH in pg / 100",
     .scope = {.from_months = 2 * kYear, .until_months = 3 * kYear},
     .invited = {.from_months = 2 * kYear, .until_months = 3 * kYear, .who = "whose Hb is low"},
     .rows = kShineLal},
    {.id = "glucose_random_age_2",
     .section = Section::kChild,
     .input = "glucose_random",
     .unit = "mg/dL",
     .scope = {.from_months = 2 * kYear, .until_months = 3 * kYear},
     .invited = {.from_months = 2 * kYear, .until_months = 3 * kYear},
     .rows = kGlucoseRandomAge2},
    {.id = "glucose_fasting_age_2",
     .section = Section::kChild,
     .input = "glucose_fasting",
     .unit = "mg/dL",
     .scope = {.from_months = 2 * kYear, .until_months = 3 * kYear},
     .invited = {.from_months = 2 * kYear,
                 .until_months = 3 * kYear,
                 .who = "whose random is high"},
     .rows = kGlucoseFastingAge2},
    {.id = "tb_child_signs",
     .section = Section::kChild,
     .input = "tb_signs",
     .unit = "signs",
     .scope = {.until_months = 15 * kYear},
     .invited = {.until_months = 15 * kYear, .who = "at every contact"},
     .rows = kTbChildSigns},
    {.id = "tb_child_score",
     .section = Section::kChild,
     .input = "TB-SCORE",
     .unit = "points",
     .invited = {.until_months = 15 * kYear, .who = "presumptive"},
     .rows = kTbChildScore},
    {.id = "mtbs",
     .section = Section::kChild,
     .input = "MTBS",
     .unit = "points",
     .invited = {.until_months = 5 * kYear, .who = "ill"}},
    {.id = "mtbs_colour",
     .section = Section::kChild,
     .input = "MTBS-COLOUR",
     .invited = {.until_months = 5 * kYear, .who = "ill"},
     .rows = kMtbsColour},

    {.id = "blood_pressure_child",
     .section = Section::kSchool,
     .input = "blood_pressure",
     .unit = "mm[Hg]",
     .scope = {.until_months = 13 * kYear},
     .invited = {.from_months = 7 * kYear, .until_months = 13 * kYear},
     .off = "the printed table by age is not whole here"},
    {.id = "blood_pressure_adolescent",
     .section = Section::kSchool,
     .input = "blood_pressure",
     .unit = "mm[Hg]",
     .scope = {.from_months = 13 * kYear, .until_months = 18 * kYear},
     .invited = {.from_months = 13 * kYear, .until_months = 18 * kYear},
     .rows = kPressureAdolescent},
    {.id = "hb_school_girls",
     .section = Section::kSchool,
     .input = "haemoglobin",
     .unit = "g/dL",
     .scope = {.from_months = 12 * kYear, .until_months = 18 * kYear, .sex = SEX_FEMALE},
     .invited = {.from_months = 12 * kYear,
                 .until_months = 16 * kYear,
                 .sex = SEX_FEMALE,
                 .who = "of 12 and of 15 years (class 7 and 10)"},
     .rows = kHbSchoolGirls,
     .off = kNotSourced},
    {.id = "hb_school",
     .section = Section::kSchool,
     .input = "haemoglobin",
     .unit = "g/dL",
     .scope = {.from_months = 5 * kYear, .until_months = 12 * kYear},
     .invited = {.from_months = 5 * kYear, .until_months = 12 * kYear},
     .rows = kHbSchool,
     .off = kNotSourced},
    {.id = "sdq",
     .section = Section::kSchool,
     .input = "SDQ",
     .unit = "points",
     .invited = {.until_months = 18 * kYear, .who = "from 11 years answered by themselves"}},

    {.id = "blood_pressure_adult",
     .section = Section::kAdult,
     .input = "blood_pressure",
     .unit = "mm[Hg]",
     .scope = {.from_months = 18 * kYear},
     .invited = {.from_months = 15 * kYear, .every_months = 12},
     .rows = kPressureAdult},
    {.id = "isolated_systolic",
     .section = Section::kAdult,
     .input = "isolated_systolic",
     .unit = "mm[Hg]",
     .scope = {.from_months = 18 * kYear},
     .invited = {.from_months = 15 * kYear, .every_months = 12},
     .rows = kIsolatedSystolic},
    {.id = "blood_pressure_danger",
     .section = Section::kAdult,
     .input = "blood_pressure_danger",
     .unit = "mm[Hg]",
     .scope = {.from_months = 18 * kYear},
     .invited = {.from_months = 15 * kYear, .who = "with a danger sign"},
     .rows = kPressureDanger},
    {.id = "glucose_random",
     .section = Section::kAdult,
     .input = "glucose_random",
     .unit = "mg/dL",
     .scope = {.from_months = 15 * kYear, .condition = Condition::kNormalOnlyIfNotPregnant},
     .invited = {.from_months = 15 * kYear,
                 .who = "from 40 years all; before with obesity, central obesity or hypertension; "
                        "all with TB"},
     .rows = kGlucoseRandom},
    {.id = "glucose_fasting",
     .section = Section::kAdult,
     .input = "glucose_fasting",
     .unit = "mg/dL",
     .scope = {.from_months = 15 * kYear, .condition = Condition::kNormalOnlyIfNotPregnant},
     .invited = {.from_months = 15 * kYear, .who = "as random glucose"},
     .rows = kGlucoseFasting},
    {.id = "glucose_2h",
     .section = Section::kAdult,
     .input = "glucose_2h",
     .unit = "mg/dL",
     .scope = {.from_months = 15 * kYear, .condition = Condition::kNormalOnlyIfNotPregnant},
     .invited = {.from_months = 15 * kYear, .who = "as random glucose"},
     .rows = kGlucose2h},
    {.id = "hba1c",
     .section = Section::kAdult,
     .input = "hba1c",
     .unit = "%",
     .scope = {.from_months = 15 * kYear, .condition = Condition::kNormalOnlyIfNotPregnant},
     .invited = {.from_months = 15 * kYear, .who = "as random glucose"},
     .rows = kHbA1c},
    {.id = "waist_men",
     .section = Section::kAdult,
     .input = "waist",
     .unit = "mm",
     .scope = {.from_months = 15 * kYear, .sex = SEX_MALE},
     .invited = {.from_months = 15 * kYear, .sex = SEX_MALE},
     .rows = kWaistMen},
    {.id = "waist_women",
     .section = Section::kAdult,
     .input = "waist",
     .unit = "mm",
     .scope = {.from_months = 15 * kYear, .sex = SEX_FEMALE, .condition = Condition::kNotPregnant},
     .invited = {.from_months = 15 * kYear, .sex = SEX_FEMALE},
     .rows = kWaistWomen},
    {.id = "tb_adult_signs",
     .section = Section::kAdult,
     .input = "tb_signs",
     .unit = "signs",
     .scope = {.from_months = 15 * kYear},
     .invited = {.from_months = 15 * kYear, .who = "at every contact"},
     .rows = kTbAdultSigns,
     .off = "only the Posyandu card counts an adult's signs, against the KMK's child rule"},
    {.id = "puma",
     .section = Section::kAdult,
     .input = "PUMA",
     .unit = "points",
     .invited = {.from_months = 40 * kYear},
     .most = 9,
     .rows = kPuma},
    {.id = "srq_20",
     .section = Section::kAdult,
     .input = "srq_20_yes",
     .unit = "answers yes",
     .invited = {.from_months = 18 * kYear, .who = "asked of the last 30 days"},
     .most = 20,
     .rows = kSrq20},
    {.id = "srq_20_item_17",
     .section = Section::kAdult,
     .input = "srq_20_item_17",
     .invited = {.from_months = 18 * kYear, .who = "who answer question 17 with yes"},
     .rows = kSrq20Item17},
    {.id = "assist_alcohol",
     .section = Section::kAdult,
     .input = "ASSIST-ALCOHOL",
     .unit = "points",
     .invited = {.who = "with a risk of drug use"},
     .rows = kAssistAlcohol},
    {.id = "assist_other",
     .section = Section::kAdult,
     .input = "ASSIST-OTHER",
     .unit = "points",
     .invited = {.who = "with a risk of drug use"},
     .rows = kAssistOther},
    {.id = "phq",
     .section = Section::kAdult,
     .input = "PHQ-9",
     .unit = "points",
     .invited = {.from_months = 18 * kYear}},
    {.id = "visual_acuity",
     .section = Section::kAdult,
     .input = "visual_acuity",
     .unit = "distance / line",
     .scope = {.from_months = 15 * kYear},
     .invited = {.from_months = 15 * kYear, .every_months = 12},
     .rows = kVisualAcuity},
    {.id = "pupil",
     .section = Section::kAdult,
     .input = "pupil",
     .invited = {.from_months = 15 * kYear, .every_months = 12},
     .rows = kPupil},
    {.id = "whisper",
     .section = Section::kAdult,
     .input = "WHISPER",
     .unit = "right of 5",
     .invited = {.from_months = 15 * kYear, .every_months = 12},
     .most = 5,
     .rows = kWhisper},
    {.id = "breast",
     .section = Section::kAdult,
     .input = "SADANIS",
     .invited = {.from_months = 30 * kYear, .sex = SEX_FEMALE}},
    {.id = "cervix",
     .section = Section::kAdult,
     .input = "IVA",
     .invited = {.from_months = 30 * kYear,
                 .sex = SEX_FEMALE,
                 .who = "again after 10, 3 or 1 years by the result"}},
    {.id = "lung",
     .section = Section::kAdult,
     .input = "LUNG",
     .invited = {.from_months = 45 * kYear}},
    {.id = "bowel",
     .section = Section::kAdult,
     .input = "APCS",
     .unit = "points",
     .invited = {.from_months = 45 * kYear},
     .rows = kApcs},
    {.id = "hbsag",
     .section = Section::kAdult,
     .input = "hbsag",
     .invited = {.from_months = 15 * kYear},
     .rows = kHepatitis},
    {.id = "anti_hcv",
     .section = Section::kAdult,
     .input = "anti_hcv",
     .invited = {.from_months = 15 * kYear},
     .rows = kHepatitis},
    {.id = "apri",
     .section = Section::kAdult,
     .input = "apri",
     .unit = "APRI",
     .scope = {.from_months = 15 * kYear},
     .invited = {.from_months = 15 * kYear, .who = "reactive"},
     .rows = kApri},
    {.id = "cholesterol",
     .section = Section::kAdult,
     .input = "cholesterol",
     .unit = "mg/dL",
     .scope = {.from_months = 40 * kYear, .condition = Condition::kHypertensionOrDiabetes},
     .invited = {.from_months = 40 * kYear, .who = "with hypertension or diabetes"},
     .rows = kCholesterol},
    {.id = "ldl",
     .section = Section::kAdult,
     .input = "ldl",
     .unit = "mg/dL",
     .scope = {.from_months = 40 * kYear, .condition = Condition::kHypertensionOrDiabetes},
     .invited = {.from_months = 40 * kYear, .who = "with hypertension or diabetes"},
     .rows = kLdl},
    {.id = "triglycerides",
     .section = Section::kAdult,
     .input = "triglycerides",
     .unit = "mg/dL",
     .scope = {.from_months = 40 * kYear, .condition = Condition::kHypertensionOrDiabetes},
     .invited = {.from_months = 40 * kYear, .who = "with hypertension or diabetes"},
     .rows = kTriglycerides},
    {.id = "hdl",
     .section = Section::kAdult,
     .input = "hdl",
     .unit = "mg/dL",
     .scope = {.from_months = 40 * kYear, .condition = Condition::kHypertensionOrDiabetes},
     .invited = {.from_months = 40 * kYear, .who = "with hypertension or diabetes"},
     .rows = kHdl},
    {.id = "egfr",
     .section = Section::kAdult,
     .input = "egfr",
     .unit = "mL/min/1.73 m2",
     .scope = {.from_months = 40 * kYear, .condition = Condition::kHypertensionOrDiabetes},
     .invited = {.from_months = 40 * kYear, .who = "with hypertension or diabetes"},
     .rows = kEgfr},

    {.id = "aks",
     .section = Section::kElderly,
     .input = "AKS",
     .unit = "points",
     .invited = {.from_months = 60 * kYear, .every_months = 12},
     .most = 20,
     .rows = kAks},
    {.id = "skilas",
     .section = Section::kElderly,
     .input = "SKILAS",
     .unit = "domains ticked",
     .invited = {.from_months = 60 * kYear, .every_months = 12},
     .most = 6,
     .rows = kSkilas},
    {.id = "skilas_chair_stand",
     .section = Section::kElderly,
     .input = "chair_stand",
     .unit = "s for 5",
     .scope = {.from_months = 60 * kYear},
     .invited = {.from_months = 60 * kYear, .every_months = 12},
     .rows = kChairStand},
    {.id = "skilas_weight_loss",
     .section = Section::kElderly,
     .input = "weight_loss",
     .unit = "g in 3 months",
     .scope = {.from_months = 60 * kYear},
     .invited = {.from_months = 60 * kYear, .every_months = 12},
     .rows = kWeightLoss},
    {.id = "skilas_lila",
     .section = Section::kElderly,
     .input = "muac",
     .unit = "mm",
     .scope = {.from_months = 60 * kYear},
     .invited = {.from_months = 60 * kYear, .every_months = 12},
     .rows = kLilaElderly},
    {.id = "mini_cog",
     .section = Section::kElderly,
     .input = "MINI-COG",
     .unit = "points",
     .invited = {.from_months = 60 * kYear, .who = "after SKILAS"},
     .most = 5,
     .rows = kMiniCog},
    {.id = "amt",
     .section = Section::kElderly,
     .input = "AMT",
     .unit = "points",
     .invited = {.from_months = 60 * kYear, .who = "after SKILAS"},
     .most = 10,
     .rows = kAmt},
    {.id = "mna_sf",
     .section = Section::kElderly,
     .input = "MNA-SF",
     .unit = "points",
     .invited = {.from_months = 60 * kYear, .who = "after SKILAS"},
     .most = 14,
     .rows = kMnaSf},
    {.id = "gds_4",
     .section = Section::kElderly,
     .input = "GDS-4",
     .unit = "points",
     .invited = {.from_months = 60 * kYear, .who = "after SKILAS"},
     .most = 4,
     .rows = kGds4},
    {.id = "rapuh",
     .section = Section::kElderly,
     .input = "RAPUH",
     .unit = "points",
     .invited = {.from_months = 60 * kYear, .who = "after SKILAS"},
     .most = 5,
     .rows = kRapuh},
    {.id = "gds_15",
     .section = Section::kElderly,
     .input = "GDS-15",
     .unit = "points",
     .invited = {.from_months = 60 * kYear, .who = "whose GDS-4 is 1 or more"}},
    {.id = "sppb",
     .section = Section::kElderly,
     .input = "SPPB",
     .unit = "points",
     .invited = {.from_months = 60 * kYear, .who = "after SKILAS"}},
    {.id = "sarc_calf",
     .section = Section::kElderly,
     .input = "SARC-CALF",
     .unit = "points",
     .invited = {.from_months = 60 * kYear, .who = "after SKILAS"}},
    {.id = "ad_8",
     .section = Section::kElderly,
     .input = "AD-8",
     .unit = "points",
     .invited = {.from_months = 60 * kYear, .who = "after SKILAS"}},

    {.id = "tb_symptom",
     .section = Section::kAnyAge,
     .input = "TB-SYMPTOM",
     .invited = {.who = "at every contact, best every month"},
     .rows = kTbSymptom},
    {.id = "fever",
     .section = Section::kAnyAge,
     .input = "temperature",
     .unit = "Cel",
     .invited = {.who = "at home visits"},
     .rows = kFever},
    {.id = "danger_sign",
     .section = Section::kAnyAge,
     .input = "danger_sign",
     .invited = {.who = "at every contact"},
     .rows = kDangerSign},
};

// Version 2: where two printed sources disagree on a bound, the Posyandu card's.

constexpr Row kLilaPregnancy2[] = {
    Band(kLowest, "kek", kAbnormal,
         Decided(Level::kPuskesmas, "doctor; extra food for at least 90 days"), kKmkBoundOfCard),
    Band(Above(235), "not_kek", kNormal, kRoutine, kKmkBoundOfCard),
};
constexpr Row kTbChildSigns2[] = {
    Band(kLowest, "not_presumptive", kNormal, kRoutine, kKmkBoundOfCard),
    Band(From(2), "presumptive", kPresumptive, Decided(Level::kPuskesmas, "TCM, 2 sputum"),
         kKmkBoundOfCard),
};

struct OtherRows {
  std::string_view rule;
  std::span<const Row> rows;
};
constexpr OtherRows kOtherRows2[] = {
    {"lila_pregnancy", kLilaPregnancy2},
    {"tb_child_signs", kTbChildSigns2},
};

template <size_t count>
constexpr std::array<ScreeningRule, count> With(const ScreeningRule (&rules)[count],
                                                std::span<const OtherRows> others) {
  std::array<ScreeningRule, count> changed = std::to_array(rules);
  for (ScreeningRule& rule : changed) {
    for (const OtherRows& other : others) {
      if (rule.id == other.rule) rule.rows = other.rows;
    }
  }
  return changed;
}
constexpr std::array kRules2 = With(kRules1, kOtherRows2);

// PJB three readings, KPSP two weeks, SRQ-20 question 17, tumbling E three in a row or four of
// five: as the rows' own sources.
constexpr ScreeningRules Version(uint32_t version, std::span<const ScreeningRule> rules) {
  return {.version = version,
          .rules = rules,
          .pulse_oximetry_tries = 3,
          .kpsp_repeat_days = 14,
          .srq_20_urgent_item = 17,
          .tumbling_e_in_a_row = 3,
          .tumbling_e_right_of_five = 4};
}
constexpr std::array kVersions = {Version(1, kRules1), Version(2, kRules2)};

// LOINC as the platform has it for these. Glucose without a word of fasting or not (74774-1) and
// uric acid have no printed classes.
constexpr ScreeningLabCode kLabCodes[] = {
    {"718-7", "haemoglobin", "g/dL"},      {"30352-9", "haemoglobin", "g/dL"},
    {"2345-7", "glucose_random", "mg/dL"}, {"1558-6", "glucose_fasting", "mg/dL"},
    {"1521-4", "glucose_2h", "mg/dL"},     {"4548-4", "hba1c", "%"},
    {"2093-3", "cholesterol", "mg/dL"},    {"2089-1", "ldl", "mg/dL"},
    {"2571-8", "triglycerides", "mg/dL"},  {"2085-9", "hdl", "mg/dL"},
};

}  // namespace

std::span<const ScreeningRules> ScreeningVersions() { return kVersions; }

std::span<const ScreeningLabCode> ScreeningLabCodes() { return kLabCodes; }

}  // namespace simpul::rules
