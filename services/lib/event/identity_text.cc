#include "lib/event/identity_text.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "lib/base/text.h"
#include "lib/event/date.h"

namespace simpul::event {
namespace {

constexpr std::string_view kForms =
    "nik|N, mother|NIK|DATE|ORDER, passport|COUNTRY|N, card|N or local|SYSTEM|FACILITY|N";

std::vector<std::string_view> Split(std::string_view text) {
  std::vector<std::string_view> parts;
  for (;;) {
    const size_t bar = text.find('|');
    parts.push_back(text.substr(0, bar));
    if (bar == std::string_view::npos) return parts;
    text.remove_prefix(bar + 1);
  }
}

absl::Status Wrong(std::string_view form, std::string_view what) {
  return absl::InvalidArgumentError(fmt::format("patient id {}: {}", form, what));
}

bool IsNikShape(std::string_view text) { return text.size() == 16 && base::IsDigits(text); }

}  // namespace

absl::StatusOr<v1::Identity> ParseIdentity(std::string_view text) {
  const std::vector<std::string_view> parts = Split(text);
  const std::string_view kind = parts[0];
  const auto has = [&](size_t count) { return parts.size() == count + 1; };
  v1::Identity identity;
  if (kind == "nik") {
    if (!has(1)) return Wrong("nik|N", "one part, the NIK, follows nik");
    if (!IsNikShape(parts[1])) return Wrong("nik|N", "N must be 16 digits");
    identity.mutable_nik()->set_number(std::string(parts[1]));
  } else if (kind == "mother") {
    constexpr std::string_view kForm = "mother|NIK|DATE|ORDER";
    if (!has(3)) return Wrong(kForm, "three parts follow mother");
    if (!IsNikShape(parts[1])) return Wrong(kForm, "NIK must be 16 digits");
    if (!ParseDay(parts[2])) return Wrong(kForm, "DATE must be a day that exists, YYYY-MM-DD");
    if (parts[3].size() != 1 || parts[3] < "1" || parts[3] > "9") {
      return Wrong(kForm, "ORDER must be a digit from 1 to 9; 1 for a single birth");
    }
    v1::Newborn* newborn = identity.mutable_newborn();
    newborn->set_mother_nik(std::string(parts[1]));
    newborn->set_birth_date(std::string(parts[2]));
    newborn->set_birth_order(static_cast<uint32_t>(parts[3][0] - '0'));
  } else if (kind == "passport") {
    constexpr std::string_view kForm = "passport|COUNTRY|N";
    if (!has(2)) return Wrong(kForm, "two parts follow passport");
    if (parts[1].size() != 3) return Wrong(kForm, "COUNTRY must be three letters such as IDN");
    if (parts[2].empty()) return Wrong(kForm, "N is empty");
    identity.mutable_passport()->set_country(std::string(parts[1]));
    identity.mutable_passport()->set_number(std::string(parts[2]));
  } else if (kind == "card") {
    if (!has(1)) return Wrong("card|N", "one part, the card number, follows card");
    if (parts[1].size() != 13 || !base::IsDigits(parts[1])) {
      return Wrong("card|N", "N must be 13 digits, leading zeros included");
    }
    identity.mutable_card()->set_number(std::string(parts[1]));
  } else if (kind == "local") {
    constexpr std::string_view kForm = "local|SYSTEM|FACILITY|N";
    if (!has(3)) return Wrong(kForm, "three parts follow local");
    if (parts[1].empty()) return Wrong(kForm, "SYSTEM is empty");
    if (parts[2].empty()) return Wrong(kForm, "FACILITY is empty");
    if (parts[3].empty()) return Wrong(kForm, "N is empty");
    v1::Local* local = identity.mutable_local();
    local->set_system(std::string(parts[1]));
    local->set_facility(std::string(parts[2]));
    local->set_number(std::string(parts[3]));
  } else {
    return absl::InvalidArgumentError(fmt::format("a patient id is one of {}", kForms));
  }
  return identity;
}

}  // namespace simpul::event
