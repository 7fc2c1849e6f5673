#include <algorithm>

#include "lib/base/text.h"
#include "lib/event/date.h"
#include "lib/fhir/code_check.h"
#include "lib/fhir/decimal.h"
#include "lib/fhir/record.h"

namespace simpul::fhir {
namespace {

namespace v1 = ::simpul::event::v1;

void WriteRoute(Record& record, v1::Route route, std::string_view kind) {
  if (route == v1::ROUTE_UNSPECIFIED) return;
  const Coding code = RouteCode(route);
  if (code.code.empty()) return record.Unmapped(kind, "route");
  record.WriteConcept("route", code);
}

void WriteNote(Record& record, std::string_view text) {
  if (text.empty()) return;
  record.json.OpenList("note");
  record.json.Open();
  record.json.Text("text", text);
  record.json.Close();
  record.json.CloseList();
}

// The words of the reason, for resources whose reason has no code list of the platform's.
std::string_view NotGivenWords(v1::NotGivenReason reason) {
  switch (reason) {
    case v1::NOT_GIVEN_REASON_DEFERRED:
      return "deferred";
    case v1::NOT_GIVEN_REASON_REFUSED:
      return "refused";
    case v1::NOT_GIVEN_REASON_MEDICAL:
      return "medical precaution";
    case v1::NOT_GIVEN_REASON_NO_STOCK:
      return "out of stock";
    default:
      return "not said";
  }
}

// The platform's own list has no word for an empty shelf: put off, with the words beside it.
void WriteImmunisationStatusReason(Record& record, v1::NotGivenReason reason) {
  constexpr std::string_view kSystem =
      "http://terminology.kemkes.go.id/CodeSystem/immunization-statusReason";
  switch (reason) {
    case v1::NOT_GIVEN_REASON_REFUSED:
      return record.WriteConcept("statusReason", {kSystem, "IS000002", "Tidak Diberikan"});
    case v1::NOT_GIVEN_REASON_MEDICAL:
      return record.WriteConcept(
          "statusReason",
          {"http://terminology.hl7.org/CodeSystem/v3-ActReason", "MEDPREC", "medical precaution"});
    case v1::NOT_GIVEN_REASON_NO_STOCK:
      return record.WriteConcept("statusReason", {kSystem, "IS000001", "Tunda"}, "out of stock");
    default:
      return record.WriteConcept("statusReason", {kSystem, "IS000001", "Tunda"});
  }
}

Coding ImmunisationReason(const Record& record, const Happening& happening, const Vaccine& vaccine,
                          uint32_t dose) {
  constexpr std::string_view kSystem =
      "http://terminology.kemkes.go.id/CodeSystem/immunization-reason";
  if (vaccine.booster_from != 0 && dose >= vaccine.booster_from) {
    return {kSystem, "IM-Baduta", "Imunisasi Program Rutin Lanjutan Baduta"};
  }
  if (vaccine.reason == "IM-Dasar") {
    return {kSystem, "IM-Dasar", "Imunisasi Program Rutin Dasar"};
  }
  if (vaccine.reason == "IM-WUS") {
    const std::optional<int> age = AgeYears(record.subject(), happening.local_day);
    if (age.has_value() && *age < 15) return {kSystem, "IM-SD", ""};
    if (record.subject().sex() == v1::SEX_MALE) {
      return {kSystem, "IM-Khusus", "Imunisasi Program Khusus"};
    }
  }
  return {kSystem, vaccine.reason, ""};
}

void WriteVaccineCode(Record& record, const Vaccine& vaccine, const std::string& product) {
  JsonWriter& json = record.json;
  json.Open("vaccineCode");
  json.OpenList("coding");
  const bool known = std::find(vaccine.products.begin(), vaccine.products.end(), product) !=
                     vaccine.products.end();
  if (known) record.WriteCoding({kKfa, product, ""});
  if (!known && !product.empty()) record.Unmapped("immunisation", "kfa " + product);
  for (std::string_view group : vaccine.groups) record.WriteCoding({kKfa, group, ""});
  record.WriteCoding({kCvx, vaccine.cvx, ""});
  json.CloseList();
  json.Text("text", vaccine.antigen);
  json.Close();
}

}  // namespace

void MapImmunisation(Record& record, const Happening& happening, std::string_view encounter_key) {
  const v1::Immunisation& dose = happening.event->immunisation();
  JsonWriter& json = record.json;
  const bool given_here = dose.status() == v1::DOSE_STATUS_GIVEN_HERE;
  const bool reported = dose.status() == v1::DOSE_STATUS_REPORTED;
  const Vaccine* vaccine = VaccineOf(dose.antigen());
  if (vaccine == nullptr) return record.Unmapped("immunisation", dose.antigen());
  const uint32_t number = dose.dose() == 0 && vaccine->single_dose ? 1 : dose.dose();
  if (number == 0) return record.Unmapped("immunisation", "dose");

  Instant when = happening.effective;
  const auto given_on = event::ParseDay(dose.given_on());
  if (reported && given_on.has_value()) {
    when = std::min(when, LocalMidnight(*given_on, happening.utc_offset_min));
  }
  if (BeforePlatform(record.options, when)) {
    return record.Unmapped("immunisation", "before_platform");
  }
  const auto expiry = event::ParseDay(dose.expiry());
  const auto given_day =
      std::chrono::floor<std::chrono::days>(when + std::chrono::minutes(happening.utc_offset_min));
  const bool expiry_fits = expiry.has_value() && *expiry > given_day;
  if (given_here) {
    if (dose.lot().empty()) return record.Unmapped("immunisation", "lot");
    if (!expiry_fits) return record.Unmapped("immunisation", "expiry");
    if (happening.location.empty() || happening.practitioner.empty()) {
      return record.Unmapped("immunisation", "practitioner");
    }
  }

  record.Begin("Immunization", record.KeyOf(happening, "immunisation"));
  json.Text("status", dose.status() == v1::DOSE_STATUS_NOT_GIVEN ? "not-done" : "completed");
  if (dose.status() == v1::DOSE_STATUS_NOT_GIVEN) {
    WriteImmunisationStatusReason(record, dose.not_given_reason());
  }
  WriteVaccineCode(record, *vaccine, dose.kfa_code());
  record.WriteSubject("patient");
  record.WritePart("encounter", encounter_key);
  record.WriteTime("occurrenceDateTime", when);
  record.WriteTime("recorded", happening.effective);
  json.Flag("primarySource", !reported);
  if (reported) {
    constexpr std::string_view kOrigin =
        "http://terminology.hl7.org/CodeSystem/immunization-origin";
    record.WriteConcept("reportOrigin", happening.by_kader
                                            ? Coding{kOrigin, "provider", "Other Provider"}
                                            : Coding{kOrigin, "record", "Written Record"});
  }
  if (given_here) {
    json.Open("location");
    json.Text("reference", "Location/" + happening.location);
    json.Close();
  }
  json.TextIfAny("lotNumber", dose.lot());
  if (expiry_fits) json.Text("expirationDate", dose.expiry());
  if (!expiry_fits && !dose.expiry().empty()) record.Unmapped("immunisation", "expiry");
  WriteRoute(record, dose.route(), "immunisation");
  if (dose.has_amount()) {
    const auto amount = JsonDecimal(dose.amount().value());
    if (amount.has_value() && IsUcumUnit(dose.amount().unit())) {
      record.WriteQuantity("doseQuantity", *amount, dose.amount().unit());
    } else {
      record.Unmapped("immunisation", "amount");
    }
  }
  constexpr std::string_view kFunction = "http://terminology.hl7.org/CodeSystem/v2-0443";
  const bool by_organization = reported && happening.by_kader;
  if (by_organization || !happening.practitioner.empty()) {
    json.OpenList("performer");
    json.Open();
    record.WriteConcept("function", reported ? Coding{kFunction, "EP",
                                                      "Entering Provider (probably not the same as "
                                                      "transcriptionist?)"}
                                             : Coding{kFunction, "AP", "Administering Provider"});
    if (by_organization) {
      record.WriteOrganization("actor", record.organization());
    } else {
      json.Raw("actor", happening.practitioner);
    }
    json.Close();
    json.CloseList();
  }
  WriteNote(record, dose.note());
  record.WriteConceptList("reasonCode", ImmunisationReason(record, happening, *vaccine, number));
  json.OpenList("protocolApplied");
  json.Open();
  json.Integer("doseNumberPositiveInt", number);
  json.Close();
  json.CloseList();
  record.End();
}

namespace {

bool IsVitaminA(v1::SupplementKind kind) {
  return kind == v1::SUPPLEMENT_KIND_VITAMIN_A_BLUE || kind == v1::SUPPLEMENT_KIND_VITAMIN_A_RED;
}

std::string QuantityWords(const v1::Quantity& quantity) {
  return quantity.value() + " " + quantity.unit();
}

// Given or refused here: a procedure, as the platform counts vitamin A. Reported from elsewhere it
// has no performer of ours, and is a statement about medication like any other.
void WriteVitaminA(Record& record, const Happening& happening, const v1::Supplement& supplement,
                   std::string_view encounter_key) {
  JsonWriter& json = record.json;
  const bool given = supplement.status() == v1::DOSE_STATUS_GIVEN_HERE;
  record.Begin("Procedure", record.KeyOf(happening, "supplement"));
  json.Text("status", given ? "completed" : "not-done");
  if (!given) record.WriteConcept("statusReason", {}, NotGivenWords(supplement.not_given_reason()));
  record.WriteConcept("category", {kSnomed, "277132007", "Therapeutic procedure"});
  record.WriteConcept("code", {kSnomed, "767224000", "Administration of vitamin A"});
  record.WriteSubject("subject");
  record.WritePart("encounter", encounter_key);
  record.WriteTime("performedDateTime", happening.effective);
  if (!happening.practitioner.empty()) {
    json.OpenList("performer");
    json.Open();
    json.Raw("actor", happening.practitioner);
    json.Close();
    json.CloseList();
  }
  std::string note = supplement.kind() == v1::SUPPLEMENT_KIND_VITAMIN_A_BLUE
                         ? "Blue capsule, 100,000 IU"
                         : "Red capsule, 200,000 IU";
  if (supplement.has_quantity()) note += ": " + QuantityWords(supplement.quantity());
  WriteNote(record, note);
  record.End();
  if (!supplement.kfa_code().empty()) record.Unmapped("supplement", "kfa_code");
  if (!supplement.instruction().empty()) record.Unmapped("supplement", "instruction");
  if (supplement.has_taken()) record.Unmapped("supplement", "taken");
}

std::string_view StatementStatus(const v1::Supplement& supplement, const Medication& medication) {
  if (supplement.status() == v1::DOSE_STATUS_NOT_GIVEN) return "not-taken";
  if (supplement.has_taken() && !supplement.taken()) return "not-taken";
  const bool over = medication.one_dose || supplement.status() == v1::DOSE_STATUS_REPORTED;
  return over ? "completed" : "active";
}

void WriteMedicationStatement(Record& record, const Happening& happening,
                              const v1::Supplement& supplement, const Medication& medication,
                              std::string_view kfa_code, std::string_view encounter_key) {
  JsonWriter& json = record.json;
  record.Begin("MedicationStatement", record.KeyOf(happening, "supplement"));
  json.Text("status", StatementStatus(supplement, medication));
  if (supplement.status() == v1::DOSE_STATUS_NOT_GIVEN) {
    record.WriteConceptList("statusReason", {}, NotGivenWords(supplement.not_given_reason()));
  }
  constexpr std::string_view kCategory =
      "http://terminology.hl7.org/CodeSystem/medication-statement-category";
  const bool reported = supplement.status() == v1::DOSE_STATUS_REPORTED;
  record.WriteConcept("category", reported ? Coding{kCategory, "community", "Community"}
                                           : Coding{kCategory, "outpatient", "Outpatient"});
  record.WriteConcept("medicationCodeableConcept", {kKfa, kfa_code, ""}, supplement.name());
  record.WriteSubject("subject");
  record.WritePart("context", encounter_key);
  record.WriteTime("effectiveDateTime", happening.effective);
  record.WriteTime("dateAsserted", happening.effective);
  if (happening.by_kader && reported) {
    record.WriteOrganization("informationSource", record.organization());
  } else if (!happening.practitioner.empty()) {
    json.Raw("informationSource", happening.practitioner);
  }
  if (supplement.has_quantity()) WriteNote(record, QuantityWords(supplement.quantity()));
  const bool has_route = !RouteCode(supplement.route()).code.empty();
  if (!supplement.instruction().empty() || has_route) {
    json.OpenList("dosage");
    json.Open();
    json.TextIfAny("text", supplement.instruction());
    if (has_route) record.WriteConcept("route", RouteCode(supplement.route()));
    json.Close();
    json.CloseList();
  }
  record.End();
  if (!has_route && supplement.route() != v1::ROUTE_UNSPECIFIED) {
    record.Unmapped("supplement", "route");
  }
}

}  // namespace

void MapSupplement(Record& record, const Happening& happening, std::string_view encounter_key) {
  const v1::Supplement& supplement = happening.event->supplement();
  const Medication medication = MedicationOf(supplement.kind());
  const bool reported = supplement.status() == v1::DOSE_STATUS_REPORTED;
  const std::string_view kfa_code = base::IsDigits(supplement.kfa_code())
                                        ? std::string_view(supplement.kfa_code())
                                        : medication.kfa_code;
  if (IsVitaminA(supplement.kind()) && !reported) {
    WriteVitaminA(record, happening, supplement, encounter_key);
  } else if (supplement.kind() == v1::SUPPLEMENT_KIND_FOOD || kfa_code.empty()) {
    return record.Unmapped("supplement", medication.word);
  } else {
    WriteMedicationStatement(record, happening, supplement, medication, kfa_code, encounter_key);
  }
  if (!supplement.lot().empty()) record.Unmapped("supplement", "lot");
  if (!supplement.expiry().empty()) record.Unmapped("supplement", "expiry");
}

}  // namespace simpul::fhir
