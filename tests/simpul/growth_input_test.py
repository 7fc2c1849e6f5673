#!/usr/bin/env python3
"""What people get wrong in a file for `simpul growth`: each line is answered by itself, with its number, field and what to do,
and never with what stands there."""
import json
import subprocess
import sys

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0])
from tests.support.simpul import BINARY, Folder, run  # noqa: E402

NAME = "Siti Kenari"


def child(**changes):
    """A good line; None leaves a field out."""
    made = {"id": "anak-1", "sex": "F", "age_days": 683, "weight_g": 10400, "length_mm": 848, "position": "lying"}
    made.update(changes)
    return {name: value for name, value in made.items() if value is not None}


# What is wrong, the line, the field of the answer, words in its message.
WRONG = [
    ("-1 day", child(age_days=-1), "age_days", "whole days"),
    ("half a day", child(age_days=0.5), "age_days", "whole days"),
    ("200 years", child(age_days=73000), "age_days", "whole days"),
    ("-1 month", child(age_days=None, age_months=-1), "age_months", "no age"),
    ("weight without age", child(age_days=None), "age_days", "there is no age"),
    ("two ages", child(age_months=22), "age_days", "not the only age"),
    ("three ages", child(age_months=22, birth_date="2024-01-01", date="2025-01-01"), "age_days", "not the only age"),
    ("birth without day of measuring", child(age_days=None, birth_date="2024-01-01"), "date", "is missing"),
    ("day of measuring without birth", child(age_days=None, date="2024-01-01"), "birth_date", "is missing"),
    ("measured before birth", child(age_days=None, birth_date="2024-01-02", date="2024-01-01"), "date", "before birth_date"),
    ("a day that does not exist", child(age_days=None, birth_date="2023-02-29", date="2024-01-01"), "birth_date", "no day"),
    ("a date in another order", child(age_days=None, birth_date="01-02-2023", date="2024-01-01"), "birth_date", "no day"),
    ("letters for numbers", child(weight_g="sepuluh"), "weight_g", "no number"),
    ("a number in quotes", child(length_mm="848"), "length_mm", "no number"),
    ("letters for an age", child(age_days="dua tahun"), "age_days", "no number"),
    ("letters for a head", child(head_mm="x"), "head_mm", "no number"),
    ("letters for an arm", child(muac_mm=[149]), "muac_mm", "no number"),
    ("no sex", child(sex=None), "sex", "is missing"),
    ("a sex in words", child(sex="perempuan"), "sex", "neither M nor F"),
    ("a sex as number", child(sex=2), "sex", "no text"),
    ("a position that does not exist", child(position="l"), "position", "none of the three"),
    ("oedema in words", child(oedema="y"), "oedema", "neither true nor false"),
    ("no id", child(id=None), "id", "is missing"),
    ("a number as id", child(id=7), "id", "no text"),
    ("a field that does not exist", child(weight_kg=10.4), "", "does not exist"),
    ("a name as field", {**child(), NAME: 1}, "", "does not exist"),
    ("a field twice", b'{"id":"1","sex":"M","age_days":1,"age_days":2}', "age_days", "twice"),
    ("JSON that is none", NAME.encode(), "", "no JSON"),
    ("half an object", json.dumps(child()).encode()[:40], "", "no JSON"),
    ("a list", b"[]", "", "no JSON object"),
    ("not a number", b'{"id":"1","sex":"M","age_days":1,"weight_g":NaN}', "", "no JSON"),
    ("beyond every number", b'{"id":"1","sex":"M","age_days":1,"weight_g":1e999}', "", "no JSON"),
    ("broken UTF-8", b'{"id":"Siti \xc3\x28","sex":"M","age_days":1}', "", "no JSON"),
    ("very deep", b"[" * 60000, "", "no JSON"),
    ("a line of 70 KB", json.dumps(child(id="x" * 70000)).encode(), "", "longer than 64 KiB"),
]


def growth(lines, *flags):
    return subprocess.run([BINARY, "growth", *flags, "-"], input=b"\n".join(lines) + b"\n", capture_output=True, timeout=120)


def lines_of_wrong():
    lines = []
    for _, line, _, _ in WRONG:
        lines += [line if isinstance(line, bytes) else json.dumps(line).encode(), json.dumps(child()).encode()]
    return lines


