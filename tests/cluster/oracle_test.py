#!/usr/bin/env python3
"""The oracle finds what it is for: each check is given a journal and a log that break it, and ones that do not."""
import sys

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0])
from tests.support.oracle import Journal, Log, misread, place_of  # noqa: E402


def log(*rows):
    """(position, event id[, key]) of partition 3, as Kafka's consumer prints them."""
    return Log(f"Partition:3\tOffset:{row[0]}\tce_specversion:1.0,ce_id:{row[1]},ce_type:simpul.event.visit\t{(*row, 'K')[2]}\n"
               for row in rows)


def journal(*acts):
    """("sent", id, send, line) and ("acknowledged", id, send, position) of one patient."""
    made = Journal()
    for act, event_id, send, number in acts:
        if act == "sent":
            made.sent("nik|1", event_id, send, number)
        else:
            made.acknowledged("nik|1", event_id, send, (3, number))
    return made


def order():
    one_after_the_other = journal(("sent", "a", 1, 0), ("acknowledged", "a", 1, 5), ("sent", "b", 2, 0), ("acknowledged", "b", 2, 6))
    assert one_after_the_other.out_of_order(log((5, "a"), (6, "b"))) == []
    assert one_after_the_other.out_of_order(log((4, "b"), (5, "a"), (6, "b"))) == [("a", "b")]
    # Of another key: a copy that a link sent on.
    assert one_after_the_other.out_of_order(log((4, "b", "L"), (5, "a"), (6, "b"))) == []
    in_one_batch = journal(("sent", "a", 1, 0), ("sent", "b", 1, 1), ("acknowledged", "a", 1, 6), ("acknowledged", "b", 1, 5))
    assert in_one_batch.out_of_order(log((5, "b"), (6, "a"))) == [("a", "b")]
    # Nobody knew of the first when the second was sent.
    unknown = journal(("sent", "a", 1, 0), ("sent", "b", 2, 0), ("acknowledged", "b", 2, 5), ("acknowledged", "a", 3, 6))
    assert unknown.out_of_order(log((5, "b"), (6, "a"))) == []


def places():
    assert place_of("wP_uAAAXAAAAAFZtPoA") == (23, 1450000000)  # docs/formats.md
    assert log((1, "a"), (2, "b")).lost({(3, 1): "a", (3, 2): "b"}) == []
    assert log((1, "a"), (2, "c")).lost({(3, 1): "a", (3, 2): "b"}) == [((3, 2), "b")]
    assert log((1, "a")).lost({(3, 2): "a"}) == [((3, 2), "a")]


def pulled():
    whole = [("r", 1), ("s", 1), ("r", 2)]
    assert misread(whole, whole) == []
    assert misread([("s", 1), ("r", 1), ("r", 2)], whole) == []
    assert misread(whole[:2], whole) == ["not pulled: ('r', 2)"]
    assert "pulled 2 times: ('s', 1)" in misread([*whole, ("s", 1)], whole)
    assert "pulled and not there: ('t', 1)" in misread([*whole, ("t", 1)], whole)
    assert misread([("r", 2), ("s", 1), ("r", 1)], whole) == ["pulled backwards: revision 1 of r after 2"]


if __name__ == "__main__":
    order()
    places()
    pulled()
