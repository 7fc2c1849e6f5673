#include "sandbox/fhir_api.h"

#include <fmt/format.h>

#include <optional>

#include "sandbox/json_patch.h"
#include "sandbox/outcome.h"
#include "sandbox/rule_table.h"
#include "sandbox/search.h"
#include "sandbox/structure.h"
#include "sandbox/times.h"
#include "sandbox/transaction.h"

namespace simpul::sandbox {
namespace {

// Where the platform's back end says a resource lies. Nobody outside can follow it; ids are in the
// body.
constexpr std::string_view kInternalStore =
    "https://healthcare.internal.invalid/v1/projects/sandbox/locations/asia-southeast2/datasets/"
    "sandbox/fhirStores/sandbox/fhir";

rpc::HttpResponse NotFound(std::string_view type, std::string_view id) {
  return Refusal(404, {MakeIssue(20007, fmt::format("Resource not found {}/{}", type, id),
                                 std::string(type), "not-found")});
}

rpc::HttpResponse UnreadableJson() {
  return Refusal(400, {MakeIssue(20006, "Invalid JSON Payload Format", "", "structure")});
}

// Nothing when the body is a resource of the type that the path names.
std::optional<rpc::HttpResponse> NotOfType(JsonText& json, std::string_view type) {
  if (json.root() == nullptr) return UnreadableJson();
  if (MemberText(*json.root(), "resourceType") == type) return std::nullopt;
  return Refusal(
      400,
      {MakeIssue(20008, fmt::format("Failed to unmarshal request payload: expected a {}", type),
                 fmt::format("{}.resourceType", type))});
}

rpc::HttpResponse InternalError() {
  rpc::HttpResponse response;
  response.status = 500;
  response.body = R"({"message":"An unexpected internal error has occurred."})";
  return response;
}

rpc::HttpResponse NotAllowed() {
  return Refusal(405, {MakeIssue(0, "The method is not supported here", "", "not-supported")});
}

rpc::HttpResponse FhirJson(int status, std::string body) {
  rpc::HttpResponse response;
  response.status = status;
  response.content_type = "application/fhir+json";
  response.body = std::move(body);
  return response;
}

// What a Patient says of a person.
Person PersonIn(const Json& patient) {
  Person person;
  person.platform_id = MemberText(patient, "id");
  person.birth_date = MemberText(patient, "birthDate");
  person.sex = MemberText(patient, "gender");
  if (const Json* order = Member(patient, "multipleBirthInteger");
      order != nullptr && order->IsInt()) {
    person.birth_order = order->GetInt();
  }
  if (const Json* names = Member(patient, "name");
      names != nullptr && names->IsArray() && !names->Empty()) {
    person.name = MemberText((*names)[0], "text");
  }
  if (const Json* identifiers = Member(patient, "identifier");
      identifiers != nullptr && identifiers->IsArray()) {
    for (const Json& identifier : identifiers->GetArray()) {
      const std::string_view system = MemberText(identifier, "system");
      const std::string_view value = MemberText(identifier, "value");
      if (system == "https://fhir.kemkes.go.id/id/nik") person.nik = value;
      if (system == "https://fhir.kemkes.go.id/id/nik-ibu") person.mother_nik = value;
    }
  }
  return person;
}

// The Patient API answers failures of its business with 200.
rpc::HttpResponse PatientAnswer(bool success, std::string_view message, std::string_view key,
                                std::string_view id) {
  rpc::HttpResponse response;
  response.body = fmt::format(R"({{"success":{},"message":"{}")", success, message);
  if (!id.empty()) response.body += fmt::format(R"(,"data":{{"{}":"{}"}})", key, id);
  response.body += '}';
  return response;
}

}  // namespace

void FhirApi::RecallPatients() {
  constexpr size_t kAtOnce = 1000;
  for (size_t at = 0; at < store_.Count("Patient"); at += kAtOnce) {
    for (Stored& stored : store_.List("Patient", at, kAtOnce)) {
      JsonText json(std::move(stored.body));
      if (json.root() != nullptr) people_.AddPatient(PersonIn(*json.root()));
    }
  }
}

rpc::HttpResponse FhirApi::Handle(const rpc::HttpRequest& request, std::string_view organization,
                                  std::string_view base) {
  std::string_view path = request.path;
  path.remove_prefix(kFhirPath.size());
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  if (path.empty()) {
    return request.method == "POST" ? Transaction(request, organization) : NotAllowed();
  }
  const size_t slash = path.find('/');
  const std::string_view type = path.substr(0, slash);
  const std::string_view id =
      slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
  if (const size_t more = id.find('/'); more != std::string_view::npos) {
    if (id.substr(more + 1) == "$everything") {
      return Refusal(400, {MakeIssue(20014,
                                     fmt::format("Everything search is not supported for "
                                                 "resource {}",
                                                 type),
                                     std::string(type), "not-supported")});
    }
    return NotFound(type, id);
  }
  if (type != "Practitioner" && !IsKnownType(type)) {
    return Refusal(404, {MakeIssue(20004,
                                   fmt::format("Resource {} is not allowed for current access "
                                               "class",
                                               type),
                                   "", "not-supported")});
  }
  if (request.method == "GET") {
    if (!id.empty()) return Read(type, id);
    if (type == "Patient") return SearchPatients(people_, request.query, base);
    if (type == "Practitioner") return SearchPractitioners(people_, request.query, base);
    return Search(store_, type, request.query, base);
  }
  if (type == "Practitioner") {
    return Refusal(403, {MakeIssue(20003,
                                   "Failed to get permission for client for resource type "
                                   "Practitioner",
                                   "", "forbidden")});
  }
  if (type == "Patient" && !id.empty()) {
    return Refusal(403,
                   {MakeIssue(20016, "Organization not allowed to edit Patient", "", "forbidden")});
  }
  if (request.method == "POST" && id.empty()) {
    return type == "Patient" ? CreatePatient(request, organization)
                             : Create(request, type, organization);
  }
  if (request.method == "PUT" && !id.empty()) return Update(request, type, id, organization);
  if (request.method == "PATCH" && !id.empty()) return Patch(request, type, id, organization);
  return NotAllowed();
}

rpc::HttpResponse FhirApi::Transaction(const rpc::HttpRequest& request,
                                       std::string_view organization) {
  JsonText json(request.body);
  if (json.root() == nullptr) return UnreadableJson();
  std::vector<Issue> issues;
  std::vector<Change> changes = ReadTransaction(*json.root(), issues);
  if (!issues.empty()) return Refusal(400, issues);
  const Outcome outcome = registry_.Apply(changes, organization, json.pool());
  if (outcome.status == 500) return InternalError();
  if (outcome.status != 200) return Refusal(outcome.status, outcome.issues);
  return FhirJson(200, TransactionResponse(outcome.applied, kInternalStore));
}

rpc::HttpResponse FhirApi::One(std::vector<Change>& changes, std::string_view organization,
                               JsonPool& pool) {
  Outcome outcome = registry_.Apply(changes, organization, pool);
  if (outcome.status == 500) return InternalError();
  if (outcome.status != 200) {
    const bool missing = !changes[0].create && outcome.issues.size() == 1 &&
                         outcome.issues[0].text.starts_with("Resource not found " +
                                                            changes[0].type + "/" + changes[0].id);
    return Refusal(missing ? 404 : outcome.status, outcome.issues);
  }
  Applied& applied = outcome.applied[0];
  rpc::HttpResponse response = FhirJson(applied.created ? 201 : 200, std::move(applied.body));
  response.headers["ETag"] = fmt::format("W/\"{}\"", applied.version_id);
  response.headers["Location"] = fmt::format("{}/{}/{}/_history/{}", kInternalStore, applied.type,
                                             applied.id, applied.version_id);
  return response;
}

rpc::HttpResponse FhirApi::Create(const rpc::HttpRequest& request, std::string_view type,
                                  std::string_view organization) {
  JsonText json(request.body);
  if (auto refusal = NotOfType(json, type)) return *std::move(refusal);
  std::vector<Change> changes(1);
  changes[0].type = type;
  changes[0].resource = json.root();
  return One(changes, organization, json.pool());
}

rpc::HttpResponse FhirApi::Update(const rpc::HttpRequest& request, std::string_view type,
                                  std::string_view id, std::string_view organization) {
  JsonText json(request.body);
  if (auto refusal = NotOfType(json, type)) return *std::move(refusal);
  if (MemberText(*json.root(), "id") != id) {
    return Refusal(400, {MakeIssue(0, fmt::format("{}.id must be the id of the request", type),
                                   fmt::format("{}.id", type))});
  }
  std::vector<Change> changes(1);
  changes[0].create = false;
  changes[0].type = type;
  changes[0].id = id;
  changes[0].resource = json.root();
  return One(changes, organization, json.pool());
}

rpc::HttpResponse FhirApi::Patch(const rpc::HttpRequest& request, std::string_view type,
                                 std::string_view id, std::string_view organization) {
  const auto content_type = request.headers.find("content-type");
  if (content_type == request.headers.end() ||
      !content_type->second.starts_with("application/json-patch+json")) {
    return Refusal(415,
                   {MakeIssue(0, "PATCH takes application/json-patch+json", "", "not-supported")});
  }
  JsonText operations(request.body);
  if (operations.root() == nullptr) return UnreadableJson();
  std::optional<Stored> stored = store_.Get(type, id);
  if (!stored.has_value()) return NotFound(type, id);
  JsonText json(std::move(stored->body));
  if (json.root() == nullptr) return InternalError();
  const std::string wrong = ApplyJsonPatch(*operations.root(), *json.root(), json.pool());
  if (!wrong.empty()) {
    return Refusal(400, {MakeIssue(20005, "Failed to read request payload: " + wrong, "")});
  }
  if (MemberText(*json.root(), "id") != id || MemberText(*json.root(), "resourceType") != type) {
    return Refusal(400, {MakeIssue(0, "id and resourceType cannot be patched", "")});
  }
  std::vector<Change> changes(1);
  changes[0].create = false;
  changes[0].type = type;
  changes[0].id = id;
  changes[0].resource = json.root();
  return One(changes, organization, json.pool());
}

rpc::HttpResponse FhirApi::CreatePatient(const rpc::HttpRequest& request,
                                         std::string_view organization) {
  JsonText json(request.body);
  if (auto refusal = NotOfType(json, "Patient")) return *std::move(refusal);
  Person person = PersonIn(*json.root());
  const bool newborn = person.nik.empty() && !person.mother_nik.empty();
  if (newborn && !IsFemaleNik(person.mother_nik)) {
    return Refusal(400, {MakeIssue(0, "Patient with nik-ibu is not female", "Patient.identifier",
                                   "exception")});
  }
  // The rules come before the civil registry: whoever is told "exists" sent something whole.
  std::vector<Change> changes(1);
  Change& change = changes[0];
  change.type = "Patient";
  change.resource = json.root();
  if (!person.birth_date.empty() && !ParseDate(person.birth_date).has_value()) {
    change.issues.push_back(MakeIssue(10397,
                                      "Invalid date time format: Patient.birthDate must be "
                                      "YYYY-MM-DD",
                                      "Patient.birthDate"));
  }
  if (person.nik.empty() && person.mother_nik.empty()) {
    change.issues.push_back(
        MakeIssue(10166, "Element not found: Patient.identifier", "Patient.identifier"));
  }
  const std::vector<Issue> broken = registry_.Check(*json.root(), "Patient", organization);
  change.issues.insert(change.issues.end(), broken.begin(), broken.end());
  if (!change.issues.empty()) return Refusal(400, change.issues);

  PersonQuery same{.nik = person.nik};
  if (newborn) {
    same = {.mother_nik = person.mother_nik,
            .name = person.name,
            .birth_date = person.birth_date,
            .sex = person.sex};
  }
  const bool invented = people_.everybody_is_known() && newborn;
  for (const Person& present : people_.FindPatients(same)) {
    const bool twin = newborn && present.birth_order > 0 && person.birth_order > 0 &&
                      present.birth_order != person.birth_order;
    if (twin || (invented && !people_.IsRegistered(present.platform_id))) continue;
    return PatientAnswer(false, "Patient Resource Exists", "resourceID", present.platform_id);
  }
  if (!newborn) return PatientAnswer(false, "Citizen Not Exists", "", "");

  person.platform_id = People::DerivePatientId(person);
  change.id = person.platform_id;
  change.keep_id = true;
  const Outcome outcome = registry_.Apply(changes, organization, json.pool());
  if (outcome.status == 409) {
    return PatientAnswer(false, "Patient Resource Exists", "resourceID", person.platform_id);
  }
  if (outcome.status == 500) return InternalError();
  if (outcome.status != 200) return Refusal(outcome.status, outcome.issues);
  people_.AddPatient(person);
  return PatientAnswer(true, "New Patient has been created successfully",
                       "Patient ID:", person.platform_id);
}

rpc::HttpResponse FhirApi::Read(std::string_view type, std::string_view id) {
  if (type == "Patient") {
    const std::optional<Person> person = people_.Patient(id);
    return person.has_value() ? FhirJson(200, PatientJson(*person, false)) : NotFound(type, id);
  }
  if (type == "Practitioner") {
    const std::optional<Person> person = people_.Practitioner(id);
    return person.has_value() ? FhirJson(200, PractitionerJson(*person)) : NotFound(type, id);
  }
  if (std::optional<Stored> stored = store_.Get(type, id); stored.has_value()) {
    return FhirJson(200, std::move(stored->body));
  }
  // Organisations and places are the platform's own master data: any id is one.
  if (type == "Organization" || type == "Location") {
    std::string body = fmt::format(R"({{"resourceType":"{}","id":)", type);
    AppendQuoted(id, body);
    body += type == "Organization" ? R"(,"active":true,"name":"Sandbox organization"})"
                                   : R"(,"status":"active","name":"Sandbox location"})";
    return FhirJson(200, std::move(body));
  }
  return NotFound(type, id);
}

}  // namespace simpul::sandbox
