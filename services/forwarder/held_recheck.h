// Looks again at what is held for want of something in a file, once the file has changed.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "forwarder/backlog.h"
#include "forwarder/step_log.h"
#include "lib/fhir/map.h"

namespace simpul::forwarder {

// Begins with everything that is held: the files may have changed while nobody looked. Used from
// one thread.
class HeldRecheck {
 public:
  // Both must outlive it.
  HeldRecheck(const Backlog& backlog, StepLog& steps, fhir::MapOptions map_options);

  // What is held for want of a directory entry is looked at again.
  void DirectoryChanged();
  // And what is held for its credentials.
  void CredentialsChanged();

  // Looks at one page of what is left to look at, and asks on the log for another try of each
  // record that could be sent now. True when there is more to do.
  bool Go(const fhir::Directory& directory);

 private:
  void LookAt(const deliver::Ledger& ledger, const std::string& entry_id, bool credentials_changed,
              const fhir::Directory& directory);

  const Backlog& backlog_;
  StepLog& steps_;
  const fhir::MapOptions map_options_;
  // A look through what a partition holds.
  struct Pass {
    std::string after;             // the last record that was looked at
    bool for_credentials = false;  // those held for their credentials too
  };
  std::map<uint32_t, Pass> passes_;  // by partition
};

}  // namespace simpul::forwarder
