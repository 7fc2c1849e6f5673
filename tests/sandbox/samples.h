// Resources that break no rule, as JSON texts to be altered by tests.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace simpul::sandbox::testing {

// All samples are of this organisation and, unless said otherwise, of this patient and
// practitioner.
inline constexpr std::string_view kOrganization = "100027469";
inline constexpr std::string_view kPatient = "Patient/P02478375538";
inline constexpr std::string_view kPractitioner = "Practitioner/10009880728";

// `local_id` is the value of its identifier; `reference` in others is how the Encounter is named.
std::string Encounter(std::string_view local_id, std::string_view patient = kPatient);
// A visit that is over, with the diagnosis it needs.
std::string FinishedEncounter(std::string_view local_id, std::string_view condition_reference);
std::string Condition(std::string_view local_id, std::string_view encounter_reference);
std::string Observation(std::string_view local_id, std::string_view encounter_reference,
                        std::string_view patient = kPatient);
std::string Procedure(std::string_view local_id, std::string_view encounter_reference);
std::string Immunization(std::string_view encounter_reference, int dose = 1);
std::string ServiceRequest(std::string_view local_id, std::string_view encounter_reference);
std::string QuestionnaireResponse(std::string_view local_id, std::string_view encounter_reference);
std::string EpisodeOfCare(std::string_view local_id, std::string_view patient = kPatient);
std::string MedicationStatement(std::string_view local_id, std::string_view encounter_reference);
std::string NewbornPatient(std::string_view mother_nik, std::string_view birth_date, int order = 1);

// The text with one part of it replaced; the part must be there.
std::string Altered(std::string text, std::string_view part, std::string_view by);

// An entry that creates: fullUrl urn:uuid:<uuid>.
struct Entry {
  std::string uuid;
  std::string resource;
};
std::string Transaction(const std::vector<Entry>& entries);

// A visit as it is sent: a finished Encounter, its Condition, and observations that refer to both
// ways. `number` makes all its ids.
std::string VisitTransaction(int number, int observations = 8, std::string_view patient = kPatient);
// The uuid of the n-th entry of VisitTransaction(number).
std::string Uuid(int number, int n);

}  // namespace simpul::sandbox::testing
