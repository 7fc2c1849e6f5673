#include "simpul/village.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/uuid.h"
#include "lib/event/date.h"
#include "simpul/output.h"

namespace simpul::cli {
namespace {

namespace v1 = event::v1;

struct VillageName {
  const char* code;
  const char* name;
};

// Places of Kepmendagri 300.2.2-2430/2025.
struct District {
  const char* code;  // dotted
  const char* name;
  const char* hospital;
  int utc_offset_min;
  VillageName villages[4];
};

constexpr District kDistricts[] = {
    {"73.24.02",
     "Nuha",
     "RSUD I Lagaligo",
     480,
     {{"73.24.02.2003", "Nikkel"},
      {"73.24.02.2009", "Sorowako"},
      {"73.24.02.2001", "Nuha"},
      {"73.24.02.2005", "Matano"}}},
    {"17.05.06",
     "Air Periukan",
     "RSUD Tais",
     420,
     {{"17.05.06.1006", "Dermayu"},
      {"17.05.06.2001", "Sukamaju"},
      {"17.05.06.2005", "Air Periukan"},
      {"17.05.06.2016", "Lokasi Baru"}}},
    {"73.17.07",
     "Belopa",
     "RSUD Batara Guru",
     480,
     {{"73.17.07.2006", "Belopa"},
      {"73.17.07.1005", "Senga"},
      {"73.17.07.2004", "Kurrusumanga"},
      {"73.17.07.2016", "Pasamai"}}},
    {"73.12.01",
     "Marioriwawo",
     "RSUD La Temmamala",
     480,
     {{"73.12.01.1001", "Labessi"},
      {"73.12.01.2003", "Gattareng"},
      {"73.12.01.2005", "Goarie"},
      {"73.12.01.2009", "Mariorilau"}}},
    {"18.04.15",
     "Gedung Surian",
     "RSUD Alimuddin Umar",
     420,
     {{"18.04.15.2001", "Gedung Surian"},
      {"18.04.15.2002", "Puramekar"},
      {"18.04.15.2003", "Ciptawaras"},
      {"18.04.15.2005", "Mekarjaya"}}},
};

constexpr const char* kMaleNames[] = {
    "Andi",   "Baso",    "Budi",   "Dedi",   "Eko",    "Fajar", "Gilang",   "Hasan",
    "Ilham",  "Joko",    "Kamal",  "Lukman", "Muslim", "Nasir", "Oktavian", "Putra",
    "Rahmat", "Sahrul",  "Taufik", "Usman",  "Wahyu",  "Yusuf", "Zainal",   "Arif",
    "Bayu",   "Chandra", "Darma",  "Firman", "Galih",  "Hendra"};
constexpr const char* kFemaleNames[] = {
    "Aisyah", "Bunga",  "Citra",   "Dewi",    "Eka",    "Fatimah", "Gita",    "Hasnah",
    "Indah",  "Juwita", "Kartini", "Lestari", "Murni",  "Nurul",   "Oktavia", "Putri",
    "Ratna",  "Sri",    "Tuti",    "Umi",     "Wati",   "Yuliana", "Zahra",   "Ayu",
    "Besse",  "Cahaya", "Dahlia",  "Elok",    "Farida", "Hartini"};
constexpr const char* kLastNames[] = {
    "Hidayat", "Saputra", "Rahman", "Wijaya", "Santoso", "Syamsuddin", "Mappasessu", "Tenri",
    "Gunawan", "Halim",   "Idris",  "Jafar",  "Kurnia",  "Latif",      "Maulana",    "Nugraha",
    "Pratama", "Ramli",   "Salam",  "Tahir",  "Utama",   "Wahab",      "Yunus",      "Zulkifli"};
constexpr const char* kDusun[] = {"Mawar", "Melati", "Kenanga", "Cempaka"};

// Stable ids of invented locations.
constexpr std::string_view kLocations = "6c1f1c0e-2f0b-5b52-9d43-3c1b9a7e5d10";

std::string Location(std::string_view code) { return base::UuidV5(kLocations, code); }

std::string Digits(std::string_view dotted) {
  std::string digits;
  for (const char c : dotted) {
    if (c != '.') digits += c;
  }
  return digits;
}

class Builder {
 public:
  Builder(uint64_t seed, Day start) : seed_(seed), random_(seed * 2 + 1), start_(start) {}

