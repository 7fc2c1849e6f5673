#!/usr/bin/env python3
"""Order and repetition do not matter: the same events in order, shuffled, and each three times end in the same content,
and every event stands once on the timeline of its patient. The oracle is the file that was pushed."""
import collections
import json
import random
import sys

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0])
from tests.support.simpul import Folder, Serve, patient_of, simulate  # noqa: E402

SEED, PATIENTS, DAYS, EVENTS = 7, 1000, 400, 20000


def content(rows):
    """Every timeline as people see it, without what may differ: revisions, positions, receipts, the install's ids."""
    return [(row["patient"], row["kind"], row["occurred_at"], row["withdrawn"], str(row["facility"]),
             tuple(row["event_ids"]), tuple(row["kinds"])) for row in rows]


def standing(events):
    """What must stand where: ((patient, event id) of every event, (patient, id) of every amendment of one of them)."""
    own, amendments = set(), {}
    for event in events:
        pair = (patient_of(event), event["eventId"])
        change = event.get("correction") or event.get("retraction")
        if change is None:
            own.add(pair)
        else:
            amendments[pair] = (pair[0], change["originalEventId"])
    # One whose original was cut off still waits for it.
    return own, {pair for pair, original in amendments.items() if original in own}


def check_once(rows, own, amendments):
    """Fails unless exactly these stand on the timelines, each once."""
    for what, wanted, found in (
            ("event", own, [(row["patient"], event_id) for row in rows for event_id in row["event_ids"]]),
            ("amendment", amendments, [(row["patient"], one["event_id"]) for row in rows for event in row["events"]
                                       for one in event["amendments"]])):
        twice = [pair for pair, count in collections.Counter(found).items() if count > 1]
        assert not twice, f"{len(twice)} {what}s stand twice on one timeline, such as {twice[0]}"
        assert len(found) == len(wanted), f"{len(found)} {what}s on timelines, {len(wanted)} were sent"
        strange = set(found) ^ wanted
        assert not strange, f"{what}s on the wrong timeline, such as {next(iter(strange))}"


def main():
    with Folder() as folder:
        lines, events, _, _ = simulate(folder, SEED, PATIENTS, DAYS)
        assert len(lines) >= EVENTS, f"simulate made only {len(lines)} events"
        lines = lines[:EVENTS]
        distinct = len(set(lines))
        patients = sorted({patient_of(event) for event in events})
        own, amendments = standing(json.loads(line) for line in lines)
        assert len(own) > EVENTS * 0.9 and amendments, f"{len(own)} events and {len(amendments)} amendments"
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
                rows = serve.timelines(patients)
                check_once(rows, own, amendments)
                seen.append(((total["events"], total["entries"], total["checksum"]), content(rows)))
        for other in seen[1:]:
            assert other[0] == seen[0][0], "checksums differ"
            assert other[1] == seen[0][1], "timelines differ"
        print(f"{len(own)} events and {len(amendments)} amendments, each once on its patient's timeline")


if __name__ == "__main__":
    main()
