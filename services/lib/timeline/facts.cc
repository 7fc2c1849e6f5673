#include "lib/timeline/facts.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <tuple>

#include "lib/base/hash.h"
#include "lib/base/uuid.h"
#include "lib/base/wire.h"
#include "lib/event/date.h"
#include "lib/rules/calendar_months.h"
#include "lib/rules/life_stages.h"
#include "lib/timeline/measured.h"
#include "lib/timeline/screened.h"

namespace simpul::timeline {
namespace {

using event::FacilityView;
using event::Kind;
using event::v1::Event;
using std::chrono::days;
using std::chrono::sys_days;

constexpr int64_t kDayUs = 86'400'000'000;

int64_t DayNumber(sys_days day) { return day.time_since_epoch().count(); }
sys_days DayOf(int64_t number) { return sys_days(days(number)); }

// What a row of an event has, by bit.
enum Has : uint32_t {
  kTraining = 1 << 0,
  kMeasures = 1 << 1,
  kWeight = 1 << 2,
  kOedema = 1 << 3,
  kZ = 1 << 4,
  kImplausible = 1 << 5,
  kBelowMinus3 = 1 << 6,
  kAbovePlus1 = 1 << 7,
  kScreens = 1 << 8,
  kGestation = 1 << 9,
  kLmp = 1 << 10,
  kEnded = 1 << 11,
  kDied = 1 << 12,
  kAlive = 1 << 13,
  kKpsp = 1 << 14,
  kDoubtful = 1 << 15,
  kChronic = 1 << 16,
};

uint32_t HasOf(const EventFacts& event) {
  const rules::KmsWeightForAge z = event.weight_for_age.value_or(rules::KmsWeightForAge{});
  uint32_t has = 0;
  for (const auto& [is, bit] : {std::pair(event.training, kTraining),
                                {event.measures, kMeasures},
                                {event.weight_g.has_value(), kWeight},
                                {event.oedema, kOedema},
                                {event.weight_for_age.has_value(), kZ},
                                {z.implausible, kImplausible},
                                {z.below_minus_3, kBelowMinus3},
                                {z.above_plus_1, kAbovePlus1},
                                {event.screens, kScreens},
                                {event.gestation_days.has_value(), kGestation},
                                {event.lmp.has_value(), kLmp},
                                {event.ended_on.has_value(), kEnded},
                                {event.died_on.has_value(), kDied},
                                {event.alive, kAlive},
                                {event.kpsp_doubtful.has_value(), kKpsp},
                                {event.kpsp_doubtful.value_or(false), kDoubtful},
                                {event.hypertension_or_diabetes, kChronic}}) {
    if (is) has |= bit;
  }
  return has;
}

void PutSigned(std::string& out, int64_t value) {
  base::PutVarint(out, static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63));
}

// Reads what Encode writes; after the first damage everything is 0.
class RowReader {
 public:
  explicit RowReader(std::string_view bytes) : left_(bytes) {}

  uint64_t Number() {
    const std::optional<uint64_t> value = base::TakeVarint(left_);
    if (!value.has_value()) Damage();
    return value.value_or(0);
  }
  uint32_t Number32() {
    const uint64_t value = Number();
    if (value > UINT32_MAX) Damage();
    return static_cast<uint32_t>(value);
  }
  int64_t Signed() {
    const uint64_t value = Number();
    return static_cast<int64_t>(value >> 1 ^ (~(value & 1) + 1));
  }
  std::string_view Text() {
    const std::optional<std::string_view> text = base::TakeBytes(left_);
    if (!text.has_value()) Damage();
    return text.value_or("");
  }
  EventId Id() {
    EventId id{};
    if (left_.size() < id.size()) {
      Damage();
      return id;
    }
    left_.copy(id.data(), id.size());
    left_.remove_prefix(id.size());
    return id;
  }
  // A count of things of at least a byte.
  size_t Count() {
    const uint64_t count = Number();
    if (count > left_.size()) Damage();
    return ok_ ? count : 0;
  }
  bool at_end() const { return ok_ && left_.empty(); }
  bool ok() const { return ok_; }

