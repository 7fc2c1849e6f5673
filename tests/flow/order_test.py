#!/usr/bin/env python3
"""Order and repetition do not matter: the same events in order, shuffled, and each three times end in the same content."""
import random
import sys

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0])
from tests.support.simpul import Folder, Serve, patient_of, simulate  # noqa: E402

SEED, PATIENTS, DAYS, EVENTS = 7, 1000, 400, 20000


def content(serve, patients):
    """Every timeline as people see it, without what may differ: revisions, positions, receipts, the install's ids."""
    kept = []
    for row in serve.timelines(patients):
        kept.append((row["kind"], row["occurred_at"], row["withdrawn"], str(row["facility"]),
                     tuple(row["event_ids"]), tuple(row["kinds"])))
    return kept


def main():
    with Folder() as folder:
        lines, events, _, _ = simulate(folder, SEED, PATIENTS, DAYS)
        assert len(lines) >= EVENTS, f"simulate made only {len(lines)} events"
        lines = lines[:EVENTS]
        distinct = len(set(lines))
        patients = sorted({patient_of(event) for event in events})
        rng = random.Random(SEED)
        shuffled = lines[:]
        rng.shuffle(shuffled)
        thrice = lines * 3
        rng.shuffle(thrice)
        seen = []
        for name, order in (("in order", lines), ("shuffled", shuffled), ("each three times", thrice)):
            with Serve(folder / name.replace(" ", "-")) as serve:
                outcomes = serve.push(order)
                refused = [o for o in outcomes if o["outcome"] != "accepted"]
                assert not refused, f"{name}: {len(refused)} not accepted, such as {refused[0]}"
                serve.wait_on_timeline(distinct)
                total = serve.state()[1]
                print(f"{name}: {len(order)} sent, {total['events']} events, {total['entries']} entries, "
                      f"checksum {total['checksum']}")
                assert total["events"] == distinct, f"{name}: {total['events']} events, sent {distinct} distinct"
                seen.append(((total["events"], total["entries"], total["checksum"]), content(serve, patients)))
        for other in seen[1:]:
            assert other[0] == seen[0][0], "checksums differ"
            assert other[1] == seen[0][1], "timelines differ"
        listed = [event_id for row in seen[0][1] for event_id in row[4]]
        assert len(listed) == len(set(zip(listed, range(len(listed))))) and listed, "no timelines"


if __name__ == "__main__":
    main()
