#include "lib/event/validate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "lib/event/date.h"
#include "tests/support/sample_events.h"

namespace simpul::event {
namespace {

using simpul::testing::SampleEvent;
using simpul::testing::SampleEvents;
using simpul::testing::SampleNamed;
using simpul::testing::SampleNow;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// "field rule" of each.
std::vector<std::string> Short(const std::vector<Violation>& list) {
  std::vector<std::string> lines;
  for (const Violation& v : list) lines.push_back(v.field + " " + std::string(v.rule));
  return lines;
}

std::vector<Violation> Violations(const v1::Event& event, base::Time now = SampleNow()) {
  auto result = Validate(event, now);
  if (const auto* refusal = std::get_if<Refusal>(&result)) return refusal->violations;
  return {};
}

std::vector<Violation> Warnings(const v1::Event& event, base::Time now = SampleNow()) {
  auto result = Validate(event, now);
  if (const auto* valid = std::get_if<ValidEvent>(&result)) return valid->warnings;
  ADD_FAILURE() << ::testing::PrintToString(Short(std::get<Refusal>(result).violations));
  return {};
}

v1::Event Changed(std::string_view sample, const std::function<void(v1::Event&)>& change) {
  v1::Event event = SampleNamed(sample);
  change(event);
  return event;
}

void Set(base::Time time, google::protobuf::Timestamp* out) {
  out->set_seconds(base::ToMicros(time) / 1'000'000);
  out->set_nanos(0);
}

// The one violation of an event, with its whole message.
void ExpectOnly(const v1::Event& event, std::string_view field, std::string_view rule,
                std::string_view message, std::string_view fix) {
  const std::vector<Violation> violations = Violations(event);
  ASSERT_EQ(violations.size(), 1u) << ::testing::PrintToString(Short(violations));
  EXPECT_EQ(violations[0].field, field);
  EXPECT_EQ(violations[0].rule, rule);
  EXPECT_EQ(violations[0].message, message);
  EXPECT_THAT(violations[0].fix, HasSubstr(fix));
}

TEST(Validate, AcceptsEverySampleWithoutWarning) {
  for (const SampleEvent& sample : SampleEvents()) {
    auto result = Validate(sample.event, SampleNow());
    const auto* valid = std::get_if<ValidEvent>(&result);
    ASSERT_NE(valid, nullptr) << sample.name << ": "
                              << ::testing::PrintToString(
                                     Short(std::get<Refusal>(result).violations));
    EXPECT_THAT(Short(valid->warnings), IsEmpty()) << sample.name;
    EXPECT_EQ(valid->canonical, Canonical(sample.event));
    EXPECT_EQ(valid->kind, static_cast<uint32_t>(sample.event.payload_case()));
    EXPECT_EQ(valid->event.event_id(), sample.event.event_id());
  }
}

TEST(Validate, AcceptsTheSmallestWeighing) {
  v1::Event event;
  event.set_event_id("5a3b1e00-0000-4000-8000-000000000001");
  event.mutable_facility()->set_system("kemenkes");
  event.mutable_facility()->set_code("P7324020101");
  event.mutable_unit()->set_kind(v1::UNIT_KIND_POSYANDU);
  event.mutable_recorder()->set_id("kader-12");
  event.mutable_recorder()->set_role(v1::RECORDER_ROLE_KADER);
  event.mutable_subject()->add_identities()->mutable_nik()->set_number("7324021203240001");
  event.mutable_occurred_at()->mutable_time()->set_seconds(1'770'000'000);
  event.mutable_occurred_at()->set_utc_offset_min(480);
  event.mutable_occurred_at()->set_precision(v1::TIME_PRECISION_DAY);
  event.mutable_recorded_at()->set_seconds(1'770'000'000);
  event.set_purpose(v1::PURPOSE_PRODUCTION);
  event.mutable_visit()->set_encounter_class(v1::ENCOUNTER_CLASS_AMBULATORY);
  event.mutable_visit()->set_weight_g(10'250);
  EXPECT_THAT(Short(Violations(event)), IsEmpty());
  EXPECT_THAT(Short(Warnings(event)), IsEmpty());
}

TEST(Validate, ReportsEverythingThatIsMissingAtOnce) {
  EXPECT_THAT(
      Short(Violations(v1::Event())),
      ElementsAre("event_id field.required", "facility field.required", "unit field.required",
                  "recorder field.required", "subject field.required", "occurred_at field.required",
                  "recorded_at field.required", "purpose enum.unspecified",
                  "payload field.required"));
}

TEST(Validate, RefusesAMissingSubject) {
  ExpectOnly(Changed("weighing", [](v1::Event& e) { e.clear_subject(); }), "subject",
             "field.required", "a field that every such event needs is missing", "send the field");
}

TEST(Validate, RefusesAnImpossibleNik) {
  const std::string_view cases[][2] = {
      {"732402120324000", "nik.digits"},   {"73240212032400011", "nik.digits"},
      {"732402120324000x", "nik.digits"},  {"", "nik.digits"},
      {"7324021213240001", "nik.month"},   {"7324021200240001", "nik.month"},
      {"7324020003240001", "nik.day"},     {"7324023203240001", "nik.day"},
      {"7324024003240001", "nik.day"},     {"7324027203240001", "nik.day"},
      {"7324021203240000", "nik.serial"},  {"9924021203240001", "nik.province"},
      {"0024021203240001", "nik.province"}};
  for (const auto& [nik, rule] : cases) {
    const auto violations = Violations(Changed("weighing", [&](v1::Event& e) {
      e.mutable_subject()->mutable_identities(0)->mutable_nik()->set_number(std::string(nik));
    }));
    EXPECT_THAT(Short(violations),
                ElementsAre("subject.identities[0].nik.number " + std::string(rule)));
    for (const Violation& v : violations) {
      EXPECT_FALSE(v.message.empty());
      if (!nik.empty()) {
        EXPECT_THAT(v.message + v.fix, Not(HasSubstr(std::string(nik))));
      }
    }
  }
  ExpectOnly(Changed("weighing",
                     [&](v1::Event& e) {
                       e.mutable_subject()->mutable_identities(0)->mutable_nik()->set_number("1");
                     }),
             "subject.identities[0].nik.number", "nik.digits", "a NIK does not have 16 digits",
             "write all 16 digits");
}

TEST(Validate, AcceptsADoubtfulNikWithAWarning) {
  const std::string_view cases[][2] = {{"7324021303240001", "nik.birth_date"},
                                       {"7324021203230001", "nik.birth_date"},
                                       {"7324025203240001", "nik.sex"},
                                       {"7300021203240001", "nik.region"},
                                       {"7324001203240001", "nik.region"}};
  for (const auto& [nik, rule] : cases) {
    EXPECT_THAT(Short(Warnings(
                    Changed("weighing",
                            [&](v1::Event& e) {
                              e.mutable_subject()->mutable_identities(0)->mutable_nik()->set_number(
                                  std::string(nik));
                            }))),
                ElementsAre("subject.identities[0].nik.number " + std::string(rule)));
  }
}

TEST(Validate, RefusesWeightsThatNobodyHas) {
  for (uint32_t weight : {0u, 12u, 199u, 500'001u, 900'000u}) {
    ExpectOnly(Changed("weighing", [&](v1::Event& e) { e.mutable_visit()->set_weight_g(weight); }),
               "visit.weight_g", "measurement.range",
               "a measurement is beyond anything possible: 200 to 500000 g", "check the number");
  }
  for (uint32_t weight : {200u, 599u, 200'001u, 500'000u}) {
    EXPECT_THAT(Short(Warnings(Changed(
                    "weighing", [&](v1::Event& e) { e.mutable_visit()->set_weight_g(weight); }))),
                ElementsAre("visit.weight_g measurement.unusual"));
  }
}

TEST(Validate, TellsATimeALittleAheadFromOneFarAhead) {
  const auto at = [](base::Time time) {
    return Changed("weighing", [&](v1::Event& e) {
      Set(time, e.mutable_occurred_at()->mutable_time());
      Set(time, e.mutable_recorded_at());
    });
  };
  using std::chrono::hours;
  using std::chrono::seconds;
  EXPECT_THAT(Short(Warnings(at(SampleNow()))), IsEmpty());
  EXPECT_THAT(Short(Warnings(at(SampleNow() + seconds(1)))),
              ElementsAre("occurred_at.time time.ahead", "recorded_at time.ahead"));
  EXPECT_THAT(Short(Warnings(at(SampleNow() + hours(24)))),
              ElementsAre("occurred_at.time time.ahead", "recorded_at time.ahead"));
  const auto violations = Violations(at(SampleNow() + hours(24) + seconds(1)));
  EXPECT_THAT(Short(violations),
              ElementsAre("occurred_at.time time.too_far_ahead", "recorded_at time.too_far_ahead"));
  EXPECT_EQ(violations[0].message, "a time lies more than 24 hours ahead");
  EXPECT_THAT(violations[0].fix, HasSubstr("set the clock of the device right"));
}

TEST(Validate, TakesTheDayAloneWhereTheTimeOfDayMeansNothing) {
  const v1::Event event = Changed("weighing", [](v1::Event& e) {
    // 2026-03-01 23:59 local on the morning of that day.
    Set(simpul::testing::SampleTime("2026-03-01T23:59"), e.mutable_occurred_at()->mutable_time());
    e.mutable_occurred_at()->set_precision(v1::TIME_PRECISION_DAY);
    Set(simpul::testing::SampleTime("2026-03-01T07:30"), e.mutable_recorded_at());
  });
  EXPECT_THAT(Short(Warnings(event, simpul::testing::SampleTime("2026-03-01T08:00"))), IsEmpty());
}

TEST(Validate, RefusesATimeBeforeBirth) {
  ExpectOnly(
      Changed("weighing", [](v1::Event& e) { e.mutable_subject()->set_birth_date("2026-01-07"); }),
      "occurred_at.time", "time.before_birth", "a time or day lies before the subject's birth",
      "correct it or the birth date");
  // Born on that very day, by the clock on the wall there.
  EXPECT_THAT(
      Short(Violations(Changed(
          "weighing", [](v1::Event& e) { e.mutable_subject()->set_birth_date("2026-01-06"); }))),
      IsEmpty());
}

TEST(Validate, RefusesATimeBefore2000) {
  const base::Time last = base::Time(std::chrono::sys_days(std::chrono::year(1999) / 12 / 31));
  ExpectOnly(Changed("elder_visit",
                     [&](v1::Event& e) { Set(last, e.mutable_occurred_at()->mutable_time()); }),
             "occurred_at.time", "time.before_2000", "a time lies before 2000-01-01",
             "check the clock of the device");
}

TEST(Validate, RefusesAnEventIdThatIsNoLowerCaseUuid) {
  for (std::string_view id : {"1", "7324021203240001", "5A3B1E00-0000-4000-8000-000000000001",
                              "00000000-0000-0000-0000-000000000000"}) {
    const v1::Event event =
        Changed("weighing", [&](v1::Event& e) { e.set_event_id(std::string(id)); });
    ExpectOnly(event, "event_id", "id.uuid", "an event id is no lower-case UUID",
               "make a random UUID");
    EXPECT_EQ(std::get<Refusal>(Validate(event, SampleNow())).event_id, "")
        << "what is no UUID may be a NIK and is not given back";
  }
}

TEST(Validate, RefusesIdsThatLookLikeANik) {
  const std::string nik = "7324021203240001";
  const std::pair<std::string_view, std::function<void(v1::Event&)>> cases[] = {
      {"device.id", [&](v1::Event& e) { e.mutable_device()->set_id(nik); }},
      {"device.id", [&](v1::Event& e) { e.mutable_device()->set_id("hp 7324-0212.0324 0001"); }},
      {"facility.code", [&](v1::Event& e) { e.mutable_facility()->set_code(nik); }},
      {"unit.code", [&](v1::Event& e) { e.mutable_unit()->set_code("x" + nik); }},
      {"recorder.id", [&](v1::Event& e) { e.mutable_recorder()->set_id(nik); }},
      {"visit_id", [&](v1::Event& e) { e.set_visit_id(nik); }},
      {"session_id", [&](v1::Event& e) { e.set_session_id(nik); }},
      {"visit.pregnancy_id", [&](v1::Event& e) { e.mutable_visit()->set_pregnancy_id(nik); }},
      {"visit.devices[0].serial",
       [&](v1::Event& e) { e.mutable_visit()->mutable_devices(0)->set_serial(nik); }},
      {"responsible.practitioner_id",
       [&](v1::Event& e) { e.mutable_responsible()->set_practitioner_id(nik); }},
  };
  for (const auto& [field, change] : cases) {
    ExpectOnly(Changed("growth_visit", change), field, "id.nik_like",
               "an id looks like an identity number", "use an id that says nothing about a person");
  }
  ExpectOnly(Changed("referral_sent", [&](v1::Event& e) { e.mutable_referral()->set_number(nik); }),
             "referral.number", "id.nik_like", "an id looks like an identity number", "use an id");
  for (std::string_view id :
       {"12345678-1234-4234-8234-123456789012", "urn:uuid:1234567f-1234-4234-8234-1234567890AB",
        "0f12345678901234567890abcdef0123", "2026/02/03/000123", "posyandu-3/2026-02-03"}) {
    EXPECT_THAT(Short(Violations(Changed(
                    "growth_visit", [&](v1::Event& e) { e.set_session_id(std::string(id)); }))),
                IsEmpty())
        << id;
  }
}

struct Case {
  std::string_view sample;
  std::function<void(v1::Event&)> change;
  std::string_view found;  // "field rule"
};

TEST(Validate, RefusesWhatTheEnvelopeMustNotBe) {
  const Case cases[] = {
      {"weighing", [](auto& e) { e.mutable_unit()->clear_kind(); }, "unit.kind enum.unspecified"},
      {"weighing", [](auto& e) { e.mutable_recorder()->clear_id(); }, "recorder.id field.required"},
      {"weighing", [](auto& e) { e.mutable_recorder()->clear_role(); },
       "recorder.role enum.unspecified"},
      {"weighing", [](auto& e) { e.mutable_responsible(); }, "responsible field.required"},
      {"weighing", [](auto& e) { e.mutable_responsible()->set_nik("12"); },
       "responsible.nik nik.digits"},
      {"weighing", [](auto& e) { e.mutable_facility()->set_system("Kemenkes"); },
       "facility.system facility.system"},
      {"weighing", [](auto& e) { e.mutable_facility()->clear_system(); },
       "facility.system field.required"},
      {"weighing", [](auto& e) { e.mutable_facility()->clear_code(); },
       "facility.code field.required"},
      {"weighing", [](auto& e) { e.mutable_facility()->set_code("P 1"); },
       "facility.code id.shape"},
      {"weighing", [](auto& e) { e.set_visit_id("a b"); }, "visit_id id.shape"},
      {"weighing", [](auto& e) { e.set_visit_id(std::string(129, 'a')); },
       "visit_id text.too_long"},
      {"weighing", [](auto& e) { e.mutable_occurred_at()->clear_time(); },
       "occurred_at.time field.required"},
      {"weighing", [](auto& e) { e.mutable_occurred_at()->clear_utc_offset_min(); },
       "occurred_at.utc_offset_min field.required"},
      {"weighing", [](auto& e) { e.mutable_occurred_at()->set_utc_offset_min(900); },
       "occurred_at.utc_offset_min time.offset"},
      {"weighing", [](auto& e) { e.mutable_occurred_at()->set_utc_offset_min(421); },
       "occurred_at.utc_offset_min time.offset"},
      {"weighing", [](auto& e) { e.mutable_occurred_at()->clear_precision(); },
       "occurred_at.precision enum.unspecified"},
      {"weighing", [](auto& e) { e.mutable_recorded_at()->set_nanos(-1); },
       "recorded_at time.malformed"},
      {"weighing", [](auto& e) { e.mutable_recorded_at()->set_seconds(INT64_MAX); },
       "recorded_at time.malformed"},
      {"weighing", [](auto& e) { e.clear_purpose(); }, "purpose enum.unspecified"},
      {"weighing", [](auto& e) { e.clear_payload(); }, "payload field.required"},
      {"growth_visit", [](auto& e) { e.mutable_ended_at()->set_seconds(1'769'000'000); },
       "ended_at time.ended_before_started"},
      {"growth_visit",
       [](auto& e) { e.mutable_place()->mutable_address()->set_village_system(""); },
       "place.address.village_system village.system"},
      {"growth_visit",
       [](auto& e) { e.mutable_place()->mutable_address()->set_village_system("podes"); },
       "place.address.village_system village.system"},
      {"growth_visit",
       [](auto& e) { e.mutable_place()->mutable_address()->set_village_code("7324022003"); },
       "place.address.village_code village.shape"},
      {"growth_visit", [](auto& e) { e.mutable_place()->mutable_address()->set_rw("II"); },
       "place.address.rw rt_rw.digits"},
      {"growth_visit", [](auto& e) { e.mutable_place()->mutable_address()->set_rt("12345"); },
       "place.address.rt rt_rw.digits"},
      {"growth_visit", [](auto& e) { e.mutable_place()->set_name("a\x01"); },
       "place.name text.control"},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(Short(Violations(Changed(c.sample, c.change))), ElementsAre(std::string(c.found)));
  }
}

TEST(Validate, RefusesWhatASubjectMustNotBe) {
  const auto identity = [](v1::Event& e) { return e.mutable_subject()->mutable_identities(0); };
  const Case cases[] = {
      {"weighing", [](auto& e) { e.mutable_subject()->clear_identities(); },
       "subject.identities field.required"},
      {"weighing", [](auto& e) { e.mutable_subject()->mutable_identities(0)->Clear(); },
       "subject.identities[0] field.required"},
      {"weighing",
       [](auto& e) {
         for (int i = 0; i < 7; ++i) {
           *e.mutable_subject()->add_identities() = e.subject().identities(1);
         }
       },
       "subject.identities list.too_long"},
      {"newborn_visit", [&](auto& e) { identity(e)->mutable_newborn()->set_birth_order(0); },
       "subject.identities[0].newborn.birth_order newborn.order"},
      {"newborn_visit", [&](auto& e) { identity(e)->mutable_newborn()->set_birth_order(10); },
       "subject.identities[0].newborn.birth_order newborn.order"},
      {"newborn_visit", [&](auto& e) { identity(e)->mutable_newborn()->set_mother_nik("1"); },
       "subject.identities[0].newborn.mother_nik nik.digits"},
      {"newborn_visit", [&](auto& e) { identity(e)->mutable_newborn()->clear_birth_date(); },
       "subject.identities[0].newborn.birth_date field.required"},
      {"newborn_visit",
       [&](auto& e) { identity(e)->mutable_newborn()->set_birth_date("20-02-2026"); },
       "subject.identities[0].newborn.birth_date day.shape"},
      {"newborn_visit",
       [&](auto& e) { identity(e)->mutable_newborn()->set_birth_date("2026-02-21"); },
       "subject.identities[0].newborn.birth_date day.after_event"},
      {"traveller_visit", [&](auto& e) { identity(e)->mutable_passport()->set_country("NL"); },
       "subject.identities[0].passport.country passport.country"},
      {"traveller_visit", [&](auto& e) { identity(e)->mutable_passport()->set_number("X 1"); },
       "subject.identities[0].passport.number passport.number"},
      {"elder_visit",
       [&](auto& e) {
         e.mutable_subject()->mutable_identities(1)->mutable_card()->set_number("2035020396");
       },
       "subject.identities[1].card.number card.digits"},
      {"weighing",
       [&](auto& e) {
         e.mutable_subject()->mutable_identities(1)->mutable_local()->set_number("  ");
       },
       "subject.identities[1].local.number field.required"},
      {"weighing",
       [&](auto& e) {
         e.mutable_subject()->mutable_identities(1)->mutable_local()->clear_facility();
       },
       "subject.identities[1].local.facility field.required"},
      {"weighing",
       [&](auto& e) {
         e.mutable_subject()->mutable_identities(1)->mutable_local()->clear_system();
       },
       "subject.identities[1].local.system field.required"},
      {"weighing", [&](auto& e) { e.mutable_subject()->set_birth_date("2024-02-30"); },
       "subject.birth_date day.shape"},
      {"weighing", [&](auto& e) { e.mutable_subject()->set_family_card("123"); },
       "subject.family_card family_card.digits"},
      {"weighing", [&](auto& e) { e.mutable_subject()->set_name(std::string(201, 'a')); },
       "subject.name text.too_long"},
      {"weighing", [&](auto& e) { e.mutable_subject()->mutable_residence()->set_rt("x"); },
       "subject.residence.rt rt_rw.digits"},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(Short(Violations(Changed(c.sample, c.change))), ElementsAre(std::string(c.found)));
  }
  EXPECT_THAT(
      Short(Violations(Changed(
          "elder_visit", [](auto& e) { e.mutable_subject()->set_birth_date("1899-12-31"); }))),
      ElementsAre("subject.birth_date birth_date.range"));
}

TEST(Validate, RefusesWhatAPayloadMustNotBe) {
  const Case cases[] = {
      {"weighing", [](auto& e) { e.mutable_visit()->clear_encounter_class(); },
       "visit.encounter_class enum.unspecified"},
      {"growth_visit", [](auto& e) { e.mutable_visit()->set_length_mm(84); },
       "visit.length_mm measurement.range"},
      {"growth_visit", [](auto& e) { e.mutable_visit()->set_temperature_dc(37); },
       "visit.temperature_dc measurement.range"},
      {"outpatient_visit", [](auto& e) { e.mutable_visit()->set_spo2_percent(101); },
       "visit.spo2_percent measurement.range"},
      {"outpatient_visit", [](auto& e) { e.mutable_visit()->mutable_complaints(0)->Clear(); },
       "visit.complaints[0].text field.required"},
      {"outpatient_visit",
       [](auto& e) { e.mutable_visit()->mutable_complaints(0)->set_since("kemarin"); },
       "visit.complaints[0].since day.shape"},
      {"outpatient_visit", [](auto& e) { e.mutable_visit()->mutable_diagnoses(1)->clear_code(); },
       "visit.diagnoses[1].code field.required"},
      {"outpatient_visit",
       [](auto& e) { e.mutable_visit()->mutable_diagnoses(0)->mutable_code()->set_code("A099"); },
       "visit.diagnoses[0].code.code icd10.shape"},
      {"outpatient_visit",
       [](auto& e) { e.mutable_visit()->mutable_diagnoses(0)->mutable_code()->set_code("a09.9"); },
       "visit.diagnoses[0].code.code icd10.shape"},
      {"outpatient_visit",
       [](auto& e) {
         e.mutable_visit()->mutable_diagnoses(0)->mutable_code()->set_system(
             "http://snomed.info/sct");
       },
       "visit.diagnoses[0].code.system icd10.system"},
      {"antenatal_visit",
       [](auto& e) { e.mutable_visit()->mutable_observations(1)->clear_value(); },
       "visit.observations[1].value field.required"},
      {"antenatal_visit", [](auto& e) { e.mutable_visit()->mutable_observations(1)->clear_code(); },
       "visit.observations[1].code field.required"},
      {"antenatal_visit",
       [](auto& e) {
         e.mutable_visit()->mutable_observations(1)->mutable_quantity()->set_value("11,8");
       },
       "visit.observations[1].quantity.value decimal.shape"},
      {"antenatal_visit",
       [](auto& e) {
         e.mutable_visit()->mutable_observations(1)->mutable_quantity()->set_value("1e3");
       },
       "visit.observations[1].quantity.value decimal.shape"},
      {"antenatal_visit",
       [](auto& e) {
         e.mutable_visit()->mutable_observations(1)->mutable_quantity()->clear_unit();
       },
       "visit.observations[1].quantity.unit field.required"},
      {"antenatal_visit",
       [](auto& e) {
         e.mutable_visit()->mutable_observations(1)->mutable_quantity()->set_unit("g per dL");
       },
       "visit.observations[1].quantity.unit unit.shape"},
      {"antenatal_visit",
       [](auto& e) {
         e.mutable_visit()->mutable_observations(1)->mutable_code()->set_system("loinc");
       },
       "visit.observations[1].code.system code.system"},
      {"antenatal_visit",
       [](auto& e) {
         e.mutable_visit()->mutable_observations(1)->mutable_code()->set_code("718-7 ");
       },
       "visit.observations[1].code.code code.shape"},
      {"home_visit_done", [](auto& e) { e.mutable_visit()->mutable_danger_signs(0)->clear_code(); },
       "visit.danger_signs[0].code field.required"},
      {"home_visit_done", [](auto& e) { e.mutable_visit()->mutable_home_visit()->clear_outcome(); },
       "visit.home_visit.outcome enum.unspecified"},
      {"weighing",
       [](auto& e) {
         for (int i = 0; i < 17; ++i) e.mutable_visit()->add_devices()->set_kind("scale");
       },
       "visit.devices list.too_long"},
      {"immunisation_given", [](auto& e) { e.mutable_immunisation()->set_dose(0); },
       "immunisation.dose dose.range"},
      {"immunisation_given", [](auto& e) { e.mutable_immunisation()->set_antigen("Campak"); },
       "immunisation.antigen antigen.shape"},
      {"immunisation_given", [](auto& e) { e.mutable_immunisation()->clear_antigen(); },
       "immunisation.antigen field.required"},
      {"immunisation_given", [](auto& e) { e.mutable_immunisation()->clear_status(); },
       "immunisation.status enum.unspecified"},
      {"immunisation_given",
       [](auto& e) {
         e.mutable_immunisation()->set_not_given_reason(v1::NOT_GIVEN_REASON_REFUSED);
       },
       "immunisation.not_given_reason dose.status"},
      {"immunisation_given", [](auto& e) { e.mutable_immunisation()->set_given_on("2026-02-02"); },
       "immunisation.given_on dose.status"},
      {"immunisation_given", [](auto& e) { e.mutable_immunisation()->set_kfa_code("KFA1"); },
       "immunisation.kfa_code kfa.digits"},
      {"immunisation_given",
       [](auto& e) { e.mutable_immunisation()->mutable_amount()->set_value("0.0"); },
       "immunisation.amount.value quantity.negative"},
      {"immunisation_reported",
       [](auto& e) { e.mutable_immunisation()->set_given_on("2026-02-04"); },
       "immunisation.given_on day.after_event"},
      {"immunisation_reported",
       [](auto& e) { e.mutable_immunisation()->set_given_on("2024-03-11"); },
       "immunisation.given_on time.before_birth"},
      {"immunisation_not_given",
       [](auto& e) { e.mutable_immunisation()->clear_not_given_reason(); },
       "immunisation.not_given_reason enum.unspecified"},
      {"vitamin_a", [](auto& e) { e.mutable_supplement()->clear_kind(); },
       "supplement.kind enum.unspecified"},
      {"vitamin_a", [](auto& e) { e.mutable_supplement()->mutable_quantity()->set_value("-1"); },
       "supplement.quantity.value quantity.negative"},
      {"medicine",
       [](auto& e) {
         e.mutable_supplement()->clear_name();
         e.mutable_supplement()->clear_kfa_code();
       },
       "supplement.name medicine.unnamed"},
      {"lab_quantity", [](auto& e) { e.mutable_lab_result()->clear_value(); },
       "lab_result.value field.required"},
      {"lab_quantity", [](auto& e) { e.mutable_lab_result()->clear_code(); },
       "lab_result.code field.required"},
      {"lab_quantity", [](auto& e) { e.mutable_lab_result()->mutable_range()->set_low("<11"); },
       "lab_result.range.low decimal.shape"},
      {"mental_screening", [](auto& e) { e.mutable_screening()->clear_tool(); },
       "screening.tool field.required"},
      {"mental_screening", [](auto& e) { e.mutable_screening()->set_tool("srq-20"); },
       "screening.tool tool.shape"},
      {"mental_screening",
       [](auto& e) { e.mutable_screening()->mutable_answers(4)->clear_link_id(); },
       "screening.answers[4].link_id field.required"},
      {"tuberculosis_screening",
       [](auto& e) { e.mutable_screening()->mutable_answers(2)->set_date("2026-13-01"); },
       "screening.answers[2].date day.shape"},
      {"elder_screening", [](auto& e) { e.mutable_screening()->set_platform_questionnaire("Q/1"); },
       "screening.platform_questionnaire questionnaire.shape"},
      {"mental_screening",
       [](auto& e) {
         e.mutable_screening()->Clear();
         e.mutable_screening()->set_tool("SRQ-20");
       },
       "screening screening.empty"},
      {"referral_sent", [](auto& e) { e.mutable_referral()->clear_number(); },
       "referral.number field.required"},
      {"referral_sent", [](auto& e) { e.mutable_referral()->clear_state(); },
       "referral.state enum.unspecified"},
      {"referral_sent", [](auto& e) { e.mutable_referral()->clear_from(); },
       "referral.from field.required"},
      {"referral_sent", [](auto& e) { e.mutable_referral()->clear_to(); },
       "referral.to field.required"},
      {"referral_sent", [](auto& e) { e.mutable_referral()->clear_reason(); },
       "referral.reason field.required"},
      {"referral_proposed", [](auto& e) { e.mutable_referral()->clear_urgency(); },
       "referral.urgency enum.unspecified"},
      {"referral_proposed", [](auto& e) { e.mutable_referral()->set_evidence_event_ids(0, "tb"); },
       "referral.evidence_event_ids[0] id.uuid"},
      {"referral_accepted",
       [](auto& e) { e.mutable_referral()->set_state(v1::REFERRAL_STATE_REJECTED); },
       "referral.reason field.required"},
      {"referral_accepted",
       [](auto& e) { e.mutable_referral()->mutable_other_numbers(0)->clear_number(); },
       "referral.other_numbers[0].number field.required"},
      {"referral_sent", [](auto& e) { e.mutable_referral()->set_insurance_card("1"); },
       "referral.insurance_card card.digits"},
      {"pregnancy_opened", [](auto& e) { e.mutable_pregnancy()->clear_pregnancy_id(); },
       "pregnancy.pregnancy_id field.required"},
      {"pregnancy_opened", [](auto& e) { e.mutable_pregnancy()->clear_state(); },
       "pregnancy.state enum.unspecified"},
      {"pregnancy_opened", [](auto& e) { e.mutable_pregnancy()->set_lmp("2026-02-07"); },
       "pregnancy.lmp day.after_event"},
      {"pregnancy_opened", [](auto& e) { e.mutable_pregnancy()->set_edd("2025-07-15"); },
       "pregnancy.edd pregnancy.dates"},
      {"pregnancy_opened", [](auto& e) { e.mutable_pregnancy()->set_gravida(0); },
       "pregnancy.gravida count.range"},
      {"pregnancy_opened",
       [](auto& e) { e.mutable_pregnancy()->set_outcome(v1::PREGNANCY_OUTCOME_LIVE_BIRTH); },
       "pregnancy.outcome pregnancy.outcome"},
      {"pregnancy_closed", [](auto& e) { e.mutable_pregnancy()->clear_outcome(); },
       "pregnancy.outcome enum.unspecified"},
      {"twin_birth", [](auto& e) { e.mutable_birth()->clear_babies(); },
       "birth.babies field.required"},
      {"twin_birth", [](auto& e) { e.mutable_birth()->mutable_babies(1)->set_order(1); },
       "birth.babies birth.order"},
      {"twin_birth", [](auto& e) { e.mutable_birth()->mutable_babies(1)->set_order(3); },
       "birth.babies birth.order"},
      {"twin_birth", [](auto& e) { e.mutable_birth()->mutable_babies(0)->clear_alive(); },
       "birth.babies[0].alive field.required"},
      {"twin_birth", [](auto& e) { e.mutable_birth()->mutable_babies(0)->set_weight_g(19); },
       "birth.babies[0].weight_g measurement.range"},
      {"child_registered",
       [](auto& e) {
         *e.mutable_patient_registered()->mutable_mother() = e.subject().identities(0);
       },
       "patient_registered.mother link.same"},
      {"newborn_linked", [](auto& e) { e.mutable_patient_linked()->clear_other(); },
       "patient_linked.other field.required"},
      {"newborn_linked",
       [](auto& e) { *e.mutable_patient_linked()->mutable_other() = e.subject().identities(0); },
       "patient_linked.other link.same"},
      {"newborn_unlinked", [](auto& e) { e.mutable_patient_unlinked()->clear_link_event_id(); },
       "patient_unlinked.link_event_id field.required"},
      {"died", [](auto& e) { e.mutable_patient_status()->clear_status(); },
       "patient_status.status enum.unspecified"},
      {"died", [](auto& e) { e.mutable_patient_status()->clear_on(); },
       "patient_status.on field.required"},
      {"died", [](auto& e) { e.mutable_patient_status()->set_on("2026-02-26"); },
       "patient_status.on day.after_event"},
      {"consent_given", [](auto& e) { e.mutable_consent()->clear_state(); },
       "consent.state enum.unspecified"},
      {"consent_given", [](auto& e) { e.mutable_consent()->clear_scope(); },
       "consent.scope field.required"},
      {"sharing_restricted", [](auto& e) { e.mutable_restriction()->clear_restricted(); },
       "restriction.restricted field.required"},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(Short(Violations(Changed(c.sample, c.change))), ElementsAre(std::string(c.found)));
  }
}

TEST(Validate, RefusesWhatACorrectionMustNotBe) {
  const auto replacement = [](v1::Event& e) {
    return e.mutable_correction()->mutable_replacement();
  };
  const Case cases[] = {
      {"weighing_corrected", [](auto& e) { e.mutable_correction()->clear_reason(); },
       "correction.reason field.required"},
      {"weighing_corrected", [](auto& e) { e.mutable_correction()->clear_replacement(); },
       "correction.replacement field.required"},
      {"weighing_corrected",
       [&](auto& e) { replacement(e)->set_event_id(simpul::testing::SampleEventId(99)); },
       "correction.replacement.event_id correction.event_id"},
      {"weighing_corrected", [&](auto& e) { replacement(e)->mutable_facility()->set_code("P2"); },
       "correction.replacement.facility correction.facility"},
      {"weighing_corrected",
       [&](auto& e) { *replacement(e)->mutable_subject() = simpul::testing::SampleElder(); },
       "correction.replacement.subject correction.subject"},
      {"weighing_corrected", [&](auto& e) { e.set_visit_id("another"); },
       "correction.replacement.visit_id correction.visit"},
      {"weighing_corrected", [&](auto& e) { replacement(e)->set_purpose(v1::PURPOSE_TRAINING); },
       "correction.replacement.purpose correction.purpose"},
      {"weighing_corrected",
       [&](auto& e) { replacement(e)->mutable_retraction()->set_original_event_id(e.event_id()); },
       "correction.replacement.retraction correction.nested"},
      {"weighing_corrected",
       [&](auto& e) { replacement(e)->mutable_correction()->set_reason("again"); },
       "correction.replacement.correction correction.nested"},
      {"weighing_corrected", [&](auto& e) { replacement(e)->clear_payload(); },
       "correction.replacement.payload field.required"},
      {"weighing_corrected", [&](auto& e) { replacement(e)->mutable_visit()->set_weight_g(0); },
       "correction.replacement.visit.weight_g measurement.range"},
      {"weighing_corrected",
       [&](auto& e) { replacement(e)->mutable_device()->set_id("7324021203240001"); },
       "correction.replacement.device.id id.nik_like"},
      {"immunisation_retracted", [](auto& e) { e.mutable_retraction()->clear_reason(); },
       "retraction.reason field.required"},
      {"immunisation_retracted",
       [](auto& e) { e.mutable_retraction()->set_original_event_id("9"); },
       "retraction.original_event_id id.uuid"},
      {"immunisation_retracted",
       [](auto& e) { e.mutable_retraction()->set_original_event_id(e.event_id()); },
       "retraction.original_event_id amendment.self"},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(Short(Violations(Changed(c.sample, c.change))), ElementsAre(std::string(c.found)));
  }
  // The same child, named with one identity less and in other letters.
  EXPECT_THAT(Short(Violations(
                  Changed("weighing_corrected",
                          [&](v1::Event& e) {
                            replacement(e)->mutable_subject()->mutable_identities()->RemoveLast();
                          }))),
              IsEmpty());
}

TEST(Validate, WarnsOfWhatIsWorthALook) {
  const Case cases[] = {
      {"weighing", [](auto& e) { e.mutable_occurred_at()->set_utc_offset_min(0); },
       "occurred_at.utc_offset_min time.offset_unusual"},
      {"weighing", [](auto& e) { e.mutable_recorded_at()->set_seconds(1'767'000'000); },
       "recorded_at time.recorded_before"},
      {"weighing", [](auto& e) { e.mutable_subject()->set_phone("0811-1234"); },
       "subject.phone phone.shape"},
      {"weighing",
       [](auto& e) {
         e.mutable_subject()->add_identities()->mutable_nik()->set_number("7324021203240009");
       },
       "subject.identities[2] nik.two"},
      {"weighing",
       [](auto& e) {
         e.mutable_subject()->mutable_identities(1)->mutable_local()->set_number(
             "7324021203240001");
       },
       "subject.identities[1].local.number local.nik_like"},
      {"traveller_visit", [](auto& e) { e.mutable_subject()->clear_name(); },
       "subject subject.no_lookup"},
      {"newborn_visit", [](auto& e) { e.mutable_subject()->set_birth_date("2026-02-19"); },
       "subject.identities[0].newborn.birth_date newborn.birth_date_differs"},
      {"elder_visit", [](auto& e) { e.mutable_visit()->set_diastolic_mmhg(146); },
       "visit.diastolic_mmhg pressure.order"},
      {"elder_visit", [](auto& e) { e.mutable_visit()->clear_diastolic_mmhg(); },
       "visit.diastolic_mmhg pressure.alone"},
      {"elder_visit", [](auto& e) { e.mutable_visit()->clear_length_mm(); },
       "visit.position length.position_alone"},
      {"outpatient_visit",
       [](auto& e) { e.mutable_visit()->mutable_diagnoses(0)->mutable_code()->set_code("A09"); },
       "visit.diagnoses[0].code.code icd10.three_characters"},
      {"outpatient_visit",
       [](auto& e) {
         e.mutable_visit()->mutable_diagnoses(1)->set_rank(v1::DIAGNOSIS_RANK_PRIMARY);
       },
       "visit.diagnoses[1].rank diagnosis.two_primary"},
      {"home_visit_refused", [](auto& e) { e.mutable_visit()->set_weight_g(50'000); },
       "visit.home_visit.outcome home_visit.not_made"},
      {"home_visit_refused",
       [](auto& e) { e.mutable_visit()->set_encounter_class(v1::ENCOUNTER_CLASS_AMBULATORY); },
       "visit.home_visit home_visit.class"},
      {"immunisation_given", [](auto& e) { e.mutable_immunisation()->clear_lot(); },
       "immunisation.lot dose.lot_missing"},
      {"immunisation_given", [](auto& e) { e.mutable_immunisation()->clear_dose(); },
       "immunisation.dose dose.number_missing"},
      {"immunisation_given", [](auto& e) { e.mutable_immunisation()->set_expiry("2026-02-02"); },
       "immunisation.expiry dose.expired"},
      {"immunisation_given", [](auto& e) { e.mutable_immunisation()->set_antigen("CAMPAK"); },
       "immunisation.antigen antigen.unknown"},
      {"immunisation_reported", [](auto& e) { e.mutable_immunisation()->clear_given_on(); },
       "immunisation.given_on dose.day_missing"},
      {"lab_quantity", [](auto& e) { e.mutable_lab_result()->mutable_range()->set_low("15"); },
       "lab_result.range range.order"},
      {"mental_screening",
       [](auto& e) { e.mutable_screening()->mutable_answers(4)->clear_value(); },
       "screening.answers[4] answer.empty"},
      {"referral_back", [](auto& e) { e.mutable_referral()->clear_reply(); },
       "referral.reply referral.reply_missing"},
      {"pregnancy_opened",
       [](auto& e) {
         e.mutable_pregnancy()->clear_lmp();
         e.mutable_pregnancy()->clear_edd();
       },
       "pregnancy.lmp pregnancy.dates_missing"},
      {"pregnancy_opened", [](auto& e) { e.mutable_pregnancy()->set_para(3); },
       "pregnancy.gravida pregnancy.gpa"},
      {"twin_birth", [](auto& e) { e.mutable_birth()->mutable_babies(0)->clear_sex(); },
       "birth.babies[0].sex birth.sex_unknown"},
      {"newborn_linked",
       [](auto& e) {
         e.mutable_patient_linked()->mutable_other()->mutable_card()->set_number("0002035020396");
       },
       "patient_linked.other link.weaker"},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(Short(Warnings(Changed(c.sample, c.change))), ElementsAre(std::string(c.found)));
  }
  EXPECT_THAT(Short(Warnings(Changed("pregnancy_opened",
                                     [](auto& e) { e.mutable_subject()->set_sex(v1::SEX_MALE); }))),
              Contains("subject.sex subject.sex"));
}

TEST(Validate, AcceptsCategoriesOfIcd10ThatHaveNoFourthCharacter) {
  EXPECT_THAT(Short(Warnings(Changed(
                  "outpatient_visit",
                  [](v1::Event& e) {
                    e.mutable_visit()->mutable_diagnoses(0)->mutable_code()->set_code("I10");
                  }))),
              IsEmpty());
}

TEST(Validate, AcceptsAKadersDiagnosisAndSaysItIsNone) {
  const auto warnings = Warnings(Changed("outpatient_visit", [](v1::Event& e) {
    e.mutable_recorder()->set_role(v1::RECORDER_ROLE_KADER);
  }));
  EXPECT_THAT(Short(warnings), ElementsAre("visit.diagnoses[0].code kader.diagnosis",
                                           "visit.diagnoses[1].code kader.diagnosis"));
  EXPECT_THAT(warnings[0].fix, HasSubstr("never sent as a diagnosis"));
}

TEST(Validate, BoundsWhatItAnswers) {
  const auto violations = Violations(Changed("mental_screening", [](v1::Event& e) {
    e.mutable_screening()->clear_answers();
    for (int i = 0; i < 300; ++i) e.mutable_screening()->add_answers()->set_date("x");
  }));
  ASSERT_EQ(violations.size(), 25u);
  EXPECT_EQ(violations.back().rule, "violations.more");
}

TEST(Rules, HaveNamesMeaningsAndFixes) {
  std::set<std::string_view> names;
  for (const Rule& rule : Rules()) {
    EXPECT_TRUE(names.insert(rule.name).second);
    EXPECT_FALSE(rule.meaning.empty()) << rule.name;
    EXPECT_FALSE(rule.fix.empty()) << rule.name;
  }
}

}  // namespace
}  // namespace simpul::event
