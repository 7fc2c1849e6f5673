#include "lib/timeline/project.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "lib/base/bytes.h"
#include "lib/base/status_macros.h"
#include "lib/base/test_point.h"
#include "lib/base/uuid.h"
#include "lib/base/wire.h"
#include "lib/event/kind.h"
#include "lib/event/outline.h"
#include "lib/event/validate.h"
#include "lib/timeline/derive.h"
#include "lib/timeline/entry_view.h"
#include "lib/timeline/siphash.h"

namespace simpul::timeline {
namespace {

using event::FacilityView;
using event::Kind;
using event::ViewOf;
using event::v1::Event;
using log::v1::AcceptedEvent;
using log::v1::DeadLetter;

constexpr char kEntryNamespace[] = "9d7b1d0e-5c35-5c0b-8f0e-52b1f3a6c9d4";

Group GroupKept(const EntryView& entry) {
  return {entry.kind, entry.facility, entry.group_id, entry.purpose};
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
                  int64_t position, const FacilityView& facility, std::string_view event_id,
                  int64_t received_at_us) {
  DeadLetter letter;
  letter.set_cause(std::string(cause));
  letter.set_stage("project");
  letter.set_partition(partition);
  letter.set_position(position);
  letter.set_event_id(std::string(event_id));
  letter.mutable_facility()->set_system(std::string(facility.system));
  letter.mutable_facility()->set_code(std::string(facility.code));
  letter.set_message(std::string(message));
  letter.set_received_at_us(received_at_us);
  return letter;
}

constexpr std::string_view kAmendsAmendment =
    "It names a correction or retraction; only an event as first sent can be corrected or taken "
    "back.";
constexpr std::string_view kEntryIsFull =
    "The visit, referral or pregnancy holds 1 MiB of events already. Send what belongs to another "
    "attendance under a visit_id of its own.";
constexpr std::string_view kChangesPlace =
    "The replacement has another id, facility, visit, patient, purpose or kind of entry than the "
    "event it corrects. Take the event back and send a new one.";

// The bytes of the Member that the event becomes, as protobuf writes them.
std::string MemberBytes(const IncomingEvent& incoming, std::string_view content) {
  using v1::Member;
  const event::Outline& event = incoming.outline;
  std::string out;
  out.reserve(256 + incoming.event.size());
  base::PutBytesField(out, Member::kEventIdFieldNumber, event.event_id);
  base::PutNumberField(out, Member::kKindFieldNumber, event.kind);
  base::PutBytesField(out, Member::kEventFieldNumber, incoming.event);
  base::PutNumberField(out, Member::kStateFieldNumber, v1::MEMBER_STATE_STANDING);
  base::PutNumberField(out, Member::kOccurredAtUsFieldNumber,
                       static_cast<uint64_t>(event.occurred_at_us));
  base::PutNumberField(out, Member::kRecordedAtUsFieldNumber,
                       static_cast<uint64_t>(event.recorded_at_us));
  base::PutBytesField(out, Member::kContentFieldNumber, content);
  base::PutBytesField(out, Member::kDigestFieldNumber, incoming.digest);
  base::PutNumberField(out, Member::kPositionFieldNumber, static_cast<uint64_t>(incoming.position));
  base::PutNumberField(out, Member::kReceivedAtUsFieldNumber,
                       static_cast<uint64_t>(incoming.received_at_us));
  base::PutBytesField(out, Member::kOriginalKeyFieldNumber, incoming.original_key);
  PutFacility(out, Member::kFacilityFieldNumber, event.facility);
  return out;
}

bool IsFull(size_t entry_bytes, size_t event_bytes) {
  return entry_bytes + event_bytes > kEntryBytesMax;
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
  amendment.set_recorded_at_us(event::Micros(event.recorded_at()));
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
      member.set_occurred_at_us(event::Micros(replacement.occurred_at().time()));
      member.set_recorded_at_us(event::Micros(replacement.recorded_at()));
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

// Whether a correction leaves its original in its entry. Retractions always fit.
absl::StatusOr<bool> Fits(const Group& group, const v1::Member& member, const Event& amendment) {
  if (amendment.has_retraction()) return true;
  const Event& replacement = amendment.correction().replacement();
  if (replacement.event_id() != member.event_id() ||
      ViewOf(replacement.facility()) != ViewOf(member.facility()) ||
      GroupOf(event::OutlineOf(replacement)) != group ||
      IdentityOf(replacement) != IdentityOf(amendment)) {
    return false;
  }
  Event now;
  if (!now.ParseFromString(member.event())) return Contradiction();
  return replacement.visit_id() == now.visit_id();
}

Waiting::Item* FindItem(Waiting& waiting, const FacilityView& facility, std::string_view event_id) {
  for (Waiting::Item& item : waiting.items) {
    if (item.receipt.event_id() == event_id && ViewOf(item.receipt.facility()) == facility) {
      return &item;
    }
  }
  return nullptr;
}

// One application: what Project does, cut into steps.
class Application {
 public:
  Application(History& history, const IncomingEvent& incoming, Tally& tally)
      : history_(history), incoming_(incoming), event_(incoming_.outline), tally_(tally) {}

  absl::StatusOr<Projected> Run() {
    reference_ = OfEvent(event_.facility, event_.event_id);
    SIMPUL_ASSIGN_OR_RETURN(const std::optional<uint32_t> known, history_.Find(reference_));
    if (known.has_value() && !SIMPUL_PLANTED_BUG("no_deduplication")) {
      SIMPUL_RETURN_IF_ERROR(Again(*known));
      return std::move(projected_);
    }
    SIMPUL_ASSIGN_OR_RETURN(const bool full, IsHistoryFull());
    if (full) {
      Refuse(kPatientTooLarge, "The patient's history is full: 10,000 events or 8 MiB.");
      return std::move(projected_);
    }
    SIMPUL_RETURN_IF_ERROR(event::IsAmendment(event_.kind) ? Amend() : Place());
    return std::move(projected_);
  }

 private:
  const event::SubjectKey& subject() const { return history_.subject(); }
  const rules::RulesInForce& rules() const {
    static const rules::RulesInForce none;
    return incoming_.rules == nullptr ? none : *incoming_.rules;
  }

  absl::StatusOr<bool> IsHistoryFull() {
    SIMPUL_ASSIGN_OR_RETURN(const uint32_t events, history_.events());
    SIMPUL_ASSIGN_OR_RETURN(const uint64_t bytes, history_.bytes());
    return events >= kHistoryEventsMax || bytes + incoming_.event.size() > kHistoryBytesMax;
  }

  // References: a tag keeps the four kinds apart.
  uint64_t OfEvent(const FacilityView& facility, std::string_view event_id) {
    return EventReference('e', facility, event_id);
  }
  uint64_t OfMissing(const FacilityView& facility, std::string_view event_id) {
    return EventReference('w', facility, event_id);
  }
  uint64_t EventReference(char tag, const FacilityView& facility, std::string_view event_id) {
    scratch_.assign(1, tag);
    base::PutText(scratch_, facility.system);
    base::PutText(scratch_, facility.code);
    base::PutText(scratch_, event_id);
    return SipHash(subject().view(), scratch_);
  }
  // Of other content under an id that is taken.
  uint64_t OfConflict() {
    scratch_.assign(1, 'c');
    base::PutText(scratch_, event_.facility.system);
    base::PutText(scratch_, event_.facility.code);
    base::PutText(scratch_, event_.event_id);
    base::PutText(scratch_, incoming_.digest);
    return SipHash(subject().view(), scratch_);
  }
  uint64_t OfGroup(const Group& group) {
    scratch_.assign(1, 'g');
    base::PutBe32(scratch_, static_cast<uint32_t>(group.kind));
    base::PutText(scratch_, group.facility.system);
    base::PutText(scratch_, group.facility.code);
    base::PutText(scratch_, group.id);
    base::PutBe32(scratch_, static_cast<uint32_t>(group.purpose));
    return SipHash(subject().view(), scratch_);
  }

  void Refuse(std::string_view cause, std::string_view message) {
    projected_.derived.emplace_back(Letter(cause, message, incoming_.partition, incoming_.position,
                                           event_.facility, event_.event_id,
                                           incoming_.received_at_us));
    ++tally_.dead_letters;
  }

  // The id is known: the same content changes nothing, other content is a conflict.
  absl::Status Again(uint32_t known) {
    std::optional<std::string_view> digest;
    if (known & History::kOnWaiting) {
      SIMPUL_ASSIGN_OR_RETURN(Waiting * waiting, history_.WaitingAt(known));
      const Waiting::Item* item = FindItem(*waiting, event_.facility, event_.event_id);
      if (item != nullptr) digest = item->receipt.digest();
    } else {
      SIMPUL_ASSIGN_OR_RETURN(const LoadedEntry* loaded, history_.EntryAt(known));
      SIMPUL_ASSIGN_OR_RETURN(const EntryView entry, Read(*loaded));
      for (const MemberView& member : entry.members) {
        if (member.facility != event_.facility) continue;
        digest = member.event_id == event_.event_id ? member.digest
                                                    : member.AmendmentDigest(event_.event_id);
        if (digest.has_value()) break;
      }
    }
    if (!digest.has_value()) return Contradiction();
    if (*digest == incoming_.digest) {
      projected_.duplicate = true;
      return absl::OkStatus();
    }
    // Sent again it is known as such, as long as the history has room to remember it.
    const uint64_t conflict = OfConflict();
    SIMPUL_ASSIGN_OR_RETURN(const std::optional<uint32_t> told, history_.Find(conflict));
    if (told.has_value()) {
      projected_.duplicate = true;
      return absl::OkStatus();
    }
    SIMPUL_ASSIGN_OR_RETURN(const bool full, IsHistoryFull());
    if (!full) {
      SIMPUL_RETURN_IF_ERROR(history_.Set(conflict, known));
      SIMPUL_RETURN_IF_ERROR(history_.Count(incoming_.event.size()));
    }
    Refuse(kConflict,
           "An earlier event has the same id and facility and other content; that one stands. "
           "To change it send a correction.");
    return absl::OkStatus();
  }

  static absl::StatusOr<EntryView> Read(const LoadedEntry& loaded) {
    std::optional<EntryView> entry = ReadEntry(loaded.bytes);
    if (!entry.has_value() || entry->members.empty()) return Contradiction();
    return *std::move(entry);
  }

  // Takes the entry as it is out of the checksum; Revise puts it back as it has become.
  void Open(const EntryView& entry, LoadedEntry& loaded) {
    if (!loaded.counted) loaded.content = ContentDigest(entry);
    tally_.content.Remove(loaded.content);
  }

  // The next revision of the entry, whose event `changed` is new or another than before, and of
  // those others that the rules now say something else of. What the view shows may lie in `loaded`.
  absl::Status Close(uint32_t number, EntryView& entry, const MemberView& changed,
                     LoadedEntry& loaded) {
    Event event;  // the changed one, unless it was taken back
    SIMPUL_ASSIGN_OR_RETURN(const std::vector<uint32_t> affected, Learn(number, changed, event));
    const auto before = [](const MemberView& a, const MemberView& b) { return Before(a, b); };
    if (!std::ranges::is_sorted(entry.members, before)) {
      std::ranges::sort(entry.members, before);
    }
    entry.withdrawn = std::ranges::all_of(entry.members, [](const MemberView& member) {
      return member.state == v1::MEMBER_STATE_RETRACTED;
    });
    SIMPUL_ASSIGN_OR_RETURN(
        const std::string derived,
        SayOf(entry, {{changed.facility, changed.event_id},
                      changed.state == v1::MEMBER_STATE_RETRACTED ? nullptr : &event}));
    Revise(number, entry, derived, loaded);
    for (const uint32_t other : affected) {
      if (other != number) SIMPUL_RETURN_IF_ERROR(Reconsider(other));
    }
    return absl::OkStatus();
  }

  // What the rules need of the event, as it counts now. Numbers of the entries that it may make a
  // difference to.
  absl::StatusOr<std::vector<uint32_t>> Learn(uint32_t number, const MemberView& member,
                                              Event& event) {
    SIMPUL_ASSIGN_OR_RETURN(PatientFacts * facts, history_.Facts());
    history_.FactsChanged();
    const EventKey key{member.facility, member.event_id};
    if (member.state == v1::MEMBER_STATE_RETRACTED) {
      return facts->Learn(key, number, nullptr, rules());
    }
    if (!event.ParseFromArray(member.event.data(), static_cast<int>(member.event.size()))) {
      return Contradiction();
    }
    return facts->Learn(key, number, &event, rules());
  }

  // What the rules say of the entry.
  absl::StatusOr<std::string> SayOf(const EntryView& entry, const ParsedEvent& parsed = {}) {
    SIMPUL_ASSIGN_OR_RETURN(PatientFacts * facts, history_.Facts());
    std::optional<std::string> derived = Derive(entry, *facts, rules(), parsed);
    if (!derived.has_value()) return Contradiction();
    return *std::move(derived);
  }

  void Revise(uint32_t number, EntryView& entry, std::string_view derived, LoadedEntry& loaded) {
    entry.derived = derived;
    ++entry.revision;
    loaded.content = ContentDigest(entry);
    loaded.counted = true;
    loaded.changed = true;
    tally_.content.Add(loaded.content);
    loaded.bytes = WriteEntry(entry);
    projected_.derived.emplace_back(EntryChange{number});
  }

  // An entry that another one's event may make a difference to.
  absl::Status Reconsider(uint32_t number) {
    SIMPUL_ASSIGN_OR_RETURN(LoadedEntry * loaded, history_.EntryAt(number));
    SIMPUL_ASSIGN_OR_RETURN(EntryView entry, Read(*loaded));
    SIMPUL_ASSIGN_OR_RETURN(const std::string derived, SayOf(entry));
    if (derived == entry.derived) return absl::OkStatus();
    Open(entry, *loaded);
    Revise(number, entry, derived, *loaded);
    return absl::OkStatus();
  }

  // An event that is no amendment: it joins its entry, with what waited for it.
  absl::Status Place() {
    const Group group = GroupOf(event_);
    const uint64_t group_reference = OfGroup(group);
    SIMPUL_ASSIGN_OR_RETURN(const std::optional<uint32_t> found, history_.Find(group_reference));
    uint32_t number = 0;
    LoadedEntry* loaded = nullptr;
    EntryView entry;
    std::string entry_id;
    if (found.has_value()) {
      number = *found;
      SIMPUL_ASSIGN_OR_RETURN(loaded, history_.EntryAt(number));
      if (IsFull(loaded->bytes.size(), incoming_.event.size())) {
        Refuse(kEntryTooLarge, kEntryIsFull);
        return absl::OkStatus();
      }
      SIMPUL_ASSIGN_OR_RETURN(entry, Read(*loaded));
      Open(entry, *loaded);
      if (group != GroupKept(entry)) return Contradiction();
    } else {
      SIMPUL_ASSIGN_OR_RETURN(std::tie(number, loaded), history_.NewEntry());
      SIMPUL_RETURN_IF_ERROR(history_.Set(group_reference, number));
      entry_id = EntryId(subject(), group);
      entry = {.entry_id = entry_id,
               .kind = group.kind,
               .subject_key = subject().view(),
               .facility = group.facility,
               .group_id = group.id,
               .purpose = group.purpose};
      ++tally_.entries;
    }
    SIMPUL_RETURN_IF_ERROR(history_.Set(reference_, number));
    SIMPUL_RETURN_IF_ERROR(history_.Count(incoming_.event.size()));
    ++tally_.events;
    const base::Sha256Digest content = base::Sha256(incoming_.event);
    std::string bytes = MemberBytes(incoming_, base::AsBytes(content));
    SIMPUL_ASSIGN_OR_RETURN(const bool attached,
                            AttachWaiting(number, group, loaded->bytes.size(), bytes));
    MemberView member;
    if (attached) {
      std::optional<MemberView> read = ReadMember(bytes);
      if (!read.has_value()) return Contradiction();
      member = *std::move(read);
    } else {
      member = {.bytes = bytes,
                .event_id = event_.event_id,
                .kind = event_.kind,
                .event = incoming_.event,
                .facility = event_.facility,
                .state = v1::MEMBER_STATE_STANDING,
                .occurred_at_us = event_.occurred_at_us,
                .recorded_at_us = event_.recorded_at_us,
                .content = base::AsBytes(content),
                .digest = incoming_.digest};
    }
    entry.members.push_back(member);
    return Close(number, entry, member, *loaded);
  }

  // Attaches what waited for the event to the member that it becomes. False: nothing waited.
  absl::StatusOr<bool> AttachWaiting(uint32_t number, const Group& group, size_t entry_size,
                                     std::string& member_bytes) {
    const uint64_t missing = OfMissing(event_.facility, event_.event_id);
    SIMPUL_ASSIGN_OR_RETURN(const std::optional<uint32_t> found, history_.Find(missing));
    if (!found.has_value()) return false;
    SIMPUL_ASSIGN_OR_RETURN(Waiting * waiting, history_.WaitingAt(*found));
    v1::Member member;
    if (!member.ParseFromString(member_bytes)) return Contradiction();
    std::vector<Waiting::Item> left;
    for (Waiting::Item& item : InOrder(*waiting)) {
      if (item.dead) {
        left.push_back(std::move(item));
        continue;
      }
      Event amendment;
      if (!amendment.ParseFromString(item.receipt.event())) return Contradiction();
      SIMPUL_ASSIGN_OR_RETURN(const bool fits, Fits(group, member, amendment));
      const bool full = IsFull(entry_size + member.ByteSizeLong(), item.receipt.event().size());
      if (!fits || full) {
        Bury(item, fits ? kEntryTooLarge : kNamesNoOriginal, fits ? kEntryIsFull : kChangesPlace);
        left.push_back(std::move(item));
        continue;
      }
      Attach(member, item.position, item.receipt, amendment);
      --tally_.waiting;
      SIMPUL_RETURN_IF_ERROR(
          history_.Set(OfEvent(ViewOf(item.receipt.facility()), item.receipt.event_id()), number));
    }
    waiting->items = std::move(left);
    member_bytes = member.SerializeAsString();
    if (waiting->items.empty()) SIMPUL_RETURN_IF_ERROR(history_.Erase(missing));
    return true;
  }

  // Dead letters of one event come in the order of their ids, whatever order they came in.
  static std::vector<Waiting::Item>& InOrder(Waiting& waiting) {
    std::ranges::sort(waiting.items, {}, [](const Waiting::Item& item) -> const std::string& {
      return item.receipt.event_id();
    });
    return waiting.items;
  }

  // What waited can never be attached.
  void Bury(Waiting::Item& item, std::string_view cause, std::string_view message) {
    projected_.derived.emplace_back(Letter(cause, message, incoming_.partition, item.position,
                                           ViewOf(item.receipt.facility()), item.receipt.event_id(),
                                           item.receipt.received_at_us()));
    item.dead = true;
    item.receipt.clear_event();
    --tally_.events;
    --tally_.waiting;
    ++tally_.dead_letters;
  }

  // A correction or retraction.
  absl::Status Amend() {
    AcceptedEvent receipt;
    Event amendment;
    if (!receipt.ParseFromArray(incoming_.receipt.data(),
                                static_cast<int>(incoming_.receipt.size())) ||
        !amendment.ParseFromString(receipt.event())) {
      return absl::InternalError("A decoded event cannot be parsed.");
    }
    SIMPUL_RETURN_IF_ERROR(history_.Count(incoming_.event.size()));
    SIMPUL_RETURN_IF_ERROR(BuryThoseThatNameThis());
    const std::string_view original = OriginalOf(amendment);
    if (original == event_.event_id) return Keep(std::move(receipt), original, kAmendsAmendment);
    SIMPUL_ASSIGN_OR_RETURN(const std::optional<uint32_t> found,
                            history_.Find(OfEvent(event_.facility, original)));
    if (!found.has_value()) return Keep(std::move(receipt), original, "");
    if (*found & History::kOnWaiting) return Keep(std::move(receipt), original, kAmendsAmendment);
    SIMPUL_ASSIGN_OR_RETURN(LoadedEntry * loaded, history_.EntryAt(*found));
    SIMPUL_ASSIGN_OR_RETURN(EntryView entry, Read(*loaded));
    MemberView* const named = entry.Find(event_.facility, original);
    if (named == nullptr) return Keep(std::move(receipt), original, kAmendsAmendment);
    v1::Member member;
    if (!member.ParseFromArray(named->bytes.data(), static_cast<int>(named->bytes.size()))) {
      return Contradiction();
    }
    SIMPUL_ASSIGN_OR_RETURN(const bool fits, Fits(GroupKept(entry), member, amendment));
    if (!fits) return Keep(std::move(receipt), original, kChangesPlace);
    if (IsFull(loaded->bytes.size(), incoming_.event.size())) {
      return Keep(std::move(receipt), original, kEntryIsFull, kEntryTooLarge);
    }
    SIMPUL_RETURN_IF_ERROR(history_.Set(reference_, *found));
    ++tally_.events;
    Open(entry, *loaded);
    Attach(member, incoming_.position, receipt, amendment);
    const std::string bytes = member.SerializeAsString();
    std::optional<MemberView> amended = ReadMember(bytes);
    if (!amended.has_value()) return Contradiction();
    *named = *amended;
    return Close(*found, entry, *amended, *loaded);
  }

  absl::Status BuryThoseThatNameThis() {
    SIMPUL_ASSIGN_OR_RETURN(const std::optional<uint32_t> found,
                            history_.Find(OfMissing(event_.facility, event_.event_id)));
    if (!found.has_value()) return absl::OkStatus();
    SIMPUL_ASSIGN_OR_RETURN(Waiting * waiting, history_.WaitingAt(*found));
    for (Waiting::Item& item : InOrder(*waiting)) {
      if (!item.dead) Bury(item, kNamesNoOriginal, kAmendsAmendment);
    }
    return absl::OkStatus();
  }

  // Keeps an amendment that is on no entry: it waits for its original, or is dead for a reason.
  absl::Status Keep(AcceptedEvent receipt, std::string_view original, std::string_view dead_because,
                    std::string_view cause = kNamesNoOriginal) {
    const uint64_t missing = OfMissing(event_.facility, original);
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
    item.receipt = std::move(receipt);
    if (!dead_because.empty()) {
      item.dead = true;
      item.receipt.clear_event();
      Refuse(cause, dead_because);
      return absl::OkStatus();
    }
    ++tally_.events;
    ++tally_.waiting;
    log::v1::WaitingEvent told;
    told.set_event_id(item.receipt.event_id());
    *told.mutable_facility() = item.receipt.facility();
    told.set_kind(item.receipt.kind());
    told.set_original_event_id(std::string(original));
    told.set_received_at_us(item.receipt.received_at_us());
    projected_.derived.emplace_back(std::move(told));
    return absl::OkStatus();
  }

  History& history_;
  const IncomingEvent& incoming_;
  const event::Outline& event_;
  Tally& tally_;
  uint64_t reference_ = 0;
  std::string scratch_;
  Projected projected_;
};

}  // namespace

Group GroupOf(const event::Outline& event) {
  Group group;
  group.facility = event.facility;
  group.id = event.event_id;
  group.purpose = event.purpose;
  switch (static_cast<Kind>(event.kind)) {
    case Kind::kVisit:
    case Kind::kImmunisation:
    case Kind::kSupplement:
    case Kind::kLabResult:
    case Kind::kScreening:
    case Kind::kBirth:
      group.kind = v1::ENTRY_KIND_VISIT;
      if (!event.visit_id.empty()) group.id = event.visit_id;
      break;
    case Kind::kReferral:
      group.kind = v1::ENTRY_KIND_REFERRAL;
      group.facility = event.origin;
      group.id = event.episode;
      break;
    case Kind::kPregnancy:
      group.kind = v1::ENTRY_KIND_PREGNANCY;
      group.id = event.episode;
      break;
    case Kind::kPatientRegistered:
      group.kind = v1::ENTRY_KIND_PATIENT_REGISTERED;
      break;
    case Kind::kPatientLinked:
      group.kind = v1::ENTRY_KIND_PATIENT_LINKED;
      break;
    case Kind::kPatientUnlinked:
      group.kind = v1::ENTRY_KIND_PATIENT_UNLINKED;
      break;
    case Kind::kPatientStatus:
      group.kind = v1::ENTRY_KIND_PATIENT_STATUS;
      break;
    case Kind::kConsent:
      group.kind = v1::ENTRY_KIND_CONSENT;
      break;
    case Kind::kRestriction:
      group.kind = v1::ENTRY_KIND_RESTRICTION;
      break;
    case Kind::kCorrection:
    case Kind::kRetraction:
      break;
  }
  return group;
}

std::string EntryId(const event::SubjectKey& subject, const Group& group) {
  std::string name;
  name.reserve(192);
  base::PutText(name, subject.hex());
  base::PutText(name, std::to_string(group.kind));
  base::PutText(name, group.facility.system);
  base::PutText(name, group.facility.code);
  base::PutText(name, group.id);
  base::PutText(name, std::to_string(group.purpose));
  return base::UuidV5(kEntryNamespace, name);
}

absl::StatusOr<Projected> Project(History& history, const IncomingEvent& incoming, Tally& tally) {
  return Application(history, incoming, tally).Run();
}

}  // namespace simpul::timeline
