// Entries to FHIR R4 resources, as the national platform takes them. Pure: no I/O, no clock.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lib/fhir/directory.h"
#include "simpul/event/v1/identity.pb.h"
#include "simpul/timeline/v1/entry.pb.h"

namespace simpul::fhir {

// One resource of a delivery record.
struct Part {
  // Stable key within the install, a lower-case UUID: version 5 of (facility, visit or event id,
  // part, original key); docs/formats.md, "Platform identifiers". Also the value of the resource's
  // identifier, and its fullUrl is urn:uuid:<key>.
  std::string key;
  // Encounter, Condition, Observation, ...
  std::string resource_type;
  // The system of its identifier; empty for Immunization, which has none and is found by its
  // patient.
  std::string identifier_system;
  // The resource as JSON without id. References between parts are urn:uuid:<key>.
  std::string json;
  // True for an Encounter that a referral or episode needs but another record (the visit's) owns:
  // sent only where the platform's id is not known yet.
  bool only_if_absent = false;
};

// A record to be sent.
struct Mapped {
  std::string organization;  // platform organisation whose credential sends it
  std::vector<Part> parts;   // Encounter first
  std::vector<std::string>
      unmapped;  // what has no code at the platform: "kind code-or-field", without values
};

// A record that is never sent, with a stable reason: training, proposal, patient_registered,
// patient_linked, ...
struct NotSent {
  std::string reason;
};

// A record that cannot be mapped until the directory knows more. Reason: facility_unknown,
// practitioner_unknown, location_unknown.
struct NeedsDirectory {
  std::string reason;
};

using MapResult = std::variant<Mapped, NotSent, NeedsDirectory>;

// How the patient is named in the resources.
struct PatientName {
  std::string platform_id;  // known: Patient/<id>
  // Else by identifier: NIK, nik-ibu or the facility's own number.
};

// The record of one entry. A withdrawn entry, and members taken back, yield no parts: what fell
// away is found by comparing with the parts known before (Withdrawal). Any thread.
MapResult Map(const timeline::v1::Entry& entry, const Directory& directory,
              const PatientName& patient);

// A part sent before: its resource type and the platform's id.
struct KnownPart {
  std::string resource_type;
  std::string platform_id;
  std::string json;  // as last sent, without id; what entered-in-error is made of
};

// The transaction Bundle for the platform: POST for parts without a known id, PUT with id for the
// others (skipped where only_if_absent), PUT as entered-in-error for what fell away. Order:
// Encounter first, then as mapped.
std::string TransactionBundle(const Mapped& mapped, const std::map<std::string, KnownPart>& known);

// The Bundle a puller gets: type collection, parts with fullUrl urn:uuid:<key>, practitioner,
// facility and patient by identifier.
std::string CollectionBundle(const Mapped& mapped);

// A resource as entered-in-error, for a part that fell away: `json` as last sent. Encounter,
// Condition (verificationStatus), Observation, Immunization, Procedure, ServiceRequest, ... each by
// its own rule.
std::string EnteredInError(std::string_view resource_type, std::string_view json);

// The platform's lower bound: an entry whose first event lies before it is kept and not sent
// (reason before_platform).
inline constexpr std::string_view kEarliestDay = "2014-06-03";

// Who the patient is, gathered from what the entry's events say, latest recorded first.
event::v1::Subject SubjectOf(const timeline::v1::Entry& entry);

// The identifier system of a kind of part for an organisation, such as
// http://sys-ids.kemkes.go.id/observation/100027469.
std::string IdentifierSystem(std::string_view resource_type, std::string_view organization);

}  // namespace simpul::fhir
