#!/usr/bin/env python3
"""`simpul directory`: what is in the files of places and people, or every wrong line of every file, and never what stands
there."""
import json
import subprocess
import sys

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0])
from tests.support.simpul import ROOT, Folder, run  # noqa: E402

NIK = "7324024105200001"
FACILITY = {"row": "facility", "codes": [{"code": "kemenkes|P1"}], "kind": "puskesmas", "name": "Nuha"}
UNIT = {"row": "unit", "facility": "kemenkes|P1", "code": "U1", "kind": "pustu", "name": "Pustu"}
TARGETS = [{"row": "target", "area": "kemenkes|P1", "indicator": name, "year": year, "number": 5}
           for name, year in (("K1", 2026), ("K1", 2027), ("K4", 2026))]
SAMPLE = ROOT / "tests/data/regions/nuha.jsonl"


def lines(*rows):
    return "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)


def says_what_is_in_the_files():
    with Folder() as folder:
        (folder / "places.jsonl").write_text(lines("# Nuha", FACILITY, "", UNIT))
        (folder / "targets.jsonl").write_text(lines(*TARGETS).replace("\n", "\r\n"), encoding="utf-8-sig")
        files = (folder / "places.jsonl", folder / "targets.jsonl", SAMPLE)
        rows = [json.loads(row) for row in run("directory", "--json", *files).stdout.splitlines()]
        digest = rows.pop()["digest"]
        assert len(digest) == 64, digest
        assert {(row["what"], row.get("of")): row["count"] for row in rows} == {
            ("facility", None): 1, ("unit", None): 1, ("serves", None): 0, ("roster", None): 0, ("target", None): 3,
            ("target", "K1"): 2, ("target", "K4"): 1, ("competency", None): 0, ("skill_needed", None): 0,
            ("region", "kemendagri province"): 1, ("region", "kemendagri regency"): 1,
            ("region", "kemendagri district"): 1, ("region", "kemendagri village"): 5}, rows
        shown = [row.split() for row in run("directory", *reversed(files)).stdout.splitlines()]
        for row in (["WHAT", "COUNT"], ["target", "K1", "2"], ["region", "kemendagri", "village", "5"], ["digest", digest]):
            assert row in shown, (row, shown)


def names_every_wrong_line():
    with Folder() as folder:
        first, second = folder / "a.jsonl", folder / "b.jsonl"
        first.write_text(lines(FACILITY, "Siti Kenari;" + NIK, {**UNIT, "name": NIK}))
        second.write_text(lines("", {**UNIT, "kind": "puskesma"}))
        result = run("directory", "--json", first, second, check=False)
        assert result.returncode == 1, result
        rows = [json.loads(row) for row in result.stdout.splitlines()]
        assert [(row["outcome"], row["file"], row["line"]) for row in rows] == [
            ("refused", str(first), 2), ("refused", str(first), 3), ("refused", str(second), 2)], rows
        for row, words in zip(rows, ("no JSON", '"name" looks like an identity number', '"kind" is none of its words')):
            assert words in row["message"], row
        shown = run("directory", first, second, check=False)
        assert shown.returncode == 1 and [row.split(": ")[0] for row in shown.stdout.splitlines()] == [
            f"{first}:2", f"{first}:3", f"{second}:2"], shown
        assert "3 wrong lines; nothing of these files can be used" in shown.stderr, shown
        for text in (result.stdout, result.stderr, shown.stdout, shown.stderr):
            assert NIK not in text and "Siti" not in text, text


def holds_files_against_each_other():
    with Folder() as folder:
        (folder / "units.jsonl").write_text(lines(UNIT))
        (folder / "places.jsonl").write_text(lines({**FACILITY, "regions": ["73.24.02.2004"]}))
        alone = run("directory", folder / "units.jsonl", check=False)
        assert alone.returncode == 1 and "units.jsonl:1: \"facility\" is the code of no facility here" in alone.stdout, alone
        run("directory", folder / "units.jsonl", folder / "places.jsonl")
        listed = run("directory", folder / "places.jsonl", SAMPLE, check=False)
        assert listed.returncode == 1 and "names a village that the region list of kemendagri lacks" in listed.stdout, listed


def ends_with_2_where_there_is_nothing_to_read():
    with Folder() as folder:
        for words, says in (((), "FILE is required"), ((folder / "none.jsonl",), "none.jsonl: No such file"),
                            ((folder.path,), "is no file"), (("--jsn", "x"), "--jsn")):
            result = run("directory", *words, check=False)
            assert result.returncode == 2 and says in result.stderr, (words, result)


def reads_the_nations_regions():
    """What deploy/regions writes is the sample, and for the nation a list that is read whole."""
    script = ROOT / "deploy/regions"
    sample = subprocess.run([script, "73.24.02"], check=True, capture_output=True, timeout=300).stdout
    assert sample == SAMPLE.read_bytes(), "the sample is not what deploy/regions 73.24.02 writes"
    with Folder() as folder:
        (folder / "regions.jsonl").write_bytes(subprocess.run([script], check=True, capture_output=True, timeout=300).stdout)
        rows = [json.loads(row) for row in run("directory", "--json", folder / "regions.jsonl").stdout.splitlines()]
        assert [row["count"] for row in rows if row["what"] == "region"] == [38, 514, 7285, 83762], rows
    nowhere = subprocess.run([script, "99"], capture_output=True, text=True, timeout=300)
    assert nowhere.returncode == 1 and "there is no region 99" in nowhere.stderr, nowhere


def main():
    for test in (says_what_is_in_the_files, names_every_wrong_line, holds_files_against_each_other,
                 ends_with_2_where_there_is_nothing_to_read, reads_the_nations_regions):
        test()
        print("ok", test.__name__)


if __name__ == "__main__":
    main()
