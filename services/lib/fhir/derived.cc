// What the rules derived of a visit. Codes that the platform has only for the interpretation of a
// measurement are written with it: InterpretationOf.
#include <algorithm>
#include <initializer_list>

#include "lib/fhir/decimal.h"
#include "lib/fhir/record.h"

namespace simpul::fhir {
namespace {

namespace v1 = ::simpul::event::v1;
using timeline::v1::GrowthScore;
using timeline::v1::MeasuredGrowth;
using timeline::v1::Screened;

constexpr std::string_view kNoCode = "no_code";
constexpr std::string_view kImplausible = "implausible";
constexpr std::string_view kZScore = "{Zscore}";

std::string Hundredths(int32_t value) {
  const auto size = static_cast<uint64_t>(value < 0 ? -int64_t{value} : int64_t{value});
  return (value < 0 ? "-" : "") + ScaledDecimal(size, 2);
}

// Whether length_mm stood for length, not height: what the z-score is called depends on it. The
// rules took it as the age wants, and say what they used.
bool TakenAsLength(const Record& record, const Happening& happening, const MeasuredGrowth& growth) {
  constexpr int kHeightFromDays = 731;
  constexpr uint32_t kHeightFromMm = 870;
  const v1::Visit& visit = happening.event->visit();
  const uint32_t used = growth.length_used_mm();
  if (used != visit.length_mm()) return used > visit.length_mm();
  const GrowthScore& score = growth.length_height_for_age();
  if (visit.position() == v1::MEASURING_POSITION_LYING) return true;
  // Standing is as wanted, unless it was ignored because nobody of that age stands.
  if (visit.position() == v1::MEASURING_POSITION_STANDING) {
    return score.flag() == "position_ignored" ||
           growth.weight_for_length_height().flag() == "position_ignored" ||
           growth.bmi_for_age().flag() == "position_ignored";
  }
  const std::optional<std::chrono::sys_days> born = BirthDay(record.subject());
  if (born.has_value()) return (happening.local_day - *born).count() < kHeightFromDays;
  return used < kHeightFromMm;
}

class DerivedParts {
 public:
  DerivedParts(Record& record, const Happening& happening, std::string_view encounter_key)
      : record_(record),
        json_(record.json),
        happening_(happening),
        visit_(happening.event->visit()),
        encounter_key_(encounter_key) {}

  void Write(const MeasuredGrowth& growth) {
    if (growth.length_used_mm() > 0) length_ = TakenAsLength(record_, happening_, growth);
    WriteScore("weight_for_age", growth.weight_for_age(), {&kWeight});
    WriteScore("length_height_for_age", growth.length_height_for_age(), {&kLengthUnspecified});
    WriteScore("weight_for_length_height", growth.weight_for_length_height(),
               {&kWeight, &kLengthUnspecified});
    WriteScore("bmi_for_age", growth.bmi_for_age(), {&kWeight, &kLengthUnspecified});
    WriteScore("head_circumference_for_age", growth.head_circumference_for_age(), {&kHead});
    WriteScore("muac_for_age", growth.muac_for_age(), {&kMuac});
    if (growth.has_bmi_hundredths() && growth.bmi_for_age().flag() != kImplausible) {
      Begin("bmi", kBodyMassIndex, kVitalSigns);
      record_.WriteQuantity("valueQuantity", ScaledDecimal(growth.bmi_hundredths(), 2), "kg/m2");
      DerivedFrom({&kWeight, &kLengthUnspecified});
      record_.End();
    }
    if (growth.nutritional_status_from() == "oedema") {
      record_.Unmapped(kNoCode, "nutritional_status");
    }
    if (growth.has_card()) WriteCard(growth.card());
  }

