#include "tests/bench/weighings.h"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "lib/base/check.h"
#include "lib/base/status_macros.h"
#include "lib/event/validate.h"
#include "simpul/log/v1/log.pb.h"

namespace simpul::bench {

using event::v1::Event;

namespace {

std::string Uuid(uint64_t a, uint64_t b) {
  return fmt::format("{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}", a >> 32, (a >> 16) & 0xffff,
                     a & 0xfff, (b >> 48) & 0xfff, b & 0xffffffffffff);
}

}  // namespace

Event Weighing(size_t n, size_t patients) {
  const size_t patient = n % patients;
  const size_t turn = n / patients;
  Event event;
  event.set_event_id(Uuid(n * 0x9e3779b97f4a7c15, n));
  event.mutable_facility()->set_system("kemenkes");
  event.mutable_facility()->set_code("P7324020101");
  event.mutable_unit()->set_kind(event::v1::UNIT_KIND_POSYANDU);
  event.mutable_unit()->set_code("73240201010003");
  event.mutable_unit()->set_name("Posyandu Melati 3");
  event.mutable_recorder()->set_id("kader-0012");
  event.mutable_recorder()->set_role(event::v1::RECORDER_ROLE_KADER);
  event.mutable_responsible()->set_practitioner_id("10009880728");
  event::v1::Subject& subject = *event.mutable_subject();
  subject.add_identities()->mutable_nik()->set_number(
      fmt::format("732402{:06}{:04}", patient / 9'000 + 10'100, patient % 9'000 + 1));
  subject.set_name("Anak Percobaan Kecepatan");
  subject.set_sex(event::v1::SEX_MALE);
  subject.set_birth_date("2024-01-15");
  subject.mutable_residence()->set_village_system("kemendagri");
  subject.mutable_residence()->set_village_code("73.24.02.2003");
  subject.mutable_residence()->set_dusun("Melati");
  subject.mutable_residence()->set_rw("02");
  subject.mutable_residence()->set_rt("05");
  // Three of nine turns are one attendance.
  const size_t attendance = turn % 9 < 3 ? turn / 9 * 9 : turn;
  if (turn % 9 < 3) event.set_visit_id(fmt::format("melati-3/{}/anak-{}", attendance, patient));
  // Once a month, as a posyandu weighs.
  const int64_t when = 1'735'700'000 + static_cast<int64_t>(attendance) * 2'629'800 +
                       static_cast<int64_t>(turn % 9) * 60;
  event.mutable_occurred_at()->mutable_time()->set_seconds(when);
  event.mutable_occurred_at()->set_utc_offset_min(480);
  event.mutable_occurred_at()->set_precision(event::v1::TIME_PRECISION_MINUTE);
  event.mutable_recorded_at()->set_seconds(when + 3'600);
  event.set_session_id(fmt::format("melati-3-{}", attendance));
  event.set_channel(event::v1::CHANNEL_APP);
  event.set_purpose(event::v1::PURPOSE_PRODUCTION);
  event.mutable_device()->set_id("hp-kader-12");
  event.mutable_device()->set_sequence(n);
  event.mutable_visit()->set_encounter_class(event::v1::ENCOUNTER_CLASS_AMBULATORY);
  event.mutable_visit()->set_weight_g(static_cast<uint32_t>(4'000 + turn * 300 + n % 97));
  event.mutable_visit()->set_length_mm(static_cast<uint32_t>(520 + turn * 12 + n % 13));
  event.mutable_visit()->set_position(event::v1::MEASURING_POSITION_LYING);
  event.mutable_visit()->set_head_mm(static_cast<uint32_t>(360 + turn));
  return event;
}

eventlog::Draft DraftOf(const Event& event, const event::Secret& secret, int64_t received_at_us) {
  log::v1::LogRecord record;
  log::v1::AcceptedEvent& receipt = *record.mutable_event();
  receipt.set_event_id(event.event_id());
  *receipt.mutable_facility() = event.facility();
  receipt.set_kind(static_cast<uint32_t>(event.payload_case()));
  receipt.set_event(event::Canonical(event));
  receipt.set_digest(secret.DigestOf(receipt.event()));
  receipt.set_received_at_us(received_at_us);
  return {.topic = eventlog::Topic::kEvents,
          .key = std::string(secret.KeyOf(event.subject().identities(0))->view()),
          .value = record.SerializeAsString()};
}

void Fill(eventlog::EventLog& log, const event::Secret& secret, size_t events, size_t patients) {
  for (size_t n = 0; n < events;) {
    std::vector<eventlog::Draft> drafts;
    for (; n < events && drafts.size() < 2'000; ++n)
      drafts.push_back(DraftOf(Weighing(n, patients), secret));
    for (const eventlog::Appended& appended : eventlog::AppendAndWait(log, std::move(drafts))) {
      SIMPUL_CHECK(appended.ok(), "{}", base::Message(appended.status()));
    }
  }
}

}  // namespace simpul::bench
