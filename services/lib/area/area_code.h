// How an area is named: SYSTEM|CODE, a region or a facility, optionally /DUSUN/RW/RT.
//
//   kemendagri|73.24.02.2003            a village
//   73.24.02.2003/Sumasang/1/2          its RT 2 of RW 1 in dusun Sumasang
//   kemendagri|73.24.02.2003//1         its RW 1, whatever the dusun
//   kemenkes|P7324020101                what a Puskesmas serves
//
// Region systems are "kemendagri" (groups of 2, 2, 2 and 4 digits with dots: province, regency,
// district, village) and "bps" (2, 4, 7 or 10 digits). The two share no codes and are never turned
// into each other: a bare 10-digit code exists in both. Every other system names facilities.
// Without a system a dotted code is Kemendagri's; any other is refused.
//
// What follows the first / lies below the code: a facility whose code has one is named by another
// of its codes.
//
// RW and RT compare as digits without leading zeros ("001" is "1"), dusun as text without regard to
// ASCII case and to how many blanks stand where.
//
// Pure. Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "simpul/event/v1/identity.pb.h"

namespace simpul::area {

// What a region code names.
enum class Level { kProvince, kRegency, kDistrict, kVillage };

// province, regency, district or village.
std::string_view Word(Level level);

// True for the systems of regions.
bool IsRegionSystem(std::string_view system);

// What the code names in its region system; nullopt when the system writes no such code.
std::optional<Level> RegionLevel(std::string_view system, std::string_view code);

// The code of the next greater region; empty for a province. `code` must be one of the system's.
std::string_view RegionAbove(std::string_view system, std::string_view code);

// A code and the system that gives it its meaning.
struct Code {
  std::string system;
  std::string code;

  bool is_region() const { return IsRegionSystem(system); }
  // SYSTEM|CODE
  std::string Text() const;
  friend bool operator==(const Code&, const Code&) = default;
  friend auto operator<=>(const Code&, const Code&) = default;
};

// What lies below a village, as it is compared: dusun in lower case with single blanks, RW and RT
// without leading zeros. Empty: not said.
struct Hamlet {
  std::string dusun, rw, rt;

  bool empty() const { return dusun.empty() && rw.empty() && rt.empty(); }
  // True when each part said here is the same there.
  bool Holds(const Hamlet& other) const;
  friend bool operator==(const Hamlet&, const Hamlet&) = default;
  friend auto operator<=>(const Hamlet&, const Hamlet&) = default;
};

// The parts of an address that lie below its village. What is written there is taken as it stands:
// an RW that is no number is compared as text.
Hamlet HamletOf(const event::v1::Address& address);

struct AreaCode {
  Code code;
  Hamlet below;

  // InvalidArgument: what is wrong and what to write instead, never the text itself.
  static absl::StatusOr<AreaCode> Parse(std::string_view text);

  // The one way of writing it that Parse reads back to the same.
  std::string Text() const;
  friend bool operator==(const AreaCode&, const AreaCode&) = default;
  friend auto operator<=>(const AreaCode&, const AreaCode&) = default;
};

// SYSTEM|CODE alone, / and all, or a bare dotted code. InvalidArgument as AreaCode::Parse.
absl::StatusOr<Code> ParseCode(std::string_view text);

// True when region `inner` is `outer` or lies in it. False across systems and for facilities.
bool Within(const Code& outer, const Code& inner);

// True when someone living there lives in the area. False for an area that a facility names (ask
// Directory::Contains) and for an address whose village is not said in the area's system.
bool Contains(const AreaCode& area, const event::v1::Address& residence);

}  // namespace simpul::area
