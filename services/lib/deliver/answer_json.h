// Reading the platform's JSON leniently: members may be missing, empty or of another type.
#pragma once

#include <rapidjson/document.h>

#include <string>
#include <string_view>

namespace simpul::deliver {

// False when the text is no JSON object. Nesting is bounded by memory, not by the stack.
inline bool ParseObject(std::string_view text, rapidjson::Document& document) {
  document.Parse<rapidjson::kParseIterativeFlag>(text.data(), text.size());
  return !document.HasParseError() && document.IsObject();
}

// Null when it is no object or has no such member.
inline const rapidjson::Value* Member(const rapidjson::Value& object, const char* name) {
  if (!object.IsObject()) return nullptr;
  const auto it = object.FindMember(name);
  return it == object.MemberEnd() ? nullptr : &it->value;
}

// Empty when there is no such text.
inline std::string Text(const rapidjson::Value& object, const char* name) {
  const rapidjson::Value* value = Member(object, name);
  if (value == nullptr || !value->IsString()) return "";
  return {value->GetString(), value->GetStringLength()};
}

// The elements of an array member; none when there is no such array.
template <typename Visit>
void ForEach(const rapidjson::Value& object, const char* name, Visit&& visit) {
  const rapidjson::Value* list = Member(object, name);
  if (list == nullptr || !list->IsArray()) return;
  for (const rapidjson::Value& one : list->GetArray()) visit(one);
}

// The resources of a Bundle's entries.
template <typename Visit>
void ForEachResource(const rapidjson::Value& bundle, Visit&& visit) {
  ForEach(bundle, "entry", [&](const rapidjson::Value& entry) {
    if (const rapidjson::Value* resource = Member(entry, "resource")) visit(*resource);
  });
}

}  // namespace simpul::deliver
