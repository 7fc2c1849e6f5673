#include "forwarder/sender.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>

#include <algorithm>
#include <variant>

#include "forwarder/known_parts.h"
#include "lib/base/log.h"
#include "lib/base/status_macros.h"
#include "lib/base/test_point.h"
#include "lib/base/thread_name.h"
#include "lib/base/uuid.h"
#include "lib/deliver/adopt.h"
#include "lib/deliver/without_patient.h"

namespace simpul::forwarder {
namespace {

using deliver::Meaning;
using deliver::NextStep;
using deliver::Verdict;

// The loop looks at the directory and shows ages at least this often while it has nothing to do.
constexpr std::chrono::seconds kHeartbeat{1};
// Between two pages of held records.
constexpr std::chrono::milliseconds kRecheckPause{10};
// What the ledger had to do and has no more: a change of it will bring it back.
constexpr std::chrono::hours kNothingToDo{1};
// An attempt whose end is unknown, and which cannot be searched for before the directory changes.
constexpr std::chrono::minutes kCannotSettle{1};
// Another record of the patient is to be settled first.
constexpr std::chrono::seconds kOtherUnsettled{1};

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

// When the newest of the events that stand happened; 0: none stands.
int64_t NewestUs(const timeline::v1::Entry& entry) {
  int64_t newest_us = 0;
  for (const timeline::v1::Member& member : entry.members()) {
    if (member.state() != timeline::v1::MEMBER_STATE_RETRACTED) {
      newest_us = std::max(newest_us, member.occurred_at_us());
    }
  }
  return newest_us;
}

}  // namespace

// One record on its way. Lives until its outcome was read back, or it was put off.
struct Sender::Job {
  enum class Phase { kPreparing, kAttempting, kSending, kEnding };

  bool settles() const { return kind == NextStep::Kind::kSettle; }
  // True when the platform has parts of it that were not taken back.
  bool stands_there() const {
    return std::any_of(parts.parts.begin(), parts.parts.end(),
                       [](const deliver::PartRow& part) { return !part.withdrawn; });
  }

  uint64_t serial = 0;  // tells a late answer from one for a later job of the same entry
  uint32_t partition = 0;
  std::string work_key;
  std::string entry_id;  // 16 bytes
  std::string subject_key;
  Phase phase = Phase::kPreparing;

  // From the ledger.
  NextStep::Kind kind = NextStep::Kind::kSend;
  uint32_t revision = 0;
  deliver::RevisionRow row;
  timeline::v1::Entry entry;
  event::v1::Subject subject;
  deliver::PartsRow parts;

  // What is to be sent.
  std::string organization;
  std::string patient_id;
  fhir::Mapped mapped;
  std::map<std::string, fhir::KnownPart> known;  // by part key
  fhir::Transaction transaction;

  uint32_t attempt = 0;
  base::Time attempt_at{};
  bool in_doors = false;  // entered, and they were not told how it ended

