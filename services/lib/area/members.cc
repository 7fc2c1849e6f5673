#include "lib/area/members.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "lib/base/status_macros.h"
#include "lib/base/text.h"
#include "lib/event/date.h"

namespace simpul::area {
namespace {

constexpr size_t kTextBytesMax = 200;

std::string_view View(const rapidjson::Value& text) {
  return {text.GetString(), text.GetStringLength()};
}

// What is wrong with a text; empty: nothing.
std::string_view Fault(std::string_view text) {
  if (text.size() > kTextBytesMax) return "is longer than 200 bytes; shorten it";
  if (std::any_of(text.begin(), text.end(),
                  [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; })) {
    return "has a control character; write plain text";
  }
  if (base::LooksLikeNik(text)) {
    return "looks like an identity number; people are named by the id that their program gives "
           "them, and places by their code";
  }
  return {};
}

}  // namespace

Members::Members(const rapidjson::Value& object, absl::Status& error, std::string where)
    : object_(object), error_(error), where_(std::move(where)) {
  if (error_.ok() && !object_.IsObject()) {
    error_ = absl::InvalidArgumentError(
        fmt::format("{} is no object; write {{…}}", where_.empty() ? "the line" : where_));
  }
}

void Members::Fail(std::string_view name, std::string_view what) {
  if (!error_.ok()) return;
  error_ = absl::InvalidArgumentError(
      fmt::format("\"{}{}{}\" {}", where_, where_.empty() ? "" : ".", name, what));
}

void Members::Only(std::initializer_list<std::string_view> names) {
  if (!ok()) return;
  std::vector<std::string_view> seen;
  for (const auto& member : object_.GetObject()) {
    const std::string_view name = View(member.name);
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      error_ = absl::InvalidArgumentError(fmt::format("{}{}a member does not exist; there are {}",
                                                      where_, where_.empty() ? "" : ": ",
                                                      fmt::join(names, ", ")));
      return;
    }
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
      Fail(name, "stands twice; leave one out");
      return;
    }
    seen.push_back(name);
  }
}

const rapidjson::Value* Members::Find(std::string_view name) const {
  if (!ok()) return nullptr;
  const auto member = object_.FindMember(
      rapidjson::Value(name.data(), static_cast<rapidjson::SizeType>(name.size())));
  if (member == object_.MemberEnd() || member->value.IsNull()) return nullptr;
  return &member->value;
}

const rapidjson::Value* Members::FindList(std::string_view name) {
  const rapidjson::Value* list = Find(name);
  if (list != nullptr && !list->IsArray()) {
    Fail(name, "is no list; write […]");
    return nullptr;
  }
  return list;
}

bool Members::Has(std::string_view name) const { return Find(name) != nullptr; }

std::string Members::Text(std::string_view name) {
  std::string text = OptionalText(name);
  if (ok() && text.empty()) Fail(name, "is missing or empty; this row needs it");
  return text;
}

std::string Members::OptionalText(std::string_view name) {
  const rapidjson::Value* found = Find(name);
  if (found == nullptr) return {};
  if (!found->IsString()) {
    Fail(name, "is no text; write it in quotes");
    return {};
  }
  if (const std::string_view fault = Fault(View(*found)); !fault.empty()) Fail(name, fault);
  return std::string(View(*found));
}

std::string Members::Word(std::string_view name, std::span<const std::string_view> words) {
  std::string word = Text(name);
  if (ok() && std::find(words.begin(), words.end(), word) == words.end()) {
    Fail(name, fmt::format("is none of its words; write {}", fmt::join(words, ", ")));
  }
  return word;
}

int64_t Members::Number(std::string_view name, int64_t least, int64_t most) {
  const rapidjson::Value* found = Find(name);
  if (ok() && (found == nullptr || !found->IsInt64() || found->GetInt64() < least ||
               found->GetInt64() > most)) {
    Fail(name,
         fmt::format("is no whole number; write one from {} to {}, without quotes", least, most));
  }
  return ok() ? found->GetInt64() : least;
}

std::optional<Day> Members::OptionalDay(std::string_view name) {
  const std::string text = OptionalText(name);
  if (!ok() || text.empty()) return std::nullopt;
  const std::optional<Day> day = event::ParseDay(text);
  if (!day) Fail(name, "is no day; write one like 2026-01-31");
  return day;
}

area::Days Members::Days() {
  area::Days days;
  days.from = OptionalDay("from").value_or(days.from);
  days.until = OptionalDay("until").value_or(days.until);
  if (ok() && days.until <= days.from) {
    Fail("until", "is not after \"from\"; it is the first day that this no longer holds");
  }
  return days;
}

Code Members::FacilityCode(std::string_view name) {
  const std::string text = Text(name);
  if (!ok()) return {};
  const absl::StatusOr<Code> code = ParseCode(text);
  if (!code.ok()) {
    Fail(name, fmt::format("names no facility: {}", base::Message(code.status())));
    return {};
  }
  if (code->is_region()) {
    Fail(name, "names a region; name a facility, such as kemenkes|P7324020101");
  }
  return *code;
}

std::optional<Code> Members::OptionalFacilityCode(std::string_view name) {
  if (!Has(name)) return std::nullopt;
  return FacilityCode(name);
}

Code Members::RegionCode(std::string_view name) {
  const std::string text = Text(name);
  if (!ok()) return {};
  const absl::StatusOr<Code> code = ParseCode(text);
  if (!code.ok()) {
    Fail(name, fmt::format("names no region: {}", base::Message(code.status())));
    return {};
  }
  if (!code->is_region()) {
    Fail(name, "names no region; write one such as kemendagri|73.24.02.2003");
  }
  return *code;
}

AreaCode Members::Area(std::string_view name) {
  const std::string text = Text(name);
  if (!ok()) return {};
  absl::StatusOr<AreaCode> area = AreaCode::Parse(text);
  if (!area.ok()) {
    Fail(name, fmt::format("names no area: {}", base::Message(area.status())));
    return {};
  }
  return *std::move(area);
}

void Members::Objects(std::string_view name, const std::function<void(Members&)>& read) {
  const rapidjson::Value* list = FindList(name);
  if (list == nullptr) return;
  for (rapidjson::SizeType i = 0; i < list->Size() && ok(); ++i) {
    Members members((*list)[i], error_, fmt::format("{}[{}]", name, i));
    if (ok()) read(members);
  }
}

std::vector<std::string> Members::Texts(std::string_view name) {
  std::vector<std::string> texts;
  const rapidjson::Value* list = FindList(name);
  if (list == nullptr) return texts;
  for (rapidjson::SizeType i = 0; i < list->Size() && ok(); ++i) {
    const rapidjson::Value& one = (*list)[i];
    const std::string at = fmt::format("{}[{}]", name, i);
    if (!one.IsString() || one.GetStringLength() == 0) {
      Fail(at, "is no text or empty; write it in quotes");
    } else if (const std::string_view fault = Fault(View(one)); !fault.empty()) {
      Fail(at, fault);
    } else {
      texts.emplace_back(View(one));
    }
  }
  return texts;
}

}  // namespace simpul::area
