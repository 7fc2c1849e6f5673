// How the commands answer: a table for a person, one JSON object a line for a program.
#pragma once

#include <google/protobuf/message.h>
#include <google/protobuf/timestamp.pb.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "simpul/event/v1/event.pb.h"

namespace simpul::cli {

// Exit status of every command.
inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;    // something was refused or failed
inline constexpr int kWrongUse = 2;  // the command line asks for what cannot be

// One JSON object for one line. Names are snake_case. Text that is no UTF-8 is never written.
class JsonLine {
 public:
  JsonLine() { writer_.StartObject(); }

  JsonLine& Text(std::string_view name, std::string_view value);
  JsonLine& Number(std::string_view name, int64_t value);
  JsonLine& Count(std::string_view name, uint64_t value);
  JsonLine& Flag(std::string_view name, bool value);
  JsonLine& Null(std::string_view name);
  JsonLine& Texts(std::string_view name, const std::vector<std::string>& values);
  // `json` must be a JSON value.
  JsonLine& Raw(std::string_view name, std::string_view json);
  // A list of JSON values.
  JsonLine& RawList(std::string_view name, const std::vector<std::string>& json);

  // The object. Call once, last.
  std::string Take();

 private:
  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> writer_{buffer_};
};

// Columns for a person. The last column is not padded.
class Table {
 public:
  explicit Table(std::vector<std::string> head);
  void Row(std::vector<std::string> cells);
  bool empty() const { return rows_.size() == 1; }
  std::string Text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// A line on standard output. Standard output is flushed at the end of each command and when it is a
// terminal.
void Print(std::string_view line);

// "simpul: words" on standard error.
void Complain(std::string_view words);

// Protobuf JSON in one line, field names as in the .proto.
std::string ToJson(const google::protobuf::Message& message);

// {"system":…,"code":…}
std::string FacilityJson(const event::v1::Facility& facility);
// system/code, for a person.
std::string FacilityText(const event::v1::Facility& facility);

// 2026-01-05T08:12:00+07:00: local time with its offset. Empty when there is no time.
std::string LocalTime(const event::v1::EventTime& time);
// 2026-01-05 08:12, or the day alone where only the day is known.
std::string LocalTimeForPeople(const event::v1::EventTime& time);
// 2026-01-05T01:12:00Z; empty when it is not set.
std::string UtcTime(const google::protobuf::Timestamp& time, bool is_set);

// 12,345
std::string Grouped(uint64_t number);

// DELIVERY_STATE_NOT_SENT to not_sent, given DELIVERY_STATE_.
std::string EnumWord(std::string_view name, std::string_view prefix);

}  // namespace simpul::cli
