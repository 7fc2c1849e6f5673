#include "forwarder/forwarder.h"

#include <fmt/format.h>
#include <prometheus/gauge.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "forwarder/step_log.h"
#include "lib/base/bytes.h"
#include "lib/base/log.h"
#include "lib/base/status_macros.h"
#include "lib/base/text.h"
#include "lib/base/uuid.h"
#include "lib/event/subject.h"

namespace simpul::forwarder {
namespace {

using deliver::Ledger;
using delivery::v1::DeliveryState;
using eventlog::Place;
using eventlog::Topic;

constexpr std::chrono::seconds kWaitMax{5};
constexpr int kEventIdsMax = 500;
constexpr size_t kHeldAtOnce = 1000;
constexpr size_t kResendMax = 10'000;
constexpr size_t kReasonMax = 200;
constexpr std::chrono::seconds kClaimPause{1};

constexpr std::array kTopics = {Topic::kEvents, Topic::kEntries, Topic::kDeliveries};

// Steps about a whole partition need a key that lies in it.
std::vector<std::string> KeysOfPartitions(uint32_t partitions) {
  std::vector<std::string> keys(partitions);
  uint32_t found = 0;
  for (uint64_t n = 0; found < partitions; ++n) {
    std::string key = "claim   ";
    base::PutBe64(key, n);
    std::string& slot = keys[event::PartitionOf(key, partitions)];
    if (!slot.empty()) continue;
    slot = key;
    ++found;
  }
  return keys;
}

}  // namespace

// A record an operator can try again or give up.
struct Forwarder::Candidate {
  uint32_t partition = 0;
  std::string entry_id;  // 16 bytes
  deliver::EntryRow row;
  uint64_t number = 0;
  bool given_up = false;
};

// The partitions that are to be claimed, by where their claims are.
struct Forwarder::Claims {
  std::mutex mutex;
  std::set<uint32_t> open;  // under mutex: not appended yet
  bool in_flight = false;   // under mutex
  // Under mutex: when to try again after the log did not take them.
  std::chrono::steady_clock::time_point not_before;
};

Forwarder::Forwarder(eventlog::EventLog& log, const event::Secret& secret, Options options,
                     const base::Clock& clock, base::Metrics& metrics)
    : log_(log),
      secret_(secret),
      options_(std::move(options)),
      clock_(clock),
      metrics_(metrics),
      claim_(base::RandomUuid()),
      partition_keys_(KeysOfPartitions(log.partitions())),
      shown_(log.partitions()),
      oldest_(log.partitions()) {}

absl::StatusOr<std::unique_ptr<Forwarder>> Forwarder::Open(eventlog::EventLog& log,
                                                           const event::Secret& secret,
                                                           Options options,
                                                           const base::Clock& clock,
                                                           base::Metrics& metrics) {
  auto forwarder =
      std::unique_ptr<Forwarder>(new Forwarder(log, secret, std::move(options), clock, metrics));
  Forwarder& self = *forwarder;
  SIMPUL_ASSIGN_OR_RETURN(self.directory_,
                          deliver::DirectoryFile::Open(self.options_.directory_file));
  SIMPUL_ASSIGN_OR_RETURN(
      self.credentials_,
      base::WatchedFiles<deliver::Credentials>::Open(
          {self.options_.credentials_file}, "credentials",
          [](const auto& paths) { return deliver::Credentials::Read(paths.front()); }, &metrics));
  if (!self.options_.platform_url.empty()) {
    deliver::NationalPlatform::Options platform;
    platform.url = self.options_.platform_url;
    platform.request_limit = self.options_.retry.request_limit;
    platform.connections_max = self.options_.connections_max;
    platform.credentials = [credentials = self.credentials_.get()] { return credentials->Get(); };
    SIMPUL_ASSIGN_OR_RETURN(self.platform_,
                            deliver::NationalPlatform::Open(std::move(platform), clock, metrics));
  }

  self.memory_ = std::make_unique<deliver::LedgerMemory>(self.options_.memory_bytes);
  std::vector<Place> places;
  std::vector<eventlog::Start> starts;
  std::vector<Ledger*> ledgers;
  for (uint32_t partition = 0; partition < log.partitions(); ++partition) {
    SIMPUL_ASSIGN_OR_RETURN(auto ledger,
                            Ledger::Open(self.options_.folder / fmt::format("{:02}", partition),
                                         log.install(), partition, *self.memory_));
    for (const Topic topic : kTopics) {
      const Place place{topic, partition};
      places.push_back(place);
      starts.push_back({place, ledger->FirstToRead(topic)});
    }
    ledgers.push_back(ledger.get());
    self.ledgers_.push_back(std::move(ledger));
    self.ShowCounts(partition);
  }
  SIMPUL_ASSIGN_OR_RETURN(const std::vector<int64_t> ends, log.Ends(places));
  for (size_t n = 0; n < places.size(); ++n) {
    const Place& place = places[n];
    self.ends_at_start_.emplace_back(place, ends[n]);
    SIMPUL_RETURN_IF_ERROR(eventlog::CheckNotAhead(
        (self.options_.folder / fmt::format("{:02}", place.partition)).string(), place,
        ledgers[place.partition]->Next(place.topic) - 1, ends[n]));
  }
  if (self.platform_ != nullptr) {
    self.claims_ = std::make_shared<Claims>();
    for (const auto& owned :
         eventlog::OwnedBy(self.options_.replica, log.partitions(), /*owners=*/1)) {
      self.claims_->open.insert(owned.number);
    }
    Sender::Options sending;
    sending.claim = self.claim_;
    sending.earliest_day = self.options_.earliest_day;
    sending.retry = self.options_.retry;
    sending.jobs_max = self.options_.jobs_max;
    sending.miss_lasts = self.options_.miss_lasts;
    self.sender_ = std::make_unique<Sender>(
        log, std::move(ledgers), *self.platform_,
        [directory = self.directory_.get()] { return directory->Get(); },
        [credentials = self.credentials_.get()] { return credentials->version(); },
        std::move(sending), clock, metrics);
  } else {
    base::Log(base::Severity::kInfo, "forwarder",
              "no platform is given: nothing is sent, everything waits");
  }
  DeliveryAnswers::Sources sources;
  for (const auto& ledger : self.ledgers_) sources.ledgers.push_back(ledger.get());
  sources.directory = [directory = self.directory_.get()] { return directory->Get(); };
  if (self.sender_ != nullptr) {
    sources.why_closed = [sender = self.sender_.get()](const std::string& organization) {
      return sender->WhyClosed(organization);
    };
  }
  sources.earliest_day = self.options_.earliest_day;
  self.answers_ = std::make_unique<DeliveryAnswers>(log.install(), secret, std::move(sources));
  eventlog::Follower::Options follow;
  follow.name = "forwarder";
  SIMPUL_ASSIGN_OR_RETURN(self.follower_,
                          eventlog::Follower::Start(
                              log, std::move(starts), follow,
                              [&self](Place place, std::span<const eventlog::OwnedRecord> records) {
                                return self.Apply(place, records);
                              },
                              metrics,
                              [&self] {
                                if (self.claims_ != nullptr) {
                                  self.ClaimWhatFits();
                                } else {
                                  self.ShowAge();
                                }
                              }));
  return forwarder;
}

Forwarder::~Forwarder() {
  follower_.reset();
  if (sender_ != nullptr) sender_->Stop();
  // Its last answers go to a sender that no longer acts on them.
  platform_.reset();
}

absl::Status Forwarder::Apply(Place place, std::span<const eventlog::OwnedRecord> records) {
  SIMPUL_ASSIGN_OR_RETURN(deliver::Applied applied,
                          ledgers_[place.partition]->Apply(place.topic, records));
  if (sender_ != nullptr && place.topic != Topic::kEvents) {
    sender_->Take(place.partition, std::move(applied));
  } else {
    NoteWork(oldest_[place.partition], applied);
  }
  if (place.topic != Topic::kEvents) ShowCounts(place.partition);
  const std::lock_guard lock(mutex_);
  applied_.notify_all();
  return absl::OkStatus();
}

void Forwarder::ClaimWhatFits() {
  std::vector<uint32_t> partitions;
  std::vector<eventlog::Draft> drafts;
  std::unique_ptr<eventlog::Admission> admission;
  {
    const std::lock_guard lock(claims_->mutex);
    const auto now = std::chrono::steady_clock::now();
    if (claims_->open.empty() || claims_->in_flight || now < claims_->not_before) return;
    size_t bytes = 0;
    for (const uint32_t partition : claims_->open) {
      if (!ledgers_[partition]->HasCompared()) continue;
      log::v1::DeliveryRecord step;
      step.set_claim(claim_);
      step.set_at_us(base::ToMicros(clock_.Now()));
      step.mutable_claimed()->set_replica(options_.replica.number);
      drafts.push_back(DraftOf(partition_keys_[partition], std::move(step)));
      bytes += drafts.back().key.size() + drafts.back().value.size();
      partitions.push_back(partition);
    }
    if (partitions.empty()) return;
    absl::StatusOr<std::unique_ptr<eventlog::Admission>> admitted = log_.Admit(bytes);
    if (!admitted.ok()) {
      claims_->not_before = now + kClaimPause;
      return;
    }
    admission = *std::move(admitted);
    claims_->in_flight = true;
  }
  log_.Append(
      std::move(drafts), std::move(admission),
      [claims = claims_,
       partitions = std::move(partitions)](std::vector<eventlog::Appended> answers) {
        const std::lock_guard lock(claims->mutex);
        claims->in_flight = false;
        for (size_t i = 0; i < answers.size(); ++i) {
          if (answers[i].ok()) {
            claims->open.erase(partitions[i]);
            continue;
          }
          claims->not_before = std::chrono::steady_clock::now() + kClaimPause;
          base::Log(base::Severity::kWarning, "forwarder",
                    "a partition could not be claimed; trying again",
                    {{"partition", partitions[i]}, {"reason", base::Message(answers[i].status())}});
        }
      });
}

void Forwarder::ShowCounts(uint32_t partition) {
  const deliver::LedgerCounts counts = ledgers_[partition]->counts();
  deliver::LedgerCounts before;
  {
    const std::lock_guard lock(mutex_);
    before = std::exchange(shown_[partition], counts);
  }
  for (const auto& [state, count] : counts.records) {
    const auto was = before.records.find(state);
    const uint64_t old = was == before.records.end() ? 0 : was->second;
    if (old == count) continue;
    metrics_
        .Gauge("simpul_forwarder_records", "Delivery records by state.",
               {{"state", std::string(StateName(state))}})
        .Increment(static_cast<double>(count) - static_cast<double>(old));
  }
  if (counts.dead_letters != before.dead_letters) {
    metrics_.Gauge("simpul_forwarder_dead_letters", "Events that could not be processed.")
        .Increment(static_cast<double>(counts.dead_letters) -
                   static_cast<double>(before.dead_letters));
  }
  if (counts.waiting_events != before.waiting_events) {
    metrics_
        .Gauge("simpul_forwarder_waiting_events",
               "Corrections and retractions whose original has not come.")
        .Increment(static_cast<double>(counts.waiting_events) -
                   static_cast<double>(before.waiting_events));
  }
}

void Forwarder::Oldest::Note(const deliver::WorkItem& item) {
  const int64_t at = item.received_at_us;
  if (at == 0 || (at_us != 0 && at >= at_us)) return;
  at_us = at;
  key = item.key;
}

void Forwarder::NoteWork(Oldest& oldest, const deliver::Applied& applied) {
  if (std::ranges::count(applied.items_removed, oldest.key) != 0) oldest.is_known = false;
  if (!oldest.is_known) return;
  for (const deliver::WorkItem& item : applied.items_added) oldest.Note(item);
}

void Forwarder::ShowAge() {
  const base::Time now = clock_.Now();
  if (now < show_age_at_) return;
  show_age_at_ = now + std::chrono::seconds(1);
  constexpr size_t kTimedMax = 256;
  int64_t oldest_us = 0;
  for (size_t partition = 0; partition < ledgers_.size(); ++partition) {
    Oldest& oldest = oldest_[partition];
    // Looked up only where it went: asked of every ledger each second, with a million events that
    // took a tenth of a processor from a program that had nothing to do.
    if (!oldest.is_known) {
      oldest = {.is_known = true};
      for (const bool timed : {false, true}) {
        // What is due now stands in the order in which it came.
        const auto items = ledgers_[partition]->Work(timed, "", timed ? kTimedMax : 1);
        if (!items.ok()) {
          oldest.is_known = false;
          continue;
        }
        for (const deliver::WorkItem& item : *items) oldest.Note(item);
      }
    }
    if (oldest.at_us != 0 && (oldest_us == 0 || oldest.at_us < oldest_us)) oldest_us = oldest.at_us;
  }
  ShowOldest(metrics_, oldest_us, now);
}

absl::Status Forwarder::Ready() const {
  for (const auto& [place, why] : follower_->Stopped()) {
    return absl::FailedPreconditionError(
        fmt::format("forwarder: partition {} of {} stands still: {}", place.partition,
                    eventlog::TopicName(place.topic), why));
  }
  if (sender_ != nullptr) {
    const std::string trouble = sender_->Trouble();
    if (!trouble.empty()) return absl::FailedPreconditionError("forwarder: " + trouble);
  }
  for (const auto& [place, end] : ends_at_start_) {
    if (ledgers_[place.partition]->Next(place.topic) < end) {
      return absl::UnavailableError(
          "forwarder: the delivery ledger is still being read from the log");
    }
  }
  if (claims_ != nullptr) {
    const std::lock_guard lock(claims_->mutex);
    if (!claims_->open.empty()) {
      return absl::UnavailableError(
          fmt::format("forwarder: {} partitions are not claimed yet", claims_->open.size()));
    }
  }
  return absl::OkStatus();
}

absl::Status Forwarder::CredentialsHealth() const { return credentials_->Health(); }

absl::Status Forwarder::AwaitApplied(const std::vector<std::pair<Place, int64_t>>& until) {
  const auto reached = [this, &until] {
    return std::all_of(until.begin(), until.end(), [this](const auto& one) {
      return ledgers_[one.first.partition]->Next(one.first.topic) >= one.second;
    });
  };
  std::unique_lock lock(mutex_);
  if (applied_.wait_for(lock, kWaitMax, reached)) return absl::OkStatus();
  return absl::UnavailableError(
      "the forwarder has not read what is on the log yet; try again in a moment");
}

absl::Status Forwarder::AwaitEvents() {
  std::vector<Place> places;
  for (uint32_t partition = 0; partition < log_.partitions(); ++partition) {
    places.push_back({Topic::kEvents, partition});
  }
  SIMPUL_ASSIGN_OR_RETURN(const std::vector<int64_t> ends, log_.Ends(places));
  std::vector<std::pair<Place, int64_t>> until;
  for (size_t n = 0; n < places.size(); ++n) until.emplace_back(places[n], ends[n]);
  return AwaitApplied(until);
}

absl::Status Forwarder::Trace(const delivery::v1::TraceRequest& request,
                              delivery::v1::TraceResponse& response) {
  SIMPUL_RETURN_IF_ERROR(AwaitEvents());
  return answers_->Trace(request, response);
}

absl::Status Forwarder::ListDeliveries(const delivery::v1::ListDeliveriesRequest& request,
                                       delivery::v1::ListDeliveriesResponse& response) {
  return answers_->ListDeliveries(request, response);
}

absl::Status Forwarder::ListDeadLetters(const delivery::v1::ListDeadLettersRequest& request,
                                        delivery::v1::ListDeadLettersResponse& response) {
  return answers_->ListDeadLetters(request, response);
}

absl::Status Forwarder::GetLedger(const delivery::v1::GetLedgerRequest&,
                                  delivery::v1::GetLedgerResponse& response) {
  return answers_->GetLedger(response);
}

bool Forwarder::IsUnknown(const std::string& event_id) const {
  const std::string id = base::UuidBytes(event_id);
  return std::none_of(ledgers_.begin(), ledgers_.end(), [&id](const auto& ledger) {
    const auto sightings = ledger->Sightings(id);
    return !sightings.ok() || !sightings->empty();
  });
}

// In the order in which they will be sent: by partition, then by running number.
absl::StatusOr<std::vector<Forwarder::Candidate>> Forwarder::FindHeld(
    const delivery::v1::ResendRequest& request) {
  std::vector<Candidate> candidates;
  const auto consider = [&](uint32_t partition, const std::string& entry_id, std::string_view cause,
                            bool named) -> absl::Status {
    const Ledger& ledger = *ledgers_[partition];
    SIMPUL_ASSIGN_OR_RETURN(auto found, ledger.EntryWithLatest(entry_id));
    if (!found || found->entry.latest == 0) return absl::OkStatus();
    const auto& [row, record] = *found;
    const DeliveryState state = StateOf(row, row.latest, record);
    const bool held =
        state == delivery::v1::DELIVERY_STATE_HELD || state == delivery::v1::DELIVERY_STATE_REFUSED;
    // Named by its event, what was given up comes back, and what waits for its time need not.
    const bool revived = named && !request.has_give_up_reason() &&
                         (record.given_up || (state == delivery::v1::DELIVERY_STATE_WAITING &&
                                              record.last == log::v1::OUTCOME_CLASS_RETRY));
    if ((!held && !revived) || !MatchesCause(cause, state, record.reason)) return absl::OkStatus();
    for (const Candidate& other : candidates) {
      if (named && other.entry_id == entry_id) return absl::OkStatus();
    }
    candidates.push_back({partition, entry_id, row, record.number, record.given_up});
    return absl::OkStatus();
  };
  for (uint32_t partition = 0; partition < ledgers_.size(); ++partition) {
    const Ledger& ledger = *ledgers_[partition];
    for (const std::string& event_id : request.event_ids()) {
      SIMPUL_ASSIGN_OR_RETURN(const auto entries, ledger.EntriesOf(base::UuidBytes(event_id)));
      for (const std::string& entry_id : entries) {
        SIMPUL_RETURN_IF_ERROR(consider(partition, entry_id, "", true));
      }
    }
    if (request.cause().empty()) continue;
    std::string after;
    for (bool more = true; more && candidates.size() < kResendMax;) {
      SIMPUL_ASSIGN_OR_RETURN(const auto held, ledger.Held(after, kHeldAtOnce));
      more = held.size() == kHeldAtOnce;
      for (const deliver::HeldRow& one : held) {
        after = one.key;
        if (candidates.size() >= kResendMax) break;
        SIMPUL_RETURN_IF_ERROR(consider(partition, one.entry_id, request.cause(), false));
      }
    }
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) {
                     return std::tie(a.partition, a.number) < std::tie(b.partition, b.number);
                   });
  return candidates;
}

