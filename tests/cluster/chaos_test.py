#!/usr/bin/env python3
"""A cluster of processes on real brokers: 2 ingest, 3 timeline, 2 forwarder, 1 records. Any of them, and any broker, is killed
with -9 at random moments while clinics push.

Afterwards no acknowledged event is lost, none stands twice on a timeline, nothing was created twice at the platform, whose
duplicate check is off; owners hold equal timelines and forwarders equal ledgers; and what is on the timelines is what one
process on the embedded log makes of the same events. While one process of a role is down the others answer.

  tests/cluster/chaos_test.py [--kills N | --minutes N] [--seed N] [--brokers 1|3]
"""
import argparse
import random
import sys
import threading
import time

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0])
from tests.support.oracle import Writers, judge  # noqa: E402
from tests.support.processes import Processes  # noqa: E402
from tests.support.simpul import Folder, Serve, patient_of, wait_until  # noqa: E402

WRITERS = 4


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--minutes", type=float, help="kill for so long, however many that are")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--brokers", type=int, choices=(1, 3), default=3)
    parser.add_argument("--patients", type=int, default=250)
    args = parser.parse_args()
    seed, brokers = args.seed, args.brokers
    rng = random.Random(seed)
    with Folder() as folder, \
            Processes(folder / "cluster", "--brokers", brokers, "--request-limit", "2s",
                      "--patients", args.patients) as cluster:
        events, lines = cluster.events, cluster.lines()
        everyone = sorted({patient_of(event) for event in events})
        rng.shuffle(lines)
        with Serve(folder / "one") as serve:
            serve.push(lines, check=False)
            serve.wait_on_timeline(len({event["eventId"] for event in events}))
            alone = serve.state()[1]

        victims = [name for role in ("ingest", "timeline", "forwarder", "records") for name in cluster.names(role)]
        victims += [str(number) for number in range(1, brokers + 1)]
        writers = Writers(lines, [f"127.0.0.1:{cluster.ports[name][0]}" for name in cluster.names("ingest")], WRITERS, seed)
        moment = threading.Event()
        killed = {}
        try:
            until = time.monotonic() + (args.minutes or 0) * 60
            while time.monotonic() < until if args.minutes else sum(killed.values()) < args.kills:
                moment.wait(rng.uniform(0, 1.5))
                victim = rng.choice(victims)
                cluster.kill(victim)
                killed[victim] = killed.get(victim, 0) + 1
                if victim.startswith("timeline"):
                    others_answer(cluster, victim, rng.choice(everyone))
                cluster.up()
                writers.check()
        finally:
            writers.stop()
        writers.check()
        under_fire = len(writers.accepted)
        cluster.door("ingest-0").push(lines, check=False)  # what was never answered is sent now
        judge(cluster, cluster.platform(), events, writers.accepted)

        rows, whole = cluster.door("timeline-1").state()
        for key in ("events", "entries", "checksum"):
            assert whole[key] == alone[key], f"{key}: {whole[key]} in the cluster, {alone[key]} alone"
        for row in rows:
            assert len(row["owners"]) == 2, row
        wait_until("both owners of every partition to stand at its end", lambda: all(
            owner["position"] == row["log_end"] and owner["checksum"] == row["checksum"]
            for row in cluster.door("timeline-2").state()[0] for owner in row["owners"]))
        ledgers = [cluster.door(name).state()[1]["ledger_checksum"] for name in cluster.names("forwarder")]
        assert len(set(ledgers)) == 1, ledgers
        print(f"seed {seed}, {brokers} broker(s), {sum(killed.values())} kills {dict(sorted(killed.items()))}: {under_fire} events acknowledged "
              f"between the kills, {len(events)} in all; none lost, none twice; {whole['entries']} entries, "
              f"checksum {whole['checksum']} as on one machine; {cluster.platform().report()['created']} resources")


def others_answer(cluster, victim, patient):
    """While a timeline replica is down every other answers for every patient."""
    for name in cluster.names("timeline"):
        if name != victim:
            cluster.door(name).timelines([patient])


if __name__ == "__main__":
    main()
