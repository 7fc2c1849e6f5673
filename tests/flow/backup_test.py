#!/usr/bin/env python3
"""A backup made while clinics push holds everything acknowledged before it began, and serves elsewhere."""
import fcntl
import json
import resource
import shutil
import signal
import subprocess
import sys
import threading

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0])
from tests.support.events import child, event_id, weighing  # noqa: E402
from tests.support.simpul import BINARY, Folder, Serve, rows, run, wait_until  # noqa: E402

PATIENTS = 40
BATCH = 25


class Clinic:
    """Pushes batch after batch; `acknowledged` grows as answers come."""

    def __init__(self, serve):
        self.serve = serve
        self.acknowledged = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def work(self):
        number = 0
        while not self.over.is_set():
            batch = [weighing(event_id("backup", n), child(n % PATIENTS + 1), minutes=n) for n in range(number, number + BATCH)]
            try:
                answers = self.serve.push(batch)
            except AssertionError:
                return  # killed
            assert all(answer["outcome"] == "accepted" for answer in answers), answers
            self.acknowledged += [event["eventId"] for event in batch]
            number += BATCH

    def stop(self):
        self.over.set()
        self.thread.join()


def refused(*args, says, status=1):
    result = run("backup", *args, check=False)
    assert result.returncode == status, f"exit {result.returncode}: {result.stdout}{result.stderr}"
    for words in says:
        assert words in result.stderr, f"{words!r} is not in {result.stderr}"


def under_pushes(folder, data):
    """Two backups while clinics push, then kill -9; what was acknowledged before each."""
    with Serve(data) as serve:
        clinic = Clinic(serve)
        before = []
        for name in ("first", "second"):
            wait_until("pushes", lambda: len(clinic.acknowledged) >= (before[-1][1] + 200 if before else 200))
            known = list(clinic.acknowledged)
            done, = rows("backup", "--data", data, "--to", folder / name)
            assert done["records"] > len(known) and done["partitions"] == 24, done
            before.append((known, len(known)))
        serve.kill()
        clinic.stop()
    assert not (data / "checkpoint").exists() and not list(folder.path.glob("*.part"))
    for name in ("first", "second"):
        assert sorted(path.name for path in (folder / name).iterdir()) == ["VERSION", "backup.json", "log"]
    return [known for known, _ in before], clinic.acknowledged


def restored(folder, backup, data, known, everything):
    """Serves from a backup; its caches made anew give the same."""
    elsewhere = folder / f"from-{backup}"
    run("backup", "--restore", folder / backup, "--secret", data / "secret", "--to", elsewhere)
    assert ((elsewhere / "secret").stat().st_mode & 0o777) == 0o600
    with Serve(elsewhere) as serve:
        traces = serve.trace(known)
        lost = [id_ for id_ in known if not any(row.get("state") != "unknown" for row in traces.get(id_, []))]
        assert not lost, f"{len(lost)} of {len(known)} acknowledged events are not there, such as {lost[:3]}"
        serve.wait_on_timeline(len(known))
        by_partition, whole = serve.state()
    for cache in ("timeline", "forwarder"):
        shutil.rmtree(elsewhere / cache)
    with Serve(elsewhere) as serve:
        again = serve.state()
        assert [row["checksum"] for row in again[0]] == [row["checksum"] for row in by_partition]
        assert (again[1]["checksum"], again[1]["ledger_checksum"]) == (whole["checksum"], whole["ledger_checksum"])
        # What came after the backup is pushed again: it counts once.
        serve.push([weighing(event_id("backup", n), child(n % PATIENTS + 1), minutes=n) for n in range(len(everything))])
        serve.wait_on_timeline(len(everything))
        return serve.state()[1]


