#include "lib/event/kind.h"

#include <array>

namespace simpul::event {
namespace {

constexpr uint32_t kFirst = static_cast<uint32_t>(Kind::kVisit);
constexpr std::array<std::string_view, 16> kNames = {
    "visit",
    "immunisation",
    "supplement",
    "lab_result",
    "screening",
    "referral",
    "pregnancy",
    "birth",
    "patient_registered",
    "patient_linked",
    "patient_unlinked",
    "patient_status",
    "consent",
    "restriction",
    "correction",
    "retraction",
};

}  // namespace

std::string_view KindName(uint32_t kind) {
  if (kind < kFirst || kind - kFirst >= kNames.size()) return {};
  return kNames[kind - kFirst];
}

std::optional<Kind> KindOfName(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Kind>(kFirst + i);
  }
  return std::nullopt;
}

}  // namespace simpul::event
