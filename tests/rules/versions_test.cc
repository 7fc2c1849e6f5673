// Which rules hold on a day, what differs between rule sets, what is off; and docs/rules.md.
#include "lib/rules/versions.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/uuid.h"
#include "lib/event/date.h"
#include "tests/support/source_file.h"

namespace simpul::rules {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::chrono::sys_days Day(std::string_view text) { return event::ParseDay(text).value(); }

Activation From(std::string_view day, uint32_t version) {
  Activation activation{.version = version, .from = Day(day)};
  base::UuidBytes(ActivationId(version, Day(day))).copy(activation.id.data(), 16);
  return activation;
}

uint32_t On(const RulesInForce& rules, std::string_view day) { return rules.On(Day(day)).version; }

TEST(RuleSets, AreNumberedFromOneAndAreWhole) {
  uint32_t version = 0;
  for (const RuleSet& set : RuleSets()) {
    EXPECT_EQ(set.version, ++version);
    EXPECT_EQ(FindRuleSet(version), &set);
    EXPECT_GE(set.growth, 1u);
    EXPECT_NE(set.kms, nullptr);
    EXPECT_NE(set.screening, nullptr);
    EXPECT_NE(set.schedule, nullptr);
    EXPECT_NE(set.referral, nullptr);
    EXPECT_NE(set.what, "");
    EXPECT_NE(set.source, "");
  }
  EXPECT_GE(version, 2u);
  EXPECT_EQ(FindRuleSet(0), nullptr);
  EXPECT_EQ(FindRuleSet(version + 1), nullptr);
}

TEST(RulesInForce, AreVersion1WhereNothingWasActivated) {
  EXPECT_EQ(On({}, "1900-01-01"), 1u);
  EXPECT_EQ(On({}, "2999-12-31"), 1u);
}

TEST(RulesInForce, HoldFromTheirDayToTheNext) {
  RulesInForce rules;
  EXPECT_TRUE(rules.Take(From("2026-12-10", 2)));
  EXPECT_TRUE(rules.Take(From("2027-03-01", 1)));
  EXPECT_EQ(On(rules, "2026-12-09"), 1u);
  EXPECT_EQ(On(rules, "2026-12-10"), 2u);
  EXPECT_EQ(On(rules, "2027-02-28"), 2u);
  EXPECT_EQ(On(rules, "2027-03-01"), 1u);
}

TEST(RulesInForce, OfEarlierDaysMayComeLaterOnTheLog) {
  RulesInForce rules;
  rules.Take(From("2027-03-01", 1));
  rules.Take(From("2026-12-10", 2));
  EXPECT_EQ(On(rules, "2027-01-01"), 2u);
  EXPECT_EQ(On(rules, "2027-03-01"), 1u);
}

TEST(RulesInForce, OfOneDayAreThoseTakenLast) {
  RulesInForce rules;
  rules.Take(From("2026-12-10", 2));
  rules.Take(From("2026-12-10", 1));
  EXPECT_EQ(On(rules, "2026-12-10"), 1u);
  RulesInForce other;
  other.Take(From("2026-12-10", 1));
  other.Take(From("2026-12-10", 2));
  EXPECT_EQ(On(other, "2026-12-10"), 2u);
}

TEST(RulesInForce, AreNotChangedByAnActivationThatComesAgain) {
  RulesInForce rules;
  EXPECT_TRUE(rules.Take(From("2026-12-10", 2)));
  EXPECT_TRUE(rules.Take(From("2026-12-10", 1)));
  const RulesInForce before = rules;
  EXPECT_FALSE(rules.Take(From("2026-12-10", 2)));
  EXPECT_EQ(rules, before);
  EXPECT_EQ(On(rules, "2026-12-10"), 1u);
}

TEST(RulesInForce, TellWhatThisProgramDoesNotKnow) {
  RulesInForce rules;
  rules.Take(From("2026-12-10", 2));
  EXPECT_EQ(rules.UnknownVersion(), std::nullopt);
  rules.Take(From("2027-01-01", 77));
  EXPECT_EQ(rules.UnknownVersion(), 77u);
}

TEST(RulesInForce, AreReadAsTheyWereWritten) {
  RulesInForce rules;
  rules.Take(From("2027-03-01", 1));
  rules.Take(From("1969-12-31", 2));
  rules.Take(From("2027-03-01", 77));
  for (const RulesInForce& each : {RulesInForce(), rules}) {
    std::string bytes;
    each.AppendTo(bytes);
    EXPECT_EQ(bytes.size(), 2 + 24 * each.activations().size());
    EXPECT_EQ(RulesInForce::Decode(bytes), each);
    EXPECT_EQ(RulesInForce::Decode(bytes + 'x'), std::nullopt);
    EXPECT_EQ(RulesInForce::Decode(bytes.substr(1)), std::nullopt);
  }
  std::string bytes;
  rules.AppendTo(bytes);
  std::swap_ranges(bytes.begin() + 2, bytes.begin() + 26, bytes.begin() + 26);
  EXPECT_EQ(RulesInForce::Decode(bytes), std::nullopt) << "not by day";
  EXPECT_EQ(RulesInForce::Decode(""), std::nullopt);
}

TEST(ActivationId, IsOfWhatTheActivationSays) {
  EXPECT_EQ(ActivationId(2, Day("2026-12-10")), ActivationId(2, Day("2026-12-10")));
  EXPECT_NE(ActivationId(2, Day("2026-12-10")), ActivationId(1, Day("2026-12-10")));
  EXPECT_NE(ActivationId(2, Day("2026-12-10")), ActivationId(2, Day("2026-12-11")));
  EXPECT_TRUE(base::IsUuid(ActivationId(2, Day("2026-12-10"))));
}

TEST(Changes, AreTheRowsThatDiffer) {
  const RuleSet& first = *FindRuleSet(1);
  const RuleSet& second = *FindRuleSet(2);
  EXPECT_THAT(Changes(first, first), IsEmpty());
  const std::vector<RuleChange> changes = Changes(first, second);
  ASSERT_THAT(changes, ::testing::SizeIs(2));
  EXPECT_EQ(changes[0].family, "screening");
  EXPECT_EQ(changes[0].rule, "lila_pregnancy");
  EXPECT_EQ(changes[0].before, "< 235 mm: kek (puskesmas); ≥ 235 mm: not_kek");
  EXPECT_EQ(changes[0].after, "≤ 235 mm: kek (puskesmas); > 235 mm: not_kek");
  EXPECT_EQ(changes[1].rule, "tb_child_signs");
  EXPECT_EQ(changes[1].before, "< 1 signs: not_presumptive; ≥ 1 signs: presumptive (puskesmas)");
  EXPECT_EQ(changes[1].after, "< 2 signs: not_presumptive; ≥ 2 signs: presumptive (puskesmas)");
  EXPECT_EQ(Changes(second, first)[0].after, changes[0].before);
}

TEST(Changes, NameAFamilyOfAnotherVersion) {
  const RuleSet first = *FindRuleSet(1);
  KmsRules kms = *first.kms;
  kms.version = 9;
  ScreeningRules screening = *first.screening;
  screening.rules = screening.rules.subspan(1);
  RuleSet other = first;
  other.kms = &kms;
  other.screening = &screening;
  const std::vector<RuleChange> changes = Changes(first, other);
  ASSERT_THAT(changes, ::testing::SizeIs(2));
  EXPECT_EQ(changes[0].family, "kms");
  EXPECT_EQ(changes[0].before, "version 1");
  EXPECT_EQ(changes[0].after, "version 9");
  EXPECT_EQ(changes[1].rule, "lila_pregnancy");
  EXPECT_EQ(changes[1].after, "") << "is gone";
  EXPECT_EQ(Changes(other, first)[1].before, "") << "is new";
}

TEST(OffRules, AreAllThatTheDataHasOff) {
  std::set<std::string_view> off;
  for (const OffRule& rule : OffRules(*FindRuleSet(1))) {
    EXPECT_NE(rule.why, "") << rule.rule;
    EXPECT_TRUE(off.insert(rule.rule).second) << rule.rule;
  }
  for (const ScreeningRule& rule : FindRuleSet(1)->screening->rules) {
    EXPECT_EQ(off.contains(rule.id), !rule.off.empty() || rule.rows.empty()) << rule.id;
  }
  for (const OffRow& row : FindRuleSet(1)->schedule->off) EXPECT_TRUE(off.contains(row.what));
  EXPECT_TRUE(off.contains("weight_velocity"));
}

// docs/rules.md.

TEST(RulesPage, NamesEveryVersionEveryChangeAndEveryRuleThatIsOff) {
  const std::string page = testing::SourceFile("docs/rules.md");
  const RuleSet* before = nullptr;
  for (const RuleSet& set : RuleSets()) {
    EXPECT_THAT(page,
                HasSubstr(fmt::format("| {} | {} | {} |", set.version, set.what, set.source)));
    if (before != nullptr) {
      for (const RuleChange& change : Changes(*before, set)) {
        EXPECT_THAT(
            page, HasSubstr(fmt::format("| {} | {} | `{}` | {} | {} |", set.version, change.family,
                                        change.rule, change.before, change.after)));
      }
    }
    before = &set;
    EXPECT_EQ(OffRules(set).size(), OffRules(RuleSets().back()).size()) << "the page says so";
  }
  std::vector<std::string> off;
  for (const OffRule& rule : OffRules(RuleSets().back())) {
    off.push_back(fmt::format("| {} | `{}` | {} |", rule.family, rule.rule, rule.why));
  }
  std::vector<std::string> on_page;
  const std::string begin = "## What is off";
  std::string_view rest = std::string_view(page).substr(std::min(page.find(begin), page.size()));
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size() - 1);
    const std::string_view line = rest.substr(0, end);
    if (line.starts_with("| ") && line.find('`') != line.npos) on_page.emplace_back(line);
    rest.remove_prefix(end + 1);
  }
  EXPECT_EQ(on_page, off);
}

}  // namespace
}  // namespace simpul::rules
