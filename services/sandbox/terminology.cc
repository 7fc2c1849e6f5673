#include "sandbox/terminology.h"

#include <algorithm>
#include <array>

namespace simpul::sandbox {
namespace {

bool AllDigits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// A character counts as far as it lies behind '0', so that letters take part: A is 17, L 28, P 32.
bool LuhnHolds(std::string_view number, char check) {
  int sum = 0;
  bool doubled = true;
  for (size_t i = number.size(); i-- > 0;) {
    const int value = number[i] - '0';
    // Of a digit, the digits of its double added up.
    sum += doubled ? 2 * value - value / 5 * 9 : value;
    doubled = !doubled;
  }
  return (10 - sum % 10) % 10 == check - '0';
}

constexpr uint8_t kVerhoeffProduct[10][10] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 2, 3, 4, 0, 6, 7, 8, 9, 5}, {2, 3, 4, 0, 1, 7, 8, 9, 5, 6},
    {3, 4, 0, 1, 2, 8, 9, 5, 6, 7}, {4, 0, 1, 2, 3, 9, 5, 6, 7, 8}, {5, 9, 8, 7, 6, 0, 4, 3, 2, 1},
    {6, 5, 9, 8, 7, 1, 0, 4, 3, 2}, {7, 6, 5, 9, 8, 2, 1, 0, 4, 3}, {8, 7, 6, 5, 9, 3, 2, 1, 0, 4},
    {9, 8, 7, 6, 5, 4, 3, 2, 1, 0}};
constexpr uint8_t kVerhoeffPermutation[8][10] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 5, 7, 6, 2, 8, 3, 0, 9, 4}, {5, 8, 0, 3, 7, 9, 6, 1, 4, 2},
    {8, 9, 1, 6, 0, 4, 3, 5, 2, 7}, {9, 4, 5, 3, 1, 2, 6, 8, 7, 0}, {4, 2, 8, 6, 5, 7, 3, 9, 0, 1},
    {2, 7, 9, 3, 8, 0, 6, 4, 1, 5}, {7, 0, 4, 6, 9, 1, 3, 2, 5, 8}};

// Units that take a metric prefix, and those that do not.
constexpr auto kMetricUnits = std::to_array<std::string_view>(
    {"g",   "m",  "s",  "L",  "l",  "mol", "eq", "osm", "Pa",  "m[Hg]", "m[H2O]", "U",
     "J",   "W",  "V",  "A",  "Hz", "K",   "N",  "bar", "cal", "[iU]",  "[IU]",   "Cel",
     "kat", "Bq", "Gy", "Sv", "lm", "lx",  "T",  "Ohm", "B",   "rad",   "t",      "[Ch]"});
constexpr auto kPlainUnits = std::to_array<std::string_view>(
    {"min",      "h",         "d",        "wk",       "mo",       "a",           "%",
     "deg",      "[degF]",    "[pH]",     "[drp]",    "[CFU]",    "[in_i]",      "[ft_i]",
     "[lb_av]",  "[oz_av]",   "[diop]",   "[PFU]",    "[ppm]",    "[ppth]",      "10*",
     "10^",      "[HPF]",     "[LPF]",    "[arb'U]",  "[USP'U]",  "[Amb'a'1'U]", "[tbs_us]",
     "[tsp_us]", "[foz_us]",  "[cup_us]", "[car_Au]", "[beth'U]", "[APL'U]",     "[GPL'U]",
     "[MPL'U]",  "[CCID_50]", "[smoot]",  "[score]",  "[in_us]",  "'",           "''"});
constexpr auto kPrefixes =
    std::to_array<std::string_view>({"", "da", "Y", "Z", "E", "P", "T", "G", "M", "k", "h", "d",
                                     "c", "m", "u", "n", "p", "f", "a"});

