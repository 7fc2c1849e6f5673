#include "lib/fhir/code_check.h"

#include <algorithm>
#include <array>

#include "lib/base/text.h"
#include "lib/fhir/terminology.h"

namespace simpul::fhir {
namespace {

// Atoms that take a metric prefix. Source: UCUM's tables of base units, SI units and others.
constexpr auto kMetric = std::to_array<std::string_view>(
    {"m",     "s",      "g",   "L",  "l",   "mol", "eq", "osm", "Pa",  "bar",  "J",
     "W",     "V",      "A",   "K",  "Cel", "Hz",  "N",  "U",   "kat", "[iU]", "[IU]",
     "m[Hg]", "m[H2O]", "cal", "Gy", "Sv",  "Bq",  "lx", "lm",  "B",   "t"});
// Atoms that take none.
constexpr auto kPlain = std::to_array<std::string_view>(
    {"min",   "h",      "d",      "wk",     "mo",      "a",       "%",       "[ppth]", "[ppm]",
     "10*",   "10^",    "deg",    "[pH]",   "[degF]",  "[drp]",   "[CFU]",   "[PFU]",  "[HPF]",
     "[LPF]", "[diop]", "[in_i]", "[ft_i]", "[lb_av]", "[oz_av]", "[arb'U]", "[pptr]", "[ppb]"});
constexpr auto kPrefixes = std::to_array<std::string_view>(
    {"k", "d", "c", "m", "u", "n", "p", "f", "h", "da", "M", "G", "T"});

template <size_t N>
bool Contains(const std::array<std::string_view, N>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

bool IsAtom(std::string_view text) {
  if (Contains(kPlain, text) || Contains(kMetric, text)) return true;
  return std::any_of(kPrefixes.begin(), kPrefixes.end(), [&](std::string_view prefix) {
    return text.starts_with(prefix) && Contains(kMetric, text.substr(prefix.size()));
  });
}

// A number, an annotation, or an atom with an optional exponent and annotation.
bool IsComponent(std::string_view text) {
  const size_t brace = text.find('{');
  if (brace != std::string_view::npos) {
    if (text.find('}') != text.size() - 1 || text.find('{', brace + 1) != std::string_view::npos) {
      return false;
    }
    if (brace == 0) return text.size() > 2;
    text = text.substr(0, brace);
  }
  if (base::IsDigits(text) || IsAtom(text)) return true;
  size_t end = text.size();
  while (end > 0 && text[end - 1] >= '0' && text[end - 1] <= '9') --end;
  if (end == text.size()) return false;
  if (end > 0 && (text[end - 1] == '-' || text[end - 1] == '+')) --end;
  return end > 0 && IsAtom(text.substr(0, end));
}

// Luhn: every second digit doubled, from the one before the check digit, and the digits added up. A
// character counts as far as it lies behind '0', so that letters take part: A is 17, L 28. Source:
// LOINC Users' Guide, "Calculating Mod 10 Check Digits", and OpenMRS, "Check Digit Algorithm",
// which it names for answer codes.
bool LuhnFits(std::string_view number, char check) {
  int sum = 0;
  for (size_t i = 0; i < number.size(); ++i) {
    const int value = number[number.size() - 1 - i] - '0';
    sum += i % 2 == 0 ? 2 * value - value / 5 * 9 : value;
  }
  return (10 - sum % 10) % 10 == check - '0';
}

// Verhoeff: the dihedral group of order 10, digits permuted by place. Source: SNOMED CT release
// file specification, appendix on check digits.
bool VerhoeffFits(std::string_view digits) {
  const auto product = [](int a, int b) {
    if (a < 5) return b < 5 ? (a + b) % 5 : 5 + (a + b - 5) % 5;
    return b < 5 ? 5 + (a - 5 - b + 5) % 5 : (a - b + 5) % 5;
  };
  constexpr std::array<int, 10> kPermutation = {1, 5, 7, 6, 2, 8, 3, 0, 9, 4};
  int check = 0;
  for (size_t i = 0; i < digits.size(); ++i) {
    int digit = digits[digits.size() - 1 - i] - '0';
    for (size_t times = 0; times < i % 8; ++times) digit = kPermutation[digit];
    check = product(check, digit);
  }
  return check == 0;
}

bool FitsSystem(std::string_view system, std::string_view code) {
  if (code.empty()) return false;
  if (system == kLoinc) return IsLoincCode(code);
  if (system == kSnomed) return IsSnomedConcept(code);
  if (system == kIcd10) return IsIcd10Code(code);
  return std::none_of(code.begin(), code.end(), [](char c) { return c <= ' '; });
}

}  // namespace

bool IsLoincCode(std::string_view code) {
  const std::string_view after_letters = code.starts_with("LA") ? code.substr(2) : code;
  if (after_letters.size() < 3 || after_letters.size() > 9 || code[code.size() - 2] != '-') {
    return false;
  }
  return base::IsDigits(after_letters.substr(0, after_letters.size() - 2)) &&
         base::IsDigits(code.substr(code.size() - 1)) &&
         LuhnFits(code.substr(0, code.size() - 2), code.back());
}

bool IsSnomedConcept(std::string_view code) {
  if (!base::IsDigits(code) || code.size() < 6 || code.size() > 18 || code[0] == '0') return false;
  // The partition of concepts: 00 in the international edition, 10 in an extension.
  const std::string_view partition = code.substr(code.size() - 3, 2);
  return (partition == "00" || partition == "10") && VerhoeffFits(code);
}

bool IsIcd10Code(std::string_view code) {
  if (code.size() < 3 || code[0] < 'A' || code[0] > 'Z' || !base::IsDigits(code.substr(1, 2))) {
    return false;
  }
  if (code.size() == 3) return true;
  return code[3] == '.' && code.size() <= 6 && base::IsDigits(code.substr(4));
}

bool IsObservationCode(const event::v1::Code& code) {
  return IsObservationSystem(code.system()) && FitsSystem(code.system(), code.code());
}

bool IsFindingCode(const event::v1::Code& code) {
  return (IsObservationSystem(code.system()) || code.system() == kIcd10) &&
         FitsSystem(code.system(), code.code());
}

bool IsUcumUnit(std::string_view unit) {
  if (unit.starts_with('/')) unit.remove_prefix(1);
  if (unit.empty()) return false;
  size_t begin = 0;
  bool annotated = false;
  for (size_t i = 0; i <= unit.size(); ++i) {
    if (i < unit.size()) {
      const char c = unit[i];
      if (c <= ' ' || c > '~') return false;
      if (c == '{') annotated = true;
      if (c == '}') annotated = false;
      if (annotated || (c != '.' && c != '/')) continue;
    }
    if (!IsComponent(unit.substr(begin, i - begin))) return false;
    begin = i + 1;
  }
  return true;
}

}  // namespace simpul::fhir
