"""A cluster of processes as deploy/cluster runs it, and its doors."""
import json
import os
import pathlib
import signal
import subprocess

from tests.support.simpul import ROOT, Sandbox, Serve

DEPLOY = ROOT / "deploy/cluster"


class Door(Serve):
    """What a test asks of a running process."""

    def __init__(self, address):  # noqa: super's starts one
        self.grpc = address
        self.process = None

    def ask(self, how, command, *args, **kwargs):
        return how(command, "--to", self.grpc, *args, **kwargs)


class Platform(Sandbox):
    """The stand-in of a cluster."""

    def __init__(self, url):  # noqa: super's starts one
        self.url = url


class Processes:
    """Brokers, roles and the stand-in in a folder of their own, gone with this."""

    def __init__(self, folder, *flags):
        self.folder = pathlib.Path(folder)
        self.flags = flags
        self.up()
        self.ports = json.loads((self.folder / "ports.json").read_text())
        self.events = [json.loads(line) for line in self.lines()]

    def up(self):
        """Starts what is down and waits until all is ready."""
        self.call("up", *self.flags)

    def call(self, verb, *flags):
        done = subprocess.run([DEPLOY, verb, "--dir", self.folder, *map(str, flags)], capture_output=True, text=True)
        assert done.returncode == 0, f"deploy/cluster {verb}: {done.stdout}\n{done.stderr}"

    def lines(self):
        return (self.folder / "events.jsonl").read_text().splitlines()

    def names(self, role):
        return sorted(name for name in self.ports if name.startswith(role + "-"))

    def door(self, name):
        return Door(f"127.0.0.1:{self.ports[name][0]}")

    def platform(self):
        return Platform(f"http://127.0.0.1:{self.ports['sandbox'][0]}")

    def kill(self, name):
        """kill -9 of a process, or of a broker by its number."""
        path = self.folder / f"kafka/{name}/pid" if name.isdigit() else self.folder / f"{name}.pid"
        os.kill(int(path.read_text()), signal.SIGKILL)

    def wait_settled(self, event_ids):
        return self.door("forwarder-0").wait_settled(event_ids)

    def timelines(self, patients):
        return self.door("timeline-0").timelines(patients)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.call("down", "--kill")
