#include "lib/rpc/call.h"

#include <fmt/format.h>
#include <google/protobuf/any.pb.h>
#include <google/protobuf/duration.pb.h>
#include <prometheus/counter.h>
#include <prometheus/histogram.h>

#include "lib/base/check.h"
#include "lib/rpc/draining.h"

namespace simpul::rpc {
namespace {

// What a caller waits before it sends again: long enough for a group commit or two, short enough
// that a phone's user does not notice.
constexpr std::chrono::milliseconds kRetryDelay{500};

const char* CodeName(grpc::StatusCode code) {
  static constexpr std::array<const char*, 17> kNames = {
      "OK",       "Canceled",       "Unknown",          "InvalidArgument",   "DeadlineExceeded",
      "NotFound", "AlreadyExists",  "PermissionDenied", "ResourceExhausted", "FailedPrecondition",
      "Aborted",  "OutOfRange",     "Unimplemented",    "Internal",          "Unavailable",
      "DataLoss", "Unauthenticated"};
  return kNames.at(static_cast<size_t>(code));
}

void PutLengthDelimited(std::string& out, int field, std::string_view bytes) {
  SIMPUL_CHECK(bytes.size() < 128, "{} bytes need a longer length", bytes.size());
  out.push_back(static_cast<char>(field << 3 | 2));
  out.push_back(static_cast<char>(bytes.size()));
  out += bytes;
}

// A google.rpc.Status with one google.rpc.RetryInfo. Their protos are in no package of Debian; the
// fields are Status{code=1, message=2, details=3} and RetryInfo{retry_delay=1}.
std::string RetryDetails(grpc::StatusCode code) {
  google::protobuf::Duration delay;
  delay.set_seconds(kRetryDelay.count() / 1000);
  delay.set_nanos(static_cast<int32_t>(kRetryDelay.count() % 1000 * 1'000'000));
  std::string retry_info;
  PutLengthDelimited(retry_info, 1, delay.SerializeAsString());
  google::protobuf::Any any;
  any.set_type_url("type.googleapis.com/google.rpc.RetryInfo");
  any.set_value(retry_info);
  std::string status = {0x08, static_cast<char>(code)};
  PutLengthDelimited(status, 3, any.SerializeAsString());
  return status;
}

class UnaryReactor final : public grpc::ServerUnaryReactor {
 public:
  UnaryReactor(grpc::CallbackServerContext* context, Calls& calls, std::string_view method,
               absl::AnyInvocable<void(UnaryReactor*)> run)
      : context_(context), calls_(calls), count_(calls, method, "unary"), run_(std::move(run)) {}

  void Start() {
    const bool queued = calls_.pool.Submit([this] {
      if (context_->IsCancelled()) return End(absl::CancelledError("The caller has gone."));
      // Moved out: once `run` has ended the call, this object may be gone.
      absl::AnyInvocable<void(UnaryReactor*)> run = std::move(run_);
      run(this);
    });
    if (!queued) {
      End(absl::ResourceExhaustedError(
          "Too many calls are waiting; nothing was done. Send the same again after a pause."));
    }
  }

  // Once. Nothing of this object may be touched afterwards.
  void End(const absl::Status& status) {
    const grpc::Status answer = ToGrpc(status, context_);
    count_.Handled(answer.error_code());
    Finish(answer);
  }

  void OnDone() override { delete this; }

 private:
  grpc::CallbackServerContext* const context_;
  Calls& calls_;
  CallCount count_;
  absl::AnyInvocable<void(UnaryReactor*)> run_;
};

// Ends a call once, whoever holds copies of it.
class FinishOnce {
 public:
  explicit FinishOnce(UnaryReactor* reactor) : reactor_(reactor) {}
  ~FinishOnce() { End(absl::InternalError("The call was given up without an answer.")); }
  FinishOnce(const FinishOnce&) = delete;
  FinishOnce& operator=(const FinishOnce&) = delete;

  void End(const absl::Status& status) {
    if (UnaryReactor* reactor = reactor_.exchange(nullptr); reactor != nullptr) {
      reactor->End(status);
    }
  }

