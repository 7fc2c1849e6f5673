#!/usr/bin/env python3
"""What README shows: its event, and docs/examples/push.py with grpcio and grpcio-tools and nothing of ours but the contract."""
import json
import os
import pathlib
import subprocess
import sys
import uuid

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0])
from tests.support.simpul import ROOT, Folder, Serve, patient_of, run, simulate  # noqa: E402

VERSION = "1.85.1"


def python():
    """A Python with grpcio, made once in the user's cache."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
    folder = cache / "simpul" / f"grpcio-{VERSION}-python{sys.version_info.major}.{sys.version_info.minor}"
    if not (folder / "complete").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([folder / "bin/pip", "install", "-q", f"grpcio=={VERSION}", f"grpcio-tools=={VERSION}"],
                       check=True)
        (folder / "complete").touch()
    return folder / "bin/python"


def takes_the_event_of_readme(serve):
    shown = [line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith('{"eventId"')]
    assert len(shown) == 1, "README shows one event"
    pushed = run("push", "--to", serve.grpc, "--json", "-", input=shown[0] + "\n")
    answer = json.loads(pushed.stdout)
    assert answer["outcome"] == "accepted" and not answer["warnings"], answer
    event = json.loads(shown[0])
    serve.wait_on_timeline(1)
    entry = json.loads(run("timeline", "--to", serve.grpc, "--json", "--patient", patient_of(event)).stdout)
    assert entry["event_ids"] == [event["eventId"]], entry
    words = (ROOT / "README.md").read_text()
    assert f"--patient '{patient_of(event)}'" in words and f"trace {event['eventId']}" in words, "its commands find it"


def main():
    example = ROOT / "docs/examples/push.py"
    lines_of_code = example.read_text().splitlines()
    assert len(lines_of_code) <= 40, f"the example has {len(lines_of_code)} lines"
    with Folder() as folder, Serve(folder / "data") as serve:
        takes_the_event_of_readme(serve)
        before = serve.state()[1]["events"]
        # The refusals of `simulate` among them: the example must go on after them.
        lines, events, _, _ = simulate(folder, 3, 150, 60)
        bad = run("simulate", "--seed", 9, "--patients", 60, "--days", 31, "--refusals", 3).stdout.splitlines()
        assert len(lines) > 500 or len(lines) + len(bad) > 500, "more than one batch"
        # More than 1 MiB in fewer than 500 events, and an event that is larger than any batch.
        large = [json.dumps({"eventId": str(uuid.uuid4()), "visit": {"note": "x" * size}})
                 for size in [60_000] * 40 + [5 << 20]]
        for _ in range(2):  # a second time changes nothing
            pushed = subprocess.run([python(), example, serve.grpc], input="\n".join(lines + large + bad) + "\n",
                                    text=True, capture_output=True, timeout=600)
            assert pushed.returncode == 0, pushed.stderr
            outcomes = [line.split()[1] for line in pushed.stdout.splitlines()]
            assert outcomes.count("OUTCOME_REFUSED") == 3 + len(large), pushed.stdout[-2000:]
            assert outcomes.count("OUTCOME_ACCEPTED") == len(lines) + len(bad) - 3
        accepted = {(line.split()[0]) for line in pushed.stdout.splitlines() if "ACCEPTED" in line}
        serve.wait_on_timeline(before + len(accepted))
        # One id may be used for two patients, and counts for each.
        assert len(accepted) <= serve.state()[1]["events"] - before <= len(accepted) + 2


if __name__ == "__main__":
    main()