  Village Build(size_t patients) {
    const size_t districts = std::min<size_t>(std::size(kDistricts), patients / 300 + 1);
    for (size_t i = 0; i < districts; ++i) AddClinic(kDistricts[i], i);
    while (village_.people.size() < patients) AddFamily(patients);
    return std::move(village_);
  }

 private:
  Worker MakeWorker(const std::string& district, v1::RecorderRole role, bool female) {
    const Day born = start_ - std::chrono::days(random_.Between(26 * 365, 55 * 365));
    Worker worker;
    worker.nik = MakeNik(random_, district, born, female, taken_);
    worker.name = MakeName(random_, female);
    worker.practitioner_id = fmt::format("1000{:07}", 1000000 + workers_++);
    worker.role = role;
    return worker;
  }

  void AddClinic(const District& district, size_t number) {
    Clinic clinic;
    const std::string digits = Digits(district.code);
    clinic.system = "kemenkes";
    clinic.code = fmt::format("P{}01", digits);
    clinic.name = fmt::format("Puskesmas {}", district.name);
    clinic.organization = fmt::format("1000{:05}", 27400 + number * 10);
    clinic.location = Location(clinic.code);
    clinic.district = digits;
    clinic.utc_offset_min = district.utc_offset_min;
    clinic.hospital = false;
    clinic.refers_to = village_.clinics.size() + 1;
    clinic.workers = {MakeWorker(digits, v1::RECORDER_ROLE_DOCTOR, false),
                      MakeWorker(digits, v1::RECORDER_ROLE_MIDWIFE, true),
                      MakeWorker(digits, v1::RECORDER_ROLE_MIDWIFE, true),
                      MakeWorker(digits, v1::RECORDER_ROLE_NURSE, true)};
    for (const VillageName& place : district.villages) {
      VillageUnit pustu;
      pustu.kind = v1::UNIT_KIND_PUSTU;
      pustu.code = fmt::format("PST-{}", Digits(place.code).substr(6));
      pustu.name = fmt::format("Pustu {}", place.name);
      pustu.location = Location(clinic.code + pustu.code);
      pustu.village_code = place.code;
      clinic.units.push_back(pustu);
      for (int i = 1; i <= 2; ++i) {
        VillageUnit posyandu;
        posyandu.kind = v1::UNIT_KIND_POSYANDU;
        posyandu.code = fmt::format("{}.{:03}", place.code, i);
        posyandu.dusun = kDusun[(i - 1) * 2];
        posyandu.name = fmt::format("Posyandu {} {}", posyandu.dusun, place.name);
        posyandu.location = Location(posyandu.code);
        posyandu.village_code = place.code;
        clinic.units.push_back(posyandu);
      }
    }
    village_.clinics.push_back(std::move(clinic));

    Clinic hospital;
    hospital.system = "kemenkes";
    hospital.code = fmt::format("{}{:03}", Digits(district.code).substr(0, 4), 11);
    hospital.name = district.hospital;
    hospital.organization = fmt::format("1000{:05}", 27405 + number * 10);
    hospital.location = Location(hospital.code);
    hospital.district = Digits(district.code);
    hospital.utc_offset_min = district.utc_offset_min;
    hospital.hospital = true;
    hospital.refers_to = village_.clinics.size();
    hospital.workers = {MakeWorker(hospital.district, v1::RECORDER_ROLE_DOCTOR, true)};
    village_.clinics.push_back(std::move(hospital));
  }

