// /fhir-r4/v1: which interaction a request is, and its answer.
#pragma once

#include <string>
#include <string_view>

#include "lib/rpc/http_server.h"
#include "sandbox/people.h"
#include "sandbox/registry.h"
#include "sandbox/store.h"

namespace simpul::sandbox {

inline constexpr std::string_view kFhirPath = "/fhir-r4/v1";

// Any thread. What it is given outlives it.
class FhirApi {
 public:
  FhirApi(Store& store, People& people, Registry& registry)
      : store_(store), people_(people), registry_(registry) {}

  // Patients created in an earlier run are known again.
  void RecallPatients();

  // `base`: the API's URL as the caller sees it, http://HOST:PORT/fhir-r4/v1.
  rpc::HttpResponse Handle(const rpc::HttpRequest& request, std::string_view organization,
                           std::string_view base);

 private:
  rpc::HttpResponse Transaction(const rpc::HttpRequest& request, std::string_view organization);
  rpc::HttpResponse Create(const rpc::HttpRequest& request, std::string_view type,
                           std::string_view organization);
  rpc::HttpResponse CreatePatient(const rpc::HttpRequest& request, std::string_view organization);
  rpc::HttpResponse Update(const rpc::HttpRequest& request, std::string_view type,
                           std::string_view id, std::string_view organization);
  rpc::HttpResponse Patch(const rpc::HttpRequest& request, std::string_view type,
                          std::string_view id, std::string_view organization);
  rpc::HttpResponse Read(std::string_view type, std::string_view id);
  rpc::HttpResponse One(std::vector<Change>& changes, std::string_view organization,
                        JsonPool& pool);

  Store& store_;
  People& people_;
  Registry& registry_;
};

}  // namespace simpul::sandbox
