// The codes the platform knows, as data. Source: the platform's published value sets and samples;
// docs/fhir-mapping.md lists them for people.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "simpul/event/v1/life.pb.h"
#include "simpul/event/v1/referral.pb.h"
#include "simpul/event/v1/treatment.pb.h"
#include "simpul/event/v1/visit.pb.h"

namespace simpul::fhir {

inline constexpr std::string_view kLoinc = "http://loinc.org";
inline constexpr std::string_view kSnomed = "http://snomed.info/sct";
inline constexpr std::string_view kIcd10 = "http://hl7.org/fhir/sid/icd-10";
inline constexpr std::string_view kUcum = "http://unitsofmeasure.org";
inline constexpr std::string_view kKfa = "http://sys-ids.kemkes.go.id/kfa";
inline constexpr std::string_view kCvx = "http://hl7.org/fhir/sid/cvx";
inline constexpr std::string_view kKemenkes = "http://terminology.kemkes.go.id";

// A code with its system and the words shown to people.
struct Coding {
  std::string_view system;
  std::string_view code;
  std::string_view display;
};

// An observation category of http://terminology.hl7.org/CodeSystem/observation-category.
inline constexpr std::string_view kObservationCategorySystem =
    "http://terminology.hl7.org/CodeSystem/observation-category";
inline constexpr Coding kVitalSigns = {kObservationCategorySystem, "vital-signs", "Vital Signs"};
inline constexpr Coding kExam = {kObservationCategorySystem, "exam", "Exam"};
inline constexpr Coding kSurvey = {kObservationCategorySystem, "survey", "Survey"};
inline constexpr Coding kLaboratory = {kObservationCategorySystem, "laboratory", "Laboratory"};

// A measured field of a visit: how its scaled integer becomes a quantity.
struct Measure {
  std::string_view part;  // part of the platform identifier
  Coding code;
  const Coding* category;
  int places;             // decimal places between the field's unit and `unit`
  std::string_view unit;  // UCUM
};
extern const Measure kWeight, kLengthLying, kLengthStanding, kLengthUnspecified, kHead, kMuac,
    kWaist, kTemperature, kPulse, kBreathing, kSpo2, kSystolic, kDiastolic, kFundalHeight,
    kFetalHeart;

inline constexpr Coding kGestationalAge = {kLoinc, "18185-9", "Gestational age"};
inline constexpr Coding kPittingOedema = {kSnomed, "284521000", "Pitting edema"};

inline constexpr Coding kBodyMassIndex = {kLoinc, "39156-5", "Body mass index (BMI) [Ratio]"};
inline constexpr Coding kHypertensionRisk = {kSnomed, "268607006", "Hypertension risk level"};
inline constexpr Coding kAdequateWeightGain = {
    "http://terminology.kemkes.go.id/CodeSystem/clinical-term", "OC000012", "Adequate weight gain"};

// The z-score of an index of docs/growth.md, by how length or height was taken; null: none.
const Coding* ZScoreCodeOf(std::string_view index, bool length);

// True for the rules of docs/screening.md whose class is a level of blood pressure.
bool IsBloodPressureClass(std::string_view rule);

// The platform's code of a derived class: `of` is an index of docs/growth.md or a rule of
// docs/screening.md.
struct CodedClass {
  std::string_view of;
  std::string_view word;
  Coding code;
};
std::span<const CodedClass> CodedClasses();
// Null for a class that has none.
const Coding* ClassCodeOf(std::string_view of, std::string_view word);

// What was seen, for each degree of oedema but unspecified.
Coding OedemaFinding(event::v1::Oedema oedema);

// The category an observation with this code has; exam where nothing else is known.
const Coding& CategoryOf(std::string_view system, std::string_view code);

// False where the code is a vital sign that FHIR R4 allows only in other units.
bool UnitFits(std::string_view system, std::string_view code, std::string_view unit);

// True for code systems whose codes the platform takes in observations and complaints.
bool IsObservationSystem(std::string_view system);

// A programme's running number of a visit, such as K4: the system of the Encounter's second
// identifier. Empty for a number of no programme.
std::string_view VisitOrdinalSystem(std::string_view ordinal);

// Why a person came, where no health worker made a diagnosis: an ICD-10 Z-code, never a disease.
// Decided by Simpul; Z27.8 and Z00.3 stand in the platform's own samples.
enum class ContactReason { kChild, kAdolescent, kImmunisation, kPregnancy, kPostpartum, kOther };
Coding ContactReasonCode(ContactReason reason);

// A vaccine the programme gives. Products are an allow-list of our own: the drug dictionary names
// vaccines that the platform still refuses.
struct Vaccine {
  std::string_view antigen;                  // as Immunisation.antigen
  std::span<const std::string_view> groups;  // generic groups of the drug dictionary
  std::string_view cvx;
  std::span<const std::string_view> products;  // product codes the platform takes for it
  bool single_dose;                            // a dose number left out is 1
  uint32_t booster_from;    // from this dose on the programme for toddlers; 0: never
  std::string_view reason;  // immunization-reason before booster_from
};
// Null for an antigen that has no code.
const Vaccine* VaccineOf(std::string_view antigen);

// The route's code of http://www.whocc.no/atc; empty code where the platform lists none.
Coding RouteCode(event::v1::Route route);

// A screening tool whose total score has a code at the platform; null for any other.
struct ScreeningTool {
  std::string_view tool;
  Coding score;
};
const ScreeningTool* ScreeningToolOf(std::string_view tool);

// A supplement as a statement about medication.
struct Medication {
  std::string_view word;      // for `unmapped`
  std::string_view kfa_code;  // where the programme has one product; else empty
  bool one_dose;              // taken at once, not over weeks
};
Medication MedicationOf(event::v1::SupplementKind kind);

}  // namespace simpul::fhir
