#!/usr/bin/env python3
"""Growth through the whole service: WHO's own scores of the 498 surveyed children, and a growth card that a late, a
corrected and a retracted weighing change."""
import copy
import csv
import decimal
import json
import subprocess
import sys
import uuid

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0])
from tests.rules.survey_test import ARM_TABLE_LAST_DAY, PUBLISHED  # noqa: E402
from tests.support.simpul import ROOT, Folder, Serve  # noqa: E402

SURVEY = ROOT / "tests/data/survey"


def growth(serve, patient, *flags):
    answered = serve.run("growth", "--json", "--patient", patient, *flags)
    return [json.loads(line, parse_float=decimal.Decimal) for line in answered.stdout.splitlines()]


def survey(serve):
    with open(SURVEY / "survey_z_st.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    events = subprocess.run([sys.executable, SURVEY / "to_events.py"], check=True, capture_output=True,
                            text=True).stdout.splitlines()
    pushed = serve.push(events)
    assert len(pushed) == len(rows) == 498
    equal = dict.fromkeys(PUBLISHED, 0)
    wrong = []
    for row, event, outcome in zip(rows, map(json.loads, events), pushed):
        nik = event["subject"]["identities"][0]["nik"]["number"]
        measured, = growth(serve, f"nik|{nik}", "--min-position", outcome["position"])
        assert measured["event_id"] == event["eventId"] and measured["age_days"] == int(row["_agedays"])
        for index, (column, _, _) in PUBLISHED.items():
            if index == "muac_for_age" and int(row["_agedays"]) > ARM_TABLE_LAST_DAY:
                continue
            expected = decimal.Decimal(row[column]) if row[column] else None
            z = measured["indices"].get(index, {"z": None})["z"]
            if z != expected:
                wrong.append((row["id"], index, row[column], str(z)))
            equal[index] += expected is not None
        if "weightG" in event["visit"]:
            # The first weighing of anybody below five is B, unless it is no one's weight.
            young = measured["weighing"]["no_status"] not in ("from_60_months", "implausible")
            assert not young or measured["card"]["status"] == "B", measured
    assert not wrong, wrong[:20]
    assert equal == {index: published for index, (_, _, published) in PUBLISHED.items()}, equal
    print(f"{sum(equal.values())} scores of the survey are WHO's")


def weighing(day, grams):
    """Of an invented girl born on 2025-01-10."""
    return {
        "eventId": str(uuid.uuid5(uuid.NAMESPACE_URL, f"growth-test/{day}")),
        "facility": {"system": "kemenkes", "code": "P7324020101"},
        "unit": {"kind": "UNIT_KIND_POSYANDU", "code": "73.24.02.2003.001"},
        "recorder": {"id": "kader-07", "role": "RECORDER_ROLE_KADER"},
        "subject": {"identities": [{"nik": {"number": "7324025001250001"}}], "name": "Ananda Kartu",
                    "sex": "SEX_FEMALE", "birthDate": "2025-01-10"},
        "occurredAt": {"time": f"{day}T01:10:00Z", "utcOffsetMin": 480, "precision": "TIME_PRECISION_MINUTE"},
        "recordedAt": f"{day}T01:12:00Z",
        "purpose": "PURPOSE_PRODUCTION",
        "device": {"id": "hp-3"},
        "visit": {"encounterClass": "ENCOUNTER_CLASS_AMBULATORY", "weightG": grams},
    }


def amended(original, day, what):
    event = copy.deepcopy(original)
    del event["visit"]
    event["eventId"] = str(uuid.uuid5(uuid.NAMESPACE_URL, f"growth-test/{day}/{sorted(what)}"))
    event["recordedAt"] = f"{day}T02:00:00Z"
    event.update(what)
    return event


def card(serve):
    """A girl's growth card: one weighing a month, then what comes late changes what was said."""
    def statuses(event):
        position = serve.push([event])[0]["position"]
        rows = growth(serve, "nik|7324025001250001", "--min-position", position)
        return {row["card"]["month"]: (row["card"]["status"], row["card"]["two_t"]) for row in rows if "card" in row}

    serve.push([weighing("2025-08-10", 7500), weighing("2025-10-10", 7600)])
    assert statuses(weighing("2025-11-10", 7700)) == {
        "2025-08": ("B", False), "2025-10": ("O", False), "2025-11": ("T", False)}
    # Weeks later the phone of September's posyandu comes back: October becomes a T, and November ends a 2T.
    late = weighing("2025-09-10", 7550)
    assert statuses(late) == {
        "2025-08": ("B", False), "2025-09": ("T", False), "2025-10": ("T", True), "2025-11": ("T", True)}
    # September was misread: gained enough, and so October's T stands alone again.
    right = copy.deepcopy(late)
    right["visit"]["weightG"] = 7850
    assert statuses(amended(late, "2025-11-12", {"correction": {
        "originalEventId": late["eventId"], "reason": "misread", "replacement": right}})) == {
            "2025-08": ("B", False), "2025-09": ("N", False), "2025-10": ("T", False), "2025-11": ("T", True)}
    # It was another child's.
    assert statuses(amended(late, "2025-11-13", {"retraction": {
        "originalEventId": late["eventId"], "reason": "another child"}})) == {
            "2025-08": ("B", False), "2025-10": ("O", False), "2025-11": ("T", False)}
    shown = serve.run("growth", "--patient", "nik|7324025001250001").stdout
    assert "T +100 g of 300" in shown or "T +100 g of 200" in shown, shown
    print(shown)


def main():
    with Folder() as folder, Serve(folder / "data") as serve:
        survey(serve)
        card(serve)
        nobody = serve.run("growth", "--patient", "nik|7324025001250099").stdout
        assert nobody == "Nothing was measured.\n", nobody
        wrong = serve.run("growth", "--patient", "nik|123", check=False)
        assert wrong.returncode == 2 and "--patient" in wrong.stderr, wrong
        both = serve.run("growth", "--patient", "nik|7324025001250099", "-", check=False)
        assert both.returncode == 2 and "give FILE" in both.stderr, both


if __name__ == "__main__":
    main()
