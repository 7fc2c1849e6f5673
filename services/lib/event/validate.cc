#include "lib/event/validate.h"

#include <fmt/format.h>
#include <google/protobuf/stubs/logging.h>

#include <cstdlib>
#include <string>

#include "lib/base/uuid.h"
#include "lib/event/date.h"
#include "lib/event/payload_checks.h"
#include "lib/event/subject.h"
#include "lib/event/value_checks.h"
#include "lib/event/wire_check.h"

namespace simpul::event {
namespace {

// The one place where protobuf's own lines on standard error are switched off: they are no JSON,
// and whoever sends broken text is told where it is.
void KeepLibraryQuiet() {
  static const auto former_handler = google::protobuf::SetLogHandler(nullptr);
  static_cast<void>(former_handler);
}

void CheckSubject(Checks& c, const Path& where, const v1::Subject& subject) {
  const Path list(where, "identities");
  if (subject.identities_size() == 0) c.out.Add("field.required", list);
  const int count = CheckCount(c, list, subject.identities_size(), 8);
  const std::string* nik = nullptr;
  bool found_by_number = false;
  for (int i = 0; i < count; ++i) {
    const v1::Identity& identity = subject.identities(i);
    const Path at(where, "identities", i);
    CheckIdentity(c, at, identity, true);
    found_by_number = found_by_number || identity.has_nik() || identity.has_newborn();
    if (!identity.has_nik()) continue;
    if (nik != nullptr && *nik != identity.nik().number()) c.out.Add("nik.two", at);
    nik = &identity.nik().number();
  }
  CheckText(c, Path(where, "name"), subject.name(), kNameMax);
  const Path birth_date(where, "birth_date");
  const auto born = CheckDay(c, birth_date, subject.birth_date());
  if (born && *born < std::chrono::year(1900) / 1 / 1) c.out.Add("birth_date.range", birth_date);
  if (!found_by_number && count > 0 &&
      (subject.name().empty() || !born || subject.sex() == v1::SEX_UNSPECIFIED)) {
    c.out.Add("subject.no_lookup", where);
  }
  if (subject.has_residence()) CheckAddress(c, Path(where, "residence"), subject.residence());
  if (!subject.family_card().empty()) {
    const std::string& card = subject.family_card();
    if (card.size() != 16 || card.find_first_not_of("0123456789") != std::string::npos) {
      c.out.Add("family_card.digits", Path(where, "family_card"));
    }
  }
  if (!subject.phone().empty()) {
    std::string_view digits = subject.phone();
    if (digits.front() == '+') digits.remove_prefix(1);
    if (digits.size() < 3 || digits.size() > 20 ||
        digits.find_first_not_of("0123456789") != std::string_view::npos) {
      c.out.Add("phone.shape", Path(where, "phone"));
    }
  }
}

void CheckOccurredAt(Checks& c, const Path& root, const v1::EventTime& time) {
  const Path where(root, "occurred_at");
  const Path instant(where, "time");
  CheckChosen(c, Path(where, "precision"), time.precision());
  const Path offset(where, "utc_offset_min");
  const int32_t minutes = time.utc_offset_min();
  if (!time.has_utc_offset_min()) {
    c.out.Add("field.required", offset);
  } else if (minutes < -720 || minutes > 840 || minutes % 15 != 0) {
    c.out.Add("time.offset", offset);
  } else if (minutes != 420 && minutes != 480 && minutes != 540) {
    c.out.Add("time.offset_unusual", offset);
  }
  if (!time.has_time()) {
    c.out.Add("field.required", instant);
    return;
  }
  if (!CheckTimestamp(c, instant, time.time())) return;
  base::Time happened = ToTime(time.time());
  if (time.precision() == v1::TIME_PRECISION_DAY && c.event_day) {
    // The time of day means nothing: what counts is when the local day begins.
    happened = base::Time(*c.event_day) - std::chrono::minutes(minutes);
  }
  CheckNotAhead(c, instant, happened);
  if (c.event_day && c.birth_day && *c.event_day < *c.birth_day) {
    c.out.Add("time.before_birth", instant);
  }
}

void CheckTimes(Checks& c, const Path& root, const v1::Event& event) {
  if (event.has_occurred_at()) {
    CheckOccurredAt(c, root, event.occurred_at());
  } else {
    Missing(c, root, "occurred_at");
  }
  const Path started(root, "started_at");
  const Path ended(root, "ended_at");
  bool both = event.has_started_at() && event.has_ended_at();
  if (event.has_started_at() && !CheckPastTimestamp(c, started, event.started_at())) both = false;
  if (event.has_ended_at() && !CheckPastTimestamp(c, ended, event.ended_at())) both = false;
  if (both && ToTime(event.ended_at()) < ToTime(event.started_at())) {
    c.out.Add("time.ended_before_started", ended);
  }
  if (!event.has_recorded_at()) {
    Missing(c, root, "recorded_at");
    return;
  }
  const Path recorded(root, "recorded_at");
  if (!CheckPastTimestamp(c, recorded, event.recorded_at()) || !c.event_day) return;
  const base::Time written = ToTime(event.recorded_at());
  const bool day_only = event.occurred_at().precision() == v1::TIME_PRECISION_DAY;
  // Clocks of two devices differ by minutes; that is worth no warning.
  const base::Time happened =
      day_only
          ? base::Time(*c.event_day) - std::chrono::minutes(event.occurred_at().utc_offset_min())
          : ToTime(event.occurred_at().time()) - std::chrono::minutes(10);
  if (written < happened) c.out.Add("time.recorded_before", recorded);
}

void CheckEnvelope(Checks& c, const Path& root, const v1::Event& event) {
  CheckEventId(c, Path(root, "event_id"), event.event_id());
  if (event.has_facility()) {
    CheckFacility(c, Path(root, "facility"), event.facility());
  } else {
    Missing(c, root, "facility");
  }
  if (event.has_unit()) {
    CheckUnit(c, Path(root, "unit"), event.unit());
  } else {
    Missing(c, root, "unit");
  }
  if (event.has_recorder()) {
    const Path recorder(root, "recorder");
    const Path id(recorder, "id");
    CheckRequiredText(c, id, event.recorder().id(), kIdMax);
    CheckId(c, id, event.recorder().id());
    CheckChosen(c, Path(recorder, "role"), event.recorder().role());
  } else {
    Missing(c, root, "recorder");
  }
  if (event.has_responsible()) {
    const Path responsible(root, "responsible");
    switch (event.responsible().id_case()) {
      case v1::Responsible::kNik:
        CheckNik(c, Path(responsible, "nik"), event.responsible().nik(), std::nullopt,
                 v1::SEX_UNSPECIFIED);
        break;
      case v1::Responsible::kPractitionerId: {
        const Path id(responsible, "practitioner_id");
        if (event.responsible().practitioner_id().empty()) c.out.Add("field.required", id);
        CheckPlainId(c, id, event.responsible().practitioner_id());
        break;
      }
      case v1::Responsible::ID_NOT_SET:
        c.out.Add("field.required", responsible,
                  "responsible is empty: it needs nik or practitioner_id");
        break;
    }
  }
  if (event.has_subject()) {
    CheckSubject(c, Path(root, "subject"), event.subject());
  } else {
    Missing(c, root, "subject");
  }
  CheckPlainId(c, Path(root, "visit_id"), event.visit_id(), kLongIdMax);
  CheckTimes(c, root, event);
  if (event.has_place()) {
    const Path place(root, "place");
    if (event.place().has_address()) {
      CheckAddress(c, Path(place, "address"), event.place().address());
    }
    CheckText(c, Path(place, "name"), event.place().name(), kNameMax);
  }
  CheckId(c, Path(root, "session_id"), event.session_id(), kLongIdMax);
  CheckChosen(c, Path(root, "purpose"), event.purpose());
  const Path device(root, "device");
  CheckId(c, Path(device, "id"), event.device().id());
  const Path form(root, "form");
  CheckText(c, Path(form, "id"), event.form().id(), kIdMax);
  CheckText(c, Path(form, "version"), event.form().version(), kIdMax);
}

Checks ChecksOf(Findings& out, const v1::Event& event, base::Time now) {
  Checks c{out, now};
  const v1::EventTime& time = event.occurred_at();
  if (time.has_time() && time.utc_offset_min() >= -720 && time.utc_offset_min() <= 840) {
    c.event_day = LocalDay(time);
  }
  c.birth_day = ParseDay(event.subject().birth_date());
  c.sex = event.subject().sex();
  c.by_kader = event.recorder().role() == v1::RECORDER_ROLE_KADER;
  return c;
}

// True when both have a subject and it is the same patient.
bool SameSubject(const v1::Event& a, const v1::Event& b) {
  const v1::Identity* ours = StrongestIdentity(a.subject());
  const v1::Identity* theirs = StrongestIdentity(b.subject());
  return ours != nullptr && theirs != nullptr &&
         *CanonicalIdentity(*ours) == *CanonicalIdentity(*theirs);
}

void CheckAmendment(Checks& c, const Path& where, const v1::Event& event,
                    std::string_view original_event_id, std::string_view reason) {
  const Path original(where, "original_event_id");
  CheckEventId(c, original, original_event_id);
  if (!original_event_id.empty() && original_event_id == event.event_id()) {
    c.out.Add("amendment.self", original);
  }
  CheckRequiredText(c, Path(where, "reason"), reason, kLineMax);
}

void CheckCorrection(Checks& c, const Path& where, const v1::Event& event) {
  const v1::Correction& correction = event.correction();
  CheckAmendment(c, where, event, correction.original_event_id(), correction.reason());
  if (!correction.has_replacement()) {
    Missing(c, where, "replacement");
    return;
  }
  const v1::Event& replacement = correction.replacement();
  const Path at(where, "replacement");
  if (replacement.event_id() != correction.original_event_id()) {
    c.out.Add("correction.event_id", Path(at, "event_id"));
  }
  if (replacement.facility().system() != event.facility().system() ||
      replacement.facility().code() != event.facility().code()) {
    c.out.Add("correction.facility", Path(at, "facility"));
  }
  if (replacement.has_subject() && event.has_subject() && !SameSubject(replacement, event)) {
    c.out.Add("correction.subject", Path(at, "subject"));
  }
  if (!event.visit_id().empty() && replacement.visit_id() != event.visit_id()) {
    c.out.Add("correction.visit", Path(at, "visit_id"));
  }
  if (replacement.purpose() != event.purpose()) {
    c.out.Add("correction.purpose", Path(at, "purpose"));
  }
  Checks inner = ChecksOf(c.out, replacement, c.now);
  CheckEnvelope(inner, at, replacement);
  if (replacement.has_correction() || replacement.has_retraction()) {
    c.out.Add("correction.nested",
              Path(at, replacement.has_correction() ? "correction" : "retraction"));
  } else if (replacement.payload_case() == v1::Event::PAYLOAD_NOT_SET) {
    Missing(c, at, "payload");
  } else {
    CheckPayload(inner, at, replacement);
  }
}

}  // namespace

std::variant<v1::Event, Refusal> Parse(std::string_view bytes) {
  KeepLibraryQuiet();
  WireFindings wire = CheckWire(bytes);
  if (bytes.size() > kEventBytesMax) {
    wire.findings = Findings();
    wire.findings.Add("event.too_large", Path());
    wire.after_upgrade = false;
  }
  v1::Event event;
  if (wire.findings.ok() && !event.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    wire.findings.Add("event.malformed", Path());
  }
  if (wire.findings.ok()) return event;
  Refusal refusal;
  if (base::IsUuid(wire.event_id)) refusal.event_id = wire.event_id;
  refusal.violations = std::move(wire.findings.violations());
  refusal.after_upgrade = wire.after_upgrade;
  return refusal;
}

std::string Canonical(const v1::Event& event) {
  // Generated code writes known fields in the order of their numbers and there are no maps, so
  // nothing has to be asked for.
  KeepLibraryQuiet();
  std::string bytes;
  event.SerializeToString(&bytes);
  return bytes;
}

std::variant<ValidEvent, Refusal> Validate(v1::Event event, base::Time now) {
  Findings findings;
  const Path root;
  Checks c = ChecksOf(findings, event, now);
  CheckEnvelope(c, root, event);
  switch (event.payload_case()) {
    case v1::Event::kCorrection:
      CheckCorrection(c, Path(root, "correction"), event);
      break;
    case v1::Event::kRetraction:
      CheckAmendment(c, Path(root, "retraction"), event, event.retraction().original_event_id(),
                     event.retraction().reason());
      break;
    case v1::Event::PAYLOAD_NOT_SET:
      findings.Add("field.required", Path(root, "payload"),
                   "nothing happened: one of visit, immunisation, supplement, lab_result, "
                   "screening, referral, pregnancy, birth, patient_registered, patient_linked, "
                   "patient_unlinked, patient_status, consent, restriction, correction, retraction "
                   "is needed");
      break;
    default:
      CheckPayload(c, root, event);
  }
  std::string canonical = Canonical(event);
  if (canonical.size() > kEventBytesMax) findings.Add("event.too_large", root);
  if (!findings.ok()) {
    Refusal refusal;
    if (base::IsUuid(event.event_id())) refusal.event_id = event.event_id();
    refusal.violations = std::move(findings.violations());
    return refusal;
  }
  ValidEvent valid;
  valid.kind = static_cast<uint32_t>(event.payload_case());
  valid.canonical = std::move(canonical);
  valid.warnings = std::move(findings.warnings());
  valid.event = std::move(event);
  return valid;
}

}  // namespace simpul::event
