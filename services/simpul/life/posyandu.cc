#include "simpul/life/posyandu.h"

#include <cstdint>
#include <string>

#include "lib/event/date.h"
#include "simpul/growth_table.h"
#include "simpul/life/care.h"
#include "simpul/life/codes.h"
#include "simpul/life/referral.h"

namespace simpul::cli::life {
namespace {

using std::chrono::days;

// What a posyandu gives, by the national calendar (KMK HK.01.07/MENKES/2015/2023).
constexpr Dose kCalendar[] = {
    {"BCG", 1, 1, "93005208", v1::ROUTE_INTRADERMAL},
    {"OPV", 1, 1, "93004972", v1::ROUTE_ORAL},
    {"DPT-HB-HIB", 1, 2, "93001282", v1::ROUTE_INTRAMUSCULAR},
    {"OPV", 2, 2, "93004972", v1::ROUTE_ORAL},
    {"PCV", 1, 2, "93001620", v1::ROUTE_INTRAMUSCULAR},
    {"RV", 1, 2, "93001652", v1::ROUTE_ORAL},
    {"DPT-HB-HIB", 2, 3, "93001282", v1::ROUTE_INTRAMUSCULAR},
    {"OPV", 3, 3, "93004972", v1::ROUTE_ORAL},
    {"PCV", 2, 3, "93001620", v1::ROUTE_INTRAMUSCULAR},
    {"RV", 2, 3, "93001652", v1::ROUTE_ORAL},
    {"DPT-HB-HIB", 3, 4, "93001282", v1::ROUTE_INTRAMUSCULAR},
    {"OPV", 4, 4, "93004972", v1::ROUTE_ORAL},
    {"IPV", 1, 4, "93004736", v1::ROUTE_INTRAMUSCULAR},
    {"RV", 3, 4, "93001652", v1::ROUTE_ORAL},
    {"MR", 1, 9, "93005781", v1::ROUTE_SUBCUTANEOUS},
    {"IPV", 2, 9, "93004736", v1::ROUTE_INTRAMUSCULAR},
    {"PCV", 3, 12, "93001620", v1::ROUTE_INTRAMUSCULAR},
    {"DPT-HB-HIB", 4, 18, "93001282", v1::ROUTE_INTRAMUSCULAR},
    {"MR", 2, 18, "93005781", v1::ROUTE_SUBCUTANEOUS},
};

// What is remembered of a child from month to month.
struct Childhood {
  uint64_t doses = 0;     // given, by index in the calendar
  bool referred = false;  // for growing too slowly, which lasts
};

void ChildAtPosyandu(Clerk& clerk, const Person& child, Childhood& childhood, Day day) {
  Random& random = clerk.random();
  Attendance at = clerk.AtPosyandu(child, day);
  const int age = AgeDays(child, day);
  // A child that grows too slowly loses 4 hundredths of a standard deviation a week from half a
  // year on.
  const int lost = child.faltering && age > 180 ? (age - 180) / 7 * 4 : 0;
  const int z =
      std::max(-370, child.weight_z - std::min(lost, 260)) + static_cast<int>(random.Near(0, 12));
  v1::Event event = clerk.EventOf(at, nullptr);
  v1::Visit& visit = *event.mutable_visit();
  visit.set_encounter_class(v1::ENCOUNTER_CLASS_AMBULATORY);
  visit.set_weight_g(static_cast<uint32_t>(WeightG(child.female, age, z)));
  // Some posts have no measuring board.
  const bool lying = age < 731;
  if (random.Chance(900)) {
    visit.set_length_mm(static_cast<uint32_t>(
        LengthMm(child.female, age, child.length_z + static_cast<int>(random.Near(0, 10)))));
    visit.set_position(lying ? v1::MEASURING_POSITION_LYING : v1::MEASURING_POSITION_STANDING);
    visit.add_devices()->set_kind(lying ? "infantometer" : "stadiometer");
  }
  if (age >= 183) visit.set_muac_mm(static_cast<uint32_t>(ArmMm(age, z)));
  if (age < 730 && random.Chance(600)) {
    visit.set_head_mm(static_cast<uint32_t>(HeadMm(child.female, age, child.length_z / 2)));
  }
  if (random.Chance(300)) visit.set_oedema(v1::OEDEMA_NONE);
  visit.set_advice("makan beragam, porsi kecil tetapi sering");
  const std::string weighed = event.event_id();
  const bool training = at.training;
  clerk.Put(std::move(event));
  if (training) return;

  const unsigned month = unsigned(std::chrono::year_month_day(day).month());
  const int months = CompletedMonths(child.born, day);
  if ((month == 2 || month == 8) && months >= 6) {
    Give(clerk, at, nullptr,
         months < 12 ? v1::SUPPLEMENT_KIND_VITAMIN_A_BLUE : v1::SUPPLEMENT_KIND_VITAMIN_A_RED,
         "Vitamin A", "1", "{capsule}");
    if (month == 8 && months >= 12) {
      Give(clerk, at, nullptr, v1::SUPPLEMENT_KIND_DEWORMING, "Albendazol", "1", "{tablet}");
    }
  }
  int today = 0;
  for (size_t i = 0; i < std::size(kCalendar); ++i) {
    const int late = months - kCalendar[i].due_months;
    // What was due before these days was given before them.
    if (late < 0 || late > 3 || (childhood.doses >> i & 1) != 0 || today == 3) continue;
    if (late > 0 && day - days(31) < clerk.start() && !child.born_here) continue;
    if (!random.Chance(880)) continue;
    childhood.doses |= uint64_t{1} << i;
    ++today;
    Immunise(clerk, at, kCalendar[i]);
  }
  if (months % 6 == 3 && random.Chance(500)) {
    Screen(clerk, at, Midwife(at), "KPSP", 10, 40, 2, "");
  }
  if (child.faltering && z < -220 && !childhood.referred) {
    childhood.referred = true;
    Give(clerk, at, nullptr, v1::SUPPLEMENT_KIND_FOOD, "PMT lokal", "7", "{package}");
    Refer(clerk, at, nullptr, *at.clinic,
          {"berat badan tidak naik dan di bawah garis merah", "growth.bgm", "R62.8", weighed,
           v1::URGENCY_ROUTINE});
  }
}

}  // namespace

Day PosyanduDay(const Person& person, std::chrono::year_month month) {
  const unsigned day = 4 + static_cast<unsigned>((person.clinic * 5 + person.posyandu * 2) % 20);
  const Day date = month / std::chrono::day(day);
  return std::chrono::weekday(date) == std::chrono::Sunday ? date + days(1) : date;
}

void GrowUp(Clerk& clerk, const Person& child, Day until) {
  Random& random = clerk.random();
  Childhood childhood;
  EachPosyandu(clerk, child, until, [&](Day day) {
    if (CompletedMonths(child.born, day) >= 60) {
      if (random.Chance(100)) PupilAtPosyandu(clerk, child, day);
      return;
    }
    if (random.Chance(820)) {
      ChildAtPosyandu(clerk, child, childhood, day);
    } else if (random.Chance(300)) {
      const Day later = day + days(random.Between(2, 9));
      if (clerk.Within(later))
        VisitHome(clerk, child, later, v1::HOME_VISIT_REASON_MISSING_SERVICE);
    }
  });
}

void PupilAtPosyandu(Clerk& clerk, const Person& pupil, Day day) {
  Random& random = clerk.random();
  Attendance at = clerk.AtPosyandu(pupil, day);
  at.training = false;
  const int age = AgeDays(pupil, day);
  v1::Event event = clerk.EventOf(at, nullptr);
  v1::Visit& visit = *event.mutable_visit();
  visit.set_encounter_class(v1::ENCOUNTER_CLASS_AMBULATORY);
  visit.set_weight_g(static_cast<uint32_t>(WeightG(pupil.female, age, pupil.weight_z)));
  visit.set_length_mm(static_cast<uint32_t>(LengthMm(pupil.female, age, pupil.length_z)));
  visit.set_position(v1::MEASURING_POSITION_STANDING);
  if (age > 13 * 365) {
    visit.set_systolic_mmhg(static_cast<uint32_t>(random.Near(110, 14)));
    visit.set_diastolic_mmhg(static_cast<uint32_t>(random.Near(70, 9)));
  }
  clerk.Put(std::move(event));
  if (pupil.female && age > 12 * 365) {
    Give(clerk, at, nullptr, v1::SUPPLEMENT_KIND_IRON_FOLATE, "Tablet tambah darah", "4",
         "{tablet}");
    if (random.Chance(300)) Haemoglobin(clerk, at, Midwife(at));
  }
  if (age > 11 * 365) Screen(clerk, at, Midwife(at), "SDQ", 25, 200, 14, "");
}

void AdultAtPosyandu(Clerk& clerk, const Person& person, Day day) {
  Random& random = clerk.random();
  Attendance at = clerk.AtPosyandu(person, day);
  at.training = false;
  CheckAdult(clerk, at, nullptr, true);
  const int years = AgeYears(person, day);
  if (years >= 40 || person.diabetic) Glucose(clerk, at, Midwife(at));
  if (years >= 18) {
    const std::string found = Screen(clerk, at, Midwife(at), "SRQ-20", 20, 90, 6, "");
    if (!found.empty() && random.Chance(500)) {
      Refer(clerk, at, &Midwife(at), *at.clinic,
            {"skrining kesehatan jiwa perlu pemeriksaan", "srq20.abnormal", "F41.9", found,
             v1::URGENCY_URGENT});
    }
  }
  if (years >= 40 && !person.female) {
    Screen(clerk, at, Midwife(at), "PUMA", 7, 300, 6, "Q0021");
  }
  Screen(clerk, at, Midwife(at), "TB-SYMPTOM", 5, 30, 2, "");
}

void ElderAtPosyandu(Clerk& clerk, const Person& person, Day day, bool yearly) {
  Random& random = clerk.random();
  Attendance at = clerk.AtPosyandu(person, day);
  at.training = false;
  CheckAdult(clerk, at, nullptr, yearly);
  if (random.Chance(300)) Glucose(clerk, at, Midwife(at));
  if (!yearly) return;
  const std::string found = Screen(clerk, at, Midwife(at), "SKILAS", 9, 130, 1, "Q0042");
  if (!found.empty()) Screen(clerk, at, Midwife(at), "AKS", 10, 850, 11, "");
}

void VisitHome(Clerk& clerk, const Person& person, Day day, v1::HomeVisitReason reason) {
  Random& random = clerk.random();
  Attendance at = clerk.At(person, &clerk.UnitOf(person), v1::UNIT_KIND_HOME, day);
  at.minute += 5 * 60;
  v1::Event event = clerk.EventOf(at, nullptr);
  v1::Visit& visit = *event.mutable_visit();
  visit.set_encounter_class(v1::ENCOUNTER_CLASS_HOME);
  v1::HomeVisit& home = *visit.mutable_home_visit();
  home.set_planned_on(event::FormatDay(day - days(random.Between(0, 6))));
  home.set_reason(reason);
  const uint64_t luck = random.Below(100);
  if (luck < 72) {
    home.set_outcome(v1::HOME_VISIT_OUTCOME_DONE);
    home.mutable_saji()->set_salam(true);
    home.mutable_saji()->set_ajak_bicara(true);
    home.mutable_saji()->set_jelaskan(true);
    home.mutable_saji()->set_ingatkan(random.Chance(850));
    visit.set_temperature_dc(static_cast<uint32_t>(random.Near(366, 6)));
  } else if (luck < 80) {
    home.set_outcome(v1::HOME_VISIT_OUTCOME_REFUSED);
  } else if (luck < 95) {
    home.set_outcome(v1::HOME_VISIT_OUTCOME_NOT_MET);
  } else {
    home.set_outcome(v1::HOME_VISIT_OUTCOME_PLANNED);
  }
  clerk.Put(std::move(event));
}

}  // namespace simpul::cli::life
