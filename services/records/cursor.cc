#include "records/cursor.h"

#include <fmt/format.h>

#include <optional>

#include "lib/base/bytes.h"
#include "lib/base/hash.h"
#include "lib/base/status_macros.h"
#include "lib/base/text.h"
#include "lib/base/uuid.h"

namespace simpul::records {
namespace {

constexpr char kVersion = 1;
constexpr size_t kInstallBytes = 4;
constexpr size_t kFilterBytes = 8;
constexpr size_t kMacBytes = 16;
constexpr size_t kHeadBytes = 1 + kInstallBytes + kFilterBytes;
constexpr std::string_view kMacPurpose = "simpul.records.cursor.v1";

void PutVarint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

std::optional<uint64_t> TakeVarint(std::string_view& in) {
  uint64_t value = 0;
  for (size_t i = 0; i < in.size() && i < 10; ++i) {
    const auto byte = static_cast<uint8_t>(in[i]);
    value |= static_cast<uint64_t>(byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      in.remove_prefix(i + 1);
      return value;
    }
  }
  return std::nullopt;
}

std::string InstallPrefix(const log::v1::Install& install) {
  return base::UuidBytes(install.install_id()).substr(0, kInstallBytes);
}

absl::Status NoCursor() {
  return absl::InvalidArgumentError(
      "This is no cursor of PullRecords, or it was changed on the way. Give one back exactly as a "
      "record brought it, or none to begin at the beginning.");
}

}  // namespace

std::string FilterDigest(const event::v1::Facility& facility) {
  std::string text;
  for (const std::string& part : {facility.system(), facility.code()}) base::PutText(text, part);
  return std::string(base::AsBytes(base::Sha256(text)).substr(0, kFilterBytes));
}

std::string EncodeCursor(const Cursor& cursor, const log::v1::Install& install,
                         std::string_view filter_digest, const event::Secret& secret) {
  std::string bytes;
  bytes.reserve(kHeadBytes + kMacBytes + cursor.size() * 8);
  bytes.push_back(kVersion);
  bytes += InstallPrefix(install);
  bytes += filter_digest;
  for (const PulledPlace& place : cursor) {
    PutVarint(bytes, static_cast<uint64_t>(place.position));
    PutVarint(bytes, place.number);
  }
  bytes += secret.Mac(kMacPurpose, bytes).substr(0, kMacBytes);
  return base::ToBase64Url(bytes);
}

absl::StatusOr<Cursor> ParseCursor(std::string_view text, const log::v1::Install& install,
                                   std::string_view filter_digest, const event::Secret& secret) {
  const absl::StatusOr<std::string> bytes = base::FromBase64Url(text);
  if (!bytes.ok() || bytes->size() < kHeadBytes + kMacBytes || bytes->front() != kVersion) {
    return NoCursor();
  }
  const std::string_view all = *bytes;
  if (all.substr(1, kInstallBytes) != InstallPrefix(install)) {
    return absl::FailedPreconditionError(
        "The cursor is of another install of Simpul. Pull from the one it came from, or begin here "
        "without a cursor.");
  }
  const std::string_view signed_bytes = all.substr(0, all.size() - kMacBytes);
  if (secret.Mac(kMacPurpose, signed_bytes).substr(0, kMacBytes) !=
      all.substr(all.size() - kMacBytes)) {
    return NoCursor();
  }
  if (all.substr(1 + kInstallBytes, kFilterBytes) != filter_digest) {
    return absl::InvalidArgumentError(
        "The cursor was given for another facility. A cursor goes on with the filter it began "
        "with; "
        "begin without one for another.");
  }
  std::string_view rest = signed_bytes.substr(kHeadBytes);
  Cursor cursor;
  for (uint32_t partition = 0; partition < install.partitions(); ++partition) {
    const std::optional<uint64_t> position = TakeVarint(rest);
    const std::optional<uint64_t> number = TakeVarint(rest);
    if (!position.has_value() || !number.has_value()) return NoCursor();
    cursor.push_back({.position = static_cast<int64_t>(*position), .number = *number});
  }
  if (!rest.empty()) return NoCursor();
  return cursor;
}

}  // namespace simpul::records
