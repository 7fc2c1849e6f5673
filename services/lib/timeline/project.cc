#include "lib/timeline/project.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "lib/base/bytes.h"
#include "lib/base/status_macros.h"
#include "lib/base/test_point.h"
#include "lib/base/uuid.h"
#include "lib/event/kind.h"
#include "lib/event/validate.h"
#include "lib/timeline/siphash.h"

namespace simpul::timeline {
namespace {

using event::Kind;
using event::v1::Event;
using event::v1::Facility;
using log::v1::AcceptedEvent;
using log::v1::DeadLetter;

constexpr char kEntryNamespace[] = "9d7b1d0e-5c35-5c0b-8f0e-52b1f3a6c9d4";

void PutText(std::string& out, std::string_view text) {
  base::PutBe32(out, static_cast<uint32_t>(text.size()));
  out.append(text);
}

bool Same(const Facility& a, const Facility& b) {
  return a.code() == b.code() && a.system() == b.system();
}

bool Same(const Group& a, const Group& b) {
  return a.kind == b.kind && a.id == b.id && a.purpose == b.purpose && Same(a.facility, b.facility);
}

Group GroupKept(const v1::Entry& entry) {
  return {entry.kind(), entry.facility(), entry.group_id(), entry.purpose()};
}

// References: a tag keeps the three kinds apart.
uint64_t EventReference(const event::SubjectKey& subject, char tag, const Facility& facility,
                        std::string_view event_id) {
  std::string text(1, tag);
  PutText(text, facility.system());
  PutText(text, facility.code());
  PutText(text, event_id);
  return SipHash(subject.view(), text);
}
uint64_t OfEvent(const event::SubjectKey& subject, const Facility& facility, std::string_view id) {
  return EventReference(subject, 'e', facility, id);
}
uint64_t OfMissing(const event::SubjectKey& subject, const Facility& facility,
                   std::string_view id) {
  return EventReference(subject, 'w', facility, id);
}
uint64_t OfGroup(const event::SubjectKey& subject, const Group& group) {
  std::string text(1, 'g');
  base::PutBe32(text, static_cast<uint32_t>(group.kind));
  PutText(text, group.facility.system());
  PutText(text, group.facility.code());
  PutText(text, group.id);
  base::PutBe32(text, static_cast<uint32_t>(group.purpose));
  return SipHash(subject.view(), text);
}

int64_t Micros(const google::protobuf::Timestamp& time) {
  return time.seconds() * 1'000'000 + time.nanos() / 1'000;
}

std::string_view OriginalOf(const Event& amendment) {
  return amendment.has_correction() ? amendment.correction().original_event_id()
                                    : amendment.retraction().original_event_id();
}

absl::Status Contradiction() {
  return absl::DataLossError(
      "A stored history contradicts itself. Delete the timeline's folder: it is made again from "
      "the log.");
}

DeadLetter Letter(std::string_view cause, std::string_view message, uint32_t partition,
                  int64_t position, const AcceptedEvent& receipt) {
  DeadLetter letter;
  letter.set_cause(std::string(cause));
  letter.set_stage("project");
  letter.set_partition(partition);
  letter.set_position(position);
  letter.set_event_id(receipt.event_id());
  *letter.mutable_facility() = receipt.facility();
  letter.set_message(std::string(message));
  letter.set_received_at_us(receipt.received_at_us());
  return letter;
}

constexpr std::string_view kAmendsAmendment =
    "It names a correction or retraction; only an event as first sent can be corrected or taken "
    "back.";
constexpr std::string_view kChangesPlace =
    "The replacement has another id, facility, visit, patient, purpose or kind of entry than the "
    "event it corrects. Take the event back and send a new one.";

// Takes the event's bytes and ids out of the receipt.
void FillMember(IncomingEvent& incoming, v1::Member& member) {
  AcceptedEvent& receipt = incoming.receipt;
  const base::Sha256Digest content = base::Sha256(receipt.event());
  member.set_event_id(std::move(*receipt.mutable_event_id()));
  member.set_kind(receipt.kind());
  member.set_event(std::move(*receipt.mutable_event()));
  member.set_state(v1::MEMBER_STATE_STANDING);
  member.set_occurred_at_us(Micros(incoming.event.occurred_at().time()));
  member.set_recorded_at_us(Micros(incoming.event.recorded_at()));
  member.set_content(content.data(), content.size());
  member.set_digest(std::move(*receipt.mutable_digest()));
  member.set_position(incoming.position);
  member.set_received_at_us(receipt.received_at_us());
  member.set_original_key(std::move(*receipt.mutable_original_key()));
  member.mutable_facility()->Swap(receipt.mutable_facility());
}

bool EarlierAmendment(const v1::Amendment& a, const v1::Amendment& b) {
  return std::tuple(a.recorded_at_us(), std::string_view(a.event_id())) <
         std::tuple(b.recorded_at_us(), std::string_view(b.event_id()));
}

// Says which amendment counts: the last retraction, else the last correction.
void Settle(v1::Member& member) {
  v1::Amendment* correction = nullptr;
  v1::Amendment* retraction = nullptr;
  for (v1::Amendment& amendment : *member.mutable_amendments()) {
    amendment.set_counts(false);
    (amendment.kind() == static_cast<uint32_t>(Kind::kRetraction) ? retraction : correction) =
        &amendment;
  }
  v1::Amendment* counts = retraction != nullptr ? retraction : correction;
  if (counts != nullptr) counts->set_counts(true);
  member.set_state(retraction != nullptr   ? v1::MEMBER_STATE_RETRACTED
                   : correction != nullptr ? v1::MEMBER_STATE_CORRECTED
                                           : v1::MEMBER_STATE_STANDING);
}

// Lists the amendment with its member. The member holds the replacement of its last correction even
// when it is taken back, so that corrections and retractions may come in any order.
void Attach(v1::Member& member, int64_t position, const AcceptedEvent& receipt,
            const Event& event) {
  v1::Amendment amendment;
  amendment.set_event_id(receipt.event_id());
  amendment.set_kind(receipt.kind());
  amendment.set_recorded_at_us(Micros(event.recorded_at()));
  const base::Sha256Digest content = base::Sha256(receipt.event());
  amendment.set_content(content.data(), content.size());
  amendment.set_digest(receipt.digest());
  amendment.set_position(position);
  amendment.set_received_at_us(receipt.received_at_us());
  amendment.set_reason(event.has_correction() ? event.correction().reason()
                                              : event.retraction().reason());
  *amendment.mutable_author() = event.recorder();
  if (event.has_correction()) {
    const bool last = std::ranges::none_of(member.amendments(), [&](const v1::Amendment& other) {
      return other.kind() == static_cast<uint32_t>(Kind::kCorrection) &&
             EarlierAmendment(amendment, other);
    });
    if (last) {
      const Event& replacement = event.correction().replacement();
      member.set_kind(static_cast<uint32_t>(replacement.payload_case()));
      member.set_event(event::Canonical(replacement));
      member.set_occurred_at_us(Micros(replacement.occurred_at().time()));
      member.set_recorded_at_us(Micros(replacement.recorded_at()));
    }
  }
  *member.add_amendments() = std::move(amendment);
  std::sort(
      member.mutable_amendments()->pointer_begin(), member.mutable_amendments()->pointer_end(),
      [](const v1::Amendment* a, const v1::Amendment* b) { return EarlierAmendment(*a, *b); });
  Settle(member);
}

// The canonical form of the strongest identity; empty where there is none.
std::string IdentityOf(const Event& event) {
  const event::v1::Identity* identity = event::StrongestIdentity(event.subject());
  if (identity == nullptr) return "";
  return event::CanonicalIdentity(*identity).value_or("");
}

// Whether a correction leaves its original where it is. Retractions always fit.
absl::StatusOr<bool> Fits(const v1::Entry& entry, const v1::Member& member,
                          const Event& amendment) {
  if (amendment.has_retraction()) return true;
  const Event& replacement = amendment.correction().replacement();
  if (replacement.event_id() != member.event_id() ||
      !Same(replacement.facility(), member.facility()) ||
      !Same(GroupOf(replacement), GroupKept(entry)) ||
      IdentityOf(replacement) != IdentityOf(amendment)) {
    return false;
  }
  Event now;
  if (!now.ParseFromString(member.event())) return Contradiction();
  return replacement.visit_id() == now.visit_id();
}

v1::Member* FindMember(v1::Entry& entry, const Facility& facility, std::string_view event_id) {
  for (v1::Member& member : *entry.mutable_members()) {
    if (member.event_id() == event_id && Same(member.facility(), facility)) return &member;
  }
  return nullptr;
}

// The digest of an event that the entry holds, as a member or an amendment; null when it has none.
const std::string* DigestIn(const v1::Entry& entry, const Facility& facility,
                            std::string_view event_id) {
  for (const v1::Member& member : entry.members()) {
    if (!Same(member.facility(), facility)) continue;
    if (member.event_id() == event_id) return &member.digest();
    for (const v1::Amendment& amendment : member.amendments()) {
      if (amendment.event_id() == event_id) return &amendment.digest();
    }
  }
  return nullptr;
}

Waiting::Item* FindItem(Waiting& waiting, const Facility& facility, std::string_view event_id) {
  for (Waiting::Item& item : waiting.items) {
    if (item.receipt.event_id() == event_id && Same(item.receipt.facility(), facility)) {
      return &item;
    }
  }
  return nullptr;
}

// One application: what Project does, cut into steps.
class Application {
 public:
  Application(History& history, IncomingEvent& incoming, Tally& tally)
      : history_(history),
        incoming_(incoming),
        receipt_(incoming_.receipt),
        reference_(OfEvent(history.subject(), receipt_.facility(), receipt_.event_id())),
        tally_(tally) {}

