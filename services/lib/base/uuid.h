// UUIDs (RFC 9562) in their one text form: lower case, with hyphens.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace simpul::base {

// True for 36 characters of lower-case hexadecimal with hyphens in the right places, any version,
// not all zero.
bool IsUuid(std::string_view text);

// A random UUID, version 4.
std::string RandomUuid();

// UUID version 5: SHA-1 of the namespace's 16 bytes and the name. `name_space` must be a UUID.
std::string UuidV5(std::string_view name_space, std::string_view name);

// The 16 bytes of a UUID. `uuid` must be one.
std::string UuidBytes(std::string_view uuid);

// The same, of text that may be none: nullopt then.
std::optional<std::array<char, 16>> ReadUuid(std::string_view text);

// The text of 16 bytes, as they are: no version is set.
std::string UuidText(std::string_view bytes);

}  // namespace simpul::base
