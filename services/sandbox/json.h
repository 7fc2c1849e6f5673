// JSON as the sandbox reads and writes it: RapidJSON, parsed in place, one memory pool per request.
#pragma once

#include <rapidjson/document.h>

#include <memory>
#include <string>
#include <string_view>

namespace simpul::sandbox {

using JsonPool = rapidjson::MemoryPoolAllocator<>;
using Json = rapidjson::GenericValue<rapidjson::UTF8<>, JsonPool>;

// A parsed text. Strings in it point into its own copy of the text: it outlives every Json taken
// from it. Not safe to share between threads.
class JsonText {
 public:
  // Null root() when the text is no JSON, is not UTF-8, or is nested deeper than kDepthMax.
  explicit JsonText(std::string text);
  JsonText(const JsonText&) = delete;
  JsonText& operator=(const JsonText&) = delete;

  Json* root() { return valid_ ? document_.get() : nullptr; }
  JsonPool& pool() { return *pool_; }

  static constexpr int kDepthMax = 64;

 private:
  std::string text_;
  std::unique_ptr<JsonPool> pool_;
  std::unique_ptr<rapidjson::GenericDocument<rapidjson::UTF8<>, JsonPool>> document_;
  bool valid_ = false;
};

// The text of a string; empty when it is none or the pointer is null.
inline std::string_view Text(const Json& value) {
  return value.IsString() ? std::string_view(value.GetString(), value.GetStringLength())
                          : std::string_view();
}
inline std::string_view Text(const Json* value) {
  return value == nullptr ? std::string_view() : Text(*value);
}

// A member by name; null when `object` is no object or lacks it.
inline const Json* Member(const Json& object, std::string_view name) {
  if (!object.IsObject()) return nullptr;
  for (auto it = object.MemberBegin(); it != object.MemberEnd(); ++it) {
    if (Text(it->name) == name) return &it->value;
  }
  return nullptr;
}
inline Json* Member(Json& object, std::string_view name) {
  return const_cast<Json*>(Member(static_cast<const Json&>(object), name));
}
inline const Json* Member(const Json* object, std::string_view name) {
  return object == nullptr ? nullptr : Member(*object, name);
}
inline std::string_view MemberText(const Json& object, std::string_view name) {
  return Text(Member(object, name));
}

// A string with its own copy in the pool.
inline Json MakeText(std::string_view text, JsonPool& pool) {
  return Json(text.data(), static_cast<rapidjson::SizeType>(text.size()), pool);
}

// Sets or adds a member.
void SetMember(Json& object, std::string_view name, Json value, JsonPool& pool);

// Compact JSON, appended.
void AppendJson(const Json& value, std::string& out);
std::string ToJson(const Json& value);

// The text as a JSON string with its quotes, appended.
void AppendQuoted(std::string_view text, std::string& out);

}  // namespace simpul::sandbox
