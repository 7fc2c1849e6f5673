#include "timeline/front.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <numeric>
#include <optional>
#include <utility>

#include "lib/base/checksum.h"
#include "lib/base/status_macros.h"
#include "lib/base/test_point.h"

namespace simpul::timeline_role {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// An owner that does not even say no within this time is taken for frozen.
constexpr milliseconds kAnswersWithin{1000};
// And is asked last for so long.
constexpr std::chrono::seconds kSilent{2};
constexpr milliseconds kStateWithin{2000};
// It may have to wait for a batch.
constexpr milliseconds kHoldWithin{5000};

template <typename Request>
milliseconds WaitOf(const Request& request) {
  if (request.min_position().empty()) return milliseconds(0);
  if (!request.has_wait_max()) return milliseconds(5000);
  return milliseconds(request.wait_max().seconds() * 1000 + request.wait_max().nanos() / 1'000'000);
}

// True when another owner may know better.
bool IsNoAnswer(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
         absl::IsCancelled(status);
}

// The states of several replicas, put together.
class WholeState {
 public:
  explicit WholeState(uint32_t partitions) : shown_(partitions) {}

  void Add(uint32_t replica, const timeline::v1::GetStateResponse& state) {
    for (const timeline::v1::PartitionState& one : state.partitions()) {
      if (one.partition() >= shown_.size()) continue;
      std::optional<timeline::v1::PartitionState>& shown = shown_[one.partition()];
      timeline::v1::OwnerState owner;
      owner.set_replica(replica);
      owner.set_position(one.position());
      owner.set_checksum(one.checksum());
      if (!shown.has_value() || one.position() > shown->position()) {
        timeline::v1::PartitionState best = one;
        if (shown.has_value()) *best.mutable_owners() = shown->owners();
        shown = std::move(best);
      }
      *shown->add_owners() = std::move(owner);
    }
  }

  void Show(timeline::v1::GetStateResponse& response) const {
    base::SetChecksum total;
    uint64_t events = 0;
    uint64_t entries = 0;
    for (uint32_t number = 0; number < shown_.size(); ++number) {
      timeline::v1::PartitionState& one = *response.add_partitions();
      if (!shown_[number].has_value()) {
        one.set_partition(number);
        one.set_position(-1);
        one.set_stopped("no replica that keeps it answers");
        continue;
      }
      one = *shown_[number];
      events += one.events();
      entries += one.entries();
      if (const auto checksum = base::SetChecksum::FromHex(one.checksum())) total.Add(*checksum);
    }
    response.set_events(events);
    response.set_entries(entries);
    response.set_checksum(total.ToHex());
  }

