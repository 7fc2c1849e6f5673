// A transaction Bundle: read into changes, and its answer written. The registry does the rest.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sandbox/json.h"
#include "sandbox/registry.h"

namespace simpul::sandbox {

// Entries a Bundle may have. (The platform documents no limit; its largest recorded one has 73.)
inline constexpr size_t kEntriesMax = 500;

// The changes of a Bundle, in its order, each with the issues of its own entry (fullUrl, request,
// resource type). `issues` gets what is wrong with the Bundle itself; then there are no changes.
std::vector<Change> ReadTransaction(Json& bundle, std::vector<Issue>& issues);

// {"resourceType":"Bundle","type":"transaction-response",...}; `location_base` begins each entry's
// location.
std::string TransactionResponse(const std::vector<Applied>& applied,
                                std::string_view location_base);

}  // namespace simpul::sandbox
