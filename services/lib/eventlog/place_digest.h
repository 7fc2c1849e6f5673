// A digest of what stands in one partition, the same wherever the log is kept.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/bytes.h"
#include "lib/base/hash.h"

namespace simpul::eventlog {

// Takes a partition's records in their order, from position 0 on. docs/formats.md, "Digest of a
// partition".
class PlaceDigest {
 public:
  void Add(std::string_view key, std::string_view value) {
    std::string lengths;
    base::PutBe32(lengths, static_cast<uint32_t>(key.size()));
    base::PutBe32(lengths, static_cast<uint32_t>(value.size()));
    digest_ = base::Sha256({base::AsBytes(digest_), lengths, key, value});
    ++records_;
  }

  int64_t records() const { return records_; }
  std::string Hex() const { return base::Hex(base::AsBytes(digest_)); }

 private:
  base::Sha256Digest digest_{};
  int64_t records_ = 0;
};

}  // namespace simpul::eventlog
