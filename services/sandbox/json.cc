#include "sandbox/json.h"

#include <rapidjson/reader.h>

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
  bool RawNumber(const char* v, rapidjson::SizeType n, bool copy) {
    return document.RawNumber(v, n, copy);
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

// RapidJSON's output stream onto a std::string.
class StringSink {
 public:
  using Ch = char;
  explicit StringSink(std::string& out) : out_(out) {}
  void Put(char c) { out_.push_back(c); }
  void Flush() {}

 private:
  std::string& out_;
};

}  // namespace

JsonText::JsonText(std::string text)
    : text_(std::move(text)),
      pool_(std::make_unique<JsonPool>(text_.size() * 2 + 16 * 1024)),
      document_(std::make_unique<Document>(pool_.get(), 4096)) {
  auto parse = [this](Document& document) {
    rapidjson::InsituStringStream stream(text_.data());
    rapidjson::Reader reader;
    DepthGuard guard{document};
    constexpr unsigned kFlags = rapidjson::kParseInsituFlag |
                                rapidjson::kParseValidateEncodingFlag |
                                rapidjson::kParseFullPrecisionFlag;
    valid_ = !reader.Parse<kFlags>(stream, guard).IsError();
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
  StringSink sink(out);
  rapidjson::Writer<StringSink> writer(sink);
  value.Accept(writer);
}

std::string ToJson(const Json& value) {
  std::string out;
  AppendJson(value, out);
  return out;
}

void AppendQuoted(std::string_view text, std::string& out) {
  StringSink sink(out);
  rapidjson::Writer<StringSink> writer(sink);
  writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}

}  // namespace simpul::sandbox
