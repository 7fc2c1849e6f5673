#include "sandbox/people.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <mutex>

#include "lib/base/bytes.h"
#include "lib/base/file.h"
#include "lib/base/hash.h"
#include "lib/base/status_macros.h"
#include "lib/base/text.h"
#include "sandbox/json.h"
#include "sandbox/times.h"

namespace simpul::sandbox {
namespace {

// Letters upper case, spaces single: how names are compared.
std::string Fold(std::string_view name) {
  std::string folded;
  for (const char c : name) {
    if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      if (!folded.empty() && folded.back() != ' ') folded.push_back(' ');
    } else {
      folded.push_back(static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
    }
  }
  while (folded.ends_with(' ')) folded.pop_back();
  return folded;
}

std::string NameKey(std::string_view name, std::string_view birth_date, std::string_view sex) {
  return fmt::format("{}|{}|{}", Fold(name), birth_date, sex);
}

// Decimal digits drawn from a digest of the text.
std::string DerivedDigits(std::string_view text, int count) {
  const base::Sha256Digest digest = base::Sha256({"simpul sandbox person\n", text});
  uint64_t modulus = 1;
  for (int i = 0; i < count; ++i) modulus *= 10;
  return fmt::format("{:0{}}", base::GetBe64(base::AsBytes(digest)) % modulus, count);
}

bool IsPatientId(std::string_view id) {
  return (id.size() == 12 && id[0] == 'P' && base::IsDigits(id.substr(1))) ||
         (id.size() == 12 && id.starts_with("1000000300") && base::IsDigits(id));
}

bool IsPractitionerId(std::string_view id) {
  return (id.size() == 11 && base::IsDigits(id)) ||
         (id.size() > 1 && id.size() <= 12 && id[0] == 'N' && base::IsDigits(id.substr(1)));
}

// The year alone may be given in a look-up.
bool SameDate(std::string_view known, std::string_view asked) {
  return known == asked || (asked.size() == 4 && known.starts_with(asked));
}

bool Fits(const Person& person, const PersonQuery& query) {
  return (query.nik.empty() || person.nik == query.nik) &&
         (query.mother_nik.empty() || person.mother_nik == query.mother_nik) &&
         (query.ihs_number.empty() || person.platform_id == query.ihs_number) &&
         (query.name.empty() || Fold(person.name) == Fold(query.name)) &&
         (query.birth_date.empty() || SameDate(person.birth_date, query.birth_date)) &&
         (query.sex.empty() || person.sex == query.sex);
}

// As Fits, for a person of whom not everything is known.
bool MayFit(const Person& person, const PersonQuery& query) {
  return (query.name.empty() || person.name.empty() || Fold(person.name) == Fold(query.name)) &&
         (query.birth_date.empty() || person.birth_date.empty() ||
          SameDate(person.birth_date, query.birth_date)) &&
         (query.sex.empty() || person.sex.empty() || person.sex == query.sex);
}

Person ReadPerson(const Json& row, std::string_view id_name) {
  Person person;
  person.platform_id = MemberText(row, id_name);
  person.nik = MemberText(row, "nik");
  person.mother_nik = MemberText(row, "mother_nik");
  person.name = MemberText(row, "name");
  person.birth_date = MemberText(row, "birth_date");
  person.sex = MemberText(row, "sex");
  if (const Json* order = Member(row, "birth_order"); order != nullptr && order->IsInt()) {
    person.birth_order = order->GetInt();
  }
  return person;
}

// What is wrong with a row; empty when nothing is.
std::string_view WrongWith(const Person& person) {
  if (!person.nik.empty() && (person.nik.size() != 16 || !base::IsDigits(person.nik))) {
    return "nik must be 16 digits";
  }
  if (!person.mother_nik.empty() &&
      (person.mother_nik.size() != 16 || !base::IsDigits(person.mother_nik))) {
    return "mother_nik must be 16 digits";
  }
  if (!person.birth_date.empty() && !ParseDate(person.birth_date).has_value()) {
    return "birth_date must be YYYY-MM-DD";
  }
  if (!person.sex.empty() && person.sex != "male" && person.sex != "female") {
    return "sex must be male or female";
  }
  const bool by_mother = !person.mother_nik.empty() && !person.birth_date.empty();
  const bool by_name = !person.name.empty() && !person.birth_date.empty() && !person.sex.empty();
  if (person.nik.empty() && !by_mother && !by_name) {
    return "nik, mother_nik with birth_date, or name with birth_date and sex must be there";
  }
  return "";
}

}  // namespace

bool IsWellFormedNik(std::string_view nik) {
  if (nik.size() != 16 || !base::IsDigits(nik) || nik.substr(12) == "0000") return false;
  const int day = (nik[6] - '0') * 10 + (nik[7] - '0');
  const int month = (nik[8] - '0') * 10 + (nik[9] - '0');
  return month >= 1 && month <= 12 && ((day >= 1 && day <= 31) || (day >= 41 && day <= 71));
}

bool IsFemaleNik(std::string_view nik) { return nik.size() == 16 && nik[6] >= '4'; }

std::string People::DerivePatientId(const Person& person) {
  if (!person.nik.empty()) return "P" + DerivedDigits("nik|" + person.nik, 11);
  if (!person.mother_nik.empty()) {
    return "P" + DerivedDigits(fmt::format("mother|{}|{}|{}", person.mother_nik, person.birth_date,
                                           std::max(person.birth_order, 1)),
                               11);
  }
  return "P" + DerivedDigits("name|" + NameKey(person.name, person.birth_date, person.sex), 11);
}

absl::StatusOr<std::unique_ptr<People>> People::Load(const std::filesystem::path& population) {
  auto people = std::make_unique<People>();
  if (population.empty()) return people;
  people->everybody_ = false;
  SIMPUL_ASSIGN_OR_RETURN(std::string text, base::ReadFile(population));

  auto add = [&](const Json& row, const std::string& where) -> absl::Status {
    Person person = ReadPerson(row, "platform_id");
    if (const std::string_view wrong = WrongWith(person); !row.IsObject() || !wrong.empty()) {
      return absl::InvalidArgumentError(
          fmt::format("{}: {}: {}.", population.string(), where,
                      row.IsObject() ? wrong : "expected an object with a person"));
    }
    if (person.platform_id.empty()) person.platform_id = DerivePatientId(person);
    if (people->by_id_.contains(person.platform_id)) {
      return absl::InvalidArgumentError(
          fmt::format("{}: {}: this platform_id is there twice.", population.string(), where));
    }
    people->Insert(person);
    return absl::OkStatus();
  };

  {
    JsonText whole(text);
    if (whole.root() != nullptr &&
        (whole.root()->IsArray() || Member(*whole.root(), "people") != nullptr)) {
      const Json* rows = whole.root()->IsArray() ? whole.root() : Member(*whole.root(), "people");
      if (!rows->IsArray()) {
        return absl::InvalidArgumentError(
            fmt::format("{}: people must be an array.", population.string()));
      }
      for (rapidjson::SizeType i = 0; i < rows->Size(); ++i) {
        SIMPUL_RETURN_IF_ERROR(add((*rows)[i], fmt::format("person {}", i)));
      }
      if (const Json* staff = Member(*whole.root(), "practitioners"); staff != nullptr) {
        people->every_practitioner_ = false;
        for (rapidjson::SizeType i = 0; staff->IsArray() && i < staff->Size(); ++i) {
          Person person = ReadPerson((*staff)[i], "practitioner_id");
          if (person.platform_id.empty()) {
            return absl::InvalidArgumentError(fmt::format(
                "{}: practitioner {}: practitioner_id must be there.", population.string(), i));
          }
          people->practitioners_by_id_.emplace(person.platform_id, people->practitioners_.size());
          people->practitioners_.push_back(std::move(person));
        }
      }
      return people;
    }
  }
  std::string_view rest = text;
  for (int line = 1; !rest.empty(); ++line) {
    const size_t end = rest.find('\n');
    const std::string_view row = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    if (row.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    JsonText json{std::string(row)};
    if (json.root() == nullptr) {
      return absl::InvalidArgumentError(
          fmt::format("{}: line {} is not JSON.", population.string(), line));
    }
    SIMPUL_RETURN_IF_ERROR(add(*json.root(), fmt::format("line {}", line)));
  }
  return people;
}

void People::Insert(const Person& person) {
  const size_t at = patients_.size();
  patients_.push_back(person);
  by_id_.emplace(person.platform_id, at);
  if (!person.nik.empty()) by_nik_.emplace(person.nik, at);
  if (!person.mother_nik.empty()) by_mother_.emplace(person.mother_nik, at);
  if (!person.name.empty()) {
    by_name_.emplace(NameKey(person.name, person.birth_date, person.sex), at);
  }
}

void People::AddPatient(const Person& person) {
  std::unique_lock lock(mutex_);
  if (!by_id_.contains(person.platform_id)) Insert(person);
}

bool People::IsRegistered(std::string_view platform_id) const {
  std::shared_lock lock(mutex_);
  return by_id_.contains(std::string(platform_id));
}

std::vector<Person> People::FindPatients(const PersonQuery& query) const {
  std::shared_lock lock(mutex_);
  std::vector<Person> found;
  auto add = [&](size_t at) {
    if (MayFit(patients_[at], query)) found.push_back(patients_[at]);
  };
  if (!query.ihs_number.empty()) {
    if (const auto at = by_id_.find(query.ihs_number); at != by_id_.end()) {
      add(at->second);
    } else if (everybody_ && IsPatientId(query.ihs_number)) {
      found.push_back({.platform_id = query.ihs_number});
    }
  } else if (!query.nik.empty()) {
    if (const auto at = by_nik_.find(query.nik); at != by_nik_.end()) {
      add(at->second);
    } else if (everybody_ && IsWellFormedNik(query.nik)) {
      Person person{.nik = query.nik,
                    .name = query.name,
                    .birth_date = query.birth_date,
                    .sex = IsFemaleNik(query.nik) ? "female" : "male"};
      person.platform_id = DerivePatientId(person);
      found.push_back(std::move(person));
    }
  } else if (!query.mother_nik.empty()) {
    const auto [begin, end] = by_mother_.equal_range(query.mother_nik);
    std::vector<size_t> places;
    for (auto it = begin; it != end; ++it) places.push_back(it->second);
    std::sort(places.begin(), places.end());
    for (const size_t at : places) add(at);
    if (found.empty() && everybody_ && IsWellFormedNik(query.mother_nik) &&
        IsFemaleNik(query.mother_nik) && ParseDate(query.birth_date).has_value()) {
      Person person{.mother_nik = query.mother_nik,
                    .name = query.name,
                    .birth_date = query.birth_date,
                    .sex = query.sex};
      // Twins have one mother and one birth date, but each its name.
      person.platform_id =
          query.name.empty()
              ? DerivePatientId(person)
              : "P" + DerivedDigits(fmt::format("mother and name|{}|{}|{}", query.mother_nik,
                                                query.birth_date, Fold(query.name)),
                                    11);
      found.push_back(std::move(person));
    }
  } else if (!query.name.empty() && !query.birth_date.empty() && !query.sex.empty()) {
    const auto [begin, end] =
        by_name_.equal_range(NameKey(query.name, query.birth_date, query.sex));
    std::vector<size_t> places;
    for (auto it = begin; it != end; ++it) places.push_back(it->second);
    std::sort(places.begin(), places.end());
    for (const size_t at : places) add(at);
    if (found.empty() && everybody_ && ParseDate(query.birth_date).has_value()) {
      Person person{.name = query.name, .birth_date = query.birth_date, .sex = query.sex};
      person.platform_id = DerivePatientId(person);
      found.push_back(std::move(person));
    }
  }
  return found;
}

std::optional<Person> People::Patient(std::string_view platform_id) const {
  std::shared_lock lock(mutex_);
  if (const auto at = by_id_.find(std::string(platform_id)); at != by_id_.end()) {
    return patients_[at->second];
  }
  if (everybody_ && IsPatientId(platform_id)) {
    return Person{.platform_id = std::string(platform_id)};
  }
  return std::nullopt;
}

std::vector<Person> People::FindPractitioners(const PersonQuery& query) const {
  std::vector<Person> found;
  const bool by_name = !query.name.empty() && !query.birth_date.empty() && !query.sex.empty();
  if (query.nik.empty() && query.ihs_number.empty() && !by_name) return found;
  for (const Person& person : practitioners_) {
    if (Fits(person, query)) found.push_back(person);
  }
  if (!every_practitioner_ || !found.empty()) return found;
  if (!query.ihs_number.empty()) {
    if (IsPractitionerId(query.ihs_number)) found.push_back({.platform_id = query.ihs_number});
  } else if (!query.nik.empty()) {
    if (IsWellFormedNik(query.nik)) {
      found.push_back(
          {.platform_id = "1" + DerivedDigits("practitioner|" + query.nik, 10), .nik = query.nik});
    }
  } else {
    found.push_back(
        {.platform_id =
             "1" +
             DerivedDigits("practitioner|" + NameKey(query.name, query.birth_date, query.sex), 10),
         .name = query.name});
  }
  return found;
}

std::optional<Person> People::Practitioner(std::string_view platform_id) const {
  const auto at = practitioners_by_id_.find(std::string(platform_id));
  if (at != practitioners_by_id_.end()) return practitioners_[at->second];
  if (every_practitioner_ && IsPractitionerId(platform_id)) {
    return Person{.platform_id = std::string(platform_id)};
  }
  return std::nullopt;
}

size_t People::patients() const {
  std::shared_lock lock(mutex_);
  return patients_.size();
}

}  // namespace simpul::sandbox
