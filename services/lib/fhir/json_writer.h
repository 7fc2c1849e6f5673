// Writes JSON members in the order they are said. Nothing empty is written by mistake: the platform
// refuses empty lists and objects.
#pragma once

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace simpul::fhir {

// One JSON object after another; Restart between them. Not thread-safe. The buffer is reused.
class JsonWriter {
 public:
  JsonWriter() : writer_(buffer_) {}
  JsonWriter(const JsonWriter&) = delete;
  JsonWriter& operator=(const JsonWriter&) = delete;

  void Restart() {
    buffer_.Clear();
    writer_.Reset(buffer_);
  }
  // The text written since Restart; valid until the next call.
  std::string_view text() const { return {buffer_.GetString(), buffer_.GetSize()}; }

  // An object: the whole, one in a list, or the value of a member.
  void Open() { writer_.StartObject(); }
  void Open(std::string_view name) {
    Key(name);
    writer_.StartObject();
  }
  void Close() { writer_.EndObject(); }

  void OpenList(std::string_view name) {
    Key(name);
    writer_.StartArray();
  }
  void CloseList() { writer_.EndArray(); }

  void Text(std::string_view name, std::string_view value) {
    Key(name);
    writer_.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  }
  // Left out when empty.
  void TextIfAny(std::string_view name, std::string_view value) {
    if (!value.empty()) Text(name, value);
  }
  void Flag(std::string_view name, bool value) {
    Key(name);
    writer_.Bool(value);
  }
  void Integer(std::string_view name, int64_t value) {
    Key(name);
    writer_.Int64(value);
  }
  // A number given as its JSON text, so that decimals stay exact.
  void Number(std::string_view name, std::string_view decimal) {
    Key(name);
    writer_.RawValue(decimal.data(), decimal.size(), rapidjson::kNumberType);
  }
  // A member given as its JSON text.
  void Raw(std::string_view name, std::string_view json) {
    Key(name);
    writer_.RawValue(json.data(), json.size(), rapidjson::kObjectType);
  }
  // One of a list, given as its JSON text.
  void Raw(std::string_view json) {
    writer_.RawValue(json.data(), json.size(), rapidjson::kObjectType);
  }

 private:
  void Key(std::string_view name) {
    writer_.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
  }

  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> writer_;
};

}  // namespace simpul::fhir
