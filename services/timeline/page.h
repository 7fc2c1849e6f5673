// From a patient's entries to one page of a timeline. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "lib/event/subject.h"
#include "simpul/event/v1/identity.pb.h"
#include "simpul/log/v1/log.pb.h"
#include "simpul/timeline/v1/entry.pb.h"
#include "simpul/timeline/v1/timeline_service.pb.h"

namespace simpul::timeline_role {

// What is asked for, checked. InvalidArgument names the field and what it may be.
struct Question {
  event::SubjectKey subject;
  int64_t from_us = INT64_MIN;
  int64_t until_us = INT64_MAX;
  std::vector<uint32_t> kinds;  // field numbers; empty: all
  bool newest_first = false;
  size_t page_size = 100;
  std::string after;          // order of the last entry given; empty: from the start
  std::string signed_fields;  // what the page token is bound to
};

absl::StatusOr<Question> Ask(const timeline::v1::GetTimelineRequest& request,
                             const event::Secret& secret);

// The page, of entries in timeline order; sets entries and next_page_token. A page token names the
// place after the last entry given, so entries that come between two calls move nothing.
void Answer(const Question& question, const event::Secret& secret, const log::v1::Install& install,
            uint32_t partition, const std::vector<timeline::v1::Entry>& entries,
            timeline::v1::GetTimelineResponse& response);

// An entry as people read it.
timeline::v1::TimelineEntry Show(const timeline::v1::Entry& entry, const log::v1::Install& install,
                                 uint32_t partition);

// The person: per field the value of the registration recorded last, else of the event recorded
// last that says it. Events taken back say nothing; training counts only where nothing else does.
event::v1::Subject Demographics(const std::vector<timeline::v1::Entry>& entries);

}  // namespace simpul::timeline_role
