// Small text: base64url for tokens, decimal digits, masking of what looks like an identity number.
#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace simpul::base {

// Base64url without padding (RFC 4648 section 5), for opaque tokens and cursors.
std::string ToBase64Url(std::string_view bytes);
// InvalidArgument when the text is no such encoding.
absl::StatusOr<std::string> FromBase64Url(std::string_view text);

// True when all characters are decimal digits and there is at least one.
bool IsDigits(std::string_view text);

// True when there is nothing in the text but space (a blank, U+0009 to U+000D).
bool IsBlank(std::string_view text);

// The number that the whole text is, in decimal digits; nullopt: it is none, or one too large.
template <std::integral Number>
std::optional<Number> ReadNumber(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// True when the text contains 16 or more digits in a row once spaces, dots and hyphens between
// digits are left out: it looks like a NIK or family card number. UUIDs are not examined: callers
// check IsUuid first.
bool LooksLikeNik(std::string_view text);

// The text with every run of 9 or more digits replaced by the same number of '*': for words that
// others wrote.
std::string MaskNumbers(std::string_view text);

}  // namespace simpul::base
