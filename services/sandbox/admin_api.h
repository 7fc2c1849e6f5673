// /sandbox/v1: what only a stand-in can offer. Faults on demand, settings, a report, a dump.
#pragma once

#include <string_view>

#include "lib/rpc/http_server.h"
#include "sandbox/faults.h"
#include "sandbox/people.h"
#include "sandbox/registry.h"
#include "sandbox/store.h"
#include "sandbox/tokens.h"

namespace simpul::sandbox {

inline constexpr std::string_view kAdminPath = "/sandbox/v1";

// Any thread. What it is given outlives it.
class AdminApi {
 public:
  AdminApi(const Store& store, const People& people, Registry& registry, Tokens& tokens,
           Faults& faults)
      : store_(store), people_(people), registry_(registry), tokens_(tokens), faults_(faults) {}

  rpc::HttpResponse Handle(const rpc::HttpRequest& request);

 private:
  rpc::HttpResponse HandleFaults(const rpc::HttpRequest& request, std::string_view id);
  rpc::HttpResponse HandleSettings(const rpc::HttpRequest& request);
  rpc::HttpResponse Report() const;
  rpc::HttpResponse Resources(const rpc::HttpRequest& request) const;

  const Store& store_;
  const People& people_;
  Registry& registry_;
  Tokens& tokens_;
  Faults& faults_;
};

}  // namespace simpul::sandbox
