#include "simpul/derived_text.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>
#include <vector>

#include "simpul/growth_line.h"
#include "simpul/output.h"

namespace simpul::cli {
namespace {

using timeline::v1::GrowthScore;
using timeline::v1::MeasuredGrowth;
using timeline::v1::WeighingOnCard;
using Words = std::vector<std::string>;

std::string StateWord(event::v1::ReferralState state) {
  return EnumWord(event::v1::ReferralState_Name(state), "REFERRAL_STATE_");
}

void AddScore(std::string_view name, bool is_there, const GrowthScore& score, Words& words) {
  if (!is_there || !score.not_derived().empty()) return;
  std::string text(name);
  if (score.has_z_hundredths()) text += " " + HundredthsText(score.z_hundredths());
  if (score.growth_class() != "no_class_table") text += " " + score.growth_class();
  if (!score.flag().empty()) text += " (" + score.flag() + ")";
  words.push_back(std::move(text));
}

void AddCard(const WeighingOnCard& card, Words& words) {
  std::string text = card.status();
  if (card.two_t()) text = "2T";
  if (card.bgm()) text += text.empty() ? "BGM" : " BGM";
  if (card.above_orange()) text += text.empty() ? "above orange" : " above orange";
  if (card.reweigh()) text += text.empty() ? "weigh again" : ", weigh again";
  if (!text.empty()) words.push_back(std::move(text));
}

void AddGrowth(const MeasuredGrowth& growth, Words& words) {
  AddScore("BB/U", growth.has_weight_for_age(), growth.weight_for_age(), words);
  AddScore("TB/U", growth.has_length_height_for_age(), growth.length_height_for_age(), words);
  AddScore("BB/TB", growth.has_weight_for_length_height(), growth.weight_for_length_height(),
           words);
  AddScore("IMT/U", growth.has_bmi_for_age(), growth.bmi_for_age(), words);
  AddScore("LK/U", growth.has_head_circumference_for_age(), growth.head_circumference_for_age(),
           words);
  AddScore("LiLA/U", growth.has_muac_for_age(), growth.muac_for_age(), words);
  AddCard(growth.card(), words);
}

}  // namespace

std::string DerivedText(const timeline::v1::Derived& derived, uint32_t member) {
  Words words;
  for (const MeasuredGrowth& growth : derived.growth()) {
    if (growth.member() == member) AddGrowth(growth, words);
  }
  for (const timeline::v1::Screened& screened : derived.screened()) {
    if (screened.member() != member || screened.screening_class().empty()) continue;
    words.push_back(screened.input() + " " + screened.screening_class());
  }
  const timeline::v1::ReferralCourse& referral = derived.referral();
  for (const timeline::v1::ReferralMisfit& misfit : referral.misfits()) {
    if (misfit.member() == member) {
      words.push_back(
          fmt::format("does not fit: {}, it was {}", misfit.why(), StateWord(misfit.in())));
    }
  }
  if (referral.steps_size() > 0 && referral.steps().rbegin()->has_member() &&
      referral.steps().rbegin()->member() == member) {
    words.push_back("stands: " + StateWord(referral.state()));
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

}  // namespace simpul::cli
