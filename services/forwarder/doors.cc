#include "forwarder/doors.h"

#include <algorithm>

#include "lib/base/log.h"
#include "lib/deliver/without_patient.h"

namespace simpul::forwarder {

using deliver::Meaning;
using deliver::Verdict;

bool Doors::Open(const std::string& door, base::Time now) const {
  const auto it = gates_.find(door);
  return it == gates_.end() || it->second.Open(now);
}

std::optional<Doors::Shut> Doors::FirstShut(const std::string& organization, base::Time now) const {
  for (const std::string& door : {std::string(), organization}) {
    if (!Open(door, now)) return Shut{door, gates_.at(door).closed_until()};
  }
  return std::nullopt;
}

std::optional<base::Time> Doors::NextOpening(base::Time now) const {
  std::optional<base::Time> next;
  for (const auto& [door, gate] : gates_) {
    const base::Time until = gate.closed_until();
    if (until > now && (!next || until < *next)) next = until;
  }
  return next;
}

void Doors::Enter(const std::string& organization) {
  gates_[""].Enter();
  gates_[organization].Enter();
}

void Doors::Leave(const std::string& organization) {
  gates_[""].Left();
  gates_[organization].Left();
}

void Doors::Tell(const std::string& organization, const Verdict& verdict,
                 const event::v1::Subject& patient, base::Time now, double random) {
  SendGate& platform = gates_[""];
  SendGate& door = gates_[organization];
  const bool trouble = verdict.meaning == Meaning::kRetry || verdict.meaning == Meaning::kHeld;
  const auto fail = [&](SendGate& gate) {
    const auto jitter = deliver::FullJitter(policy_.base, policy_.cap, gate.failures() + 1, random);
    const auto wait = std::max<std::chrono::microseconds>(
        {jitter, policy_.base / 4, verdict.wait_min.value_or(std::chrono::seconds(0))});
    gate.Failed(now, wait, verdict.reason, deliver::WithoutPatient(verdict.platform_says, patient));
  };
  const bool closed = platform.failures() + door.failures() > 0;
  if (trouble && verdict.scope == Verdict::Scope::kPlatform) {
    if (platform.failures() == 0) {
      base::Log(base::Severity::kWarning, "forwarder",
                "the platform cannot be used now; trying again", {{"reason", verdict.reason}});
    }
    fail(platform);
    door.Left();
  } else if (trouble && verdict.scope == Verdict::Scope::kOrganization) {
    if (door.failures() == 0) {
      base::Log(base::Severity::kWarning, "forwarder",
                "the platform takes nothing of this organisation now; trying again",
                {{"organization", organization}, {"reason", verdict.reason}});
    }
    fail(door);
    platform.Passed();
  } else {
    platform.Passed();
    door.Passed();
  }
  if (closed || platform.failures() + door.failures() > 0) {
    Show("");
    Show(organization);
  }
}

void Doors::OpenAll() {
  for (auto& [door, gate] : gates_) gate.Reset();
  const std::lock_guard lock(mutex_);
  closed_.clear();
}

// Keeps what WhyClosed answers.
void Doors::Show(const std::string& door) {
  const SendGate& gate = gates_[door];
  const std::lock_guard lock(mutex_);
  if (gate.failures() == 0) {
    closed_.erase(door);
  } else {
    closed_[door] = {gate.reason(), gate.platform_says(), gate.closed_until()};
  }
}

std::optional<Doors::Closed> Doors::WhyClosed(const std::string& organization) const {
  const std::lock_guard lock(mutex_);
  for (const std::string& door : {std::string(), organization}) {
    if (const auto it = closed_.find(door); it != closed_.end()) return it->second;
  }
  return std::nullopt;
}

}  // namespace simpul::forwarder
