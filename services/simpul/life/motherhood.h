// Pregnancies, births, and the first weeks of who is born.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string>

#include "simpul/life/clerk.h"

namespace simpul::cli::life {

// Used by one thread. Both must outlive it.
class Motherhood {
 public:
  // When mother and child are looked at after a birth, in days.
  using CheckDays = std::array<int, 4>;

  // Babies are added to the village.
  Motherhood(Clerk& clerk, Village& village) : clerk_(clerk), village_(village) {}

  // Whatever of a pregnancy falls into the simulated days, before `until`: none, most often. A baby
  // that is born lives through the rest of them.
  void Expect(const Person& mother, Day until);

 private:
  struct Pregnancy;

  void AntenatalVisit(const Person& mother, Pregnancy& pregnancy, Day day, int number);
  void Open(const Attendance& at, const Worker& worker, Pregnancy& pregnancy);
  void Close(const Attendance& at, const Worker& worker, const Pregnancy& pregnancy,
             event::v1::PregnancyOutcome outcome);
  void GiveBirth(const Person& mother, const Pregnancy& pregnancy);
  Person NewBaby(const Person& mother, Day day, int order, bool twin,
                 const std::string& not_called);
  void Recover(const Person& mother, const Pregnancy& pregnancy, const CheckDays& checks);

  Clerk& clerk_;
  Village& village_;
  std::set<std::string> niks_;  // of babies; their region and day keep them apart from the others'
  uint64_t births_ = 0;
};

}  // namespace simpul::cli::life
