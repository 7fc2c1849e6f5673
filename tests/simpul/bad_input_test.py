#!/usr/bin/env python3
"""What people get wrong at the command line, and what they are told: the message names the field or place and what to do.

Every message is asserted, and that no answer repeats a value that may be somebody's.
"""
import datetime
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import uuid

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0])
from tests.support.simpul import BINARY, Folder, Sandbox, Serve, run, simulate, wait_until  # noqa: E402

NIK = "7324024101250001"
NAME = "Siti Kenari"


def weighing(**changes):
    """A good event; each change is a path with dots and the value there, None to leave it out."""
    event = {
        "eventId": str(uuid.uuid4()),
        "facility": {"system": "kemenkes", "code": "P7324020101"},
        "unit": {"kind": "UNIT_KIND_POSYANDU", "code": "73.24.02.2003.001"},
        "recorder": {"id": "kader-1", "role": "RECORDER_ROLE_KADER"},
        "subject": {"identities": [{"nik": {"number": NIK}}], "name": NAME, "sex": "SEX_FEMALE",
                    "birthDate": "2025-01-01"},
        "occurredAt": {"time": "2026-02-03T01:15:00Z", "utcOffsetMin": 480, "precision": "TIME_PRECISION_MINUTE"},
        "recordedAt": "2026-02-03T02:00:00Z",
        "purpose": "PURPOSE_PRODUCTION",
        "device": {"id": "hp-1"},
        "visit": {"encounterClass": "ENCOUNTER_CLASS_AMBULATORY", "weightG": 9300},
    }
    for path, value in changes.items():
        place = event
        *parents, last = path.split("__")
        for parent in parents:
            place = place[int(parent)] if parent.isdigit() else place.setdefault(parent, {})
        if value is None:
            del place[last]
        else:
            place[last] = value
    return event


def in_hours(hours):
    then = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)
    return then.strftime("%Y-%m-%dT%H:%M:%SZ")


# What is wrong with an event: its name, the event or line, the field and the rule of the answer.
REFUSALS = [
    ("an enum name that does not exist", weighing(subject__sex="PEREMPUAN"), "subject.sex", "enum.unknown"),
    ("a word that is no enum name", weighing(subject__sex="perempuan"), "subject.sex", "json.value"),
    ("an enum number that does not exist", weighing(subject__sex=77), "subject.sex", "enum.unknown"),
    ("a field that does not exist", weighing(subject__nama=NAME), "subject.nama", "json.unknown_field"),
    ("no subject", weighing(subject=None), "subject", "field.required"),
    ("a NIK of 15 digits", weighing(subject__identities__0__nik__number=NIK[:15]),
     "subject.identities[0].nik.number", "nik.digits"),
    ("weight 0", weighing(visit__weightG=0), "visit.weight_g", "measurement.range"),
    ("900 kg", weighing(visit__weightG=900_000), "visit.weight_g", "measurement.range"),
    ("a time beyond tomorrow", weighing(occurredAt__time=in_hours(26), recordedAt=in_hours(26)), "occurred_at.time",
     "time.too_far_ahead"),
    ("before birth", weighing(subject__birthDate="2026-02-04"), "occurred_at.time", "time.before_birth"),
    ("before 2000", weighing(occurredAt__time="1999-12-31T01:00:00Z"), "occurred_at.time", "time.before_2000"),
    ("an event id that is no UUID", weighing(eventId="posyandu-1"), "event_id", "id.uuid"),
    ("a device id that looks like a NIK", weighing(device__id="7324024101250002"), "device.id", "id.nik_like"),
    ("broken UTF-8", json.dumps(weighing()).encode().replace(NAME.encode(), b"Siti \xc3\x28"), "", "json.utf8"),
    ("JSON that is none", b"Siti Kenari;" + NIK.encode(), "", "json.syntax"),
    ("half an object", json.dumps(weighing()).encode()[:300], "", "json.syntax"),
    ("a list", b"[]", "", "json."),
    ("a line of 2 MiB", json.dumps(weighing(visit__note="x" * (2 << 20))).encode(), "", "json.too_long"),
    ("an event of 70 KiB", weighing(visit__note="x" * (70 << 10)), "", "event.too_large"),
]


def as_line(event):
    return event if isinstance(event, bytes) else json.dumps(event).encode()


def push_bytes(serve, lines):
    return subprocess.run([BINARY, "push", "--to", serve.grpc, "--json", "-"], input=b"\n".join(lines) + b"\n",
                          capture_output=True, timeout=300)


