#include "tests/timeline/stories.h"

#include <random>

#include "lib/base/clock.h"
#include "tests/support/sample_events.h"

namespace simpul::testing {

using event::v1::Event;

namespace {

void SetTime(base::Time time, google::protobuf::Timestamp* out) {
  const int64_t us = base::ToMicros(time);
  out->set_seconds(us / 1'000'000);
  out->set_nanos(static_cast<int32_t>(us % 1'000'000) * 1'000);
}

Event Amendment(uint64_t id, const Event& original, std::string_view recorded_at) {
  Event event = SampleEnvelope(id, original.subject(), recorded_at);
  *event.mutable_facility() = original.facility();
  SetTime(SampleTime(recorded_at), event.mutable_recorded_at());
  return event;
}

}  // namespace

Event Weighing(uint64_t id, std::string_view local_time, std::string_view visit_id,
               uint32_t weight_g) {
  Event event = SampleEnvelope(id, SampleChild(), local_time);
  event.set_visit_id(std::string(visit_id));
  event.mutable_visit()->set_encounter_class(event::v1::ENCOUNTER_CLASS_AMBULATORY);
  event.mutable_visit()->set_weight_g(weight_g);
  return event;
}

Event VitaminA(uint64_t id, std::string_view local_time, std::string_view visit_id) {
  Event event = SampleEnvelope(id, SampleChild(), local_time);
  event.set_visit_id(std::string(visit_id));
  *event.mutable_supplement() = SampleOf(event::Kind::kSupplement).supplement();
  return event;
}

Event Registration(uint64_t id, std::string_view local_time, std::string_view name) {
  Event event = SampleEnvelope(id, SampleChild(), local_time);
  event.mutable_subject()->set_name(std::string(name));
  event.mutable_patient_registered();
  return event;
}

Event Status(uint64_t id, std::string_view local_time, event::v1::LifeStatus status) {
  Event event = SampleEnvelope(id, SampleChild(), local_time);
  event.mutable_patient_status()->set_status(status);
  return event;
}

Event Kpsp(uint64_t id, std::string_view local_time, std::string_view result_text) {
  Event event = SampleEnvelope(id, SampleChild(), local_time);
  event.mutable_screening()->set_tool("KPSP");
  event.mutable_screening()->set_result_text(std::string(result_text));
  return event;
}

Event ReferralStep(uint64_t id, std::string_view local_time, std::string_view number,
                   event::v1::ReferralState state) {
  Event event = SampleEnvelope(id, SampleChild(), local_time);
  event::v1::Referral& referral = *event.mutable_referral();
  referral.set_number(std::string(number));
  referral.set_state(state);
  *referral.mutable_from() = SamplePuskesmas();
  *referral.mutable_to() = SampleHospital();
  return event;
}

Event CorrectionWith(uint64_t id, const Event& original, std::string_view recorded_at,
                     Event replacement) {
  Event event = Amendment(id, original, recorded_at);
  event::v1::Correction& correction = *event.mutable_correction();
  correction.set_original_event_id(original.event_id());
  correction.set_reason("salah tulis");
  *correction.mutable_replacement() = std::move(replacement);
  return event;
}

Event CorrectionOf(uint64_t id, const Event& original, std::string_view recorded_at,
                   uint32_t weight_g) {
  Event replacement = original;
  replacement.mutable_visit()->set_weight_g(weight_g);
  return CorrectionWith(id, original, recorded_at, std::move(replacement));
}

Event RetractionOf(uint64_t id, const Event& original, std::string_view recorded_at) {
  Event event = Amendment(id, original, recorded_at);
  event.mutable_retraction()->set_original_event_id(original.event_id());
  event.mutable_retraction()->set_reason("anak lain");
  return event;
}

namespace {

Event WithTime(Event event, std::string_view local_time) {
  SetTime(SampleTime(local_time), event.mutable_occurred_at()->mutable_time());
  return event;
}

std::vector<Story> MakeStories() {
  std::vector<Story> stories;
  {
    const Event weighing = Weighing(1, "2026-02-03T09:00", "v-1");
    const Event vitamin = VitaminA(2, "2026-02-03T09:10", "v-1");
    const Event weighed_again = Weighing(3, "2026-02-03T09:20", "v-1", 10'100);
    stories.push_back(
        {"a visit whose first event is corrected to be its last, and another taken back",
         {weighing, vitamin, weighed_again,
          CorrectionWith(4, weighing, "2026-02-04T08:00", WithTime(weighing, "2026-02-03T09:45")),
          RetractionOf(5, vitamin, "2026-02-04T09:00"), Weighing(6, "2026-01-03T09:00")}});
  }
  {
    const Event weighing = Weighing(1, "2026-02-03T09:00");
    stories.push_back(
        {"corrections that compete, two of them recorded at the same moment",
         {weighing, CorrectionOf(2, weighing, "2026-02-04T08:00", 9'000),
          CorrectionOf(3, weighing, "2026-02-05T08:00", 9'100),
          CorrectionOf(4, weighing, "2026-02-05T08:00", 9'200),
          CorrectionOf(5, weighing, "2026-02-01T08:00", 9'300), Weighing(6, "2026-02-03T09:00")}});
    stories.push_back(
        {"retractions that compete with corrections",
         {weighing, CorrectionOf(2, weighing, "2026-02-06T08:00", 9'000),
          CorrectionOf(3, weighing, "2026-02-07T08:00", 9'100),
          RetractionOf(4, weighing, "2026-02-05T08:00"),
          RetractionOf(5, weighing, "2026-02-05T08:00"), Weighing(6, "2026-02-04T09:00")}});
  }
  {
    const Event weighing = Weighing(1, "2026-02-03T09:00", "v-1");
    const Event correction = CorrectionOf(2, weighing, "2026-02-04T08:00", 9'000);
    const Event of_correction = RetractionOf(3, correction, "2026-02-05T08:00");
    stories.push_back(
        {"amendments of amendments, three deep",
         {weighing, correction, of_correction, RetractionOf(4, of_correction, "2026-02-06T08:00"),
          CorrectionWith(5, correction, "2026-02-06T09:00", correction),
          RetractionOf(6, weighing, "2026-02-07T08:00")}});
  }
  {
    const Event weighing = Weighing(1, "2026-02-03T09:00", "v-1");
    Event other_visit = weighing;
    other_visit.set_visit_id("v-2");
    Event other_kind = weighing;
    *other_kind.mutable_patient_registered() = {};
    Event other_purpose = weighing;
    other_purpose.set_purpose(event::v1::PURPOSE_TRAINING);
    Event other_patient = weighing;
    *other_patient.mutable_subject() = SampleMother();
    Event same_group = weighing;
    *same_group.mutable_supplement() = SampleOf(event::Kind::kSupplement).supplement();
    Event other_id = weighing;
    other_id.set_event_id(SampleEventId(99));
    stories.push_back({"corrections that would move the event elsewhere",
                       {weighing, CorrectionWith(2, weighing, "2026-02-04T08:00", other_visit),
                        CorrectionWith(3, weighing, "2026-02-04T08:01", other_kind),
                        CorrectionWith(4, weighing, "2026-02-04T08:02", other_purpose),
                        CorrectionWith(5, weighing, "2026-02-04T08:03", other_patient),
                        CorrectionWith(6, weighing, "2026-02-04T08:04", same_group)}});
    stories.push_back({"corrections with another id, and what names nothing or itself",
                       {weighing, CorrectionWith(2, weighing, "2026-02-04T08:00", other_id),
                        RetractionOf(3, other_id, "2026-02-04T08:01"),
                        RetractionOf(4, Weighing(4, "2026-02-03T09:00"), "2026-02-04T08:02"),
                        RetractionOf(5, Weighing(4, "2026-02-03T09:00"), "2026-02-04T08:03")}});
  }
  {
    Event at_hospital =
        ReferralStep(3, "2026-02-04T11:00", "R-1", event::v1::REFERRAL_STATE_ACCEPTED);
    *at_hospital.mutable_facility() = SampleHospital();
    Event other_origin = ReferralStep(4, "2026-02-04T12:00", "R-1", event::v1::REFERRAL_STATE_SENT);
    *other_origin.mutable_referral()->mutable_from() = SampleHospital();
    stories.push_back(
        {"a referral whose states come from two facilities",
         {ReferralStep(1, "2026-02-03T10:00", "R-1", event::v1::REFERRAL_STATE_PROPOSED),
          ReferralStep(2, "2026-02-03T10:30", "R-1", event::v1::REFERRAL_STATE_SENT), at_hospital,
          other_origin, RetractionOf(5, at_hospital, "2026-02-05T08:00")}});
  }
  {
    const Event first = Weighing(1, "2026-02-03T09:00");
    Event training = Weighing(3, "2026-02-03T09:05", "v-1");
    training.set_purpose(event::v1::PURPOSE_TRAINING);
    Event elsewhere = Weighing(4, "2026-02-03T09:00", "v-1");
    *elsewhere.mutable_facility() = SampleHospital();
    Event same_id_elsewhere = Weighing(1, "2026-02-03T09:00");
    *same_id_elsewhere.mutable_facility() = SampleHospital();
    stories.push_back({"groups that nearly are one",
                       {first, VitaminA(2, "2026-02-03T08:00", first.event_id()), training,
                        Weighing(5, "2026-02-03T09:05", "v-1"), elsewhere, same_id_elsewhere,
                        RetractionOf(6, same_id_elsewhere, "2026-02-05T08:00")}});
  }
  {
    const Event weighing = Weighing(1, "2026-02-03T09:00", "v-1");
    const Event vitamin = VitaminA(2, "2026-02-03T09:10", "v-1");
    const Event correction = CorrectionOf(3, weighing, "2026-02-04T08:00", 9'000);
    stories.push_back({"everything twice",
                       {weighing, weighing, vitamin, vitamin, correction, correction,
                        RetractionOf(4, correction, "2026-02-05T08:00")}});
  }
  {
    const Event february = Weighing(2, "2026-02-03T09:00", "v-2", 9'150);
    Event born_later = Registration(4, "2026-02-20T09:00", "Melati");
    born_later.mutable_subject()->set_birth_date("2024-05-12");
    stories.push_back({"four months on the growth card, another birth date, and a death",
                       {Weighing(1, "2026-01-06T09:00", "v-1", 9'100), february,
                        Weighing(3, "2026-03-04T09:00", "v-3", 9'200), born_later,
                        CorrectionOf(5, february, "2026-02-04T08:00", 9'450),
                        Status(6, "2026-03-20T09:00", event::v1::LIFE_STATUS_DIED),
                        Weighing(7, "2026-04-02T09:00", "v-4", 9'300)}});
  }
  {
    // A class of its own for each part of the pregnancy.
    Event hb = SampleNamed("lab_quantity");
    hb.mutable_lab_result()->mutable_quantity()->set_value("10.7");
    const Event opened = SampleNamed("pregnancy_opened");
    Event dated_again = opened;
    dated_again.mutable_pregnancy()->set_lmp("2025-10-01");
    stories.push_back({"a haemoglobin in a pregnancy that is dated again, and ends",
                       {hb, opened, CorrectionWith(90, opened, "2026-02-08T09:00", dated_again),
                        SampleNamed("twin_birth"), SampleNamed("pregnancy_closed"),
                        RetractionOf(92, SampleNamed("twin_birth"), "2026-02-21T09:00")}});
  }
  {
    const Event first = Kpsp(1, "2026-01-06T09:00", "meragukan");
    stories.push_back(
        {"a KPSP doubtful twice, and the first of them taken back",
         {first, Kpsp(2, "2026-01-20T09:00", "meragukan"), Kpsp(3, "2026-02-03T09:00", "meragukan"),
          RetractionOf(4, first, "2026-02-04T09:00")}});
  }
  return stories;
}

}  // namespace

const std::vector<Story>& Stories() {
  static const std::vector<Story> stories = MakeStories();
  return stories;
}

std::vector<Event> GrowthStory(uint64_t seed, size_t events) {
  std::mt19937_64 random(seed);
  const auto below = [&random](uint64_t end) { return random() % end; };
  const auto time = [&] {
    char text[32];
    std::snprintf(text, sizeof text, "202%d-%02d-%02dT%02d:00", static_cast<int>(4 + below(3)),
                  static_cast<int>(1 + below(12)), static_cast<int>(1 + below(3) * 9),
                  static_cast<int>(8 + below(2)));
    return std::string(text);
  };
  std::vector<Event> story;
  for (uint64_t id = 1; story.size() < events; ++id) {
    const Event& original = story.empty() ? Event::default_instance() : story[below(story.size())];
    const auto weight_g = static_cast<uint32_t>(7'000 + below(40) * 100);
    switch (below(12)) {
      case 0:
        if (original.has_visit()) story.push_back(CorrectionOf(id, original, time(), weight_g));
        break;
      case 1:
        if (original.has_visit()) {
          Event moved = original;
          SetTime(SampleTime(time()), moved.mutable_occurred_at()->mutable_time());
          story.push_back(CorrectionWith(id, original, time(), std::move(moved)));
        }
        break;
      case 2:
        if (!original.event_id().empty() && below(2) == 0) {
          story.push_back(RetractionOf(id, original, time()));
        }
        break;
      case 3: {
        Event registered = Registration(id, time(), "Melati");
        registered.mutable_subject()->set_birth_date(below(2) == 0 ? "2024-01-12" : "2024-06-30");
        registered.mutable_subject()->set_sex(
            static_cast<event::v1::Sex>(below(event::v1::Sex_MAX + 1)));
        story.push_back(std::move(registered));
        break;
      }
      case 4:
        if (below(3) == 0) {
          story.push_back(
              Status(id, time(),
                     below(2) == 0 ? event::v1::LIFE_STATUS_DIED : event::v1::LIFE_STATUS_ALIVE));
        }
        break;
      default: {
        Event weighing =
            Weighing(id, time(), below(3) == 0 ? "v-" + std::to_string(below(5)) : "", weight_g);
        if (below(3) == 0) {
          weighing.mutable_visit()->set_length_mm(static_cast<uint32_t>(650 + below(300)));
        }
        if (below(8) == 0) weighing.mutable_visit()->set_oedema(event::v1::OEDEMA_MILD);
        if (below(10) == 0) weighing.set_purpose(event::v1::PURPOSE_TRAINING);
        if (below(6) == 0) weighing.mutable_subject()->clear_birth_date();
        // Of one instant the id decides, whatever it begins with.
        std::string event_id = weighing.event_id();
        event_id[0] = "0123456789abcdef"[below(16)];
        weighing.set_event_id(event_id);
        story.push_back(std::move(weighing));
      }
    }
  }
  return story;
}

std::vector<Event> RandomStory(uint64_t seed, size_t events) {
  std::mt19937_64 random(seed);
  const auto below = [&random](uint64_t end) { return random() % end; };
  const auto time = [&] {
    char text[32];
    std::snprintf(text, sizeof text, "2026-02-%02dT%02d:%02d", static_cast<int>(1 + below(20)),
                  static_cast<int>(8 + below(4)), static_cast<int>(below(60)));
    return std::string(text);
  };
  const auto visit = [&] {
    return below(3) == 0 ? "" : "v-" + std::to_string(below(events / 4 + 1));
  };
  std::vector<Event> story;
  for (uint64_t id = 1; story.size() < events; ++id) {
    const Event* original = story.empty() ? nullptr : &story[below(story.size())];
    switch (below(10)) {
      case 0:
        if (original != nullptr && original->has_visit()) {
          story.push_back(CorrectionOf(id, *original, time(), 9'000 + static_cast<uint32_t>(id)));
        }
        break;
      case 1:
        if (original != nullptr) story.push_back(RetractionOf(id, *original, time()));
        break;
      case 2:
        // Of an event that may come later, or never.
        story.push_back(RetractionOf(id, Weighing(id + below(6), time()), time()));
        break;
      case 3:
        if (original != nullptr) {
          story.push_back(CorrectionWith(id, *original, time(), Weighing(id, time(), visit())));
        }
        break;
      case 4:
        story.push_back(ReferralStep(id, time(), "R-" + std::to_string(below(3)),
                                     event::v1::REFERRAL_STATE_SENT));
        break;
      case 5:
        story.push_back(VitaminA(id, time(), visit()));
        break;
      default:
        story.push_back(Weighing(id, time(), visit()));
    }
  }
  return story;
}

}  // namespace simpul::testing
