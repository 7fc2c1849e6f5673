#include "simpul/delivery_text.h"

#include <fmt/format.h>

namespace simpul::cli {

std::string StateWord(delivery::v1::DeliveryState state) {
  return EnumWord(delivery::v1::DeliveryState_Name(state), "DELIVERY_STATE_");
}

std::string RecordJson(const delivery::v1::DeliveryRecordTrace& record) {
  return JsonLine()
      .Text("record_id", record.record_id())
      .Count("revision", record.revision())
      .Text("state", StateWord(record.state()))
      .Count("attempts", record.attempts())
      .Texts("platform_ids", {record.platform_ids().begin(), record.platform_ids().end()})
      .Text("reason", record.reason())
      .Text("fix", record.fix())
      .Text("platform_says", record.platform_says())
      .Text("changed_at", UtcTime(record.changed_at(), record.has_changed_at()))
      .Text("retry_at", UtcTime(record.retry_at(), record.has_retry_at()))
      .Texts("unmapped", {record.unmapped().begin(), record.unmapped().end()})
      .Take();
}

std::string RecordText(const delivery::v1::DeliveryRecordTrace& record) {
  std::string text = fmt::format("record {} revision {}: {}", record.record_id(), record.revision(),
                                 StateWord(record.state()));
  if (record.attempts() > 0) {
    text +=
        fmt::format(" after {} attempt{}", record.attempts(), record.attempts() == 1 ? "" : "s");
  }
  if (!record.reason().empty()) text += fmt::format(", {}", record.reason());
  if (!record.platform_says().empty()) {
    text += fmt::format("; the platform says: {}", record.platform_says());
  }
  if (record.has_retry_at()) text += fmt::format("; next try {}", UtcTime(record.retry_at(), true));
  if (!record.fix().empty()) text += fmt::format("\n    to do: {}", record.fix());
  if (record.platform_ids_size() > 0) {
    text += fmt::format("\n    at the platform: {}", fmt::join(record.platform_ids(), ", "));
  }
  if (record.unmapped_size() > 0) {
    text += fmt::format("\n    not mapped: {}", fmt::join(record.unmapped(), ", "));
  }
  return text;
}

}  // namespace simpul::cli
