#!/usr/bin/env python3
"""`serve` is killed with -9 at random moments while four writers push.

Afterwards no acknowledged event is lost, none stands twice on a timeline, and nothing was created twice at the platform,
whose duplicate check is off. The oracle knows only what the commands and the sandbox answer.

  tests/crash/kill_test.py [KILLS [SEED]]
"""
import json
import random
import sys
import threading

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0])
from tests.support.simpul import Folder, Sandbox, Serve, patient_of, run, simulate  # noqa: E402

WRITERS = 4
BATCH = 40


class Journal:
    """What the writers sent and what was answered."""

    def __init__(self):
        self.lock = threading.Lock()
        self.accepted = {}  # event id -> line
        self.done = threading.Event()


def write(address, lines, journal, rng, failures):
    """Pushes until every line is accepted: again and again what got no answer."""
    try:
        while not journal.done.is_set():
            waiting = [line for line in lines if json.loads(line)["eventId"] not in journal.accepted]
            if not waiting:  # all is acknowledged: go on pushing duplicates, so that every kill meets traffic
                waiting = rng.sample(lines, min(len(lines), BATCH))
            batch = waiting[:BATCH]
            result = run("push", "--to", address, "--json", "--give-up-after", "5", "-", input="\n".join(batch) + "\n",
                         check=False)
            answers = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
            with journal.lock:
                for answer in answers:
                    assert answer["outcome"] != "refused", f"refused: {answer}"
                    if answer["outcome"] == "accepted":
                        journal.accepted[answer["event_id"]] = True
    except Exception as error:  # noqa: BLE001 - reported by main
        failures.append(error)


def main():
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    rng = random.Random(seed)
    with Folder() as folder:
        lines, events, flags, population = simulate(folder, seed, 400, 200)
        rng.shuffle(lines)
        with Sandbox(folder / "sandbox", "--population", population, "--no-duplicate-check") as sandbox:
            flags = (*flags, "--request-limit", "2s")
            serve = Serve(folder / "data", *flags, platform=sandbox.url)
            address = serve.grpc
            journal, failures = Journal(), []
            writers = [threading.Thread(target=write, args=(address, lines[i::WRITERS], journal,
                                                            random.Random(seed + i), failures))
                       for i in range(WRITERS)]
            for writer in writers:
                writer.start()
            moment = threading.Event()
            try:
                for kill in range(kills):
                    moment.wait(rng.uniform(0, 0.8))
                    serve.kill()
                    # Half of the time it may be killed again before it is ready.
                    serve = Serve(folder / "data", *flags, platform=sandbox.url, grpc=address, ready=rng.random() < 0.5)
                    assert not failures, failures[0]
                serve.wait_ready()
            finally:
                journal.done.set()
                for writer in writers:
                    writer.join()
            assert not failures, failures[0]
            with serve:
                acknowledged_under_fire = len(journal.accepted)
                serve.push(lines)  # what was never answered is sent now
                judge(serve, sandbox, events, journal)
            print(f"{kills} kills, seed {seed}: {acknowledged_under_fire} events acknowledged between them, "
                  f"{len(events)} in all; none lost, none twice")


def judge(serve, sandbox, events, journal):
    ids = sorted({event["eventId"] for event in events})
    traces = serve.wait_settled(ids)
    for event_id in journal.accepted:
        assert traces.get(event_id), f"acknowledged and lost: {event_id}"
    # Exactly once on a timeline: as a member, or as an amendment of one, or waiting for its original.
    stands = {}
    for row in serve.timelines(sorted({patient_of(event) for event in events})):
        for event_id in row["event_ids"]:
            stands[event_id] = stands.get(event_id, 0) + 1
        for event in row["events"]:
            for amendment in event.get("amendments", []):
                stands[amendment["event_id"]] = stands.get(amendment["event_id"], 0) + 1
    expected = {}
    for event_id, patient in {(event["eventId"], patient_of(event)) for event in events}:
        expected[event_id] = expected.get(event_id, 0) + 1
    for event_id, count in expected.items():
        states = [row["state"] for row in traces[event_id]]
        off = sum(state in ("waiting_for_original", "dead_letter") for state in states)
        assert stands.get(event_id, 0) == count - off, (
            f"{event_id} stands {stands.get(event_id, 0)} times on timelines, not {count - off}; {states}")
    report = sandbox.report()
    assert report["created"] > len(events), f"only {report['created']} resources were created"
    assert report["created_twice"] == [], f"created twice: {report['created_twice'][:5]}"
    # What the ledger calls delivered is at the platform.
    there = {f"{r['resourceType']}/{r['id']}" for r in sandbox.resources()}
    for rows in traces.values():
        for row in rows:
            for record in row["records"]:
                if record["state"] == "delivered":
                    missing = [p for p in record["platform_ids"] if p not in there]
                    # Of what was taken back nothing stands there any more.
                    told = record["platform_ids"] or record["reason"] == "withdrawn"
                    assert told and not missing, f"delivered but not there: {record}"


if __name__ == "__main__":
    main()
