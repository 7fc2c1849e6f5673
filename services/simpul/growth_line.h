// A measured person as one line of JSON, and the answer of `simpul growth` to it.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "lib/rules/growth.h"

namespace simpul::cli {

struct MeasuredPerson {
  std::string id;  // the caller's own name for the line
  rules::Measurement measurement;
};

// What is wrong with a line. Never says the value that stands there.
struct LineRefused {
  std::string field;  // empty: the line as a whole
  std::string message;
  std::string fix;
};

// Longest line that is read, in bytes.
inline constexpr size_t kGrowthLineBytesMax = 64 << 10;

// The person of one line, or the first thing that is wrong with it. docs/growth.md lists the
// fields. A measure that nobody can have is no error here: its indices are not derived. Pure.
std::variant<MeasuredPerson, LineRefused> ParseGrowthLine(std::string_view line);

// The answer for a program, one line.
std::string GrowthJson(const MeasuredPerson& person, const rules::Growth& growth);

// -57 is -0.57.
std::string HundredthsText(int64_t hundredths);

}  // namespace simpul::cli
