// What the rules need to know of a patient's events: a few numbers an event, kept beside them, so
// that one more event does not make all the others be read.
//
// Says which other entries an event makes a difference to: a late weighing changes what later ones
// mean, a registration the age at all of them. What is said depends on the set of events alone,
// never on their order.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/event/kind.h"
#include "lib/event/outline.h"
#include "lib/rules/kms.h"
#include "lib/rules/versions.h"
#include "simpul/event/v1/event.pb.h"

namespace simpul::timeline {

// One event of the patient.
struct EventKey {
  event::FacilityView facility;
  std::string_view event_id;
};

// An event id: the bytes of the UUID. Of text that is none, which intake refuses, the beginning of
// its SHA-256.
using EventId = std::array<char, 16>;

// What one event says that was not taken back.
struct EventFacts {
  EventId id{};
  uint32_t entry = 0;     // number of its entry in the history
  uint32_t facility = 0;  // in PatientFacts
  uint32_t claim = 0;     // who it says the person is, in PatientFacts
  event::Kind kind = event::Kind::kVisit;
  int64_t occurred_at_us = 0;
  int64_t recorded_at_us = 0;
  std::chrono::sys_days day{};  // on the wall calendar where it took place
  bool training = false;

  bool measures = false;  // growth
  std::optional<uint32_t> weight_g = {};
  bool oedema = false;
  std::optional<rules::KmsWeightForAge> weight_for_age = {};  // of weight_g, by the person's age
  bool screens = false;                                       // something that a table may class

  std::optional<bool> kpsp_doubtful = {};              // of a KPSP
  bool hypertension_or_diabetes = false;               // diagnosed
  std::optional<uint32_t> gestation_days = {};         // as recorded on that day
  std::optional<std::chrono::sys_days> lmp = {};       // of a pregnancy
  std::optional<std::chrono::sys_days> ended_on = {};  // of a pregnancy, or the day of a birth
  std::optional<std::chrono::sys_days> died_on = {};
  bool alive = false;  // whoever told of a death before was wrong
};

// Sex and birth date of a person, as far as known.
using Person = rules::KmsChild;

// What the growth card says of one weighing, and of the month whose status it carries.
struct CardPlace {
  struct Month {
    rules::KmsStatus status = rules::KmsStatus::kB;
    EventId previous{};  // with N and T
    int days = 0;        // from there; 0 with B and O
    int64_t gain_g = 0;
    std::optional<uint32_t> kbm_g;
    bool two_t = false;
    bool by_oedema = false;
    bool interval_short = false;
    bool interval_long = false;
    std::optional<rules::KmsProposal> proposes;

    bool operator==(const Month&) const = default;
  };
  bool usable = false;
  std::optional<rules::KmsNoStatus> no_status;
  bool bgm = false;
  bool above_orange = false;
  bool reweigh = false;
  std::optional<Month> month;

  bool operator==(const CardPlace&) const = default;
};

// What other events say of the person on the day of one.
struct Circumstances {
  bool pregnant = false;
  std::optional<int> gestation_days;            // completed
  bool has_hypertension_or_diabetes = false;    // a health worker said so by then
  std::optional<int> days_since_doubtful_kpsp;  // where the KPSP before this one was doubtful

  bool operator==(const Circumstances&) const = default;
};

// Not thread-safe.
class PatientFacts {
 public:
  PatientFacts() = default;

  // Nullopt for damage.
  static std::optional<PatientFacts> Decode(std::string_view bytes);
  std::string Encode() const;

  // Takes what an event says; `event` as it counts now, or null when it was taken back. What was
  // known of it before is forgotten. Numbers of the entries whose derived facts may be others now
  // by the rules in force, ascending; `entry` may be among them.
  std::vector<uint32_t> Learn(const EventKey& key, uint32_t entry, const event::v1::Event* event,
                              const rules::RulesInForce& rules);

  // Of each field what the latest registration says, else the latest event; exercises only where
  // nothing else says it.
  const Person& person() const { return person_; }

  // Null: not known here. Until the next Learn.
  const EventFacts* Find(const EventKey& key) const;
  // Of a weighing. Nullopt: it is on no card, being none, dated after death, or from 60 months on.
  std::optional<CardPlace> CardOf(const EventFacts& event, const rules::RulesInForce& rules) const;
  Circumstances CircumstancesOf(const EventFacts& event) const;

 private:
  // A weighing's place on the card, by who it is.
  struct OnCard {
    size_t event = 0;  // in events_
    uint32_t entry = 0;
    uint32_t facility = 0;
    EventId id{};
    CardPlace place;
    bool operator==(const OnCard& other) const {
      return entry == other.entry && facility == other.facility && id == other.id &&
             place == other.place;
    }
  };

  bool Before(const EventFacts& a, const EventFacts& b) const;
  event::FacilityView Facility(const EventFacts& event) const;
  std::optional<size_t> PlaceOf(const EventKey& key) const;
  EventFacts Read(const EventKey& key, uint32_t entry, const event::v1::Event& event);
  // Whether `a` is believed before `b` in what both say of the person.
  bool Outranks(const EventFacts& a, const EventFacts& b) const;
  // Takes what the event at that place says of the person, where it outranks who said it before.
  void Believe(size_t at);
  void BelieveAll();
  Person WhoIs() const;
  void Score(EventFacts& event) const;
  // The weighings of those months, and of the first month with a status. What comes before matters
  // to a month only by the two months before it, and by there being any.
  std::vector<OnCard> CardsIn(std::chrono::year_month first, std::chrono::year_month last,
                              const rules::RulesInForce& rules) const;
  void TellPregnancy(const EventFacts& event, Circumstances& told) const;

  std::vector<std::pair<std::string, std::string>> facilities_;  // system, code
  std::vector<Person> claims_;
  std::vector<EventFacts> events_;  // in timeline order
  // Places of those who are believed, in events_: of sex and of birth date.
  std::optional<size_t> sex_from_;
  std::optional<size_t> birth_date_from_;
  Person person_;
  std::vector<OnCard> just_told_;  // what the last Learn found on the card; in force until the next
};

}  // namespace simpul::timeline
