#include "lib/fhir/record.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "lib/base/bytes.h"
#include "lib/base/hash.h"
#include "lib/base/text.h"
#include "lib/base/uuid.h"
#include "lib/event/date.h"
#include "lib/event/subject.h"

namespace simpul::fhir {
namespace {

namespace v1 = ::simpul::event::v1;

// An event of an entry and how much it has to say about the patient.
struct Statement {
  const v1::Event* event;
  const timeline::v1::Member* member;
};

v1::Subject Gather(std::vector<Statement> statements) {
  std::sort(statements.begin(), statements.end(), [](const Statement& a, const Statement& b) {
    const bool a_stands = a.member->state() != timeline::v1::MEMBER_STATE_RETRACTED;
    const bool b_stands = b.member->state() != timeline::v1::MEMBER_STATE_RETRACTED;
    if (a_stands != b_stands) return a_stands;
    if (a.member->recorded_at_us() != b.member->recorded_at_us()) {
      return a.member->recorded_at_us() > b.member->recorded_at_us();
    }
    return a.member->event_id() > b.member->event_id();
  });
  v1::Subject gathered;
  std::set<std::string> identities;
  for (const Statement& statement : statements) {
    const v1::Subject& said = statement.event->subject();
    for (const v1::Identity& identity : said.identities()) {
      if (statements.size() == 1 || identities.insert(identity.SerializeAsString()).second) {
        *gathered.add_identities() = identity;
      }
    }
    if (gathered.name().empty()) gathered.set_name(said.name());
    if (gathered.sex() == v1::SEX_UNSPECIFIED) gathered.set_sex(said.sex());
    if (gathered.birth_date().empty()) gathered.set_birth_date(said.birth_date());
    if (!gathered.has_residence() && said.has_residence()) {
      *gathered.mutable_residence() = said.residence();
    }
    if (gathered.family_card().empty()) gathered.set_family_card(said.family_card());
    if (gathered.phone().empty()) gathered.set_phone(said.phone());
  }
  return gathered;
}

void WriteIdentified(JsonWriter& json, std::string_view type, std::string_view system,
                     std::string_view value, std::string_view display) {
  json.Restart();
  json.Open();
  json.Text("type", type);
  json.Open("identifier");
  json.Text("system", system);
  json.Text("value", value);
  json.Close();
  json.TextIfAny("display", display);
  json.Close();
}

std::string PatientReference(const v1::Subject& subject, const Directory& directory,
                             const PatientName& patient, std::string_view organization,
                             JsonWriter& json) {
  if (!patient.platform_id.empty()) {
    json.Restart();
    json.Open();
    json.Text("reference", fmt::format("Patient/{}", patient.platform_id));
    json.Close();
    return std::string(json.text());
  }
  const v1::Identity* identity = event::StrongestIdentity(subject);
  const auto kind = identity == nullptr ? v1::Identity::KIND_NOT_SET : identity->kind_case();
  switch (kind) {
    case v1::Identity::kNik:
      WriteIdentified(json, "Patient", "https://fhir.kemkes.go.id/id/nik", identity->nik().number(),
                      "");
      break;
    case v1::Identity::kNewborn:
      WriteIdentified(json, "Patient", "https://fhir.kemkes.go.id/id/nik-ibu",
                      identity->newborn().mother_nik(),
                      fmt::format("born {}, birth order {}", identity->newborn().birth_date(),
                                  identity->newborn().birth_order()));
      break;
    case v1::Identity::kPassport:
      WriteIdentified(json, "Patient", "https://fhir.kemkes.go.id/id/paspor",
                      identity->passport().number(), "");
      break;
    case v1::Identity::kCard:
      WriteIdentified(
          json, "Patient",
          fmt::format("https://sys-ids.kemkes.go.id/insurance-subscriber/{}", organization),
          identity->card().number(), "");
      break;
    case v1::Identity::kLocal: {
      v1::Facility giver;
      giver.set_system(identity->local().system());
      giver.set_code(identity->local().facility());
      const FacilityRow* row = directory.Facility(giver);
      WriteIdentified(json, "Patient",
                      fmt::format("http://sys-ids.kemkes.go.id/mrn/{}",
                                  row == nullptr ? organization : row->organization),
                      identity->local().number(), "");
      break;
    }
    case v1::Identity::KIND_NOT_SET:
      json.Restart();
      json.Open();
      json.Text("type", "Patient");
      json.Text("display", "without identity");
      json.Close();
      break;
  }
  return std::string(json.text());
}

}  // namespace

v1::Subject SubjectOf(const timeline::v1::Entry& entry) {
  google::protobuf::Arena arena;
  std::vector<Statement> statements;
  for (const timeline::v1::Member& member : entry.members()) {
    auto* event = google::protobuf::Arena::CreateMessage<v1::Event>(&arena);
    if (event->ParseFromString(member.event())) statements.push_back({event, &member});
  }
  return Gather(std::move(statements));
}

std::string IdentifierSystem(std::string_view resource_type, std::string_view organization) {
  static constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"Encounter", "encounter"},
      {"Condition", "condition"},
      {"Observation", "observation"},
      {"Procedure", "procedure"},
      {"MedicationStatement", "medicationstatement"},
      {"ServiceRequest", "servicerequest"},
      {"EpisodeOfCare", "episode-of-care"},
      {"QuestionnaireResponse", "QuestionnaireResponse"},
  };
  for (const auto& [type, name] : kNames) {
    if (type == resource_type) {
      std::string system = "http://sys-ids.kemkes.go.id/";
      system.append(name).append("/").append(organization);
      return system;
    }
  }
  return {};
}

