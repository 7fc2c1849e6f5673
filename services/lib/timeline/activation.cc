#include "lib/timeline/activation.h"

#include <string>

#include "lib/base/bytes.h"
#include "lib/event/date.h"
#include "lib/event/subject.h"
#include "lib/eventlog/cloud_event.h"
#include "lib/rules/versions.h"
#include "simpul/log/v1/log.pb.h"

namespace simpul::timeline {
namespace {

// Nobody's: as long as a subject key, and the first of its kind that lies in the partition.
std::string KeyIn(uint32_t partition, uint32_t partitions) {
  std::string key;
  for (uint32_t n = 0;; ++n) {
    key = "simpul.rules";
    base::PutBe32(key, n);
    if (event::PartitionOf(key, partitions) == partition) return key;
  }
}

}  // namespace

eventlog::Draft ActivationDraft(uint32_t version, std::chrono::sys_days from, uint32_t partition,
                                uint32_t partitions, int64_t at_us, std::string_view by) {
  log::v1::LogRecord record;
  log::v1::RulesActivated& activated = *record.mutable_rules_activated();
  activated.set_version(version);
  activated.set_from(event::FormatDay(from));
  activated.set_activation_id(rules::ActivationId(version, from));
  activated.set_activated_at_us(at_us);
  activated.set_by(std::string(by));
  eventlog::Draft draft;
  draft.topic = eventlog::Topic::kEvents;
  draft.key = KeyIn(partition, partitions);
  eventlog::Describe(record, draft);
  draft.value = record.SerializeAsString();
  return draft;
}

}  // namespace simpul::timeline
