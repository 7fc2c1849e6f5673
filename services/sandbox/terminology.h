// What can be known of a code without the code system itself: its form and its check digit. Pure.
#pragma once

#include <string_view>

namespace simpul::sandbox {

// LOINC: digits, hyphen, check digit (Luhn), up to 7 digits before it. Answers (LA...), parts
// (LP...) and lists (LL...) have their letters in the check digit. Source: LOINC Users' Guide,
// "Calculating Mod 10 Check Digits", and OpenMRS, "Check Digit Algorithm", which it names for
// these.
bool IsLoincCode(std::string_view code);

// SNOMED CT: 6 to 18 digits, the last one the Verhoeff check digit, the two before it a concept
// partition (00 or 10). Source: SNOMED CT Release File Specification, SCTID.
bool IsSnomedConcept(std::string_view code);

// ICD-10: a letter, two digits, and up to two more after a dot.
bool IsIcd10Code(std::string_view code);

// UCUM in its case-sensitive form: terms joined by '.' and '/', each a number, an annotation, or a
// known unit with a metric prefix where it takes one, and an exponent. Source: The Unified Code for
// Units of Measure, chapter 2; the units are those that clinics use.
bool IsUcumUnit(std::string_view unit);

// True when the code may exist in the system. Systems that are not known here accept every code
// without blanks.
bool MayBeCode(std::string_view system, std::string_view code);

}  // namespace simpul::sandbox