std::string PartKey(const v1::Facility& facility, std::string_view id, std::string_view part,
                    std::string_view subject_key) {
  std::string name;
  name.reserve(160);
  const std::string subject_hex = base::Hex(subject_key);
  for (std::string_view field :
       {std::string_view(facility.system()), std::string_view(facility.code()), id, part,
        std::string_view(subject_hex)}) {
    base::PutText(name, field);
  }
  return base::UuidV5(kPartNamespace, name);
}

Record::Record(const timeline::v1::Entry& from, const Directory& with, const PatientName& patient,
               const MapOptions& how, std::string organization)
    : entry(from), directory(with), options(how) {
  mapped_.organization = std::move(organization);
  std::vector<Statement> statements;
  for (int place = 0; place < entry.members_size(); ++place) {
    const timeline::v1::Member& member = entry.members(place);
    if (member.state() == timeline::v1::MEMBER_STATE_RETRACTED) continue;
    auto* event = google::protobuf::Arena::CreateMessage<v1::Event>(&arena_);
    if (!event->ParseFromString(member.event())) {
      readable_ = false;
      continue;
    }
    statements.push_back({event, &member});
    Happening happening;
    happening.member = &member;
    happening.event = event;
    happening.place = static_cast<uint32_t>(place);
    happening.subject_key =
        member.original_key().empty() ? entry.subject_key() : member.original_key();
    happening.by_kader = event->recorder().role() == v1::RECORDER_ROLE_KADER;
    const v1::EventTime& time = event->occurred_at();
    happening.precise = time.precision() != v1::TIME_PRECISION_DAY;
    happening.utc_offset_min = time.utc_offset_min();
    happening.local_day = event::LocalDay(time);
    happening.at = happening.precise ? InstantOf(time.time())
                                     : LocalMidnight(happening.local_day, time.utc_offset_min());
    happening.effective = happening.at;
    happenings_.push_back(happening);
  }
  subject_ = Gather(std::move(statements));
  subject_json_ = PatientReference(subject_, directory, patient, mapped_.organization, json);
}

