// Which unit and concept codes can be codes at all. The platform refuses a whole bundle for one
// unit it cannot read, so such a value is left out and counted instead.
#pragma once

#include <string_view>

namespace simpul::fhir {

// True for a unit of UCUM (https://ucum.org, case-sensitive) made of the atoms used in primary
// care: g/dL, mm[Hg], /min, 10*3/uL, [IU]/mL, {tablet}.
bool IsUcumUnit(std::string_view unit);

}  // namespace simpul::fhir
