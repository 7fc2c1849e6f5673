// Durations as people write them.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace simpul::cli {

// 500ms, 30s, 5m, 2h; a number alone is seconds. Nothing for anything else, and for zero.
std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text);

}  // namespace simpul::cli