 private:
  std::vector<std::optional<timeline::v1::PartitionState>> shown_;
};

// Answers of several, waited for.
class Answers {
 public:
  explicit Answers(size_t count) : left_(count) {}
  void One() {
    const std::lock_guard lock(mutex_);
    --left_;
    done_.notify_all();
  }
  void Await() {
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return left_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable done_;
  size_t left_;
};

}  // namespace

// A question on its way through the owners.
template <typename Request, typename Response>
struct Front::Handover {
  const Request& request;
  Response& response;
  void (Peer::*ask)(const Request&, Response&, milliseconds, TimelineRole::Finish);
  uint32_t partition;
  steady_clock::time_point deadline;
  TimelineRole::Finish finish;
  std::vector<uint32_t> to_ask;
  size_t next = 0;
  std::string said;  // what those said that were asked
};

Front::Front(TimelineRole& role, const event::Secret& secret, const eventlog::Replica& replica,
             std::vector<std::unique_ptr<Peer>> peers, const base::Clock& clock)
    : role_(role), secret_(secret), replica_(replica), clock_(clock) {
  for (std::unique_ptr<Peer>& peer : peers) peers_.emplace_back().peer = std::move(peer);
}

bool Front::AnswersHere(uint32_t partition) const {
  if (replica_.count == 1) return true;
  return role_.HasCaughtUp(partition);
}

absl::Status Front::NotHere(uint32_t partition) const {
  return absl::UnavailableError(
      role_.Keeps(partition)
          ? fmt::format("replica {} is still reading partition {}", replica_.number, partition)
          : fmt::format("replica {} of {} does not keep partition {}", replica_.number,
                        replica_.count, partition));
}

// The other owners, those last that did not answer just now.
std::vector<uint32_t> Front::OthersToAsk(uint32_t partition) const {
  std::vector<uint32_t> others;
  std::vector<uint32_t> ranked = eventlog::RankedReplicas(partition, replica_.count);
  ranked.resize(std::min(ranked.size(), eventlog::kOwners));
  for (const uint32_t replica : ranked) {
    if (replica != replica_.number && replica < peers_.size() && peers_[replica].peer != nullptr) {
      others.push_back(replica);
    }
  }
  const auto now = steady_clock::now().time_since_epoch().count();
  std::ranges::stable_sort(
      others, {}, [&](uint32_t replica) { return peers_[replica].silent_until.load() > now; });
  return others;
}

void Front::Remember(uint32_t replica, const absl::Status& status) {
  const auto until =
      IsNoAnswer(status) ? steady_clock::now() + kSilent : steady_clock::time_point();
  peers_[replica].silent_until = until.time_since_epoch().count();
}

void Front::GetTimeline(const timeline::v1::GetTimelineRequest& request,
                        timeline::v1::GetTimelineResponse& response, const Caller& caller,
                        TimelineRole::Finish finish) {
  Answer(request, response, caller, std::move(finish), &TimelineRole::GetTimeline,
         &Peer::GetTimeline);
}

void Front::GetGrowth(const timeline::v1::GetGrowthRequest& request,
                      timeline::v1::GetGrowthResponse& response, const Caller& caller,
                      TimelineRole::Finish finish) {
  Answer(request, response, caller, std::move(finish), &TimelineRole::GetGrowth, &Peer::GetGrowth);
}

// A question about one patient, by whoever keeps the patient's partition.
template <typename Request, typename Response, typename OfRole, typename OfPeer>
void Front::Answer(const Request& request, Response& response, const Caller& caller,
                   TimelineRole::Finish finish, OfRole of_role, OfPeer of_peer) {
  const auto subject = secret_.KeyOf(request.patient());
  // What is wrong with the request the role says.
  if (!subject.ok()) return (role_.*of_role)(request, response, std::move(finish));
  const uint32_t partition = event::PartitionOf(subject->view(), role_.partitions());
  if (AnswersHere(partition)) return (role_.*of_role)(request, response, std::move(finish));
  if (caller.is_peer && !SIMPUL_PLANTED_BUG("handed_over_again")) {
    return finish(NotHere(partition));
  }
  using Asked = Handover<Request, Response>;
  AskNext(std::make_shared<Asked>(Asked{request, response, of_peer, partition,
                                        steady_clock::now() + caller.within, std::move(finish),
                                        OthersToAsk(partition), 0, ""}));
}

template <typename Request, typename Response>
void Front::AskNext(const std::shared_ptr<Handover<Request, Response>>& handover) {
  const auto now = steady_clock::now();
  if (handover->next == handover->to_ask.size() || now >= handover->deadline) {
    return handover->finish(absl::UnavailableError(fmt::format(
        "No replica that keeps partition {} answers now ({}{}). Try again in a moment.",
        handover->partition, base::Message(NotHere(handover->partition)), handover->said)));
  }
  const uint32_t replica = handover->to_ask[handover->next++];
  const milliseconds left =
      std::chrono::duration_cast<milliseconds>(handover->deadline - now) + milliseconds(1);
  ((*peers_[replica].peer).*handover->ask)(
      handover->request, handover->response,
      std::min(left, WaitOf(handover->request) + kAnswersWithin),
      [this, handover, replica](const absl::Status& status) {
        const bool waited =
            absl::IsDeadlineExceeded(status) && !handover->request.min_position().empty();
        if (!waited) Remember(replica, status);
        if (waited || !IsNoAnswer(status)) return handover->finish(status);
        handover->said += fmt::format("; replica {}: {}", replica, base::Message(status));
        handover->response.Clear();
        AskNext(handover);
      });
}

absl::Status Front::WatchTimeline(const timeline::v1::WatchTimelineRequest& request,
                                  const Caller& caller, const TimelineRole::Listener& listener) {
  const auto subject = secret_.KeyOf(request.patient());
  if (!subject.ok()) return role_.WatchTimeline(request, listener);
  const uint32_t partition = event::PartitionOf(subject->view(), role_.partitions());
  if (AnswersHere(partition)) return role_.WatchTimeline(request, listener);
  absl::Status status = NotHere(partition);
  if (caller.is_peer) return status;
  bool begun = false;
  TimelineRole::Listener passed_on = listener;
  passed_on.write = [&](const timeline::v1::WatchTimelineResponse& response) {
    begun = true;
    return listener.write(response);
  };
  for (const uint32_t replica : OthersToAsk(partition)) {
    status = peers_[replica].peer->WatchTimeline(request, passed_on);
    Remember(replica, status);
    if (begun || !IsNoAnswer(status)) break;
  }
  return status;
}

absl::Status Front::QuarantineEvent(const timeline::v1::QuarantineEventRequest& request,
                                    timeline::v1::QuarantineEventResponse& response) {
  std::vector<uint32_t> owners = eventlog::RankedReplicas(request.partition(), replica_.count);
  owners.resize(std::min(owners.size(), eventlog::kOwners));
  const auto ask = [this](uint32_t owner, const timeline::v1::HoldEventRequest& question,
                          timeline::v1::HoldEventResponse& answer, TimelineRole::Finish finish) {
    if (owner == replica_.number) return finish(role_.HoldEvent(question, answer));
    if (owner >= peers_.size() || peers_[owner].peer == nullptr) {
      return finish(absl::UnavailableError("its address is not known"));
    }
    peers_[owner].peer->HoldEvent(question, answer, kHoldWithin, std::move(finish));
  };
  return Quarantine(role_.log(), owners, ask, pause_, request, response);
}

absl::Status Front::HoldEvent(const timeline::v1::HoldEventRequest& request,
                              timeline::v1::HoldEventResponse& response) {
  return role_.HoldEvent(request, response);
}

std::vector<uint32_t> Front::Everybody() const {
  std::vector<uint32_t> replicas(replica_.count);
  std::iota(replicas.begin(), replicas.end(), 0u);
  return replicas;
}

void Front::AskRulesOf(uint32_t replica, timeline::v1::GetRulesStateResponse& response,
                       TimelineRole::Finish finish) {
  if (replica == replica_.number) return finish(role_.GetRulesState(response));
  if (replica >= peers_.size() || peers_[replica].peer == nullptr) {
    return finish(absl::UnavailableError("its address is not known"));
  }
  peers_[replica].peer->GetRulesState(response, kStateWithin, std::move(finish));
}

absl::Status Front::ListRules(const timeline::v1::ListRulesRequest&,
                              timeline::v1::ListRulesResponse& response) {
  response.set_replica(replica_.number);
  timeline_role::ListRules(role_.partitions(), Everybody(),
                           std::bind_front(&Front::AskRulesOf, this), response);
  return absl::OkStatus();
}

absl::Status Front::ActivateRules(const timeline::v1::ActivateRulesRequest& request,
                                  timeline::v1::ActivateRulesResponse& response) {
  return timeline_role::ActivateRules(role_.log(), Everybody(),
                                      std::bind_front(&Front::AskRulesOf, this), pause_, clock_,
                                      request, response);
}

absl::Status Front::GetRulesState(const timeline::v1::GetRulesStateRequest&,
                                  timeline::v1::GetRulesStateResponse& response) {
  return role_.GetRulesState(response);
}

void Front::EndWaits() {
  pause_.End();
  role_.EndWaits();
  for (Known& known : peers_) {
    if (known.peer != nullptr) known.peer->Stop();
  }
}

absl::Status Front::GetState(const timeline::v1::GetStateRequest& request,
                             timeline::v1::GetStateResponse& response) {
  response.set_replica(replica_.number);
  if (request.own_only() || replica_.count == 1) return role_.GetState(response);
  timeline::v1::GetStateResponse own;
  SIMPUL_RETURN_IF_ERROR(role_.GetState(own));
  struct Asked {
    uint32_t replica;
    timeline::v1::GetStateResponse state;
    absl::Status status;
  };
  std::deque<Asked> all;
  for (uint32_t replica = 0; replica < peers_.size(); ++replica) {
    if (replica != replica_.number && peers_[replica].peer != nullptr)
      all.push_back({replica, {}, {}});
  }
  Answers answers(all.size());
  for (Asked& one : all) {
    peers_[one.replica].peer->GetState(one.state, kStateWithin,
                                       [&answers, &one](const absl::Status& status) {
                                         one.status = status;
                                         answers.One();
                                       });
  }
  answers.Await();
  WholeState whole(role_.partitions());
  whole.Add(replica_.number, own);
  for (const Asked& one : all) {
    if (one.status.ok()) {
      whole.Add(one.replica, one.state);
      continue;
    }
    timeline::v1::SilentReplica& silent = *response.add_silent();
    silent.set_replica(one.replica);
    silent.set_reason(std::string(base::Message(one.status)));
  }
  whole.Show(response);
  return absl::OkStatus();
}

}  // namespace simpul::timeline_role
