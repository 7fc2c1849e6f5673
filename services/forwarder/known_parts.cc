#include "forwarder/known_parts.h"

#include <set>
#include <variant>

#include "lib/base/status_macros.h"
#include "lib/base/uuid.h"

namespace simpul::forwarder {

absl::StatusOr<std::map<std::string, fhir::KnownPart>> KnownParts(
    const deliver::Ledger& ledger, std::string_view entry_id, const deliver::PartsRow& parts,
    const fhir::Mapped& mapped, const fhir::Directory& directory, const fhir::PatientName& patient,
    const fhir::MapOptions& map_options) {
  std::map<std::string, fhir::KnownPart> known;
  std::map<std::string, const deliver::PartRow*> own;  // by key as text
  for (const deliver::PartRow& part : parts.parts) own.emplace(base::UuidText(part.key), &part);
  std::set<std::string> mapped_keys;
  for (const fhir::Part& part : mapped.parts) {
    mapped_keys.insert(part.key);
    if (const auto it = own.find(part.key); it != own.end()) {
      known[part.key] = {part.resource_type, it->second->id, part.json};
    } else if (part.resource_type == "Encounter" || part.resource_type == "Condition") {
      SIMPUL_ASSIGN_OR_RETURN(const std::string id, ledger.SharedId(base::UuidBytes(part.key)));
      if (!id.empty()) known[part.key] = {part.resource_type, id, part.json};
    }
  }

  // What fell away is told to be entered in error, as it was last sent.
  std::set<uint32_t> revisions;
  for (const auto& [key, part] : own) {
    if (!part->withdrawn && !mapped_keys.contains(key)) revisions.insert(part->revision);
  }
  for (const uint32_t revision : revisions) {
    SIMPUL_ASSIGN_OR_RETURN(const timeline::v1::Entry old, ledger.EntryAt(entry_id, revision));
    const fhir::MapResult result = fhir::Map(old, directory, patient, map_options);
    const auto* before = std::get_if<fhir::Mapped>(&result);
    if (before == nullptr) {
      return absl::FailedPreconditionError("what was sent before cannot be mapped again");
    }
    for (const fhir::Part& part : before->parts) {
      if (mapped_keys.contains(part.key)) continue;
      const auto it = own.find(part.key);
      if (part.only_if_absent) {
        // A visit's Encounter is the visit's, whoever sent it first: referred to and left alone.
        std::string id;
        if (it != own.end()) {
          id = it->second->id;
        } else {
          SIMPUL_ASSIGN_OR_RETURN(id, ledger.SharedId(base::UuidBytes(part.key)));
        }
        if (!id.empty()) known[part.key] = {part.resource_type, id, ""};
        continue;
      }
      if (it == own.end() || it->second->withdrawn || it->second->revision != revision) continue;
      known[part.key] = {part.resource_type, it->second->id, part.json};
    }
  }
  return known;
}

}  // namespace simpul::forwarder