absl::Status Forwarder::Resend(const delivery::v1::ResendRequest& request,
                               delivery::v1::ResendResponse& response) {
  if (request.event_ids_size() == 0 && request.cause().empty()) {
    return absl::InvalidArgumentError("give event_ids, or the cause whose records are meant");
  }
  if (request.event_ids_size() != 0 && !request.cause().empty()) {
    return absl::InvalidArgumentError("give event_ids or a cause, not both");
  }
  if (request.event_ids_size() > kEventIdsMax) {
    return absl::InvalidArgumentError(fmt::format("event_ids: at most {} at once", kEventIdsMax));
  }
  for (int i = 0; i < request.event_ids_size(); ++i) {
    if (!base::IsUuid(request.event_ids(i))) {
      return absl::InvalidArgumentError(
          fmt::format("event_ids[{}]: an event id is a lower-case UUID", i));
    }
  }
  SIMPUL_RETURN_IF_ERROR(CheckCause(request.cause()));
  if (request.has_give_up_reason() && base::IsBlank(request.give_up_reason())) {
    return absl::InvalidArgumentError("give_up_reason is empty: give a reason");
  }
  if (request.give_up_reason().size() > kReasonMax) {
    return absl::InvalidArgumentError(fmt::format("give_up_reason: at most {} bytes", kReasonMax));
  }
  if (base::LooksLikeNik(request.give_up_reason())) {
    return absl::InvalidArgumentError(
        "give_up_reason holds what looks like an identity number: leave it out");
  }
  SIMPUL_RETURN_IF_ERROR(AwaitEvents());
  for (const std::string& event_id : request.event_ids()) {
    if (IsUnknown(event_id)) response.add_unknown_event_ids(event_id);
  }
  SIMPUL_ASSIGN_OR_RETURN(const std::vector<Candidate> candidates, FindHeld(request));
  if (!request.dry_run() && !candidates.empty()) {
    // First, so that what comes back is not met by yesterday's knowledge.
    if (sender_ != nullptr && !request.has_give_up_reason()) sender_->TryAgain();
    std::vector<std::pair<std::string, log::v1::DeliveryRecord>> steps;
    for (const Candidate& candidate : candidates) {
      log::v1::DeliveryRecord step;
      if (!request.has_give_up_reason()) {
        step.mutable_resend()->set_entry_id(base::UuidText(candidate.entry_id));
        step.mutable_resend()->set_revision(candidate.row.latest);
      } else {
        step.mutable_give_up()->set_entry_id(base::UuidText(candidate.entry_id));
        step.mutable_give_up()->set_revision(candidate.row.latest);
        step.mutable_give_up()->set_reason(request.give_up_reason());
      }
      steps.emplace_back(candidate.row.subject_key, std::move(step));
    }
    SIMPUL_RETURN_IF_ERROR(AppendSteps(std::move(steps)));
  }
  for (const Candidate& candidate : candidates) {
    const Ledger& ledger = *ledgers_[candidate.partition];
    SIMPUL_ASSIGN_OR_RETURN(const auto row, ledger.Entry(candidate.entry_id));
    if (!row) continue;
    SIMPUL_ASSIGN_OR_RETURN(
        *response.add_records(),
        answers_->TraceRecord(ledger, candidate.entry_id, *row, candidate.row.latest));
    if (candidate.given_up) response.set_had_been_given_up(response.had_been_given_up() + 1);
  }
  return absl::OkStatus();
}

