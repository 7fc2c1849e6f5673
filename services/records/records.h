// Streams delivery records to those who pull: topic entries, mapped on the way. Keeps nothing.
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "lib/base/metrics.h"
#include "lib/deliver/directory_file.h"
#include "lib/event/subject.h"
#include "lib/eventlog/event_log.h"
#include "simpul/records/v1/records.pb.h"

namespace simpul::records {

// Where records go. Take is called on Pull's thread.
class Receiver {
 public:
  virtual ~Receiver() = default;
  // False: no more is wanted, Pull returns.
  [[nodiscard]] virtual bool Take(const v1::PullRecordsResponse& record) = 0;
  // True: Pull returns.
  virtual bool Cancelled() const = 0;
  // `wake` is called when Cancelled() becomes true, or now if it is; null takes it back.
  virtual void WhenCancelled(std::function<void()> wake) = 0;
};

class Records {
 public:
  // Everything given must outlive it.
  Records(eventlog::EventLog& log, const event::Secret& secret, deliver::DirectoryFile& directory,
          base::Metrics& metrics);

  // Gives every delivery record after the request's cursor, in the order of the log within each
  // partition, up to the log's end; with `follow` goes on until cancelled. Blocks. Any thread.
  //
  // An entry that is never sent (training, registrations, links, consents, ...) is passed over. One
  // that was a record and is none any more comes as withdrawn, with the reason in `unmapped`. A
  // pulled record names people and places by identifier; where the directory does not even know the
  // facility it comes with an empty bundle and the reason in `unmapped`.
  //
  // InvalidArgument, FailedPrecondition: the cursor (ParseCursor). OutOfRange: the cursor is ahead
  // of the log. DataLoss: a record is missing or cannot be read; partition and number are named.
  // Cancelled: the receiver wants no more. FailedPrecondition: a record was written by a newer
  // Simpul.
  absl::Status Pull(const v1::PullRecordsRequest& request, Receiver& receiver);

 private:
  eventlog::EventLog& log_;
  const event::Secret& secret_;
  deliver::DirectoryFile& directory_;
  base::Metrics& metrics_;
};

}  // namespace simpul::records
