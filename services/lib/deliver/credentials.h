// With what name and secret each organisation speaks to the platform.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace simpul::deliver {

struct Credential {
  std::string client_id;
  std::string client_secret;
  friend bool operator==(const Credential&, const Credential&) = default;
};

// Immutable once read. One credential for each organisation: the platform binds a client to exactly
// one. Any thread.
class Credentials {
 public:
  // No organisation has one.
  Credentials() = default;

  // A JSON array of {"organization", "client_id", "client_secret"}. InvalidArgument with the place,
  // never a secret.
  static absl::StatusOr<Credentials> Parse(std::string_view json);
  // Parse of a file; messages name it.
  static absl::StatusOr<Credentials> Read(const std::filesystem::path& file);

  // Null when there is none.
  const Credential* Of(std::string_view organization) const;
  bool empty() const { return by_organization_.empty(); }

 private:
  std::map<std::string, Credential, std::less<>> by_organization_;
};

}  // namespace simpul::deliver
