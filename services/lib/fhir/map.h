// Entries to FHIR R4 resources, as the national platform takes them. Pure: no I/O, no clock.
//
// What becomes what, with codes, and what is not sent and why: docs/fhir-mapping.md.
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
  // Stable key within the install, a lower-case UUID: PartKey. Also the value of the resource's
  // identifier, and its fullUrl is urn:uuid:<key>.
  std::string key;
  // Encounter, Condition, Observation, ...
  std::string resource_type;
  // The system of its identifier; empty for Immunization, which has none and is found by its
  // patient.
  std::string identifier_system;
  // The resource as JSON without id; begins with {"resourceType":"<resource_type>". References
  // between parts are urn:uuid:<key>.
  std::string json;
  // True for an Encounter (and the reason of contact it must carry) that a referral or pregnancy
  // needs but another record (the visit's) owns: all of them are sent where the platform's id of
  // the Encounter is not known yet, and none where it is.
  bool only_if_absent = false;
};

// A record to be sent.
struct Mapped {
  std::string organization;  // platform organisation whose credential sends it
  std::vector<Part> parts;   // Encounter first
  // What has no code at the platform or lacks something it requires, without values: "kind
  // code-or-field", such as "observation X99", "immunisation lot". Each once, in a fixed order.
  std::vector<std::string> unmapped;
};

// A record that is never sent, with a stable reason: training, proposed, before_platform,
// home_visit_planned, home_visit_refused, home_visit_not_met, referral_without_origin (until the
// origin's own event is here), referral_without_target,
// patient_registered, patient_linked, patient_unlinked, patient_status, consent, restriction,
// unreadable. Parts of it that were sent earlier fall away: send a Mapped without parts.
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
  // Else by identifier: NIK, nik-ibu, passport, card or the facility's own number.
};

// The platform's lower bound: an entry whose first event lies before it is kept and not sent
// (reason before_platform). Days are UTC's, as the platform sees them.
inline constexpr std::string_view kEarliestDay = "2014-06-03";

// For whom the record is.
enum class Naming {
  kPlatform,     // to be sent: practitioner and location must be known to the directory
  kIdentifiers,  // to be pulled: a practitioner the directory does not know is named by NIK or left
                 // out, a location left out; both are listed in `unmapped`
};

struct MapOptions {
  Naming naming = Naming::kPlatform;
  std::string_view earliest_day = kEarliestDay;  // YYYY-MM-DD; empty: no bound
};

// The record of one entry. A withdrawn entry, and members taken back, yield no parts: what fell
// away is found by comparing with the parts known before. Depends on its arguments only: the same
// entry and directory give the same bytes. Any thread.
MapResult Map(const timeline::v1::Entry& entry, const Directory& directory,
              const PatientName& patient, const MapOptions& options = {});

// A part sent before: its resource type and the platform's id.
struct KnownPart {
  std::string resource_type;
  std::string platform_id;
  // As last sent, without id; what entered-in-error is made of. Empty: known only to be referred
  // to, such as the Encounter that a withdrawn referral hung on; left alone.
  std::string json;
};

// One entry of a transaction Bundle, in its order: answers come in the same order.
struct Sending {
  std::string key;            // the part's
  std::string resource_type;  // as the part
  bool posted = false;        // POST (the answer names its id), else PUT
  bool entered_in_error = false;
};

// A transaction Bundle and what it holds.
struct Transaction {
  std::string json;
  std::vector<Sending> sendings;
};

// The transaction Bundle for the platform: POST for parts without a known id, PUT with id for the
// others (skipped where only_if_absent), PUT as entered-in-error for what is known but not mapped
// any more, unless it already is. Order: Encounter first, then as mapped, then what fell away by
// key. References to known parts are written as Type/id, to others as urn:uuid:<key>.
Transaction MakeTransaction(const Mapped& mapped, const std::map<std::string, KnownPart>& known);

// The JSON of MakeTransaction.
std::string TransactionBundle(const Mapped& mapped, const std::map<std::string, KnownPart>& known);

// The Bundle a puller gets: type collection, parts with fullUrl urn:uuid:<key>; practitioner,
// facility and patient by identifier, places by the platform's id.
std::string CollectionBundle(const Mapped& mapped);

// A resource as entered-in-error, for a part that fell away: `json` as last sent. Condition by its
// verificationStatus (and without clinicalStatus, as R4 demands), all others by their status.
std::string EnteredInError(std::string_view resource_type, std::string_view json);

// Who the patient is, gathered from what the entry's events say: each field as the latest recorded
// event has it, identities of all. Events taken back count last.
event::v1::Subject SubjectOf(const timeline::v1::Entry& entry);

// The identifier system of a kind of part for an organisation, such as
// http://sys-ids.kemkes.go.id/observation/100027469. Empty for a type that has none.
std::string IdentifierSystem(std::string_view resource_type, std::string_view organization);

// Namespace of part keys. Frozen.
inline constexpr std::string_view kPartNamespace = "d72d6ae5-9a73-4253-978f-fc1b2129f33f";

// The key of a part: UUID version 5 in kPartNamespace of facility system, facility code, id, part
// and the subject key's hexadecimal, each as four bytes of length (most significant first) and its
// text. `id` is the visit id for parts of the whole visit, the event id as first sent for parts of
// one event, the referral's number, or the pregnancy id. `subject_key` is the 16 bytes the event
// was first filed under.
std::string PartKey(const event::v1::Facility& facility, std::string_view id, std::string_view part,
                    std::string_view subject_key);

}  // namespace simpul::fhir
