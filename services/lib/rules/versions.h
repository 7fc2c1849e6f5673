// Rule sets: one number that names a version of every family of rules; and which of them holds on a
// day, by what was activated.
//
// An activation stands on the log, in every partition, and says from which day on a rule set holds.
// Without one it is rule set 1. What was activated once stays in the program for good: old results
// keep their rules. docs/rules.md.
//
// Pure: nothing knows a clock, and no call fails but as it says. Any number of threads may read.
// Views point to constants.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/rules/kms.h"
#include "lib/rules/referral_states.h"
#include "lib/rules/schedule.h"
#include "lib/rules/screening.h"

namespace simpul::rules {

struct RuleSet {
  uint32_t version;
  uint32_t growth;      // of lib/rules/growth.h
  const KmsRules* kms;  // these are never null
  const ScreeningRules* screening;
  const ScheduleRules* schedule;
  const ReferralRules* referral;
  std::string_view what;    // what differs from the one before, in a sentence
  std::string_view source;  // regulation, table or guide
};

// Every rule set this program knows, ascending; the first is version 1.
std::span<const RuleSet> RuleSets();

// Null for a version this program does not know.
const RuleSet* FindRuleSet(uint32_t version);

// A rule that answers nothing, and why.
struct OffRule {
  std::string_view family;  // growth, kms, screening, schedule, referral
  std::string_view rule;
  std::string_view why;
};
std::vector<OffRule> OffRules(const RuleSet& set);

// A rule that two rule sets have otherwise, as people read it.
struct RuleChange {
  std::string_view family;
  std::string_view rule;  // "": the family as a whole
  std::string before;
  std::string after;
};
std::vector<RuleChange> Changes(const RuleSet& before, const RuleSet& after);

// From a day on, on the wall calendar where something takes place, a rule set holds.
struct Activation {
  uint32_t version = 0;
  std::chrono::sys_days from;
  std::array<char, 16> id = {};  // UUID

  bool operator==(const Activation&) const = default;
};

// The id of an activation, as text: UUID version 5 of what it says (docs/formats.md), so that the
// same one, given again, is the same record.
std::string ActivationId(uint32_t version, std::chrono::sys_days from);

// What is activated in one partition.
class RulesInForce {
 public:
  // In the order of the log. False: that id is there already, and nothing changed.
  bool Take(const Activation& activation);

  // The rule set of the activation with the latest `from` that is not after the day; of several
  // from one day the one taken last. Version 1 before them all. Every activated version must be one
  // this program knows.
  const RuleSet& On(std::chrono::sys_days day) const;

  // By their first day; of one day in the order they were taken.
  std::span<const Activation> activations() const { return activations_; }

  // A version that was activated and that this program does not know; nullopt: it knows them all.
  std::optional<uint32_t> UnknownVersion() const;

  // As a store keeps them (docs/formats.md).
  void AppendTo(std::string& out) const;
  // Nullopt for anything that AppendTo does not write.
  static std::optional<RulesInForce> Decode(std::string_view in);

  bool operator==(const RulesInForce&) const = default;

 private:
  std::vector<Activation> activations_;
};

}  // namespace simpul::rules
