#!/usr/bin/env python3
"""An event that ends the program: twice, then its partition stands still and says so; left out, everybody goes on.

On one machine, and on a real broker with two timeline replicas. Needs a build with crash points (asan, dev).
"""
import shutil
import sys

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0])
from deploy.processes import free_ports  # noqa: E402
from tests.support import events as make  # noqa: E402
from tests.support.kafka import Kafka  # noqa: E402
from tests.support.simpul import Folder, Serve, http, patient_of, run, wait_until  # noqa: E402

CHILDREN = 40
EVENTS = [make.weighing(make.event_id("child", n, visit), make.child(n + 1), 9000 + visit, minutes=visit)
          for visit in range(3) for n in range(CHILDREN)]
BAD = EVENTS[CHILDREN + 7]
OTHERS = [event for event in EVENTS if event is not BAD]
LATER = [make.weighing(make.event_id("later", n), make.child(n + 1), minutes=99) for n in range(CHILDREN)]
HALF_MADE = {"SIMPUL_CRASH_AT": "between_hold_and_quarantine"}
DEADLY = {"SIMPUL_CRASH_ON": f"project:{BAD['eventId']}"}


def why_not_ready(serve):
    """The line of /readyz about a partition that stands still; nothing while there is none."""
    try:
        status, text = http("GET", serve.admin + "/readyz")
    except OSError:
        return ""
    lines = [line for line in text.splitlines() if "stands still" in line]
    return lines[0] if status == 503 and lines else ""


def start_until_it_stands(start, env=None):
    """Starts it again whenever it dies. The process, how often it died, and what it says."""
    deaths = 0
    while True:
        serve = start(env={**DEADLY, **(env or {})}, ready=False, doomed=True)
        wait_until("death or standstill", lambda: serve.process.poll() is not None or why_not_ready(serve))
        if serve.process.poll() is None:
            return serve, deaths, why_not_ready(serve)
        assert serve.process.returncode == 137, serve.output()[-3000:]
        deaths += 1
        assert deaths <= 3, serve.output()[-3000:]


def place_in(line):
    """PARTITION:POSITION as the line tells an operator to write it."""
    return line.split("--quarantine ")[1].split()[0]


def stopped(serve):
    state = serve.ask(lambda *args: run(*args, check=False), "state")
    assert state.returncode == 1 and "stands still" in state.stderr, state
    return state.stderr


def quarantine(door, place, *flags, check=True):
    return door.run("dead-letters", "--quarantine", place, *flags, check=check)