  void Write(const Screened& row) {
    if (row.screening_class().empty()) return;
    if (IsBloodPressureClass(row.rule()) && visit_.has_systolic_mmhg() &&
        visit_.has_diastolic_mmhg()) {
      Begin("blood_pressure_class", kHypertensionRisk, kVitalSigns);
      json_.Open("valueRatio");
      record_.WriteQuantity("numerator", std::to_string(visit_.systolic_mmhg()), "mm[Hg]");
      record_.WriteQuantity("denominator", std::to_string(visit_.diastolic_mmhg()), "mm[Hg]");
      json_.Close();
      WriteClass(row.rule(), row.screening_class(), row.result() == v1::SCREENING_RESULT_NORMAL);
      DerivedFrom({&kSystolic, &kDiastolic});
      record_.End();
    } else if (happening_.event->has_visit() ||
               ClassCodeOf(row.rule(), row.screening_class()) == nullptr) {
      record_.Unmapped(kNoCode, row.rule());
    }
  }

 private:
  void Begin(std::string_view part, const Coding& code, const Coding& category) {
    record_.BeginObservation(happening_, record_.KeyOf(happening_, part), code, "", category,
                             encounter_key_);
  }

  void DerivedFrom(std::initializer_list<const Measure*> measures) {
    json_.OpenList("derivedFrom");
    for (const Measure* measure : measures) {
      json_.Open();
      json_.Text("reference", "urn:uuid:" + record_.KeyOf(happening_, measure->part));
      json_.Close();
    }
    json_.CloseList();
  }

  // The platform's own code, else the general one with the word.
  void WriteClass(std::string_view of, std::string_view word, bool normal) {
    constexpr std::string_view kInterpretation =
        "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation";
    if (const Coding* code = ClassCodeOf(of, word)) {
      record_.WriteConceptList("interpretation", *code);
    } else {
      record_.WriteConceptList("interpretation",
                               normal ? Coding{kInterpretation, "N", "Normal"}
                                      : Coding{kInterpretation, "A", "Abnormal"},
                               word);
    }
  }

  void WriteScore(std::string_view index, const GrowthScore& score,
                  std::initializer_list<const Measure*> measures) {
    if (score.growth_class().empty()) return;
    if (score.flag() == kImplausible) return record_.Unmapped(kImplausible, index);
    const Coding* code = ZScoreCodeOf(index, length_);
    if (code == nullptr || !score.has_z_hundredths()) return record_.Unmapped(kNoCode, index);
    std::string part = "z_";
    Begin(part.append(index), *code, kExam);
    record_.WriteQuantity("valueQuantity", Hundredths(score.z_hundredths()), kZScore);
    if (score.growth_class() != "no_class_table") WriteClass(index, score.growth_class(), false);
    DerivedFrom(measures);
    record_.End();
  }

  void WriteCard(const timeline::v1::WeighingOnCard& card) {
    const std::string_view status = card.status();
    if (status == "N" || status == "T") {
      Begin("kms_status", kAdequateWeightGain, kExam);
      json_.Flag("valueBoolean", status == "N");
      DerivedFrom({&kWeight});
      record_.End();
    } else if (!status.empty()) {
      record_.Unmapped(kNoCode, "kms_status");
    }
    if (card.two_t()) record_.Unmapped(kNoCode, "two_t");
    if (card.bgm()) record_.Unmapped(kNoCode, "bgm");
    if (card.above_orange()) record_.Unmapped(kNoCode, "above_orange");
  }

  Record& record_;
  JsonWriter& json_;
  const Happening& happening_;
  const v1::Visit& visit_;
  std::string_view encounter_key_;
  bool length_ = false;
};

}  // namespace

const Coding* InterpretationOf(const Record& record, const Happening& happening) {
  for (const Screened& row : record.entry.derived().screened()) {
    if (row.member() != happening.place) continue;
    if (const Coding* code = ClassCodeOf(row.rule(), row.screening_class())) return code;
  }
  return nullptr;
}

void MapDerived(Record& record, const Happening& happening, std::string_view encounter_key) {
  DerivedParts parts(record, happening, encounter_key);
  const timeline::v1::Derived& derived = record.entry.derived();
  for (const MeasuredGrowth& growth : derived.growth()) {
    if (growth.member() == happening.place && happening.event->has_visit()) parts.Write(growth);
  }
  for (const Screened& row : derived.screened()) {
    if (row.member() == happening.place) parts.Write(row);
  }
}

}  // namespace simpul::fhir
