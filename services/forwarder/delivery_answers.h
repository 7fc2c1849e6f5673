// What the ledgers say, as DeliveryService answers it: the reading half of the forwarder.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "forwarder/doors.h"
#include "lib/deliver/ledger.h"
#include "lib/event/subject.h"
#include "lib/eventlog/event_log.h"
#include "lib/fhir/directory.h"
#include "simpul/delivery/v1/delivery.pb.h"

namespace simpul::forwarder {

// waiting, delivered, held, refused, superseded, not_sent.
std::string_view StateName(delivery::v1::DeliveryState state);

// Whether a record answers to the cause that was asked for: its reason, or the name of its state.
bool MatchesCause(std::string_view cause, delivery::v1::DeliveryState state,
                  std::string_view reason);

// InvalidArgument: no record can have that cause.
absl::Status CheckCause(std::string_view cause);

// Reads only; from any thread.
class DeliveryAnswers {
 public:
  struct Sources {
    std::vector<const deliver::Ledger*> ledgers;  // by partition
    std::function<std::shared_ptr<const fhir::Directory>()> directory;
    // What keeps all records of an organisation waiting. Null: there is no platform.
    std::function<std::optional<Doors::Closed>(const std::string& organization)> why_closed;
    std::string earliest_day;
  };

  // `install` and `secret` must outlive it, and so must what the sources name.
  DeliveryAnswers(const log::v1::Install& install, const event::Secret& secret, Sources sources);

  // As far as the ledgers have read the log. InvalidArgument: no ids, or too many.
  absl::Status Trace(const delivery::v1::TraceRequest& request,
                     delivery::v1::TraceResponse& response) const;
  absl::Status ListDeliveries(const delivery::v1::ListDeliveriesRequest& request,
                              delivery::v1::ListDeliveriesResponse& response) const;
  absl::Status ListDeadLetters(const delivery::v1::ListDeadLettersRequest& request,
                               delivery::v1::ListDeadLettersResponse& response) const;
  absl::Status GetLedger(delivery::v1::GetLedgerResponse& response) const;

  // One record as it stands. `entry`: the entry at that revision, where what cannot be mapped is to
  // be named too; null: not.
  absl::StatusOr<delivery::v1::DeliveryRecordTrace> TraceRecord(
      const deliver::Ledger& ledger, const std::string& entry_id, const deliver::EntryRow& row,
      uint32_t revision, const timeline::v1::Entry* entry = nullptr) const;

 private:
  class DeadLetterPage;

  absl::Status TraceEvent(const std::string& event_id, delivery::v1::TraceResponse& response) const;
  absl::Status TraceEntry(const deliver::Ledger& ledger, const std::string& event_id,
                          const std::string& entry_id, const deliver::EntryRow& row,
                          delivery::v1::EventTrace& trace) const;
  absl::Status AddPlatformIds(const deliver::Ledger& ledger, const std::string& entry_id,
                              const deliver::EntryRow& row, uint32_t revision,
                              delivery::v1::DeliveryRecordTrace& trace) const;
  // Why a record waits that nothing has happened to yet.
  void ExplainWaiting(const deliver::Ledger& ledger, const std::string& organization,
                      delivery::v1::DeliveryRecordTrace& trace) const;

  const log::v1::Install& install_;
  const event::Secret& secret_;
  const Sources sources_;
};

}  // namespace simpul::forwarder
