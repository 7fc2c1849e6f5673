"""Writers and a puller who keep journals, and what must hold after the faults have stopped.

It knows only what the commands, the sandbox and Kafka's own consumer answer, nothing of how the program works inside. The
numbers O1 to O9 are those of the checks in the summary that tests/cluster/chaos_test.py prints.
"""
import base64
import collections
import json
import random
import re
import threading

from tests.support.simpul import patient_of, run

BATCH = 40
AGAIN = 8


class Writers:
    """Threads that push: of `lines` the part that `let` allows, again and again what got no answer, and some of what was accepted
    before, so that every fault meets traffic. All events of one patient are one thread's, in one order."""

    def __init__(self, lines, addresses, count, seed):
        self.lock = threading.Lock()
        self.part = 0.0
        self.accepted = set()  # event ids
        self.acknowledged = {}  # (partition, position) -> event id, of every answer
        self.journal = Journal()
        self.done = threading.Event()
        self.failures = []
        shares = [[] for _ in range(count)]
        patients = {}
        for line in lines:
            event = json.loads(line)
            patient = patient_of(event)
            share = shares[patients.setdefault(patient, len(patients) % count)]
            share.append((line, event["eventId"], patient))
        self.threads = [threading.Thread(target=self.write, args=(addresses, share, random.Random(seed + n)))
                        for n, share in enumerate(shares)]
        for thread in self.threads:
            thread.start()

    def let(self, part):
        """From now on the writers push this part of their lines, 0 to 1."""
        self.part = part

    def write(self, addresses, share, rng):
        try:
            number = 0
            known = set()
            while not self.done.wait(rng.uniform(0, 0.3)):
                allowed = share[:int(len(share) * self.part)]
                waiting = [row for row in allowed if row[1:] not in known][:BATCH]
                before = [row for row in allowed if row[1:] in known]
                batch = waiting + rng.sample(before, min(len(before), AGAIN))
                if not batch:
                    continue
                number += 1
                with self.lock:
                    for line, row in enumerate(batch):
                        self.journal.sent(row[2], row[1], number, line)
                result = run("push", "--to", rng.choice(addresses), "--json", "--give-up-after", "5", "-",
                             input="\n".join(row[0] for row in batch) + "\n", check=False)
                answers = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
                with self.lock:
                    for answer in answers:
                        assert answer["outcome"] != "refused", f"refused: {answer}"
                        if answer["outcome"] == "accepted":
                            row = batch[answer["line"] - 1]
                            assert row[1] == answer["event_id"], answer
                            known.add(row[1:])
                            self.accepted.add(row[1])
                            self.acknowledged[place_of(answer["position"])] = row[1]
                            self.journal.acknowledged(row[2], row[1], number, place_of(answer["position"]))
        except Exception as error:  # noqa: BLE001 - raised by check and stop
            self.failures.append(error)

    def check(self):
        if self.failures:
            raise self.failures[0]

    def stop(self):
        self.done.set()
        for thread in self.threads:
            thread.join()


def place_of(token):
    """(partition, position) of a position token, as docs/formats.md has it."""
    read = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    return int.from_bytes(read[4:6], "big"), int.from_bytes(read[6:14], "big")


class Journal:
    """When each event was first sent and first acknowledged, by patient, in the order of the one who sent it."""

    def __init__(self):
        self.events = collections.defaultdict(dict)  # patient -> event id -> [send, line, send that was acknowledged, place]

    def sent(self, patient, event_id, send, line):
        self.events[patient].setdefault(event_id, [send, line, None, None])

    def acknowledged(self, patient, event_id, send, place):
        event = self.events[patient][event_id]
        if event[2] is None:
            event[2:] = [send, place]

    def out_of_order(self, log):
        """O7: of one patient's events that were sent one after the other those that stand on the log the other way round."""
        wrong = []
        for events in self.events.values():
            known = [(event_id, *event) for event_id, event in events.items() if event[2] is not None]
            for a, send_a, line_a, answered_a, place_a in known:
                for b, send_b, line_b, answered_b, place_b in known:
                    # An event was sent after another that was acknowledged by then, or behind it in one batch that was whole.
                    after = answered_a < send_b or (send_a == answered_a == send_b == answered_b and line_a < line_b)
                    if after and log.first(place_a, a) > log.first(place_b, b):
                        wrong.append((a, b))
        return wrong


class Log:
    """What Kafka's own consumer reads of the events: where each id stands, under which key."""

    def __init__(self, lines):
        self.at = {}  # (partition, position) -> (key, event id)
        self.firsts = {}  # (partition, key, event id) -> position
        for line in lines:
            row = re.match(r"Partition:(\d+)\tOffset:(\d+)\t([^\t]*)\t(.*)", line)
            if row is None:
                continue
            partition, position = int(row[1]), int(row[2])
            found = re.search(r"\bce_id:([^,]+)", row[3])
            if found:
                self.at[partition, position] = row[4], found[1]
                self.firsts.setdefault((partition, row[4], found[1]), position)

    def first(self, place, event_id):
        """Where an event stands for the first time under the key that it has at a place."""
        return self.firsts[place[0], self.at[place][0], event_id]

    def lost(self, acknowledged):
        """O1: what does not stand where it was acknowledged."""
        return [(place, event_id) for place, event_id in acknowledged.items()
                if self.at.get(place, (None, None))[1] != event_id]


def read_log(kafka_tool):
    """`kafka_tool` runs a tool of Kafka's and gives its output."""
    return Log(kafka_tool("consumer.ConsoleConsumer", "--topic", "simpul.events.v1", "--from-beginning", "--timeout-ms", 8000,
                          *(word for name in ("partition", "offset", "headers", "key")
                            for word in ("--property", f"print.{name}=true")), "--property", "print.value=false",
                          "--property", "key.deserializer=org.apache.kafka.common.serialization.BytesDeserializer"))


class Puller:
    """Someone who pulls on from the last cursor kept, whatever dies meanwhile."""

    def __init__(self, address):
        self.address = address
        self.rows = []  # (record id, revision)
        self.cursor = None
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.follow)
        self.thread.start()

    def pull(self, check=False):
        """One pull to the end, of which some may come."""
        result = run("pull", "--to", self.address, "--json", *(("--after", self.cursor) if self.cursor else ()), check=check)
        for line in result.stdout.splitlines(keepends=True):
            if line.endswith("\n"):
                row = json.loads(line)
                self.rows.append((row["record_id"], row["revision"]))
                self.cursor = row["cursor"]

    def follow(self):
        while not self.done.wait(0.3):
            self.pull()

    def stop(self):
        self.done.set()
        self.thread.join()


def misread(pulled, whole):
    """O9: what pages pulled one after the other have otherwise than one pull of everything."""
    wrong = [f"not pulled: {row}" for row in set(whole) - set(pulled)]
    wrong += [f"pulled and not there: {row}" for row in set(pulled) - set(whole)]
    wrong += [f"pulled {count} times: {row}" for row, count in collections.Counter(pulled).items() if count > 1]
    last = {}
    for record, revision in pulled:
        if revision <= last.get(record, 0):
            wrong.append(f"pulled backwards: revision {revision} of {record} after {last[record]}")
        last[record] = revision
    return wrong


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
