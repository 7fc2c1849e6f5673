#!/usr/bin/env python3
"""The rules of the house that no compiler checks.

Each rule is one function that yields what breaks it. Run alone: tests/house/house_test.py [RULE...]
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def tracked(*suffixes, under=""):
    """Files of the project with one of the suffixes, tracked or about to be."""
    out = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard", "--", under or "."],
        check=True, capture_output=True, text=True).stdout
    for name in sorted(set(out.splitlines())):
        path = ROOT / name
        if path.is_file() and (not suffixes or path.suffix in suffixes):
            yield name, path


def includes(path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = re.match(r'\s*#include\s+(["<])([^">]+)[">]', line)
        if match:
            yield number, match.group(1), match.group(2)


def module_of(name):
    """services/lib/event/x.cc -> lib/event; services/ingest/x.cc -> ingest."""
    parts = name.split("/")
    if parts[0] != "services" or len(parts) < 3:
        return None
    return "/".join(parts[1:3]) if parts[1] == "lib" else parts[1]


# What a module of lib/ may include of ours, besides itself and lib/base.
MAY_INCLUDE = {
    "lib/base": set(),
    "lib/event": set(),
    "lib/area": {"lib/event"},
    "lib/rules": {"lib/event"},
    "lib/eventlog": {"lib/event"},
    "lib/timeline": {"lib/event", "lib/eventlog", "lib/rules"},
    "lib/fhir": {"lib/event", "lib/rules"},
    "lib/deliver": {"lib/event", "lib/eventlog", "lib/fhir"},
    "lib/rpc": set(),
}

# Third-party headers that stay behind a wall: prefix -> files that may include them.
WALLS = [
    ("rocksdb/", r"services/lib/timeline/(\w*store\w*|checkpoints)\.cc|services/lib/eventlog/embedded_log\.cc|"
                 r"services/lib/deliver/ledger\w*\.cc|services/lib/base/rocksdb_\w+\.(h|cc)|services/sandbox/\w*store\w*\.cc"),
    ("librdkafka/", r"services/lib/eventlog/kafka_(client\.h|(client|copy|log|topics)\.cc)"),
    ("grpcpp/", r"services/lib/rpc/\w+\.(h|cc)|services/\w+/\w+_rpc\.(h|cc)"),
    ("boost/", r"services/lib/rpc/http_server\.cc"),
    ("curl/", r"services/lib/deliver/\w+\.cc"),
    ("spdlog/", r"services/lib/base/log\.cc"),
    ("CLI/", r"services/simpul/\w+\.(h|cc)"),
]

# Pure rooms: no file, socket, thread or clock.
PURE = ("services/lib/area/", "services/lib/event/", "services/lib/rules/", "services/lib/fhir/")
# Doors of pure rooms: they read files, and nothing in the room includes them.
DOORS = re.compile(r"(services/)?lib/area/directory_files\.(h|cc)")
IMPURE_HEADERS = {"fstream", "filesystem", "thread", "mutex", "unistd.h", "fcntl.h", "sys/socket.h", "iostream",
                  "condition_variable", "future"}


def dependencies():
    """Who may include whom."""
    for name, path in tracked(".h", ".cc", under="services"):
        module = module_of(name)
        if module is None:
            continue
        for number, mark, header in includes(path):
            where = f"{name}:{number}"
            for prefix, allowed in WALLS:
                if header.startswith(prefix) and not re.fullmatch(allowed, name):
                    yield f"{where}: <{header}> belongs only in {allowed}"
            if mark == "<":
                if name.startswith(PURE) and not DOORS.fullmatch(name) and header in IMPURE_HEADERS:
                    yield f"{where}: {module} is pure and may not include <{header}>"
                continue
            if DOORS.fullmatch(header) and name.startswith(PURE) and not DOORS.fullmatch(name):
                yield f"{where}: {module} is pure and may not include its own door"
            if header.startswith(("absl/", "google/")) or header.endswith(".pb.h"):
                continue
            target = module_of("services/" + header)
            if target is None or target == module or target == "lib/base":
                continue
            if not (ROOT / "services" / header).exists():
                yield f"{where}: {header} is not written from services/"
            elif module == "simpul":
                continue
            elif not target.startswith("lib/"):
                yield f"{where}: {module} includes the service {target}"
            elif module.startswith("lib/") and target not in MAY_INCLUDE.get(module, set()):
                yield f"{where}: {module} may not include {target}"


def formatting():
    """clang-format leaves every C++ file as it is."""
    tool = shutil.which("clang-format-19")
    if tool is None:
        yield "clang-format-19 is not installed: apt-get install clang-format-19"
        return
    files = [str(path) for _, path in tracked(".h", ".cc")]
    result = subprocess.run([tool, "--dry-run", *files], capture_output=True, text=True)
    for line in result.stderr.splitlines():
        if "warning:" in line or "error:" in line:
            yield line.replace(str(ROOT) + "/", "")


def every_source_is_built():
    """Every .cc, and every script under tests/, is named by a CMakeLists.txt or .cmake file."""
    named = "\n".join(path.read_text() for name, path in tracked()
                      if path.name == "CMakeLists.txt" or path.suffix == ".cmake")
    for name, path in tracked(".cc"):
        if name.startswith(("services/", "tests/")) and not re.search(
                r"(?<![\w])" + re.escape(path.name) + r"(?![\w])", named):
            yield f"{name} is built by no CMakeLists.txt"
    for name, path in tracked(".py", ".sh", under="tests"):
        if re.search(r"(^|_)test\.(py|sh)$", path.name) and path.name not in named:
            yield f"{name} is run by no CMakeLists.txt"


FORBIDDEN = [
    (r"\bTODO\b|\bFIXME\b|\bXXX\b|\bHACK\b", "unfinished work", ("services", "protos", "tests", "deploy")),
    (r"DISABLED_|GTEST_SKIP", "a test that does not run", ("tests",)),
    (r"\bsleep_for\b|\busleep\(|time\.sleep\(", "waiting by the clock", ("tests",)),
    (r"\b(?:class|struct)\s+\w*(?:Manager|Helper|Util|Common|Processor)\b", "a name that says nothing", ("services",)),
]


def words():
    """Words that do not belong."""
    for name, path in tracked(".h", ".cc", ".proto", ".py", ".sh"):
        if name == "tests/house/house_test.py":
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            for pattern, why, folders in FORBIDDEN:
                if name.split("/")[0] in folders and re.search(pattern, line):
                    yield f"{name}:{number}: {why}: {line.strip()[:80]}"


def contract_numbers():
    """No float, double, map or Any in the contract."""
    for name, path in tracked(".proto"):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            code = line.split("//")[0]
            if re.search(r"^\s*(?:optional |repeated )?(?:float|double)\s|map<|google\.protobuf\.(?:Any|Struct|Value)\b", code):
                yield f"{name}:{number}: {code.strip()}"


RULES = [dependencies, formatting, every_source_is_built, words, contract_numbers]


def main():
    wanted = set(sys.argv[1:])
    broken = 0
    for rule in RULES:
        if wanted and rule.__name__ not in wanted:
            continue
        found = list(rule())
        broken += len(found)
        print(f"{rule.__name__}: {'ok' if not found else str(len(found)) + ' broken'} ({rule.__doc__.strip()})")
        for line in found:
            print("  " + line)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
