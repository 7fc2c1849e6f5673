// What tells a program that begins which records were in hand when the one before it died.
//
// A file of 64 bytes that is mapped: to note a batch is two plain stores. It outlives the process,
// not surely the machine. Whatever it says, right or wrong, makes records be taken one by one or
// stops a partition; it never changes what is applied. Bytes: docs/formats.md, "Crash notes".
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "lib/timeline/store_meta.h"

namespace simpul::timeline {

// Not thread-safe.
class CrashNote {
 public:
  // Opens or makes the note of a partition. What a note of another install or partition says, one
  // of another `program`, or a damaged one, is forgotten. Errors are those of the disk.
  static absl::StatusOr<std::unique_ptr<CrashNote>> Open(const std::filesystem::path& path,
                                                         const StoreOrigin& origin,
                                                         std::string_view program);
  ~CrashNote();
  CrashNote(const CrashNote&) = delete;
  CrashNote& operator=(const CrashNote&) = delete;

  // So many records from `first` on are in hand, until End says that they are applied. A death
  // between the two is charged to them.
  void Begin(int64_t first, size_t count);
  void End();
  // As End, without that they are applied.
  void PutDown();

  // How many of `count` records from `first` on may be in hand together: what was in hand at a
  // death goes one by one.
  size_t Together(int64_t first, size_t count) const;

  // How often in a row the program died with this record alone in hand.
  struct Deaths {
    int64_t position = 0;
    uint32_t count = 0;
  };
  Deaths deaths() const;

  const std::filesystem::path& path() const { return path_; }

 private:
  CrashNote(std::filesystem::path path, uint64_t* words) : path_(std::move(path)), words_(words) {}

  std::filesystem::path path_;
  uint64_t* words_;  // the mapped file
};

}  // namespace simpul::timeline
