#include "timeline/rule_activation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "lib/base/log.h"
#include "lib/base/status_macros.h"
#include "lib/base/text.h"
#include "lib/event/date.h"
#include "lib/rules/versions.h"
#include "lib/timeline/activation.h"

namespace simpul::timeline_role {
namespace {

using eventlog::Topic;
using std::chrono::steady_clock;
using std::chrono::sys_days;
using timeline::v1::ActivatedRules;
using timeline::v1::GetRulesStateResponse;
using timeline::v1::PartitionRules;

constexpr size_t kByBytesMax = 100;
// A store's first row holds them all, and is written with every batch.
constexpr int kActivationsMax = 200;
constexpr std::chrono::hours kEastmost{9};
constexpr std::chrono::hours kClocksDiffer{1};
constexpr std::chrono::days kAhead{2};
// What replicas have to come to the log's end, and to read what was recorded.
constexpr std::chrono::seconds kReadMax{10};
constexpr std::chrono::milliseconds kRoundPause{50};

struct Wanted {
  const rules::RuleSet* set = nullptr;
  sys_days from;
  std::string id;
};

absl::StatusOr<Wanted> Check(const timeline::v1::ActivateRulesRequest& request) {
  Wanted wanted{.set = rules::FindRuleSet(request.version())};
  if (wanted.set == nullptr) {
    return absl::InvalidArgumentError(
        fmt::format("version: there is no version {} of the rules; this Simpul knows 1 to {}.",
                    request.version(), rules::RuleSets().back().version));
  }
  const std::optional<sys_days> from = event::ParseDay(request.from());
  if (!from.has_value()) {
    return absl::InvalidArgumentError("from: write the day as YYYY-MM-DD, such as 2027-01-31.");
  }
  if (request.by().size() > kByBytesMax) {
    return absl::InvalidArgumentError(fmt::format("by: at most {} bytes.", kByBytesMax));
  }
  // It is kept for good.
  if (base::LooksLikeNik(request.by())) {
    return absl::InvalidArgumentError(
        "by: something in it looks like an identity number. Leave it out.");
  }
  wanted.from = *from;
  wanted.id = rules::ActivationId(request.version(), *from);
  return wanted;
}

bool Has(const PartitionRules& partition, const std::string& activation_id) {
  return std::ranges::any_of(partition.activated(), [&](const ActivatedRules& one) {
    return one.activation_id() == activation_id;
  });
}

// The replicas, asked together.
class Replicas {
 public:
  struct Known {
    uint32_t replica = 0;
    GetRulesStateResponse is;
    absl::Status status;
  };

  Replicas(uint32_t partitions, const std::vector<uint32_t>& replicas, const AskRules& ask)
      : partitions_(partitions), ask_(ask) {
    for (const uint32_t replica : replicas) known_.push_back({.replica = replica});
  }

  void Ask() {
    std::vector<std::future<void>> answered;
    for (Known& one : known_) {
      const auto answer = std::make_shared<std::promise<void>>();
      answered.push_back(answer->get_future());
      one.is.Clear();
      ask_(one.replica, one.is, [&one, answer](absl::Status status) {
        one.status = std::move(status);
        answer->set_value();
      });
    }
    for (const std::future<void>& one : answered) one.wait();
  }

  // Each partition as the owner has it that has come farthest; null where none answered.
  std::vector<const PartitionRules*> Partitions() const {
    std::vector<const PartitionRules*> partitions(partitions_, nullptr);
    for (const Known& one : known_) {
      if (!one.status.ok()) continue;
      for (const PartitionRules& partition : one.is.partitions()) {
        if (partition.partition() >= partitions_) continue;
        const PartitionRules*& best = partitions[partition.partition()];
        if (best == nullptr || partition.position() > best->position()) best = &partition;
      }
    }
    return partitions;
  }

  // Every replica answers and knows the version.
  absl::Status CheckKnow(uint32_t version) const {
    for (const Known& one : known_) {
      const bool is_older = one.status.code() == absl::StatusCode::kUnimplemented;
      if (!one.status.ok() && !is_older) {
        return absl::UnavailableError(fmt::format(
            "Nothing was recorded: every timeline replica has to answer, and replica {} does not "
            "({}). Start it, then repeat this.",
            one.replica, base::Message(one.status)));
      }
      if (is_older || std::ranges::find(one.is.versions(), version) == one.is.versions().end()) {
        return absl::FailedPreconditionError(fmt::format(
            "Nothing was recorded: replica {} does not know version {} of the rules, and would "
            "stand still. Upgrade it first.",
            one.replica, version));
      }
    }
    return absl::OkStatus();
  }

  // The owners have applied what the log held.
  absl::Status CheckArrived(const std::vector<int64_t>& ends) const {
    const std::vector<const PartitionRules*> partitions = Partitions();
    for (uint32_t number = 0; number < partitions_; ++number) {
      if (partitions[number] == nullptr) {
        return absl::UnavailableError(fmt::format(
            "Nothing was recorded: no timeline replica keeps partition {}. Start those that are "
            "missing, then repeat this.",
            number));
      }
      if (partitions[number]->position() + 1 < ends[number]) {
        return absl::UnavailableError(fmt::format(
            "Nothing was recorded: partition {} is at position {} of {} and still reads. Repeat "
            "this in a moment; if it stands still, see simpul state.",
            number, partitions[number]->position(), ends[number] - 1));
      }
    }
    return absl::OkStatus();
  }