def tells_what_is_wrong_with_each_line_and_takes_the_others(serve):
    lines = []
    for _, event, _, _ in REFUSALS:
        lines += [as_line(event), json.dumps(weighing()).encode()]
    result = push_bytes(serve, lines)
    assert result.returncode == 1, result.returncode
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["line"] for row in rows] == list(range(1, len(lines) + 1)), "answers are in the order of the lines"
    for index, (name, _, field, rule) in enumerate(REFUSALS):
        row = rows[2 * index]
        assert row["outcome"] == "refused", f"{name}: {row}"
        found = [(wrong["field"], wrong["rule"]) for wrong in row["violations"]]
        assert any(f == field and r.startswith(rule) for f, r in found), f"{name}: {found}"
        newer = rule in ("enum.unknown", "json.unknown_field")
        assert row["retry"] == ("after_upgrade" if newer else "final"), f"{name}: {row}"
        for wrong in row["violations"]:
            assert wrong["message"] and wrong["fix"], f"{name}: {wrong}"
        assert rows[2 * index + 1]["outcome"] == "accepted", f"after {name}: {rows[2 * index + 1]}"
        assert rows[2 * index + 1]["position"], "an accepted event has a position"
    for secret in (NIK, NIK[:15], NAME, "PEREMPUAN", "perempuan", "7324024101250002"):
        assert secret.encode() not in result.stdout + result.stderr, "an answer repeats a value"
    told = run("push", "--to", serve.grpc, "-", input=json.dumps(weighing(visit__weightG=0)) + "\n", check=False)
    assert told.returncode == 1
    assert "line 1: refused" in told.stdout and "visit.weight_g" in told.stdout, told.stdout
    assert "0 accepted, 1 refused, 0 unknown" in told.stdout, told.stdout


def warns_of_what_is_doubtful_and_takes_it(serve):
    doubtful = [
        (weighing(subject__birthDate="2025-01-02"), "nik."),
        (weighing(occurredAt__time=in_hours(3), recordedAt=in_hours(3)), "time.ahead"),
    ]
    rows = serve.push([event for event, _ in doubtful])
    for row, (_, rule) in zip(rows, doubtful):
        assert row["outcome"] == "accepted" and not row["violations"], row
        assert any(warning["rule"].startswith(rule) for warning in row["warnings"]), row


def splits_what_is_more_than_a_batch(serve):
    rows = serve.push([weighing() for _ in range(501)])
    assert len(rows) == 501 and all(row["outcome"] == "accepted" for row in rows)


def says_what_is_wrong_with_the_command_line(folder, serve):
    for words, says in (
            ((), "A subcommand is required"),
            (("psuh",), "no command 'psuh'"),
            (("push",), "FILE is required"),
            (("push", "--to", serve.grpc, folder / "none.jsonl"), "none.jsonl cannot be read: No such file"),
            (("push", "--to", serve.grpc, folder), "is a folder; give one of its files"),
            (("push", "--too", "x", "-"), "--too"),
            (("timeline", "--to", serve.grpc, "--patient", "7324"), "nik|"),
            (("timeline", "--to", serve.grpc, "--patient", "nik|7324"), "--patient"),
            (("timeline", "--to", serve.grpc, "--patient", f"nik|{NIK}", "--from", "yesterday"), "RFC 3339"),
            (("timeline", "--to", serve.grpc, "--patient", f"nik|{NIK}", "--kind", "visits"), "--kind: a kind is one of"),
            (("serve", "--data", folder / "x", "--platform", "nonsense"), "--platform: give a URL such as"),
            (("serve", "--data", folder / "x", "--platform", "http://"), "--platform: give a URL such as"),
            (("resend", "--to", serve.grpc), "event ids, or --cause"),
            (("resend", "--to", serve.grpc, "--cause", "nonsense"), "docs/delivery.md"),
            (("dead-letters", "--to", serve.grpc, "--cause", "nonsense"), "docs/delivery.md"),
            (("simulate", "--start", "6 Jan"), "YYYY-MM-DD"),
            (("serve",), "--data is required"),
            (("serve", "--data", folder / "x", "--grpc", "0.0.0.0:0"), "--insecure"),
            (("serve", "--data", folder / "x", "--grpc", "7400"), "HOST:PORT"),
            (("sandbox", "--data", folder / "x", "--http", "0.0.0.0:0"), "--insecure"),
            (("--config", folder / "none.ini", "settings"), "none.ini"),
    ):
        result = run(*words, check=False)
        assert result.returncode == 2, f"{words}: exit {result.returncode} {result.stderr}"
        assert says in result.stderr, f"{words}: {result.stderr}"
        assert NIK not in result.stderr
    assert not (folder / "x").exists(), "wrong use leaves nothing behind"
    for flag in ("--directory", "--population", "--credentials"):
        result = run("simulate", "--patients", 5, flag, folder / "no-such-folder" / "file", check=False)
        assert result.returncode == 1 and "no-such-folder" in result.stderr, result.stderr
        assert result.stdout == "", "events before a file that cannot be written"
    assert run("push", "--help").stdout.startswith("Send events")