 private:
  void Damage() {
    ok_ = false;
    left_ = {};
  }
  std::string_view left_;
  bool ok_ = true;
};

// The pregnancy whose entry the event belongs to.
rules::Pregnancy& PregnancyAt(std::vector<std::pair<uint32_t, rules::Pregnancy>>& all,
                              const EventFacts& event) {
  for (auto& [entry, pregnancy] : all) {
    if (entry == event.entry) return pregnancy;
  }
  return all.emplace_back(event.entry, rules::Pregnancy{.opened_on = event.day}).second;
}

EventId IdOf(std::string_view event_id) {
  if (const auto uuid = base::ReadUuid(event_id)) return *uuid;
  const base::Sha256Digest digest = base::Sha256(event_id);
  EventId id;
  std::copy_n(digest.begin(), id.size(), id.begin());
  return id;
}

// Compares like the text: by unsigned bytes.
std::string_view View(const EventId& id) { return {id.data(), id.size()}; }

std::chrono::year_month MonthOf(sys_days day) {
  const std::chrono::year_month_day date(day);
  return date.year() / date.month();
}

CardPlace PlaceOn(const rules::KmsJudged& judged) {
  return {.usable = judged.usable,
          .no_status = judged.no_status,
          .bgm = judged.bgm,
          .above_orange = judged.above_orange,
          .reweigh = judged.reweigh};
}

CardPlace::Month Said(const rules::KmsMonth& month, const EventId& previous) {
  CardPlace::Month said{.status = month.status,
                        .two_t = month.two_t,
                        .by_oedema = month.by_oedema,
                        .interval_short = month.interval_short,
                        .interval_long = month.interval_long,
                        .proposes = month.proposes};
  if (month.gain.has_value()) {
    said.previous = previous;
    said.days = month.gain->days;
    said.gain_g = month.gain->gain_g;
    said.kbm_g = month.gain->kbm_g;
  }
  return said;
}

}  // namespace

std::optional<PatientFacts> PatientFacts::Decode(std::string_view bytes) {
  PatientFacts facts;
  if (bytes.empty()) return facts;
  RowReader in(bytes);
  for (size_t left = in.Count(); left > 0; --left) {
    const std::string_view system = in.Text();
    facts.facilities_.emplace_back(system, in.Text());
  }
  for (size_t left = in.Count(); left > 0; --left) {
    Person& claim = facts.claims_.emplace_back();
    const uint32_t head = in.Number32();  // sex, and whether there is a birth date
    claim.sex = static_cast<event::v1::Sex>(head >> 1);
    if (head & 1) claim.birth_date = DayOf(in.Signed());
  }
  const size_t count = in.Count();
  facts.events_.reserve(count + 1);
  for (size_t left = count; left > 0; --left) {
    EventFacts& event = facts.events_.emplace_back();
    const uint32_t has = in.Number32();
    event.entry = in.Number32();
    event.facility = in.Number32();
    event.id = in.Id();
    event.kind = static_cast<Kind>(in.Number32());
    event.occurred_at_us = in.Signed();
    event.recorded_at_us = event.occurred_at_us + in.Signed();
    event.day = DayOf(event.occurred_at_us / kDayUs + in.Signed());
    event.claim = in.Number32();
    event.training = has & kTraining;
    event.measures = has & kMeasures;
    if (has & kWeight) event.weight_g = in.Number32();
    event.oedema = has & kOedema;
    if (has & kZ) {
      event.weight_for_age = {.implausible = (has & kImplausible) != 0,
                              .below_minus_3 = (has & kBelowMinus3) != 0,
                              .above_plus_1 = (has & kAbovePlus1) != 0};
    }
    event.screens = has & kScreens;
    if (has & kKpsp) event.kpsp_doubtful = (has & kDoubtful) != 0;
    event.hypertension_or_diabetes = has & kChronic;
    if (has & kGestation) event.gestation_days = in.Number32();
    if (has & kLmp) event.lmp = DayOf(in.Signed());
    if (has & kEnded) event.ended_on = DayOf(in.Signed());
    if (has & kDied) event.died_on = DayOf(in.Signed());
    event.alive = has & kAlive;
    if (event.facility >= facts.facilities_.size() || event.claim >= facts.claims_.size()) {
      return std::nullopt;
    }
  }
  if (!in.at_end()) return std::nullopt;
  facts.BelieveAll();
  facts.person_ = facts.WhoIs();
  return facts;
}