std::optional<std::string> Record::Resolve(Happening& happening) {
  const v1::Event& event = *happening.event;
  const bool must_know = options.naming == Naming::kPlatform;
  happening.location = directory.Location(event.facility(), event.unit());
  if (happening.location.empty()) {
    if (must_know) return "location_unknown";
    Unmapped("visit", "location");
  }
  const auto practitioner = directory.Practitioner(
      event.facility(), event.unit(), event.responsible(), event::FormatDay(happening.local_day));
  if (practitioner.has_value()) {
    happening.practitioner_id = *practitioner;
    json.Restart();
    json.Open();
    json.Text("reference", "Practitioner/" + *practitioner);
    json.Close();
    happening.practitioner = json.text();
  } else if (must_know) {
    return "practitioner_unknown";
  } else if (!event.responsible().nik().empty()) {
    WriteIdentified(json, "Practitioner", "https://fhir.kemkes.go.id/id/nik",
                    event.responsible().nik(), "");
    happening.practitioner = json.text();
    Unmapped("visit", "practitioner");
  } else {
    Unmapped("visit", "practitioner");
  }
  return std::nullopt;
}

const std::string& Record::Begin(std::string_view resource_type, std::string key,
                                 bool only_if_absent) {
  return BeginWith(resource_type, std::move(key), {}, only_if_absent);
}

const std::string& Record::BeginWith(std::string_view resource_type, std::string key,
                                     const std::vector<Coding>& more_identifiers,
                                     bool only_if_absent) {
  Part& part = mapped_.parts.emplace_back();
  part.key = std::move(key);
  part.resource_type = resource_type;
  part.identifier_system = IdentifierSystem(resource_type, mapped_.organization);
  part.only_if_absent = only_if_absent;
  json.Restart();
  json.Open();
  json.Text("resourceType", resource_type);
  const auto write_identifier = [this](std::string_view system, std::string_view value) {
    json.Text("system", system);
    json.Text("value", value);
    json.Close();
  };
  if (resource_type == "QuestionnaireResponse") {  // R4 allows one identifier there, not a list
    json.Open("identifier");
    write_identifier(part.identifier_system, part.key);
  } else if (!part.identifier_system.empty()) {
    json.OpenList("identifier");
    json.Open();
    write_identifier(part.identifier_system, part.key);
    for (const Coding& more : more_identifiers) {
      json.Open();
      write_identifier(more.system, more.code);
    }
    json.CloseList();
  }
  return part.key;
}

void Record::End() {
  json.Close();
  mapped_.parts.back().json = json.text();
}

std::string Record::KeyOf(const Happening& happening, std::string_view part) const {
  return PartKey(happening.member->facility(), happening.member->event_id(), part,
                 happening.subject_key);
}

std::string Record::KeyOf(const Happening& happening, std::string_view kind, const v1::Code& code) {
  const std::string part = fmt::format("{}|{}|{}", kind, code.system(), code.code());
  for (int n = 1;; ++n) {
    const std::string numbered = n == 1 ? part : fmt::format("{}#{}", part, n);
    if (parts_used_.insert(happening.member->event_id() + numbered).second) {
      return KeyOf(happening, numbered);
    }
  }
}

void Record::Unmapped(std::string_view kind, std::string_view what) {
  std::string line(kind);
  // A clinic's own code is repeated to it, but never one that may be a person's number.
  if (!what.empty()) line.append(" ").append(base::LooksLikeNik(what) ? "code" : what);
  std::vector<std::string>& lines = mapped_.unmapped;
  if (std::find(lines.begin(), lines.end(), line) == lines.end()) lines.push_back(std::move(line));
}

void Record::WritePart(std::string_view name, std::string_view key) {
  json.Open(name);
  std::string reference = "urn:uuid:";
  json.Text("reference", reference.append(key));
  json.Close();
}

void Record::WriteOrganization(std::string_view name, std::string_view organization) {
  json.Open(name);
  std::string reference = "Organization/";
  json.Text("reference", reference.append(organization));
  json.Close();
}

void Record::WritePractitionerList(std::string_view name, const Happening& happening) {
  if (happening.practitioner.empty()) return;
  json.OpenList(name);
  json.Raw(happening.practitioner);
  json.CloseList();
}

void Record::WriteCoding(const Coding& coding) {
  json.Open();
  json.Text("system", coding.system);
  json.Text("code", coding.code);
  json.TextIfAny("display", coding.display);
  json.Close();
}

