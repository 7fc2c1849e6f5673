#!/usr/bin/env python3
"""Timelines whose folder is gone come back from a checkpoint, and what came after it from the log."""
import shutil
import sys

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0])
from tests.support.events import child, event_id, weighing  # noqa: E402
from tests.support.simpul import Folder, Serve, http, patient_of, run, wait_until  # noqa: E402

PATIENTS = 60


def metrics(serve):
    """name, with its labels -> value."""
    pairs = (line.rsplit(" ", 1) for line in http("GET", serve.admin + "/metrics")[1].splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def events(name, count):
    return [weighing(event_id(name, n), child(n % PATIENTS + 1), minutes=n) for n in range(count)]


def comes_back(folder):
    data, flags = folder / "data", ("--checkpoints", folder / "checkpoints", "--checkpoint-every", "200ms")
    with Serve(data, *flags) as serve:
        serve.push(events("before", 600))
        serve.wait_on_timeline(600)
        parts, _ = serve.state()

        def checkpointed():
            now = metrics(serve)
            return all(now.get(f'simpul_timeline_checkpoint_position{{partition="{part["partition"]}"}}', 0) >= part["position"]
                       for part in parts)
        wait_until("a checkpoint of every partition", checkpointed)
        wait_until("the age to be told", lambda: "simpul_timeline_checkpoint_age_seconds" in metrics(serve))
    # These are in the log alone.
    with Serve(data) as serve:
        late = events("after", 40)
        serve.push(late)
        serve.wait_on_timeline(640)
        _, before = serve.state()
    for path in (data / "timeline").iterdir():
        assert path.name.isdigit() or path.suffix == ".note", f"{path} was left"
    shutil.rmtree(data / "timeline")
    with Serve(data, *flags) as serve:
        serve.wait_on_timeline(640)
        _, after = serve.state()
        restores = metrics(serve)["simpul_timeline_restores_total"]
        shown = serve.timelines([patient_of(late[0])])
    for key in ("events", "entries", "checksum"):
        assert before[key] == after[key], f"{key}: {before[key]} before, {after[key]} after"
    assert restores == sum(part["position"] > 0 for part in parts), restores
    assert serve.output().count('"restored from a checkpoint"') == restores
    assert late[0]["eventId"] in str(shown), "an event that was in the log alone is not there"

    # The same from the log alone: nothing else came from the checkpoints.
    shutil.rmtree(data / "timeline")
    with Serve(data) as serve:
        serve.wait_on_timeline(640)
        assert serve.state()[1]["checksum"] == before["checksum"]
    return before


def killed(folder):
    """kill -9 while checkpoints are written, the folder gone, again and again."""
    data, flags = folder / "killed", ("--checkpoints", folder / "of-killed", "--checkpoint-every", "1ms")
    for n in range(4):
        serve = Serve(data, *flags)
        serve.push(events(f"round {n}", 100))
        serve.kill()
        if n % 2:
            shutil.rmtree(data / "timeline")
    with Serve(data) as serve:
        serve.wait_on_timeline(400)
        expected = serve.state()[1]["checksum"]
    shutil.rmtree(data / "timeline")
    with Serve(data, *flags) as serve:
        serve.wait_on_timeline(400)
        assert serve.state()[1]["checksum"] == expected


def wrong_places(folder):
    def refused(*args, says):
        result = run("serve", "--data", folder / "data", "--grpc", "127.0.0.1:0", "--admin", "127.0.0.1:0", *args, check=False)
        assert result.returncode == 2 and says in result.stderr, result.stderr
    refused("--checkpoints", folder / "data", says="outside of --data")
    refused("--checkpoints", folder / "data" / "timeline" / ".." / "checkpoints", says="outside of --data")
    refused("--checkpoints", folder / "c", "--checkpoint-every", "often", says="--checkpoint-every")
    # No folder can be made there, by nobody.
    with Serve(folder / "data", "--checkpoints", "/proc/self/checkpoints", "--checkpoint-every", "50ms") as serve:
        wait_until("the failure to be counted", lambda: metrics(serve).get("simpul_timeline_checkpoints_failed_total", 0) > 0)
        serve.push(events("meanwhile", 10))
        serve.wait_on_timeline(650)
        assert '"a checkpoint could not be written and is tried again"' in serve.output()


def main():
    with Folder() as folder:
        state = comes_back(folder)
        killed(folder)
        wrong_places(folder)
        print(f"{state['events']} events, checksum {state['checksum']}, from checkpoints, the log, and both")


if __name__ == "__main__":
    main()
