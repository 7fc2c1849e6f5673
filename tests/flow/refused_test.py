#!/usr/bin/env python3
"""One record's trouble stays its own: what is refused or held, what goes on, and what ends the trouble."""
import json
import sys

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0])
from tests.support import events as make  # noqa: E402
from tests.support.simpul import Folder, Sandbox, Serve, http, wait_until  # noqa: E402


def records(trace, event):
    return [record for row in trace[event["eventId"]] for record in row["records"]]


def last(trace, event):
    return max(records(trace, event), key=lambda record: record["revision"])


def refuse_next(sandbox, text="Code not found: 'x' in system: y (RuleNumber: 10003)"):
    status, _ = http("POST", sandbox.url + "/sandbox/v1/faults", json.dumps(
        {"match": {"method": "POST", "path": "/fhir-r4/v1"}, "fault": {"issue": {"code": "value", "text": text}},
         "times": 1}))
    assert status in (200, 201), status


def main():
    with Folder() as folder:
        directory, credentials = folder / "directory.json", folder / "credentials.json"
        directory.write_text(json.dumps(make.directory(practitioner=False)))
        credentials.write_text(json.dumps([{"organization": make.ORGANIZATION, "client_id": make.ORGANIZATION,
                                            "client_secret": "sandbox"}]))
        with Sandbox(folder / "sandbox", "--no-duplicate-check") as sandbox, \
                Serve(folder / "data", "--directory", directory, "--credentials", credentials,
                      platform=sandbox.url) as serve:
            a, b = make.child(1), make.child(2)

            # Held until the directory knows who answers, then sent in order.
            visits = [make.checkup(make.event_id("held", i), a, minutes=10 * i) for i in range(4)]
            serve.push(visits)
            trace = serve.wait_settled([visit["eventId"] for visit in visits])
            for visit in visits:
                assert last(trace, visit)["state"] == "held", last(trace, visit)
                assert last(trace, visit)["reason"] == "practitioner_unknown", last(trace, visit)
            assert sandbox.resources() == [], "something was sent without a practitioner"
            directory.write_text(json.dumps(make.directory()))
            planned = serve.rows("resend", "--cause", "practitioner_unknown", "--dry-run")
            assert {row["record_id"] for row in planned} <= {last(trace, visit)["record_id"] for visit in visits}
            serve.run("resend", "--cause", "practitioner_unknown")

            def delivered():
                now = serve.trace([visit["eventId"] for visit in visits])
                return now if all(last(now, visit)["state"] == "delivered" for visit in visits) else None
            wait_until("the held records to be delivered", delivered)
            starts = [r["period"]["start"] for r in sandbox.resources("Encounter")]
            assert starts == sorted(starts) and len(starts) == 4, f"not in order: {starts}"

            # A refused record: the patient's other records, and other patients', go on.
            refuse_next(sandbox)
            bad = make.weighing(make.event_id("bad"), a, minutes=100)
            serve.push([bad])
            trace = serve.wait_settled([bad["eventId"]])
            assert last(trace, bad)["state"] == "refused", last(trace, bad)
            assert "10003" in last(trace, bad)["platform_says"], "the platform's own words are missing"
            others = [make.checkup(make.event_id("after"), a, minutes=110), make.checkup(make.event_id("b"), b)]
            serve.push(others)
            trace = serve.wait_settled([event["eventId"] for event in others])
            assert all(last(trace, event)["state"] == "delivered" for event in others), trace
            rows = serve.rows("dead-letters")
            assert any(bad["eventId"] in row["event_ids"] for row in rows), rows

            # The correction goes out in its place.
            right = make.correction(make.event_id("right"), bad, minutes=130,
                                    visit={**bad["visit"], "weightG": 11500})
            serve.push([right])
            trace = serve.wait_settled([bad["eventId"], right["eventId"]])
            assert [record["state"] for record in sorted(records(trace, bad), key=lambda r: r["revision"])] == [
                "superseded", "delivered"], records(trace, bad)
            assert last(trace, right)["record_id"] == last(trace, bad)["record_id"]
            weights = [r["valueQuantity"]["value"] for r in sandbox.resources("Observation")
                       if r["code"]["coding"][0]["code"] == "29463-7"]
            assert weights.count(11.5) == 1, weights

            # A referral is taken back: the platform's is entered in error, the visit's Encounter stays.
            referral = {**make.envelope(make.event_id("referral"), b, minutes=150, visit=others[1]["eventId"]),
                        "referral": {"number": "RJ-1", "state": "REFERRAL_STATE_SENT", "from": make.FACILITY,
                                     "to": make.HOSPITAL, "reason": "berat badan tidak naik",
                                     "urgency": "URGENCY_ROUTINE"}}
            serve.push([referral])
            trace = serve.wait_settled([referral["eventId"]])
            assert last(trace, referral)["state"] == "delivered", last(trace, referral)
            back = make.retraction(make.event_id("back"), referral, minutes=160)
            serve.push([back])
            trace = serve.wait_settled([referral["eventId"], back["eventId"]])
            assert last(trace, back)["state"] == "delivered", last(trace, back)
            assert [r["status"] for r in sandbox.resources("ServiceRequest")] == ["entered-in-error"]
            assert sum(r["status"] == "entered-in-error" for r in sandbox.resources("Encounter")) == 0

            # Giving up ends the trouble and is recorded.
            refuse_next(sandbox)
            lost = make.checkup(make.event_id("lost"), b, minutes=200)
            serve.push([lost])
            trace = serve.wait_settled([lost["eventId"]])
            assert last(trace, lost)["state"] == "refused", last(trace, lost)
            serve.run("resend", "--give-up", "data lama", lost["eventId"])

            def given_up():
                record = last(serve.trace([lost["eventId"]]), lost)
                return record if record["state"] != "refused" else None
            record = wait_until("the record to be given up", given_up)
            assert record["state"] == "not_sent" and "data lama" in json.dumps(record), record
            assert not any(lost["eventId"] in row["event_ids"] for row in serve.rows("dead-letters"))
            before = serve.state()[1]["ledger_checksum"]
            assert sandbox.report()["created_twice"] == []

            # All of it is on the log: after a restart it still holds.
            serve.stop()
            with Serve(folder / "data", "--directory", directory, "--credentials", credentials,
                       platform=sandbox.url) as again:
                assert last(again.trace([lost["eventId"]]), lost)["state"] == "not_sent"
                assert again.state()[1]["ledger_checksum"] == before
            print("held, refused, corrected, given up: each ended as it should")


if __name__ == "__main__":
    main()