  absl::StatusOr<Projected> Run() {
    SIMPUL_ASSIGN_OR_RETURN(const std::optional<uint32_t> known, history_.Find(reference_));
    if (known.has_value() && !SIMPUL_PLANTED_BUG("no_deduplication")) {
      SIMPUL_RETURN_IF_ERROR(Again(*known));
      return std::move(projected_);
    }
    SIMPUL_ASSIGN_OR_RETURN(const uint32_t events, history_.events());
    SIMPUL_ASSIGN_OR_RETURN(const uint64_t bytes, history_.bytes());
    if (events >= kHistoryEventsMax || bytes + receipt_.event().size() > kHistoryBytesMax) {
      Refuse(kPatientTooLarge, "The patient's history is full: 10,000 events or 8 MiB.");
      return std::move(projected_);
    }
    SIMPUL_RETURN_IF_ERROR(history_.Count(receipt_.event().size()));
    SIMPUL_RETURN_IF_ERROR(event::IsAmendment(receipt_.kind()) ? Amend() : Place());
    return std::move(projected_);
  }

 private:
  const event::SubjectKey& subject() const { return history_.subject(); }

  void Refuse(std::string_view cause, std::string_view message) {
    projected_.derived.emplace_back(
        Letter(cause, message, incoming_.partition, incoming_.position, receipt_));
    ++tally_.dead_letters;
  }

