#include "lib/event/errors_doc.h"

#include <fmt/format.h>

#include "lib/event/validate.h"

namespace simpul::event {
namespace {

constexpr std::string_view kIntroduction = R"(# What an answer to an event can say

This file is printed by the program `errors_doc` from `services/lib/event/rule_table.h`; do not edit it. Print it again
with `build/release/bin/errors_doc > docs/errors.md`.

Every event of a batch has an answer of its own. A refused event lists everything that is wrong with it, each as a field
path, the name of a rule, a message and what to do; an accepted one may carry warnings in the same form. Names of rules
are stable: programs may compare them. Messages and fixes are for people and may change. Neither ever holds the value.

- **final**: the event itself is wrong. Sent again as it is, it is refused again.
- **after_upgrade**: the event holds a field or a choice that a newer Simpul may know (`field.unknown`, `enum.unknown`
  and, from `simpul push`, `json.unknown_field`; nothing else). Keep it and send it again once this Simpul is newer.

At most 24 violations and 24 warnings are listed for one event; `violations.more` says that there are more.

A field path reads like `subject.identities[0].nik.number`. What is wrong in the new event of a correction has a path that
begins with `correction.replacement.`; a field this Simpul does not know is named by its number.
)";

enum class Section { kRefused, kWarning, kJson };

Section SectionOf(const Rule& rule) {
  if (rule.name.starts_with("json.")) return Section::kJson;
  return rule.warning ? Section::kWarning : Section::kRefused;
}

void AddTable(std::string& doc, Section section) {
  doc += "| rule | what is wrong | what to do |\n|---|---|---|\n";
  for (const Rule& rule : Rules()) {
    if (SectionOf(rule) == section) {
      doc += fmt::format("| `{}` | {} | {} |\n", rule.name, rule.meaning, rule.fix);
    }
  }
}

}  // namespace

std::string ErrorsDoc() {
  std::string doc(kIntroduction);
  doc += "\n## Refused\n\n";
  AddTable(doc, Section::kRefused);
  doc += "\n## Accepted with a warning\n\n";
  AddTable(doc, Section::kWarning);
  doc +=
      "\n## Not sent: lines of `simpul push` that are no event\n\n"
      "Found before anything goes out, with the number of the line, and of the byte in it where "
      "one "
      "can be told. A name of a\nchoice that the contract does not have is `enum.unknown` here "
      "too, "
      "if it is written in capitals, digits and `_`.\n\n";
  AddTable(doc, Section::kJson);
  return doc;
}

}  // namespace simpul::event
