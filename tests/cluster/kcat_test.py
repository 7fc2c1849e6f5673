#!/usr/bin/env python3
"""kcat, which nobody here wrote, reads along: every record has a key of 16 bytes and the headers of a CloudEvent, and no identity is
in a key or a header."""
import datetime
import re
import subprocess
import sys

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0])
from tests.support.kafka import Cluster, Kafka  # noqa: E402
from tests.support.simpul import Folder, Sandbox, simulate  # noqa: E402

TOPICS = ("events", "entries", "deliveries", "dead-letters", "audit")
HEADERS = {
    "ce_specversion": rb"1\.0",
    "ce_id": rb".+",
    "ce_type": rb"simpul\.[a-z_.]+",
    "ce_source": rb".*",
    "ce_time": rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z",
    "content-type": rb"application/protobuf",
}


def read(bootstrap, topic):
    """(position, key, headers, value) of all records. Lengths come first, for keys and values are any bytes."""
    text = subprocess.run(["kcat", "-C", "-e", "-q", "-b", bootstrap, "-t", f"simpul.{topic}.v1", "-f", "%o %K %S %h\n%k%s"],
                          stdout=subprocess.PIPE, check=True).stdout
    at = 0
    while at < len(text):
        end = text.index(b"\n", at)
        position, key_size, value_size, headers = text[at:end].split(b" ", 3)
        key, at = text[end + 1:end + 1 + int(key_size)], end + 1 + max(int(key_size), 0)
        value, at = text[at:at + int(value_size)], at + int(value_size)
        yield int(position), key, dict(header.split(b"=", 1) for header in headers.split(b",") if header), value


def identities(events):
    """Whatever tells who somebody is: numbers and names, as they were pushed."""
    def of(value):
        if isinstance(value, dict):
            for name, inner in value.items():
                if name in ("number", "name", "motherNik", "familyCard", "familyCardNumber") and isinstance(inner, str):
                    yield inner
                else:
                    yield from of(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from of(inner)
    return {text.encode() for event in events for text in of(event["subject"]) if len(text) > 3}


def main():
    with Folder() as folder:
        lines, events, flags, population = simulate(folder, 23, 60, 60)
        ids = {event["eventId"] for event in events}
        persons = identities(events)
        assert len(persons) > 60, persons
        with Kafka(folder / "brokers") as kafka, \
                Sandbox(folder / "sandbox", "--population", population) as sandbox, \
                Cluster(folder / "cluster", kafka, *flags, platform=sandbox.url) as cluster:
            cluster.ingest.push(lines, check=False)
            cluster.forwarder.wait_settled(sorted(ids))
            first = (datetime.datetime.now(datetime.timezone.utc).date() + datetime.timedelta(days=5)).isoformat()
            activation, = cluster.timeline.rows("rules", "activate", 2, "--from", first)
            activations = 0
            counts = {}
            seen = set()
            found_in_values = 0
            for topic in TOPICS:
                for position, key, headers, value in read(kafka.bootstrap, topic):
                    where = f"{topic} position {position}"
                    if position == 0:
                        continue  # the install record
                    counts[topic] = counts.get(topic, 0) + 1
                    assert len(key) == 16, f"{where}: a key of {len(key)} bytes"
                    for name, form in HEADERS.items():
                        assert re.fullmatch(form, headers.get(name.encode(), b"\n")), f"{where}: {name} in {headers}"
                    for person in persons:
                        assert person not in key and not any(person in part for pair in headers.items() for part in pair), (
                            f"{where}: an identity is in its key or headers")
                        found_in_values += person in value
                    if topic == "events":
                        seen.add(headers[b"ce_id"].decode())
                        activations += headers[b"ce_type"] == b"simpul.rules_activated"
            assert ids <= seen, f"{len(ids - seen)} events are not there by their id"
            assert activation["activation_id"] in seen and activations == len(activation["recorded"]) == 24, activation
            # What is not in keys and headers is in values: the search finds what there is.
            assert found_in_values > len(ids), found_in_values
            assert {"events", "entries", "deliveries"} <= counts.keys(), counts
    print(", ".join(f"{count} {topic}" for topic, count in counts.items()) + " read by kcat")


if __name__ == "__main__":
    main()
