#!/usr/bin/env python3
"""Many events pushed to a cluster of processes: all on timelines, settled, nothing created twice, owners equal; and the
content checksum is that of one machine with the same events, and of that machine's log copied to other topics.

  tests/cluster/large_test.py [--patients N] [--brokers 1|3]      54,000 patients are a little over 100,000 events
"""
import argparse
import sys
import time

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0])
from tests.support.kafka import Cluster, Kafka  # noqa: E402
from tests.support.processes import Processes  # noqa: E402
from tests.support.simpul import Folder, Serve, rows, wait_until  # noqa: E402

PATIENCE_S = 1800
SAME = ("events", "entries", "checksum", "waiting", "dead_letters")


STATES = ("delivered", "held", "refused", "superseded", "not_sent")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=2000)
    parser.add_argument("--brokers", type=int, choices=(1, 3), default=1)
    args = parser.parse_args()
    with Folder() as folder:
        with Processes(folder / "cluster", "--brokers", args.brokers, "--patients", args.patients) as cluster:
            ids = {event["eventId"] for event in cluster.events}
            began = time.monotonic()
            cluster.door("ingest-1").push(cluster.lines(), check=False)
            pushed = time.monotonic()
            timeline = cluster.door("timeline-2")
            wait_until("all on timelines", lambda: timeline.state()[1]["events"] >= len(ids), PATIENCE_S)
            shown = time.monotonic()
            forwarder = cluster.door("forwarder-0")
            wait_until("all settled", lambda: not forwarder.state()[1]["waiting_records"], PATIENCE_S)
            forwarder.wait_settled(sorted(ids)[::len(ids) // 500 + 1], PATIENCE_S)
            wait_until("all settled", lambda: not forwarder.state()[1]["waiting_records"], PATIENCE_S)
            done = time.monotonic()
            partitions, whole = timeline.state()
            assert all(len(row["owners"]) == 2 and {owner["checksum"] for owner in row["owners"]} == {row["checksum"]}
                       for row in partitions), partitions
            ledgers = [cluster.door(name).state()[1]["ledger_checksum"] for name in cluster.names("forwarder")]
            assert len(set(ledgers)) == 1, ledgers
            report = cluster.platform().report()
            assert report["created_twice"] == [], f"created twice: {report['created_twice'][:5]}"
            assert report["created"] > len(ids), report["created"]
            lines = cluster.lines()
            ledger = forwarder.state()[1]
            records = ", ".join(f"{ledger[f'{state}']} {state}" for state in STATES)
        with Serve(folder / "one") as serve:
            serve.push(lines, check=False)
            wait_until("all on one machine", lambda: serve.state()[1]["events"] >= len(ids), PATIENCE_S)
            alone = serve.state()[1]
        with Kafka(folder / "kafka") as kafka:
            rows("topics", "copy", "--from", folder / "one", "--kafka", kafka.bootstrap, "--replicas", 1)
            with Cluster(folder / "copied", kafka, secret=folder / "one/secret") as copied:
                wait_until("all from the copy", lambda: copied.timeline.state()[1]["events"] >= len(ids), PATIENCE_S)
                from_copy = copied.timeline.state()[1]
        for key in SAME:
            assert whole[key] == alone[key] == from_copy[key], (key, whole[key], alone[key], from_copy[key])
        print(f"{len(ids)} events, {args.brokers} broker(s): pushed in {pushed - began:.0f} s, on timelines {shown - pushed:.1f} s later, settled "
              f"after {done - began:.0f} s; {whole['entries']} entries, {records}; {report['created']} resources, none created twice; "
              f"checksum {whole['checksum']} with two owners each, on one machine, and from its log copied to Kafka")


if __name__ == "__main__":
    main()
