#!/usr/bin/env python3
"""What topics and brokers may not be, and what a person is told: nothing starts that would break a promise."""
import os
import pathlib
import shutil
import socket
import sys

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0])
from tests.support.events import child, event_id, weighing  # noqa: E402
from tests.support.kafka import Kafka  # noqa: E402
from tests.support.simpul import Folder, Serve, run, rows  # noqa: E402

ANY = ("--grpc", "127.0.0.1:0", "--admin", "127.0.0.1:0")


def refused(folder, kafka, secret, *flags, says, prefix="", accept=("--accept-single-copy",)):
    """`serve` does not start, in these words."""
    result = run("serve", "--log", "kafka", "--kafka", kafka.bootstrap, "--secret", secret, "--data", folder / "refused",
                 *ANY, *(("--kafka-prefix", prefix) if prefix else ()), *accept, *flags, check=False)
    assert result.returncode == 1, f"exit {result.returncode}: {result.stderr}"
    for words in says:
        assert words in result.stderr, f"{words!r} is not in {result.stderr}"
    shutil.rmtree(folder / "refused", ignore_errors=True)


def create(kafka, secret, *flags, check=True, prefix=""):
    return run("topics", "--kafka", kafka.bootstrap, "--secret", secret, "--create", "--replicas", 1,
               *(("--kafka-prefix", prefix) if prefix else ()), *flags, check=check)


def nobody_answers(folder):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = "127.0.0.1:%d" % free.getsockname()[1]
    result = run("topics", "--kafka", address, check=False)
    assert result.returncode == 1 and f"no Kafka broker answers at {address}" in result.stderr, result.stderr


def topics_that_break_a_promise(folder, kafka):
    secret = folder / "secret"
    refused(folder, kafka, secret, says=["secret", "simpul topics --create"])
    looked = run("topics", "--kafka", kafka.bootstrap, check=False)
    assert looked.returncode == 1 and "there is no such topic" in looked.stdout, looked.stdout
    create(kafka, secret)
    assert (secret.stat().st_mode & 0o777) == 0o600
    refused(folder, kafka, secret, accept=(), says=["--accept-single-copy", "one broker's memory"])
    other = folder / "other-secret"
    other.write_bytes(os.urandom(32))
    refused(folder, kafka, other, says=["another secret"])

    # Each with one topic spoilt, under a prefix of its own.
    right = {"retention.ms": "-1", "max.message.bytes": "5242880"}
    for prefix, topic, partitions, wrong, says in (
            ("short.", "simpul.entries.v1", 24, {"retention.ms": "86400000"}, "retention.ms is 86400000"),
            ("compact.", "simpul.deliveries.v1", 24, {"cleanup.policy": "compact"}, "cleanup.policy is compact"),
            ("small.", "simpul.dead-letters.v1", 24, {"max.message.bytes": "1000000"}, "max.message.bytes is 1000000"),
            ("unclean.", "simpul.events.v1", 24, {"unclean.leader.election.enable": "true"}, "unclean.leader.election"),
            ("twelve.", "simpul.events.v1", 12, {}, "has 12 partitions")):
        settings = [word for pair in {**right, **wrong}.items() for word in ("--config", "=".join(pair))]
        kafka.tool("TopicCommand", "--create", "--topic", prefix + topic, "--partitions", partitions, *settings)
        made = create(kafka, secret, prefix=prefix, check=False)
        if partitions == 24:
            refused(folder, kafka, secret, prefix=prefix, says=[prefix + topic, says])
        else:
            assert made.returncode == 1 and f"{prefix}{topic} is there with 12 partitions" in made.stderr, made.stderr
            refused(folder, kafka, secret, prefix=prefix, says=[f"{prefix}{topic}: 12 of 12 partitions have no install record"])