def answers_each_line_by_itself():
    lines = lines_of_wrong()
    result = growth(lines, "--json")
    assert result.returncode == 1, result
    rows = [json.loads(row) for row in result.stdout.splitlines()]
    assert len(rows) == len(lines)
    for place, (name, _, field, words) in enumerate(WRONG):
        row = rows[2 * place]
        assert row["line"] == 2 * place + 1 and row["outcome"] == "refused", f"{name}: {row}"
        assert row["field"] == field and words in row["message"] and row["fix"], f"{name}: {row}"
        assert rows[2 * place + 1]["indices"]["weight_for_age"] == {"z": -0.57, "class": "normal", "flag": None}, name
    assert f"{len(WRONG)} assessed, {len(WRONG)} refused".encode() in result.stderr, result.stderr
    assert NAME.encode() not in result.stdout + result.stderr


def tells_a_person_line_and_field():
    result = growth(lines_of_wrong())
    assert result.returncode == 1
    told = [row for row in result.stderr.decode().splitlines() if row.startswith("simpul: growth: line ")]
    assert len(told) == len(WRONG), result.stderr
    for place, (name, _, field, words) in enumerate(WRONG):
        assert told[place].startswith(f"simpul: growth: line {2 * place + 1}: {field}"), f"{name}: {told[place]}"
        assert words in told[place] and "; " in told[place], f"{name}: {told[place]}"
    assert NAME.encode() not in result.stdout + result.stderr


def shows_a_person_a_table():
    shown = growth([json.dumps(child(muac_mm=149, oedema=True)).encode(), b"", json.dumps(child(id="anak-2")).encode()])
    assert shown.returncode == 0, shown
    text = shown.stdout.decode()
    assert text.splitlines()[0].split() == ["ID", "INDEX", "Z", "CLASS", "REMARK"], text
    rows = [" ".join(row.split()) for row in text.splitlines()]
    for row in ("anak-1 weight_for_age - - oedema", "length_height_for_age -0.07 normal", "muac_for_age 0.11 lila_hijau",
                "nutritional status gizi_buruk from oedema", "anak-2 weight_for_age -0.57 normal", "2 assessed, 0 refused"):
        assert row in rows, (row, text)


def answers_as_the_contract_says():
    line = child(age_days=None, birth_date="2024-01-01", date="2024-05-01", length_mm=620, weight_g=6400.5, position="standing",
                 head_mm=None, muac_mm=140)
    row = json.loads(run("growth", "--json", "-", input=json.dumps(line)).stdout)
    assert list(row) == ["id", "indices", "not_derived", "age_days", "length_used_mm", "bmi", "nutritional_status",
                         "nutritional_status_from", "rules"], row
    assert row["id"] == "anak-1" and row["age_days"] == 121 and row["rules"] == 1, row
    assert row["not_derived"] == {"head_circumference_for_age": "head_missing"}, row
    assert row["indices"]["length_height_for_age"]["flag"] == "position_ignored" and row["length_used_mm"] == 620, row
    assert row["indices"]["muac_for_age"]["class"] == "no_class_table", row
    null = {**line, "head_mm": None, "age_days": None, "oedema": None}
    assert json.loads(run("growth", "--json", "-", input=json.dumps(null)).stdout) == row, "null is absent"
    nobodys = json.loads(run("growth", "--json", "-", input=json.dumps(child(weight_g=0))).stdout)
    assert nobodys["not_derived"]["weight_for_age"] == "measure_out_of_range", nobodys


def ends_with_2_where_there_is_nothing_to_read():
    with Folder() as folder:
        for words, says in (((), "give FILE, - for standard input, or --patient ID"), ((folder / "none.jsonl",), "none.jsonl cannot be read: No such file"),
                            ((folder.path,), "cannot be read: Is a directory"), (("--jsn", "-"), "--jsn")):
            result = run("growth", *words, check=False)
            assert result.returncode == 2 and says in result.stderr, (words, result)
        (folder / "good.jsonl").write_text(json.dumps(child()) + "\r\n\n", encoding="utf-8-sig")
        assert run("growth", "--json", folder / "good.jsonl").stdout.count("\n") == 1
        (folder / "empty.jsonl").write_text("")
        assert run("growth", "--json", folder / "empty.jsonl").stdout == ""


def main():
    for test in (answers_each_line_by_itself, tells_a_person_line_and_field, shows_a_person_a_table,
                 answers_as_the_contract_says, ends_with_2_where_there_is_nothing_to_read):
        test()
        print("ok", test.__name__)


if __name__ == "__main__":
    main()
