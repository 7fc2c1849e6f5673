#include "lib/deliver/ledger_layout.h"

#include "lib/base/bytes.h"

namespace simpul::deliver {
namespace {

using delivery::v1::DeliveryState;

constexpr uint32_t kFormat = 4;

std::string Number64(uint64_t v) {
  std::string out;
  base::PutBe64(out, v);
  return out;
}
std::string RevisionKeyOf(char letter, std::string_view entry, uint32_t revision) {
  std::string key = letter + std::string(entry);
  base::PutBe32(key, revision);
  return key;
}
std::string OrderKey(std::string_view prefix, uint64_t order, std::string_view entry) {
  return std::string(prefix) + Number64(order) + std::string(entry);
}
std::string PairKey(char letter, std::string_view first, std::string_view more) {
  return letter + std::string(first) + std::string(more);
}

// What base::PutText wrote, off the front.
bool TakeText(std::string_view& in, std::string& text) {
  if (in.size() < 4) return false;
  const uint32_t length = base::GetBe32(in);
  if (in.size() - 4 < length) return false;
  text.assign(in.substr(4, length));
  in.remove_prefix(4 + length);
  return true;
}

}  // namespace

std::string EntryKey(std::string_view entry) { return "e" + std::string(entry); }
std::string RevisionKey(std::string_view entry, uint32_t revision) {
  return RevisionKeyOf('r', entry, revision);
}
std::string BytesKey(std::string_view entry, uint32_t revision) {
  return RevisionKeyOf('b', entry, revision);
}
std::string PartsKey(std::string_view entry) { return "P" + std::string(entry); }
std::string SharedKey(std::string_view part) { return "p" + std::string(part); }
std::string ReadyKey(uint64_t number, std::string_view entry) {
  return OrderKey(kReadyPrefix, number, entry);
}
std::string TimedKey(int64_t due_us, std::string_view entry) {
  return OrderKey(kTimedPrefix, static_cast<uint64_t>(due_us), entry);
}
std::string HeldKey(uint64_t number, std::string_view entry) {
  return OrderKey(kHeldPrefix, number, entry);
}
std::string UnsettledKey(std::string_view subject, std::string_view entry) {
  return PairKey('o', subject, entry);
}
std::string ChangeKey(int64_t position, uint16_t nth) {
  std::string key(kChangePrefix);
  base::PutBe64(key, static_cast<uint64_t>(position));
  base::PutBe16(key, nth);
  return key;
}
std::string SightingKey(std::string_view event, std::string_view subject, int64_t position) {
  return PairKey('v', event, std::string(subject) + Number64(static_cast<uint64_t>(position)));
}
std::string CarriedKey(std::string_view event, std::string_view entry) {
  return PairKey('x', event, entry);
}
std::string WaitingKey(std::string_view event, std::string_view subject) {
  return PairKey('w', event, subject);
}
std::string DeadLetterKey(uint64_t number) {
  return std::string(kDeadLetterPrefix) + Number64(number);
}
std::string AboutKey(std::string_view event, std::string_view subject, uint64_t number) {
  return PairKey('y', event, std::string(subject) + Number64(number));
}

std::string UnsettledOf(std::string_view subject) { return PairKey('o', subject, ""); }
std::string SightingsOf(std::string_view event) { return PairKey('v', event, ""); }
std::string CarriedOf(std::string_view event) { return PairKey('x', event, ""); }
std::string AboutOf(std::string_view event, std::string_view subject) {
  return PairKey('y', event, subject);
}

std::string EncodeWork(std::string_view subject_key, int64_t received_at_us) {
  return std::string(subject_key) + Number64(static_cast<uint64_t>(received_at_us));
}

absl::Status Decode(std::string_view key, std::string_view value, WorkItem& item) {
  if (key.size() != 25 || value.size() != 24) return LedgerDamaged();
  item.key = key;
  item.entry_id = key.substr(9);
  if (key.starts_with(kTimedPrefix)) {
    item.due_us = static_cast<int64_t>(base::GetBe64(key.substr(1)));
  }
  item.subject_key = value.substr(0, 16);
  item.received_at_us = static_cast<int64_t>(base::GetBe64(value.substr(16)));
  return absl::OkStatus();
}

std::string Encode(const ChangeRow& row) {
  std::string out;
  base::PutText(out, row.entry_id);
  base::PutBe32(out, row.number);
  out.push_back(static_cast<char>(row.state));
  base::PutBe32(out, row.attempts);
  base::PutText(out, row.reason);
  base::PutText(out, row.platform_says);
  base::PutBe64(out, static_cast<uint64_t>(row.changed_at_us));
  base::PutBe64(out, static_cast<uint64_t>(row.retry_at_us));
  return out;
}

absl::Status Decode(std::string_view key, std::string_view in, ChangeRow& row) {
  row.key = key.substr(1);
  if (!TakeText(in, row.entry_id) || in.size() < 9) return LedgerDamaged();
  row.number = base::GetBe32(in);
  row.state = static_cast<DeliveryState>(in[4]);
  row.attempts = base::GetBe32(in.substr(5));
  in.remove_prefix(9);
  if (!TakeText(in, row.reason) || !TakeText(in, row.platform_says) || in.size() != 16) {
    return LedgerDamaged();
  }
  row.changed_at_us = static_cast<int64_t>(base::GetBe64(in));
  row.retry_at_us = static_cast<int64_t>(base::GetBe64(in.substr(8)));
  return absl::OkStatus();
}

std::string Encode(const Sighting& row) {
  std::string out;
  base::PutText(out, row.facility_system);
  base::PutText(out, row.facility_code);
  base::PutBe64(out, static_cast<uint64_t>(row.received_at_us));
  return out;
}

absl::Status Decode(std::string_view key, std::string_view in, Sighting& row) {
  if (key.size() != 41 || !TakeText(in, row.facility_system) || !TakeText(in, row.facility_code) ||
      in.size() != 8) {
    return LedgerDamaged();
  }
  row.subject_key = key.substr(17, 16);
  row.position = static_cast<int64_t>(base::GetBe64(key.substr(33)));
  row.received_at_us = static_cast<int64_t>(base::GetBe64(in));
  return absl::OkStatus();
}

absl::Status Decode(std::string_view key, std::string_view, HeldRow& row) {
  if (key.size() != 25) return LedgerDamaged();
  row.key = key;
  row.entry_id = key.substr(9);
  return absl::OkStatus();
}

absl::Status DecodeNamedEntry(std::string_view key, std::string& entry_id) {
  if (key.size() != 33) return LedgerDamaged();
  entry_id = key.substr(17);
  return absl::OkStatus();
}

absl::Status DecodeAbout(std::string_view key, std::string& dead_letter_key) {
  if (key.size() != 41) return LedgerDamaged();
  dead_letter_key = DeadLetterKey(base::GetBe64(key.substr(33)));
  return absl::OkStatus();
}

std::string OriginOf(const log::v1::Install& install, uint32_t partition) {
  std::string origin;
  base::PutText(origin, install.install_id());
  base::PutBe32(origin, install.partitions());
  base::PutBe32(origin, partition);
  base::PutBe32(origin, kFormat);
  return origin;
}

std::string Encode(const LedgerStanding& standing, std::string_view origin) {
  std::string out;
  base::PutText(out, origin);
  base::PutText(out, standing.checksum.ToBytes());
  base::PutText(out, standing.claim);
  base::PutText(out, standing.pause_reason);
  out.push_back(standing.paused ? 1 : 0);
  for (const auto& [topic, next] : standing.next) base::PutBe64(out, static_cast<uint64_t>(next));
  for (const auto& [topic, digest] : standing.digests) out.append(eventlog::AsBytes(digest));
  base::PutBe64(out, standing.number);
  base::PutBe64(out, standing.ahead);
  base::PutBe64(out, standing.counts.dead_letters);
  base::PutBe64(out, standing.counts.waiting_events);
  base::PutBe32(out, static_cast<uint32_t>(standing.counts.records.size()));
  for (const auto& [state, count] : standing.counts.records) {
    base::PutBe32(out, static_cast<uint32_t>(state));
    base::PutBe64(out, count);
  }
  return out;
}

absl::Status Decode(std::string_view in, std::string_view origin, LedgerStanding& standing) {
  std::string kept_origin, checksum;
  if (!TakeText(in, kept_origin)) return LedgerDamaged();
  if (kept_origin != origin) {
    // Of every format: the number comes last.
    if (kept_origin.size() < 4 || kept_origin.size() != origin.size() ||
        kept_origin.substr(0, kept_origin.size() - 4) != origin.substr(0, origin.size() - 4)) {
      return absl::FailedPreconditionError(
          "the delivery ledger is of another install or partition: put the folder that belongs "
          "here "
          "in its place, or delete this one, it is rebuilt from the log");
    }
    if (base::GetBe32(std::string_view(kept_origin).substr(kept_origin.size() - 4)) > kFormat) {
      return absl::FailedPreconditionError(
          "the delivery ledger was written by a newer Simpul: upgrade, or delete this folder, it "
          "is "
          "rebuilt from the log");
    }
    return absl::NotFoundError("the delivery ledger is of an older format");
  }
  if (!TakeText(in, checksum) || checksum.size() != 32 || !TakeText(in, standing.claim) ||
      !TakeText(in, standing.pause_reason) ||
      in.size() < 1 + 8 * 7 + 3 * sizeof(eventlog::RecordDigest) + 4) {
    return LedgerDamaged();
  }
  standing.checksum = base::SetChecksum::FromBytes(checksum);
  standing.paused = in[0] != 0;
  in.remove_prefix(1);
  const auto take = [&in] {
    const uint64_t v = base::GetBe64(in);
    in.remove_prefix(8);
    return v;
  };
  for (auto& [topic, next] : standing.next) next = static_cast<int64_t>(take());
  for (auto& [topic, digest] : standing.digests) {
    digest = eventlog::RecordDigestFrom(in);
    in.remove_prefix(digest.size());
  }
  standing.number = take();
  standing.ahead = take();
  standing.counts.dead_letters = take();
  standing.counts.waiting_events = take();
  const uint32_t states = base::GetBe32(in);
  in.remove_prefix(4);
  if (in.size() != states * 12ul) return LedgerDamaged();
  for (uint32_t i = 0; i < states; ++i) {
    const auto state = static_cast<DeliveryState>(base::GetBe32(in));
    in.remove_prefix(4);
    standing.counts.records[state] = take();
  }
  return absl::OkStatus();
}

absl::Status LedgerDamaged() {
  return absl::DataLossError("a row of the delivery ledger is damaged");
}

}  // namespace simpul::deliver
