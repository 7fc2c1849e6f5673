// How the calls of a server learn that it drains. Within lib/rpc only.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

namespace simpul::rpc {

// One per server. Any thread.
class Draining {
 public:
  // Says so, and wakes every stream.
  void Begin();
  bool begun() const { return begun_.load(std::memory_order_relaxed); }

  // `wake` is called by Begin, or now if that was before. Once Remove has returned it is not
  // running.
  void Add(const void* stream, std::function<void()> wake);
  void Remove(const void* stream);

 private:
  std::atomic<bool> begun_{false};
  std::mutex mutex_;
  std::map<const void*, std::function<void()>> streams_;
};

// The context of a call of a server that was started by Server::Start.
class DrainingContext : public grpc::CallbackServerContext {
 public:
  explicit DrainingContext(std::shared_ptr<Draining> draining) : draining_(std::move(draining)) {}
  Draining& draining() const { return *draining_; }

 private:
  std::shared_ptr<Draining> draining_;
};

// Null for a call of another server.
Draining* DrainingOf(const grpc::CallbackServerContext& context);

}  // namespace simpul::rpc
