#include "lib/base/text.h"

#include "absl/strings/escaping.h"

namespace simpul::base {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::string ToBase64Url(std::string_view bytes) {
  std::string text = absl::WebSafeBase64Escape(absl::string_view(bytes.data(), bytes.size()));
  while (!text.empty() && text.back() == '=') text.pop_back();
  return text;
}

absl::StatusOr<std::string> FromBase64Url(std::string_view text) {
  std::string bytes;
  if (!absl::WebSafeBase64Unescape(absl::string_view(text.data(), text.size()), &bytes) ||
      ToBase64Url(bytes) != text) {
    return absl::InvalidArgumentError("not a token of this system");
  }
  return bytes;
}

bool IsDigits(std::string_view text) {
  if (text.empty()) return false;
  for (char c : text) {
    if (!IsDigit(c)) return false;
  }
  return true;
}

bool IsBlank(std::string_view text) {
  return text.find_first_not_of(" \t\n\v\f\r") == std::string_view::npos;
}

bool LooksLikeNik(std::string_view text) {
  size_t run = 0;
  for (char c : text) {
    if (IsDigit(c)) {
      if (++run >= 16) return true;
    } else if (c != ' ' && c != '.' && c != '-') {
      run = 0;
    }
  }
  return false;
}

std::string MaskNumbers(std::string_view text) {
  std::string masked(text);
  for (size_t begin = 0; begin < masked.size();) {
    size_t end = begin;
    while (end < masked.size() && IsDigit(masked[end])) ++end;
    if (end - begin >= 9) masked.replace(begin, end - begin, end - begin, '*');
    begin = end + 1;
  }
  return masked;
}

}  // namespace simpul::base