def a_half_made_install_is_completed(folder, kafka):
    secret = folder / "secret"
    create(kafka, secret, prefix="half.")
    install = rows("topics", "--kafka", kafka.bootstrap, "--kafka-prefix", "half.")[-1]["install"]
    kafka.tool("TopicCommand", "--delete", "--topic", "half.simpul.audit.v1")
    refused(folder, kafka, secret, prefix="half.", says=["half.simpul.audit.v1: there is no such topic"])
    create(kafka, secret, prefix="half.")
    shown = rows("topics", "--kafka", kafka.bootstrap, "--kafka-prefix", "half.")
    assert shown[-1]["install"] == install
    assert all(row["installed"] == 24 and not row["differences"] for row in shown[:-1]), shown


def brokers_with_tls(folder):
    with Kafka(folder / "tls-brokers", "--tls") as kafka:
        tls = pathlib.Path(kafka.folder) / "tls"
        flags = ("--kafka-ca", tls / "ca.pem", "--kafka-certificate", tls / "client.pem", "--kafka-key", tls / "client.key")
        secret = folder / "tls-secret"
        plain = create(kafka, secret, check=False)
        assert plain.returncode == 1 and "--kafka-ca" in plain.stderr, plain.stderr
        half = create(kafka, secret, *flags[:2], check=False)
        assert half.returncode == 2 and "all three" in half.stderr, half.stderr
        gone = create(kafka, secret, "--kafka-ca", folder / "none.pem", *flags[2:], check=False)
        assert gone.returncode == 1 and "none.pem" in gone.stderr, gone.stderr
        assert not secret.exists(), "a secret without topics"
        create(kafka, secret, *flags)
        with Kafka(folder / "strangers", "--tls") as stranger:
            theirs = pathlib.Path(stranger.folder) / "tls"
            wrong = create(kafka, secret, "--kafka-ca", theirs / "ca.pem", *flags[2:], check=False)
            assert wrong.returncode == 1 and "no Kafka broker answers" in wrong.stderr, wrong.stderr
            unknown = create(kafka, secret, "--kafka-ca", tls / "ca.pem", "--kafka-certificate", theirs / "client.pem",
                             "--kafka-key", theirs / "client.key", check=False)
            assert unknown.returncode == 1 and "no Kafka broker answers" in unknown.stderr, unknown.stderr
        with Serve(folder / "over-tls", "--log", "kafka", "--kafka", kafka.bootstrap, "--secret", secret, *flags,
                   "--accept-single-copy") as serve:
            answers = serve.push([weighing(event_id("tls", n), child(n + 1), minutes=n) for n in range(5)])
            assert [answer["outcome"] for answer in answers] == ["accepted"] * 5, answers
            serve.wait_on_timeline(5)


def wrong_replicas():
    kafka = ("--log", "kafka", "--kafka", "127.0.0.1:1", "--secret", "s")
    peers = ("--peers", "a:1,b:2,c:3")
    for words, says in (
            (("timeline", *kafka, "--replicas", 3, "--replica", 3, *peers), "numbered from 0 to 2"),
            (("timeline", *kafka, "--replicas", 3, "--replica", 0), "--peers: give HOST:PORT of each of the 3"),
            (("timeline", *kafka, "--replicas", 2, "--replica", 0, *peers), "here are 3"),
            (("ingest", *kafka, "--replicas", 2, "--replica", 0), "start as many as you like"),
            (("--replicas", 2, "--replica", 0, *peers), "--replicas: on the embedded log there is one process")):
        result = run("serve", *words, "--data", "d", check=False)
        assert result.returncode == 2 and says in result.stderr, f"{words}: {result.returncode}: {result.stderr}"


def main():
    wrong_replicas()
    with Folder() as folder:
        nobody_answers(folder)
        with Kafka(folder / "brokers") as kafka:
            topics_that_break_a_promise(folder, kafka)
            a_half_made_install_is_completed(folder, kafka)
        brokers_with_tls(folder)


if __name__ == "__main__":
    main()