void Record::WriteConcept(std::string_view name, const Coding& coding, std::string_view text) {
  json.Open(name);
  if (!coding.code.empty()) {
    json.OpenList("coding");
    WriteCoding(coding);
    json.CloseList();
  }
  json.TextIfAny("text", text);
  json.Close();
}

void Record::WriteConcept(const Coding& coding) {
  json.Open();
  json.OpenList("coding");
  WriteCoding(coding);
  json.CloseList();
  json.Close();
}

void Record::WriteConceptList(std::string_view name, const Coding& coding, std::string_view text) {
  json.OpenList(name);
  json.Open();
  if (!coding.code.empty()) {
    json.OpenList("coding");
    WriteCoding(coding);
    json.CloseList();
  }
  json.TextIfAny("text", text);
  json.Close();
  json.CloseList();
}

void Record::WriteQuantity(std::string_view name, std::string_view decimal, std::string_view ucum) {
  json.Open(name);
  json.Raw("value", decimal);
  if (!ucum.empty()) {
    std::string_view unit = ucum;
    if (unit.size() > 2 && unit.starts_with('{') && unit.ends_with('}')) {
      unit = unit.substr(1, unit.size() - 2);
    }
    json.Text("unit", unit);
    json.Text("system", kUcum);
    json.Text("code", ucum);
  }
  json.Close();
}

void Record::WriteTime(std::string_view name, Instant instant) {
  json.Text(name, FormatInstant(instant));
}

void Record::WritePeriod(std::string_view name, Instant start, Instant end) {
  json.Open(name);
  WriteTime("start", start);
  WriteTime("end", end);
  json.Close();
}

void Record::BeginObservation(const Happening& happening, std::string key, const Coding& code,
                              std::string_view code_text, const Coding& category,
                              std::string_view encounter_key) {
  Begin("Observation", std::move(key));
  json.Text("status", "final");
  WriteConceptList("category", category);
  WriteConcept("code", code, code_text);
  WriteSubject("subject");
  WritePart("encounter", encounter_key);
  const std::string time = FormatInstant(happening.effective);
  json.Text("effectiveDateTime", time);
  json.Text("issued", time);
  WritePractitionerList("performer", happening);
}

void Record::BeginCondition(std::string key, const Coding& category, const Coding& code,
                            std::string_view code_text, std::string_view verification,
                            Instant recorded, std::string_view encounter_key, bool only_if_absent) {
  Begin("Condition", std::move(key), only_if_absent);
  WriteConcept("clinicalStatus",
               {"http://terminology.hl7.org/CodeSystem/condition-clinical", "active", "Active"});
  if (!verification.empty()) {
    WriteConcept("verificationStatus",
                 {"http://terminology.hl7.org/CodeSystem/condition-ver-status", verification, ""});
  }
  WriteConceptList("category", category);
  WriteConcept("code", code, code_text);
  WriteSubject("subject");
  WritePart("encounter", encounter_key);
  WriteTime("recordedDate", recorded);
}

std::optional<std::chrono::sys_days> BirthDay(const v1::Subject& subject) {
  std::optional<std::chrono::sys_days> born = event::ParseDay(subject.birth_date());
  for (const v1::Identity& identity : subject.identities()) {
    if (!born.has_value() && identity.has_newborn()) {
      born = event::ParseDay(identity.newborn().birth_date());
    }
  }
  return born;
}

std::optional<int> AgeYears(const v1::Subject& subject, std::chrono::sys_days on) {
  const std::optional<std::chrono::sys_days> born = BirthDay(subject);
  if (!born.has_value() || *born > on) return std::nullopt;
  const std::chrono::year_month_day from(*born);
  const std::chrono::year_month_day to(on);
  int years = static_cast<int>(to.year()) - static_cast<int>(from.year());
  if (std::pair(to.month(), to.day()) < std::pair(from.month(), from.day())) --years;
  return years;
}

bool BeforePlatform(const MapOptions& options, Instant instant) {
  return std::string_view(FormatInstant(instant)).substr(0, 10) < options.earliest_day;
}

}  // namespace simpul::fhir
