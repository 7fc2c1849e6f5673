// The form of a resource, whatever its type: nothing empty, JSON types as FHIR has them, times in
// UTC, periods that do not run backwards. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/json.h"
#include "sandbox/outcome.h"

namespace simpul::sandbox {

// What one walk over a resource finds.
struct Structure {
  std::vector<Issue> issues;
  std::vector<Json*> references;  // the values of its "reference" members, to read and to rewrite
};

// `now_seconds`: times after it are in the future. Issues beyond 50 are not listed.
Structure Examine(Json& resource, std::string_view type, int64_t now_seconds);

}  // namespace simpul::sandbox