  // The shared part of a family's members.
  Person MakePerson(const Person& home, bool female, int age_days_min, int age_days_max) {
    Person person = home;
    person.female = female;
    person.name = MakeName(random_, female);
    person.born = start_ - std::chrono::days(random_.Between(age_days_min, age_days_max));
    person.nik =
        MakeNik(random_, village_.clinics[home.clinic].district, person.born, female, taken_);
    person.nik_since = person.born;
    person.weight_z = static_cast<int>(random_.Near(-40, 220));
    person.length_z = static_cast<int>(random_.Near(-70, 200));
    if (random_.Chance(150)) person.card = fmt::format("000{:010}", random_.Below(10'000'000'000));
    return person;
  }

  void Add(Person person, size_t patients) {
    if (village_.people.size() == patients) return;
    person.platform_id = PatientId(seed_, village_.people.size());
    village_.people.push_back(std::move(person));
  }

  void AddFamily(size_t patients) {
    Person home;
    home.family = families_++;
    // Clinics come in pairs with their hospitals.
    home.clinic = random_.Below(village_.clinics.size() / 2) * 2;
    const Clinic& clinic = village_.clinics[home.clinic];
    do {
      home.posyandu = random_.Below(clinic.units.size());
    } while (clinic.units[home.posyandu].kind != v1::UNIT_KIND_POSYANDU);
    home.dusun = clinic.units[home.posyandu].dusun;
    home.rw = fmt::format("{:03}", random_.Between(1, 6));
    home.rt = fmt::format("{:03}", random_.Between(1, 12));
    home.family_card =
        fmt::format("{}{:02}{:02}{:02}{:04}", clinic.district, random_.Between(1, 28),
                    random_.Between(1, 12), random_.Between(8, 24), random_.Between(1, 9999));
    const bool young = random_.Chance(680);
    const int parent_age =
        static_cast<int>(random_.Between(young ? 20 : 38, young ? 37 : 58)) * 365;
    Person mother = MakePerson(home, true, parent_age, parent_age + 364);
    mother.mother_to_be = young;
    mother.hypertensive = random_.Chance(young ? 60 : 260);
    mother.diabetic = random_.Chance(young ? 20 : 110);
    Person father = MakePerson(home, false, parent_age + 365, parent_age + 365 * 6);
    father.hypertensive = random_.Chance(young ? 90 : 300);
    father.diabetic = random_.Chance(young ? 30 : 120);
    // A few have no NIK: known by a number of the clinic, an insurance card or a passport.
    if (random_.Chance(40)) {
      father.nik.clear();
      father.mother_to_be = false;
      if (random_.Chance(150)) {
        father.passport = fmt::format("X{:07}", random_.Below(10'000'000));
      } else if (random_.Chance(300)) {
        father.card = fmt::format("000{:010}", random_.Below(10'000'000'000));
      } else {
        father.local_number = fmt::format("RM-{:06}", 100000 + village_.people.size());
      }
    }
    const std::string mother_nik = mother.nik;
    Add(std::move(father), patients);
    Add(std::move(mother), patients);
    const int children = static_cast<int>(random_.Between(young ? 1 : 0, 3));
    int age_days = static_cast<int>(random_.Between(20, 900));
    if (!young) age_days += 6 * 365;
    for (int i = 0; i < children && age_days < parent_age - 16 * 365; ++i) {
      Person child = MakePerson(home, random_.Chance(490), age_days, age_days);
      child.mother_nik = mother_nik;
      child.faltering = age_days < 1000 && random_.Chance(140);
      Add(std::move(child), patients);
      age_days += static_cast<int>(random_.Between(600, 1500));
    }
    if (random_.Chance(320)) {
      Person elder = MakePerson(home, random_.Chance(560), 60 * 365 + 20, 84 * 365);
      elder.hypertensive = random_.Chance(550);
      elder.diabetic = random_.Chance(180);
      Add(std::move(elder), patients);
    }
  }

  const uint64_t seed_;
  Random random_;
  const Day start_;
  Village village_;
  std::set<std::string> taken_;
  size_t families_ = 0;
  size_t workers_ = 0;
};

std::string List(const std::vector<std::string>& objects) {
  return fmt::format("[\n  {}\n]", fmt::join(objects, ",\n  "));
}

}  // namespace

std::string MakeNik(Random& random, const std::string& district, Day born, bool female,
                    std::set<std::string>& taken) {
  const std::chrono::year_month_day day{born};
  while (true) {
    std::string nik =
        fmt::format("{}{:02}{:02}{:02}{:04}", district, unsigned(day.day()) + (female ? 40 : 0),
                    unsigned(day.month()), int(day.year()) % 100, random.Between(9000, 9999));
    if (taken.insert(nik).second) return nik;
  }
}

std::string MakeName(Random& random, bool female) {
  const char* first = female ? random.Pick(kFemaleNames) : random.Pick(kMaleNames);
  return fmt::format("{} {}", first, random.Pick(kLastNames));
}

std::string PatientId(uint64_t seed, size_t n) {
  return fmt::format("P{:05}{:06}", 10000 + seed % 90000, n + 1);
}

Village MakeVillage(uint64_t seed, size_t patients, Day start) {
  return Builder(seed, start).Build(patients);
}

std::string DirectoryJson(const Village& village) {
  std::vector<std::string> facilities, units, practitioners, defaults;
  for (const Clinic& clinic : village.clinics) {
    v1::Facility facility;
    facility.set_system(clinic.system);
    facility.set_code(clinic.code);
    const std::string code = FacilityJson(facility);
    facilities.push_back(JsonLine()
                             .RawList("codes", {code})
                             .Text("name", clinic.name)
                             .Text("kind", clinic.hospital ? "hospital" : "puskesmas")
                             .Text("organization", clinic.organization)
                             .Text("location", clinic.location)
                             .Take());
    for (const VillageUnit& unit : clinic.units) {
      units.push_back(JsonLine()
                          .Raw("facility", code)
                          .Text("code", unit.code)
                          .Text("kind", EnumWord(v1::UnitKind_Name(unit.kind), "UNIT_KIND_"))
                          .Text("name", unit.name)
                          .Text("location", unit.location)
                          .Take());
      defaults.push_back(JsonLine()
                             .Raw("facility", code)
                             .Text("unit", unit.code)
                             .Text("practitioner_id", clinic.workers[1].practitioner_id)
                             .Take());
    }
    defaults.push_back(JsonLine()
                           .Raw("facility", code)
                           .Text("unit", "")
                           .Text("practitioner_id", clinic.workers[0].practitioner_id)
                           .Take());
    for (const Worker& worker : clinic.workers) {
      practitioners.push_back(JsonLine()
                                  .Text("practitioner_id", worker.practitioner_id)
                                  .Text("nik", worker.nik)
                                  .Text("name", worker.name)
                                  .Take());
    }
  }
  return JsonLine()
             .Raw("facilities", List(facilities))
             .Raw("units", List(units))
             .Raw("practitioners", List(practitioners))
             .Raw("defaults", List(defaults))
             .Take() +
         "\n";
}

std::string PopulationJson(const Village& village) {
  std::vector<std::string> people;
  for (const Person& person : village.people) {
    JsonLine line;
    if (!person.nik.empty()) line.Text("nik", person.nik);
    if (person.born_here) {
      line.Text("mother_nik", person.mother_nik).Number("birth_order", person.birth_order);
    }
    line.Text("name", person.name)
        .Text("birth_date", event::FormatDay(person.born))
        .Text("sex", person.female ? "female" : "male")
        .Text("platform_id", person.platform_id);
    people.push_back(line.Take());
  }
  return List(people) + "\n";
}

std::string CredentialsJson(const Village& village) {
  std::vector<std::string> rows;
  for (const Clinic& clinic : village.clinics) {
    rows.push_back(JsonLine()
                       .Text("organization", clinic.organization)
                       // As the sandbox takes it without a credentials file of its own.
                       .Text("client_id", clinic.organization)
                       .Text("client_secret", "sandbox-" + clinic.organization)
                       .Take());
  }
  return List(rows) + "\n";
}

}  // namespace simpul::cli
