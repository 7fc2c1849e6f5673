#!/usr/bin/env python3
"""Every reason the code gives a delivery record is in docs/delivery.md, and none that it does not."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = [
    *sorted(ROOT.glob("services/forwarder/*.cc")),
    *sorted(ROOT.glob("services/lib/deliver/*.cc")),
    ROOT / "services/lib/timeline/project.h",  # causes of dead letters
    *(ROOT / "services/lib/fhir" / name
      for name in ("map.cc", "pregnancy.cc", "record.cc", "referral.cc", "visit.cc")),
]

# A statement that gives a reason; each literal word in it is one.
GIVES = re.compile(
    r'\b(?:set_reason|RememberMiss|Hold|NotSent|NeedsDirectory)\b[^;]*;'
    r'|\bk(?:Conflict|NamesNoOriginal|PatientTooLarge|EntryTooLarge|Undecodable|Quarantined|WaitingForOriginal)\b[^;]*;'
    r'|\b(?:reason|problem) = [^;]*;'
    r'|return \{std::nullopt, "[^;]*;'
    r'|return "\w+_unknown";'
    r'|return "home_visit_\w+";')
WORD = re.compile(r'"([a-z]+(?:_[a-z]+)*(?:_|: )?)"')


def given():
    """Reasons in the code; one that goes on with what is not known here ends in _ or a colon."""
    found = {}
    for path in SOURCES:
        code = re.sub(r"//[^\n]*", "", path.read_text())
        for statement in GIVES.findall(code):
            for word in WORD.findall(statement):
                found.setdefault(word.strip(), path.relative_to(ROOT))
        # verdict.reason = http, made one line before.
        for word in re.findall(r'std::string http = "(http_)"', code):
            found.setdefault(word, path.relative_to(ROOT))
    return found


def described():
    reasons = set()
    doc = (ROOT / "docs/delivery.md").read_text()
    for section in doc.split("\n## ")[1:]:
        for row in re.findall(r"^\| (`[^|]*) \|", section, re.M):
            for reason in re.findall(r"`([^`]*)`", row):
                reasons.add(re.sub(r"(?<=_)[A-Z]+$|(?<=:) [A-Z]+$", "", reason))
    return reasons


def main():
    in_code, in_doc = given(), described()
    wrong = [f"{path}: {reason}: not in docs/delivery.md"
             for reason, path in sorted(in_code.items()) if reason not in in_doc]
    wrong += [f"docs/delivery.md: {reason}: no code gives it" for reason in sorted(in_doc - in_code.keys())]
    if len(in_code) < 40:
        wrong.append(f"only {len(in_code)} reasons found in the code: is this test still right?")
    print("\n".join(wrong) or f"{len(in_code)} reasons, all described")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