  // The id is known: the same content changes nothing, other content is a conflict.
  absl::Status Again(uint32_t known) {
    const std::string* digest = nullptr;
    if (known & History::kOnWaiting) {
      SIMPUL_ASSIGN_OR_RETURN(Waiting * waiting, history_.WaitingAt(known));
      const Waiting::Item* item = FindItem(*waiting, receipt_.facility(), receipt_.event_id());
      if (item != nullptr) digest = &item->receipt.digest();
    } else {
      SIMPUL_ASSIGN_OR_RETURN(LoadedEntry * loaded, history_.EntryAt(known));
      digest = DigestIn(loaded->entry, receipt_.facility(), receipt_.event_id());
    }
    if (digest == nullptr) return Contradiction();
    if (*digest == receipt_.digest()) {
      projected_.duplicate = true;
    } else {
      Refuse(kConflict,
             "An earlier event has the same id and facility and other content; that one stands. "
             "To change it send a correction.");
    }
    return absl::OkStatus();
  }

  // Takes the entry out of the checksum; Close puts it back.
  void OpenEntry(LoadedEntry& loaded) {
    if (!loaded.counted) loaded.content = ContentDigest(loaded.entry);
    tally_.content.Remove(loaded.content);
  }

  void Close(uint32_t number, LoadedEntry& loaded) {
    v1::Entry& entry = loaded.entry;
    if (entry.members_size() > 1) {
      std::sort(entry.mutable_members()->pointer_begin(), entry.mutable_members()->pointer_end(),
                [](const v1::Member* a, const v1::Member* b) { return Before(*a, *b); });
    }
    entry.set_withdrawn(std::ranges::all_of(entry.members(), [](const v1::Member& member) {
      return member.state() == v1::MEMBER_STATE_RETRACTED;
    }));
    entry.set_revision(entry.revision() + 1);
    loaded.content = ContentDigest(entry);
    loaded.counted = true;
    loaded.changed = true;
    loaded.bytes.clear();
    tally_.content.Add(loaded.content);
    projected_.derived.emplace_back(EntryChange{number});
  }