def says_that_nobody_answers(folder):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = "127.0.0.1:%d" % free.getsockname()[1]
        for words in (("push", "--connect-for", "0", "-"), ("timeline", "--patient", f"nik|{NIK}"), ("state",),
                      ("trace", str(uuid.uuid4())), ("dead-letters",), ("pause",), ("resume",), ("pull",),
                      ("resend", "--cause", "x")):
            result = run(words[0], "--to", address, *words[1:], input=json.dumps(weighing()) + "\n", check=False)
            assert result.returncode == 1, words
            assert f"no Simpul answers at {address}" in result.stderr and "simpul serve" in result.stderr, result.stderr
            assert NIK not in result.stderr and NAME not in result.stderr
        file = folder / "events.jsonl"
        file.write_text(json.dumps(weighing()) + "\n")
        result = run("push", "--to", address, "--connect-for", "0", file, check=False)
        assert f"tail -n +1 {file} | simpul push --to {address} -" in result.stderr, result.stderr


def says_that_nothing_was_sent_again_or_given_up(folder, serve):
    known = weighing()
    serve.push([known])
    nobodys = str(uuid.uuid4())
    result = run("resend", "--to", serve.grpc, nobodys, check=False)
    assert result.returncode == 1 and nobodys in result.stderr and "unknown" in result.stderr, result.stderr
    result = run("resend", "--to", serve.grpc, known["eventId"], check=False)
    assert result.returncode == 0 and "nothing of these is held or refused" in result.stdout, result.stdout
    result = run("resend", "--to", serve.grpc, known["eventId"], "--give-up", "moved", check=False)
    assert result.returncode == 1 and "0 records given up" in result.stdout, result.stdout


def refuses_a_port_in_use(folder, serve):
    result = run("serve", "--data", folder / "second", "--grpc", serve.grpc, "--admin", "127.0.0.1:0", check=False)
    assert result.returncode == 1 and serve.grpc in result.stderr and "in use" in result.stderr, result.stderr
    assert not (folder / "second" / "log").exists(), "the stores were made first"


def refuses_a_folder_in_use(serve):
    result = run("serve", "--data", serve.data, "--grpc", "127.0.0.1:0", "--admin", "127.0.0.1:0", check=False)
    assert result.returncode == 1, result.stderr
    assert str(serve.data) in result.stderr and "running" in result.stderr, result.stderr


def refuses_a_folder_that_is_not_whole(folder, stopped):
    """`stopped`: the data folder of a Simpul that has ended."""

    def ends(name, change, *says):
        copied = folder / name
        shutil.copytree(stopped, copied)
        change(copied)
        result = run("serve", "--data", copied, "--grpc", "127.0.0.1:0", "--admin", "127.0.0.1:0", check=False)
        assert result.returncode == 1, f"{name}: exit {result.returncode}"
        for words in says:
            assert words in result.stderr, f"{name}: {words!r} is not in {result.stderr}"

    ends("another-version", lambda data: (data / "VERSION").write_text("999"), "VERSION", "999")
    ends("lost-secret", lambda data: (data / "secret").unlink(), "secret")
    ends("other-secret", lambda data: (data / "secret").write_bytes(os.urandom(32)), "secret")
    ends("short-secret", lambda data: (data / "secret").write_bytes(b"short"), "secret")

    other = folder / "other"
    with Serve(other) as serve:
        serve.push([weighing()])
        serve.wait_on_timeline(1)

    def take_timeline(data):
        shutil.rmtree(data / "timeline")
        shutil.copytree(other / "timeline", data / "timeline")

    ends("another-install", take_timeline, "timeline", "install")

    def make_a_sandboxs(data):
        shutil.rmtree(data)
        data.mkdir()
        (data / "resources.journal").write_bytes(b"")

    ends("sandboxs", make_a_sandboxs, "resources.journal", "a folder of its own")


