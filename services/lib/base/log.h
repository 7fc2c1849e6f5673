// The program's log: one JSON object a line on standard error.
//
// Only what is passed here is printed, so nothing personal may be: no name, identity number or
// payload. Event ids, facility codes, partitions, positions and counts are fine.
#pragma once

#include <fmt/format.h>

#include <initializer_list>
#include <string>
#include <string_view>

namespace simpul::base {

enum class Severity { kDebug, kInfo, kWarning, kError };

// One field of a log line.
struct LogField {
  std::string_view name;
  std::string value;
  bool is_number = false;

  LogField(std::string_view n, std::string_view v) : name(n), value(v) {}
  LogField(std::string_view n, const char* v) : name(n), value(v) {}
  LogField(std::string_view n, const std::string& v) : name(n), value(v) {}
  template <typename T>
    requires std::is_arithmetic_v<T>
  LogField(std::string_view n, T v)
      : name(n), value(fmt::format("{}", v)), is_number(!std::is_same_v<T, bool>) {}
};

// Writes one line: time, severity, component, message, fields. Any thread. Lines below the minimum
// are dropped.
void Log(Severity severity, std::string_view component, std::string_view message,
         std::initializer_list<LogField> fields = {});

// The least severe line that is written. Default: info. Any thread.
void SetLogMinimum(Severity severity);

}  // namespace simpul::base
