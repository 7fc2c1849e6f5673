// Writes down what happens to people: whatever every event has, and numbers that are given once.
#pragma once

#include <cstdint>
#include <string>

#include "simpul/event/v1/event.pb.h"
#include "simpul/outbox.h"
#include "simpul/random.h"
#include "simpul/village.h"

namespace simpul::cli::life {

// One person's one attendance: what its events share.
struct Attendance {
  const Person* person;
  const Clinic* clinic;
  const VillageUnit* unit;  // null: the clinic itself
  event::v1::UnitKind kind;
  Day day;
  int minute;  // local
  std::string visit_id;
  bool training = false;
};

// One for all of the simulated days, so that chance and numbers follow from the seed and from the
// order of what happens. Everything given must outlive it.
class Clerk {
 public:
  Clerk(uint64_t seed, const Village& village, Day start, Day end, Outbox& outbox)
      : seed_(seed), village_(village), start_(start), end_(end), outbox_(outbox), random_(seed) {}

  // Chance begins anew with every person of the village: what befalls one changes nothing for the
  // next. `number` is the person's place in it.
  void BeginPerson(size_t number) { random_ = Random(seed_ * 1000003 + number * 2 + 5); }
  Random& random() { return random_; }

  Day start() const { return start_; }
  Day end() const { return end_; }  // the first day after
  int64_t length_days() const { return (end_ - start_).count(); }
  bool Within(Day day) const { return day >= start_ && day < end_; }
  Day SomeDay();

  // A new attendance, at some minute of the morning.
  Attendance At(const Person& person, const VillageUnit* unit, event::v1::UnitKind kind, Day day);
  Attendance AtPosyandu(const Person& person, Day day);
  Attendance AtClinic(const Person& person, Day day);
  Attendance AtPustu(const Person& person, Day day);

  const VillageUnit& UnitOf(const Person& person) const;
  const Clinic& Hospital(const Attendance& at) const;

  // An event without its content. `worker` null: a kader.
  event::v1::Event EventOf(const Attendance& at, const Worker* worker);
  // The person as the clinic knows them on that day.
  event::v1::Subject SubjectOf(const Person& person, Day day) const;
  void Put(event::v1::Event event);

  std::string NextReferral();
  std::string NextPregnancy();
  std::string PlatformId(size_t n) const { return PatientId(seed_, n); }

 private:
  event::v1::Address AddressOf(const Person& person) const;

  const uint64_t seed_;
  const Village& village_;
  const Day start_, end_;
  Outbox& outbox_;
  Random random_;
  uint64_t sequence_ = 0, visits_ = 0, referrals_ = 0, pregnancies_ = 0;
};

const Worker& Doctor(const Attendance& at);
const Worker& Midwife(const Attendance& at);
const Worker& Nurse(const Attendance& at);

event::v1::Facility FacilityOf(const Clinic& clinic);
event::v1::Unit UnitMessage(const Attendance& at);

}  // namespace simpul::cli::life
