// Where a ledger's rows lie: one RocksDB, of which nobody else knows.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace simpul::deliver {

// The memory that all ledgers of a process share: one block cache and one write-buffer bound.
class LedgerMemory {
 public:
  explicit LedgerMemory(size_t bytes);
  ~LedgerMemory();

 private:
  friend class LedgerStore;
  struct Shared;
  std::unique_ptr<Shared> shared_;
};

// Changes that are written together, in the order in which they are given.
class LedgerWrites {
 public:
  LedgerWrites();
  ~LedgerWrites();
  void Put(std::string_view key, std::string_view value);
  void Delete(std::string_view key);
  // The same for a row that was put once, and not twice, since there was none: where both are still
  // in memory nothing of it is ever written. Never mixed with Delete on one key.
  void DeleteOnce(std::string_view key);

 private:
  friend class LedgerStore;
  struct Batch;
  std::unique_ptr<Batch> batch_;
};

// Reads from any thread, writes from one. Errors: Internal, the store cannot be read or written.
class LedgerStore {
 public:
  // Opens or makes the folder. A damaged store is emptied. `memory` must outlive it.
  static absl::StatusOr<std::unique_ptr<LedgerStore>> Open(const std::filesystem::path& folder,
                                                           uint32_t partition,
                                                           LedgerMemory& memory);
  ~LedgerStore();

  // Deletes every row. Before anything reads.
  absl::Status Empty();

  absl::StatusOr<std::optional<std::string>> Get(std::string_view key) const;
  // Gives up to `limit` rows whose keys begin with the prefix to `row`, in order, after a key
  // (empty: from the start). Ends with the first error of `row`.
  absl::Status Scan(
      std::string_view prefix, std::string_view after, size_t limit,
      const std::function<absl::Status(std::string_view key, std::string_view value)>& row) const;

  // OK while the disk has room for writes; else Unavailable. A write that fails for want of it ends
  // the store.
  absl::Status CheckRoom() const;
  // All of it or nothing. Keeps the shared memory near its bound.
  absl::Status Write(const LedgerWrites& writes);

 private:
  struct Database;
  explicit LedgerStore(std::unique_ptr<Database> database);
  std::unique_ptr<Database> database_;
};

}  // namespace simpul::deliver
