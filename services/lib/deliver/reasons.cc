#include "lib/deliver/reasons.h"

#include <algorithm>
#include <array>

namespace simpul::deliver {
namespace {

constexpr std::string_view kNothing = "nothing";

constexpr auto kReasons = std::to_array<Reason>({
    // Something is missing here.
    {"facility_unknown",
     "the directory has no facility with the code of the entry, or of the referral's target",
     "add it to the directory file"},
    {"practitioner_unknown",
     "the directory has nobody for that NIK, and no one responsible for that place on that day",
     "add the practitioner to the directory file, or who is responsible"},
    {"location_unknown", "the directory has no Location of the platform's for the facility or unit",
     "add it to the directory file"},
    {"credentials_missing", "the credentials file names nobody for the organisation",
     "add its client id and secret to the credentials file"},
    {"credentials", "the platform does not take the client id and secret, or the token they gave",
     "put them right in the credentials file; the trace has the platform's words"},

    // The platform does not know the patient.
    {"patient_unknown",
     "the platform finds nobody by the person's NIK, mother or name and birth date, or the event "
     "names none of these",
     "compare the identity with the card; correct the event if it is wrong; else the person must "
     "be registered at the platform"},
    {"patient_ambiguous", "several are found, as with twins",
     "give the newborn's name and order of birth as the platform has them, or the child's own NIK "
     "once there is one"},
    {"patient_lookup_refused", "the platform refuses to search for this identity",
     "read its words; most often the identity is malformed"},
    {"delivered_under_other_patient",
     "a part of this record is at the platform under another patient, as after two identities "
     "were linked",
     "ask the platform to move or merge it; then `simpul resend`, or give up"},

    // The platform refuses.
    {"rule_NNNNN",
     "the platform's rule of that number. `held` for 20003, 20004, 20009, 20010 (what the client "
     "may do) and 20007 (what is referred to is not there yet)",
     "correct the event; when the mapping is at fault, report it and resend after the upgrade; "
     "when `held`, have the permission granted"},
    {"issue_CODE",
     "refused without a number; CODE is the kind of issue. `waiting` for those that pass, such as "
     "`issue_throttled`",
     "correct the event; when the mapping is at fault, report it and resend after the upgrade"},
    {"refused", "refused without any words to go by",
     "look at the platform's words and request id in the trace; ask the platform"},
    {"business_failure", "HTTP 200 with `\"success\": false`",
     "look at the platform's words and request id in the trace; ask the platform"},
    {"privacy", "the platform's access rules forbid a code of it",
     "give it up, or send a correction without it"},
    {"organization_mismatch",
     "`held`: the organisation may not touch what is written to, by the platform's business rule",
     "check the organisation of the facility in the directory"},
    {"duplicate",
     "`waiting`: the platform says it is there already; being searched for by our identifiers, to "
     "be adopted",
     kNothing},
    {"duplicate_not_found",
     "the platform says it is there already, but has no resource of this patient with any of our "
     "identifiers",
     "ask the platform which resource it means, with the request id of the trace; then `simpul "
     "resend` or give up"},
    {"http_NNN",
     "an HTTP status without an explanation. 4xx `refused`; 3xx, 403, 404, 405 `held`: something "
     "stands in front of the platform, or its address is wrong; 408, 425, 429 and 5xx `waiting`: "
     "tried again",
     "when `held`, check `--platform` and the organisation's access"},

    // The platform cannot be reached, or its answer was lost.
    {"unreachable", "no connection: name, network or machine",
     "check the network and the platform's address when it lasts"},
    {"no_platform", "`serve` was started without `--platform`", "start it with one"},
    {"paused|paused: WORDS", "someone paused sending, for that reason", "`simpul resume`"},
    {"certificate",
     "the platform's certificate is not valid for its address, or by an unknown authority",
     "check the address, the clock and the machine's certificates"},
    {"connection_lost", "the connection ended before the answer", kNothing},
    {"timed_out", "no answer within 30 s", kNothing},
    {"answer_too_large", "the answer was larger than is read", "report it when it lasts"},
    {"unreadable_answer", "the answer was no FHIR Bundle, or not of what was sent",
     "report it when it lasts"},
    {"token_unreadable", "the answer to the log-in holds no token",
     "ask the platform when it lasts"},
    {"stopped", "Simpul stopped before the answer came", kNothing},
    {"attempt_expired", "an attempt was begun but not sent in time, so it is begun again",
     kNothing},
    {"not_found_there", "after a lost answer nothing of it was found at the platform: sent again",
     kNothing},
    {"partly_found_there", "some of it was found and adopted: the rest is sent", kNothing},
    {"search_not_applied",
     "`held`: the platform dropped the search's parameter, so its answer holds other people's "
     "resources and is not believed",
     "report it to the platform when it lasts"},
    {"search_incomplete",
     "`held`: there are more pages of Immunizations than one, and ours might be on another",
     "report it when it lasts"},

    // Not to be sent now, or ever.
    {"ahead_of_clock",
     "`waiting`: it happened later than this machine's clock says; sent when that time is past",
     "check the clocks of this machine and of the clinic"},
    {"withdrawn",
     "taken back: before any of it was sent, or, where it is `delivered`, at the platform too, as "
     "entered in error",
     kNothing},
    {"newer_revision", "`superseded`: a newer revision goes in the place of this one", kNothing},
    {"nothing_to_send", "the entry has nothing the platform takes", kNothing},
    {"training", "purpose is not production", kNothing},
    {"patient_registered|patient_linked|patient_unlinked|patient_status|consent|restriction",
     "concerns the person, not a contact", kNothing},
    {"home_visit_planned|home_visit_refused|home_visit_not_met", "no contact took place",
     "send the visit that did"},
    {"proposed", "the referral was never sent by its origin", kNothing},
    {"referral_without_origin", "no event of the origin itself is here yet",
     "have the origin push its referral"},
    {"referral_without_target", "no event of the referral names a facility it goes to",
     "correct the referral"},
    {"before_platform", "begins before 2014-06-03", kNothing},
    {"unreadable", "an event of it cannot be decoded", "upgrade; report it"},
    {"given_up: WORDS", "someone gave it up, for that reason",
     "`simpul resend EVENT_ID` takes it back"},

    // Not on a timeline.
    {"waiting_for_original", "the event it corrects or takes back has not come",
     "push the original; nothing is lost meanwhile"},
    {"conflict", "an earlier event has the same id and facility and other content; that one stands",
     "send what differs as a correction, under an id of its own"},
    {"names_no_original",
     "a correction or retraction names what cannot be corrected, or would move its original",
     "name the event it changes; to move an event, retract it and send a new one"},
    {"patient_too_large", "the patient's history is full: 10,000 events or 8 MiB",
     "find out what sends so much about one patient; report it if it is real"},
    {"entry_too_large", "the visit, referral or pregnancy holds 1 MiB of events already",
     "find out what sends so much about one contact; send the rest as another visit"},
    {"undecodable", "the record's bytes are no event; nobody can ever read it",
     "report it, with its position; ask the clinic to send what is missing again"},
    {"quarantined", "the event ended the program, so an operator left it out of the timelines",
     "report it, with its position; after the upgrade ask the clinic to send it again"},
});

bool Matches(std::string_view pattern, std::string_view word) {
  const size_t head = pattern.find_last_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") + 1;
  if (head == pattern.size()) return word == pattern;
  return word.size() > head && word.starts_with(pattern.substr(0, head));
}

}  // namespace

std::span<const Reason> Reasons() { return kReasons; }

const Reason* FindReason(std::string_view word) {
  for (const Reason& reason : kReasons) {
    std::string_view rest = reason.words;
    while (!rest.empty()) {
      const size_t end = std::min(rest.find('|'), rest.size());
      if (Matches(rest.substr(0, end), word)) return &reason;
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return nullptr;
}

std::string_view FixOf(std::string_view word) {
  const Reason* const reason = FindReason(word);
  return reason == nullptr || reason->fix == kNothing ? std::string_view() : reason->fix;
}

}  // namespace simpul::deliver