absl::Status Forwarder::AppendSteps(
    std::vector<std::pair<std::string, log::v1::DeliveryRecord>> steps) {
  std::vector<eventlog::Draft> drafts;
  std::vector<uint32_t> partitions;
  for (auto& [key, step] : steps) {
    step.set_claim(claim_);
    step.set_at_us(base::ToMicros(clock_.Now()));
    partitions.push_back(event::PartitionOf(key, log_.partitions()));
    drafts.push_back(DraftOf(std::move(key), std::move(step)));
  }
  std::vector<std::pair<Place, int64_t>> until;
  const std::vector<eventlog::Appended> appended = eventlog::AppendAndWait(log_, std::move(drafts));
  for (size_t i = 0; i < appended.size(); ++i) {
    if (!appended[i].ok()) return base::Within("writing to the log", appended[i].status());
    until.emplace_back(Place{Topic::kDeliveries, partitions[i]}, *appended[i] + 1);
  }
  return AwaitApplied(until);
}

absl::Status Forwarder::ChangePause(bool paused, const std::string& reason) {
  if (reason.size() > kReasonMax) {
    return absl::InvalidArgumentError(fmt::format("reason: at most {} bytes", kReasonMax));
  }
  if (base::LooksLikeNik(reason)) {
    return absl::InvalidArgumentError(
        "reason holds what looks like an identity number: leave it out");
  }
  std::vector<std::pair<std::string, log::v1::DeliveryRecord>> steps;
  for (const std::string& key : partition_keys_) {
    log::v1::DeliveryRecord step;
    step.mutable_pause()->set_paused(paused);
    step.mutable_pause()->set_reason(reason);
    steps.emplace_back(key, std::move(step));
  }
  return AppendSteps(std::move(steps));
}

absl::Status Forwarder::Pause(const delivery::v1::PauseRequest& request,
                              delivery::v1::PauseResponse&) {
  return ChangePause(true, request.reason());
}

absl::Status Forwarder::Resume(const delivery::v1::ResumeRequest&, delivery::v1::ResumeResponse&) {
  SIMPUL_RETURN_IF_ERROR(ChangePause(false, ""));
  if (sender_ != nullptr) sender_->TryAgain();
  return absl::OkStatus();
}

}  // namespace simpul::forwarder