std::string PatientFacts::Encode() const {
  if (events_.empty()) return "";
  // Without what no event needs any more.
  std::vector<uint32_t> facility_now(facilities_.size(), UINT32_MAX);
  std::vector<uint32_t> claim_now(claims_.size(), UINT32_MAX);
  std::vector<uint32_t> facilities;
  std::vector<uint32_t> claims;
  for (const EventFacts& event : events_) {
    if (facility_now[event.facility] == UINT32_MAX) {
      facility_now[event.facility] = static_cast<uint32_t>(facilities.size());
      facilities.push_back(event.facility);
    }
    if (claim_now[event.claim] == UINT32_MAX) {
      claim_now[event.claim] = static_cast<uint32_t>(claims.size());
      claims.push_back(event.claim);
    }
  }
  std::string out;
  out.reserve(64 + events_.size() * 56);
  const auto put_text = [&out](std::string_view text) {
    base::PutVarint(out, text.size());
    out.append(text);
  };
  base::PutVarint(out, facilities.size());
  for (const uint32_t facility : facilities) {
    put_text(facilities_[facility].first);
    put_text(facilities_[facility].second);
  }
  base::PutVarint(out, claims.size());
  for (const uint32_t number : claims) {
    const Person& claim = claims_[number];
    base::PutVarint(out, static_cast<uint32_t>(claim.sex) << 1 | claim.birth_date.has_value());
    if (claim.birth_date.has_value()) PutSigned(out, DayNumber(*claim.birth_date));
  }
  base::PutVarint(out, events_.size());
  for (const EventFacts& event : events_) {
    const uint32_t has = HasOf(event);
    base::PutVarint(out, has);
    base::PutVarint(out, event.entry);
    base::PutVarint(out, facility_now[event.facility]);
    out.append(event.id.data(), event.id.size());
    base::PutVarint(out, static_cast<uint32_t>(event.kind));
    PutSigned(out, event.occurred_at_us);
    PutSigned(out, event.recorded_at_us - event.occurred_at_us);
    PutSigned(out, DayNumber(event.day) - event.occurred_at_us / kDayUs);
    base::PutVarint(out, claim_now[event.claim]);
    if (event.weight_g.has_value()) base::PutVarint(out, *event.weight_g);
    if (event.gestation_days.has_value()) base::PutVarint(out, *event.gestation_days);
    if (event.lmp.has_value()) PutSigned(out, DayNumber(*event.lmp));
    if (event.ended_on.has_value()) PutSigned(out, DayNumber(*event.ended_on));
    if (event.died_on.has_value()) PutSigned(out, DayNumber(*event.died_on));
  }
  return out;
}

FacilityView PatientFacts::Facility(const EventFacts& event) const {
  const auto& [system, code] = facilities_[event.facility];
  return {system, code};
}

bool PatientFacts::Before(const EventFacts& a, const EventFacts& b) const {
  if (a.occurred_at_us != b.occurred_at_us) return a.occurred_at_us < b.occurred_at_us;
  if (a.recorded_at_us != b.recorded_at_us) return a.recorded_at_us < b.recorded_at_us;
  if (a.facility != b.facility) return facilities_[a.facility] < facilities_[b.facility];
  return View(a.id) < View(b.id);
}

std::optional<size_t> PatientFacts::PlaceOf(const EventKey& key) const {
  const EventId id = IdOf(key.event_id);
  for (size_t at = 0; at < events_.size(); ++at) {
    if (events_[at].id == id && Facility(events_[at]) == key.facility) return at;
  }
  return std::nullopt;
}

const EventFacts* PatientFacts::Find(const EventKey& key) const {
  const std::optional<size_t> at = PlaceOf(key);
  return at.has_value() ? &events_[*at] : nullptr;
}

