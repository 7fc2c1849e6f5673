// What a search at the platform found, and whether it is ours. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace simpul::deliver {

// A resource of a searchset.
struct FoundResource {
  std::string resource_type;
  std::string id;
  std::string patient_id;  // of subject or patient; empty when it says none
  std::string json;
};

// The resources of a searchset that are of the type. OperationOutcomes among them are left out.
std::vector<FoundResource> ReadFound(std::string_view body, std::string_view resource_type);

// False when the searchset's own link says that `parameter` was not applied: unknown parameters are
// dropped silently, and the answer then holds other people's resources. `if_unsaid` when it has no
// such link.
bool WasApplied(std::string_view body, std::string_view parameter, bool if_unsaid = true);

// True when the searchset says there is another page.
bool HasNextPage(std::string_view body);

// True when an Immunization of the platform is the one we sent: same vaccine (a coding in common),
// same instant, and the same Encounter where both name one. `encounter_id` is the platform's id of
// our Encounter, empty where there is none.
bool SameImmunization(std::string_view ours, std::string_view theirs,
                      std::string_view encounter_id);

// The entries of a transaction Bundle, in order.
struct BundleEntry {
  std::string key;     // the UUID of its fullUrl
  std::string method;  // POST or PUT
  std::string resource_type;
  std::string id;  // of a PUT's url
};
std::vector<BundleEntry> EntriesOf(std::string_view bundle);

}  // namespace simpul::deliver
