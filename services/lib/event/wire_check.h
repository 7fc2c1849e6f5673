// Whether bytes are an event this program knows all of, before they are parsed.
//
// One walk over the wire format with the contract's own descriptors. The parser alone would keep
// unknown fields and choices silently, and would refuse broken text without saying where.
#pragma once

#include <cstddef>
#include <string_view>

#include "lib/event/findings.h"

namespace simpul::event {

// What is wrong with the bytes of a simpul.event.v1.Event. Bytes without finding parse.
struct WireFindings {
  Findings findings;
  // Every violation is a field or choice that a newer program may know.
  bool after_upgrade = false;
  // The event's id as it lies in the bytes: it may be anything.
  std::string_view event_id;
};

// Total: any bytes have an answer. Any thread.
WireFindings CheckWire(std::string_view bytes);

// How many bytes of the text, from its first, are UTF-8: no surrogates, no overlong forms, nothing
// above U+10FFFF. All of them, or up to the first character that is broken.
size_t Utf8Bytes(std::string_view text);

inline bool IsUtf8(std::string_view text) { return Utf8Bytes(text) == text.size(); }

}  // namespace simpul::event
