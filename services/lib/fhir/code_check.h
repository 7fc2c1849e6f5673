// Which codes can be codes at all, by their form and check digit. The platform refuses a whole
// bundle for one code it cannot find, so what cannot be right is left out and listed instead.
#pragma once

#include <string_view>

#include "simpul/event/v1/code.pb.h"

namespace simpul::fhir {

// True for a unit of UCUM (https://ucum.org, case-sensitive) made of the atoms used in primary
// care: g/dL, mm[Hg], /min, 10*3/uL, [IU]/mL, {tablet}.
bool IsUcumUnit(std::string_view unit);

// True for a LOINC number, 29463-7, or an answer code, LA11882-0, with its check digit.
bool IsLoincCode(std::string_view code);

// True for a SNOMED CT concept id with its check digit: 284521000.
bool IsSnomedConcept(std::string_view code);

// True for an ICD-10 category with or without its dotted digits: A15, A15.0, S52.50.
bool IsIcd10Code(std::string_view code);

// True where the platform takes the code's system for what was observed or complained of, and the
// code can be one of that system.
bool IsObservationCode(const event::v1::Code& code);

// The same for what was found: ICD-10 too.
bool IsFindingCode(const event::v1::Code& code);

}  // namespace simpul::fhir
