// The platform's validation dictionary as a table: which element must be there, which codes,
// systems, references and identifiers it takes. Source: Kamus Validasi (v1.0 2024-03-14 to v2.0
// 2025-12-10); number 0 stands for what the platform refuses without a number, and for what FHIR R4
// itself requires.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace simpul::sandbox {

enum class RuleKind {
  kRequired,    // the element is there; a last segment "value[x]" is any of its types
  kCodes,       // a code: arguments are its system, then the codes it takes
  kSystems,     // a Coding or CodeableConcept: arguments are short names of the systems it takes
  kReference,   // arguments are the types it may refer to
  kIdentifier,  // arguments are names of http://sys-ids.kemkes.go.id/<name>/<organization>, or
                // whole URLs
  kDateTime,    // the number under which a malformed time is refused
  kNumber,      // the number under which text in place of a number is refused
};

struct Rule {
  uint16_t number;
  RuleKind kind;
  std::string_view path;  // Encounter.location.location: every one of an array's elements
  std::string_view arguments = {};
};

// Every rule, in the order in which its issues are listed.
std::span<const Rule> RuleTable();

// The number of the rule of that kind for a path without indexes; `otherwise` when there is none.
int RuleNumberOf(std::string_view path, RuleKind kind, int otherwise);

// A code system by the short name it has in the table; empty when there is none. A name ending in
// '*' stands for everything that begins so.
std::string_view SystemUrl(std::string_view short_name);

// Types the platform takes from facilities.
bool IsKnownType(std::string_view type);
// Types whose records are found by "patient" alone, for they have no "subject".
bool HasPatientElement(std::string_view type);

}  // namespace simpul::sandbox
