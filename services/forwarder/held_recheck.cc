#include "forwarder/held_recheck.h"

#include <variant>

#include "lib/base/uuid.h"

namespace simpul::forwarder {
namespace {

constexpr size_t kPageRows = 200;

bool IsForDirectory(std::string_view reason) {
  return reason == "facility_unknown" || reason == "practitioner_unknown" ||
         reason == "location_unknown";
}

bool IsForCredentials(std::string_view reason) {
  return reason == "credentials" || reason == "credentials_missing";
}

}  // namespace

HeldRecheck::HeldRecheck(const Backlog& backlog, StepLog& steps, fhir::MapOptions map_options)
    : backlog_(backlog), steps_(steps), map_options_(map_options) {
  CredentialsChanged();
}

void HeldRecheck::DirectoryChanged() {
  for (uint32_t partition = 0; partition < backlog_.partitions(); ++partition) {
    passes_[partition].after.clear();
  }
}

void HeldRecheck::CredentialsChanged() {
  DirectoryChanged();
  for (auto& [partition, pass] : passes_) pass.for_credentials = true;
}

bool HeldRecheck::Go(const fhir::Directory& directory) {
  for (auto next = passes_.begin(); next != passes_.end();) {
    auto& [partition, pass] = *next;
    if (!backlog_.Ours(partition)) {
      ++next;
      continue;
    }
    const deliver::Ledger& ledger = backlog_.ledger(partition);
    const auto rows = ledger.Held(pass.after, kPageRows);
    if (!rows.ok()) {
      next = passes_.erase(next);
      continue;
    }
    for (const deliver::HeldRow& held : *rows) {
      pass.after = held.key;
      LookAt(ledger, held.entry_id, pass.for_credentials, directory);
    }
    // One page at a time: sending goes on meanwhile.
    if (rows->size() == kPageRows) return true;
    next = passes_.erase(next);
  }
  return false;
}

void HeldRecheck::LookAt(const deliver::Ledger& ledger, const std::string& entry_id,
                         bool credentials_changed, const fhir::Directory& directory) {
  const auto found = ledger.EntryWithLatest(entry_id);
  if (!found.ok() || !found->has_value()) return;
  const auto& [row, latest] = **found;
  const uint32_t revision = row.latest;
  const bool for_credentials = credentials_changed && IsForCredentials(latest.reason);
  if (!for_credentials && !IsForDirectory(latest.reason)) return;
  const auto entry = ledger.EntryAt(entry_id, revision);
  if (!entry.ok()) return;
  if (!for_credentials) {
    const fhir::MapResult result = fhir::Map(*entry, directory, {}, map_options_);
    if (std::holds_alternative<fhir::NeedsDirectory>(result)) return;
  }
  log::v1::DeliveryRecord step;
  step.mutable_resend()->set_entry_id(base::UuidText(entry_id));
  step.mutable_resend()->set_revision(revision);
  steps_.AppendOnce({entry_id, entry->subject_key(), entry->facility().code()}, std::move(step));
}

}  // namespace simpul::forwarder