  // An event that is no amendment: it joins its entry, with what waited for it.
  absl::Status Place() {
    const Group group = GroupOf(incoming_.event);
    const uint64_t group_reference = OfGroup(subject(), group);
    SIMPUL_ASSIGN_OR_RETURN(const std::optional<uint32_t> found, history_.Find(group_reference));
    uint32_t number = 0;
    LoadedEntry* loaded = nullptr;
    if (found.has_value()) {
      number = *found;
      SIMPUL_ASSIGN_OR_RETURN(loaded, history_.EntryAt(number));
      if (!Same(group, GroupKept(loaded->entry))) return Contradiction();
      OpenEntry(*loaded);
    } else {
      SIMPUL_ASSIGN_OR_RETURN(std::tie(number, loaded), history_.NewEntry());
      SIMPUL_RETURN_IF_ERROR(history_.Set(group_reference, number));
      v1::Entry& entry = loaded->entry;
      entry.set_entry_id(EntryId(subject(), group));
      entry.set_kind(group.kind);
      entry.set_subject_key(std::string(subject().view()));
      *entry.mutable_facility() = group.facility;
      entry.set_group_id(group.id);
      entry.set_purpose(group.purpose);
      ++tally_.entries;
    }
    SIMPUL_RETURN_IF_ERROR(history_.Set(reference_, number));
    ++tally_.events;
    v1::Member& member = *loaded->entry.add_members();
    FillMember(incoming_, member);
    SIMPUL_RETURN_IF_ERROR(AttachWaiting(number, loaded->entry, member));
    Close(number, *loaded);
    return absl::OkStatus();
  }

  absl::Status AttachWaiting(uint32_t number, const v1::Entry& entry, v1::Member& member) {
    const uint64_t missing = OfMissing(subject(), member.facility(), member.event_id());
    SIMPUL_ASSIGN_OR_RETURN(const std::optional<uint32_t> found, history_.Find(missing));
    if (!found.has_value()) return absl::OkStatus();
    SIMPUL_ASSIGN_OR_RETURN(Waiting * waiting, history_.WaitingAt(*found));
    std::vector<Waiting::Item> left;
    for (Waiting::Item& item : InOrder(*waiting)) {
      if (item.dead) {
        left.push_back(std::move(item));
        continue;
      }
      Event amendment;
      if (!amendment.ParseFromString(item.receipt.event())) return Contradiction();
      SIMPUL_ASSIGN_OR_RETURN(const bool fits, Fits(entry, member, amendment));
      if (!fits) {
        Bury(item, kChangesPlace);
        left.push_back(std::move(item));
        continue;
      }
      Attach(member, item.position, item.receipt, amendment);
      --tally_.waiting;
      SIMPUL_RETURN_IF_ERROR(history_.Set(
          OfEvent(subject(), item.receipt.facility(), item.receipt.event_id()), number));
    }
    waiting->items = std::move(left);
    return waiting->items.empty() ? history_.Erase(missing) : absl::OkStatus();
  }

