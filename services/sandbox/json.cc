#include "sandbox/json.h"

#include <rapidjson/internal/dtoa.h>
#include <rapidjson/internal/itoa.h>
#include <rapidjson/reader.h>

#include <charconv>
#include <system_error>

namespace simpul::sandbox {
namespace {

using Document = rapidjson::GenericDocument<rapidjson::UTF8<>, JsonPool>;

// Stops the parser at a nesting that nobody means, before its recursion becomes a danger.
struct DepthGuard {
  Document& document;
  int depth = 0;

  bool Null() { return document.Null(); }
  bool Bool(bool v) { return document.Bool(v); }
  bool Int(int v) { return document.Int(v); }
  bool Uint(unsigned v) { return document.Uint(v); }
  bool Int64(int64_t v) { return document.Int64(v); }
  bool Uint64(uint64_t v) { return document.Uint64(v); }
  bool Double(double v) { return document.Double(v); }
  // RapidJSON's own reading of decimals in full precision does undefined things with 0e-50.
  bool RawNumber(const char* v, rapidjson::SizeType n, bool) {
    const auto reads = [v, end = v + n](auto& number) {
      const auto [at, error] = std::from_chars(v, end, number);
      return error == std::errc() && at == end;
    };
    int64_t whole = 0;
    if (reads(whole)) return document.Int64(whole);
    uint64_t large = 0;
    if (reads(large)) return document.Uint64(large);
    double number = 0;
    return reads(number) && document.Double(number);
  }
  bool String(const char* v, rapidjson::SizeType n, bool copy) {
    return document.String(v, n, copy);
  }
  bool Key(const char* v, rapidjson::SizeType n, bool copy) { return document.Key(v, n, copy); }
  bool StartObject() { return ++depth <= JsonText::kDepthMax && document.StartObject(); }
  bool EndObject(rapidjson::SizeType n) { return --depth >= 0 && document.EndObject(n); }
  bool StartArray() { return ++depth <= JsonText::kDepthMax && document.StartArray(); }
  bool EndArray(rapidjson::SizeType n) { return --depth >= 0 && document.EndArray(n); }
};

bool IsAscii(std::string_view text) {
  unsigned char seen = 0;
  for (const char c : text) seen |= static_cast<unsigned char>(c);
  return seen < 0x80;
}

void AppendNumber(const Json& number, std::string& out) {
  char buffer[32];
  char* end = buffer;
  if (number.IsInt()) {
    end = rapidjson::internal::i32toa(number.GetInt(), buffer);
  } else if (number.IsInt64()) {
    end = rapidjson::internal::i64toa(number.GetInt64(), buffer);
  } else if (number.IsUint64()) {
    end = rapidjson::internal::u64toa(number.GetUint64(), buffer);
  } else {
    end = rapidjson::internal::dtoa(number.GetDouble(), buffer);
  }
  out.append(buffer, static_cast<size_t>(end - buffer));
}

}  // namespace

JsonText::JsonText(std::string text)
    : text_(std::move(text)),
      pool_(std::make_unique<JsonPool>(text_.size() * 2 + 16 * 1024)),
      document_(std::make_unique<Document>(pool_.get(), 4096)) {
  auto parse = [this](Document& document) {
    rapidjson::InsituStringStream stream(text_.data());
    rapidjson::Reader reader;
    DepthGuard guard{document};
    constexpr unsigned kFlags = rapidjson::kParseInsituFlag | rapidjson::kParseNumbersAsStringsFlag;
    // The encoding is looked at only where there is one to look at: it costs a tenth of parsing.
    valid_ = IsAscii(text_) ? !reader.Parse<kFlags>(stream, guard).IsError()
                            : !reader.Parse < kFlags |
                                  rapidjson::kParseValidateEncodingFlag > (stream, guard).IsError();
    // Populate takes one value off the stack: there must be one.
    return valid_;
  };
  // A text with a zero byte in it would end early for the parser.
  if (text_.find('\0') == std::string::npos) document_->Populate(parse);
}

void SetMember(Json& object, std::string_view name, Json value, JsonPool& pool) {
  if (Json* present = Member(object, name)) {
    *present = value;
    return;
  }
  object.AddMember(MakeText(name, pool), value, pool);
}

void AppendJson(const Json& value, std::string& out) {
  switch (value.GetType()) {
    case rapidjson::kNullType:
      out += "null";
      break;
    case rapidjson::kFalseType:
      out += "false";
      break;
    case rapidjson::kTrueType:
      out += "true";
      break;
    case rapidjson::kStringType:
      AppendQuoted(Text(value), out);
      break;
    case rapidjson::kNumberType:
      AppendNumber(value, out);
      break;
    case rapidjson::kArrayType: {
      char mark = '[';
      for (const Json& element : value.GetArray()) {
        out.push_back(mark);
        AppendJson(element, out);
        mark = ',';
      }
      out += mark == '[' ? "[]" : "]";
      break;
    }
    case rapidjson::kObjectType: {
      char mark = '{';
      for (const auto& member : value.GetObject()) {
        out.push_back(mark);
        AppendQuoted(Text(member.name), out);
        out.push_back(':');
        AppendJson(member.value, out);
        mark = ',';
      }
      out += mark == '{' ? "{}" : "}";
      break;
    }
  }
}

std::string ToJson(const Json& value) {
  std::string out;
  AppendJson(value, out);
  return out;
}

void AppendQuoted(std::string_view text, std::string& out) {
  out.push_back('"');
  size_t from = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, from, i - from);
    from = i + 1;
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(static_cast<char>(c));
    } else if (c == '\n') {
      out += "\\n";
    } else {
      constexpr char kHex[] = "0123456789abcdef";
      out += "\\u00";
      out.push_back(kHex[c >> 4]);
      out.push_back(kHex[c & 15]);
    }
  }
  out.append(text, from);
  out.push_back('"');
}

}  // namespace simpul::sandbox
