#include "lib/rpc/grpc_sockets.h"

#include <grpc/grpc.h>
#include <grpc/support/alloc.h>
#include <rapidjson/document.h>

#include <algorithm>
#include <charconv>
#include <memory>

#include "lib/base/text.h"
#include "lib/rpc/tcp_socket.h"

namespace simpul::rpc {
namespace {

using Json = rapidjson::Value;

// Takes what channelz returns. Null, an object of nothing, when it returned nothing.
rapidjson::Document Parse(char* text) {
  const std::unique_ptr<char, decltype(&gpr_free)> owned(text, &gpr_free);
  rapidjson::Document document;
  if (text != nullptr) document.Parse(text);
  return document;
}

const Json* Member(const Json* object, const char* name) {
  if (object == nullptr || !object->IsObject()) return nullptr;
  const auto found = object->FindMember(name);
  return found == object->MemberEnd() ? nullptr : &found->value;
}

// 64-bit numbers are text in protobuf's JSON; zeros are left out.
int64_t Number(const Json* object, const char* name) {
  const Json* value = Member(object, name);
  if (value == nullptr || !value->IsString()) return 0;
  int64_t number = 0;
  std::from_chars(value->GetString(), value->GetString() + value->GetStringLength(), number);
  return number;
}

// {"tcpip_address":{"ip_address":"fwAAAQ==","port":58058}}
std::string RemoteOf(const Json* socket) {
  const Json* tcp = Member(Member(socket, "remote"), "tcpip_address");
  const Json* address = Member(tcp, "ip_address");
  const Json* port = Member(tcp, "port");
  if (address == nullptr || !address->IsString() || port == nullptr || !port->IsInt()) return "";
  std::string text(address->GetString(), address->GetStringLength());
  text.erase(std::find(text.begin(), text.end(), '='), text.end());
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  const absl::StatusOr<std::string> bytes = base::FromBase64Url(text);
  return bytes.ok() ? PeerText(*bytes, port->GetInt()) : "";
}

}  // namespace

GrpcSockets GrpcSockets::OfNewestServer() {
  int64_t newest = 0;
  for (bool at_end = false; !at_end;) {
    const rapidjson::Document page = Parse(grpc_channelz_get_servers(newest + 1));
    const Json* servers = Member(&page, "server");
    at_end = Member(&page, "end") != nullptr || servers == nullptr || !servers->IsArray();
    if (servers == nullptr || !servers->IsArray()) break;
    for (const Json& server : servers->GetArray()) {
      newest = std::max(newest, Number(Member(&server, "ref"), "serverId"));
    }
  }
  return GrpcSockets(newest);
}

std::vector<GrpcSockets::Socket> GrpcSockets::Others(const std::vector<int64_t>& known) const {
  std::vector<Socket> others;
  int64_t last = 0;
  for (bool at_end = false; !at_end;) {
    const rapidjson::Document page =
        Parse(grpc_channelz_get_server_sockets(server_, last + 1, /*max_results=*/0));
    const Json* sockets = Member(&page, "socketRef");
    at_end = Member(&page, "end") != nullptr;
    if (sockets == nullptr || !sockets->IsArray() || sockets->Empty()) break;
    for (const Json& ref : sockets->GetArray()) {
      const int64_t id = Number(&ref, "socketId");
      last = std::max(last, id);
      if (std::binary_search(known.begin(), known.end(), id)) continue;
      const rapidjson::Document answer = Parse(grpc_channelz_get_socket(id));
      others.push_back({.id = id, .peer = RemoteOf(Member(&answer, "socket"))});
    }
  }
  return others;
}

std::optional<StreamCounts> GrpcSockets::Counts(int64_t id) {
  const rapidjson::Document answer = Parse(grpc_channelz_get_socket(id));
  const Json* counts = Member(Member(&answer, "socket"), "data");
  if (counts == nullptr) return std::nullopt;
  return StreamCounts{.started = Number(counts, "streamsStarted"),
                      .succeeded = Number(counts, "streamsSucceeded"),
                      .failed = Number(counts, "streamsFailed"),
                      .messages = Number(counts, "messagesReceived")};
}

}  // namespace simpul::rpc
