#include "lib/timeline/store_meta.h"

#include "lib/base/bytes.h"

namespace simpul::timeline {
namespace {

constexpr size_t kOriginBytes = 1 + 16 + 4;
// Before the rules in force.
constexpr size_t kBytes = kOriginBytes + 8 * 8 + 2 * sizeof(eventlog::RecordDigest) + 32;

}  // namespace

std::string Encode(const StoreOrigin& origin, const StoreProgress& progress) {
  std::string out;
  out.reserve(kBytes);
  out.push_back(static_cast<char>(origin.format));
  out.append(origin.install);
  base::PutBe32(out, origin.partition);
  base::PutBe64(out, static_cast<uint64_t>(progress.position));
  base::PutBe64(out, static_cast<uint64_t>(progress.entries_position));
  base::PutBe64(out, progress.last_number);
  base::PutBe64(out, progress.read_number);
  base::PutBe64(out, progress.tally.events);
  base::PutBe64(out, progress.tally.entries);
  base::PutBe64(out, progress.tally.waiting);
  base::PutBe64(out, progress.tally.dead_letters);
  out.append(eventlog::AsBytes(progress.digest));
  out.append(eventlog::AsBytes(progress.entries_digest));
  out.append(progress.tally.content.ToBytes());
  progress.rules.AppendTo(out);
  return out;
}

std::optional<StoreOrigin> DecodeStoreOrigin(std::string_view row) {
  if (row.size() < kOriginBytes || row[0] == 0) return std::nullopt;
  return StoreOrigin{.format = static_cast<uint8_t>(row[0]),
                     .install = std::string(row.substr(1, 16)),
                     .partition = base::GetBe32(row.substr(17))};
}

std::optional<StoreMeta> DecodeStoreMeta(std::string_view row) {
  const std::optional<StoreOrigin> origin = DecodeStoreOrigin(row);
  if (!origin.has_value() || origin->format != kStoreFormat || row.size() < kBytes) {
    return std::nullopt;
  }
  StoreMeta meta{.origin = *origin};
  StoreProgress& progress = meta.progress;
  row.remove_prefix(kOriginBytes);
  const auto number = [&row] {
    const uint64_t value = base::GetBe64(row);
    row.remove_prefix(8);
    return value;
  };
  const auto digest = [&row] {
    const eventlog::RecordDigest value = eventlog::RecordDigestFrom(row);
    row.remove_prefix(value.size());
    return value;
  };
  progress.position = static_cast<int64_t>(number());
  progress.entries_position = static_cast<int64_t>(number());
  progress.last_number = number();
  progress.read_number = number();
  progress.tally.events = number();
  progress.tally.entries = number();
  progress.tally.waiting = number();
  progress.tally.dead_letters = number();
  progress.digest = digest();
  progress.entries_digest = digest();
  progress.tally.content = base::SetChecksum::FromBytes(row.substr(0, 32));
  std::optional<rules::RulesInForce> rules = rules::RulesInForce::Decode(row.substr(32));
  if (!rules.has_value()) return std::nullopt;
  progress.rules = *std::move(rules);
  return meta;
}

}  // namespace simpul::timeline
