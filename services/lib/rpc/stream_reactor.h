// The reactor behind ServerStream. Included by call.h only.
//
// One owner: the handler's thread. It writes, it finishes, once, as the last thing it does; after
// OnDone the object is gone.
#pragma once

#include <condition_variable>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "lib/base/status_macros.h"
#include "lib/rpc/call.h"
#include "lib/rpc/draining.h"

namespace simpul::rpc {

// A caller that takes nothing for so long is cut off: it holds a thread.
inline constexpr std::chrono::minutes kWriteWithin{5};

// Counts a call when it begins and when it ends.
class CallCount {
 public:
  CallCount(Calls& calls, std::string_view method, std::string_view type);
  void Handled(grpc::StatusCode code);

 private:
  Calls& calls_;
  MethodCounts& counts_;
  std::chrono::steady_clock::time_point began_;
};

// The status of a stream of a server that drains.
absl::Status DrainedStatus();

template <typename Response>
class StreamReactor final : public grpc::ServerWriteReactor<Response>, public Stream<Response> {
 public:
  using Handler = absl::AnyInvocable<absl::Status(Stream<Response>&)>;

  StreamReactor(grpc::CallbackServerContext* context, Calls& calls, std::string_view method,
                Handler handler)
      : context_(context),
        calls_(calls),
        count_(calls, method, "server_stream"),
        draining_(DrainingOf(*context)),
        handler_(std::move(handler)) {}

  void Start() {
    if (calls_.streams.fetch_add(1) >= calls_.streams_max) {
      return End(absl::ResourceExhaustedError(
          "Too many streams are open. Close one that is not needed, or try again later."));
    }
    if (draining_ != nullptr) {
      draining_->Add(this, [this] { Cancel(); });
    }
    try {
      // Detached: OnDone may run on this very thread, within Finish, and cannot join it.
      std::thread([this] { Run(); }).detach();
    } catch (const std::system_error&) {
      Forget();
      End(absl::ResourceExhaustedError("No thread is left for this stream. Try again later."));
    }
  }

  bool Write(const Response& response) override {
    {
      const std::lock_guard lock(mutex_);
      if (cancelled_) return false;
      taken_.reset();
    }
    this->StartWrite(&response);
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kWriteWithin, [this] { return taken_.has_value(); })) {
      context_->TryCancel();
      changed_.wait(lock, [this] { return taken_.has_value(); });
    }
    return *taken_ && !cancelled_;
  }

  bool Cancelled() const override {
    const std::lock_guard lock(mutex_);
    return cancelled_;
  }

  void WhenCancelled(std::function<void()> wake) override {
    const std::lock_guard lock(mutex_);
    wake_ = std::move(wake);
    if (cancelled_ && wake_) wake_();
  }

  void OnWriteDone(bool ok) override {
    // Notified under the lock: the thread that waits may finish the call, and with it this object.
    const std::lock_guard lock(mutex_);
    taken_ = ok;
    changed_.notify_all();
  }

  void OnCancel() override { Cancel(); }

  void OnDone() override {
    calls_.streams.fetch_sub(1);
    delete this;
  }

 private:
  void Run() {
    absl::Status status = handler_(*this);
    handler_ = nullptr;
    if (draining_ != nullptr && draining_->begun() && (status.ok() || absl::IsCancelled(status))) {
      status = DrainedStatus();
    }
    Forget();
    End(status);
  }

  void Forget() {
    if (draining_ != nullptr) draining_->Remove(this);
  }

  // Nothing of this object may be touched afterwards.
  void End(const absl::Status& status) {
    const grpc::Status answer = ToGrpc(status, context_);
    count_.Handled(answer.error_code());
    this->Finish(answer);
  }

  void Cancel() {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    if (wake_) wake_();
  }

  grpc::CallbackServerContext* const context_;
  Calls& calls_;
  CallCount count_;
  Draining* const draining_;
  Handler handler_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<bool> taken_;  // what became of the last write
  bool cancelled_ = false;
  std::function<void()> wake_;
};

template <typename Response>
grpc::ServerWriteReactor<Response>* ServerStream(
    grpc::CallbackServerContext* context, Calls& calls, std::string_view method,
    absl::AnyInvocable<absl::Status(Stream<Response>&)> handler) {
  auto* reactor =
      new StreamReactor<Response>(context, calls, method, std::move(handler));  // OnDone deletes it
  reactor->Start();
  return reactor;
}

}  // namespace simpul::rpc
