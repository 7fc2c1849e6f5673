#include "lib/fhir/terminology.h"

#include <algorithm>
#include <array>

namespace simpul::fhir {
namespace {

namespace v1 = ::simpul::event::v1;

using Codes = std::span<const std::string_view>;

constexpr std::array<std::string_view, 1> kHepatitisB = {"VG45"};
constexpr std::array<std::string_view, 1> kBcg = {"VG19"};
constexpr std::array<std::string_view, 1> kPolio = {"VG89"};
constexpr std::array<std::string_view, 3> kPentavalent = {"VG17", "VG45", "VG107"};
constexpr std::array<std::string_view, 1> kMeasles = {"VG03"};
constexpr std::array<std::string_view, 1> kPneumococcus = {"VG152"};
constexpr std::array<std::string_view, 1> kRotavirus = {"VG122"};
constexpr std::array<std::string_view, 1> kJapaneseEncephalitis = {"VG129"};
constexpr std::array<std::string_view, 1> kHpv = {"VG137"};
constexpr std::array<std::string_view, 1> kTetanus = {"VG139"};

constexpr std::array<std::string_view, 1> kHepatitisBProducts = {"93023161"};
constexpr std::array<std::string_view, 3> kBcgProducts = {"93005208", "93004566", "93003837"};
constexpr std::array<std::string_view, 2> kOralPolioProducts = {"93004972", "93004968"};
constexpr std::array<std::string_view, 2> kInactivatedPolioProducts = {"93004736", "93004947"};
constexpr std::array<std::string_view, 3> kPentavalentProducts = {"93001282", "93001283",
                                                                  "93001284"};
constexpr std::array<std::string_view, 3> kMeaslesProducts = {"93005779", "93005781", "93005780"};
constexpr std::array<std::string_view, 2> kPneumococcusProducts = {"93001619", "93001620"};
constexpr std::array<std::string_view, 1> kRotavirusProducts = {"93001652"};
constexpr std::array<std::string_view, 1> kJapaneseEncephalitisProducts = {"93001639"};
constexpr std::array<std::string_view, 1> kHpvProducts = {"93001623"};
constexpr std::array<std::string_view, 3> kTdProducts = {"93006988", "93006989", "93014731"};
constexpr std::array<std::string_view, 1> kTtProducts = {"93006992"};

constexpr auto kVaccines = std::to_array<Vaccine>({
    {"HB0", kHepatitisB, "08", kHepatitisBProducts, true, 0, "IM-Dasar"},
    {"BCG", kBcg, "19", kBcgProducts, true, 0, "IM-Dasar"},
    {"OPV", kPolio, "178", kOralPolioProducts, false, 0, "IM-Dasar"},
    {"IPV", kPolio, "10", kInactivatedPolioProducts, false, 0, "IM-Dasar"},
    {"DPT-HB-HIB", kPentavalent, "198", kPentavalentProducts, false, 4, "IM-Dasar"},
    {"MR", kMeasles, "4", kMeaslesProducts, false, 2, "IM-Dasar"},
    {"PCV", kPneumococcus, "152", kPneumococcusProducts, false, 3, "IM-Dasar"},
    {"RV", kRotavirus, "119", kRotavirusProducts, false, 0, "IM-Dasar"},
    {"JE", kJapaneseEncephalitis, "134", kJapaneseEncephalitisProducts, true, 0, "IM-Dasar"},
    {"HPV", kHpv, "62", kHpvProducts, false, 0, "IM-SD"},
    {"TD", Codes(), "139", kTdProducts, false, 0, "IM-WUS"},
    {"TT", kTetanus, "35", kTtProducts, false, 0, "IM-WUS"},
});

// Source: the platform's NCD, elderly and adolescent forms.
constexpr auto kTools = std::to_array<ScreeningTool>({
    {"MINI-COG", {kLoinc, "72233-0", "Total score [Mini-Cog]"}},
    {"AMT", {kSnomed, "446840000", "Abbreviated mental test score"}},
    {"AD8", {kLoinc, "71722-3", "Total score [AD8]"}},
    {"AD-8", {kLoinc, "71722-3", "Total score [AD8]"}},
    {"MNA-SF", {kKemenkes, "TK000195", "MNA-SF"}},
    {"GDS-4", {kLoinc, "48542-5", "Geriatric depression scale, 4 items"}},
    {"AKS", {kLoinc, "96762-0", "Barthel index"}},
    {"BARTHEL", {kLoinc, "96762-0", "Barthel index"}},
    {"LAWTON", {kLoinc, "69337-4", "Lawton instrumental activities of daily living"}},
    {"SPPB", {kSnomed, "714283000", "Short physical performance battery"}},
    {"RAPUH", {kKemenkes, "TK000235", "RAPUH"}},
    {"SARC-CALF", {kKemenkes, "TK000249", "SARC-CalF"}},
});

// Vital signs whose units FHIR R4 fixes (http://hl7.org/fhir/R4/observation-vitalsigns.html).
struct VitalSign {
  std::string_view loinc;
  std::array<std::string_view, 3> units;
};
constexpr auto kVitals = std::to_array<VitalSign>({
    {"29463-7", {"kg", "g", "[lb_av]"}},
    {"8302-2", {"cm", "[in_i]", ""}},
    {"9843-4", {"cm", "[in_i]", ""}},
    {"8310-5", {"Cel", "[degF]", ""}},
    {"8867-4", {"/min", "", ""}},
    {"9279-1", {"/min", "", ""}},
    {"2708-6", {"%", "", ""}},
    {"39156-5", {"kg/m2", "", ""}},
    {"8480-6", {"mm[Hg]", "", ""}},
    {"8462-4", {"mm[Hg]", "", ""}},
});

constexpr auto kLaboratoryCodes = std::to_array<std::string_view>(
    {"718-7",   "30352-9", "883-9",  "10331-7", "68961-2", "20508-8", "75410-1",
     "74774-1", "5804-0",  "2345-7", "1558-6",  "1521-4",  "4548-4",  "2093-3",
     "2085-9",  "2089-1",  "2571-8", "3084-1",  "55277-8", "33248-6"});

constexpr std::string_view kClinicalTerm =
    "http://terminology.kemkes.go.id/CodeSystem/clinical-term";

struct ZScore {
  std::string_view index;
  Coding length;
  Coding height;
};
constexpr Coding kWeightForAge = {kSnomed, "1153593003", "Weight for age z-score"};
constexpr Coding kBmiForAge = {kSnomed, "1153596006", "Body mass index for age z-score"};
constexpr Coding kHeadForAge = {kSnomed, "1153594009", "Head circumference for age z-score"};
constexpr auto kZScores = std::to_array<ZScore>({
    {"weight_for_age", kWeightForAge, kWeightForAge},
    {"length_height_for_age",
     {kSnomed, "1153590000", "Length for age z-score"},
     {kSnomed, "1153604005", "Body height for age z-score"}},
    {"weight_for_length_height",
     {kSnomed, "1153598007", "Weight for length z-score"},
     {kSnomed, "1153600001", "Weight for height z-score"}},
    {"bmi_for_age", kBmiForAge, kBmiForAge},
    {"head_circumference_for_age", kHeadForAge, kHeadForAge},
});

constexpr Coding kGiziBuruk = {kClinicalTerm, "OI000001", "Gizi buruk"};
constexpr Coding kGiziKurang = {kSnomed, "248325000", "Undernourished"};
constexpr Coding kGiziBaik = {kSnomed, "248324001", "Well nourished"};
constexpr Coding kBerisikoGiziLebih = {kClinicalTerm, "OI000004", "Berisiko gizi lebih"};
constexpr Coding kGiziLebih = {kSnomed, "238131007", "Overweight"};
constexpr Coding kObesitas = {kSnomed, "414915002", "Obese"};
constexpr Coding kNormalPressure = {kSnomed, "2004005", "Normal blood pressure"};
constexpr Coding kStage1 = {kSnomed, "827069000", "Hypertension stage 1"};
constexpr Coding kStage2 = {kSnomed, "827068008", "Hypertension stage 2"};
constexpr Coding kPrediabetes = {kSnomed, "714628002", "Prediabetes"};

constexpr auto kClassCodes = std::to_array<CodedClass>({
    {"weight_for_age", "sangat_kurang", {kClinicalTerm, "OI000007", "Berat badan sangat kurang"}},
    {"weight_for_age", "kurang", {kSnomed, "248342006", "Underweight"}},
    {"weight_for_age", "normal", {kSnomed, "43664005", "Normal weight"}},
    {"weight_for_age",
     "risiko_berat_badan_lebih",
     {kClinicalTerm, "OI000010", "Risiko berat badan lebih"}},
    {"length_height_for_age", "sangat_pendek", {kClinicalTerm, "OI000011", "Sangat pendek"}},
    {"length_height_for_age", "pendek", {kSnomed, "444000005", "Short stature for age"}},
    {"length_height_for_age", "normal", {kSnomed, "17489000", "Body height normal for age"}},
    {"length_height_for_age", "tinggi", {kSnomed, "83077003", "Tall"}},
    {"weight_for_length_height", "gizi_buruk", kGiziBuruk},
    {"weight_for_length_height", "gizi_kurang", kGiziKurang},
    {"weight_for_length_height", "gizi_baik", kGiziBaik},
    {"weight_for_length_height", "berisiko_gizi_lebih", kBerisikoGiziLebih},
    {"weight_for_length_height", "gizi_lebih", kGiziLebih},
    {"weight_for_length_height", "obesitas", kObesitas},
    {"bmi_for_age", "gizi_buruk", kGiziBuruk},
    {"bmi_for_age", "gizi_kurang", kGiziKurang},
    {"bmi_for_age", "gizi_baik", kGiziBaik},
    {"bmi_for_age", "berisiko_gizi_lebih", kBerisikoGiziLebih},
    {"bmi_for_age", "gizi_lebih", kGiziLebih},
    {"bmi_for_age", "obesitas", kObesitas},
    {"head_circumference_for_age", "mikrosefali", {kSnomed, "1148757008", "Microcephaly"}},
    {"head_circumference_for_age", "normal", {kSnomed, "840673007", "Normal head"}},
    {"blood_pressure_adolescent", "normal", kNormalPressure},
    {"blood_pressure_adolescent", "stage_1", kStage1},
    {"blood_pressure_adolescent", "stage_2", kStage2},
    {"blood_pressure_adult", "normal", kNormalPressure},
    {"blood_pressure_adult", "ht_1", kStage1},
    {"blood_pressure_adult", "ht_2", kStage2},
    {"blood_pressure_adult", "ht_3", {kClinicalTerm, "OI000042", "Hipertensi derajat 3"}},
    {"glucose_random", "prediabetes_range", kPrediabetes},
    {"glucose_fasting", "prediabetes_range", kPrediabetes},
    {"glucose_2h", "prediabetes_range", kPrediabetes},
    {"hba1c", "prediabetes_range", kPrediabetes},
    {"mini_cog", "impaired", {kSnomed, "38369006", "At risk"}},
});

const VitalSign* VitalOf(std::string_view system, std::string_view code) {
  if (system != kLoinc) return nullptr;
  const auto found = std::find_if(kVitals.begin(), kVitals.end(),
                                  [&](const VitalSign& sign) { return sign.loinc == code; });
  return found == kVitals.end() ? nullptr : &*found;
}

}  // namespace

const Measure kWeight = {"weight", {kLoinc, "29463-7", "Body weight"}, &kVitalSigns, 3, "kg"};
const Measure kLengthLying = {
    "length", {kLoinc, "8306-3", "Body height --lying"}, &kVitalSigns, 1, "cm"};
const Measure kLengthStanding = {
    "length", {kLoinc, "8308-9", "Body height --standing"}, &kVitalSigns, 1, "cm"};
const Measure kLengthUnspecified = {
    "length", {kLoinc, "8302-2", "Body height"}, &kVitalSigns, 1, "cm"};
const Measure kHead = {
    "head", {kLoinc, "9843-4", "Head Occipital-frontal circumference"}, &kVitalSigns, 1, "cm"};
const Measure kMuac = {
    "muac", {kSnomed, "284473002", "Mid upper arm circumference"}, &kExam, 1, "cm"};
const Measure kWaist = {"waist", {kSnomed, "276361009", "Waist circumference"}, &kExam, 1, "cm"};
const Measure kTemperature = {
    "temperature", {kLoinc, "8310-5", "Body temperature"}, &kVitalSigns, 1, "Cel"};
const Measure kPulse = {"pulse", {kLoinc, "8867-4", "Heart rate"}, &kVitalSigns, 0, "/min"};
const Measure kBreathing = {
    "breathing", {kLoinc, "9279-1", "Respiratory rate"}, &kVitalSigns, 0, "/min"};
const Measure kSpo2 = {
    "spo2", {kLoinc, "2708-6", "Oxygen saturation in Arterial blood"}, &kVitalSigns, 0, "%"};
const Measure kSystolic = {
    "systolic", {kLoinc, "8480-6", "Systolic blood pressure"}, &kVitalSigns, 0, "mm[Hg]"};
const Measure kDiastolic = {
    "diastolic", {kLoinc, "8462-4", "Diastolic blood pressure"}, &kVitalSigns, 0, "mm[Hg]"};
const Measure kFundalHeight = {
    "fundal-height", {kLoinc, "11881-0", "Uterus Fundal height Tape measure"}, &kExam, 1, "cm"};
const Measure kFetalHeart = {
    "fetal-heart", {kLoinc, "55283-6", "Fetal Heart rate"}, &kExam, 0, "/min"};

const Coding* ZScoreCodeOf(std::string_view index, bool length) {
  const auto found = std::find_if(kZScores.begin(), kZScores.end(),
                                  [&](const ZScore& row) { return row.index == index; });
  if (found == kZScores.end()) return nullptr;
  return length ? &found->length : &found->height;
}

bool IsBloodPressureClass(std::string_view rule) {
  return rule == "blood_pressure_adult" || rule == "blood_pressure_adolescent";
}

std::span<const CodedClass> CodedClasses() { return kClassCodes; }

const Coding* ClassCodeOf(std::string_view of, std::string_view word) {
  const auto found =
      std::find_if(kClassCodes.begin(), kClassCodes.end(),
                   [&](const CodedClass& row) { return row.of == of && row.word == word; });
  return found == kClassCodes.end() ? nullptr : &found->code;
}

Coding OedemaFinding(v1::Oedema oedema) {
  switch (oedema) {
    case v1::OEDEMA_NONE:
      return {kSnomed, "2667000", "Absent"};
    case v1::OEDEMA_MILD:
      return {kSnomed, "420829009", "1+ pitting edema"};
    case v1::OEDEMA_MODERATE:
      return {kSnomed, "421605005", "2+ pitting edema"};
    case v1::OEDEMA_SEVERE:
      return {kSnomed, "421346005", "3+ pitting edema"};
    default:
      return {kSnomed, "52101004", "Present"};
  }
}

const Coding& CategoryOf(std::string_view system, std::string_view code) {
  if (VitalOf(system, code) != nullptr) return kVitalSigns;
  if (system == kLoinc &&
      std::find(kLaboratoryCodes.begin(), kLaboratoryCodes.end(), code) != kLaboratoryCodes.end()) {
    return kLaboratory;
  }
  if (system == kLoinc && code == "72166-2") return kSurvey;
  return kExam;
}

bool UnitFits(std::string_view system, std::string_view code, std::string_view unit) {
  const VitalSign* sign = VitalOf(system, code);
  return sign == nullptr ||
         std::find(sign->units.begin(), sign->units.end(), unit) != sign->units.end();
}

bool IsObservationSystem(std::string_view system) {
  return system == kLoinc || system == kSnomed || system.starts_with(kKemenkes) ||
         system == "http://fhir.org/guides/who/anc-cds/CodeSystem/anc-custom-codes";
}

std::string_view VisitOrdinalSystem(std::string_view ordinal) {
  if (ordinal.starts_with("KN")) {
    return "http://terminology.kemkes.go.id/CodeSystem/episodeofcare/neonate";
  }
  if (ordinal.starts_with("KF")) {
    return "http://terminology.kemkes.go.id/CodeSystem/episodeofcare/puerperium";
  }
  if (ordinal.size() > 1 && ordinal[0] == 'K' && ordinal[1] >= '1' && ordinal[1] <= '9') {
    return "http://terminology.kemkes.go.id/CodeSystem/episodeofcare/ANC";
  }
  return {};
}

Coding ContactReasonCode(ContactReason reason) {
  switch (reason) {
    case ContactReason::kChild:
      return {kIcd10, "Z00.1", "Routine child health examination"};
    case ContactReason::kAdolescent:
      return {kIcd10, "Z00.3", "Examination for adolescent development state"};
    case ContactReason::kImmunisation:
      return {kIcd10, "Z27.8",
              "Need for immunization against other combinations of infectious diseases"};
    case ContactReason::kPregnancy:
      return {kIcd10, "Z34.9", "Supervision of normal pregnancy, unspecified"};
    case ContactReason::kPostpartum:
      return {kIcd10, "Z39.2", "Routine postpartum follow-up"};
    case ContactReason::kOther:
      break;
  }
  return {kIcd10, "Z00.0", "General medical examination"};
}

const Vaccine* VaccineOf(std::string_view antigen) {
  const auto found = std::find_if(kVaccines.begin(), kVaccines.end(), [&](const Vaccine& vaccine) {
    return vaccine.antigen == antigen;
  });
  return found == kVaccines.end() ? nullptr : &*found;
}

Coding RouteCode(v1::Route route) {
  constexpr std::string_view kAtc = "http://www.whocc.no/atc";
  switch (route) {
    case v1::ROUTE_ORAL:
      return {kAtc, "O", "Oral"};
    case v1::ROUTE_INTRAMUSCULAR:
      return {kAtc, "inj.intramuscular", "Injection Intramuscular"};
    case v1::ROUTE_SUBCUTANEOUS:
      return {kAtc, "inj.subcutaneous", "Injection Subcutaneous"};
    case v1::ROUTE_INTRAVENOUS:
      return {kAtc, "inj.intravenous", "Injection Intravenous"};
    case v1::ROUTE_TOPICAL:
      return {kAtc, "ointment", "Ointment"};
    default:
      return {};
  }
}

const ScreeningTool* ScreeningToolOf(std::string_view tool) {
  const auto found = std::find_if(kTools.begin(), kTools.end(),
                                  [&](const ScreeningTool& row) { return row.tool == tool; });
  return found == kTools.end() ? nullptr : &*found;
}

Medication MedicationOf(v1::SupplementKind kind) {
  switch (kind) {
    case v1::SUPPLEMENT_KIND_VITAMIN_A_BLUE:
      return {"vitamin_a_blue", "", true};
    case v1::SUPPLEMENT_KIND_VITAMIN_A_RED:
      return {"vitamin_a_red", "", true};
    case v1::SUPPLEMENT_KIND_DEWORMING:
      return {"deworming", "", true};
    case v1::SUPPLEMENT_KIND_IRON_FOLATE:
      return {"iron_folate", "92000653", false};
    case v1::SUPPLEMENT_KIND_FOOD:
      return {"food", "", false};
    case v1::SUPPLEMENT_KIND_MEDICINE:
      return {"medicine", "", false};
    case v1::SUPPLEMENT_KIND_MICRONUTRIENT:
      return {"micronutrient", "", false};
    case v1::SUPPLEMENT_KIND_ORS_ZINC:
      return {"ors_zinc", "", false};
    default:
      return {"supplement", "", false};
  }
}

}  // namespace simpul::fhir
