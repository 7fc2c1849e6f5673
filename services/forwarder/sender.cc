#include "forwarder/sender.h"

#include <fmt/format.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>

#include <algorithm>
#include <variant>

#include "lib/base/log.h"
#include "lib/base/status_macros.h"
#include "lib/base/test_point.h"
#include "lib/base/text.h"
#include "lib/base/uuid.h"

namespace simpul::forwarder {
namespace {

using deliver::Meaning;
using deliver::NextStep;
using deliver::Verdict;

constexpr std::string_view kComponent = "forwarder";
// The loop looks at the directory and shows ages at least this often while it has nothing to do.
constexpr std::chrono::seconds kHeartbeat{1};
constexpr size_t kRecheckRows = 200;

bool NeedsDirectoryReason(std::string_view reason) {
  return reason == "facility_unknown" || reason == "practitioner_unknown" ||
         reason == "location_unknown";
}

// The credentials file decides these.
bool NeedsCredentialsReason(std::string_view reason) {
  return reason == "credentials" || reason == "credentials_missing";
}

// Takes what names the patient out of words that others wrote.
std::string WithoutPatient(std::string words, const event::v1::Subject& subject) {
  const auto lower = [](std::string_view text) {
    std::string out(text);
    for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return out;
  };
  const auto mask = [&](std::string_view secret) {
    if (secret.size() < 3) return;
    const std::string wanted = lower(secret);
    for (size_t at = lower(words).find(wanted); at != std::string::npos;
         at = lower(words).find(wanted)) {
      words.replace(at, wanted.size(), "***");
    }
  };
  mask(subject.name());
  std::string_view name = subject.name();
  while (!name.empty()) {
    const size_t space = name.find(' ');
    mask(name.substr(0, space));
    name.remove_prefix(space == std::string_view::npos ? name.size() : space + 1);
  }
  for (const event::v1::Identity& identity : subject.identities()) {
    mask(identity.nik().number());
    mask(identity.newborn().mother_nik());
    mask(identity.passport().number());
    mask(identity.card().number());
  }
  mask(subject.phone());
  mask(subject.family_card());
  return words;
}

std::string_view OutcomeName(log::v1::OutcomeClass outcome) {
  switch (outcome) {
    case log::v1::OUTCOME_CLASS_DELIVERED:
      return "delivered";
    case log::v1::OUTCOME_CLASS_RETRY:
      return "retry";
    case log::v1::OUTCOME_CLASS_UNKNOWN:
      return "unknown";
    case log::v1::OUTCOME_CLASS_REFUSED:
      return "refused";
    case log::v1::OUTCOME_CLASS_HELD:
      return "held";
    case log::v1::OUTCOME_CLASS_NOT_SENT:
      return "not_sent";
    default:
      return "none";
  }
}

}  // namespace

// One record on its way. Lives until its outcome was read back, or it was put off.
struct Sender::Job {
  enum class Phase { kPreparing, kAttempting, kSending, kEnding };

  uint64_t serial = 0;  // tells a late answer from one for a later job of the same entry
  uint32_t partition = 0;
  std::string work_key;
  bool timed = false;
  std::string entry_id;  // 16 bytes
  std::string subject_key;
  Phase phase = Phase::kPreparing;

  NextStep::Kind kind = NextStep::Kind::kSend;
  uint32_t revision = 0;
  deliver::RevisionRow row;
  timeline::v1::Entry entry;
  event::v1::Subject subject;
  deliver::PartsRow parts;
  bool withdraws = false;  // nothing of it stands any more, but parts of it do at the platform

  std::string organization;
  std::string patient_id;
  fhir::Mapped mapped;
  std::map<std::string, fhir::KnownPart> known;  // by part key
  size_t known_of_mapped = 0;                    // parts that had an id before this job
  fhir::Transaction transaction;
  uint32_t attempt = 0;
  base::Time attempt_at{};
  bool gates_entered = false;

  size_t searches_left = 0;
  Verdict search_failure;
  std::map<std::string, std::vector<deliver::FoundResource>> found;  // by part key
  std::vector<deliver::FoundResource> immunizations;

  std::string draft;  // the step being appended, until it is read back
};

struct Sender::Lane {
  Lane(uint32_t partition_in, const deliver::Ledger& ledger_in, size_t items_max)
      : partition(partition_in),
        ledger(ledger_in),
        ready(ledger_in, false, items_max),
        timed(ledger_in, true, items_max) {}

  const uint32_t partition;
  const deliver::Ledger& ledger;
  WorkWindow ready;
  WorkWindow timed;
  bool ours = false;  // our claim is the latest that was read
  bool lost = false;  // it was, and is no more
  bool paused = false;
  std::string trouble;  // the ledger cannot be read
};

Sender::Sender(eventlog::EventLog& log, std::vector<deliver::Ledger*> ledgers,
               deliver::Destination& destination, DirectorySource directory,
               CredentialsVersion credentials, Options options, const base::Clock& clock,
               base::Metrics& metrics)
    : log_(log),
      destination_(destination),
      directory_source_(std::move(directory)),
      credentials_source_(std::move(credentials)),
      options_(std::move(options)),
      clock_(clock),
      metrics_(metrics),
      patients_(options_.patients_max, options_.miss_lasts) {
  for (uint32_t partition = 0; partition < ledgers.size(); ++partition) {
    lanes_.push_back(
        std::make_unique<Lane>(partition, *ledgers[partition], options_.window_items_max));
    lanes_.back()->paused = ledgers[partition]->paused();
    recheck_from_[partition] = "";
  }
  directory_ = directory_source_();
  credentials_version_ = credentials_source_();
  thread_ = std::thread([this] { Run(); });
}

Sender::~Sender() { Stop(); }

void Sender::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return appends_in_flight_ == 0; });
}