  // Dead letters of one event come in the order of their ids, whatever order they came in.
  static std::vector<Waiting::Item>& InOrder(Waiting& waiting) {
    std::ranges::sort(waiting.items, {}, [](const Waiting::Item& item) -> const std::string& {
      return item.receipt.event_id();
    });
    return waiting.items;
  }

  // What waited can never be attached.
  void Bury(Waiting::Item& item, std::string_view message) {
    projected_.derived.emplace_back(
        Letter(kNamesNoOriginal, message, incoming_.partition, item.position, item.receipt));
    item.dead = true;
    item.receipt.clear_event();
    --tally_.events;
    --tally_.waiting;
    ++tally_.dead_letters;
  }

  // A correction or retraction.
  absl::Status Amend() {
    SIMPUL_RETURN_IF_ERROR(BuryThoseThatNameThis());
    const std::string original(OriginalOf(incoming_.event));
    if (original == receipt_.event_id()) return Keep(original, kAmendsAmendment);
    SIMPUL_ASSIGN_OR_RETURN(const std::optional<uint32_t> found,
                            history_.Find(OfEvent(subject(), receipt_.facility(), original)));
    if (!found.has_value()) return Keep(original, "");
    if (*found & History::kOnWaiting) return Keep(original, kAmendsAmendment);
    SIMPUL_ASSIGN_OR_RETURN(LoadedEntry * loaded, history_.EntryAt(*found));
    v1::Member* member = FindMember(loaded->entry, receipt_.facility(), original);
    if (member == nullptr) return Keep(original, kAmendsAmendment);
    SIMPUL_ASSIGN_OR_RETURN(const bool fits, Fits(loaded->entry, *member, incoming_.event));
    if (!fits) return Keep(original, kChangesPlace);
    OpenEntry(*loaded);
    SIMPUL_RETURN_IF_ERROR(history_.Set(reference_, *found));
    ++tally_.events;
    Attach(*member, incoming_.position, receipt_, incoming_.event);
    Close(*found, *loaded);
    return absl::OkStatus();
  }

  absl::Status BuryThoseThatNameThis() {
    SIMPUL_ASSIGN_OR_RETURN(
        const std::optional<uint32_t> found,
        history_.Find(OfMissing(subject(), receipt_.facility(), receipt_.event_id())));
    if (!found.has_value()) return absl::OkStatus();
    SIMPUL_ASSIGN_OR_RETURN(Waiting * waiting, history_.WaitingAt(*found));
    for (Waiting::Item& item : InOrder(*waiting)) {
      if (!item.dead) Bury(item, kAmendsAmendment);
    }
    return absl::OkStatus();
  }

  // Keeps an amendment that is on no entry: it waits for its original, or is dead for a reason.
  absl::Status Keep(const std::string& original, std::string_view dead_because) {
    const uint64_t missing = OfMissing(subject(), receipt_.facility(), original);
    SIMPUL_ASSIGN_OR_RETURN(const std::optional<uint32_t> found, history_.Find(missing));
    uint32_t number = 0;
    Waiting* waiting = nullptr;
    if (found.has_value()) {
      number = *found;
      SIMPUL_ASSIGN_OR_RETURN(waiting, history_.WaitingAt(number));
    } else {
      SIMPUL_ASSIGN_OR_RETURN(std::tie(number, waiting), history_.NewWaiting());
      SIMPUL_RETURN_IF_ERROR(history_.Set(missing, number));
    }
    SIMPUL_RETURN_IF_ERROR(history_.Set(reference_, number));
    Waiting::Item& item = waiting->items.emplace_back();
    item.position = incoming_.position;
    item.receipt = receipt_;
    if (!dead_because.empty()) {
      item.dead = true;
      item.receipt.clear_event();
      Refuse(kNamesNoOriginal, dead_because);
      return absl::OkStatus();
    }
    ++tally_.events;
    ++tally_.waiting;
    log::v1::WaitingEvent told;
    told.set_event_id(receipt_.event_id());
    *told.mutable_facility() = receipt_.facility();
    told.set_kind(receipt_.kind());
    told.set_original_event_id(original);
    told.set_received_at_us(receipt_.received_at_us());
    projected_.derived.emplace_back(std::move(told));
    return absl::OkStatus();
  }

