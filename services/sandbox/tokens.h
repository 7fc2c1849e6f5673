// Who may call: client credentials, and the access tokens they are exchanged for.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "absl/status/statusor.h"
#include "lib/base/clock.h"
#include "lib/rpc/http_server.h"

namespace simpul::sandbox {

// One client id and secret is bound to one organisation. Tokens live in memory: a restart forgets
// them, as an expiry would. Any thread.
class Tokens {
 public:
  // `credentials` empty: any id and secret that are not empty are taken, and the client id is the
  // organisation. Otherwise a file [{"organization","client_id","client_secret"}].
  // InvalidArgument with the place in the file, never a secret.
  static absl::StatusOr<std::unique_ptr<Tokens>> Load(const std::filesystem::path& credentials,
                                                      int lifetime_seconds,
                                                      const base::Clock& clock);

  // POST /oauth2/v1/accesstoken?grant_type=client_credentials.
  rpc::HttpResponse Issue(const rpc::HttpRequest& request);

  // What an Authorization header is worth.
  struct Caller {
    std::string organization;
  };
  // Nullopt: `refusal` is the answer, 401.
  std::optional<Caller> Check(const rpc::HttpRequest& request, rpc::HttpResponse& refusal);

  // Every token becomes worthless at once, as when the platform restarts its gateway.
  void ForgetAll();

  // Bound on live tokens; when it is reached, expired ones go, then all.
  static constexpr size_t kTokensMax = 100'000;

 private:
  struct Client {
    std::string organization, secret;
  };
  struct Token {
    std::string organization;
    base::Time expires;
  };
  Tokens(int lifetime_seconds, const base::Clock& clock)
      : lifetime_seconds_(lifetime_seconds), clock_(clock) {}

  const int lifetime_seconds_;
  const base::Clock& clock_;
  bool any_client_ = true;
  std::unordered_map<std::string, Client> clients_;  // by client id; fixed after Load

  std::mutex mutex_;
  std::unordered_map<std::string, Token> tokens_;
};

}  // namespace simpul::sandbox