void Sender::Take(uint32_t partition, deliver::Applied applied) {
  {
    const std::lock_guard lock(mutex_);
    Lane& lane = *lanes_[partition];
    for (const std::string& key : applied.items_removed) {
      (key[0] == 't' ? lane.timed : lane.ready).Remove(key);
    }
    for (const deliver::WorkItem& item : applied.items_added) {
      (item.key[0] == 't' ? lane.timed : lane.ready).Add(item);
    }
    const bool ours = lane.ledger.claim() == options_.claim;
    if (lane.ours && !ours) lane.lost = true;
    lane.ours = ours;
    lane.paused = lane.ledger.paused();
    for (deliver::Applied::Seen& seen : applied.attempts) {
      if (seen.claim != options_.claim) continue;
      inbox_.push_back([this, seen = std::move(seen)] { TakeAttempt(seen); });
    }
    for (deliver::Applied::Seen& seen : applied.outcomes) {
      if (seen.claim != options_.claim) continue;
      inbox_.push_back([this, seen = std::move(seen)] {
        const auto job = jobs_.find(seen.entry_id);
        if (job == jobs_.end() || job->second->phase != Job::Phase::kEnding) return;
        if (job->second->revision == seen.revision) End(*job->second);
      });
    }
    woken_ = true;
  }
  wake_.notify_all();
}

void Sender::TryAgain() {
  Post([this] { ForgetTrouble(); });
}

void Sender::ForgetTrouble() {
  patients_.ForgetMisses();
  for (auto& [door, gate] : gates_) gate.Reset();
  const std::lock_guard lock(mutex_);
  closed_.clear();
  for (const auto& lane : lanes_) {
    for (WorkWindow* window : {&lane->ready, &lane->timed}) {
      for (auto& [key, work] : window->items()) work.not_before = {};
    }
  }
}

std::optional<Sender::Closed> Sender::WhyClosed(const std::string& organization) const {
  const std::lock_guard lock(mutex_);
  for (const std::string& door : {std::string(), organization}) {
    if (const auto it = closed_.find(door); it != closed_.end()) return it->second;
  }
  return std::nullopt;
}

std::string Sender::Trouble() const {
  const std::lock_guard lock(mutex_);
  for (const auto& lane : lanes_) {
    if (lane->lost) {
      return fmt::format("partition {} was claimed by another forwarder: stop one of the two",
                         lane->partition);
    }
    if (!lane->trouble.empty())
      return fmt::format("partition {}: {}", lane->partition, lane->trouble);
  }
  return "";
}

void Sender::Post(absl::AnyInvocable<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    inbox_.push_back(std::move(task));
    woken_ = true;
  }
  wake_.notify_all();
}

void Sender::Run() {
  for (;;) {
    const base::Time until = Act();
    std::unique_lock lock(mutex_);
    if (stopping_) return;
    const auto wait = std::clamp<std::chrono::microseconds>(
        until - clock_.Now(), std::chrono::microseconds(0), kHeartbeat);
    wake_.wait_for(lock, wait, [this] { return woken_ || stopping_; });
    if (stopping_) return;
    woken_ = false;
  }
}

// Does everything that can be done now. The time at which there may be more, if nothing comes
// first.
base::Time Sender::Act() {
  std::deque<absl::AnyInvocable<void()>> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(inbox_);
  }
  for (auto& task : tasks) task();
  const base::Time now = clock_.Now();
  if (now >= recheck_due_) {
    recheck_due_ = now + kHeartbeat;
    ShowAge(now);
    std::shared_ptr<const fhir::Directory> fresh = directory_source_();
    if (fresh != directory_) {
      directory_ = std::move(fresh);
      for (auto& lane : lanes_) recheck_from_[lane->partition] = "";
    }
    if (const uint64_t version = credentials_source_(); version != credentials_version_) {
      credentials_version_ = version;
      recheck_credentials_ = true;
      for (auto& lane : lanes_) recheck_from_[lane->partition] = "";
      ForgetTrouble();
    }
  }
  const bool rechecks = RecheckHeld();
  PickWork(now);
  FlushAppends();

  const std::lock_guard lock(mutex_);
  if (!inbox_.empty()) return now;
  base::Time due = now + kHeartbeat;
  if (rechecks) due = now + std::chrono::milliseconds(10);
  if (append_again_ > now && !drafts_.empty()) due = std::min(due, append_again_);
  for (const auto& [door, gate] : gates_) {
    if (gate.closed_until() > now) due = std::min(due, gate.closed_until());
  }
  if (jobs_.size() >= options_.jobs_max) return due;
  for (const auto& lane : lanes_) {
    if (!lane->ours || lane->paused) continue;
    for (WorkWindow* window : {&lane->timed, &lane->ready}) {
      for (const auto& [key, work] : window->items()) {
        const base::Time at = std::max(work.not_before, base::FromMicros(work.item.due_us));
        if (at > now) due = std::min(due, at);
        if (work.item.due_us > base::ToMicros(now)) break;
      }
    }
  }
  return due;
}

bool Sender::Pickable(const Work& work, base::Time now) {
  if (work.not_before > now || busy_.contains(work.item.subject_key)) return false;
  return work.door.empty() || Gate(work.door).Open(now);
}

