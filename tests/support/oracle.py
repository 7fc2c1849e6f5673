"""Writers who keep a journal, and what must hold after the faults have stopped.

It knows only what the commands and the sandbox answer, nothing of how the program works inside.
"""
import json
import random
import threading

from tests.support.simpul import patient_of, run

BATCH = 40


class Writers:
    """Threads that push until every line is accepted, again and again what got no answer; then duplicates, so that every
    fault meets traffic. `accepted` are the ids of what was answered so."""

    def __init__(self, lines, addresses, count, seed):
        self.lock = threading.Lock()
        self.accepted = set()
        self.done = threading.Event()
        self.failures = []
        self.threads = [threading.Thread(target=self.write, args=(addresses, lines[n::count], random.Random(seed + n)))
                        for n in range(count)]
        for thread in self.threads:
            thread.start()

    def write(self, addresses, lines, rng):
        try:
            while not self.done.is_set():
                waiting = [line for line in lines if json.loads(line)["eventId"] not in self.accepted]
                batch = (waiting or rng.sample(lines, min(len(lines), BATCH)))[:BATCH]
                result = run("push", "--to", rng.choice(addresses), "--json", "--give-up-after", "5", "-",
                             input="\n".join(batch) + "\n", check=False)
                answers = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
                with self.lock:
                    for answer in answers:
                        assert answer["outcome"] != "refused", f"refused: {answer}"
                        if answer["outcome"] == "accepted":
                            self.accepted.add(answer["event_id"])
        except Exception as error:  # noqa: BLE001 - raised by check and stop
            self.failures.append(error)

    def check(self):
        if self.failures:
            raise self.failures[0]

    def stop(self):
        self.done.set()
        for thread in self.threads:
            thread.join()


def judge(serve, sandbox, events, accepted):
    """`serve` and `sandbox` are asked; `accepted` are the ids that were acknowledged."""
    ids = sorted({event["eventId"] for event in events})
    traces = serve.wait_settled(ids)
    for event_id in accepted:
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
