// A call with exactly the bytes it is given, by the method's path: what no generated client sends.
#pragma once

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <future>
#include <memory>
#include <string>
#include <vector>

namespace simpul::rpc {

struct RawAnswer {
  grpc::Status status;
  std::string bytes;
  std::multimap<std::string, std::string> trailers;
};

inline RawAnswer RawCall(const std::shared_ptr<grpc::Channel>& channel, const std::string& path,
                         std::string_view request,
                         const std::vector<std::pair<std::string, std::string>>& metadata = {}) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  for (const auto& [name, value] : metadata) context.AddMetadata(name, value);
  const grpc::Slice slice(request.data(), request.size());
  const grpc::ByteBuffer sent(&slice, 1);
  grpc::ByteBuffer received;
  std::promise<grpc::Status> done;
  stub.UnaryCall(&context, path, grpc::StubOptions(), &sent, &received,
                 [&](grpc::Status status) { done.set_value(std::move(status)); });
  RawAnswer answer;
  answer.status = done.get_future().get();
  std::vector<grpc::Slice> slices;
  if (received.Valid() && received.Dump(&slices).ok()) {
    for (const grpc::Slice& part : slices) {
      answer.bytes.append(reinterpret_cast<const char*>(part.begin()), part.size());
    }
  }
  for (const auto& [name, value] : context.GetServerTrailingMetadata()) {
    answer.trailers.emplace(std::string(name.data(), name.size()),
                            std::string(value.data(), value.size()));
  }
  return answer;
}

}  // namespace simpul::rpc