  // Those that answered and have not read of it in all their partitions, and those that did not.
  std::vector<uint32_t> Behind(const std::string& activation_id) const {
    std::vector<uint32_t> behind;
    for (const Known& one : known_) {
      const bool has_read =
          one.status.ok() &&
          std::ranges::all_of(one.is.partitions(), [&](const PartitionRules& partition) {
            return Has(partition, activation_id);
          });
      if (!has_read) behind.push_back(one.replica);
    }
    return behind;
  }

  const std::vector<Known>& known() const { return known_; }

 private:
  const uint32_t partitions_;
  const AskRules& ask_;
  std::vector<Known> known_;
};

// Another version that holds from the day on, or from a later one, would end what is asked for.
absl::Status CheckAgrees(const PartitionRules& partition, const Wanted& wanted) {
  for (const ActivatedRules& one : partition.activated()) {
    const std::optional<sys_days> from = event::ParseDay(one.from());
    if (one.version() == wanted.set->version || !from.has_value() || *from < wanted.from) continue;
    return absl::FailedPreconditionError(fmt::format(
        "Nothing was recorded: version {} is active from {} on in partition {}. Activate version "
        "{} from a later day than that.",
        one.version(), one.from(), partition.partition(), wanted.set->version));
  }
  if (partition.activated_size() >= kActivationsMax) {
    return absl::FailedPreconditionError(
        fmt::format("Nothing was recorded: partition {} has {} activations, which is the most.",
                    partition.partition(), kActivationsMax));
  }
  return absl::OkStatus();
}

// The version that holds on the day without what is asked for.
uint32_t VersionOn(const PartitionRules& partition, sys_days day) {
  uint32_t version = rules::RuleSets().front().version;
  for (const ActivatedRules& one : partition.activated()) {
    const std::optional<sys_days> from = event::ParseDay(one.from());
    if (from.has_value() && *from <= day) version = one.version();
  }
  return version;
}

void ShowChanges(const std::vector<const PartitionRules*>& partitions, const Wanted& wanted,
                 timeline::v1::ActivateRulesResponse& response) {
  std::map<uint32_t, const rules::RuleSet*> before;
  for (const PartitionRules* partition : partitions) {
    if (Has(*partition, wanted.id)) continue;
    const uint32_t version = VersionOn(*partition, wanted.from);
    before[version] = rules::FindRuleSet(version);
  }
  for (const auto& [version, set] : before) {
    // A peer may know more versions than this replica.
    if (set == nullptr) continue;
    for (rules::RuleChange& change : rules::Changes(*set, *wanted.set)) {
      timeline::v1::RuleChange& shown = *response.add_changes();
      shown.set_family(std::string(change.family));
      shown.set_rule(std::string(change.rule));
      shown.set_before(std::move(change.before));
      shown.set_after(std::move(change.after));
      shown.set_before_version(version);
    }
  }
}

absl::Status CheckDay(const Wanted& wanted, size_t missing, size_t partitions, base::Time now) {
  const sys_days first = FirstDayToActivate(now);
  if (wanted.from >= first) return absl::OkStatus();
  const std::string half =
      missing == partitions
          ? ""
          : fmt::format(
                " It stands in {} of {} partitions already, and cannot be completed any more: "
                "activate the version from a later day.",
                partitions - missing, partitions);
  return absl::FailedPreconditionError(fmt::format(
      "Nothing was recorded: rules are activated at least two days ahead, so that nothing on the "
      "log gets others than it had; the earliest day is {} now.{}",
      event::FormatDay(first), half));
}

absl::Status Record(eventlog::EventLog& log, const Wanted& wanted, std::string_view by,
                    base::Time now, timeline::v1::ActivateRulesResponse& response) {
  std::vector<eventlog::Draft> drafts;
  for (const uint32_t partition : response.recorded()) {
    drafts.push_back(timeline::ActivationDraft(wanted.set->version, wanted.from, partition,
                                               log.partitions(), base::ToMicros(now), by));
  }
  const std::vector<eventlog::Appended> appended = eventlog::AppendAndWait(log, std::move(drafts));
  size_t recorded = 0;
  absl::Status failure;
  for (const eventlog::Appended& one : appended) {
    recorded += one.ok() ? 1 : 0;
    if (!one.ok()) failure = one.status();
  }
  base::Log(base::Severity::kWarning, "timeline", "a version of the rules is activated",
            {{"version", wanted.set->version},
             {"from", event::FormatDay(wanted.from)},
             {"activation_id", wanted.id},
             {"recorded", recorded},
             {"to_record", appended.size()}});
  if (failure.ok()) return failure;
  return absl::UnavailableError(fmt::format(
      "It was recorded in {} of {} partitions, and in the others that is not known ({}). Repeat "
      "the same until it is in all of them, before {} is less than two days away.",
      recorded + response.before(), log.partitions(), base::Message(failure),
      event::FormatDay(wanted.from)));
}

}  // namespace

sys_days FirstDayToActivate(base::Time now) {
  return std::chrono::floor<std::chrono::days>(now + kEastmost + kClocksDiffer) + kAhead;
}

void ListRules(uint32_t partitions, const std::vector<uint32_t>& to_ask, const AskRules& ask,
               timeline::v1::ListRulesResponse& response) {
  Replicas replicas(partitions, to_ask, ask);
  replicas.Ask();
  response.set_partitions(partitions);
  for (const Replicas::Known& one : replicas.known()) {
    if (one.status.ok()) continue;
    timeline::v1::AbsentReplica& absent = *response.add_absent();
    absent.set_replica(one.replica);
    absent.set_reason(std::string(base::Message(one.status)));
  }
  const std::vector<const PartitionRules*> heard = replicas.Partitions();
  std::map<std::pair<std::string, std::string>, const ActivatedRules*> activated;  // by day and id
  for (uint32_t number = 0; number < partitions; ++number) {
    if (heard[number] == nullptr) {
      response.add_unheard(number);
      continue;
    }
    for (const ActivatedRules& one : heard[number]->activated()) {
      activated[{one.from(), one.activation_id()}] = &one;
    }
  }
  for (const rules::RuleSet& set : rules::RuleSets()) {
    timeline::v1::RuleSet& shown = *response.add_rule_sets();
    shown.set_version(set.version);
    shown.set_what(std::string(set.what));
    shown.set_source(std::string(set.source));
    shown.set_growth(set.growth);
    shown.set_kms(set.kms->version);
    shown.set_screening(set.screening->version);
    shown.set_schedule(set.schedule->version);
    shown.set_referral(set.referral->version);
    for (const auto& [by, one] : activated) {
      if (one->version() != set.version) continue;
      timeline::v1::RuleActivation& activation = *shown.add_activations();
      activation.set_from(one->from());
      activation.set_activation_id(one->activation_id());
      for (const PartitionRules* partition : heard) {
        if (partition == nullptr) continue;
        if (Has(*partition, one->activation_id())) {
          activation.set_partitions(activation.partitions() + 1);
        } else {
          activation.add_missing(partition->partition());
        }
      }
    }
    for (const rules::OffRule& rule : rules::OffRules(set)) {
      timeline::v1::OffRule& off = *shown.add_off();
      off.set_family(std::string(rule.family));
      off.set_rule(std::string(rule.rule));
      off.set_why(std::string(rule.why));
    }
  }
}

absl::Status ActivateRules(eventlog::EventLog& log, const std::vector<uint32_t>& to_ask,
                           const AskRules& ask, base::Pause& pause, const base::Clock& clock,
                           const timeline::v1::ActivateRulesRequest& request,
                           timeline::v1::ActivateRulesResponse& response) {
  SIMPUL_ASSIGN_OR_RETURN(const Wanted wanted, Check(request));
  response.set_activation_id(wanted.id);
  std::vector<eventlog::Place> places;
  for (uint32_t number = 0; number < log.partitions(); ++number) {
    places.push_back({Topic::kEvents, number});
  }
  SIMPUL_ASSIGN_OR_RETURN(const std::vector<int64_t> ends, log.Ends(places));
  Replicas replicas(log.partitions(), to_ask, ask);
  const auto until = steady_clock::now() + kReadMax;
  absl::Status arrived;
  do {
    replicas.Ask();
    SIMPUL_RETURN_IF_ERROR(replicas.CheckKnow(wanted.set->version));
    arrived = replicas.CheckArrived(ends);
  } while (!arrived.ok() && steady_clock::now() < until && pause.For(kRoundPause));
  SIMPUL_RETURN_IF_ERROR(arrived);

  const std::vector<const PartitionRules*> partitions = replicas.Partitions();
  for (const PartitionRules* partition : partitions) {
    if (!Has(*partition, wanted.id)) response.add_recorded(partition->partition());
  }
  const auto missing = static_cast<size_t>(response.recorded_size());
  response.set_before(static_cast<uint32_t>(partitions.size() - missing));
  if (missing == 0) return absl::OkStatus();
  const base::Time now = clock.Now();
  SIMPUL_RETURN_IF_ERROR(CheckDay(wanted, missing, partitions.size(), now));
  for (const PartitionRules* partition : partitions) {
    SIMPUL_RETURN_IF_ERROR(CheckAgrees(*partition, wanted));
  }
  ShowChanges(partitions, wanted, response);
  if (request.dry_run()) return absl::OkStatus();

  SIMPUL_RETURN_IF_ERROR(Record(log, wanted, request.by(), now, response));
  const auto read_until = steady_clock::now() + kReadMax;
  std::vector<uint32_t> behind;
  do {
    replicas.Ask();
    behind = replicas.Behind(wanted.id);
  } while (!behind.empty() && steady_clock::now() < read_until && pause.For(kRoundPause));
  for (const uint32_t replica : behind) response.add_behind(replica);
  return absl::OkStatus();
}

}  // namespace simpul::timeline_role
