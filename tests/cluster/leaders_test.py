#!/usr/bin/env python3
"""Leaders of partitions move, as brokers die and come back and as operators move them: every question is answered again.

  tests/cluster/leaders_test.py [BROKER...]     those that die, one after the other; 1 unless said otherwise
"""
import subprocess
import sys

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0])
from tests.support.kafka import DEPLOY  # noqa: E402
from tests.support.processes import Processes  # noqa: E402
from tests.support.simpul import Folder, wait_until  # noqa: E402


def main():
    with Folder() as folder, Processes(folder / "cluster", "--brokers", 3, "--patients", 60) as cluster:
        half = len(cluster.lines()) // 2
        cluster.door("ingest-0").push(cluster.lines()[:half])
        answers(cluster)
        for broker in sys.argv[1:] or ["1"]:
            cluster.kill(broker)
            answers(cluster)
            cluster.up()
            # Back to where they were.
            subprocess.run([DEPLOY, "tool", "--dir", cluster.folder / "kafka", "org.apache.kafka.tools.LeaderElectionCommand",
                            "--election-type", "preferred", "--all-topic-partitions"], check=True, stdout=subprocess.DEVNULL)
            answers(cluster)
        cluster.door("ingest-1").push(cluster.lines())
        traces = cluster.wait_settled(sorted({event["eventId"] for event in cluster.events}))
        assert cluster.platform().report()["created_twice"] == []
        print(f"{len(traces)} events settled; what died came back and was leader again")


def answers(cluster):
    """Each of these asks the brokers where partitions end; for some seconds a partition may have no leader."""
    for name in cluster.names("timeline"):
        wait_until(f"{name} to answer", lambda: cluster.door(name).run("state", check=False).returncode == 0)
    for name in cluster.names("forwarder"):
        event_id = cluster.events[0]["eventId"]
        wait_until(f"{name} to answer", lambda: cluster.door(name).run("trace", event_id, check=False).returncode == 0)


if __name__ == "__main__":
    main()
