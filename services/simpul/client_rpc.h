// The commands' side of the gRPC services. Nothing of gRPC shows here.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "simpul/delivery/v1/delivery.pb.h"
#include "simpul/ingest/v1/ingest.pb.h"
#include "simpul/records/v1/records.pb.h"
#include "simpul/timeline/v1/timeline_service.pb.h"

namespace simpul::cli {

// Calls one Simpul. Connects when first used. Every call may be made from any thread; each returns
// the service's own status: DeadlineExceeded when no answer came within `deadline`, Unavailable
// when nobody answers at the address.
class Client {
 public:
  using Deadline = std::chrono::milliseconds;

  // HOST:PORT, in plain text.
  explicit Client(std::string address);
  ~Client();

  const std::string& address() const { return address_; }

  // `wait` is set to the pause the server asked for before the batch is sent again; zero when it
  // asked for none.
  absl::Status SubmitEvents(const ingest::v1::SubmitEventsRequest& request,
                            ingest::v1::SubmitEventsResponse& response, Deadline deadline,
                            std::chrono::milliseconds& wait);
  absl::Status GetTimeline(const timeline::v1::GetTimelineRequest& request,
                           timeline::v1::GetTimelineResponse& response, Deadline deadline);
  absl::Status GetGrowth(const timeline::v1::GetGrowthRequest& request,
                         timeline::v1::GetGrowthResponse& response, Deadline deadline);
  absl::Status GetState(timeline::v1::GetStateResponse& response, Deadline deadline);
  absl::Status QuarantineEvent(const timeline::v1::QuarantineEventRequest& request,
                               timeline::v1::QuarantineEventResponse& response, Deadline deadline);
  absl::Status ListRules(timeline::v1::ListRulesResponse& response, Deadline deadline);
  absl::Status ActivateRules(const timeline::v1::ActivateRulesRequest& request,
                             timeline::v1::ActivateRulesResponse& response, Deadline deadline);
  absl::Status GetLedger(delivery::v1::GetLedgerResponse& response, Deadline deadline);
  absl::Status Trace(const delivery::v1::TraceRequest& request,
                     delivery::v1::TraceResponse& response, Deadline deadline);
  absl::Status ListDeadLetters(const delivery::v1::ListDeadLettersRequest& request,
                               delivery::v1::ListDeadLettersResponse& response, Deadline deadline);
  absl::Status Resend(const delivery::v1::ResendRequest& request,
                      delivery::v1::ResendResponse& response, Deadline deadline);
  absl::Status Pause(const delivery::v1::PauseRequest& request, Deadline deadline);
  absl::Status Resume(Deadline deadline);
  // Calls `on_record` for each record until the stream ends, `on_record` returns false, or Cancel.
  absl::Status PullRecords(
      const records::v1::PullRecordsRequest& request,
      const std::function<bool(const records::v1::PullRecordsResponse&)>& on_record);

  // Ends every call in hand with Cancelled, and refuses later ones. Any thread.
  void Cancel();

 private:
  struct Impl;
  std::string address_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace simpul::cli
