#!/usr/bin/env python3
"""Turns the 498 surveyed children of survey_z_st.csv into events, one line of protobuf JSON each, on standard output.

The measurements are real; names and identity numbers are invented. Every child was measured on SURVEY_DAY and born
`_agedays` before it. Run again it says the same. Only the standard library.

  tests/data/survey/to_events.py [--directory FILE] [--population FILE] [--credentials FILE]

writes beside the events the directory they need, the people the platform knows, and a credential for the organisation.
"""
import argparse
import csv
import datetime
import json
import pathlib
import uuid

SURVEY_DAY = datetime.date(2025, 3, 11)
# Of the children's event ids; of nothing else.
NAMESPACE = uuid.UUID("5d0c2a6e-0d2b-5f0e-8a53-7e7a1d3c9b42")
DISTRICT = "732402"
FACILITY = {"system": "kemenkes", "code": "P73240202"}
ORGANIZATION = "100027490"
PRACTITIONER = {"practitioner_id": "10009990001", "nik": "7324025203889001", "name": "Bidan Survei"}
# The survey's regions, each a posyandu of one village.
POSTS = {"North": "001", "East": "002", "South": "003", "West": "004"}
BOYS = ("Adi", "Bayu", "Candra", "Danu", "Edo", "Fikri", "Guntur", "Haris", "Iman", "Jefri")
GIRLS = ("Anisa", "Bela", "Cinta", "Dina", "Elsa", "Fitri", "Gina", "Hana", "Intan", "Jihan")
FAMILIES = ("Aruan", "Basri", "Daeng", "Effendi", "Galib", "Husain", "Iskandar", "Kadir", "Lubis", "Malik", "Nasution")


def post_code(region):
    return f"73.24.02.2003.{POSTS[region]}"


def person(row):
    """Name, sex, birth date and invented identity number of a child."""
    number, girl = int(row["id"]), row["GENDER"] == "2"
    born = SURVEY_DAY - datetime.timedelta(days=int(row["_agedays"]))
    day = born.day + (40 if girl else 0)
    names = GIRLS if girl else BOYS
    return {
        "nik": f"{DISTRICT}{day:02}{born.month:02}{born.year % 100:02}{1000 + number:04}",
        "name": f"{names[number % len(names)]} {FAMILIES[number % len(FAMILIES)]}",
        "birth_date": born.isoformat(),
        "sex": "female" if girl else "male",
        "platform_id": f"P73240{number:06}",
    }


def scaled(text, factor):
    """A number of the survey in the contract's whole units; None where it was not measured."""
    return round(float(text) * factor) if text else None


def event(row):
    child = person(row)
    number = int(row["id"])
    minute = datetime.datetime(SURVEY_DAY.year, SURVEY_DAY.month, SURVEY_DAY.day, 0, 0) + datetime.timedelta(
        minutes=number % 200)
    visit = {
        "encounterClass": "ENCOUNTER_CLASS_AMBULATORY",
        "weightG": scaled(row["WEIGHT"], 1000),
        "lengthMm": scaled(row["HEIGHT"], 10),
        "position": {"l": "MEASURING_POSITION_LYING", "h": "MEASURING_POSITION_STANDING"}.get(row["measure"]),
        "headMm": scaled(row["HEAD"], 10),
        "muacMm": scaled(row["MUAC"], 10),
        "oedema": {"y": "OEDEMA_PRESENT", "n": "OEDEMA_NONE"}[row["oedema"]],
    }
    return {
        "eventId": str(uuid.uuid5(NAMESPACE, f"survey_z_st|{number}")),
        "facility": FACILITY,
        "unit": {"kind": "UNIT_KIND_POSYANDU", "code": post_code(row["region"]), "name": f"Posyandu {row['region']}"},
        "recorder": {"id": f"enumerator-{row['region'].lower()}", "role": "RECORDER_ROLE_NUTRITIONIST"},
        "subject": {
            "identities": [{"nik": {"number": child["nik"]}}],
            "name": child["name"],
            "sex": "SEX_FEMALE" if child["sex"] == "female" else "SEX_MALE",
            "birthDate": child["birth_date"],
            "residence": {"villageSystem": "kemendagri", "villageCode": "73.24.02.2003"},
        },
        "visitId": f"survey.{number}",
        "occurredAt": {"time": minute.isoformat() + "Z", "utcOffsetMin": 480, "precision": "TIME_PRECISION_MINUTE"},
        "recordedAt": (minute + datetime.timedelta(minutes=5)).isoformat() + "Z",
        "sessionId": f"survey/{SURVEY_DAY.isoformat()}/{row['region']}",
        "channel": "CHANNEL_IMPORT",
        "purpose": "PURPOSE_PRODUCTION",
        "form": {"id": "survey", "version": "1"},
        "visit": {name: value for name, value in visit.items() if value is not None},
    }


def directory():
    return {
        "facilities": [{"codes": [FACILITY], "name": "Puskesmas Survei", "kind": "puskesmas",
                        "organization": ORGANIZATION, "location": str(uuid.uuid5(NAMESPACE, "location"))}],
        "units": [{"facility": FACILITY, "code": post_code(region), "kind": "posyandu", "name": f"Posyandu {region}",
                   "location": str(uuid.uuid5(NAMESPACE, f"location|{region}"))} for region in POSTS],
        "practitioners": [PRACTITIONER],
        "defaults": [{"facility": FACILITY, "unit": "", "practitioner_id": PRACTITIONER["practitioner_id"]}],
    }


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("directory", "population", "credentials"):
        arguments.add_argument(f"--{name}", type=pathlib.Path)
    chosen = arguments.parse_args()
    with open(pathlib.Path(__file__).with_name("survey_z_st.csv"), encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        print(json.dumps(event(row), separators=(",", ":")))
    files = {
        chosen.directory: directory(),
        chosen.population: [person(row) for row in rows],
        chosen.credentials: [{"organization": ORGANIZATION, "client_id": f"client-{ORGANIZATION}",
                              "client_secret": f"sandbox-{ORGANIZATION}"}],
    }
    for path, content in files.items():
        if path is not None:
            path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
