#!/usr/bin/env python3
"""docs/operating.md names what there is: every metric, log lines as they are written, commands and flags that exist."""
import pathlib
import re
import shlex
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
from tests.support.simpul import ROOT, run  # noqa: E402

DOC = (ROOT / "docs/operating.md").read_text()
# Adjacent string literals are one.
SOURCES = re.sub(r'"\s*\n\s*"', "", "\n".join(
    path.read_text() for path in sorted((ROOT / "services").rglob("*.[ch]*")) if "sandbox" not in path.parts))


def metrics():
    """Every metric of the program is explained, and no other."""
    made = set(re.findall(r'"((?:simpul|grpc_server)_[a-z_]+)"', SOURCES))
    named = set(re.findall(r"`((?:simpul|grpc_server)_[a-z_]+)", DOC))
    assert named == made, f"not explained: {sorted(made - named)}; not there: {sorted(named - made)}"


def log_lines():
    """Log lines are quoted as they are written, with their severity."""
    rows = re.findall(r"^\| (warning|error) \| `([^`]+)` \|", DOC, re.M)
    assert len(rows) > 10, rows
    for severity, message in rows:
        at = SOURCES.find('"' + message + '"')
        assert at >= 0, f"no log line says: {message}"
        call = SOURCES[SOURCES.rindex("base::Log(", 0, at):at]
        assert ("kWarning" if severity == "warning" else "kError") in call, (severity, message)


def commands():
    """Every command and flag exists."""
    helps = {}
    lines = re.findall(r"^(?:ExecStart=/usr/local/bin/)?(simpul [a-z].*)$", DOC, re.M) + re.findall(r"`(simpul [^`…]+)`", DOC)
    assert len(lines) > 8, lines
    for line in lines:
        words = shlex.split(line)
        command = words[1]
        text = helps.setdefault(command, run(command, "--help").stdout)
        for flag in (word for word in words[2:] if word.startswith("--")):
            assert re.search(rf"^\s*{flag}\b", text, re.M), f"{line}: there is no {flag}"
    serve = helps["serve"]
    for flag in set(re.findall(r"`(--[a-z-]+)", DOC)):
        assert any(re.search(rf"^\s*(?:-\w,)?{flag}\b", text, re.M) for text in (*helps.values(), run("--help").stdout)), flag
    for flag, default in re.findall(r"^\| `(--\w+)` \| ([\d.:]+) \|", DOC, re.M):
        assert f"{flag} TEXT={default}" in serve, (flag, default)


def links():
    """Every link leads somewhere."""
    headings = {re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in re.findall(r"^#+ (.*)$", DOC, re.M)}
    for target in re.findall(r"\]\(([^)]+)\)", DOC):
        if target.startswith("#"):
            assert target[1:] in headings, target
        else:
            assert (ROOT / "docs" / target).exists(), target


if __name__ == "__main__":
    for check in (metrics, log_lines, commands, links):
        check()
        print("ok", check.__name__)
