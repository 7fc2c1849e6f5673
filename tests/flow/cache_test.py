#!/usr/bin/env python3
"""State is a cache of the log: with every folder gone but the log and the secret, the same state returns and nothing is
sent again."""
import shutil
import sys

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0])
from tests.support.simpul import Folder, Sandbox, Serve, simulate  # noqa: E402

KEPT = {"log", "secret"}


def main():
    with Folder() as folder:
        lines, events, flags, population = simulate(folder, 11, 120, 120)
        ids = sorted({event["eventId"] for event in events})
        with Sandbox(folder / "sandbox", "--population", population, "--no-duplicate-check") as sandbox:
            with Serve(folder / "data", *flags, platform=sandbox.url) as serve:
                serve.push(lines, check=False)
                before_trace = serve.wait_settled(ids)
                before_parts, before = serve.state()
            creates = sandbox.report()
            assert creates["created"] > len(events), f"only {creates['created']} resources were created"
            for path in (folder / "data").iterdir():
                if path.name not in KEPT:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
            with Serve(folder / "data", *flags, platform=sandbox.url) as serve:
                after_trace = serve.wait_settled(ids)
                after_parts, after = serve.state()
            for key in ("events", "entries", "checksum", "ledger_checksum"):
                assert before[key] == after[key], f"{key}: {before[key]} before, {after[key]} after"
            for left, right in zip(before_parts, after_parts):
                for key in ("partition", "entries", "checksum"):
                    assert left[key] == right[key], f"partition {left['partition']}: {key} differs"

            def states(trace):
                return {event_id: sorted((r["record_id"], r["revision"], r["state"]) for row in rows
                                         for r in row["records"]) for event_id, rows in trace.items()}
            assert states(before_trace) == states(after_trace), "delivery states differ"
            report = sandbox.report()
            assert report["created"] == creates["created"], "something was sent again"
            assert report["created_twice"] == [], f"created twice: {report['created_twice'][:5]}"
            print(f"{after['events']} events, {after['entries']} entries, checksum {after['checksum']}, "
                  f"ledger {after['ledger_checksum']}; {report['created']} resources, none twice")


if __name__ == "__main__":
    main()