EventFacts PatientFacts::Read(const EventKey& key, uint32_t entry, const Event& event) {
  EventFacts facts;
  facts.entry = entry;
  facts.id = IdOf(key.event_id);
  const std::pair<std::string, std::string> facility(key.facility.system, key.facility.code);
  facts.facility =
      static_cast<uint32_t>(std::ranges::find(facilities_, facility) - facilities_.begin());
  if (facts.facility == facilities_.size()) facilities_.push_back(facility);
  const Person claim{.birth_date = event::ParseDay(event.subject().birth_date()),
                     .sex = event.subject().sex()};
  facts.claim = static_cast<uint32_t>(std::ranges::find(claims_, claim) - claims_.begin());
  if (facts.claim == claims_.size()) claims_.push_back(claim);
  facts.kind = static_cast<Kind>(event.payload_case());
  facts.occurred_at_us = event::Micros(event.occurred_at().time());
  facts.recorded_at_us = event::Micros(event.recorded_at());
  facts.day = event::LocalDay(event.occurred_at());
  facts.training = event.purpose() != event::v1::PURPOSE_PRODUCTION;
  facts.screens = MayScreen(event);
  facts.kpsp_doubtful = DoubtfulKpsp(event);
  if (event.has_visit()) {
    const event::v1::Visit& visit = event.visit();
    facts.measures = MeasuresGrowth(event);
    if (visit.has_weight_g()) facts.weight_g = visit.weight_g();
    facts.hypertension_or_diabetes = IsHypertensionOrDiabetesDiagnosed(event);
    facts.oedema = visit.oedema() > event::v1::OEDEMA_NONE;
    if (visit.has_gestational_age_days()) facts.gestation_days = visit.gestational_age_days();
  } else if (event.has_pregnancy()) {
    const event::v1::Pregnancy& pregnancy = event.pregnancy();
    facts.lmp = event::ParseDay(pregnancy.lmp());
    if (pregnancy.state() == event::v1::PREGNANCY_STATE_CLOSED) {
      facts.ended_on = event::ParseDay(pregnancy.ended_on()).value_or(facts.day);
    }
  } else if (event.has_birth()) {
    facts.ended_on = event::ParseDay(event.birth().born_on()).value_or(facts.day);
  } else if (const auto told = LifeToldBy(event)) {
    facts.alive = !told->died;
    if (told->died) facts.died_on = told->day;
  }
  return facts;
}

bool PatientFacts::Outranks(const EventFacts& a, const EventFacts& b) const {
  const auto rank = [this](const EventFacts& event) {
    const FacilityView facility = Facility(event);
    return std::tuple(!event.training, event.kind == Kind::kPatientRegistered, event.recorded_at_us,
                      facility.system, facility.code, View(event.id));
  };
  return rank(a) > rank(b);
}

void PatientFacts::Believe(size_t at) {
  const EventFacts& event = events_[at];
  const Person& says = claims_[event.claim];
  const auto believe = [&](bool is_said, std::optional<size_t>& from) {
    if (is_said && (!from.has_value() || Outranks(event, events_[*from]))) from = at;
  };
  believe(says.sex != event::v1::SEX_UNSPECIFIED, sex_from_);
  believe(says.birth_date.has_value(), birth_date_from_);
}

void PatientFacts::BelieveAll() {
  sex_from_.reset();
  birth_date_from_.reset();
  for (size_t at = 0; at < events_.size(); ++at) Believe(at);
}

Person PatientFacts::WhoIs() const {
  Person person;
  if (sex_from_.has_value()) person.sex = claims_[events_[*sex_from_].claim].sex;
  if (birth_date_from_.has_value()) {
    person.birth_date = claims_[events_[*birth_date_from_].claim].birth_date;
  }
  return person;
}

// The weight's z-score alone.
void PatientFacts::Score(EventFacts& event) const {
  event.weight_for_age.reset();
  if (!event.weight_g.has_value() || !person_.birth_date.has_value()) return;
  event.weight_for_age = WeightForAge(rules::Assess({
      .sex = person_.sex,
      .age = rules::AgeBetween(*person_.birth_date, event.day),
      .weight_g = *event.weight_g,
      .oedema = event.oedema,
  }));
}

