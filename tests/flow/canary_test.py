#!/usr/bin/env python3
"""A canary NIK and name go through every path: accepted, refused, delivered, held, dead letter, broken lines. They appear
in no log, metric, error text or answer of ours but the timeline itself."""
import json
import sys

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0])
from tests.support import events as make  # noqa: E402
from tests.support.simpul import Folder, Sandbox, Serve, http, run  # noqa: E402

NAME = "Kenari Rahasia"
NIK_KNOWN, NIK_UNKNOWN = make.nik(4711), make.nik(4712)
CANARIES = (NAME, "Kenari", NIK_KNOWN, NIK_UNKNOWN, NIK_KNOWN[:12], NIK_UNKNOWN[:12])


def person(nik):
    return {"identities": [{"nik": {"number": nik}}], "name": NAME, "sex": "SEX_MALE", "birthDate": "2024-05-01"}


def main():
    with Folder() as folder:
        directory, population = folder / "directory.json", folder / "population.json"
        credentials = folder / "credentials.json"
        directory.write_text(json.dumps(make.directory()))
        population.write_text(json.dumps([{"nik": NIK_KNOWN, "name": NAME, "birth_date": "2024-05-01", "sex": "male",
                                           "platform_id": "P20395452616"}]))
        credentials.write_text(json.dumps([{"organization": make.ORGANIZATION, "client_id": "simpul",
                                            "client_secret": "sandbox"}]))
        said = []
        with Sandbox(folder / "sandbox", "--population", population, "--credentials", credentials) as sandbox, \
                Serve(folder / "data", "--directory", directory, "--credentials", credentials,
                      platform=sandbox.url) as serve:
            known = make.weighing(make.event_id("known"), person(NIK_KNOWN))
            unknown = make.weighing(make.event_id("unknown"), person(NIK_UNKNOWN))
            conflict = make.weighing(known["eventId"], person(NIK_KNOWN), weight_g=12345)
            orphan = make.retraction(make.event_id("orphan"), make.weighing(make.event_id("none"), person(NIK_KNOWN)))
            refused = make.weighing(make.event_id("refused"), person(NIK_KNOWN), weight_g=0)
            wrong_nik = make.weighing(make.event_id("wrong-nik"), person(NIK_KNOWN + "9"))
            nik_as_device = {**make.weighing(make.event_id("device"), person(NIK_KNOWN)), "device": {"id": NIK_KNOWN}}
            bad_text = json.dumps(known).replace('"weightG": 11000', f'"weightG": "{NAME} {NIK_KNOWN}"')
            bad_field = json.dumps({**known, NIK_KNOWN: NAME})
            no_json = f'{{"subject": {{"name": "{NAME}", "nik": {NIK_KNOWN}'
            lines = [known, unknown, conflict, orphan, refused, wrong_nik, nik_as_device, bad_text, bad_field, no_json]
            text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines) + "\n"
            for flags in (("--json",), ()):
                pushed = serve.run("push", *flags, "-", input=text, check=False)
                said.append(pushed.stdout + pushed.stderr)
            serve.wait_on_timeline(3)
            traces = serve.wait_settled([known["eventId"], unknown["eventId"]])
            states = {record["state"] for rows in traces.values() for row in rows for record in row["records"]}
            assert states == {"delivered", "held"}, states
            for command in (("trace", known["eventId"], unknown["eventId"], orphan["eventId"]), ("dead-letters",),
                            ("dead-letters", "--waiting"), ("state",), ("resend", "--cause", "patient_unknown"),
                            ("pause",), ("resume",), ("timeline", "--patient", f"nik|{NIK_KNOWN}9"),
                            ("timeline", "--patient", f"nik|{NAME}")):
                for flags in ((), ("--json",)):
                    result = serve.run(*command, *flags, check=False)
                    said.append(result.stdout + result.stderr)
            missing = run("push", "--to", "127.0.0.1:1", "--connect-for", "0", "-", input=text, check=False)
            said.append(missing.stdout + missing.stderr)
            causes = [row["cause"] for row in serve.rows("dead-letters")]
            assert "conflict" in causes, causes
            waiting = serve.rows("dead-letters", "--waiting")
            assert any(orphan["eventId"] in row["event_ids"] for row in waiting), waiting
            for path in ("/metrics", "/readyz", "/livez"):
                said.append(http("GET", serve.admin + path)[1])
            on_timeline = serve.timelines([f"nik|{NIK_KNOWN}"])
            assert NAME in json.dumps(on_timeline), "the canary never lived"
        said.append(serve.output())
        said.append(sandbox.output())
        assert len(serve.output()) > 100, "no log was written"
        for place, text in enumerate(said):
            for canary in CANARIES:
                assert canary not in text, (
                    f"the canary sings in {place}: …{text[max(0, text.index(canary) - 200):][:300]}…")
        for path in (folder / "data").rglob("*"):
            assert not any(canary in path.name for canary in CANARIES), path
        print(f"{len(said)} texts, {sum(map(len, said))} characters, no canary")


if __name__ == "__main__":
    main()
