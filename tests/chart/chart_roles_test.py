#!/usr/bin/python3
"""Two processes of each role with the command lines and files of charts/simpul, on a broker that demands certificates."""
import contextlib
import os
import socket
import sys

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0])
from tests.support.chart import ON_KAFKA, Pod, command_line, of_kind, render, workloads  # noqa: E402
from tests.support.events import child, event_id, weighing  # noqa: E402
from tests.support.kafka import ROLES, Kafka  # noqa: E402
from tests.support.simpul import Folder, Sandbox, http, run, simulate  # noqa: E402


def free_addresses(count):
    """The timelines' replicas know one another's before they start."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return ["%s:%d" % one.getsockname() for one in sockets]


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
            "roles": {role: {"replicas": 2} for role in ROLES},
        })
        job, = of_kind(objects, "Job")
        for n in range(2):  # a second time changes nothing
            run(*command_line(job, folder / f"topics-{n}", contents))
        pods = {}
        try:
            for one in workloads(objects):
                role = one["metadata"]["labels"]["app.kubernetes.io/component"]
                peers = free_addresses(2) if role == "timeline" else ()
                for number in range(one["spec"]["replicas"]):
                    pods[role, number] = Pod(one, folder / f"{role}-{number}", contents, number, peers)
            assert sorted(pods) == sorted((role, number) for role in ROLES for number in range(2)), pods.keys()
            for which, pod in pods.items():
                pod.wait_ready()
                for probe, path in pod.probes.items():
                    assert http("GET", pod.admin + path)[0] == 200, (which, probe)
            events = [weighing(event_id("chart", n), child(n + 1), minutes=n) for n in range(20)]
            for replica in range(2):
                answers = pods["ingest", replica].push(events[replica::2])
                assert [answer["outcome"] for answer in answers] == ["accepted"] * 10, answers
            for replica in range(2):
                pods["timeline", replica].wait_on_timeline(20)
                settled = pods["forwarder", replica].wait_settled([event["eventId"] for event in events])
                assert len(settled) == 20
                assert len({row["record_id"] for row in pods["records", replica].rows("pull")}) == 20
        finally:
            status = {role: pod.stop() for role, pod in pods.items()}
        assert set(status.values()) == {0}, status


if __name__ == "__main__":
    main()
