#include "lib/base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>

#include "lib/base/clock.h"

namespace simpul::base {
namespace {

std::atomic<Severity> minimum{Severity::kInfo};

std::string_view Name(Severity severity) {
  switch (severity) {
    case Severity::kDebug:
      return "debug";
    case Severity::kInfo:
      return "info";
    case Severity::kWarning:
      return "warning";
    case Severity::kError:
      return "error";
  }
  return "error";
}

void AppendJson(std::string& out, std::string_view text) {
  out.push_back('"');
  for (char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

spdlog::logger& Logger() {
  static const std::shared_ptr<spdlog::logger> logger = [] {
    auto made = std::make_shared<spdlog::logger>("simpul",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return *logger;
}

}  // namespace

void Log(Severity severity, std::string_view component, std::string_view message,
         std::initializer_list<LogField> fields) {
  if (severity < minimum.load(std::memory_order_relaxed)) return;
  std::string line = fmt::format(R"({{"time":"{}","severity":"{}","component":"{}","message":)",
                                 FormatUtc(SystemClock().Now()), Name(severity), component);
  AppendJson(line, message);
  for (const LogField& field : fields) {
    line.push_back(',');
    AppendJson(line, field.name);
    line.push_back(':');
    if (field.is_number) {
      line += field.value;
    } else {
      AppendJson(line, field.value);
    }
  }
  line.push_back('}');
  Logger().info("{}", line);
}

void SetLogMinimum(Severity severity) { minimum.store(severity, std::memory_order_relaxed); }

}  // namespace simpul::base