  // Of a search.
  size_t searches_left = 0;
  Verdict search_failure;
  deliver::Searched searched;
};

Sender::Sender(eventlog::EventLog& log, std::vector<deliver::Ledger*> ledgers,
               deliver::Destination& destination, DirectorySource directory,
               CredentialsVersion credentials, Options options, const base::Clock& clock,
               base::Metrics& metrics)
    : destination_(destination),
      directory_source_(std::move(directory)),
      credentials_source_(std::move(credentials)),
      options_(std::move(options)),
      map_options_{.earliest_day = options_.earliest_day},
      clock_(clock),
      metrics_(metrics),
      backlog_(ledgers, options_.claim, options_.window_items_max),
      doors_(options_.retry),
      patients_(options_.patients_max, options_.miss_lasts),
      steps_(log, options_.claim, clock,
             [this](absl::AnyInvocable<void()> task) { Post(std::move(task)); }),
      held_recheck_(backlog_, steps_, map_options_),
      directory_(directory_source_()),
      credentials_version_(credentials_source_()) {
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
  steps_.AwaitAnswers();
}

void Sender::Take(uint32_t partition, deliver::Applied applied) {
  backlog_.Take(partition, applied);
  {
    const std::lock_guard lock(mutex_);
    for (deliver::Applied::Seen& seen : applied.attempts) {
      if (seen.claim != options_.claim) continue;
      inbox_.push_back([this, seen = std::move(seen)] { TakeAttempt(seen); });
    }
    for (deliver::Applied::Seen& seen : applied.outcomes) {
      if (seen.claim != options_.claim) continue;
      inbox_.push_back([this, seen = std::move(seen)] { TakeOutcome(seen); });
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
  doors_.OpenAll();
  backlog_.ForgetPutOff();
}

void Sender::Post(absl::AnyInvocable<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    inbox_.push_back(std::move(task));
    woken_ = true;
  }
  wake_.notify_all();
}

template <typename Answer>
absl::AnyInvocable<void(Answer)> Sender::ForJob(const Job& job,
                                                absl::AnyInvocable<void(Job&, Answer)> take) {
  return [this, entry_id = job.entry_id, serial = job.serial,
          take = std::move(take)](Answer answer) mutable {
    Post([this, entry_id = std::move(entry_id), serial, take = std::move(take),
          answer = std::move(answer)]() mutable {
      Job* const waiting = FindJob(entry_id, serial);
      if (waiting != nullptr) take(*waiting, std::move(answer));
    });
  };
}

Sender::Job* Sender::FindJob(const std::string& entry_id, uint64_t serial) {
  const auto it = jobs_.find(entry_id);
  return it == jobs_.end() || it->second->serial != serial ? nullptr : it->second.get();
}

void Sender::Run() {
  base::NameThread("sender");
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
  if (now >= look_around_at_) {
    look_around_at_ = now + kHeartbeat;
    LookAround(now);
  }
  const bool rechecks = held_recheck_.Go(*directory_);
  PickWork(now);
  steps_.Flush();

  {
    const std::lock_guard lock(mutex_);
    if (!inbox_.empty()) return now;
  }
  base::Time due = now + kHeartbeat;
  if (rechecks) due = now + kRecheckPause;
  if (const auto at = steps_.WaitsUntil(now)) due = std::min(due, *at);
  if (const auto at = doors_.NextOpening(now)) due = std::min(due, *at);
  if (jobs_.size() >= options_.jobs_max) return due;
  if (const auto at = backlog_.NextDue(now)) due = std::min(due, *at);
  return due;
}

// At what lies outside: the files that may have changed, and what outside is shown.
void Sender::LookAround(base::Time now) {
  ShowOldest(metrics_, backlog_.OldestUs(), now);
  std::shared_ptr<const fhir::Directory> fresh = directory_source_();
  if (fresh != directory_) {
    directory_ = std::move(fresh);
    held_recheck_.DirectoryChanged();
  }
  if (const uint64_t version = credentials_source_(); version != credentials_version_) {
    credentials_version_ = version;
    held_recheck_.CredentialsChanged();
    ForgetTrouble();
  }
}

void Sender::PickWork(base::Time now) {
  // What was put off at once made room for another record of its patient.
  while (doors_.Open("", now) && PickOnce(now)) {
  }
}

// False: nothing that was picked was put off at once.
bool Sender::PickOnce(base::Time now) {
  // One record of a patient at a time: two of them may need the same Encounter. (And none while
  // another's end is unknown, which Begin reads from the ledger.)
  const auto takes = [this, now](const Work& work) {
    if (busy_.contains(work.item.subject_key)) return false;
    if (!work.door.empty() && !doors_.Open(work.door, now)) return false;
    return busy_.insert(work.item.subject_key).second;
  };
  bool any_ended = false;
  const uint32_t partitions = backlog_.partitions();
  for (uint32_t i = 0; i < partitions && jobs_.size() < options_.jobs_max; ++i) {
    const uint32_t partition = (first_partition_ + i) % partitions;
    const size_t room = options_.jobs_max - jobs_.size();
    for (const Work& work : backlog_.Pick(partition, now, room, takes)) {
      Begin(partition, work, now);
      any_ended = any_ended || !jobs_.contains(work.item.entry_id);
    }
  }
  // No partition is always the first to be served.
  first_partition_ = (first_partition_ + 1) % std::max(1u, partitions);
  return any_ended;
}

// Reads from the ledger what is to be done.
void Sender::Begin(uint32_t partition, const Work& work, base::Time now) {
  auto owned = std::make_unique<Job>();
  Job& job = *owned;
  job.serial = next_serial_++;
  job.partition = partition;
  job.work_key = work.item.key;
  job.entry_id = work.item.entry_id;
  job.subject_key = work.item.subject_key;
  // Its last step is still being read back.
  if (jobs_.contains(job.entry_id)) return;
  jobs_.emplace(job.entry_id, std::move(owned));

  const deliver::Ledger& ledger = backlog_.ledger(partition);
  const auto found = ledger.EntryWithLatest(job.entry_id);
  if (!found.ok()) return Fail(job, found.status());
  if (!found->has_value()) return PutOff(job, now + kNothingToDo);
  const auto& [row, latest] = **found;
  deliver::RevisionRow unsettled;
  if (!row.unsettled.empty() && row.unsettled.front() == row.latest) {
    unsettled = latest;
  } else if (!row.unsettled.empty()) {
    const auto read = ledger.Revision(job.entry_id, row.unsettled.front());
    if (!read.ok()) return Fail(job, read.status());
    unsettled = *read;
  }
  const NextStep next = deliver::NextFor(row, latest, unsettled);
  if (next.kind == NextStep::Kind::kNothing) return PutOff(job, now + kNothingToDo);
  job.kind = next.kind;
  job.revision = next.revision;
  if (!job.settles()) {
    // What the other's request created may be this one's too: the Encounter they share.
    const auto others = ledger.Unsettled(job.subject_key);
    if (!others.ok()) return Fail(job, others.status());
    if (!others->empty() && !SIMPUL_PLANTED_BUG("unsettled_overlooked")) {
      return PutOff(job, now + kOtherUnsettled);
    }
  }
  job.row = job.settles() ? unsettled : latest;
  if (job.settles() && job.row.open) {
    // The process before us may have sent it, and the platform may still be at work on it.
    const base::Time limit = base::FromMicros(job.row.open_at_us) + options_.retry.request_limit;
    if (now < limit) return PutOff(job, limit);
  }
  auto entry = ledger.EntryAt(job.entry_id, job.revision);
  if (!entry.ok()) return Fail(job, entry.status());
  job.entry = *std::move(entry);
  job.subject = fhir::SubjectOf(job.entry);
  auto parts = ledger.Parts(job.entry_id);
  if (!parts.ok()) return Fail(job, parts.status());
  job.parts = *std::move(parts);
  Prepare(job);
}

// From here to Compose: whether and what to send. Begun anew when the patient was looked up.
void Sender::Prepare(Job& job) {
  if (job.settles()) return MapEntry(job);
  if (job.entry.withdrawn()) {
    if (!job.stands_there()) return NotSent(job, "withdrawn");
    return MapEntry(job);
  }
  const int64_t newest_us = NewestUs(job.entry);
  if (newest_us > base::ToMicros(clock_.Now())) {
    log::v1::Outcome outcome = OutcomeOf(job);
    outcome.set_outcome(log::v1::OUTCOME_CLASS_RETRY);
    outcome.set_reason("ahead_of_clock");
    outcome.set_retry_at_us(newest_us);
    return Settle(job, std::move(outcome));
  }
  MapEntry(job);
}

void Sender::MapEntry(Job& job) {
  const base::Time now = clock_.Now();
  if (job.patient_id.empty()) {
    if (const auto known = patients_.Find(job.subject_key, now)) job.patient_id = known->id;
  }
  // An attempt whose end is unknown stays unknown until it can be searched for.
  const auto hold = [&](const std::string& reason) {
    if (job.settles()) return PutOff(job, now + kCannotSettle);
    return Hold(job, reason, 0);
  };
  fhir::MapResult result =
      fhir::Map(job.entry, *directory_, fhir::PatientName{job.patient_id}, map_options_);
  if (const auto* needs = std::get_if<fhir::NeedsDirectory>(&result)) return hold(needs->reason);
  if (const auto* not_sent = std::get_if<fhir::NotSent>(&result)) {
    if (!job.stands_there() && !job.settles()) return NotSent(job, not_sent->reason);
    const fhir::FacilityRow* facility = directory_->Facility(job.entry.facility());
    if (facility == nullptr) return hold("facility_unknown");
    // Parts of it that were sent earlier fall away.
    result = fhir::Mapped{facility->organization, {}, {}};
  }
  job.mapped = std::move(std::get<fhir::Mapped>(result));
  job.organization = job.mapped.organization;
  FindPatient(job);
}

// From here on the platform is asked.
void Sender::FindPatient(Job& job) {
  const base::Time now = clock_.Now();
  if (const auto shut = doors_.FirstShut(job.organization, now)) {
    return PutOff(job, shut->until, shut->door);
  }
  if (!job.patient_id.empty()) return Compose(job);
  const auto known = patients_.Find(job.subject_key, now);
  if (!known) return LookUp(job, deliver::QueriesFor(job.subject), 0);
  if (job.settles()) return PutOff(job, known->until);
  const auto wait = deliver::FullJitter(options_.retry.held_base, options_.retry.held_cap,
                                        job.row.tries + 1, Random());
  Hold(job, known->reason, base::ToMicros(std::max(known->until, now + wait)));
}

void Sender::LookUp(Job& job, std::vector<deliver::PatientQuery> queries, size_t nth) {
  if (queries.empty()) {
    patients_.RememberMiss(job.subject_key, "patient_unknown", clock_.Now());
    return Prepare(job);
  }
  EnterDoors(job);
  const deliver::PatientQuery query = queries[nth];
  destination_.FindPatient(
      job.organization, query,
      ForJob<deliver::PatientAnswer>(job, [this, queries = std::move(queries), nth](
                                              Job& waiting, deliver::PatientAnswer answer) mutable {
        TakePatient(waiting, std::move(queries), nth, std::move(answer));
      }));
}

void Sender::TakePatient(Job& job, std::vector<deliver::PatientQuery> queries, size_t nth,
                         deliver::PatientAnswer answer) {
  TellDoors(job, answer.verdict);
  switch (answer.verdict.meaning) {
    case Meaning::kDone:
      break;
    case Meaning::kHeld:
    case Meaning::kRefused: {
      if (job.settles()) return PutOff(job, answer.verdict);
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

void Sender::Compose(Job& job) {
  auto known = KnownParts(backlog_.ledger(job.partition), job.entry_id, job.parts, job.mapped,
                          *directory_, fhir::PatientName{job.patient_id}, map_options_);
  if (!known.ok()) return Fail(job, known.status());
  job.known = *std::move(known);
  if (job.settles()) return SearchParts(job);
  job.transaction = fhir::MakeTransaction(job.mapped, job.known);
  if (job.transaction.sendings.empty()) {
    return NotSent(job, job.entry.withdrawn() ? "withdrawn" : "nothing_to_send");
  }
  BeginAttempt(job);
}

// Nothing is sent before the attempt was read back from the log.
void Sender::BeginAttempt(Job& job) {
  EnterDoors(job);
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
  const size_t entries = job.transaction.sendings.size();
  destination_.Send(job.organization, std::move(job.transaction.json), entries,
                    [take = ForJob<Verdict>(job, [this](Job& sent, Verdict verdict) {
                       TellDoors(sent, verdict);
                       TakeVerdict(sent, std::move(verdict));
                     })](Verdict verdict) mutable {
                      SIMPUL_CRASH_POINT("after_platform_answer_before_ledger");
                      take(std::move(verdict));
                    });
}

void Sender::TakeVerdict(Job& job, Verdict verdict) {
  deliver::Try attempt;
  attempt.tries = job.row.tries + 1;
  attempt.now = clock_.Now();
  attempt.started = job.attempt == 0 ? attempt.now : job.attempt_at;
  attempt.random = Random();
  const deliver::Decision decision = deliver::Decide(verdict, attempt, options_.retry);
  log::v1::Outcome outcome = OutcomeOf(job);
  outcome.set_outcome(decision.outcome);
  outcome.set_reason(decision.reason);
  outcome.set_platform_says(deliver::WithoutPatient(verdict.platform_says, job.subject));
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
  EnterDoors(job);
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
  const auto into = [this, &job](auto place) {
    return ForJob<deliver::SearchAnswer>(
        job, [this, place](Job& searching, deliver::SearchAnswer answer) {
          if (answer.verdict.meaning != Meaning::kDone) {
            searching.search_failure = std::move(answer.verdict);
          } else {
            place(searching.searched) = std::move(answer.found);
          }
          if (--searching.searches_left == 0) TakeFound(searching);
        });
  };
  for (const fhir::Part* part : wanted) {
    destination_.Search(
        job.organization, part->resource_type, part->identifier_system, part->key,
        into([key = part->key](deliver::Searched& all) -> auto& { return all.by_part[key]; }));
  }
  if (immunizations) {
    destination_.SearchImmunizations(
        job.organization, job.patient_id,
        into([](deliver::Searched& all) -> auto& { return all.immunizations; }));
  }
}

void Sender::TakeFound(Job& job) {
  TellDoors(job, job.search_failure);
  if (job.search_failure.meaning != Meaning::kDone) return PutOff(job, job.search_failure);
  log::v1::Outcome outcome =
      deliver::Adopt(job.mapped.parts, job.known, job.patient_id, job.row, std::move(job.searched));
  outcome.MergeFrom(OutcomeOf(job));
  Settle(job, std::move(outcome));
}

void Sender::TakeOutcome(const deliver::Applied::Seen& seen) {
  const auto it = jobs_.find(seen.entry_id);
  if (it == jobs_.end() || it->second->phase != Job::Phase::kEnding) return;
  if (it->second->revision == seen.revision) End(*it->second);
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

void Sender::Hold(Job& job, const std::string& reason, int64_t retry_at_us) {
  log::v1::Outcome outcome = OutcomeOf(job);
  outcome.set_outcome(log::v1::OUTCOME_CLASS_HELD);
  outcome.set_reason(reason);
  outcome.set_retry_at_us(retry_at_us);
  Settle(job, std::move(outcome));
}

void Sender::PutOff(Job& job, base::Time until, const std::string& door) {
  backlog_.PutOff(job.partition, job.work_key, until, door);
  End(job);
}

void Sender::PutOff(Job& job, const Verdict& verdict) {
  const uint32_t failures = backlog_.CountFailure(job.partition, job.work_key);
  const auto wait = std::max<std::chrono::microseconds>(
      verdict.wait_min.value_or(std::chrono::seconds(0)),
      deliver::FullJitter(options_.retry.base, options_.retry.cap, failures, Random()));
  PutOff(job, clock_.Now() + wait);
}

// The ledger cannot be read, or contradicts itself: an incident. The record is tried again later.
void Sender::Fail(Job& job, const absl::Status& status) {
  base::Log(base::Severity::kError, "forwarder", "a delivery record cannot be worked on",
            {{"partition", job.partition},
             {"record_id", base::UuidText(job.entry_id)},
             {"error", base::Message(status)}});
  PutOff(job, clock_.Now() + options_.retry.cap);
}

void Sender::End(Job& job) {
  if (job.in_doors) doors_.Leave(job.organization);
  busy_.erase(job.subject_key);
  steps_.Forget(job.entry_id);
  jobs_.erase(std::string(job.entry_id));
}

void Sender::EnterDoors(Job& job) {
  doors_.Enter(job.organization);
  job.in_doors = true;
}

void Sender::TellDoors(Job& job, const Verdict& verdict) {
  doors_.Tell(job.organization, verdict, job.subject, clock_.Now(), Random());
  job.in_doors = false;
}

void Sender::AppendStep(const Job& job, log::v1::DeliveryRecord step) {
  steps_.Append({job.entry_id, job.subject_key, job.entry.facility().code()}, std::move(step));
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
