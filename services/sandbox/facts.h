// What the store and the searches need to know of a resource. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sandbox/json.h"

namespace simpul::sandbox {

struct Facts {
  std::vector<std::string> identifiers;  // system|value, none twice; the platform's own left out
  std::string patient;                   // the id of Patient/<id>; empty: about nobody
  // For an Immunization, which has no identifier system: patient, vaccine codes, time and dose.
  // Empty for other types.
  std::string natural_key;
};

// References must be "Type/id".
Facts ReadFacts(const Json& resource, std::string_view type);

// False for an identifier whose system is a code list, such as the number of a visit in pregnancy:
// many resources of one patient carry it, so it makes none a duplicate of another.
bool NamesOneResource(std::string_view identifier);

// The id of a reference to that type; empty when it is none.
std::string_view IdIn(std::string_view reference, std::string_view type);

}  // namespace simpul::sandbox