void Sender::PickWork(base::Time now) {
  if (!Gate("").Open(now)) return;
  for (size_t i = 0; i < lanes_.size() && jobs_.size() < options_.jobs_max; ++i) {
    Lane& lane = *lanes_[(first_lane_ + i) % lanes_.size()];
    std::vector<Work> picked;
    {
      const std::lock_guard lock(mutex_);
      if (!lane.ours || lane.lost || lane.paused) continue;
      for (WorkWindow* window : {&lane.timed, &lane.ready}) {
        absl::Status status = window->Refill();
        bool any = false;
        for (auto& [key, work] : window->items()) {
          if (jobs_.size() + picked.size() >= options_.jobs_max) break;
          if (work.item.due_us > base::ToMicros(now)) break;
          if (!Pickable(work, now)) continue;
          busy_.insert(work.item.subject_key);
          picked.push_back(work);
          any = true;
        }
        if (!any && status.ok() && window == &lane.ready && !window->complete() &&
            !window->items().empty()) {
          status = window->Extend();
        }
        lane.trouble = status.ok() ? "" : std::string(base::Message(status));
      }
    }
    for (const Work& work : picked) Begin(lane, work, now);
  }
  // No partition is always the first to be served.
  first_lane_ = (first_lane_ + 1) % std::max<size_t>(1, lanes_.size());
}

void Sender::Begin(Lane& lane, const Work& work, base::Time now) {
  auto owned = std::make_unique<Job>();
  Job& job = *owned;
  job.serial = next_serial_++;
  job.partition = lane.partition;
  job.work_key = work.item.key;
  job.timed = work.item.key[0] == 't';
  job.entry_id = work.item.entry_id;
  job.subject_key = work.item.subject_key;
  // Its last step is still being read back.
  if (jobs_.contains(job.entry_id)) return;
  jobs_.emplace(job.entry_id, std::move(owned));

  const auto entry_row = lane.ledger.Entry(job.entry_id);
  if (!entry_row.ok()) return Fail(job, entry_row.status());
  if (!entry_row->has_value()) return PutOff(job, now + std::chrono::hours(1));
  const deliver::EntryRow& row = **entry_row;
  const auto latest = lane.ledger.Revision(job.entry_id, row.latest);
  if (!latest.ok()) return Fail(job, latest.status());
  deliver::RevisionRow unsettled;
  if (!row.unsettled.empty()) {
    const auto read = lane.ledger.Revision(job.entry_id, row.unsettled.front());
    if (!read.ok()) return Fail(job, read.status());
    unsettled = *read;
  }
  const NextStep next = deliver::NextFor(row, *latest, unsettled);
  if (next.kind == NextStep::Kind::kNothing) return PutOff(job, now + std::chrono::hours(1));
  job.kind = next.kind;
  job.revision = next.revision;
  job.row = next.kind == NextStep::Kind::kSettle ? unsettled : *latest;
  if (next.kind == NextStep::Kind::kSettle && job.row.open) {
    // The process before us may have sent it, and the platform may still be at work on it.
    const base::Time limit = base::FromMicros(job.row.open_at_us) + options_.retry.request_limit;
    if (now < limit) return PutOff(job, limit);
  }
  auto entry = lane.ledger.EntryAt(job.entry_id, job.revision);
  if (!entry.ok()) return Fail(job, entry.status());
  job.entry = *std::move(entry);
  job.subject = fhir::SubjectOf(job.entry);
  auto parts = lane.ledger.Parts(job.entry_id);
  if (!parts.ok()) return Fail(job, parts.status());
  job.parts = *std::move(parts);
  Prepare(job);
}

// Decides whether and what to send, as far as that can be known without asking the platform.
void Sender::Prepare(Job& job) {
  const base::Time now = clock_.Now();
  const bool standing = std::any_of(job.parts.parts.begin(), job.parts.parts.end(),
                                    [](const deliver::PartRow& part) { return !part.withdrawn; });
  const bool settles = job.kind == NextStep::Kind::kSettle;
  if (job.entry.withdrawn() && !standing && !settles) return NotSent(job, "withdrawn");
  if (!job.entry.withdrawn() && !settles) {
    int64_t newest_us = 0;
    for (const timeline::v1::Member& member : job.entry.members()) {
      if (member.state() != timeline::v1::MEMBER_STATE_RETRACTED) {
        newest_us = std::max(newest_us, member.occurred_at_us());
      }
    }
    if (newest_us > base::ToMicros(now)) {
      log::v1::Outcome outcome = OutcomeOf(job);
      outcome.set_outcome(log::v1::OUTCOME_CLASS_RETRY);
      outcome.set_reason("ahead_of_clock");
      outcome.set_retry_at_us(newest_us);
      return Settle(job, std::move(outcome));
    }
  }

  fhir::MapOptions map_options;
  map_options.earliest_day = options_.earliest_day;
  if (job.patient_id.empty()) {
    if (const auto known = patients_.Find(job.subject_key, now); known && !known->id.empty()) {
      job.patient_id = known->id;
    }
  }
  fhir::MapResult result =
      fhir::Map(job.entry, *directory_, fhir::PatientName{job.patient_id}, map_options);
  if (const auto* needs = std::get_if<fhir::NeedsDirectory>(&result)) {
    // An attempt whose end is unknown stays unknown until it can be searched for.
    if (settles) return PutOff(job, now + std::chrono::minutes(1));
    return Hold(job, needs->reason, 0);
  }
  if (const auto* not_sent = std::get_if<fhir::NotSent>(&result)) {
    const fhir::FacilityRow* facility = directory_->Facility(job.entry.facility());
    if (!standing && !settles) return NotSent(job, not_sent->reason);
    if (facility == nullptr) {
      if (settles) return PutOff(job, now + std::chrono::minutes(1));
      return Hold(job, "facility_unknown", 0);
    }
    // Parts of it that were sent earlier fall away.
    result = fhir::Mapped{facility->organization, {}, {}};
  }
  job.mapped = std::move(std::get<fhir::Mapped>(result));
  job.organization = job.mapped.organization;
  job.withdraws = job.mapped.parts.empty();

  for (const std::string& door : {std::string(), job.organization}) {
    const SendGate& gate = Gate(door);
    if (!gate.Open(now)) return PutOff(job, gate.closed_until(), door);
  }
  if (job.patient_id.empty()) {
    const auto known = patients_.Find(job.subject_key, now);
    if (known && !settles) {
      const auto wait = deliver::FullJitter(options_.retry.held_base, options_.retry.held_cap,
                                            job.row.tries + 1, Random());
      return Hold(job, known->reason, base::ToMicros(std::max(known->until, now + wait)));
    }
    if (known) return PutOff(job, known->until);
    return LookUp(job, deliver::QueriesFor(job.subject), 0);
  }
  if (const absl::Status status = FindKnown(job, *directory_, job.patient_id); !status.ok()) {
    return Fail(job, status);
  }
  if (settles) return SearchParts(job);
  job.transaction = fhir::MakeTransaction(job.mapped, job.known);
  if (job.transaction.sendings.empty()) {
    return NotSent(job, job.entry.withdrawn() ? "withdrawn" : "nothing_to_send");
  }
  BeginAttempt(job);
}

