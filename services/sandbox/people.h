// Who the platform knows: patients and practitioners, found as its look-ups find them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"

namespace simpul::sandbox {

// A person as the platform's index knows them. Empty: not known.
struct Person {
  std::string platform_id;  // P and 11 digits; practitioners: 11 digits
  std::string nik;
  std::string mother_nik;
  std::string name;
  std::string birth_date;  // YYYY-MM-DD
  std::string sex;         // male or female
  int birth_order = 0;     // among the children of one birth; 0: single or not said
};

// What is asked for. Empty fields are not asked.
struct PersonQuery {
  std::string nik, mother_nik, ihs_number, name, birth_date, sex;
};

// 16 digits, a birth date that is a day (day + 40 for women), a serial that is not 0000.
bool IsWellFormedNik(std::string_view nik);
// True when the NIK's day is above 40.
bool IsFemaleNik(std::string_view nik);

// Patients. Without a population every well-formed NIK is somebody, every mother's NIK with a birth
// date has one child, and one of each name asked for besides, and every name with birth date and
// sex is one person; ids are derived from what was asked, so that the same question always finds
// the same person. Any thread.
class People {
 public:
  // `population` empty: everybody is known. Otherwise a file: a JSON array of people, an object
  // with "people" and "practitioners", or one person a line:
  //   {"nik","mother_nik","birth_order","name","birth_date","sex","platform_id"}; each may be
  //   absent, but nik, mother_nik with birth_date, or name with birth_date and sex must be there,
  //   and platform_id is derived where it is absent. With "practitioners"
  //   ({"practitioner_id","nik", "name","sex","birth_date"}) only those are known; without, every
  //   practitioner is.
  // InvalidArgument with the place in the file, never a NIK or a name.
  static absl::StatusOr<std::unique_ptr<People>> Load(const std::filesystem::path& population);

  std::vector<Person> FindPatients(const PersonQuery& query) const;
  std::optional<Person> Patient(std::string_view platform_id) const;
  // True when the id is of the population or was created here, not derived from a question.
  bool IsRegistered(std::string_view platform_id) const;
  // A patient that was created here: known from now on.
  void AddPatient(const Person& person);

  std::vector<Person> FindPractitioners(const PersonQuery& query) const;
  std::optional<Person> Practitioner(std::string_view platform_id) const;

  bool everybody_is_known() const { return everybody_; }
  size_t patients() const;

  // The id of a person who has none: P and 11 digits.
  static std::string DerivePatientId(const Person& person);

 private:
  void Insert(const Person& person);

  bool everybody_ = true;
  bool every_practitioner_ = true;
  mutable std::shared_mutex mutex_;
  std::vector<Person> patients_;
  std::unordered_map<std::string, size_t> by_id_, by_nik_;
  std::unordered_multimap<std::string, size_t> by_mother_, by_name_;  // name: folded name|date|sex
  std::vector<Person> practitioners_;  // fixed after Load, as is their index
  std::unordered_map<std::string, size_t> practitioners_by_id_;
};

}  // namespace simpul::sandbox