def keeps_what_it_cannot_send(folder):
    lines, events, flags, population = simulate(folder, 3, 20, 31)
    some = [event["eventId"] for event in events if "visit" in event and "homeVisit" not in event["visit"]
            and event["purpose"] == "PURPOSE_PRODUCTION"][:20]
    chosen = [line for line, event in zip(lines, events) if event["eventId"] in some]
    with Serve(folder / "no-platform", *flags) as serve:
        serve.push(chosen)
        serve.wait_on_timeline(len(some))

        def all_wait():
            found = serve.trace(some)
            states = {record["state"] for rows in found.values() for row in rows for record in row["records"]}
            return states == {"waiting"} and all(row["records"] for rows in found.values() for row in rows)
        wait_until("records to wait for a platform", all_wait)
        assert "No --platform" in serve.output()
    wrong = folder / "wrong.json"
    wrong.write_text(json.dumps([{**row, "client_secret": "not-this-one"}
                                 for row in json.loads((folder / "credentials.json").read_text())]))
    with Sandbox(folder / "strict", "--credentials", folder / "credentials.json", "--population", population) as sandbox:
        with Serve(folder / "wrong-credentials", "--directory", folder / "directory.json", "--credentials", wrong,
                   platform=sandbox.url) as serve:
            serve.push(chosen)

            def records():
                return [record for rows in serve.trace(some).values() for row in rows for record in row["records"]]

            def explained():
                found = records()
                return len(found) >= len(some) and all(
                    record["state"] in ("held", "waiting") and record["reason"] == "credentials" for record in found)
            wait_until("every record to say that the credentials are wrong", explained)
            assert any(record["state"] == "held" for record in records())
            assert sandbox.report()["created"] == 0


def ends_cleanly_when_interrupted(serve):
    reading, writing = os.pipe()
    process = subprocess.Popen([BINARY, "push", "--to", serve.grpc, "--json", "-"], stdin=reading,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    os.close(reading)
    os.write(writing, "".join(json.dumps(weighing()) + "\n" for _ in range(3)).encode())
    answered = [json.loads(process.stdout.readline()) for _ in range(3)]
    assert all(row["outcome"] == "accepted" for row in answered)
    process.send_signal(signal.SIGINT)
    _, words = process.communicate(timeout=60)
    os.close(writing)
    assert process.returncode == 1, process.returncode
    assert b"3 accepted, 0 refused, 0 unknown" in words, words
    assert b"lines before 4 are answered" in words and b"counts once" in words, words


def stops_when_asked(folder):
    serve = Serve(folder / "stopping")
    serve.push([weighing()])
    assert serve.stop() == 0
    assert not (serve.data / "ports.json").exists()
    return serve.data


def says_where_settings_come_from(folder):
    file = folder / "simpul.ini"
    file.write_text('to = "127.0.0.1:1111"\n[serve]\ndata = "/from/file"\n')
    rows = {row["setting"]: row for row in map(json.loads, run(
        "--config", file, "settings", "serve", "--json", env={"SIMPUL_ADMIN": "127.0.0.1:2222"}).stdout.splitlines())}
    assert rows["data"]["value"] == "/from/file" and rows["data"]["source"] == f"file {file}", rows["data"]
    assert rows["admin"]["value"] == "127.0.0.1:2222" and rows["admin"]["source"] == "variable SIMPUL_ADMIN"
    assert rows["grpc"]["source"] == "default"
    file.write_text("tto = 1\n")
    result = run("--config", file, "settings", check=False)
    assert result.returncode == 2 and "tto" in result.stderr, result.stderr


def main():
    with Folder() as folder:
        folder = pathlib.Path(folder.path)
        with Serve(folder / "data") as serve:
            for test in (tells_what_is_wrong_with_each_line_and_takes_the_others,
                         warns_of_what_is_doubtful_and_takes_it, splits_what_is_more_than_a_batch,
                         refuses_a_folder_in_use, ends_cleanly_when_interrupted):
                test(serve)
                print("ok", test.__name__)
            for test in (says_what_is_wrong_with_the_command_line, says_that_nothing_was_sent_again_or_given_up,
                         refuses_a_port_in_use):
                test(folder, serve)
                print("ok", test.__name__)
            assert NIK not in serve.output() and NAME not in serve.output(), "the log holds a value"
        refuses_a_folder_that_is_not_whole(folder, stops_when_asked(folder))
        print("ok refuses_a_folder_that_is_not_whole")
        for test in (says_that_nobody_answers, says_where_settings_come_from, keeps_what_it_cannot_send):
            test(folder)
            print("ok", test.__name__)


if __name__ == "__main__":
    main()
