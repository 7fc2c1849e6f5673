#include "simpul/life/motherhood.h"

#include <fmt/format.h>

#include <vector>

#include "lib/event/date.h"
#include "simpul/growth_table.h"
#include "simpul/life/care.h"
#include "simpul/life/codes.h"
#include "simpul/life/paperwork.h"
#include "simpul/life/posyandu.h"
#include "simpul/life/referral.h"

namespace simpul::cli::life {
namespace {

using std::chrono::days;

// The baby's registration, what it is given at once, and its visits after the birth.
void FirstWeeks(Clerk& clerk, const Person& baby, const Motherhood::CheckDays& checks) {
  Random& random = clerk.random();
  const Attendance at = clerk.AtClinic(baby, baby.born);
  const Worker& midwife = Midwife(at);
  RegisterChild(clerk, baby, baby.born, midwife);
  Immunise(clerk, at, {"HB0", 1, 0, "", v1::ROUTE_INTRAMUSCULAR});
  Give(clerk, at, &midwife, v1::SUPPLEMENT_KIND_MEDICINE, "Vitamin K1 1 mg", "1", "{ampule}");
  for (size_t i = 0; i < 3; ++i) {
    const Day day = baby.born + days(checks[i]);
    if (!clerk.Within(day)) continue;
    const Attendance check = clerk.AtPustu(baby, day);
    v1::Event event = clerk.EventOf(check, &midwife);
    v1::Visit& visit = *event.mutable_visit();
    visit.set_encounter_class(v1::ENCOUNTER_CLASS_AMBULATORY);
    visit.set_ordinal(fmt::format("KN{}", i + 1));
    visit.set_weight_g(static_cast<uint32_t>(WeightG(baby.female, checks[i], baby.weight_z)));
    visit.set_temperature_dc(static_cast<uint32_t>(random.Near(368, 5)));
    visit.set_breaths_per_min(static_cast<uint32_t>(random.Near(45, 8)));
    if (i == 0) visit.set_spo2_percent(static_cast<uint32_t>(random.Between(95, 99)));
    clerk.Put(std::move(event));
  }
}

}  // namespace

struct Motherhood::Pregnancy {
  Day lmp;   // first day of the last menstrual period
  Day born;  // when it would end with a birth
  std::string id;
  bool lost = false;      // ends with a miscarriage
  bool opened = false;    // the clinic knows of it
  bool referred = false;  // for her blood pressure, which lasts
};

void Motherhood::Expect(const Person& mother, Day until) {
  Random& random = clerk_.random();
  const int64_t length = clerk_.length_days();
  // One in six is with child on the first day, as many more begin in a year.
  Pregnancy pregnancy;
  if (random.Chance(160)) {
    pregnancy.lmp = clerk_.start() - days(random.Between(10, 255));
  } else if (random.Chance(static_cast<unsigned>(170 * length / 365))) {
    pregnancy.lmp = clerk_.SomeDay();
  } else {
    return;
  }
  pregnancy.born = pregnancy.lmp + days(random.Near(279, 16));
  pregnancy.id = clerk_.NextPregnancy();
  pregnancy.lost = random.Chance(45);
  const std::array<int, 6> planned = {63, 112, 154, 196, 231, 258};
  for (size_t i = 0; i < planned.size(); ++i) {
    const Day day = pregnancy.lmp + days(planned[i] + random.Between(-9, 9));
    if (!clerk_.Within(day) || day >= until || day >= pregnancy.born || random.Chance(90)) continue;
    if (pregnancy.lost && i == 2) {
      const Attendance at = clerk_.AtClinic(mother, day);
      if (pregnancy.opened) {
        Close(at, Doctor(at), pregnancy, v1::PREGNANCY_OUTCOME_MISCARRIAGE);
      }
      return;
    }
    AntenatalVisit(mother, pregnancy, day, static_cast<int>(i) + 1);
  }
  if (!pregnancy.lost && clerk_.Within(pregnancy.born) && pregnancy.born < until) {
    GiveBirth(mother, pregnancy);
  }
}

void Motherhood::AntenatalVisit(const Person& mother, Pregnancy& pregnancy, Day day, int number) {
  Random& random = clerk_.random();
  const Attendance at =
      number == 1 || number == 5 ? clerk_.AtClinic(mother, day) : clerk_.AtPustu(mother, day);
  const Worker& worker = number == 1 || number == 5 ? Doctor(at) : Midwife(at);
  if (!pregnancy.opened) Open(at, worker, pregnancy);
  const int gestation = static_cast<int>((day - pregnancy.lmp).count());
  v1::Event event = clerk_.EventOf(at, &worker);
  v1::Visit& visit = *event.mutable_visit();
  visit.set_encounter_class(v1::ENCOUNTER_CLASS_AMBULATORY);
  visit.set_ordinal(fmt::format("K{}", number));
  visit.set_pregnancy_id(pregnancy.id);
  visit.set_gestational_age_days(static_cast<uint32_t>(gestation));
  visit.set_weight_g(static_cast<uint32_t>(52000 + mother.weight_z * 60 + gestation * 40));
  visit.set_systolic_mmhg(static_cast<uint32_t>(random.Near(mother.hypertensive ? 142 : 112, 14)));
  visit.set_diastolic_mmhg(visit.systolic_mmhg() * 64 / 100);
  visit.set_muac_mm(static_cast<uint32_t>(random.Near(258 + mother.weight_z / 12, 14)));
  if (gestation > 140) {
    visit.set_fundal_height_mm(static_cast<uint32_t>(gestation * 10 / 7 + random.Between(-15, 15)));
    visit.set_fetal_heart_per_min(static_cast<uint32_t>(random.Near(142, 14)));
  }
  const std::string seen = event.event_id();
  const uint32_t systolic = visit.systolic_mmhg();
  clerk_.Put(std::move(event));
  Give(clerk_, at, &worker, v1::SUPPLEMENT_KIND_IRON_FOLATE, "Tablet tambah darah", "30",
       "{tablet}");
  if (number == 1 || number == 3 || number == 5) {
    Haemoglobin(clerk_, at, worker);
    UrineProtein(clerk_, at, worker);
  }
  if (systolic >= 145 && gestation > 140 && !pregnancy.referred) {
    pregnancy.referred = true;
    Refer(clerk_, at, &worker, clerk_.Hospital(at),
          {"tekanan darah tinggi pada kehamilan", "anc.hypertension", "O14.9", seen,
           v1::URGENCY_URGENT});
  }
}

// The clinic comes to know of it.
void Motherhood::Open(const Attendance& at, const Worker& worker, Pregnancy& pregnancy) {
  pregnancy.opened = true;
  v1::Event event = clerk_.EventOf(at, &worker);
  v1::Pregnancy& one = *event.mutable_pregnancy();
  one.set_pregnancy_id(pregnancy.id);
  one.set_state(v1::PREGNANCY_STATE_OPEN);
  one.set_lmp(event::FormatDay(pregnancy.lmp));
  one.set_edd(event::FormatDay(pregnancy.lmp + days(280)));
  const uint32_t para = static_cast<uint32_t>(at.person->family % 3);
  one.set_gravida(para + 1);
  one.set_para(para);
  one.set_abortus(0);
  clerk_.Put(std::move(event));
}

void Motherhood::Close(const Attendance& at, const Worker& worker, const Pregnancy& pregnancy,
                       v1::PregnancyOutcome outcome) {
  v1::Event event = clerk_.EventOf(at, &worker);
  v1::Pregnancy& one = *event.mutable_pregnancy();
  one.set_pregnancy_id(pregnancy.id);
  one.set_state(v1::PREGNANCY_STATE_CLOSED);
  one.set_outcome(outcome);
  one.set_ended_on(event::FormatDay(at.day));
  clerk_.Put(std::move(event));
}

void Motherhood::GiveBirth(const Person& mother, const Pregnancy& pregnancy) {
  Random& random = clerk_.random();
  const Day day = pregnancy.born;
  const Attendance at = clerk_.AtClinic(mother, day);
  const Worker& midwife = Midwife(at);
  ++births_;
  const bool twins = births_ == 2 || random.Chance(15);
  std::vector<Person> babies;
  v1::Event event = clerk_.EventOf(at, &midwife);
  v1::Birth& birth = *event.mutable_birth();
  birth.set_pregnancy_id(pregnancy.id);
  birth.set_place(v1::BIRTH_PLACE_PUSKESMAS);
  birth.set_attendant(v1::BIRTH_ATTENDANT_MIDWIFE);
  birth.set_gestation_days(static_cast<uint32_t>((day - pregnancy.lmp).count()));
  birth.set_born_on(event::FormatDay(day));
  for (int order = 1; order <= (twins ? 2 : 1); ++order) {
    babies.push_back(NewBaby(mother, day, order, twins, babies.empty() ? "" : babies.back().name));
    Person& baby = babies.back();
    baby.platform_id = clerk_.PlatformId(village_.people.size() + babies.size() - 1);
    v1::Baby& row = *birth.add_babies();
    row.set_order(static_cast<uint32_t>(order));
    row.set_sex(baby.female ? v1::SEX_FEMALE : v1::SEX_MALE);
    row.set_weight_g(static_cast<uint32_t>(WeightG(baby.female, 0, baby.weight_z)));
    row.set_length_mm(static_cast<uint32_t>(LengthMm(baby.female, 0, baby.length_z)));
    row.set_head_mm(static_cast<uint32_t>(HeadMm(baby.female, 0, baby.length_z / 2)));
    row.set_alive(true);
  }
  clerk_.Put(std::move(event));
  Close(at, midwife, pregnancy, v1::PREGNANCY_OUTCOME_LIVE_BIRTH);
  const CheckDays checks = {
      static_cast<int>(random.Between(1, 2)), static_cast<int>(random.Between(4, 7)),
      static_cast<int>(random.Between(9, 26)), static_cast<int>(random.Between(30, 41))};
  Recover(mother, pregnancy, checks);
  for (const Person& baby : babies) {
    village_.people.push_back(baby);
    FirstWeeks(clerk_, baby, checks);
    const bool mistaken = twins && &baby == &babies.front();
    GetNik(clerk_, baby, births_ % 2 == 1, mistaken ? babies.back().nik : "");
    GrowUp(clerk_, baby, clerk_.end());
  }
}

// A child of that mother, with her clinic, home and family.
Person Motherhood::NewBaby(const Person& mother, Day day, int order, bool twin,
                           const std::string& not_called) {
  Random& random = clerk_.random();
  Person baby = mother;
  baby.female = random.Chance(490);
  // Nobody calls both twins the same, and the platform tells them apart by name.
  do {
    baby.name = MakeName(random, baby.female);
  } while (baby.name == not_called);
  baby.born = day;
  baby.born_here = true;
  baby.mother_nik = mother.nik;
  baby.birth_order = order;
  baby.card.clear();
  baby.hypertensive = baby.diabetic = baby.mother_to_be = false;
  baby.weight_z = static_cast<int>(random.Near(twin ? -150 : -30, 140));
  baby.length_z = static_cast<int>(random.Near(-60, 150));
  baby.faltering = random.Chance(100);
  baby.nik = MakeNik(random, village_.clinics[mother.clinic].district, day, baby.female, niks_);
  baby.nik_since = day + days(random.Between(21, 75));
  return baby;
}

// The mother's visits after the birth.
void Motherhood::Recover(const Person& mother, const Pregnancy& pregnancy,
                         const CheckDays& checks) {
  Random& random = clerk_.random();
  for (size_t i = 0; i < checks.size(); ++i) {
    const Day then = pregnancy.born + days(checks[i]);
    if (!clerk_.Within(then) || random.Chance(80)) continue;
    const Attendance after = clerk_.AtPustu(mother, then);
    v1::Event check = clerk_.EventOf(after, &Midwife(after));
    v1::Visit& visit = *check.mutable_visit();
    visit.set_encounter_class(v1::ENCOUNTER_CLASS_AMBULATORY);
    visit.set_ordinal(fmt::format("KF{}", i + 1));
    visit.set_pregnancy_id(pregnancy.id);
    visit.set_systolic_mmhg(static_cast<uint32_t>(random.Near(114, 12)));
    visit.set_diastolic_mmhg(static_cast<uint32_t>(random.Near(72, 8)));
    visit.set_temperature_dc(static_cast<uint32_t>(random.Near(367, 6)));
    clerk_.Put(std::move(check));
    if (i == 0) {
      Give(clerk_, after, &Midwife(after), v1::SUPPLEMENT_KIND_VITAMIN_A_RED, "Vitamin A", "2",
           "{capsule}");
    }
  }
}

}  // namespace simpul::cli::life
