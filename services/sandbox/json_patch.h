// JSON Patch (RFC 6902) on a resource. Pure.
#pragma once

#include <string>

#include "sandbox/json.h"

namespace simpul::sandbox {

// Applies the operations in order: add, replace, remove, test, copy, move. Returns why it cannot be
// done, naming the operation; empty when it was. On failure `target` may be half changed.
std::string ApplyJsonPatch(const Json& operations, Json& target, JsonPool& pool);

}  // namespace simpul::sandbox
