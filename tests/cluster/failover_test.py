#!/usr/bin/env python3
"""One of three timeline replicas after the other is killed while clinics push and others read, steadily: no write fails, whoever reads
is answered by the replicas that are left, and every answer says how many records it is behind the log.

  tests/cluster/failover_test.py [--reads-within SECONDS] [--brokers 1|3]

It prints how long reads went without an answer at the most; with --reads-within it fails when that was longer."""
import argparse
import itertools
import json
import random
import subprocess
import sys
import threading
import time

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0])
from tests.support.processes import Processes  # noqa: E402
from tests.support.simpul import BINARY, Folder, patient_of, run, wait_until  # noqa: E402

READS_AROUND = 60  # of each reader, before and after each kill
BATCH = 20


class Reader:
    """Reads one patient after the other from one replica, on one connection, and again at once when there was no answer."""

    def __init__(self, name, address, entries, seed):
        self.name, self.address = name, address
        self.entries = entries  # patient -> how many there are: no more come
        self.rng = random.Random(seed)
        self.answered = 0
        self.behind = 0  # the most that an answer said
        self.longest = 0.0  # seconds from a question until its answer, however often it was asked
        self.failures = []
        self.done = threading.Event()
        self.process = None
        self.thread = threading.Thread(target=self.read)
        self.thread.start()

    def read(self):
        try:
            while not self.done.is_set():
                patient = self.rng.choice(sorted(self.entries))
                began = time.monotonic()
                while not self.done.is_set() and not self.ask(patient):
                    pass
                self.longest = max(self.longest, time.monotonic() - began)
                self.answered += 1
        except Exception as error:  # noqa: BLE001 - raised by check
            self.failures.append(error)
        finally:
            self.close()

    def ask(self, patient):
        """Whether there was an answer."""
        if self.process is None:
            self.process = subprocess.Popen([BINARY, "timeline", "--to", self.address, "--json", "--patient", "-"], text=True,
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            self.process.stdin.write(patient + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return self.lost()
        for _ in range(self.entries[patient]):
            line = self.process.stdout.readline()
            if not line:
                return self.lost()
            row = json.loads(line)
            assert row["patient"] == patient, f"{self.name} was asked for one patient and gave another"
            self.behind = max(self.behind, row["records_behind"])
        return True

    def lost(self):
        said = self.process.stderr.read()
        self.close()
        assert "try again" in said.lower() or "no simpul answers" in said.lower(), f"{self.name}: {said}"
        return False

    def close(self):
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def stop(self):
        self.done.set()
        self.thread.join()


class Writer:
    """Pushes batches, each through another ingest, once: what fails has failed. After the last they come again."""

    def __init__(self, addresses, lines):
        self.batches = itertools.cycle([lines[at:at + BATCH] for at in range(0, len(lines), BATCH)])
        self.addresses = addresses
        self.written = 0
        self.refused = []
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.write)
        self.thread.start()

    def write(self):
        turn = 0
        while not self.done.is_set():
            batch = next(self.batches)
            turn += 1
            result = run("push", "--to", self.addresses[turn % len(self.addresses)], "--json", "--give-up-after", "0", "-",
                         input="\n".join(batch) + "\n", check=False)
            rows = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
            self.written += len(batch)
            self.refused += [row for row in rows if row["outcome"] != "accepted"]
            if len(rows) < len(batch):
                self.refused.append({"without an answer": len(batch) - len(rows), "why": result.stderr[-300:]})

    def stop(self):
        self.done.set()
        self.thread.join()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reads-within", type=float)
    parser.add_argument("--brokers", type=int, choices=(1, 3), default=1)
    args = parser.parse_args()
    with Folder() as folder, Processes(folder / "cluster", "--brokers", args.brokers, "--patients", 600) as cluster:
        by_patient = {}
        for line, event in zip(cluster.lines(), cluster.events):
            by_patient.setdefault(patient_of(event), []).append(line)
        patients = sorted(by_patient)
        known, coming = patients[:100], patients[100:]
        cluster.door("ingest-0").push([line for patient in known for line in by_patient[patient]])
        asked = [(patient, line) for patient in known for line in by_patient[patient]]
        cluster.wait_settled(sorted({json.loads(line)["eventId"] for _, line in asked}))
        entries = {}
        for row in cluster.timelines(known):
            entries[row["patient"]] = entries.get(row["patient"], 0) + 1
        readers = [Reader(name, cluster.door(name).grpc, entries, n) for n, name in enumerate(cluster.names("timeline"))]
        writer = Writer([f"127.0.0.1:{cluster.ports[name][0]}" for name in cluster.names("ingest")],
                        [line for patient in coming for line in by_patient[patient]])
        try:
            longest = strike(cluster, readers, writer)
        finally:
            writer.stop()
            for reader in readers:
                reader.stop()
        for reader in readers:
            assert not reader.failures, reader.failures[0]
        assert not writer.refused, f"{len(writer.refused)} writes failed: {writer.refused[:3]}"
        behind = max(reader.behind for reader in readers)
        print(f"{len(readers)} replicas killed, one after the other; {writer.written} events written, 0 failed; "
              f"{sum(reader.answered for reader in readers)} reads answered, at the most {longest * 1000:.0f} ms without an answer "
              f"from those that were left, at the most {behind} records behind the log")
        if args.reads_within is not None:
            assert longest < args.reads_within, f"reads went {longest:.2f} s without an answer"


def strike(cluster, readers, writer):
    """The longest that a reader of a replica that was left waited for an answer."""
    longest = 0.0
    for victim in readers:
        others = [reader for reader in readers if reader is not victim]
        go_on(readers, writer)
        for reader in others:
            reader.longest = 0.0
        cluster.kill(victim.name)
        go_on(others, writer)
        longest = max(longest, *(reader.longest for reader in others))
        cluster.up()
    go_on(readers, writer)
    return longest


def go_on(readers, writer):
    before = {reader: reader.answered for reader in readers}
    written = writer.written
    wait_until("reads to be answered", lambda: any(reader.failures for reader in readers) or all(
        reader.answered >= before[reader] + READS_AROUND for reader in readers))
    for reader in readers:
        if reader.failures:
            raise reader.failures[0]
    wait_until("writes to go on", lambda: writer.written > written)


if __name__ == "__main__":
    main()
