// The national platform (SATUSEHAT, or the sandbox) over HTTP: tokens, transactions, searches.
//
// One thread drives all exchanges over kept-alive connections. URLs (a look-up's holds a NIK) and
// bodies are never logged or put into errors. Redirects are not followed. A request whose body has
// left is never sent again by the library underneath: that is for the ledger to decide.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "lib/base/clock.h"
#include "lib/base/metrics.h"
#include "lib/deliver/credentials.h"
#include "lib/deliver/destination.h"

namespace simpul::deliver {

class NationalPlatform : public Destination {
 public:
  struct Options {
    // Such as http://127.0.0.1:7490; /oauth2/v1 and /fhir-r4/v1 lie below it.
    std::string url;
    // The credentials as they are now; asked at each exchange, so it must not wait. A token of a
    // credential that has changed is not used any more. Null: no organisation has one.
    std::function<std::shared_ptr<const Credentials>()> credentials;
    std::chrono::milliseconds request_limit{30'000};
    std::chrono::milliseconds connect_limit{10'000};
    size_t connections_max = 32;
    size_t answer_bytes_max = 8 << 20;
  };

  // Starts the thread; nothing is asked yet. InvalidArgument: the URL is none of http or https.
  // `clock` and `metrics` must outlive it.
  static absl::StatusOr<std::unique_ptr<NationalPlatform>> Open(Options options,
                                                                const base::Clock& clock,
                                                                base::Metrics& metrics);
  ~NationalPlatform() override;

  void Send(const std::string& organization, std::string bundle, size_t entries,
            absl::AnyInvocable<void(Verdict)> done) override;
  void Search(const std::string& organization, const std::string& resource_type,
              const std::string& system, const std::string& value,
              absl::AnyInvocable<void(SearchAnswer)> done) override;
  void SearchImmunizations(const std::string& organization, const std::string& patient_id,
                           absl::AnyInvocable<void(SearchAnswer)> done) override;
  void FindPatient(const std::string& organization, const PatientQuery& query,
                   absl::AnyInvocable<void(PatientAnswer)> done) override;

 private:
  NationalPlatform() = default;
  class Exchanges;
  std::unique_ptr<Exchanges> exchanges_;
};

}  // namespace simpul::deliver
