#!/usr/bin/env python3
"""Rules on a real broker with three timeline replicas: activated only when all of them answer, known to all of them and to one that
lost its folder."""
import datetime
import shutil
import sys

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0])
from tests.support.processes import Processes  # noqa: E402
from tests.support.simpul import Folder, wait_until  # noqa: E402


def listed(door):
    answer = door.run("rules", "--json", check=False)
    return answer.returncode, answer.stdout, answer.stderr


def alike(cluster, names):
    """What the replicas answer once they all do, and the same; else nothing."""
    answers = {name: listed(cluster.door(name)) for name in names}
    same = len(set(answers.values())) == 1 and answers[names[0]][2] == ""
    return answers if same else None


def main():
    east = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=9)
    first = (east.date() + datetime.timedelta(days=4)).isoformat()
    with Folder() as folder, Processes(folder / "cluster", "--brokers", 1, "--patients", 60) as cluster:
        names = cluster.names("timeline")
        assert len(names) == 3, names
        partitions = len(cluster.door(names[0]).state()[0])

        cluster.kill(names[2])
        missed = cluster.door(names[0]).run("rules", "activate", 2, "--from", first, check=False)
        assert missed.returncode == 1 and "replica 2 does not" in missed.stderr, missed
        status, shown, said = listed(cluster.door(names[1]))
        assert status == 0 and "replica 2 did not answer" in said, said
        assert first not in shown, shown
        cluster.up()
        # A replica finds another that was started again within two seconds.
        wait_until("all replicas to know of each other", lambda: alike(cluster, names))

        made, = cluster.door(names[1]).rows("rules", "activate", 2, "--from", first)
        assert made["recorded"] == list(range(partitions)) and made["behind"] == [], made
        answers = alike(cluster, names)
        assert answers, [listed(cluster.door(name)) for name in names]
        row = cluster.door(names[0]).rows("rules")[1]
        assert row["activations"][0]["from"] == first and row["activations"][0]["partitions"] == partitions, row

        cluster.kill(names[0])
        shutil.rmtree(cluster.data(names[0]) / "timeline")
        cluster.up()
        # What it keeps is what it made again from the log; the others' answers would hide that it is missing.
        cluster.kill(names[1])
        wait_until("the rules from the log", lambda: listed(cluster.door(names[0]))[1] == answers[names[0]][1])
        cluster.up()
        wait_until("all replicas to know of each other again", lambda: alike(cluster, names))
        again, = cluster.door(names[2]).rows("rules", "activate", 2, "--from", first)
        assert again["recorded"] == [] and again["before"] == partitions, again
        # The forwarder passes over the activations too.
        pushed = cluster.door("ingest-0").push(cluster.lines()[:200], check=False)
        cluster.wait_settled({row["event_id"] for row in pushed if row["outcome"] == "accepted"})
    print(f"version 2 from {first} in {partitions} partitions, on three replicas")


if __name__ == "__main__":
    main()