def while_nobody_serves(folder, data, secret):
    done, = rows("backup", "--data", data, "--to", folder / "still")
    run("backup", "--restore", folder / "still", "--secret", secret, "--to", folder / "from-still")
    with Serve(data) as serve:
        kept = serve.state()[1]["checksum"]
    with Serve(folder / "from-still") as serve:
        assert serve.state()[1]["checksum"] == kept
    return done


def wrong_input(folder, data):
    secret = data / "secret"
    (folder / "full").mkdir()
    (folder / "full" / "letter").write_text("mine")
    refused("--data", data, "--to", folder / "full", says=["is there and not empty"])
    refused("--restore", folder / "first", "--secret", secret, "--to", folder / "full", says=["is there and not empty"])
    assert (folder / "full" / "letter").read_text() == "mine"
    (folder / "new.part").mkdir()
    (folder / "new.part" / "letter").write_text("mine")
    refused("--data", data, "--to", folder / "new", says=["holds other things, such as letter"])
    shutil.rmtree(folder / "new.part")
    refused("--data", folder / "nothing", "--to", folder / "new", says=["holds no log"])
    refused("--to", folder / "new", says=["--data"], status=2)
    refused("--restore", folder / "first", "--to", folder / "new", says=["--secret"], status=2)
    (folder / "other-secret").write_bytes(bytes(range(32)))
    refused("--restore", folder / "first", "--secret", folder / "other-secret", "--to", folder / "new", says=["is not the secret of"])
    with open(data / "BACKUP.LOCK", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        refused("--data", data, "--to", folder / "new", says=["another backup"])


def damaged(folder, data):
    """One byte of any file, a file that is gone, half a manifest: refused, and nothing is left."""
    def spoilt(spoil, says):
        shutil.copytree(folder / "first", folder / "spoilt")
        spoil(folder / "spoilt")
        refused("--restore", folder / "spoilt", "--secret", data / "secret", "--to", folder / "new", says=says)
        assert not (folder / "new").exists() and not (folder / "new.part").exists()
        shutil.rmtree(folder / "spoilt")

    def flip(path):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)

    names = [path.name for path in (folder / "first" / "log").iterdir()]
    assert any(name.endswith(".sst") for name in names), names
    for name in names:
        if (folder / "first" / "log" / name).stat().st_size:
            spoilt(lambda backup, name=name: flip(backup / "log" / name), [name, "is damaged"])
    spoilt(lambda backup: (backup / "log" / names[0]).unlink(), [names[0]])
    spoilt(lambda backup: (backup / "backup.json").write_text((backup / "backup.json").read_text()[:500]), ["backup.json is damaged"])

    def fewer(backup):
        manifest = json.loads((backup / "backup.json").read_text())
        manifest["places"][3]["records"] += 1
        (backup / "backup.json").write_text(json.dumps(manifest))
    spoilt(fewer, ["simpul.events.v1 partition 3 differs"])


def no_room(folder, data):
    """A disk that takes no more: said, and nothing is left."""
    def limited():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 10, 64 << 10))
    result = subprocess.run([BINARY, "backup", "--restore", folder / "first", "--secret", data / "secret", "--to", folder / "new"],
                            preexec_fn=limited, capture_output=True, text=True)
    assert result.returncode == 1 and "cannot write" in result.stderr, result.stderr
    assert not (folder / "new").exists() and not (folder / "new.part").exists()


def main():
    with Folder() as folder:
        data = folder / "data"
        known, everything = under_pushes(folder, data)
        states = [restored(folder, name, data, known[n], everything) for n, name in enumerate(("first", "second"))]
        assert states[0]["checksum"] == states[1]["checksum"] and states[0]["events"] == len(everything)
        done = while_nobody_serves(folder, data, data / "secret")
        wrong_input(folder, data)
        damaged(folder, data)
        no_room(folder, data)
        print(f"{len(known[0])} and {len(known[1])} events acknowledged before the backups, all there; "
              f"{done['records']} records at the end; checksum {states[0]['checksum']}")


if __name__ == "__main__":
    main()
