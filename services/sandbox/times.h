// Dates and times as the platform takes them. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace simpul::sandbox {

// A dateTime as read.
struct Instant {
  int64_t seconds = 0;         // since 1970-01-01T00:00:00Z
  bool offset_is_utc = false;  // written with +00:00
};

// True when the text begins like a dateTime with a time part: YYYY-MM-DDT.
bool LooksLikeDateTime(std::string_view text);

// YYYY-MM-DDThh:mm:ss with an offset, without fraction. Nullopt for anything else: no such day,
// 24:00, no offset. "Z" is read, but is not the platform's way of writing UTC.
std::optional<Instant> ParseDateTime(std::string_view text);

// YYYY-MM-DD, as days since 1970-01-01. Nullopt for anything else.
std::optional<int64_t> ParseDate(std::string_view text);

// 2014-06-03T00:00:00Z: nothing clinical lies before it, says the platform's documentation.
inline constexpr int64_t kEarliestSeconds = 1401753600;

}  // namespace simpul::sandbox
