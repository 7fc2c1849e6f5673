// Exact decimals: no measured value ever passes through floating point.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace simpul::fhir {

// value / 10^places without trailing zeros: (7450, 3) is 7.45, (375, 1) is 37.5, (7000, 3) is 7.
std::string ScaledDecimal(uint64_t value, int places);

// Decimal text of the contract (optional sign, digits, optional point) as a JSON number with the
// same value and precision: "+07.50" is 7.50, ".5" is 0.5. nullopt when it is no such text.
std::optional<std::string> JsonDecimal(std::string_view text);

}  // namespace simpul::fhir
