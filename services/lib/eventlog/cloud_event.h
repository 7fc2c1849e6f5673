// What tools see that read along: a record's CloudEvents attributes.
#pragma once

#include "lib/eventlog/event_log.h"
#include "simpul/log/v1/log.pb.h"

namespace simpul::eventlog {

// Sets the draft's ce_... to what the record itself says, so that a copy of the record is described
// as the record was. A delivery record does not name its facility: whoever knows it adds ce_source.
void Describe(const log::v1::LogRecord& record, Draft& draft);

}  // namespace simpul::eventlog