void Sender::LookUp(Job& job, std::vector<deliver::PatientQuery> queries, size_t nth) {
  if (queries.empty()) {
    patients_.RememberMiss(job.subject_key, "patient_unknown", clock_.Now());
    return Prepare(job);
  }
  Gate("").Enter();
  Gate(job.organization).Enter();
  job.gates_entered = true;
  const deliver::PatientQuery query = queries[nth];
  destination_.FindPatient(
      job.organization, query,
      [this, entry_id = job.entry_id, serial = job.serial, queries = std::move(queries),
       nth](deliver::PatientAnswer answer) mutable {
        Post([this, entry_id = std::move(entry_id), serial, queries = std::move(queries), nth,
              answer = std::move(answer)]() mutable {
          Job* const waiting = FindJob(entry_id, serial);
          if (waiting != nullptr) TakePatient(*waiting, std::move(queries), nth, std::move(answer));
        });
      });
}

void Sender::TakePatient(Job& job, std::vector<deliver::PatientQuery> queries, size_t nth,
                         deliver::PatientAnswer answer) {
  TellGates(job, answer.verdict);
  job.gates_entered = false;
  const bool settles = job.kind == NextStep::Kind::kSettle;
  switch (answer.verdict.meaning) {
    case Meaning::kDone:
      break;
    case Meaning::kHeld:
    case Meaning::kRefused: {
      if (settles) return PutOff(job, answer.verdict);
      deliver::Verdict held = answer.verdict;
      held.meaning = Meaning::kHeld;
      if (answer.verdict.meaning == Meaning::kRefused) held.reason = "patient_lookup_refused";
      return TakeVerdict(job, std::move(held));
    }
    default:
      return PutOff(job, answer.verdict);
  }
  if (answer.choice.kind == deliver::PatientChoice::Kind::kFound) {
    patients_.Remember(job.subject_key, answer.choice.id);
    job.patient_id = answer.choice.id;
    return Prepare(job);
  }
  const deliver::PatientStep step = deliver::NextStepOf(queries, nth, answer.choice.kind);
  if (step.next) return LookUp(job, std::move(queries), *step.next);
  patients_.RememberMiss(job.subject_key, std::string(step.reason), clock_.Now());
  Prepare(job);
}

// Fills job.known: what the platform has of the mapped parts, and what fell away since.
absl::Status Sender::FindKnown(Job& job, const fhir::Directory& directory,
                               const std::string& patient_id) {
  const deliver::Ledger& ledger = lanes_[job.partition]->ledger;
  job.known.clear();
  std::map<std::string, const deliver::PartRow*> own;  // by key as text
  for (const deliver::PartRow& part : job.parts.parts) own.emplace(base::UuidText(part.key), &part);
  std::set<std::string> mapped_keys;
  for (const fhir::Part& part : job.mapped.parts) {
    mapped_keys.insert(part.key);
    if (const auto it = own.find(part.key); it != own.end()) {
      job.known[part.key] = {part.resource_type, it->second->id, part.json};
    } else if (part.resource_type == "Encounter" || part.resource_type == "Condition") {
      SIMPUL_ASSIGN_OR_RETURN(const std::string id, ledger.SharedId(base::UuidBytes(part.key)));
      if (!id.empty()) job.known[part.key] = {part.resource_type, id, part.json};
    }
  }
  job.known_of_mapped = job.known.size();

  // What fell away is told to be entered in error, as it was last sent.
  std::set<uint32_t> revisions;
  for (const auto& [key, part] : own) {
    if (!part->withdrawn && !mapped_keys.contains(key)) revisions.insert(part->revision);
  }
  fhir::MapOptions map_options;
  map_options.earliest_day = options_.earliest_day;
  for (const uint32_t revision : revisions) {
    SIMPUL_ASSIGN_OR_RETURN(const timeline::v1::Entry old, ledger.EntryAt(job.entry_id, revision));
    const fhir::MapResult result =
        fhir::Map(old, directory, fhir::PatientName{patient_id}, map_options);
    const auto* mapped = std::get_if<fhir::Mapped>(&result);
    if (mapped == nullptr) {
      return absl::FailedPreconditionError("what was sent before cannot be mapped again");
    }
    for (const fhir::Part& part : mapped->parts) {
      if (mapped_keys.contains(part.key)) continue;
      const auto it = own.find(part.key);
      if (part.only_if_absent) {
        // A visit's Encounter is the visit's, whoever sent it first: referred to and left alone.
        std::string id;
        if (it != own.end()) {
          id = it->second->id;
        } else {
          SIMPUL_ASSIGN_OR_RETURN(id, ledger.SharedId(base::UuidBytes(part.key)));
        }
        if (!id.empty()) job.known[part.key] = {part.resource_type, id, ""};
        continue;
      }
      if (it == own.end() || it->second->withdrawn || it->second->revision != revision) continue;
      job.known[part.key] = {part.resource_type, it->second->id, part.json};
    }
  }
  return absl::OkStatus();
}

