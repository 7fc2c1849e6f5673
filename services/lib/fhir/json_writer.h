// Writes JSON members in the order they are said, without space: half the cost of a record is here,
// so names, which are ours, are copied and only values are looked at.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace simpul::fhir {

// One JSON object after another; Restart between them. Not thread-safe. The buffer is reused.
// Nothing checks that what is opened is closed: the tests parse every kind of resource.
class JsonWriter {
 public:
  JsonWriter() = default;
  JsonWriter(const JsonWriter&) = delete;
  JsonWriter& operator=(const JsonWriter&) = delete;

  void Restart() {
    text_.clear();
    follows_ = false;
  }
  // The text written since Restart; valid until the next call.
  std::string_view text() const { return text_; }

  // An object: the whole, one in a list, or the value of a member.
  void Open() {
    Separate();
    text_ += '{';
    follows_ = false;
  }
  void Open(std::string_view name) {
    Name(name);
    text_ += '{';
    follows_ = false;
  }
  void Close() {
    text_ += '}';
    follows_ = true;
  }

  void OpenList(std::string_view name) {
    Name(name);
    text_ += '[';
    follows_ = false;
  }
  void CloseList() {
    text_ += ']';
    follows_ = true;
  }

  void Text(std::string_view name, std::string_view value) {
    Name(name);
    text_ += '"';
    Escape(value);
    text_ += '"';
  }
  // Left out when empty: the platform refuses empty values.
  void TextIfAny(std::string_view name, std::string_view value) {
    if (!value.empty()) Text(name, value);
  }
  void Flag(std::string_view name, bool value) {
    Name(name);
    text_ += value ? "true" : "false";
  }
  void Integer(std::string_view name, int64_t value) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
    Raw(name, {digits, static_cast<size_t>(end - digits)});
  }
  // A member given as its JSON text; decimals too, so that they stay exact.
  void Raw(std::string_view name, std::string_view json) {
    Name(name);
    text_ += json;
  }
  // One of a list, given as its JSON text.
  void Raw(std::string_view json) {
    Separate();
    text_ += json;
    follows_ = true;
  }

 private:
  void Separate() {
    if (follows_) text_ += ',';
  }

  // Names are ours and need no escape.
  void Name(std::string_view name) {
    Separate();
    text_ += '"';
    text_ += name;
    text_ += "\":";
    follows_ = true;
  }

  // RFC 8259, section 7. Bytes above 0x7f are UTF-8, checked at intake.
  void Escape(std::string_view value) {
    size_t clean = 0;
    for (size_t i = 0; i < value.size(); ++i) {
      const auto c = static_cast<unsigned char>(value[i]);
      if (c >= 0x20 && c != '"' && c != '\\') [[likely]]
        continue;
      text_ += value.substr(clean, i - clean);
      clean = i + 1;
      if (c >= 0x20) {
        text_ += '\\';
        text_ += static_cast<char>(c);
      } else {
        constexpr char kHex[] = "0123456789abcdef";
        text_ += "\\u00";
        text_ += kHex[c >> 4];
        text_ += kHex[c & 15];
      }
    }
    text_ += value.substr(clean);
  }

  std::string text_;
  bool follows_ = false;
};

}  // namespace simpul::fhir
