// One patient's history as it is kept: a few keys, read when they are asked for, changed in memory,
// written by whoever owns the store.
//
// Keys are one byte 'p', the subject key (16), one byte of kind, and a number (4, most significant
// byte first) where the kind has one:
//
//   0  head       counts, the references while they are few, and the facts
//   1  entry      a serialized simpul.timeline.v1.Entry
//   2  waiting    corrections and retractions of one event that are on no entry
//   3  page       references once they are many
//
// A reference leads from a 64-bit keyed hash of an event, a group or a missing original to the
// number of its entry or waiting list. Facts are what the rules need of the patient's events
// (facts.h). One look-up of the head therefore tells everything about an event of an ordinary
// patient, and a new event costs two puts. Bytes: docs/formats.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lib/base/hash.h"
#include "lib/event/subject.h"
#include "lib/timeline/facts.h"
#include "simpul/log/v1/log.pb.h"
#include "simpul/timeline/v1/entry.pb.h"

namespace simpul::timeline {

// The patient's keys.
inline constexpr size_t kHeadKeyBytes = 18;
void AppendHeadKey(std::string& out, const event::SubjectKey& subject);
std::string EntryKey(const event::SubjectKey& subject, uint32_t number);
std::string WaitingKey(const event::SubjectKey& subject, uint32_t number);
std::string PageKey(const event::SubjectKey& subject, uint32_t number);

// Corrections and retractions of one original that are on no entry: those that wait for it, and
// those that never can be (dead letters, kept so that sending them again is known as such).
struct Waiting {
  struct Item {
    bool dead = false;
    int64_t position = 0;
    log::v1::AcceptedEvent receipt;  // without its event when dead
  };
  std::vector<Item> items;
};

// An entry in memory with the digest of its content.
struct LoadedEntry {
  std::string bytes;  // a serialized v1::Entry; empty while it is new
  base::Sha256Digest content{};
  bool counted = false;  // `content` is that of the entry as it was last counted
  bool changed = false;  // differs from what is stored
};

// Not thread-safe. An error of a read or of what was read leaves the history unusable.
class History {
 public:
  // The value under a key; nullopt when there is none.
  using Read = std::function<absl::StatusOr<std::optional<std::string>>(const std::string& key)>;

  // `read` must outlive the history.
  History(const event::SubjectKey& subject, const Read& read) : subject_(subject), read_(&read) {}
  History(History&&) = default;

  const event::SubjectKey& subject() const { return subject_; }

  // Takes the head's value, read elsewhere, in place of reading it; nullopt when there is none.
  absl::Status TakeHead(std::optional<std::string_view> value);

  // Where a reference leads. Numbers with kOnWaiting set are waiting lists, others entries.
  static constexpr uint32_t kOnWaiting = 1u << 31;
  absl::StatusOr<std::optional<uint32_t>> Find(uint64_t reference);
  absl::Status Set(uint64_t reference, uint32_t number);
  absl::Status Erase(uint64_t reference);

  // What counts against the bound of a history.
  absl::StatusOr<uint32_t> events();
  absl::StatusOr<uint64_t> bytes();
  absl::Status Count(size_t event_bytes);

  // Entries and waiting lists; pointers live as long as the history. The caller sets `changed`.
  absl::StatusOr<LoadedEntry*> EntryAt(uint32_t number);
  absl::StatusOr<std::pair<uint32_t, LoadedEntry*>> NewEntry();
  absl::StatusOr<Waiting*> WaitingAt(uint32_t number);  // counts as changed
  absl::StatusOr<std::pair<uint32_t, Waiting*>> NewWaiting();
  // An empty list is deleted.

  // What the rules need. The caller changes it by Learn only, and says so by `FactsChanged`.
  absl::StatusOr<PatientFacts*> Facts();
  void FactsChanged() { changed_ = facts_changed_ = true; }

  // Calls `change` with every key that differs from what is stored and its value, null to delete.
  void Changes(absl::FunctionRef<void(std::string_view key, const std::string* value)> change);

 private:
  // References as they are kept: 8 bytes of hash, 4 of number, by hash.
  struct Page {
    uint32_t number = 0;
    std::string references;
    bool changed = false;
  };
  // What of a history a batch touches is little: a list is searched faster than a map is made.
  template <typename T>
  using Numbered = std::vector<std::pair<uint32_t, std::unique_ptr<T>>>;

  absl::Status Load();
  absl::StatusOr<Page*> PageOf(uint64_t reference);
  absl::StatusOr<Page*> PageAt(uint32_t number);
  absl::Status Grow();
  absl::Status Damaged(std::string_view what) const;

  event::SubjectKey subject_;
  const Read* read_;
  bool loaded_ = false;
  bool changed_ = false;
  uint8_t page_bits_ = 0;  // 0: one page, within the head
  uint32_t events_ = 0;
  uint64_t bytes_ = 0;
  uint32_t next_entry_ = 0;
  uint32_t next_waiting_ = 0;
  uint32_t references_ = 0;
  std::string facts_bytes_;                   // as they are stored
  std::optional<PatientFacts> facts_;         // once they were asked for
  bool facts_changed_ = false;                // differ from facts_bytes_
  Page head_page_;                            // while there is but one
  std::vector<std::unique_ptr<Page>> pages_;  // those that were read, once they are many
  Numbered<LoadedEntry> entries_;
  Numbered<Waiting> waiting_;
};

}  // namespace simpul::timeline