void Sender::BeginAttempt(Job& job) {
  Gate("").Enter();
  Gate(job.organization).Enter();
  job.gates_entered = true;
  job.phase = Job::Phase::kAttempting;
  job.attempt = job.row.attempts + 1;
  job.attempt_at = clock_.Now();
  log::v1::DeliveryRecord step;
  log::v1::Attempt& attempt = *step.mutable_attempt();
  attempt.set_entry_id(base::UuidText(job.entry_id));
  attempt.set_revision(job.revision);
  attempt.set_attempt(job.attempt);
  AppendStep(job, std::move(step));
}

void Sender::TakeAttempt(const deliver::Applied::Seen& seen) {
  const auto it = jobs_.find(seen.entry_id);
  if (it == jobs_.end()) return;
  Job& job = *it->second;
  if (job.phase != Job::Phase::kAttempting || job.revision != seen.revision ||
      job.attempt != seen.attempt) {
    return;
  }
  job.phase = Job::Phase::kSending;
  const base::Time now = clock_.Now();
  if (!seen.under_latest_claim ||
      now - base::FromMicros(seen.at_us) >= options_.retry.request_limit) {
    // Whoever claimed the partition since counts on nothing of ours being sent this late.
    log::v1::Outcome outcome = OutcomeOf(job);
    outcome.set_outcome(log::v1::OUTCOME_CLASS_RETRY);
    outcome.set_reason("attempt_expired");
    outcome.set_retry_at_us(base::ToMicros(now));
    return Settle(job, std::move(outcome));
  }
  SIMPUL_CRASH_POINT("between_attempt_and_request");
  destination_.Send(job.organization, std::move(job.transaction.json),
                    job.transaction.sendings.size(),
                    [this, entry_id = job.entry_id, serial = job.serial](Verdict verdict) mutable {
                      SIMPUL_CRASH_POINT("after_platform_answer_before_ledger");
                      Post([this, entry_id = std::move(entry_id), serial,
                            verdict = std::move(verdict)]() mutable {
                        Job* const sent = FindJob(entry_id, serial);
                        if (sent != nullptr) TakeVerdict(*sent, std::move(verdict));
                      });
                    });
}

void Sender::TakeVerdict(Job& job, Verdict verdict) {
  if (job.phase == Job::Phase::kSending) TellGates(job, verdict);
  job.gates_entered = false;
  log::v1::Outcome outcome = OutcomeOf(job);
  deliver::Try attempt;
  attempt.tries = job.row.tries + 1;
  attempt.now = clock_.Now();
  attempt.started = job.attempt == 0 ? attempt.now : job.attempt_at;
  attempt.random = Random();
  const deliver::Decision decision = deliver::Decide(verdict, attempt, options_.retry);
  outcome.set_outcome(decision.outcome);
  outcome.set_reason(decision.reason);
  outcome.set_platform_says(WithoutPatient(verdict.platform_says, job.subject));
  outcome.set_request_id(verdict.request_id);
  if (decision.retry_at) outcome.set_retry_at_us(base::ToMicros(*decision.retry_at));
  if (verdict.meaning == Meaning::kDone) {
    for (size_t i = 0; i < job.transaction.sendings.size(); ++i) {
      const fhir::Sending& sending = job.transaction.sendings[i];
      if (sending.entered_in_error) continue;
      log::v1::PlatformId& id = *outcome.add_platform_ids();
      id.set_part(sending.key);
      id.set_resource_type(sending.resource_type);
      id.set_id(sending.posted ? verdict.created[i].id : job.known[sending.key].platform_id);
    }
  }
  if (job.attempt != 0) {
    metrics_
        .Counter("simpul_forwarder_attempts_total", "Requests to the platform by how they ended.",
                 {{"outcome", std::string(OutcomeName(decision.outcome))}})
        .Increment();
  }
  Settle(job, std::move(outcome));
}

