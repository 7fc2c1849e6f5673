#include "lib/rpc/server.h"

#include <fmt/format.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>

#include "lib/base/status_macros.h"
#include "lib/rpc/address.h"
#include "lib/rpc/draining.h"
#include "lib/rpc/listener.h"

namespace simpul::rpc {
namespace {

constexpr int kSendBytesMax = 64 << 20;
constexpr int kStreamsPerConnectionMax = 128;
constexpr int kMetadataBytesMax = 16 << 10;
// What was read before a connection is cut is worked through to its end: not megabytes at a time.
constexpr int kReadBytesMax = 64 << 10;
static_assert(kReceiveBytesMax <= ConnectionGuard::kMessageBytesMax);
static_assert(kStreamsPerConnectionMax < ConnectionGuard::kOpenMax);

class DrainingContexts final : public grpc::ContextAllocator {
 public:
  explicit DrainingContexts(std::shared_ptr<Draining> draining) : draining_(std::move(draining)) {}
  grpc::CallbackServerContext* NewCallbackServerContext() override {
    return new DrainingContext(draining_);
  }
  // For methods nobody serves. Without one of its own gRPC 1.51 makes it elsewhere and gives it to
  // Release all the same, as a CallbackServerContext: the destructor is virtual.
  grpc::GenericCallbackServerContext* NewGenericCallbackServerContext() override {
    return new grpc::GenericCallbackServerContext();
  }
  void Release(grpc::CallbackServerContext* context) override { delete context; }
  void Release(grpc::GenericCallbackServerContext* context) override { delete context; }

 private:
  std::shared_ptr<Draining> draining_;
};

void AddArguments(grpc::ServerBuilder& builder) {
  // A caller behind a mobile network is asked whether it is still there; it may ask as well, though
  // not more often than every ten seconds.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreamsPerConnectionMax);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMetadataBytesMax);
  builder.AddChannelArgument(GRPC_ARG_TCP_MAX_READ_CHUNK_SIZE, kReadBytesMax);
  builder.SetMaxReceiveMessageSize(kReceiveBytesMax);
  builder.SetMaxSendMessageSize(kSendBytesMax);
  // Only reflection uses the threads of the synchronous interface.
  builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MIN_POLLERS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MAX_POLLERS, 1);
  grpc::ResourceQuota quota("simpul");
  quota.SetMaxThreads(8);
  builder.SetResourceQuota(quota);
}

}  // namespace

absl::Status CanListen(const std::string& address) {
  SIMPUL_ASSIGN_OR_RETURN(const Address place, ParseAddress(address));
  return Listener::Open(place, kConnectionsMax).status();
}

Server::Server() : draining_(std::make_shared<Draining>()) {}

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const std::string& address,
                                                      std::vector<ServicePtr> services,
                                                      base::Metrics* metrics) {
  SIMPUL_ASSIGN_OR_RETURN(const Address place, ParseAddress(address));
  std::unique_ptr<Server> server(new Server());
  SIMPUL_ASSIGN_OR_RETURN(server->listener_, Listener::Open(place, kConnectionsMax));
  server->address_ = server->listener_->address().text();
  server->services_ = std::move(services);

  static std::once_flag plugins;
  std::call_once(plugins, [] {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  });
  grpc::ServerBuilder builder;
  AddArguments(builder);
  builder.SetContextAllocator(std::make_unique<DrainingContexts>(server->draining_));
  server->acceptor_ = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
      grpc::InsecureServerCredentials());
  for (const ServicePtr& service : server->services_) builder.RegisterService(service.get());
  server->server_ = builder.BuildAndStart();
  if (server->server_ == nullptr) {
    return absl::InternalError(fmt::format("gRPC cannot serve on {}.", server->address_));
  }
  server->listener_->Accept(
      [acceptor = server->acceptor_.get(), listener = server->listener_->fd()](int fd) {
        grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
        connection.listener_fd = listener;
        connection.fd = fd;
        acceptor->HandleNewConnection(&connection);
      },
      GrpcSockets::OfNewestServer(), metrics);
  return server;
}

void Server::Drain(std::chrono::milliseconds within) {
  if (server_ == nullptr) return;
  std::call_once(drained_, [&] {
    if (grpc::HealthCheckServiceInterface* health = server_->GetHealthCheckService();
        health != nullptr) {
      health->SetServingStatus(false);
    }
    draining_->Begin();
    listener_->Drain();
    server_->Shutdown(std::chrono::system_clock::now() + within);
    server_->Wait();
    listener_->Stop();
  });
}

Server::~Server() { Drain(std::chrono::seconds(2)); }

}  // namespace simpul::rpc