template <size_t N>
bool Contains(const std::array<std::string_view, N>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

bool IsUcumAtom(std::string_view atom) {
  if (Contains(kPlainUnits, atom)) return true;
  for (std::string_view prefix : kPrefixes) {
    if (atom.starts_with(prefix) && Contains(kMetricUnits, atom.substr(prefix.size()))) return true;
  }
  return false;
}

// One component without operators: [unit][exponent][{annotation}], a number, or an annotation.
bool IsUcumComponent(std::string_view text) {
  if (text.ends_with('}')) {
    const size_t open = text.find('{');
    if (open == std::string_view::npos || text.find('}') != text.size() - 1) return false;
    if (open == 0) return true;
    text = text.substr(0, open);
  }
  if (AllDigits(text)) return true;
  if (IsUcumAtom(text)) return true;
  size_t end = text.size();
  while (end > 0 && text[end - 1] >= '0' && text[end - 1] <= '9') --end;
  if (end == text.size() || end == 0) return false;
  if (text[end - 1] == '-' || text[end - 1] == '+') --end;
  return IsUcumAtom(text.substr(0, end));
}

}  // namespace

bool IsLoincCode(std::string_view code) {
  const bool is_term =
      !code.starts_with("LA") && !code.starts_with("LP") && !code.starts_with("LL");
  const std::string_view digits = is_term ? code : code.substr(2);
  const size_t hyphen = digits.find('-');
  if (hyphen == std::string_view::npos || hyphen + 2 != digits.size() || hyphen > 7) return false;
  if (!AllDigits(digits.substr(0, hyphen)) || !AllDigits(digits.substr(hyphen + 1))) return false;
  return LuhnHolds(code.substr(0, code.size() - 2), code.back());
}

bool IsSnomedConcept(std::string_view code) {
  if (code.size() < 6 || code.size() > 18 || !AllDigits(code) || code[0] == '0') return false;
  const std::string_view partition = code.substr(code.size() - 3, 2);
  if (partition != "00" && partition != "10") return false;
  int check = 0;
  for (size_t i = 0; i < code.size(); ++i) {
    const int digit = code[code.size() - 1 - i] - '0';
    check = kVerhoeffProduct[check][kVerhoeffPermutation[i % 8][digit]];
  }
  return check == 0;
}

bool IsIcd10Code(std::string_view code) {
  if (code.size() < 3 || code.size() > 6 || code[0] < 'A' || code[0] > 'Z') return false;
  if (!AllDigits(code.substr(1, 2))) return false;
  if (code.size() == 3) return true;
  return code[3] == '.' && code.size() > 4 && AllDigits(code.substr(4));
}

bool IsUcumUnit(std::string_view unit) {
  if (unit.empty()) return false;
  int parentheses = 0;
  std::string_view rest = unit;
  if (rest.starts_with('/')) rest.remove_prefix(1);
  while (true) {
    while (rest.starts_with('(')) {
      ++parentheses;
      rest.remove_prefix(1);
    }
    size_t end = 0;
    bool quoted = false;  // brackets and braces may hold operators
    for (; end < rest.size(); ++end) {
      const char c = rest[end];
      if (c == '[' || c == '{') quoted = true;
      if (c == ']' || c == '}') quoted = false;
      if (c == ' ' || static_cast<unsigned char>(c) > 126) return false;
      if (!quoted && (c == '.' || c == '/' || c == ')')) break;
    }
    if (quoted || !IsUcumComponent(rest.substr(0, end))) return false;
    rest.remove_prefix(end);
    while (rest.starts_with(')')) {
      if (--parentheses < 0) return false;
      rest.remove_prefix(1);
    }
    if (rest.empty()) return parentheses == 0;
    if (rest[0] != '.' && rest[0] != '/') return false;
    rest.remove_prefix(1);
  }
}

bool MayBeCode(std::string_view system, std::string_view code) {
  if (system == "http://loinc.org") return IsLoincCode(code);
  if (system == "http://snomed.info/sct") return IsSnomedConcept(code);
  if (system == "http://hl7.org/fhir/sid/icd-10") return IsIcd10Code(code);
  if (system == "http://unitsofmeasure.org") return IsUcumUnit(code);
  return !code.empty() && code.find_first_of(" \t\r\n") == std::string_view::npos;
}

}  // namespace simpul::sandbox