std::vector<PatientFacts::OnCard> PatientFacts::CardsIn(std::chrono::year_month first,
                                                        std::chrono::year_month last,
                                                        const rules::RulesInForce& rules) const {
  // The earliest day of death told since anybody said that the person is alive.
  sys_days died = sys_days::max();
  for (const EventFacts& event : events_) {
    if (event.alive) died = sys_days::max();
    died = std::min(died, event.died_on.value_or(died));
  }
  const auto weighing_of = [&](size_t at) {
    const EventFacts& event = events_[at];
    return rules::KmsWeighing{.id = View(event.id),
                              .day = event.day,
                              .order = at,
                              .weight_g = *event.weight_g,
                              .weight_for_age = event.weight_for_age,
                              .oedema = event.oedema,
                              .training = event.training,
                              .rules = rules.On(event.day).kms};
  };
  struct Weighed {
    sys_days day;
    size_t at;
    std::chrono::year_month month;
  };
  std::vector<Weighed> all;
  sys_days beginning = sys_days::max();  // of the card
  for (size_t at = 0; at < events_.size(); ++at) {
    const EventFacts& event = events_[at];
    if (!event.weight_g.has_value() || event.day > died) continue;
    const std::chrono::year_month month = MonthOf(event.day);
    const bool may_be_wanted = month >= first - std::chrono::months(2) && month <= last;
    if (!may_be_wanted && event.day >= beginning && month != MonthOf(beginning)) continue;
    if (person_.birth_date.has_value() && rules::CompletedMonths(*person_.birth_date, event.day) >=
                                              rules.On(event.day).kms->until_months) {
      continue;
    }
    all.push_back({event.day, at, month});
    if (event.day < beginning && rules::IsUsable(person_, weighing_of(at))) beginning = event.day;
  }
  const auto wanted = [&, began = MonthOf(beginning)](std::chrono::year_month month) {
    return (month >= first && month <= last) || (beginning != sys_days::max() && month == began);
  };
  std::erase_if(all, [&](const Weighed& one) {
    return (one.month < first - std::chrono::months(2) || one.month > last) && !wanted(one.month);
  });
  // As the card has them.
  std::ranges::stable_sort(all, {}, &Weighed::day);
  std::vector<rules::KmsWeighing> weighings;
  weighings.reserve(all.size());
  for (const Weighed& one : all) weighings.push_back(weighing_of(one.at));
  const rules::Kms card = rules::DeriveKms(person_, weighings);

  std::vector<OnCard> told;
  told.reserve(all.size());
  auto month = card.months.begin();
  for (size_t n = 0; n < all.size(); ++n) {
    const bool carries = month != card.months.end() && month->weighing == n;
    if (wanted(all[n].month)) {
      const EventFacts& event = events_[all[n].at];
      OnCard& row = told.emplace_back(OnCard{.event = all[n].at,
                                             .entry = event.entry,
                                             .facility = event.facility,
                                             .id = event.id,
                                             .place = PlaceOn(card.weighings[n])});
      if (carries) {
        const size_t previous = month->gain.has_value() ? month->gain->previous : n;
        row.place.month = Said(*month, events_[all[previous].at].id);
      }
    }
    if (carries) ++month;
  }
  return told;
}

std::optional<CardPlace> PatientFacts::CardOf(const EventFacts& event,
                                              const rules::RulesInForce& rules) const {
  if (!event.weight_g.has_value()) return std::nullopt;
  const auto among = [&](const std::vector<OnCard>& rows) -> std::optional<CardPlace> {
    for (const OnCard& row : rows) {
      if (&events_[row.event] == &event) return row.place;
    }
    return std::nullopt;
  };
  if (std::optional<CardPlace> place = among(just_told_)) return place;
  const std::chrono::year_month month = MonthOf(event.day);
  return among(CardsIn(month, month, rules));
}

Circumstances PatientFacts::CircumstancesOf(const EventFacts& event) const {
  Circumstances told;
  const EventFacts* kpsp = nullptr;
  for (const EventFacts& other : events_) {
    if (other.training) continue;
    if (other.hypertension_or_diabetes && other.day <= event.day) {
      told.has_hypertension_or_diabetes = true;
    }
    if (other.kpsp_doubtful.has_value() && Before(other, event)) kpsp = &other;
  }
  if (event.kpsp_doubtful.has_value() && kpsp != nullptr && *kpsp->kpsp_doubtful) {
    told.days_since_doubtful_kpsp = static_cast<int>((event.day - kpsp->day).count());
  }
  TellPregnancy(event, told);
  return told;
}

void PatientFacts::TellPregnancy(const EventFacts& event, Circumstances& told) const {
  std::vector<std::pair<uint32_t, rules::Pregnancy>> pregnancies;
  for (const EventFacts& of : events_) {
    if (of.kind != Kind::kPregnancy || of.training) continue;
    rules::Pregnancy& pregnancy = PregnancyAt(pregnancies, of);
    pregnancy.opened_on = std::min(pregnancy.opened_on, of.day);
    if (of.lmp.has_value()) pregnancy.lmp = of.lmp;  // the latest said
    if (of.ended_on.has_value()) pregnancy.ended_on = of.ended_on;
  }
  for (const auto& [entry, pregnancy] : pregnancies) {
    const sys_days begins =
        std::min(pregnancy.opened_on, pregnancy.lmp.value_or(pregnancy.opened_on));
    sys_days ends =
        std::min(rules::StopsOn(pregnancy), pregnancy.ended_on.value_or(sys_days::max()));
    for (const EventFacts& birth : events_) {
      if (birth.kind == Kind::kBirth && !birth.training && *birth.ended_on >= begins) {
        ends = std::min(ends, *birth.ended_on);
      }
    }
    if (event.day < begins || event.day >= ends) continue;
    told.pregnant = true;
    if (pregnancy.lmp.has_value()) {
      const int gestation = static_cast<int>((event.day - *pregnancy.lmp).count());
      told.gestation_days = std::max(gestation, told.gestation_days.value_or(gestation));
    }
  }
  // What was recorded at the contact itself is no older than its day.
  if (event.gestation_days.has_value()) {
    told.pregnant = true;
    if (!told.gestation_days.has_value()) {
      told.gestation_days = static_cast<int>(std::min(*event.gestation_days, 400u));
    }
  }
}