 private:
  std::atomic<UnaryReactor*> reactor_;
};

}  // namespace

void Draining::Begin() {
  const std::lock_guard lock(mutex_);
  begun_.store(true);
  for (const auto& [stream, wake] : streams_) wake();
}

void Draining::Add(const void* stream, std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  if (begun_.load()) wake();
  streams_.emplace(stream, std::move(wake));
}

void Draining::Remove(const void* stream) {
  const std::lock_guard lock(mutex_);
  streams_.erase(stream);
}

Draining* DrainingOf(const grpc::CallbackServerContext& context) {
  const auto* draining = dynamic_cast<const DrainingContext*>(&context);
  return draining == nullptr ? nullptr : &draining->draining();
}

MethodCounts& CallCounts::Of(std::string_view service, std::string_view method,
                             std::string_view type, base::Metrics& metrics) {
  const std::lock_guard lock(mutex_);
  if (const auto found = methods_.find(method); found != methods_.end()) return *found->second;
  auto counts = std::make_unique<MethodCounts>();
  counts->labels = {{"grpc_service", std::string(service)},
                    {"grpc_method", std::string(method)},
                    {"grpc_type", std::string(type)}};
  counts->started =
      &metrics.Counter("grpc_server_started_total", "Calls that began.", counts->labels);
  counts->seconds = &metrics.Seconds("grpc_server_handling_seconds",
                                     "Time from a call's beginning to its answer.", counts->labels);
  return *methods_.emplace(std::string(method), std::move(counts)).first->second;
}

CallCount::CallCount(Calls& calls, std::string_view method, std::string_view type)
    : calls_(calls),
      counts_(calls.counts.Of(calls.service, method, type, calls.metrics)),
      began_(std::chrono::steady_clock::now()) {
  counts_.started->Increment();
}

void CallCount::Handled(grpc::StatusCode code) {
  std::atomic<prometheus::Counter*>& slot = counts_.handled.at(static_cast<size_t>(code));
  prometheus::Counter* counter = slot.load();
  if (counter == nullptr) {
    base::Labels labels = counts_.labels;
    labels["grpc_code"] = CodeName(code);
    // Asked for twice it is the same one.
    counter = &calls_.metrics.Counter("grpc_server_handled_total", "Calls that ended, by status.",
                                      labels);
    slot.store(counter);
  }
  counter->Increment();
  counts_.seconds->Observe(
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count());
}

absl::Status DrainedStatus() {
  return absl::UnavailableError("The server is stopping. Connect again.");
}

grpc::Status ToGrpc(const absl::Status& status, grpc::CallbackServerContext* context) {
  if (status.ok()) return grpc::Status::OK;
  const auto code = static_cast<grpc::StatusCode>(status.code());
  std::string message(status.message().data(), status.message().size());
  if (!absl::IsResourceExhausted(status) && !absl::IsUnavailable(status)) {
    return {code, std::move(message)};
  }
  if (context != nullptr) {
    context->AddTrailingMetadata("grpc-retry-pushback-ms", fmt::format("{}", kRetryDelay.count()));
  }
  return {code, std::move(message), RetryDetails(code)};
}

absl::Status FromGrpc(const grpc::Status& status) {
  return {static_cast<absl::StatusCode>(status.error_code()), status.error_message()};
}

bool Cancelled(const grpc::CallbackServerContext& context) {
  const Draining* draining = DrainingOf(context);
  return context.IsCancelled() || (draining != nullptr && draining->begun());
}

grpc::ServerUnaryReactor* Unary(grpc::CallbackServerContext* context, Calls& calls,
                                std::string_view method,
                                absl::AnyInvocable<absl::Status()> handler) {
  auto* reactor = new UnaryReactor(
      context, calls, method,
      [handler = std::move(handler)](UnaryReactor* call) mutable { call->End(handler()); });
  reactor->Start();  // OnDone deletes it
  return reactor;
}

grpc::ServerUnaryReactor* UnaryAsync(grpc::CallbackServerContext* context, Calls& calls,
                                     std::string_view method,
                                     absl::AnyInvocable<void(Finish)> handler) {
  auto* reactor = new UnaryReactor(
      context, calls, method, [handler = std::move(handler)](UnaryReactor* call) mutable {
        handler([once = std::make_shared<FinishOnce>(call)](const absl::Status& status) {
          once->End(status);
        });
      });
  reactor->Start();  // OnDone deletes it
  return reactor;
}

}  // namespace simpul::rpc