def others_go_on(door, partition, bad_patient):
    """Patients of every other partition have all their events."""
    patients = sorted({patient_of(event) for event in EVENTS})

    def served():
        return [patient for patient in patients if patient != bad_patient and
                len(door.run("timeline", "--patient", patient, "--json", check=False).stdout.splitlines()) >= 3]
    wait_until(f"most patients to be served while {partition} stands", lambda: len(served()) > CHILDREN // 2)


def on_one_machine(folder):
    data = folder / "one"
    serve = Serve(data, env=DEADLY, doomed=True)
    serve.push(EVENTS, "--give-up-after", "3", check=False)
    assert wait_until("the death", lambda: serve.process.poll() is not None) and serve.process.returncode == 137
    serve, deaths, line = start_until_it_stands(lambda **how: Serve(data, **how), HALF_MADE)
    assert deaths in (1, 2), deaths
    place = place_in(line)
    partition, position = map(int, place.split(":"))
    assert f"partition {partition}" in stopped(serve) and "delete " in line and ".note and start again" in line, line
    serve.push(OTHERS + LATER)  # intake goes on
    others_go_on(serve, partition, patient_of(BAD))
    for wrong, why in ((("--reason", " "), "needs --reason"), ((), "needs --reason"), (("--reason", "x", "--waiting"), "do not go with")):
        refused = quarantine(serve, place, *wrong, check=False)
        assert refused.returncode == 2 and why in refused.stderr, refused
    assert quarantine(serve, "3-4", "--reason", "x", check=False).returncode == 2
    for wrong, why in ((f"{partition}:0", "install record"), (f"{partition}:9999", "ends before position 9999"),
                       ("24:1", "there is no partition 24"), (f"{partition}:{position - 1}", "has applied it")):
        refused = quarantine(serve, wrong, "--reason", "x", check=False)
        assert refused.returncode != 0 and why in refused.stderr, refused
    died = run("dead-letters", "--to", serve.grpc, "--quarantine", place, "--reason", "ends the program", check=False)
    assert died.returncode == 1 and serve.process.wait() == 137, died
    assert list(data.glob("timeline/*.hold")), "the hold did not outlive the process"
    serve, again, line = start_until_it_stands(lambda **how: Serve(data, **how))
    assert again == 0 and place_in(line) == place, line
    assert "is left out" in quarantine(serve, place, "--reason", "ends the program", "--by", "sari").stdout
    serve.wait_ready()
    assert not list(data.glob("timeline/*.hold"))
    assert "had been left out before" in quarantine(serve, place, "--reason", "again").stdout
    check_left_out(serve, serve)
    whole = serve.state()[1]
    assert serve.stop() == 0
    for kept in ("timeline", "forwarder"):
        shutil.rmtree(data / kept)
    with Serve(data) as serve:
        wait_until("the same state", lambda: serve.state()[1]["events"] == whole["events"])
        again = serve.state()[1]
        assert (again["checksum"], again["dead_letters"]) == (whole["checksum"], whole["dead_letters"]), (again, whole)
        check_left_out(serve, serve)
        # A program that it does not end takes it when the clinic sends it again.
        serve.push([BAD])
        serve.wait_on_timeline(whole["events"] + 1)
    return deaths, whole["checksum"]


def check_left_out(timeline, forwarder):
    """What was left out is among the dead letters, and a trace says so."""
    def letters():
        return [row for row in forwarder.rows("dead-letters", "--cause", "quarantined")]
    rows = wait_until("the dead letter", letters)
    assert len(rows) == 1 and rows[0]["event_ids"] == [BAD["eventId"]], rows
    assert "ends the program" in rows[0]["message"] and rows[0]["fix"], rows
    traced = forwarder.trace([BAD["eventId"]])[BAD["eventId"]]
    assert "dead_letter" in [row.get("state") for row in traced], traced
    shown = timeline.run("timeline", "--patient", patient_of(BAD), "--json").stdout
    assert BAD["eventId"] not in shown and shown


def on_kafka(folder, checksum_alone):
    with Kafka(folder / "brokers") as kafka:
        secret = folder / "secret"
        run("topics", "--kafka", kafka.bootstrap, "--secret", secret, "--create", "--replicas", 1)
        log = ("--log", "kafka", "--kafka", kafka.bootstrap, "--secret", secret, "--accept-single-copy")
        addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]

        def timeline(number, **how):
            return Serve(folder / f"timeline-{number}", "timeline", *log, "--replicas", 2, "--replica", number,
                         "--peers", ",".join(addresses), grpc=addresses[number], **how)
        with Serve(folder / "ingest", "ingest", *log) as ingest, Serve(folder / "forwarder", "forwarder", *log) as forwarder:
            ingest.push(EVENTS)
            first, deaths, line = start_until_it_stands(lambda **how: timeline(0, **how))
            assert deaths in (2, 3), deaths
            place = place_in(line)
            partition = int(place.split(":")[0])
            others_go_on(first, partition, patient_of(BAD))
            refused = quarantine(first, place, "--reason", "ends the program", check=False)
            assert refused.returncode == 1 and "replica 1 does not" in refused.stderr, refused
            assert "Nothing was recorded" in refused.stderr, refused

            second, _, line = start_until_it_stands(lambda **how: timeline(1, **how))
            assert place_in(line) == place, line
            done = quarantine(second, place, "--reason", "ends the program", "--json")
            assert '"already":false' in done.stdout and '"behind":[]' in done.stdout, done
            for serve in (first, second):
                serve.wait_ready()
            ingest.push(OTHERS + LATER)
            first.wait_on_timeline(len(OTHERS) + len(LATER))
            check_left_out(second, forwarder)
            assert "had been left out before" in quarantine(first, place, "--reason", "again").stdout

            # A replica without its folder, by a program that the event would not end.
            first.kill()
            shutil.rmtree(folder / "timeline-0" / "timeline")
            first = timeline(0)

            def same():
                rows, whole = second.state()
                owners = [owner for row in rows for owner in row["owners"]]
                whole_again = all(len({(o["position"], o["checksum"]) for o in row["owners"]}) == 1 for row in rows)
                return len(owners) == 48 and whole_again and whole
            whole = wait_until("both owners of all partitions to agree", same)
            assert whole["events"] == len(OTHERS) + len(LATER), whole
            for serve in (first, second):
                assert serve.stop() == 0
    assert whole["checksum"] == checksum_alone, (whole["checksum"], checksum_alone)
    return deaths


def main():
    with Folder() as folder:
        deaths, checksum = on_one_machine(folder)
        print(f"one machine: stood still after {deaths + 1} deaths, went on without the event, {checksum} again after a rebuild")
        deaths = on_kafka(folder, checksum)
        print(f"Kafka: a replica stood still after {deaths} deaths, both went on without the event, the same checksum")


if __name__ == "__main__":
    main()