// Asks the platform for every part whose id is not known, before anything is sent again.
void Sender::SearchParts(Job& job) {
  Gate("").Enter();
  Gate(job.organization).Enter();
  job.gates_entered = true;
  job.phase = Job::Phase::kSending;
  job.attempt = job.row.attempts;
  job.search_failure = Verdict{};
  bool immunizations = false;
  std::vector<const fhir::Part*> wanted;
  for (const fhir::Part& part : job.mapped.parts) {
    if (job.known.contains(part.key)) continue;
    if (part.identifier_system.empty()) {
      immunizations = immunizations || part.resource_type == "Immunization";
    } else {
      wanted.push_back(&part);
    }
  }
  job.searches_left = wanted.size() + (immunizations ? 1 : 0);
  if (job.searches_left == 0) return TakeFound(job);
  const auto collect = [this, entry_id = job.entry_id,
                        serial = job.serial](const std::string& key) {
    return [this, entry_id, serial, key](deliver::SearchAnswer answer) {
      Post([this, entry_id, serial, key, answer = std::move(answer)]() mutable {
        Job* const searching = FindJob(entry_id, serial);
        if (searching == nullptr) return;
        if (answer.verdict.meaning != Meaning::kDone) {
          searching->search_failure = std::move(answer.verdict);
        } else if (key.empty()) {
          searching->immunizations = std::move(answer.found);
        } else {
          searching->found[key] = std::move(answer.found);
        }
        if (--searching->searches_left == 0) TakeFound(*searching);
      });
    };
  };
  for (const fhir::Part* part : wanted) {
    destination_.Search(job.organization, part->resource_type, part->identifier_system, part->key,
                        collect(part->key));
  }
  if (immunizations)
    destination_.SearchImmunizations(job.organization, job.patient_id, collect(""));
}

