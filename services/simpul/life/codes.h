// Codes, amounts and ages as clinics write them.
#pragma once

#include <string>
#include <string_view>

#include "simpul/event/v1/event.pb.h"
#include "simpul/village.h"

namespace simpul::cli::life {

namespace v1 = event::v1;

inline constexpr std::string_view kLoinc = "http://loinc.org";
inline constexpr std::string_view kSnomed = "http://snomed.info/sct";
inline constexpr std::string_view kIcd10 = "http://hl7.org/fhir/sid/icd-10";

inline v1::Code CodeOf(std::string_view system, std::string_view code, std::string_view display) {
  v1::Code one;
  one.set_system(std::string(system));
  one.set_code(std::string(code));
  one.set_display(std::string(display));
  return one;
}

inline v1::Quantity QuantityOf(std::string value, const char* unit) {
  v1::Quantity quantity;
  quantity.set_value(std::move(value));
  quantity.set_unit(unit);
  return quantity;
}

inline int AgeDays(const Person& person, Day day) {
  return static_cast<int>((day - person.born).count());
}
inline int AgeYears(const Person& person, Day day) { return AgeDays(person, day) * 4 / 1461; }

// Months that were completed.
inline int CompletedMonths(Day from, Day to) {
  const std::chrono::year_month_day a{from}, b{to};
  const int months =
      (int(b.year()) - int(a.year())) * 12 + int(unsigned(b.month())) - int(unsigned(a.month()));
  return months - (unsigned(b.day()) < unsigned(a.day()) ? 1 : 0);
}

}  // namespace simpul::cli::life
