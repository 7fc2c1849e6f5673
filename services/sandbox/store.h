// The resources the sandbox holds: an append-only journal in DATA and an index in memory.
//
// DATA/resources.journal: the 8 bytes "SIMPULB1", then one frame per commit:
//   length of the payload (4 bytes), its checksum (8), payload; numbers most significant byte
//   first.
// A payload is the commit's writes one after another, each a sequence of fields with their length
// (4 bytes) before them: type, id, organization, patient, natural key, identifiers (with a zero
// byte between them), version (4 bytes), body. A commit is there wholly or not at all; a frame cut
// off at the end of the file was never answered and is dropped when the journal is opened.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace simpul::sandbox {

// A resource as it is to be stored.
struct Write {
  std::string type;
  std::string id;
  uint32_t version = 1;                  // 1 creates; n replaces version n - 1
  std::string organization;              // whose credential sent it
  std::string patient;                   // Patient/<id> it is about; empty: none
  std::string natural_key;               // what stands in for an identifier; empty: has identifiers
  std::vector<std::string> identifiers;  // system|value, none twice
  std::string body;                      // compact JSON with id and meta
};

// A resource as stored.
struct Stored {
  std::string type, id, organization, body;
  uint32_t version = 0;
};

// What became of a commit.
struct Committed {
  enum class Outcome { kDone, kDuplicate, kStale };
  Outcome outcome = Outcome::kDone;
  size_t at = 0;  // the write that is a duplicate, or whose version is not the next one
};

// Something created more than once: the same type, patient and identifier that names one resource,
// or the same natural key.
struct CreatedTwice {
  std::string type;
  std::vector<std::string> ids;  // in the order of creation
};

// Any thread.
class Store {
 public:
  // Makes the folder, takes its lock, reads the journal. FailedPrecondition: another process has
  // it, or another version wrote it. DataLoss: damaged before its end.
  static absl::StatusOr<std::unique_ptr<Store>> Open(const std::filesystem::path& folder,
                                                     bool sync_every_commit);
  ~Store();

  // All of the writes or none. OK once the operating system has them (sync_every_commit: the disk).
  // With `refuse_duplicates` a create is refused when its type, patient and an identifier that
  // names one resource are there already, or twice among the writes. Unavailable: the journal
  // cannot be written.
  absl::StatusOr<Committed> Commit(std::span<const Write> writes, bool refuse_duplicates);

  bool Contains(std::string_view type, std::string_view id) const;
  // Version and organisation without the body.
  std::optional<Stored> Head(std::string_view type, std::string_view id) const;
  std::optional<Stored> Get(std::string_view type, std::string_view id) const;

  // In the order of creation. May hold resources that carried the identifier or patient in an
  // earlier version: the caller looks at the body.
  std::vector<Stored> WithIdentifier(std::string_view type, std::string_view identifier) const;
  std::vector<Stored> AboutPatient(std::string_view type, std::string_view patient) const;
  // At most `count` of a type (empty: of every type), from the `offset`-th on.
  std::vector<Stored> List(std::string_view type, size_t offset, size_t count) const;
  size_t Count(std::string_view type) const;

  struct TypeCounts {
    uint64_t creates = 0, updates = 0, without_identifier = 0;
  };
  std::vector<std::pair<std::string, TypeCounts>> Counts() const;  // by type
  std::vector<CreatedTwice> FindCreatedTwice() const;
  uint64_t journal_bytes() const;

 private:
  using Key = std::pair<uint64_t, uint64_t>;  // 128 bits of hash stand for a text
  using Place = uint32_t;                     // of a resource in records_
  static constexpr uint32_t kNone = UINT32_MAX;

  struct Record {
    uint64_t offset = 0;  // of the write in the journal
    uint32_t length = 0;
    uint32_t version = 0;
    uint64_t patient_hash = 0;
    uint16_t type = 0;
    uint16_t organization = 0;
  };
  // A chain of the resources under one key.
  struct Link {
    Place place;
    uint32_t next;
  };
  struct Chain {
    uint32_t first = kNone, last = kNone;
  };

  Store() = default;
  absl::Status ReadJournal();
  // Puts one write into the index; `offset` is where it lies in the journal.
  void Index(const Write& write, uint64_t offset, uint32_t length);
  // True when the chain now holds more than one resource.
  bool AddLink(absl::flat_hash_map<Key, Chain>& chains, const Key& key, Place place, bool is_new);
  bool IsDuplicate(const Write& write) const;
  Stored Read(const Record& record) const;
  std::vector<Stored> ReadChain(const absl::flat_hash_map<Key, Chain>& chains,
                                const Key& key) const;
  uint16_t Intern(std::vector<std::string>& names, std::string_view name);
  const Record* FindRecord(std::string_view type, std::string_view id) const;

  class Lock;
  std::unique_ptr<Lock> lock_;
  int fd_ = -1;
  bool sync_ = false;

  mutable std::shared_mutex mutex_;  // over everything below
  uint64_t size_ = 0;                // of the journal
  bool broken_ = false;              // a failed write could not be taken back
  std::vector<std::string> types_, organizations_;
  std::vector<TypeCounts> counts_;           // by type
  std::vector<std::vector<Place>> of_type_;  // by type
  std::deque<Record> records_;
  std::vector<Link> links_;
  absl::flat_hash_map<Key, Place> by_id_;
  absl::flat_hash_map<Key, Chain> by_identifier_, by_patient_, by_natural_key_;
  absl::flat_hash_set<Key> repeated_identifiers_, repeated_natural_keys_;
};

}  // namespace simpul::sandbox
