#!/usr/bin/env python3
"""The topic of the events is deleted under the roles, and made again: nothing is acknowledged that would stand nowhere, who read it
stops and says why, nothing starts on it in silence, and nothing is sent again."""
import json
import sys

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0])
from tests.support.events import child, event_id, weighing  # noqa: E402
from tests.support.kafka import ROLES, Cluster, Kafka  # noqa: E402
from tests.support.simpul import Folder, Sandbox, http, run, simulate, wait_until  # noqa: E402

EVENTS = "simpul.events.v1"


def says(serve, *words):
    """Whether it is not ready, in these words."""
    status, text = http("GET", serve.admin + "/readyz")
    return status != 200 and all(word in text for word in words)


def not_acknowledged(ingest, number):
    line = json.dumps(weighing(event_id("gone", number), child(number))) + "\n"
    result = run("push", "--to", ingest.grpc, "--json", "--give-up-after", "2", "-", input=line, check=False)
    assert result.returncode == 1 and '"accepted"' not in result.stdout, result.stdout


def refused(cluster, role, *words):
    """It does not start, in these words."""
    before = len(cluster.roles[role].output())
    serve = cluster.start(role, doomed=True, ready=False)
    wait_until(f"{role} to end", lambda: serve.process.poll() is not None)
    for word in words:
        assert word in serve.output()[before:], f"{role}: {word!r} is not in {serve.output()[before:]}"


def make_topic(kafka):
    kafka.tool("TopicCommand", "--create", "--topic", EVENTS, "--partitions", 24, "--config", "retention.ms=-1",
               "--config", "max.message.bytes=5242880")


def main():
    with Folder() as folder:
        lines, events, flags, population = simulate(folder, 29, 60, 60)
        ids = sorted({event["eventId"] for event in events})
        with Kafka(folder / "brokers") as kafka, \
                Sandbox(folder / "sandbox", "--population", population, "--no-duplicate-check") as sandbox, \
                Cluster(folder / "cluster", kafka, *flags, platform=sandbox.url) as cluster:
            cluster.ingest.push(lines, check=False)
            cluster.wait_on_timeline(len(ids))
            cluster.forwarder.wait_settled(ids)
            sent = sandbox.report()

            kafka.tool("TopicCommand", "--delete", "--topic", EVENTS)
            not_acknowledged(cluster.ingest, 1)
            for role in ROLES:
                wait_until(f"{role} to say so", lambda: says(cluster.roles[role], EVENTS, "is gone"))
            make_topic(kafka)
            # Whoever has the old one open: it is another log now.
            wait_until("ingest to say so", lambda: not_acknowledged(cluster.ingest, 2) or says(cluster.ingest, EVENTS, "made again"))
            for role in ("timeline", "forwarder"):
                wait_until(f"{role} to say so", lambda: says(cluster.roles[role], EVENTS, "made again"))

            # Without install records nothing starts; and what was written is not taken for Simpul's.
            for role in ROLES:
                cluster.roles[role].kill()
            for role in ROLES:
                refused(cluster, role, EVENTS, "install record")
            create = ("topics", "--kafka", kafka.bootstrap, "--secret", cluster.folder / "secret", "--create", "--replicas", 1)
            result = run(*create, check=False)
            assert result.returncode == 1 and f"{EVENTS} partition" in result.stderr, result.stderr
            kafka.tool("TopicCommand", "--delete", "--topic", EVENTS)
            run(*create)

            # With them it is this install's, and empty. Killed, the timelines had nothing on their disk; the entries tell them.
            for role in ROLES:
                cluster.start(role, ready=False)
            wait_until("timeline to say so", lambda: says(cluster.timeline, EVENTS, "records were lost"))
            wait_until("ingest to be ready", lambda: http("GET", cluster.ingest.admin + "/readyz")[0] == 200)
            report = sandbox.report()
            assert (report["created"], report["updated"], report["created_twice"]) == (sent["created"], sent["updated"], [])
            print(f"{len(ids)} events were on a topic that is gone; {sent['created']} resources, none sent again")


if __name__ == "__main__":
    main()