void Sender::TakeFound(Job& job) {
  TellGates(job, job.search_failure);
  job.gates_entered = false;
  if (job.search_failure.meaning != Meaning::kDone) return PutOff(job, job.search_failure);

  log::v1::Outcome outcome = OutcomeOf(job);
  bool under_other_patient = false;
  std::set<std::string> taken;
  for (const auto& [key, known] : job.known) taken.insert(known.platform_id);
  const auto adopt = [&](const fhir::Part& part, const std::string& id) {
    taken.insert(id);
    log::v1::PlatformId& row = *outcome.add_platform_ids();
    row.set_part(part.key);
    row.set_resource_type(part.resource_type);
    row.set_id(id);
  };
  std::string encounter_id;
  for (const fhir::Part& part : job.mapped.parts) {
    if (const auto it = job.known.find(part.key); it != job.known.end()) {
      if (part.resource_type == "Encounter" && encounter_id.empty()) {
        encounter_id = it->second.platform_id;
      }
      continue;
    }
    // Of several the same one every time: the platform may hold doubles of others' making.
    std::vector<deliver::FoundResource>& found = job.found[part.key];
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    const auto ours = std::find_if(found.begin(), found.end(), [&job](const auto& resource) {
      return resource.patient_id == job.patient_id;
    });
    if (ours != found.end()) {
      adopt(part, ours->id);
      if (part.resource_type == "Encounter" && encounter_id.empty()) encounter_id = ours->id;
    } else if (!found.empty()) {
      under_other_patient = true;
    }
  }
  std::sort(job.immunizations.begin(), job.immunizations.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
  for (const fhir::Part& part : job.mapped.parts) {
    if (part.resource_type != "Immunization" || job.known.contains(part.key)) continue;
    for (const deliver::FoundResource& resource : job.immunizations) {
      if (resource.patient_id != job.patient_id || taken.contains(resource.id)) continue;
      if (!deliver::SameImmunization(part.json, resource.json, encounter_id)) continue;
      adopt(part, resource.id);
      break;
    }
  }

  const size_t adopted = static_cast<size_t>(outcome.platform_ids_size());
  const bool all_known = job.known_of_mapped + adopted == job.mapped.parts.size();
  const bool only_created = job.known.empty() && !job.mapped.parts.empty();
  if (under_other_patient) {
    outcome.set_outcome(log::v1::OUTCOME_CLASS_HELD);
    outcome.set_reason("delivered_under_other_patient");
  } else if (all_known && only_created) {
    // A transaction is whole or not at all: everything it was to create is there.
    outcome.set_outcome(log::v1::OUTCOME_CLASS_DELIVERED);
  } else if (job.row.last == log::v1::OUTCOME_CLASS_UNKNOWN && job.row.reason == "duplicate" &&
             adopted == 0) {
    outcome.set_outcome(log::v1::OUTCOME_CLASS_REFUSED);
    outcome.set_reason("duplicate_not_found");
    outcome.set_platform_says(job.row.platform_says);
  } else {
    // What is missing is sent; what is there is put again, which changes nothing.
    outcome.set_outcome(log::v1::OUTCOME_CLASS_RETRY);
    outcome.set_reason(adopted == 0 ? "not_found_there" : "partly_found_there");
    outcome.set_retry_at_us(0);
  }
  Settle(job, std::move(outcome));
}

// Held for want of a directory entry, or of credentials: tried again when the directory has it, or
// the credentials have changed. True when there is more of it to do.
bool Sender::RecheckHeld() {
  fhir::MapOptions map_options;
  map_options.earliest_day = options_.earliest_day;
  for (auto next = recheck_from_.begin(); next != recheck_from_.end();) {
    const uint32_t partition = next->first;
    Lane& lane = *lanes_[partition];
    {
      const std::lock_guard lock(mutex_);
      if (!lane.ours) {
        ++next;
        continue;
      }
    }
    const auto rows = lane.ledger.Held(next->second, kRecheckRows);
    if (!rows.ok()) {
      next = recheck_from_.erase(next);
      continue;
    }
    for (const deliver::HeldRow& held : *rows) {
      next->second = held.key;
      const auto entry_row = lane.ledger.Entry(held.entry_id);
      if (!entry_row.ok() || !entry_row->has_value()) continue;
      const uint32_t revision = (*entry_row)->latest;
      const auto row = lane.ledger.Revision(held.entry_id, revision);
      if (!row.ok()) continue;
      const bool for_credentials = recheck_credentials_ && NeedsCredentialsReason(row->reason);
      if (!for_credentials && !NeedsDirectoryReason(row->reason)) continue;
      const auto entry = lane.ledger.EntryAt(held.entry_id, revision);
      if (!entry.ok()) continue;
      if (!for_credentials) {
        const fhir::MapResult result = fhir::Map(*entry, *directory_, {}, map_options);
        if (std::holds_alternative<fhir::NeedsDirectory>(result)) continue;
      }
      log::v1::DeliveryRecord step;
      step.mutable_resend()->set_entry_id(base::UuidText(held.entry_id));
      step.mutable_resend()->set_revision(revision);
      step.set_claim(options_.claim);
      step.set_at_us(base::ToMicros(clock_.Now()));
      log::v1::LogRecord record;
      *record.mutable_delivery() = std::move(step);
      eventlog::Draft draft;
      draft.topic = eventlog::Topic::kDeliveries;
      draft.key = entry->subject_key();
      draft.value = record.SerializeAsString();
      draft.ce_id = base::UuidText(held.entry_id);
      draft.ce_type = "simpul.delivery";
      draft.ce_source = entry->facility().code();
      draft.ce_time_us = base::ToMicros(clock_.Now());
      drafts_.push_back(std::move(draft));
      draft_jobs_.emplace_back("", 0);
    }
    if (rows->size() < kRecheckRows) {
      next = recheck_from_.erase(next);
      continue;
    }
    // One page at a time: sending goes on meanwhile.
    return true;
  }
  if (recheck_from_.empty()) recheck_credentials_ = false;
  return false;
}

log::v1::Outcome Sender::OutcomeOf(const Job& job) const {
  log::v1::Outcome outcome;
  outcome.set_entry_id(base::UuidText(job.entry_id));
  outcome.set_revision(job.revision);
  outcome.set_attempt(job.attempt);
  return outcome;
}

void Sender::Settle(Job& job, log::v1::Outcome outcome) {
  job.phase = Job::Phase::kEnding;
  log::v1::DeliveryRecord step;
  *step.mutable_outcome() = std::move(outcome);
  AppendStep(job, std::move(step));
}

void Sender::NotSent(Job& job, const std::string& reason) {
  log::v1::Outcome outcome = OutcomeOf(job);
  outcome.set_outcome(log::v1::OUTCOME_CLASS_NOT_SENT);
  outcome.set_reason(reason);
  Settle(job, std::move(outcome));
}

void Sender::Hold(Job& job, const std::string& reason, int64_t retry_at_us,
                  const std::string& says) {
  log::v1::Outcome outcome = OutcomeOf(job);
  outcome.set_outcome(log::v1::OUTCOME_CLASS_HELD);
  outcome.set_reason(reason);
  outcome.set_retry_at_us(retry_at_us);
  outcome.set_platform_says(says);
  Settle(job, std::move(outcome));
}

void Sender::PutOff(Job& job, base::Time until, const std::string& door) {
  {
    const std::lock_guard lock(mutex_);
    Lane& lane = *lanes_[job.partition];
    auto& items = (job.timed ? lane.timed : lane.ready).items();
    if (const auto it = items.find(job.work_key); it != items.end()) {
      it->second.not_before = until;
      it->second.door = door;
      if (door.empty()) ++it->second.put_off;
    }
  }
  End(job);
}

void Sender::PutOff(Job& job, const Verdict& verdict) {
  uint32_t put_off = 0;
  {
    const std::lock_guard lock(mutex_);
    Lane& lane = *lanes_[job.partition];
    const auto& items = (job.timed ? lane.timed : lane.ready).items();
    if (const auto it = items.find(job.work_key); it != items.end()) put_off = it->second.put_off;
  }
  const auto wait = std::max<std::chrono::microseconds>(
      verdict.wait_min.value_or(std::chrono::seconds(0)),
      deliver::FullJitter(options_.retry.base, options_.retry.cap, put_off + 1, Random()));
  PutOff(job, clock_.Now() + wait);
}

// The ledger cannot be read, or contradicts itself: an incident. The record is tried again later.
void Sender::Fail(Job& job, const absl::Status& status) {
  base::Log(base::Severity::kError, kComponent, "a delivery record cannot be worked on",
            {{"partition", job.partition},
             {"record_id", base::UuidText(job.entry_id)},
             {"error", base::Message(status)}});
  PutOff(job, clock_.Now() + options_.retry.cap);
}

void Sender::End(Job& job) {
  if (job.gates_entered) {
    Gate("").Left();
    Gate(job.organization).Left();
  }
  busy_.erase(job.subject_key);
  jobs_.erase(std::string(job.entry_id));
}

void Sender::AppendStep(Job& job, log::v1::DeliveryRecord step) {
  step.set_claim(options_.claim);
  step.set_at_us(base::ToMicros(clock_.Now()));
  log::v1::LogRecord record;
  *record.mutable_delivery() = std::move(step);
  job.draft = record.SerializeAsString();
  eventlog::Draft draft;
  draft.topic = eventlog::Topic::kDeliveries;
  draft.key = job.subject_key;
  draft.value = job.draft;
  draft.ce_id = base::UuidText(job.entry_id);
  draft.ce_type = "simpul.delivery";
  draft.ce_source = job.entry.facility().code();
  draft.ce_time_us = base::ToMicros(clock_.Now());
  drafts_.push_back(std::move(draft));
  draft_jobs_.emplace_back(job.entry_id, job.serial);
}

// Hands everything over in one go: the log makes one synced write of it.
void Sender::FlushAppends() {
  const base::Time now = clock_.Now();
  if (drafts_.empty() || now < append_again_) return;
  size_t bytes = 0;
  for (const eventlog::Draft& draft : drafts_) bytes += draft.value.size() + draft.key.size() + 64;
  auto admission = log_.Admit(bytes);
  if (!admission.ok()) {
    append_again_ = now + std::chrono::milliseconds(100);
    return;
  }
  std::vector<std::pair<std::string, uint64_t>> jobs;
  jobs.swap(draft_jobs_);
  std::vector<eventlog::Draft> drafts;
  drafts.swap(drafts_);
  {
    const std::lock_guard lock(mutex_);
    ++appends_in_flight_;
  }
  log_.Append(std::move(drafts), *std::move(admission),
              [this, jobs = std::move(jobs)](std::vector<eventlog::Appended> answers) mutable {
                std::vector<std::pair<std::string, uint64_t>> failed;
                for (size_t i = 0; i < answers.size(); ++i) {
                  if (!answers[i].ok() && jobs[i].second != 0) failed.push_back(std::move(jobs[i]));
                }
                const auto done = [this] {
                  {
                    const std::lock_guard lock(mutex_);
                    --appends_in_flight_;
                    wake_.notify_all();
                  }
                };
                if (failed.empty()) return done();
                Post([this, failed = std::move(failed)] {
                  append_again_ = clock_.Now() + std::chrono::seconds(1);
                  for (const auto& [entry_id, serial] : failed) {
                    Job* const job = FindJob(entry_id, serial);
                    // Written twice is harmless; not read back is a standstill.
                    if (job == nullptr) continue;
                    log::v1::LogRecord record;
                    record.ParseFromString(job->draft);
                    AppendStep(*job, record.delivery());
                  }
                });
                done();
              });
}

void Sender::TellGates(const Job& job, const Verdict& verdict) {
  const base::Time now = clock_.Now();
  SendGate& platform = Gate("");
  SendGate& door = Gate(job.organization);
  const bool trouble = verdict.meaning == Meaning::kRetry || verdict.meaning == Meaning::kHeld;
  const auto fail = [&](SendGate& gate) {
    const auto jitter =
        deliver::FullJitter(options_.retry.base, options_.retry.cap, gate.failures() + 1, Random());
    const auto wait = std::max<std::chrono::microseconds>(
        {jitter, options_.retry.base / 4, verdict.wait_min.value_or(std::chrono::seconds(0))});
    // Shown with other patients' records too.
    gate.Failed(now, wait, verdict.reason, WithoutPatient(verdict.platform_says, job.subject));
  };
  const bool closed = platform.failures() + door.failures() > 0;
  if (trouble && verdict.scope == Verdict::Scope::kPlatform) {
    if (platform.failures() == 0) {
      base::Log(base::Severity::kWarning, kComponent,
                "the platform cannot be used now; trying again", {{"reason", verdict.reason}});
    }
    fail(platform);
    door.Left();
  } else if (trouble && verdict.scope == Verdict::Scope::kOrganization) {
    if (door.failures() == 0) {
      base::Log(base::Severity::kWarning, kComponent,
                "the platform takes nothing of this organisation now; trying again",
                {{"organization", job.organization}, {"reason", verdict.reason}});
    }
    fail(door);
    platform.Passed();
  } else {
    platform.Passed();
    door.Passed();
  }
  if (closed || platform.failures() + door.failures() > 0) {
    ShowDoor("");
    ShowDoor(job.organization);
  }
}

// Keeps what WhyClosed answers.
void Sender::ShowDoor(const std::string& door) {
  const SendGate& gate = Gate(door);
  const std::lock_guard lock(mutex_);
  if (gate.failures() == 0) {
    closed_.erase(door);
  } else {
    closed_[door] = {gate.reason(), gate.platform_says(), gate.closed_until()};
  }
}

SendGate& Sender::Gate(const std::string& organization) { return gates_[organization]; }

Sender::Job* Sender::FindJob(const std::string& entry_id, uint64_t serial) {
  const auto it = jobs_.find(entry_id);
  return it == jobs_.end() || it->second->serial != serial ? nullptr : it->second.get();
}

void Sender::ShowAge(base::Time now) {
  int64_t oldest_us = 0;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& lane : lanes_) {
      for (WorkWindow* window : {&lane->ready, &lane->timed}) {
        for (const auto& [key, work] : window->items()) {
          const int64_t at = work.item.received_at_us;
          if (at != 0 && (oldest_us == 0 || at < oldest_us)) oldest_us = at;
          // What is due now stands in the order in which it came.
          if (window == &lane->ready) break;
        }
      }
    }
  }
  ShowOldest(metrics_, oldest_us, now);
}

void ShowOldest(base::Metrics& metrics, int64_t oldest_us, base::Time now) {
  const double age =
      oldest_us == 0 ? 0 : static_cast<double>(base::ToMicros(now) - oldest_us) / 1e6;
  metrics
      .Gauge("simpul_forwarder_oldest_undelivered_seconds",
             "How long the oldest record that is to be sent has been here.")
      .Set(std::max(0.0, age));
}

}  // namespace simpul::forwarder
