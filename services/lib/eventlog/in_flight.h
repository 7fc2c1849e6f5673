// What is on its way to a log, bounded in bytes.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>

#include "absl/status/statusor.h"
#include "lib/eventlog/event_log.h"

namespace simpul::eventlog {

// Any thread.
class InFlight {
 public:
  explicit InFlight(size_t bytes_max)
      : bytes_max_(bytes_max), bytes_(std::make_shared<std::atomic<size_t>>(0)) {}

  // Takes room, given back with the admission, which may outlive this. ResourceExhausted: there is
  // not as much.
  absl::StatusOr<std::unique_ptr<Admission>> Admit(size_t bytes);

  size_t bytes() const { return bytes_->load(); }

 private:
  const size_t bytes_max_;
  const std::shared_ptr<std::atomic<size_t>> bytes_;
};

}  // namespace simpul::eventlog
