#!/usr/bin/env python3
"""Wrong or missing credentials of an organisation hold its records back and nobody else's. Each says why, in the
platform's own words where it had some, and goes out once the file is right: at once, or after a restart."""
import collections
import json
import os
import sys

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0])
from tests.support import events as make  # noqa: E402
from tests.support.simpul import Folder, Sandbox, Serve, http, wait_until  # noqa: E402

GOOD, WRONG, MISSING = "100027469", "100027470", "100027471"
FACILITIES = {organization: {"system": "kemenkes", "code": f"P732402010{number}"}
              for number, organization in enumerate((GOOD, WRONG, MISSING), 1)}
PATIENTS = 150  # more than are worked on at once
WORDS = "not able to be authenticated"


def directory():
    return {
        "facilities": [{"codes": [facility], "name": f"Puskesmas {organization}", "kind": "puskesmas",
                        "organization": organization, "location": f"b017aa54-f1df-4ec2-9d84-000{organization}"}
                       for organization, facility in FACILITIES.items()],
        "defaults": [{"facility": facility, "unit": "", "practitioner_id": make.PRACTITIONER}
                     for facility in FACILITIES.values()]}


def visits(organization, day):
    return [{**make.weighing(make.event_id(organization, day, number), make.child(number), minutes=day * 1440 + number),
             "facility": FACILITIES[organization], "unit": {"kind": "UNIT_KIND_PUSKESMAS"}}
            for number in range(1, PATIENTS + 1)]


def write(path, secrets):
    """Puts the whole file in place at once, as an operator's tools do."""
    text = secrets if isinstance(secrets, str) else json.dumps(
        [{"organization": organization, "client_id": f"client-{organization}", "client_secret": secret}
         for organization, secret in secrets.items()])
    path.with_suffix(".new").write_text(text)
    os.replace(path.with_suffix(".new"), path)


def records(serve, events):
    return [record for rows in serve.trace([event["eventId"] for event in events]).values() for row in rows
            for record in row["records"]]


def wait_explained(serve, events, reason, words):
    """Waits until every record says why it is not sent."""
    last = collections.Counter()

    def explained():
        found = records(serve, events)
        last.clear()
        last.update((record["state"], record["reason"], record["platform_says"]) for record in found)
        return len(found) == len(events) and all(
            record["state"] in ("held", "waiting") and record["reason"] == reason and record["retry_at"]
            and words in record["platform_says"] for record in found)
    try:
        wait_until(f"every record to say {reason}", explained)
    except AssertionError as error:
        raise AssertionError(f"{error}: {last}")
    held = [record for record in records(serve, events) if record["state"] == "held"]
    assert held, "none was tried"


def wait_delivered(serve, events):
    wait_until("every record to be delivered", lambda: [record["state"] for record in records(serve, events)] ==
               ["delivered"] * len(events))


def main():
    with Folder() as folder:
        (folder / "directory.json").write_text(json.dumps(directory()))
        write(folder / "platform.json", {organization: "right" for organization in FACILITIES})
        credentials = folder / "credentials.json"
        write(credentials, {GOOD: "right", WRONG: "wrong"})
        flags = ("--directory", folder / "directory.json", "--credentials", credentials)
        with Sandbox(folder / "sandbox", "--credentials", folder / "platform.json") as sandbox:
            with Serve(folder / "data", *flags, platform=sandbox.url) as serve:
                # The same children, each facility in a month of its own: what one weighed says nothing of another's.
                good, wrong, missing = (visits(organization, 35 * number) for number, organization in enumerate(FACILITIES))
                serve.push(good + wrong + missing)
                wait_delivered(serve, good)
                wait_explained(serve, wrong, "credentials", WORDS)
                wait_explained(serve, missing, "credentials_missing", "")
                assert sandbox.report()["creates"]["Encounter"] == PATIENTS

                # A file that cannot be read changes nothing, and /readyz names it.
                write(credentials, '[{"organization": ')
                wait_until("readyz to name the file", lambda: str(credentials) in http("GET", serve.admin + "/readyz")[1])
                assert http("GET", serve.admin + "/readyz")[0] == 200, "a slip in a file keeps clinics from pushing"
                assert 'simpul_file_usable{file="credentials"} 0' in http("GET", serve.admin + "/metrics")[1]
                wait_explained(serve, wrong, "credentials", WORDS)

                # Corrected while it serves.
                write(credentials, {GOOD: "right", WRONG: "right"})
                wait_delivered(serve, wrong)
                wait_until("readyz", lambda: "credentials" not in http("GET", serve.admin + "/readyz")[1])
                assert 'simpul_file_usable{file="credentials"} 1' in http("GET", serve.admin + "/metrics")[1]
                wait_explained(serve, missing, "credentials_missing", "")

                # Wrong again: a token at hand is of the old credential and not used any more.
                write(credentials, {GOOD: "right", WRONG: "wrong"})
                later = visits(WRONG, 105)
                wait_until("the file to be read", lambda: serve.output().count('"read the file again"') >= 2)
                serve.push(later)
                wait_explained(serve, later, "credentials", WORDS)

            # Corrected while nobody looks.
            write(credentials, {organization: "right" for organization in FACILITIES})
            with Serve(folder / "data", *flags, platform=sandbox.url) as serve:
                wait_delivered(serve, missing)
                wait_delivered(serve, later)
                log = serve.output()
            report = sandbox.report()
            assert report["created_twice"] == [], report["created_twice"][:5]
            assert report["creates"]["Encounter"] == 4 * PATIENTS, report["creates"]
            assert '"wrong"' not in log and '"right"' not in log, "a secret was logged"
            print(f"{4 * PATIENTS} visits held back by their credentials or not, and all delivered once")


if __name__ == "__main__":
    main()
