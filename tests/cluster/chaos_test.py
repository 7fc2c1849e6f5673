#!/usr/bin/env python3
"""A cluster of processes on real brokers: 2 ingest, 3 timeline, 2 forwarder, 1 records. While clinics push and the national gateway
pulls, one fault after the other strikes: faults.py names them.

Afterwards no acknowledged event is lost, none stands twice on a timeline, nothing was created twice at the platform, whose
duplicate check is off; every acknowledged event lies where it was acknowledged, each patient's in the order they were sent; what
was pulled page by page is the whole; owners hold equal timelines and forwarders equal ledgers; and what is on the timelines is what one
process on the embedded log makes of the same events. While one process of a role is down the others answer.

  tests/cluster/chaos_test.py [--strikes N | --minutes N] [--seed N] [--brokers 1|3] [--faults NAME,NAME] [--kills-between N]
                              [--other-binary PATH]

It ends with a summary in Markdown.
"""
import argparse
import collections
import pathlib
import random
import statistics
import subprocess
import sys
import threading
import time

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0])
from tests.cluster.faults import FAULTS, Kill  # noqa: E402
from tests.support.kafka import DEPLOY  # noqa: E402
from tests.support.oracle import Puller, Writers, judge, misread, read_log  # noqa: E402
from tests.support.processes import Processes  # noqa: E402
from tests.support.simpul import Folder, Serve, wait_until  # noqa: E402

WRITERS = 4


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strikes", type=int, help="so many faults; each once when nothing is said")
    parser.add_argument("--minutes", type=float, help="strike for so long, however many that are")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--brokers", type=int, choices=(1, 3), default=3)
    parser.add_argument("--patients", type=int)
    parser.add_argument("--faults", type=lambda text: text.split(","), default=[],
                        help=f"of {', '.join(FAULTS)}; all that the cluster allows when nothing is said")
    parser.add_argument("--kills-between", type=int, default=0, help="further kills after each other fault")
    parser.add_argument("--other-binary", help="an older or newer simpul that runs some of the processes")
    args = parser.parse_args()
    for name in args.faults:
        if name not in FAULTS:
            parser.error(f"there is no fault {name}")
    return args


def main():
    args = arguments()
    rng = random.Random(args.seed)
    patients = args.patients or max(250, int(60 * (args.minutes or 0)))
    with Folder() as folder, \
            Processes(folder / "cluster", "--brokers", args.brokers, "--request-limit", "2s", "--patients", patients, "--links",
                      other_binary=args.other_binary) as cluster:
        events, lines = cluster.events, cluster.lines()
        rng.shuffle(lines)
        with Serve(folder / "one") as serve:
            serve.push(lines, check=False)
            serve.wait_on_timeline(len({event["eventId"] for event in events}))
            alone = serve.state()[1]

        faults = [fault for name in args.faults or FAULTS if (fault := FAULTS[name](cluster, rng, bool(args.minutes))).allowed()]
        left = set(args.faults) - {fault.name for fault in faults}
        assert not left, f"this cluster allows no {', '.join(left)}"
        writers = Writers(lines, [f"127.0.0.1:{cluster.ports[name][0]}" for name in cluster.names("ingest")], WRITERS, args.seed)
        puller = Puller(cluster.door("records-0").grpc)
        try:
            recovery = strike_all(args, rng, cluster, faults, writers)
        finally:
            writers.stop()
            puller.stop()
        kills = cluster.kills
        writers.check()
        under_fire = len(writers.accepted)
        cluster.door("ingest-0").push(lines, check=False)  # what was never answered is sent now
        judge(cluster, cluster.platform(), events, writers.accepted)
        log = read_log(lambda *words: kafka_tool(cluster, *words))
        lost = log.lost(writers.acknowledged)
        assert not lost, f"O1: {len(lost)} do not lie where they were acknowledged: {lost[:5]}"
        wrong = writers.journal.out_of_order(log)
        assert not wrong, f"O7: {len(wrong)} out of order, such as {wrong[:5]}"
        puller.pull(check=True)
        whole = [(row["record_id"], row["revision"]) for row in cluster.door("records-0").rows("pull")]
        wrong = misread(puller.rows, whole)
        assert whole and not wrong, f"O9: {len(wrong)} of {len(whole)} records: {wrong[:5]}"
        state = equal_owners(cluster, alone)
        summary(args, faults, recovery, kills, under_fire, len(writers.acknowledged), len(whole), state,
                cluster.platform().report())


def strike_all(args, rng, cluster, faults, writers):
    """The faults in random order, again and again; seconds until all was ready again, by fault."""
    recovery = collections.defaultdict(list)
    moment = threading.Event()
    began = time.monotonic()
    kill = next((fault for fault in faults if isinstance(fault, Kill)), None) or Kill(cluster, rng, bool(args.minutes))
    deck, struck = [], 0
    total = args.strikes or len(faults) * (1 + args.kills_between)
    while time.monotonic() - began < args.minutes * 60 if args.minutes else struck < total:
        if not deck:
            deck = [each for fault in rng.sample(faults, len(faults)) for each in (fault, *[kill] * args.kills_between)]
        fault = deck.pop(0)
        struck += 1
        writers.let((time.monotonic() - began) / (args.minutes * 60) if args.minutes else struck / total)
        moment.wait(rng.uniform(0, 1.5))
        print(f"{time.monotonic() - began:6.1f} s  {fault.name}", file=sys.stderr, flush=True)
        fault.strike()
        fault.heal()
        ended = time.monotonic()
        cluster.up()
        recovery[fault.name].append(time.monotonic() - ended)
        writers.check()
    return recovery


def kafka_tool(cluster, name, *words):
    with subprocess.Popen([DEPLOY, "tool", "--dir", cluster.folder / "kafka", f"org.apache.kafka.tools.{name}", *map(str, words)],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, errors="replace") as process:
        yield from process.stdout


def equal_owners(cluster, alone):
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
    return whole


def summary(args, faults, recovery, kills, under_fire, answers, pulled, state, report):
    dose = f"{args.minutes:g} minutes" if args.minutes else f"{sum(map(len, recovery.values()))} faults"
    other = f", {pathlib.Path(args.other_binary).parts[-3]} build beside it" if args.other_binary else ""
    print(f"Seed {args.seed}, {args.brokers} broker{'s' if args.brokers > 1 else ''}, {dose}{other}; {kills} times kill -9.\n")
    print("| fault | times | seconds until all was ready again, median and most | seen |\n|---|---|---|---|")
    seen = {fault.name: fault.seen for fault in faults}
    for name, took in sorted(recovery.items()):
        what = ", ".join(f"{words} {count}" for words, count in sorted(seen.get(name, {}).items()))
        print(f"| {name} | {len(took)} | {statistics.median(took):.1f}, {max(took):.1f} | {what} |")
    print(f"""
| what must hold | |
|---|---|
| events acknowledged while faults struck | {under_fire} of {state['events']}, in {answers} answers |
| lost, or elsewhere on the log than acknowledged | 0 |
| twice on a timeline | 0 |
| out of order per patient | 0 |
| resources created twice | {len(report['created_twice'])} of {report['created']} |
| records pulled page by page otherwise than at once | 0 of {pulled} |
| checksum of all owners, and of one machine | {state['checksum'][:16]}… |
""")


if __name__ == "__main__":
    main()
