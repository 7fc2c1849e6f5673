#include "lib/eventlog/torn_write.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/status_macros.h"
#include "lib/base/text.h"

namespace simpul::eventlog {
namespace {

// The file is a row of blocks; a write is one fragment or several, none of which crosses a block.
// A fragment: checksum (4 bytes, least significant first), length (2), type (1), bytes.
constexpr size_t kBlockBytes = 32 << 10;
constexpr size_t kHeaderBytes = 4 + 2 + 1;
constexpr size_t kSectorBytes = 512;

enum FragmentType : uint8_t { kFull = 1, kFirst = 2, kMiddle = 3, kLast = 4 };

constexpr std::array<uint32_t, 256> kCastagnoliTable = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ (0x82f63b78u & (0u - (value & 1u)));
    table[i] = value;
  }
  return table;
}();

uint32_t MaskedCrc32c(std::string_view bytes) {
  uint32_t crc = ~0u;
  for (const char byte : bytes) {
    crc = kCastagnoliTable[(crc ^ static_cast<uint8_t>(byte)) & 0xff] ^ (crc >> 8);
  }
  crc = ~crc;
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

uint32_t LittleEndian(std::string_view bytes) {
  uint32_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}

struct Fragment {
  uint8_t type = 0;
  size_t end = 0;
};

// The whole, undamaged fragment at `at`.
std::optional<Fragment> FragmentAt(std::string_view file, size_t at) {
  const size_t block_end = at / kBlockBytes * kBlockBytes + kBlockBytes;
  if (at + kHeaderBytes > std::min(file.size(), block_end)) return std::nullopt;
  const size_t length = LittleEndian(file.substr(at + 4, 2));
  const auto type = static_cast<uint8_t>(file[at + 6]);
  const size_t end = at + kHeaderBytes + length;
  if (type < kFull || type > kLast || end > std::min(file.size(), block_end)) return std::nullopt;
  if (LittleEndian(file.substr(at, 4)) != MaskedCrc32c(file.substr(at + 6, 1 + length))) {
    return std::nullopt;
  }
  return Fragment{.type = type, .end = end};
}

// Where the next fragment begins: the last bytes of a block are left empty when no header fits.
size_t NextAfter(size_t end) {
  const size_t left = kBlockBytes - end % kBlockBytes;
  return left < kHeaderBytes ? end + left : end;
}

// The end of the whole writes that the file begins with.
size_t WholeWrites(std::string_view file) {
  size_t whole = 0;
  bool is_inside = false;
  for (size_t at = 0; at < file.size();) {
    const std::optional<Fragment> fragment = FragmentAt(file, at);
    if (!fragment.has_value()) break;
    const bool begins = fragment->type == kFull || fragment->type == kFirst;
    if (begins == is_inside) break;
    is_inside = fragment->type == kFirst || fragment->type == kMiddle;
    at = NextAfter(fragment->end);
    if (!is_inside) whole = std::min(at, file.size());
  }
  return whole;
}

// Whether another write begins after the one at `from`: then that was not the last.
bool IsFollowed(std::string_view file, size_t from) {
  for (size_t at = from + 1; at + kHeaderBytes <= file.size(); ++at) {
    const auto type = static_cast<uint8_t>(file[at + 6]);
    if ((type == kFull || type == kFirst) && FragmentAt(file, at).has_value()) return true;
  }
  return false;
}

// Whether the last write, from `from` on, ends too early or has sectors that were never written.
bool IsTorn(std::string_view file, size_t from) {
  for (size_t at = from; at < file.size();) {
    const size_t sector_end =
        std::min(file.size(), at / kSectorBytes * kSectorBytes + kSectorBytes);
    const std::string_view sector = file.substr(at, sector_end - at);
    if (sector.find_first_not_of('\0') == std::string_view::npos) return true;
    at = sector_end;
  }
  // Without such a sector every fragment must be whole, and only the last one missing or short.
  for (size_t at = from;;) {
    const std::optional<Fragment> fragment = FragmentAt(file, at);
    if (!fragment.has_value()) {
      if (at + kHeaderBytes > file.size()) return true;
      const size_t end = at + kHeaderBytes + LittleEndian(file.substr(at + 4, 2));
      return end > file.size() && end <= at / kBlockBytes * kBlockBytes + kBlockBytes;
    }
    at = NextAfter(fragment->end);
    if (at >= file.size()) return true;
  }
}

absl::Status Cut(const std::filesystem::path& file, size_t bytes) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);
  const bool is_cut =
      fd >= 0 && ::ftruncate(fd, static_cast<off_t>(bytes)) == 0 && ::fsync(fd) == 0;
  const int error = errno;
  if (fd >= 0) ::close(fd);
  if (is_cut) return absl::OkStatus();
  return absl::UnavailableError(
      fmt::format("cannot cut the torn last write off {}: {}. Look at the disk, then start again",
                  file.string(), std::strerror(error)));
}

}  // namespace

absl::Status CutTornWrite(const std::filesystem::path& folder) {
  // By number, as RocksDB names them: 000012.log.
  std::map<uint64_t, std::filesystem::path> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string number = entry.path().stem().string();
    if (entry.path().extension() != ".log" || !base::IsDigits(number) || number.size() > 18)
      continue;
    files.emplace(std::stoull(number), entry.path());
  }
  if (error) {
    return absl::UnavailableError(
        fmt::format("cannot read the folder {}: {}", folder.string(), error.message()));
  }
  for (const auto& [number, path] : files) {
    SIMPUL_ASSIGN_OR_RETURN(const std::string file, base::ReadFile(path));
    const size_t whole = WholeWrites(file);
    if (whole == file.size()) continue;
    if (number != files.rbegin()->first) {
      return absl::DataLossError(
          fmt::format("the log in {} is damaged and is not opened: {} does not end with a whole "
                      "write. Keep the "
                      "folder as it is, restore it from your backup, and start again",
                      folder.string(), path.filename().string()));
    }
    if (IsFollowed(file, whole) || !IsTorn(file, whole)) continue;
    SIMPUL_RETURN_IF_ERROR(Cut(path, whole));
    base::Log(base::Severity::kWarning, "embedded_log",
              "cut off a torn last write, which was never acknowledged",
              {{"file", path.string()}, {"bytes", file.size() - whole}});
  }
  return absl::OkStatus();
}

}  // namespace simpul::eventlog
