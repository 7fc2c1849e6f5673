#!/usr/bin/env python3
"""A log on one machine is copied to Kafka, killed on the way and resumed; everything derived from it stays valid."""
import json
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0])
from tests.support.events import child, event_id, weighing  # noqa: E402
from tests.support.kafka import Cluster, Kafka  # noqa: E402
from tests.support.simpul import BINARY, Folder, Sandbox, Serve, rows, run, simulate  # noqa: E402

PLACES = 5 * 24


def flags(kafka, data, *more):
    return ("topics", "copy", "--from", data, "--kafka", kafka.bootstrap, "--replicas", 1, *more)


def refused(args, *says, status=1):
    result = run(*args, check=False)
    assert result.returncode == status, f"exit {result.returncode}: {result.stdout[-1000:]}{result.stderr}"
    for words in says:
        assert words in result.stderr, f"{words!r} is not in {result.stderr}"


def serve_refused(kafka, folder, secret, *says, prefix=()):
    refused(("serve", "--log", "kafka", "--kafka", kafka.bootstrap, "--secret", secret, "--data", folder / "refused",
             "--grpc", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--accept-single-copy", *prefix), *says)


def killed_copy(kafka, data, after):
    """kill -9 when so many partitions were said to be whole; what it said."""
    process = subprocess.Popen([BINARY, *map(str, flags(kafka, data, "--json"))], stdout=subprocess.PIPE, text=True)
    said = [json.loads(process.stdout.readline()) for _ in range(after)]
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    return said


def what_stands(timeline, forwarder):
    """Checksums of the timelines and of the ledgers, whole and by partition."""
    by_partition, whole = timeline.state()
    ledgers, ledger = forwarder.state()
    return ({key: whole[key] for key in ("events", "entries", "checksum", "waiting", "dead_letters")},
            ledger["ledger_checksum"], [row["checksum"] for row in by_partition],
            [row["ledger_checksum"] for row in ledgers])


def sent(sandbox):
    report = sandbox.report()
    assert report["created_twice"] == [], report["created_twice"][:5]
    return report["created"], report["updated"]


def one_machine(data, sandbox, lines, ids, serve_flags):
    """The install that is to be copied: delivered; what stands, and a cursor with what was pulled after it."""
    with Serve(data, *serve_flags, platform=sandbox.url) as serve:
        serve.push(lines, check=False)
        serve.wait_on_timeline(len(ids))
        serve.wait_settled(ids)
        pulled = serve.rows("pull")
        cursor = pulled[len(pulled) // 2]["cursor"]
        after = serve.rows("pull", "--after", cursor)
        assert len(after) == len(pulled) - len(pulled) // 2 - 1
        return what_stands(serve, serve), cursor, after


def while_it_is_served(kafka, data):
    with Serve(data):
        refused(flags(kafka, data), "running instance", str(data))
    refused(flags(kafka, data.parent / "nothing"), "holds no log")
    refused(("topics", "copy", "--kafka", kafka.bootstrap), "--from", status=2)


def half_copied(kafka, folder, data):
    """Killed three times on the way: nothing starts on it, nothing completes it, and it goes on."""
    before = []
    for after in (1, 30, 80):
        said = killed_copy(kafka, data, after)
        assert len(said) == after
        serve_refused(kafka, folder, data / "secret", "simpul.copy-not-finished.v1", "simpul topics copy")
        for old, new in zip(before, said):
            assert new["were_there"] == new["records"] == old["records"] and new["digest"] == old["digest"], (old, new)
        before = said
    looked = run("topics", "--kafka", kafka.bootstrap, check=False)
    assert looked.returncode == 1 and "WRONG simpul.copy-not-finished.v1" in looked.stdout, looked.stdout
    refused(("topics", "--kafka", kafka.bootstrap, "--secret", data / "secret", "--create", "--replicas", 1),
            "finish it with simpul topics copy")


def whole(kafka, data):
    done = rows(*flags(kafka, data))
    assert len(done) == PLACES + 1 and not done[-1]["was_open"], done[-1]
    assert done[-1]["records"] == sum(row["records"] for row in done[:-1]) > done[-1]["were_there"] > 0, done[-1]
    shown = rows("topics", "--kafka", kafka.bootstrap)
    assert all(row["installed"] == 24 and not row["differences"] for row in shown[:-1]), shown
    assert shown[-1]["install"] == done[-1]["install"]
    # Again: compared, nothing written.
    again = rows(*flags(kafka, data))
    assert again[-1]["was_open"] and again[-1]["were_there"] == again[-1]["records"] == done[-1]["records"], again[-1]
    assert [row["digest"] for row in again[:-1]] == [row["digest"] for row in done[:-1]]
    refused(("serve", "--data", data, "--grpc", "127.0.0.1:0", "--admin", "127.0.0.1:0"), "goes on elsewhere",
            kafka.bootstrap, "COPIED")
    return done[-1]["records"]


def on_kafka(kafka, cluster_folder, data, sandbox, serve_flags, expected, old_folders):
    """Every role apart; the same stands there, and nothing is sent again."""
    stands, cursor, after = expected
    was_sent = sent(sandbox)
    if old_folders:
        for role in ("timeline", "forwarder"):
            (cluster_folder / role).mkdir(parents=True)
            shutil.copytree(data / role, cluster_folder / role / role)
    with Cluster(cluster_folder, kafka, *serve_flags, platform=sandbox.url, secret=data / "secret") as cluster:
        assert what_stands(cluster.timeline, cluster.forwarder) == stands
        assert cluster.records.rows("pull", "--after", cursor) == after
    assert sent(sandbox) == was_sent


def goes_on(kafka, folder, data, sandbox, serve_flags, expected):
    """New events after the copy; then the copy is no copy any more."""
    with Cluster(folder, kafka, *serve_flags, platform=sandbox.url, secret=data / "secret") as cluster:
        answers = cluster.ingest.push([weighing(event_id("after", n), child(n + 1), minutes=n) for n in range(5)])
        assert [answer["outcome"] for answer in answers] == ["accepted"] * 5, answers
        cluster.wait_on_timeline(expected[0][0]["events"] + 5)
    refused(flags(kafka, data), "have been served from since", "position")


def other_topics(kafka, folder, data):
    other = folder / "other"
    with Serve(other) as serve:
        serve.push([weighing(event_id("other", 1), child(1))])
    refused(flags(kafka, other), "give other topics")
    assert not (other / "COPIED").exists()
    for topic in ("events", "entries", "deliveries", "dead-letters", "audit"):
        kafka.tool("TopicCommand", "--create", "--topic", f"twelve.simpul.{topic}.v1", "--partitions", 12, "--config",
                   "retention.ms=-1", "--config", "max.message.bytes=5242880")
    refused(flags(kafka, other, "--kafka-prefix", "twelve."), "is there with 12 partitions, and 24 are wanted")
    kafka.tool("TopicCommand", "--create", "--topic", "short.simpul.entries.v1", "--partitions", 24, "--config",
               "max.message.bytes=5242880", "--config", "retention.ms=86400000")
    refused(flags(kafka, other, "--kafka-prefix", "short."), "retention.ms is 86400000")
    # A log that was made anew is as good as any: the folder may be copied elsewhere.
    assert rows(*flags(kafka, other, "--kafka-prefix", "right."))[-1]["partitions"] == 24


def main():
    with Folder() as folder:
        data = folder / "data"
        lines, events, serve_flags, population = simulate(folder, 23, 200, 150)
        ids = sorted({event["eventId"] for event in events})
        with Sandbox(folder / "sandbox", "--population", population, "--no-duplicate-check") as sandbox:
            expected = one_machine(data, sandbox, lines, ids, serve_flags)
            with Kafka(folder / "brokers") as kafka:
                while_it_is_served(kafka, data)
                half_copied(kafka, folder, data)
                records = whole(kafka, data)
                on_kafka(kafka, folder / "kept", data, sandbox, serve_flags, expected, old_folders=True)
                on_kafka(kafka, folder / "empty", data, sandbox, serve_flags, expected, old_folders=False)
                goes_on(kafka, folder / "empty", data, sandbox, serve_flags, expected)
                other_topics(kafka, folder, data)
        print(f"{expected[0][0]['events']} events, {records} records, checksum {expected[0][0]['checksum']} on both; "
              f"{len(expected[2])} pulled after the cursor on both")


if __name__ == "__main__":
    main()
