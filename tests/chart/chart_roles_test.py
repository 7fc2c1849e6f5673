#!/usr/bin/python3
"""The four roles with the command lines and files of charts/simpul, on a broker that demands certificates."""
import os
import sys

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0])
from tests.support.chart import ON_KAFKA, Pod, command_line, of_kind, render, workloads  # noqa: E402
from tests.support.events import child, event_id, weighing  # noqa: E402
from tests.support.kafka import ROLES, Kafka  # noqa: E402
from tests.support.simpul import Folder, Sandbox, http, run, simulate  # noqa: E402


def main():
    with Folder() as folder, Kafka(folder / "brokers", "--tls") as kafka, Sandbox(folder / "sandbox") as sandbox:
        tls = folder / "brokers/tls"
        simulate(folder, 1, 10, 10)
        contents = {
            ("secret", "simpul-install"): {"secret": os.urandom(32)},
            ("secret", "kafka-authority"): {"ca.crt": (tls / "ca.pem").read_bytes()},
            ("secret", "kafka-client"): {"tls.crt": (tls / "client.pem").read_bytes(), "tls.key": (tls / "client.key").read_bytes()},
            ("secret", "platform"): {"credentials.json": (folder / "credentials.json").read_bytes()},
            ("configMap", "directory"): {"directory.json": (folder / "directory.json").read_bytes()},
        }
        objects = render({
            **ON_KAFKA,
            "kafka": {"bootstrap": kafka.bootstrap, "acceptSingleCopy": True,
                      "tls": {"authority": {"existingSecret": "kafka-authority"}, "client": {"existingSecret": "kafka-client"}}},
            "topics": {"create": True, "replicas": 1},
            "platform": {"url": sandbox.url, "credentials": {"existingSecret": "platform"}},
            "directory": {"existingConfigMap": "directory"},
            "roles": {"ingest": {"replicas": 2}, "records": {"replicas": 2}},
        })
        job, = of_kind(objects, "Job")
        for n in range(2):  # a second time changes nothing
            run(*command_line(job, folder / f"topics-{n}", contents))
        pods = {}
        try:
            for one in workloads(objects):
                role = one["metadata"]["labels"]["app.kubernetes.io/component"]
                for replica in range(one["spec"]["replicas"]):
                    pods[role, replica] = Pod(one, folder / f"{role}-{replica}", contents)
            assert sorted(pods) == sorted([("ingest", 1), ("records", 1), *((role, 0) for role in ROLES)]), pods.keys()
            for role, pod in pods.items():
                for probe, path in pod.probes.items():
                    assert http("GET", pod.admin + path)[0] == 200, (role, probe)
            events = [weighing(event_id("chart", n), child(n + 1), minutes=n) for n in range(20)]
            for replica in range(2):
                answers = pods["ingest", replica].push(events[replica::2])
                assert [answer["outcome"] for answer in answers] == ["accepted"] * 10, answers
            pods["timeline", 0].wait_on_timeline(20)
            settled = pods["forwarder", 0].wait_settled([event["eventId"] for event in events])
            assert len(settled) == 20
            for replica in range(2):
                assert len({row["record_id"] for row in pods["records", replica].rows("pull")}) == 20
        finally:
            status = {role: pod.stop() for role, pod in pods.items()}
        assert set(status.values()) == {0}, status


if __name__ == "__main__":
    main()