  History& history_;
  IncomingEvent& incoming_;
  const AcceptedEvent& receipt_;
  const uint64_t reference_;
  Tally& tally_;
  Projected projected_;
};

}  // namespace

Group GroupOf(const Event& event) {
  Group group;
  group.facility = event.facility();
  group.id = event.event_id();
  group.purpose = event.purpose();
  switch (event.payload_case()) {
    case Event::kVisit:
    case Event::kImmunisation:
    case Event::kSupplement:
    case Event::kLabResult:
    case Event::kScreening:
    case Event::kBirth:
      group.kind = v1::ENTRY_KIND_VISIT;
      if (!event.visit_id().empty()) group.id = event.visit_id();
      break;
    case Event::kReferral:
      group.kind = v1::ENTRY_KIND_REFERRAL;
      group.facility = event.referral().from();
      group.id = event.referral().number();
      break;
    case Event::kPregnancy:
      group.kind = v1::ENTRY_KIND_PREGNANCY;
      group.id = event.pregnancy().pregnancy_id();
      break;
    case Event::kPatientRegistered:
      group.kind = v1::ENTRY_KIND_PATIENT_REGISTERED;
      break;
    case Event::kPatientLinked:
      group.kind = v1::ENTRY_KIND_PATIENT_LINKED;
      break;
    case Event::kPatientUnlinked:
      group.kind = v1::ENTRY_KIND_PATIENT_UNLINKED;
      break;
    case Event::kPatientStatus:
      group.kind = v1::ENTRY_KIND_PATIENT_STATUS;
      break;
    case Event::kConsent:
      group.kind = v1::ENTRY_KIND_CONSENT;
      break;
    case Event::kRestriction:
      group.kind = v1::ENTRY_KIND_RESTRICTION;
      break;
    case Event::kCorrection:
    case Event::kRetraction:
    case Event::PAYLOAD_NOT_SET:
      break;
  }
  return group;
}

std::string EntryId(const event::SubjectKey& subject, const Group& group) {
  std::string name;
  PutText(name, subject.hex());
  PutText(name, std::to_string(group.kind));
  PutText(name, group.facility.system());
  PutText(name, group.facility.code());
  PutText(name, group.id);
  PutText(name, std::to_string(group.purpose));
  return base::UuidV5(kEntryNamespace, name);
}

base::Sha256Digest ContentDigest(const v1::Entry& entry) {
  std::string text = "simpul.entry.v1";
  text.reserve(256);
  text.push_back('\0');
  base::PutBe32(text, static_cast<uint32_t>(entry.kind()));
  PutText(text, entry.facility().system());
  PutText(text, entry.facility().code());
  PutText(text, entry.group_id());
  base::PutBe32(text, static_cast<uint32_t>(entry.purpose()));
  base::PutBe32(text, static_cast<uint32_t>(entry.members_size()));
  std::vector<const v1::Amendment*> amendments;
  for (const v1::Member& member : entry.members()) {
    text.append(member.content());
    base::PutBe32(text, static_cast<uint32_t>(member.state()));
    base::PutBe32(text, static_cast<uint32_t>(member.amendments_size()));
    amendments.clear();
    for (const v1::Amendment& amendment : member.amendments()) amendments.push_back(&amendment);
    std::ranges::sort(amendments, {},
                      [](const v1::Amendment* a) -> const std::string& { return a->event_id(); });
    for (const v1::Amendment* amendment : amendments) text.append(amendment->content());
  }
  return base::Sha256(text);
}

bool Before(const v1::Member& a, const v1::Member& b) {
  const auto key = [](const v1::Member& member) {
    return std::tuple(member.occurred_at_us(), member.recorded_at_us(),
                      std::string_view(member.facility().system()),
                      std::string_view(member.facility().code()),
                      std::string_view(member.event_id()));
  };
  return key(a) < key(b);
}

bool Before(const v1::Entry& a, const v1::Entry& b) { return Before(a.members(0), b.members(0)); }

absl::StatusOr<Projected> Project(History& history, IncomingEvent&& incoming, Tally& tally) {
  return Application(history, incoming, tally).Run();
}

}  // namespace simpul::timeline
