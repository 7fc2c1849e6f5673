#!/usr/bin/env python3
"""Rules on the log, through the program: listed, activated from a day on, refused, and known again after a kill and a rebuild."""
import datetime
import shutil
import sys

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0])
from tests.support.events import child, event_id, weighing  # noqa: E402
from tests.support.simpul import Folder, Serve, http, wait_until  # noqa: E402

PARTITIONS = 24


def day(ahead):
    """So many days after today in the east of Indonesia."""
    east = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=9)
    return (east.date() + datetime.timedelta(days=ahead)).isoformat()


def listed(serve):
    return {row["version"]: row for row in serve.rows("rules", "list")}


def activate(serve, version, first, *flags):
    row, = serve.rows("rules", "activate", version, "--from", first, *flags)
    return row


def refused(serve, exit_status, words, *args):
    before = listed(serve)
    answer = serve.run("rules", *args, check=False)
    assert answer.returncode == exit_status, answer
    assert words in answer.stderr, answer.stderr
    assert listed(serve) == before, "what is refused changes nothing"


def shows_everything(serve):
    rules = listed(serve)
    assert sorted(rules) == [1, 2], rules
    for row in rules.values():
        assert row["what"] and row["source"] and row["activations"] == [] and row["partitions"] == PARTITIONS, row
        off = {(rule["family"], rule["rule"]): rule["why"] for rule in row["off"]}
        assert all(off.values()), off
        for rule in (("screening", "hb_school"), ("screening", "sdq"), ("schedule", "BIAS"), ("growth", "weight_velocity")):
            assert rule in off, off
    shown = serve.run("rules").stdout
    for words in ("Version 1: active where no other is", "Version 2: not active", "What is off", "no source at hand gives the threshold"):
        assert words in shown, shown
    print(shown)


def refuses(serve):
    for ahead in (1, 0, -400):
        refused(serve, 1, "at least two days ahead", "activate", 2, "--from", day(ahead))
    refused(serve, 2, "there is no version 3 of the rules; this Simpul knows 1 to 2", "activate", 3, "--from", day(5))
    refused(serve, 2, "YYYY-MM-DD", "activate", 2, "--from", "tomorrow")
    refused(serve, 2, "YYYY-MM-DD", "activate", 2)
    refused(serve, 2, "name the VERSION", "activate", "--from", day(5))
    refused(serve, 2, "go with activate", "list", "--from", day(5))
    refused(serve, 2, "ACTION", "forget")


def activates(serve, first):
    dry = activate(serve, 2, first, "--dry-run")
    assert dry["dry_run"] and dry["recorded"] == list(range(PARTITIONS)) and dry["before"] == 0, dry
    changes = {change["rule"]: change for change in dry["changes"]}
    assert sorted(changes) == ["lila_pregnancy", "tb_child_signs"], dry
    assert "< 235" in changes["lila_pregnancy"]["before"] and "≤ 235" in changes["lila_pregnancy"]["after"], dry
    assert listed(serve)[2]["activations"] == [], "a dry run records nothing"
    shown = serve.run("rules", "activate", 2, "--from", first, "--dry-run").stdout
    assert f"Version 2 from {first} would be recorded in 24 of 24 partitions" in shown, shown

    made = activate(serve, 2, first, "--by", "dinas")
    assert made["recorded"] == list(range(PARTITIONS)) and made["behind"] == [], made
    again = activate(serve, 2, first)
    assert again["recorded"] == [] and again["before"] == PARTITIONS, again
    assert again["activation_id"] == made["activation_id"]
    assert "had been activated before" in serve.run("rules", "activate", 2, "--from", first).stdout
    assert f"Version 2: active from {first}\n" in serve.run("rules", "list").stdout
    refused(serve, 1, f"version 2 is active from {first}", "activate", 1, "--from", first)


def main():
    first = day(4)
    with Folder() as folder:
        data = folder / "data"
        serve = Serve(data)
        serve.push([weighing(event_id("before", n), child(n), minutes=n) for n in range(1, 41)])
        serve.wait_on_timeline(40)
        shows_everything(serve)
        refuses(serve)
        activates(serve, first)
        expected = listed(serve)
        activation, = expected[2]["activations"]
        assert activation["from"] == first and activation["partitions"] == PARTITIONS and activation["missing"] == [], activation

        # It is no event: nothing of it in the counts, and every reader of the events passes over it.
        pushed = serve.push([weighing(event_id("after", n), child(n), minutes=100 + n) for n in range(1, 41)])
        serve.wait_on_timeline(80)
        partitions, whole = serve.state()
        assert whole["events"] == 80, whole
        assert sum(row["position"] for row in partitions) == 80 + PARTITIONS, partitions
        assert serve.rows("dead-letters") == []
        wait_until("the forwarder to have read them", lambda: all(
            serve.trace([row["event_id"]])[row["event_id"]][0]["records"] for row in pushed))
        assert http("GET", serve.admin + "/readyz")[0] == 200

        serve.kill()
        with Serve(data) as serve:
            assert listed(serve) == expected, "after a kill"
        shutil.rmtree(data / "timeline")
        shutil.rmtree(data / "forwarder")
        with Serve(data) as serve:
            assert listed(serve) == expected, "after a rebuild"
            assert serve.state()[1]["checksum"] == whole["checksum"]
            assert activate(serve, 2, first)["before"] == PARTITIONS


if __name__ == "__main__":
    main()
