#!/usr/bin/env python3
"""WHO's own scores of the 498 surveyed children, through `simpul growth`, to the hundredth: every one, and none more.

tests/data/survey holds the children and what the WHO Anthro macro gave for them.
"""
import csv
import decimal
import json
import sys

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0])
from tests.support.simpul import ROOT, run  # noqa: E402

# Index: the column with its score, with its flag, how many scores were published.
PUBLISHED = {
    "weight_for_age": ("_ZWEI", "_FWEI", 489),
    "length_height_for_age": ("_ZLEN", "_FLEN", 475),
    "bmi_for_age": ("_ZBMI", "_FBMI", 468),
    "weight_for_length_height": ("_ZWFL", "_FWFL", 467),
    "muac_for_age": ("_ZAC", "_FAC", 442),
    "head_circumference_for_age": ("_ZHC", "_FHC", 94),
}
# The macro gave four arm scores beyond 1826 days, where the published table ends.
ARM_TABLE_LAST_DAY = 1826
BEYOND_THE_ARMS_TABLE = 4


def line(row):
    """A row of the survey as `simpul growth` reads it."""
    child = {
        "id": row["id"],
        "sex": {"1": "M", "2": "F"}[row["GENDER"]],
        "age_days": int(row["_agedays"]),
        "position": {"l": "lying", "h": "standing"}.get(row["measure"], "unknown"),
        "oedema": row["oedema"] == "y",
    }
    # The survey's decimals went through four-byte floats: 84.800003052 was 84.8.
    for name, column, factor in (("weight_g", "WEIGHT", 1000), ("length_mm", "HEIGHT", 10), ("head_mm", "HEAD", 10),
                                 ("muac_mm", "MUAC", 10)):
        if row[column]:
            child[name] = round(float(row[column]) * factor, 3)
    return json.dumps(child)


def main():
    with open(ROOT / "tests/data/survey/survey_z_st.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 498
    answered = run("growth", "--json", "-", input="".join(line(row) + "\n" for row in rows))
    answers = [json.loads(one, parse_float=decimal.Decimal) for one in answered.stdout.splitlines()]
    assert [answer["id"] for answer in answers] == [row["id"] for row in rows]
    wrong, total, flags, beyond = [], 0, 0, 0
    for index, (column, flag, published) in PUBLISHED.items():
        equal = 0
        more = 0
        for row, answer in zip(rows, answers):
            score = answer["indices"].get(index, {"z": None, "flag": None})
            expected = decimal.Decimal(row[column]) if row[column] else None
            if index == "muac_for_age" and expected is not None and int(row["_agedays"]) > ARM_TABLE_LAST_DAY:
                assert answer["not_derived"][index] == "age_out_of_table", answer
                beyond += 1
                continue
            if score["z"] != expected:
                wrong.append((row["id"], index, row[column], str(score["z"])))
            elif expected is not None:
                equal += 1
            else:
                more += index not in answer["not_derived"]
            if expected is not None and (score["flag"] == "implausible") != (row[flag] == "1"):
                wrong.append((row["id"], index, flag, row[flag], score["flag"]))
            flags += score["flag"] == "implausible"
        print(f"{index}: {equal} of {published} scores are WHO's")
        assert equal == published and more == 0, (index, equal, more)
        total += equal
    assert not wrong, wrong[:20]
    assert total == 2435, total
    for row, answer in zip(rows, answers):
        if row["oedema"] == "y":
            assert answer["not_derived"]["weight_for_age"] == "oedema", answer
            assert answer["nutritional_status"] == "gizi_buruk", answer
    assert beyond == BEYOND_THE_ARMS_TABLE, beyond
    print(f"{total} scores, {flags} marked implausible")


if __name__ == "__main__":
    main()
