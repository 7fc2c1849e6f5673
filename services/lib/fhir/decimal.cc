#include "lib/fhir/decimal.h"

#include "lib/base/text.h"

namespace simpul::fhir {

std::string ScaledDecimal(uint64_t value, int places) {
  std::string digits = std::to_string(value);
  if (places == 0) return digits;
  const size_t fraction = static_cast<size_t>(places);
  if (digits.size() <= fraction) digits.insert(0, fraction + 1 - digits.size(), '0');
  digits.insert(digits.size() - fraction, 1, '.');
  digits.erase(digits.find_last_not_of('0') + 1);
  if (digits.back() == '.') digits.pop_back();
  return digits;
}

std::optional<std::string> JsonDecimal(std::string_view text) {
  std::string json;
  if (text.starts_with('-')) json = "-";
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  const size_t point = text.find('.');
  std::string_view whole = text.substr(0, point);
  const std::string_view fraction =
      point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
  if (whole.empty() && fraction.empty()) return std::nullopt;
  if (!whole.empty() && !base::IsDigits(whole)) return std::nullopt;
  if (!fraction.empty() && !base::IsDigits(fraction)) return std::nullopt;
  while (whole.size() > 1 && whole[0] == '0') whole.remove_prefix(1);
  json += whole.empty() ? "0" : whole;
  if (!fraction.empty()) json.append(".").append(fraction);
  return json;
}

}  // namespace simpul::fhir
