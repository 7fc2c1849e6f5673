#include <algorithm>

#include "lib/fhir/code_check.h"
#include "lib/fhir/record.h"

namespace simpul::fhir {
namespace {

namespace v1 = ::simpul::event::v1;

// The same code, or two codes that the directory gives one facility.
bool SameFacility(const Directory& directory, const v1::Facility& a, const v1::Facility& b) {
  if (a.system() == b.system() && a.code() == b.code()) return true;
  const FacilityRow* row = directory.Facility(a);
  return row != nullptr && row == directory.Facility(b);
}

// True for states that a referral reaches only after it was sent.
bool ImpliesSent(v1::ReferralState state) {
  switch (state) {
    case v1::REFERRAL_STATE_UNSPECIFIED:
    case v1::REFERRAL_STATE_PROPOSED:
    case v1::REFERRAL_STATE_CANCELLED:
      return false;
    default:
      return true;
  }
}

std::string_view RequestStatus(v1::ReferralState state) {
  switch (state) {
    case v1::REFERRAL_STATE_REJECTED:
    case v1::REFERRAL_STATE_EXPIRED:
    case v1::REFERRAL_STATE_CANCELLED:
    case v1::REFERRAL_STATE_NO_SHOW:
      return "revoked";
    case v1::REFERRAL_STATE_COMPLETED:
    case v1::REFERRAL_STATE_BACK_REFERRED:
    case v1::REFERRAL_STATE_CLOSED:
      return "completed";
    default:
      return "active";
  }
}

std::string_view Priority(v1::Urgency urgency) {
  switch (urgency) {
    case v1::URGENCY_URGENT:
      return "urgent";
    case v1::URGENCY_EMERGENCY:
      return "stat";
    default:
      return "routine";
  }
}

Coding CareCode(v1::CareType care) {
  switch (care) {
    case v1::CARE_TYPE_OUTPATIENT:
      return {kSnomed, "737492002", "Outpatient care management"};
    case v1::CARE_TYPE_INPATIENT:
      return {kSnomed, "737481003", "Inpatient care management"};
    case v1::CARE_TYPE_EMERGENCY:
      return {kSnomed, "385868005", "Emergency care management"};
    default:
      return {kSnomed, "3457005", "Patient referral"};
  }
}

// Systems the platform takes beside the identifier of our own.
bool IsReferralNumberSystem(std::string_view system) {
  return system == "http://sys-ids.kemkes.go.id/referral-number-satusehat" ||
         system == "http://sys-ids.kemkes.go.id/referral-number-pcare" ||
         system == "http://sys-ids.kemkes.go.id/referral-number";
}

// What the referral's events say together: a later event's field counts over an earlier one's.
struct Told {
  v1::Referral referral;
  const Happening* diagnosed_in = nullptr;
};

Told GatherReferral(const std::vector<Happening>& happenings) {
  Told told;
  for (const Happening& happening : happenings) {
    const v1::Referral& said = happening.event->referral();
    if (said.has_from()) told.referral.clear_from();
    if (said.has_to()) told.referral.clear_to();
    if (said.has_service()) told.referral.clear_service();
    if (said.has_reply()) told.referral.clear_reply();
    if (said.has_diagnosis()) {
      told.referral.clear_diagnosis();
      told.diagnosed_in = &happening;
    }
    told.referral.MergeFrom(said);
  }
  return told;
}

// The organisation of a facility; one named by the platform's own id needs no directory.
std::string OrganizationOf(const Directory& directory, const v1::Facility& facility) {
  const FacilityRow* row = directory.Facility(facility);
  if (row != nullptr) return row->organization;
  return facility.system() == "satusehat" ? facility.code() : std::string();
}

void ListWhatIsLeft(Record& record, const v1::Referral& referral) {
  const auto left = [&](bool present, std::string_view what) {
    if (present) record.Unmapped("referral", what);
  };
  left(referral.has_service(), "service");
  left(!referral.rule().empty(), "rule");
  left(referral.evidence_event_ids_size() > 0, "evidence");
  left(referral.insurance() != v1::INSURANCE_STATUS_UNSPECIFIED, "insurance");
  left(!referral.insurance_card().empty(), "insurance_card");
  left(!referral.sep().empty(), "sep");
  left(!referral.transport().empty(), "transport");
  left(!referral.accompanied_by().empty(), "accompanied_by");
  left(!referral.accepted_by().empty(), "accepted_by");
  left(referral.has_psc_called(), "psc_called");
  left(referral.has_reply(), "reply");
  left(referral.has_patient_agrees(), "patient_agrees");
}

// Where it stands by all its events together; without that word, what the latest one says.
v1::ReferralState StateOf(Record& record) {
  const v1::ReferralState derived = record.entry.derived().referral().state();
  return derived != v1::REFERRAL_STATE_UNSPECIFIED
             ? derived
             : record.happenings().back().event->referral().state();
}

}  // namespace

MapResult MapReferral(Record& record) {
  std::vector<Happening>& happenings = record.happenings();
  const auto implies_sent = [](const Happening& happening) {
    return ImpliesSent(happening.event->referral().state());
  };
  if (std::none_of(happenings.begin(), happenings.end(), implies_sent)) {
    return NotSent{"proposed"};
  }
  // The request hangs on the visit at the origin. Until the origin's own event is here that visit
  // has no name, and whatever came first would leave an Encounter behind.
  const auto by_origin = [&](const Happening& happening) {
    return implies_sent(happening) &&
           SameFacility(record.directory, happening.member->facility(), record.entry.facility());
  };
  auto base = std::find_if(happenings.begin(), happenings.end(), [&](const Happening& happening) {
    return by_origin(happening) && happening.event->referral().state() == v1::REFERRAL_STATE_SENT;
  });
  if (base == happenings.end()) {
    base = std::find_if(happenings.begin(), happenings.end(), by_origin);
  }
  if (base == happenings.end()) return NotSent{"referral_without_origin"};
  const Told told = GatherReferral(happenings);
  const v1::Referral& referral = told.referral;

  std::vector<Happening> contact = {*base};
  const Span span = SpanOf(contact);
  if (BeforePlatform(record.options, span.start)) return NotSent{"before_platform"};
  if (!referral.has_to() || referral.to().code().empty()) {
    return NotSent{"referral_without_target"};
  }
  const std::string target = OrganizationOf(record.directory, referral.to());
  if (target.empty()) return NeedsDirectory{"facility_unknown"};
  if (auto reason = record.Resolve(contact.front())) return NeedsDirectory{*std::move(reason)};
  const Happening& sent = contact.front();

  const v1::Event& event = *sent.event;
  const std::string& visit_id =
      event.visit_id().empty() ? sent.member->event_id() : event.visit_id();
  const v1::Facility& origin = sent.member->facility();
  const std::string_view subject_key = sent.subject_key;
  EncounterPlan plan;
  plan.key = PartKey(origin, visit_id, "encounter", subject_key);
  plan.reason_key = PartKey(origin, visit_id, "contact-reason", subject_key);
  plan.encounter_class = v1::ENCOUNTER_CLASS_AMBULATORY;
  plan.span = span;
  plan.referred = true;
  plan.only_if_absent = true;
  WriteEncounter(record, plan, contact);

  JsonWriter& json = record.json;
  std::string diagnosis_key;
  if (referral.has_diagnosis() && !referral.diagnosis().code().empty()) {
    if (told.diagnosed_in->by_kader) {
      record.Unmapped("kader_diagnosis", "");
    } else if (referral.diagnosis().system() != kIcd10 ||
               !IsIcd10Code(referral.diagnosis().code())) {
      record.Unmapped("diagnosis", "code");
    } else {
      diagnosis_key = PartKey(record.entry.facility(), record.entry.group_id(),
                              "referral-diagnosis", subject_key);
      record.BeginCondition(diagnosis_key,
                            {"http://terminology.hl7.org/CodeSystem/condition-category",
                             "encounter-diagnosis", "Encounter Diagnosis"},
                            CodingOf(referral.diagnosis()), "", "", sent.effective, plan.key);
      record.End();
    }
  }

  std::vector<Coding> numbers;
  for (const v1::ReferralNumber& number : referral.other_numbers()) {
    const bool known = std::any_of(numbers.begin(), numbers.end(), [&](const Coding& coding) {
      return coding.system == number.system() && coding.code == number.number();
    });
    if (!IsReferralNumberSystem(number.system())) {
      record.Unmapped("referral", "other_number");
    } else if (!known) {
      numbers.push_back({number.system(), number.number(), ""});
    }
  }
  record.BeginWith(
      "ServiceRequest",
      PartKey(record.entry.facility(), record.entry.group_id(), "referral", subject_key), numbers,
      false);
  json.Text("status", RequestStatus(StateOf(record)));
  json.Text("intent", "original-order");
  record.WriteConceptList("category", {kSnomed, "3457005", "Patient referral"});
  json.Text("priority", Priority(referral.urgency()));
  record.WriteConcept("code", CareCode(referral.care()));
  record.WriteSubject("subject");
  record.WritePart("encounter", plan.key);
  record.WriteTime("occurrenceDateTime", sent.effective);
  record.WriteTime("authoredOn", sent.effective);
  if (!sent.practitioner.empty()) {
    json.Raw("requester", sent.practitioner);
  } else {
    record.WriteOrganization("requester", record.organization());
  }
  json.OpenList("performer");
  json.Open();
  json.Text("reference", "Organization/" + target);
  json.Close();
  json.CloseList();
  if (!diagnosis_key.empty()) {
    json.OpenList("reasonReference");
    json.Open();
    json.Text("reference", "urn:uuid:" + diagnosis_key);
    json.Close();
    json.CloseList();
  }
  // The platform wants a code in reasonCode; the words go beside it.
  if (!referral.reason().empty() || !referral.action_done().empty()) {
    json.OpenList("note");
    for (const std::string* words : {&referral.reason(), &referral.action_done()}) {
      if (words->empty()) continue;
      json.Open();
      json.Text("text", *words);
      json.Close();
    }
    json.CloseList();
  }
  record.End();
  ListWhatIsLeft(record, referral);
  return record.Take();
}

}  // namespace simpul::fhir
