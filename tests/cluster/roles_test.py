#!/usr/bin/env python3
"""The roles as processes on a real broker end where one process on the embedded log ends, each killed once on the way."""
import sys

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0])
from tests.support.kafka import ROLES, Cluster, Kafka  # noqa: E402
from tests.support.simpul import Folder, Sandbox, Serve, simulate  # noqa: E402


def main():
    with Folder() as folder:
        lines, events, flags, population = simulate(folder, 17, 150, 120)
        ids = sorted({event["eventId"] for event in events})
        with Serve(folder / "one", *flags) as serve:
            serve.push(lines, check=False)
            serve.wait_on_timeline(len(ids))
            alone = serve.state()[1]

        with Kafka(folder / "brokers") as kafka, \
                Sandbox(folder / "sandbox", "--population", population, "--no-duplicate-check") as sandbox, \
                Cluster(folder / "cluster", kafka, *flags, platform=sandbox.url) as cluster:
            step = len(lines) // (len(ROLES) + 1)
            for n, role in enumerate(ROLES):
                cluster.ingest.push(lines[n * step:(n + 1) * step], check=False)
                cluster.roles[role].kill()
                cluster.start(role)
            cluster.ingest.push(lines[len(ROLES) * step:], check=False)
            cluster.wait_on_timeline(len(ids))
            together = cluster.timeline.state()[1]
            for key in ("events", "entries", "checksum"):
                assert alone[key] == together[key], f"{key}: {alone[key]} alone, {together[key]} on Kafka"
            traces = cluster.forwarder.wait_settled(ids)
            ledger = cluster.forwarder.state()[1]
            assert ledger["delivered"] > 0 and "events" not in ledger, ledger
            states = {}
            for rows in traces.values():
                for row in rows:
                    for record in row["records"]:
                        states[record["state"]] = states.get(record["state"], 0) + 1
            report = sandbox.report()
            assert report["created"] > 0 and report["created_twice"] == [], report["created_twice"][:5]
            pulled = {(row["record_id"], row["revision"]) for row in cluster.records.rows("pull")}
            assert pulled, "nothing to pull"
        print(f"{together['events']} events, {together['entries']} entries, checksum {together['checksum']} on both; "
              f"records {states}; {report['created']} resources, none twice; {len(pulled)} pulled")


if __name__ == "__main__":
    main()
