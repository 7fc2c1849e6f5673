// The stable words that say why a record or an event stands where it stands: what each means, and
// what a person can do. docs/delivery.md shows the same rows (a test compares them).
#pragma once

#include <span>
#include <string_view>

namespace simpul::deliver {

struct Reason {
  // One word, or several with '|' between them. Capitals at the end stand for what differs from
  // record to record: rule_NNNNN, "given_up: WORDS".
  std::string_view words;
  std::string_view means;
  std::string_view fix;  // what people can do; "nothing" where nothing is to be done
};

// In the order of docs/delivery.md.
std::span<const Reason> Reasons();

// The row of a word as records carry it, such as rule_10117 or "given_up: moved". Null: none.
const Reason* FindReason(std::string_view word);

// What to do about it; empty when nothing is to be done, or the word is none of these.
std::string_view FixOf(std::string_view word);

}  // namespace simpul::deliver
