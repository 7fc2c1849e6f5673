// An invented countryside: real places, invented clinics, people and families.
//
// Everything follows from the seed. Identity numbers are well-formed and nobody's on purpose: the
// serial begins with 9.
#pragma once

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "simpul/event/v1/identity.pb.h"
#include "simpul/event/v1/unit.pb.h"
#include "simpul/random.h"

namespace simpul::cli {

using Day = std::chrono::sys_days;

// Somebody who records or answers for a session.
struct Worker {
  std::string nik, name, practitioner_id;
  event::v1::RecorderRole role;
};

// Part of a Puskesmas with its own place.
struct VillageUnit {
  event::v1::UnitKind kind;
  std::string code, name, location;
  std::string village_code, dusun;
};

// A Puskesmas with its Pustu and Posyandu, or a hospital.
struct Clinic {
  std::string system, code, name, organization, location;
  std::string district;  // 6 digits, where identity numbers of its people begin
  int utc_offset_min;
  bool hospital;
  size_t refers_to;  // index of the hospital
  std::vector<VillageUnit> units;
  std::vector<Worker> workers;  // doctor, two midwives, nurse
};

struct Person {
  std::string name;
  bool female = false;
  Day born;
  std::string nik;         // empty: has none
  Day nik_since;           // known from this day on
  std::string mother_nik;  // of a child
  int birth_order = 1;
  bool born_here = false;  // during the simulated days: begins without NIK
  std::string card, passport, local_number;
  std::string family_card;
  size_t clinic = 0, posyandu = 0, family = 0;
  std::string dusun, rw, rt;
  std::string platform_id;
  int weight_z = 0, length_z = 0;  // hundredths of a standard deviation
  bool faltering = false;          // grows too slowly
  bool hypertensive = false, diabetic = false;
  bool mother_to_be = false;  // may become pregnant
};

struct Village {
  std::vector<Clinic> clinics;  // hospitals included
  std::vector<Person> people;
};

// Clinics for, and families of, `patients` people at `start`.
Village MakeVillage(uint64_t seed, size_t patients, Day start);

// A NIK not given before. The region of first issue is the clinic's district.
std::string MakeNik(Random& random, const std::string& district, Day born, bool female,
                    std::set<std::string>& taken);

// A name of somebody of that sex.
std::string MakeName(Random& random, bool female);

// P and 11 digits, the n-th patient of the platform.
std::string PatientId(uint64_t seed, size_t n);

// The directory of lib/fhir/directory.h, as JSON.
std::string DirectoryJson(const Village& village);
// Those whom the platform knows, as JSON: the sandbox's population.
std::string PopulationJson(const Village& village);
// A credential for each organisation, as JSON.
std::string CredentialsJson(const Village& village);

}  // namespace simpul::cli
