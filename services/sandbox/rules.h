// The platform's rules for one resource: the dictionary's table and what depends on several
// elements. Pure. References to other resources are checked for their type only; whether they exist
// is the registry's question.
#pragma once

#include <string_view>
#include <vector>

#include "sandbox/json.h"
#include "sandbox/outcome.h"

namespace simpul::sandbox {

// Every rule the resource breaks, in the table's order. `organization` is the caller's: identifiers
// must be in its name. References are "Type/id".
std::vector<Issue> CheckRules(const Json& resource, std::string_view type,
                              std::string_view organization);

}  // namespace simpul::sandbox
