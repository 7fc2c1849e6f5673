#include "lib/eventlog/position_token.h"

#include "lib/base/bytes.h"
#include "lib/base/text.h"
#include "lib/base/uuid.h"

namespace simpul::eventlog {
namespace {

constexpr size_t kInstallBytes = 4;
constexpr size_t kTokenBytes = kInstallBytes + 2 + 8;

}  // namespace

std::string PositionToken(const log::v1::Install& install, uint32_t partition, int64_t position) {
  std::string bytes = base::UuidBytes(install.install_id()).substr(0, kInstallBytes);
  base::PutBe16(bytes, static_cast<uint16_t>(partition));
  base::PutBe64(bytes, static_cast<uint64_t>(position));
  return base::ToBase64Url(bytes);
}

absl::StatusOr<std::pair<uint32_t, int64_t>> ParsePositionToken(const log::v1::Install& install,
                                                                std::string_view token) {
  const absl::StatusOr<std::string> bytes = base::FromBase64Url(token);
  if (!bytes.ok() || bytes->size() != kTokenBytes) {
    return absl::InvalidArgumentError(
        "this is no position token. Pass the position of an accepted event unchanged");
  }
  if (bytes->substr(0, kInstallBytes) !=
      base::UuidBytes(install.install_id()).substr(0, kInstallBytes)) {
    return absl::FailedPreconditionError(
        "this position token is of another install. Pass one that this Simpul gave");
  }
  const std::string_view numbers = std::string_view(*bytes).substr(kInstallBytes);
  const uint32_t partition = base::GetBe16(numbers);
  const auto position = static_cast<int64_t>(base::GetBe64(numbers.substr(2)));
  if (partition >= install.partitions() || position < 1) {
    return absl::InvalidArgumentError(
        "this position token names a place that does not exist. Pass the position of an accepted "
        "event unchanged");
  }
  return std::pair(partition, position);
}

}  // namespace simpul::eventlog
