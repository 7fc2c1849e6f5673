#include "lib/area/area_code.h"

#include <algorithm>
#include <array>
#include <vector>

#include "absl/status/status.h"
#include "lib/base/status_macros.h"
#include "lib/base/text.h"

namespace simpul::area {
namespace {

constexpr size_t kCodeBytesMax = 64;
constexpr size_t kDusunBytesMax = 200;
constexpr size_t kNumberDigitsMax = 4;

// How many characters a code of each level has.
constexpr std::array<size_t, 4> kKemendagriSizes = {2, 5, 8, 13};
constexpr std::array<size_t, 4> kBpsSizes = {2, 4, 7, 10};

absl::Status Wrong(std::string_view what) {
  return absl::InvalidArgumentError(absl::string_view(what.data(), what.size()));
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::string WithoutZeros(std::string_view number) {
  const size_t first = number.find_first_not_of('0');
  if (first == std::string_view::npos) return number.empty() ? "" : "0";
  return std::string(number.substr(first));
}

// Blanks at the ends gone, one between words, ASCII letters lower.
std::string Compared(std::string_view name) {
  std::string made;
  bool blank = false;
  for (const char c : name) {
    if (c == ' ' || (c >= '\t' && c <= '\r')) {
      blank = true;
      continue;
    }
    if (blank && !made.empty()) made.push_back(' ');
    blank = false;
    made.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  return made;
}

std::string ComparedNumber(std::string_view text) {
  std::string compared = Compared(text);
  return base::IsDigits(compared) ? WithoutZeros(compared) : compared;
}

const std::array<size_t, 4>& SizesOf(std::string_view system) {
  return system == "bps" ? kBpsSizes : kKemendagriSizes;
}

absl::Status CheckSystem(std::string_view system) {
  if (system.empty()) return Wrong("nothing stands before |; write SYSTEM|CODE");
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || IsDigit(c) || c == '.' || c == '_' || c == '-';
  };
  if (system.size() > kCodeBytesMax || !std::all_of(system.begin(), system.end(), allowed)) {
    return Wrong(
        "the system before | is none; write it in lower case: kemendagri, bps, kemenkes, "
        "satusehat, bpjs, posyandu or another that the directory knows");
  }
  return absl::OkStatus();
}

absl::Status CheckCode(std::string_view system, std::string_view code) {
  if (code.empty()) return Wrong("nothing stands after |; write SYSTEM|CODE");
  if (code.size() > kCodeBytesMax) return Wrong("the code is longer than 64 bytes");
  if (IsRegionSystem(system)) {
    if (RegionLevel(system, code)) return absl::OkStatus();
    return Wrong(system == "bps"
                     ? "BPS writes a region in 2, 4, 7 or 10 digits without dots, such as "
                       "bps|7324020003"
                     : "Kemendagri writes a region in groups of 2, 2, 2 and 4 digits with dots, "
                       "such as kemendagri|73.24.02.2003");
  }
  // As intake takes the codes of facilities.
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || IsDigit(c) ||
           std::string_view("._:/-").find(c) != std::string_view::npos;
  };
  if (!std::all_of(code.begin(), code.end(), plain)) {
    return Wrong("a facility's code has only ASCII letters, digits and . _ : / -");
  }
  if (base::LooksLikeNik(code)) {
    return Wrong("the code looks like an identity number; name the facility by its code");
  }
  return absl::OkStatus();
}

absl::StatusOr<Code> CodeWithoutSystem(std::string_view text) {
  if (text.find('.') == std::string_view::npos) {
    return Wrong(
        "no system is named, and only a dotted code is known to be Kemendagri's; write "
        "SYSTEM|CODE, such as bps|7324020003 or kemenkes|P7324020101");
  }
  if (!RegionLevel("kemendagri", text)) {
    return Wrong(
        "no system is named, and this is no code of Kemendagri's, such as 73.24.02.2003; "
        "for another system write SYSTEM|CODE, such as posyandu|73.24.02.2003.001");
  }
  return Code{"kemendagri", std::string(text)};
}

absl::StatusOr<std::string> Number(std::string_view name, std::string_view text) {
  if (text.empty()) return std::string();
  if (text.size() > kNumberDigitsMax || !base::IsDigits(text)) {
    return Wrong(std::string(name) + " is no number of up to 4 digits; write it as 2 or 002");
  }
  return WithoutZeros(text);
}

absl::StatusOr<Hamlet> ParseHamlet(const Code& code, const std::vector<std::string_view>& parts) {
  Hamlet below;
  if (parts.size() > 3) return Wrong("more than three parts follow the code; write /DUSUN/RW/RT");
  if (!parts.empty()) {
    if (parts[0].size() > kDusunBytesMax) return Wrong("the dusun is longer than 200 bytes");
    below.dusun = Compared(parts[0]);
  }
  if (parts.size() > 1) {
    SIMPUL_ASSIGN_OR_RETURN(below.rw, Number("RW", parts[1]));
  }
  if (parts.size() > 2) {
    SIMPUL_ASSIGN_OR_RETURN(below.rt, Number("RT", parts[2]));
  }
  if (!parts.empty() && below.empty()) {
    return Wrong("nothing follows the / after the code; leave it out or write /DUSUN/RW/RT");
  }
  if (!below.rt.empty() && below.rw.empty() && below.dusun.empty()) {
    return Wrong("an RT is one of an RW or dusun; write /DUSUN//RT or //RW/RT");
  }
  if (!below.empty() && code.is_region() &&
      RegionLevel(code.system, code.code) != Level::kVillage) {
    return Wrong(
        "dusun, RW and RT lie in a village, and the code names a greater region; write the "
        "village's code");
  }
  return below;
}

}  // namespace

std::string_view Word(Level level) {
  switch (level) {
    case Level::kProvince:
      return "province";
    case Level::kRegency:
      return "regency";
    case Level::kDistrict:
      return "district";
    case Level::kVillage:
      return "village";
  }
  return "";
}

bool IsRegionSystem(std::string_view system) { return system == "kemendagri" || system == "bps"; }

std::optional<Level> RegionLevel(std::string_view system, std::string_view code) {
  if (!IsRegionSystem(system)) return std::nullopt;
  const auto& sizes = SizesOf(system);
  const auto* const size = std::find(sizes.begin(), sizes.end(), code.size());
  if (size == sizes.end()) return std::nullopt;
  for (size_t i = 0; i < code.size(); ++i) {
    const bool dot = system == "kemendagri" && (i == 2 || i == 5 || i == 8);
    if (dot ? code[i] != '.' : !IsDigit(code[i])) return std::nullopt;
  }
  return static_cast<Level>(size - sizes.begin());
}

std::string_view RegionAbove(std::string_view system, std::string_view code) {
  const std::optional<Level> level = RegionLevel(system, code);
  if (!level || level == Level::kProvince) return {};
  return code.substr(0, SizesOf(system)[static_cast<size_t>(*level) - 1]);
}

std::string Code::Text() const { return system + "|" + code; }

bool Hamlet::Holds(const Hamlet& other) const {
  return (dusun.empty() || dusun == other.dusun) && (rw.empty() || rw == other.rw) &&
         (rt.empty() || rt == other.rt);
}

Hamlet HamletOf(const event::v1::Address& address) {
  return {.dusun = Compared(address.dusun()),
          .rw = ComparedNumber(address.rw()),
          .rt = ComparedNumber(address.rt())};
}

absl::StatusOr<Code> ParseCode(std::string_view text) {
  const size_t bar = text.find('|');
  if (bar == std::string_view::npos) return CodeWithoutSystem(text);
  const std::string_view system = text.substr(0, bar);
  const std::string_view code = text.substr(bar + 1);
  SIMPUL_RETURN_IF_ERROR(CheckSystem(system));
  SIMPUL_RETURN_IF_ERROR(CheckCode(system, code));
  return Code{std::string(system), std::string(code)};
}

absl::StatusOr<AreaCode> AreaCode::Parse(std::string_view text) {
  if (text.empty()) return Wrong("there is no area; write SYSTEM|CODE, optionally /DUSUN/RW/RT");
  const size_t slash = text.find('/');
  AreaCode area;
  SIMPUL_ASSIGN_OR_RETURN(area.code, ParseCode(text.substr(0, slash)));
  std::vector<std::string_view> parts;
  for (size_t at = slash; at != std::string_view::npos;) {
    const size_t next = text.find('/', at + 1);
    parts.push_back(text.substr(at + 1, next == std::string_view::npos ? next : next - at - 1));
    at = next;
  }
  SIMPUL_ASSIGN_OR_RETURN(area.below, ParseHamlet(area.code, parts));
  return area;
}

std::string AreaCode::Text() const {
  std::string text = code.Text();
  if (below.empty()) return text;
  text += "/" + below.dusun;
  if (!below.rw.empty() || !below.rt.empty()) text += "/" + below.rw;
  if (!below.rt.empty()) text += "/" + below.rt;
  return text;
}

bool Within(const Code& outer, const Code& inner) {
  if (outer.system != inner.system) return false;
  // Each level has a size of its own, so the beginning of a code is a whole region.
  return RegionLevel(outer.system, outer.code) && RegionLevel(inner.system, inner.code) &&
         inner.code.starts_with(outer.code);
}

bool Contains(const AreaCode& area, const event::v1::Address& residence) {
  return Within(area.code, {residence.village_system(), residence.village_code()}) &&
         area.below.Holds(HamletOf(residence));
}

}  // namespace simpul::area
