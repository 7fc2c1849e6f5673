// What the mappings of all kinds of entry share: the entry's events as read, and the record being
// made of them. Private to this folder.
#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "google/protobuf/arena.h"
#include "lib/fhir/instant.h"
#include "lib/fhir/json_writer.h"
#include "lib/fhir/map.h"
#include "lib/fhir/terminology.h"
#include "simpul/event/v1/event.pb.h"

namespace simpul::fhir {

// An event that counts, as read.
struct Happening {
  const timeline::v1::Member* member = nullptr;
  const event::v1::Event* event = nullptr;
  uint32_t place = 0;            // among the entry's members, those taken back included
  std::string_view subject_key;  // the one it was first filed under
  bool by_kader = false;
  bool precise = false;  // the time of day is known
  int utc_offset_min = 0;
  std::chrono::sys_days local_day;
  Instant at;                // as recorded; local midnight when only the day is known
  Instant effective;         // as sent: within the visit where only its day is known
  std::string practitioner;  // reference as JSON; empty when unknown and that is allowed
  std::string practitioner_id;
  std::string location;  // platform Location id; empty when unknown and that is allowed
};

// The span of a contact.
struct Span {
  Instant start;
  Instant end;  // at least three seconds after start
};

// The record under construction.
class Record {
 public:
  Record(const timeline::v1::Entry& entry, const Directory& directory, const PatientName& patient,
         const MapOptions& options, std::string organization);
  Record(const Record&) = delete;
  Record& operator=(const Record&) = delete;

  const timeline::v1::Entry& entry;
  const Directory& directory;
  const MapOptions& options;
  JsonWriter json;

  // False when an event's bytes are no event.
  bool readable() const { return readable_; }
  // Events that count, in timeline order.
  std::vector<Happening>& happenings() { return happenings_; }
  const event::v1::Subject& subject() const { return subject_; }
  const std::string& organization() const { return mapped_.organization; }

  // Fills practitioner and location of the happening. The reason why not, where the directory must
  // know more.
  std::optional<std::string> Resolve(Happening& happening);

  // Starts a part: resourceType and identifier are written. Returns its key. One identifier more
  // may be given. End() finishes it.
  const std::string& Begin(std::string_view resource_type, std::string key,
                           bool only_if_absent = false);
  const std::string& BeginWith(std::string_view resource_type, std::string key,
                               const std::vector<Coding>& more_identifiers, bool only_if_absent);
  void End();

  // The key of one of the happening's own parts.
  std::string KeyOf(const Happening& happening, std::string_view part) const;
  // The same for parts named by a code, which may occur again: then "#2", "#3", ... is added.
  std::string KeyOf(const Happening& happening, std::string_view kind, const event::v1::Code& code);

  // What could not be mapped; each is listed once.
  void Unmapped(std::string_view kind, std::string_view what);

  // "name": the patient, the encounter, a part, an organisation.
  void WriteSubject(std::string_view name) { json.Raw(name, subject_json_); }
  void WritePart(std::string_view name, std::string_view key);
  void WriteOrganization(std::string_view name, std::string_view organization);
  // "performer": [...], the responsible practitioner; left out where none is known.
  void WritePractitionerList(std::string_view name, const Happening& happening);

  // "name": {"coding": [...], "text": ...}; either may be empty, not both.
  void WriteConcept(std::string_view name, const Coding& coding, std::string_view text = {});
  // {"coding": [...]}, one of a list.
  void WriteConcept(const Coding& coding);
  // "name": [{"coding": [...]}].
  void WriteConceptList(std::string_view name, const Coding& coding, std::string_view text = {});
  void WriteCoding(const Coding& coding);
  // "name": {"value": ..., "unit": ...}; without unit only the value.
  void WriteQuantity(std::string_view name, std::string_view decimal, std::string_view ucum);
  void WriteTime(std::string_view name, Instant instant);
  void WritePeriod(std::string_view name, Instant start, Instant end);

  // Starts an Observation of the happening in the encounter: all but its value.
  void BeginObservation(const Happening& happening, std::string key, const Coding& code,
                        std::string_view code_text, const Coding& category,
                        std::string_view encounter_key);

  // Starts a Condition of the encounter with its code. An empty verification is left out.
  void BeginCondition(std::string key, const Coding& category, const Coding& code,
                      std::string_view code_text, std::string_view verification, Instant recorded,
                      std::string_view encounter_key, bool only_if_absent = false);

  Mapped Take() { return std::move(mapped_); }

 private:
  google::protobuf::Arena arena_;
  bool readable_ = true;
  std::vector<Happening> happenings_;
  event::v1::Subject subject_;
  std::string subject_json_;
  std::set<std::string, std::less<>> parts_used_;
  Mapped mapped_;
};

// As registered, else as the mother's identity of a newborn says it.
std::optional<std::chrono::sys_days> BirthDay(const event::v1::Subject& subject);

// The age in completed years on a day; nullopt when the birth date is not known.
std::optional<int> AgeYears(const event::v1::Subject& subject, std::chrono::sys_days on);

// Why the person came, for an encounter without a health worker's diagnosis.
ContactReason ReasonOfContact(const Record& record, const std::vector<Happening>& happenings,
                              std::chrono::sys_days on);

// An Encounter to be written.
struct EncounterPlan {
  std::string key;
  std::string reason_key;  // of the Condition that carries the reason of contact
  event::v1::EncounterClass encounter_class = event::v1::ENCOUNTER_CLASS_UNSPECIFIED;
  std::vector<std::string> ordinals;
  Span span;
  std::vector<std::string> diagnoses;  // keys of Conditions by rank; empty: the reason of contact
  bool referred = false;
  bool only_if_absent = false;
};

// Writes the Encounter and, where no diagnosis stands, the reason of contact. Returns its key.
std::string WriteEncounter(Record& record, const EncounterPlan& plan,
                           const std::vector<Happening>& happenings);

// The span of the happenings, and each one's effective time set within it.
Span SpanOf(std::vector<Happening>& happenings);

// Whether a day lies before the bound of the options.
bool BeforePlatform(const MapOptions& options, Instant instant);

// Mappings of the kinds of entry. Happenings are read, not empty, and resolved.
MapResult MapVisit(Record& record);
MapResult MapReferral(Record& record);
MapResult MapPregnancy(Record& record);

// An Observation of gestational age in completed weeks; days beyond stand in its note.
void WriteGestation(Record& record, const Happening& happening, std::string_view part,
                    uint32_t days, std::string_view encounter_key);

// A code of the contract as a coding; refers into it.
inline Coding CodingOf(const event::v1::Code& code) {
  return {code.system(), code.code(), code.display()};
}

// Parts of one happening of a visit.
void MapImmunisation(Record& record, const Happening& happening, std::string_view encounter_key);
void MapSupplement(Record& record, const Happening& happening, std::string_view encounter_key);
void MapLabResult(Record& record, const Happening& happening, std::string_view encounter_key);
void MapScreening(Record& record, const Happening& happening, std::string_view encounter_key);

// What the rules derived of it: Observations derived from its measures; the rest is listed.
void MapDerived(Record& record, const Happening& happening, std::string_view encounter_key);

// The platform's code of a derived class that it takes only as the interpretation of what was
// measured, such as prediabetes of a glucose; null: none.
const Coding* InterpretationOf(const Record& record, const Happening& happening);

}  // namespace simpul::fhir