std::vector<uint32_t> PatientFacts::Learn(const EventKey& key, uint32_t entry, const Event* event,
                                          const rules::RulesInForce& rules) {
  const std::optional<size_t> known = PlaceOf(key);
  std::optional<EventFacts> old;
  if (known.has_value()) old = events_[*known];
  std::optional<EventFacts> now;
  if (event != nullptr) now = Read(key, entry, *event);
  const auto either = [&](auto is) { return (old && is(*old)) || (now && is(*now)); };
  const bool moves_circumstances = either([](const EventFacts& facts) {
    return facts.kind == Kind::kPregnancy || facts.kind == Kind::kBirth ||
           facts.kpsp_doubtful.has_value() || facts.hypertension_or_diabetes;
  });
  const auto screened = [this] {
    std::vector<std::tuple<uint32_t, uint32_t, EventId, Circumstances>> all;
    for (const EventFacts& facts : events_) {
      if (facts.screens) {
        all.emplace_back(facts.entry, facts.facility, facts.id, CircumstancesOf(facts));
      }
    }
    return all;
  };
  // The months whose status may be another one: of the weighing, and the two that look back on it.
  std::vector<std::pair<std::chrono::year_month, std::chrono::year_month>> months;
  for (const std::optional<EventFacts>* one : {&old, &now}) {
    if (!one->has_value()) continue;
    if (((*one)->died_on.has_value() || (*one)->alive) && !events_.empty()) {
      months.assign(1, {MonthOf(events_.front().day), MonthOf(events_.front().day)});
      for (const EventFacts& facts : events_) {
        months[0].first = std::min(months[0].first, MonthOf(facts.day));
        months[0].second = std::max(months[0].second, MonthOf(facts.day));
      }
    } else if ((*one)->weight_g.has_value()) {
      const std::chrono::year_month month = MonthOf((*one)->day);
      months.emplace_back(month, month + std::chrono::months(2));
    }
  }
  const auto on_cards = [&] {
    std::vector<OnCard> all;
    for (const auto& [first, last] : months) {
      std::ranges::move(CardsIn(first, last, rules), std::back_inserter(all));
    }
    return all;
  };
  just_told_.clear();
  const auto cards_before = on_cards();
  const auto screened_before = moves_circumstances ? screened() : decltype(screened())();

  if (known.has_value()) {
    events_.erase(events_.begin() + static_cast<std::ptrdiff_t>(*known));
    BelieveAll();
  }
  EventFacts* added = nullptr;
  if (now.has_value()) {
    const auto at = std::ranges::upper_bound(
        events_, *now, [this](const EventFacts& a, const EventFacts& b) { return Before(a, b); });
    const std::ptrdiff_t place = at - events_.begin();
    added = &*events_.insert(at, *std::move(now));
    for (std::optional<size_t>* from : {&sex_from_, &birth_date_from_}) {
      if (from->has_value() && **from >= static_cast<size_t>(place)) ++**from;
    }
    Believe(static_cast<size_t>(place));
  }

  std::vector<uint32_t> changed;
  const Person person = WhoIs();
  if (person != person_) {
    person_ = person;
    for (EventFacts& facts : events_) {
      Score(facts);
      if (facts.measures || facts.screens) changed.push_back(facts.entry);
    }
  } else {
    if (added != nullptr) Score(*added);
    const auto differ = [&changed](const auto& these, const auto& those, auto entry_of) {
      for (const auto& row : these) {
        if (std::ranges::find(those, row) == those.end()) changed.push_back(entry_of(row));
      }
    };
    just_told_ = on_cards();
    const auto entry_on_card = [](const OnCard& row) { return row.entry; };
    differ(just_told_, cards_before, entry_on_card);
    differ(cards_before, just_told_, entry_on_card);
    if (moves_circumstances) {
      differ(screened(), screened_before, [](const auto& row) { return std::get<0>(row); });
    }
  }
  std::ranges::sort(changed);
  changed.erase(std::ranges::unique(changed).begin(), changed.end());
  return changed;
}

}  // namespace simpul::timeline
