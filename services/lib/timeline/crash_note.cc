#include "lib/timeline/crash_note.h"

#include <endian.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "lib/base/bytes.h"
#include "lib/base/file.h"
#include "lib/base/hash.h"
#include "lib/base/status_macros.h"

namespace simpul::timeline {
namespace {

constexpr std::string_view kMagic = "SIMPNOTE";
constexpr uint32_t kFormat = 1;
constexpr size_t kBytes = 64;
// In words of 8 bytes, after what says whose note it is.
enum Word : size_t { kInHand = 5, kSuspects = 6, kDeaths = 7 };

constexpr uint64_t kPositionMax = (uint64_t{1} << 40) - 1;
constexpr uint64_t kCountMax = UINT16_MAX;

// A position (40 bits), a count (16) and a check of both (8) in one word, which is written in one
// step. 0: none.
struct Noted {
  int64_t position = 0;
  uint64_t count = 0;
};

uint8_t Check(uint64_t content) {
  uint8_t check = 0x5a;
  for (; content != 0; content >>= 8) check ^= static_cast<uint8_t>(content);
  return check;
}

uint64_t Pack(const Noted& noted) {
  const auto position = static_cast<uint64_t>(noted.position);
  if (noted.count == 0 || noted.position <= 0 || position > kPositionMax) return 0;
  const uint64_t content = position << 16 | std::min(noted.count, kCountMax);
  return htobe64(content << 8 | Check(content));
}

// None for damage.
Noted Unpack(uint64_t word) {
  word = be64toh(word);
  const uint64_t content = word >> 8;
  if (word == 0 || Check(content) != static_cast<uint8_t>(word)) return {};
  return {.position = static_cast<int64_t>(content >> 16), .count = content & kCountMax};
}

absl::Status Refused(const std::filesystem::path& path, std::string_view what) {
  return absl::InternalError(
      fmt::format("{} cannot be {}: {}", path.string(), what, std::strerror(errno)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<CrashNote>> CrashNote::Open(const std::filesystem::path& path,
                                                           const StoreOrigin& origin,
                                                           std::string_view program) {
  std::string whose(kMagic);
  whose.append(origin.install);
  base::PutBe32(whose, origin.partition);
  base::PutBe32(whose, kFormat);
  const base::Sha256Digest digest = base::Sha256(program);
  whose.append(base::AsBytes(digest).substr(0, 8));

  const absl::StatusOr<std::string> found = base::ReadFile(path);
  if (!found.ok() && !absl::IsNotFound(found.status())) return found.status();
  Noted in_hand;
  Noted suspects;
  Noted deaths;
  if (found.ok() && found->size() == kBytes && found->starts_with(whose)) {
    const auto word = [&found](Word which) {
      uint64_t value = 0;
      std::memcpy(&value, found->data() + which * sizeof(value), sizeof(value));
      return Unpack(value);
    };
    in_hand = word(kInHand);
    suspects = word(kSuspects);
    deaths = word(kDeaths);
  }
  if (in_hand.count == 1) {
    const bool again = deaths.position == in_hand.position;
    deaths = {.position = in_hand.position, .count = again ? deaths.count + 1 : 1};
  }
  if (in_hand.count > 0) suspects = in_hand;
  std::string content = whose;
  for (const uint64_t word : {uint64_t{0}, Pack(suspects), Pack(deaths)}) {
    content.append(reinterpret_cast<const char*>(&word), sizeof(word));
  }
  // In one step: a death in the middle of this is not counted twice.
  if (!found.ok() || *found != content) {
    SIMPUL_RETURN_IF_ERROR(base::WriteFileAtomically(path, content));
  }

  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return Refused(path, "opened");
  void* const mapped = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  const absl::Status status = mapped == MAP_FAILED ? Refused(path, "mapped") : absl::OkStatus();
  ::close(fd);
  SIMPUL_RETURN_IF_ERROR(status);
  return std::unique_ptr<CrashNote>(new CrashNote(path, static_cast<uint64_t*>(mapped)));
}

CrashNote::~CrashNote() { ::munmap(words_, kBytes); }

namespace {

// What dies in between is this thread itself: the compiler alone could be in the way.
void Write(uint64_t& word, uint64_t value) {
  std::atomic_signal_fence(std::memory_order_seq_cst);
  std::atomic_ref(word).store(value, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

}  // namespace

void CrashNote::Begin(int64_t first, size_t count) {
  Write(words_[kInHand], Pack({.position = first, .count = count}));
}

void CrashNote::End() {
  const Noted in_hand = Unpack(words_[kInHand]);
  const Noted charged = Unpack(words_[kDeaths]);
  const bool is_cleared = charged.position >= in_hand.position &&
                          charged.position < in_hand.position + static_cast<int64_t>(in_hand.count);
  if (is_cleared) Write(words_[kDeaths], 0);
  PutDown();
}

void CrashNote::PutDown() { Write(words_[kInHand], 0); }

size_t CrashNote::Together(int64_t first, size_t count) const {
  const Noted suspects = Unpack(words_[kSuspects]);
  if (suspects.count == 0 || first >= suspects.position + static_cast<int64_t>(suspects.count)) {
    return count;
  }
  if (first >= suspects.position) return std::min<size_t>(count, 1);
  return std::min(count, static_cast<size_t>(suspects.position - first));
}

CrashNote::Deaths CrashNote::deaths() const {
  const Noted noted = Unpack(words_[kDeaths]);
  return {.position = noted.position, .count = static_cast<uint32_t>(noted.count)};
}

}  // namespace simpul::timeline
