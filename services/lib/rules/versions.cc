#include "lib/rules/versions.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "lib/base/bytes.h"
#include "lib/base/check.h"
#include "lib/base/uuid.h"
#include "lib/event/date.h"
#include "lib/rules/growth.h"

namespace simpul::rules {
namespace {

// Of activation ids; frozen.
constexpr std::string_view kActivationSpace = "0c4ee8e0-e847-5dd9-ae49-50ee6b3ad415";

constexpr std::string_view kGrowth = "growth";
constexpr std::string_view kKms = "kms";
constexpr std::string_view kScreening = "screening";
constexpr std::string_view kSchedule = "schedule";
constexpr std::string_view kReferral = "referral";

constexpr OffRule kGrowthOff[] = {
    {kGrowth, "weight_velocity",
     "WHO's increments are for intervals of exactly one or two months, and no source says how they "
     "hold for others"},
};
constexpr std::string_view kNoTable = "no source prints its classes";

std::string Plain(int64_t thousandths) {
  std::string text = fmt::format("{}.{:03}", thousandths / 1000, thousandths % 1000);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

bool IsPrinted(Bound bound) {
  return bound.thousandths != std::numeric_limits<int64_t>::min() &&
         bound.thousandths != std::numeric_limits<int64_t>::max();
}

std::string From(Bound bound) {
  return fmt::format("{} {}", bound.above ? ">" : "≥", Plain(bound.thousandths));
}

// "≤ 235 mm: kek; > 235 mm: not_kek". A rule with two numbers shows the second behind a stroke.
std::string RowsText(const ScreeningRule& rule) {
  if (!rule.off.empty()) return fmt::format("off: {}", rule.off);
  std::string text;
  for (size_t at = 0; at < rule.rows.size(); ++at) {
    const ScreeningRow& row = rule.rows[at];
    std::string band;
    if (IsPrinted(row.from)) {
      band = From(row.from);
    } else if (at + 1 < rule.rows.size() && IsPrinted(rule.rows[at + 1].from)) {
      const Bound until = rule.rows[at + 1].from;
      band = fmt::format("{} {}", until.above ? "≤" : "<", Plain(until.thousandths));
    }
    if (IsPrinted(row.second)) band += " / " + From(row.second);
    if (!band.empty() && !rule.unit.empty()) band += fmt::format(" {}", rule.unit);
    if (!text.empty()) text += "; ";
    text += band.empty() ? std::string(row.word) : fmt::format("{}: {}", band, row.word);
    if (row.level != ScreeningLevel::kNotSaid && row.level != ScreeningLevel::kRoutine) {
      text += fmt::format(" ({})", Word(row.level));
    }
  }
  return text;
}

void AddChanges(const ScreeningRules& before, const ScreeningRules& after,
                std::vector<RuleChange>& changes) {
  for (const ScreeningRule& rule : after.rules) {
    const ScreeningRule* const was = FindScreeningRule(before, rule.id);
    std::string old_text = was == nullptr ? "" : RowsText(*was);
    std::string new_text = RowsText(rule);
    if (was != nullptr && old_text == new_text) continue;
    changes.push_back({kScreening, rule.id, std::move(old_text), std::move(new_text)});
  }
  for (const ScreeningRule& rule : before.rules) {
    if (FindScreeningRule(after, rule.id) != nullptr) continue;
    changes.push_back({kScreening, rule.id, RowsText(rule), ""});
  }
}

}  // namespace

std::span<const RuleSet> RuleSets() {
  static const std::array kSets = {
      RuleSet{.version = 1,
              .growth = kGrowthVersion,
              .kms = FindKmsRules(1),
              .screening = FindScreeningRules(1),
              .schedule = FindScheduleRules(1),
              .referral = FindReferralRules(1),
              .what = "the rules that hold where nothing else was activated",
              .source = "WHO Child Growth Standards 2006 and reference 2007; Permenkes 2/2020; KMK "
                        "HK.01.07/MENKES/2015/2023; PKG guide 2025"},
      RuleSet{.version = 2,
              .growth = kGrowthVersion,
              .kms = FindKmsRules(1),
              .screening = FindScreeningRules(2),
              .schedule = FindScheduleRules(1),
              .referral = FindReferralRules(1),
              .what = "screening by the bounds of the Posyandu card where it disagrees with the "
                      "decree: KEK at an arm of 23.5 cm too, and a child's TB from two signs",
              .source = "as version 1; the two bounds: Posyandu card, in public software"},
  };
  return kSets;
}

const RuleSet* FindRuleSet(uint32_t version) {
  const std::span<const RuleSet> sets = RuleSets();
  const auto found = std::ranges::find(sets, version, &RuleSet::version);
  return found == sets.end() ? nullptr : &*found;
}

std::vector<OffRule> OffRules(const RuleSet& set) {
  std::vector<OffRule> off(std::begin(kGrowthOff), std::end(kGrowthOff));
  for (const ScreeningRule& rule : set.screening->rules) {
    if (!rule.off.empty()) {
      off.push_back({kScreening, rule.id, rule.off});
    } else if (rule.rows.empty()) {
      off.push_back({kScreening, rule.id, kNoTable});
    }
  }
  for (const OffRow& row : set.schedule->off) off.push_back({kSchedule, row.what, row.why});
  return off;
}

std::vector<RuleChange> Changes(const RuleSet& before, const RuleSet& after) {
  std::vector<RuleChange> changes;
  const auto whole = [&changes](std::string_view family, uint32_t was, uint32_t is) {
    if (was == is) return;
    changes.push_back({family, "", fmt::format("version {}", was), fmt::format("version {}", is)});
  };
  whole(kGrowth, before.growth, after.growth);
  whole(kKms, before.kms->version, after.kms->version);
  AddChanges(*before.screening, *after.screening, changes);
  whole(kSchedule, before.schedule->version, after.schedule->version);
  whole(kReferral, before.referral->version, after.referral->version);
  return changes;
}

std::string ActivationId(uint32_t version, std::chrono::sys_days from) {
  return base::UuidV5(kActivationSpace, fmt::format("{}|{}", version, event::FormatDay(from)));
}

bool RulesInForce::Take(const Activation& activation) {
  if (std::ranges::find(activations_, activation.id, &Activation::id) != activations_.end()) {
    return false;
  }
  activations_.insert(
      std::ranges::upper_bound(activations_, activation.from, {}, &Activation::from), activation);
  return true;
}

const RuleSet& RulesInForce::On(std::chrono::sys_days day) const {
  const auto after = std::ranges::upper_bound(activations_, day, {}, &Activation::from);
  if (after == activations_.begin()) return RuleSets().front();
  const RuleSet* const set = FindRuleSet(std::prev(after)->version);
  SIMPUL_CHECK(set != nullptr, "Rules are in force that this program does not know.");
  return *set;
}

std::optional<uint32_t> RulesInForce::UnknownVersion() const {
  for (const Activation& activation : activations_) {
    if (FindRuleSet(activation.version) == nullptr) return activation.version;
  }
  return std::nullopt;
}

void RulesInForce::AppendTo(std::string& out) const {
  base::PutBe16(out, static_cast<uint16_t>(activations_.size()));
  for (const Activation& activation : activations_) {
    base::PutBe32(out, activation.version);
    base::PutBe32(out, static_cast<uint32_t>(activation.from.time_since_epoch().count()));
    out.append(activation.id.data(), activation.id.size());
  }
}

std::optional<RulesInForce> RulesInForce::Decode(std::string_view in) {
  constexpr size_t kEach = 4 + 4 + std::tuple_size_v<decltype(Activation::id)>;
  if (in.size() < 2 || in.size() != 2 + kEach * base::GetBe16(in)) return std::nullopt;
  RulesInForce rules;
  for (in.remove_prefix(2); !in.empty(); in.remove_prefix(kEach)) {
    Activation activation{.version = base::GetBe32(in)};
    activation.from =
        std::chrono::sys_days(std::chrono::days(static_cast<int32_t>(base::GetBe32(in.substr(4)))));
    in.substr(8).copy(activation.id.data(), activation.id.size());
    const bool in_order =
        rules.activations_.empty() || rules.activations_.back().from <= activation.from;
    if (!in_order || !rules.Take(activation)) return std::nullopt;
  }
  return rules;
}

}  // namespace simpul::rules
