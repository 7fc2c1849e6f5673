#include "lib/fhir/ucum.h"

#include <algorithm>
#include <array>

#include "lib/base/text.h"

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

}  // namespace

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
