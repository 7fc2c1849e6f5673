#include "simpul/output.h"

#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "lib/base/clock.h"

namespace simpul::cli {
namespace {

// Characters, not bytes, so that columns stand straight under letters with accents.
size_t Width(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

struct CivilTime {
  int year;
  unsigned month, day;
  int hour, minute, second;
};

CivilTime Civil(int64_t seconds) {
  const std::chrono::sys_seconds t{std::chrono::seconds(seconds)};
  const auto day = std::chrono::floor<std::chrono::days>(t);
  const std::chrono::year_month_day ymd{day};
  const auto rest = static_cast<int>((t - day).count());
  return {int(ymd.year()), unsigned(ymd.month()), unsigned(ymd.day()),
          rest / 3600,     rest / 60 % 60,        rest % 60};
}

}  // namespace

JsonLine& JsonLine::Text(std::string_view name, std::string_view value) {
  writer_.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
  writer_.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  return *this;
}

JsonLine& JsonLine::Number(std::string_view name, int64_t value) {
  writer_.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
  writer_.Int64(value);
  return *this;
}

JsonLine& JsonLine::Count(std::string_view name, uint64_t value) {
  writer_.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
  writer_.Uint64(value);
  return *this;
}

JsonLine& JsonLine::Flag(std::string_view name, bool value) {
  writer_.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
  writer_.Bool(value);
  return *this;
}

JsonLine& JsonLine::Null(std::string_view name) {
  writer_.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
  writer_.Null();
  return *this;
}

JsonLine& JsonLine::Texts(std::string_view name, const std::vector<std::string>& values) {
  writer_.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
  writer_.StartArray();
  for (const std::string& value : values) {
    writer_.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  }
  writer_.EndArray();
  return *this;
}

JsonLine& JsonLine::Raw(std::string_view name, std::string_view json) {
  writer_.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
  writer_.RawValue(json.data(), json.size(), rapidjson::kObjectType);
  return *this;
}

JsonLine& JsonLine::RawList(std::string_view name, const std::vector<std::string>& json) {
  writer_.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
  writer_.StartArray();
  for (const std::string& value : json) {
    writer_.RawValue(value.data(), value.size(), rapidjson::kObjectType);
  }
  writer_.EndArray();
  return *this;
}

std::string JsonLine::Take() {
  writer_.EndObject();
  return {buffer_.GetString(), buffer_.GetSize()};
}

Table::Table(std::vector<std::string> head) { rows_.push_back(std::move(head)); }

void Table::Row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

std::string Table::Text() const {
  std::vector<size_t> widths;
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(row[i]));
  }
  std::string text;
  for (const auto& row : rows_) {
    if (!text.empty()) text += '\n';
    for (size_t i = 0; i < row.size(); ++i) {
      text += row[i];
      if (i + 1 < row.size()) text.append(widths[i] - Width(row[i]) + 2, ' ');
    }
  }
  return text;
}

void Print(std::string_view line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fputc('\n', stdout);
}

void Complain(std::string_view words) { fmt::print(stderr, "simpul: {}\n", words); }

std::string ToJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  return status.ok() ? json : "{}";
}

std::string FacilityJson(const event::v1::Facility& facility) {
  return JsonLine().Text("system", facility.system()).Text("code", facility.code()).Take();
}

std::string FacilityText(const event::v1::Facility& facility) {
  return fmt::format("{}/{}", facility.system(), facility.code());
}

std::string LocalTime(const event::v1::EventTime& time) {
  if (!time.has_time()) return "";
  const int offset = time.utc_offset_min();
  const CivilTime t = Civil(time.time().seconds() + offset * 60);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}{:02}:{:02}", t.year, t.month, t.day,
                     t.hour, t.minute, t.second, offset < 0 ? '-' : '+', std::abs(offset) / 60,
                     std::abs(offset) % 60);
}

std::string LocalTimeForPeople(const event::v1::EventTime& time) {
  if (!time.has_time()) return "";
  const CivilTime t = Civil(time.time().seconds() + time.utc_offset_min() * 60);
  if (time.precision() == event::v1::TIME_PRECISION_DAY) {
    return fmt::format("{:04}-{:02}-{:02}", t.year, t.month, t.day);
  }
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}", t.year, t.month, t.day, t.hour, t.minute);
}

std::string UtcTime(const google::protobuf::Timestamp& time, bool is_set) {
  if (!is_set) return "";
  return base::FormatUtc(base::FromMicros(time.seconds() * 1'000'000 + time.nanos() / 1000));
}

std::string Grouped(uint64_t number) {
  std::string digits = fmt::format("{}", number);
  for (size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string EnumWord(std::string_view name, std::string_view prefix) {
  if (name.substr(0, prefix.size()) == prefix) name.remove_prefix(prefix.size());
  std::string word(name);
  std::transform(word.begin(), word.end(), word.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return word;
}

}  // namespace simpul::cli
