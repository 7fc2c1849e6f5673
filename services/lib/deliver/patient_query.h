// Which questions to ask the platform to find out what it calls a patient. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "simpul/event/v1/identity.pb.h"

namespace simpul::deliver {

// One question. Which of the fields are set follows from the way.
struct PatientQuery {
  enum class Way {
    kNik,     // nik
    kMother,  // nik (the mother's), birth_date, birth_order
    // The same and name: of twins the one of that name. Only where kMother does not tell.
    kMotherAndName,
    kPerson,  // name, birth_date, sex
  };
  Way way = Way::kNik;
  std::string nik;
  std::string birth_date;  // YYYY-MM-DD
  uint32_t birth_order = 0;
  std::string name;
  event::v1::Sex sex = event::v1::SEX_UNSPECIFIED;
};

// The questions for a person, in the order in which they are asked until one is answered: by NIK,
// then by mother, and by her and the child's name. Name, birth date and sex are asked only of a
// person who has neither: they do not tell two people of one name apart. Empty when too little is
// known to ask.
std::vector<PatientQuery> QueriesFor(const event::v1::Subject& subject);

// A patient as the platform answered.
struct PatientRow {
  std::string id;
  std::string birth_date;    // may be empty
  uint32_t birth_order = 0;  // multipleBirthInteger; 0: not said
};

// Which of the platform's patients is meant.
struct PatientChoice {
  enum class Kind { kFound, kUnknown, kAmbiguous } kind = Kind::kUnknown;
  std::string id;  // kFound
};

// By NIK and by person there must be one. Of a mother's children the one with the birth date, and
// of twins the one whose order the platform tells: where it does not, it is ambiguous, never
// guessed. Who was born second is not taken to be the only child that is there: that may be the
// first.
PatientChoice Choose(const PatientQuery& query, const std::vector<PatientRow>& rows);

// What to do after the nth of QueriesFor was answered so.
struct PatientStep {
  std::optional<size_t> next;  // the question to ask
  std::string_view reason;     // where there is none: why nobody was found; kFound: empty
};
PatientStep NextStepOf(const std::vector<PatientQuery>& queries, size_t nth,
                       PatientChoice::Kind kind);

// A patient's rows of a searchset; entries that are no Patient are left out.
std::vector<PatientRow> ReadPatients(std::string_view body);

}  // namespace simpul::deliver
