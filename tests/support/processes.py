"""A cluster of processes as deploy/cluster runs it, its doors, and what may be done to its processes."""
import json
import os
import pathlib
import signal
import subprocess

from tests.support.simpul import ROOT, Sandbox, Serve, wait_until

DEPLOY = ROOT / "deploy/cluster"


class Door(Serve):
    """What a test asks of a running process."""

    def __init__(self, address, admin=""):  # noqa: super's starts one
        self.grpc = address
        self.admin = "http://" + admin
        self.process = None

    def ask(self, how, command, *args, **kwargs):
        return how(command, "--to", self.grpc, *args, **kwargs)


class Platform(Sandbox):
    """The stand-in of a cluster."""

    def __init__(self, url):  # noqa: super's starts one
        self.url = url


class Processes:
    """Brokers, roles and the stand-in in a folder of their own, gone with this. Brokers are named by their number."""

    def __init__(self, folder, *flags, other_binary=None):
        self.folder = pathlib.Path(folder)
        self.flags = flags
        self.other_binary = other_binary
        self.others = set()  # names of those that the other program runs, when they are started next
        self.mounts = []
        self.kills = 0
        try:
            self.up()
        except BaseException:
            self.down()
            raise
        self.ports = json.loads((self.folder / "ports.json").read_text())
        self.events = [json.loads(line) for line in self.lines()]

    def up(self):
        """Starts what is down and waits until all is ready."""
        self.call("up", *self.flags, *self.other_flags())

    def scale(self, timelines):
        self.call("scale", "--timelines", timelines, *self.flags, *self.other_flags())

    def other_flags(self):
        return ("--other-binary", self.other_binary, "--others", ",".join(sorted(self.others))) if self.others else ()

    def call(self, verb, *flags):
        done = subprocess.run([DEPLOY, verb, "--dir", self.folder, *map(str, flags)], capture_output=True, text=True)
        assert done.returncode == 0, f"deploy/cluster {verb}: {done.stdout}\n{done.stderr}"

    def lines(self):
        return (self.folder / "events.jsonl").read_text().splitlines()

    def names(self, role):
        """Those of a role that there are now."""
        names = sorted(name for name in self.ports if name.startswith(role + "-"))
        return names[:int((self.folder / "timelines").read_text())] if role == "timeline" else names

    def brokers(self):
        return sorted(path.name for path in (self.folder / "kafka").iterdir() if path.name.isdigit())

    def door(self, name):
        return Door(*(f"127.0.0.1:{port}" for port in self.ports[name]))

    def platform(self):
        return Platform(f"http://127.0.0.1:{self.ports['sandbox'][0]}")

    def data(self, name):
        """The folder in which a process or a broker keeps what it has."""
        return self.folder / f"kafka/{name}/log" if name.isdigit() else self.folder / name

    def pid_file(self, name):
        return self.folder / f"kafka/{name}/pid" if name.isdigit() else self.folder / f"{name}.pid"

    def words(self, name):
        """What a running one was started with, else nothing."""
        try:
            words = pathlib.Path(f"/proc/{int(self.pid_file(name).read_text())}/cmdline").read_bytes()
        except (OSError, ValueError):
            return []
        return [os.fsdecode(word) for word in words.split(b"\0")[:-1]]

    def send(self, name, signal_number):
        os.kill(int(self.pid_file(name).read_text()), signal_number)

    def end(self, name, signal_number):
        """Ends a process and waits until it is gone; nothing where none runs."""
        if self.words(name):
            self.kills += signal_number == signal.SIGKILL
            self.send(name, signal_number)
            wait_until(f"{name} to be gone", lambda: not self.words(name))

    def kill(self, name):
        self.end(name, signal.SIGKILL)

    def spawn(self, words, name):
        """Starts a process by hand, as the one of that name if it is one of the cluster's."""
        with open(self.folder / f"{name}.log", "ab") as log:
            process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self.pid_file(name).write_text(str(process.pid))
        # Until its memory is set up a program has no arguments, and would not be known by them.
        wait_until(f"{name} to have begun", lambda: process.poll() is not None or self.words(name))
        return process

    def said(self, name):
        """All that a process has printed."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def mount(self, folder, size):
        """A small disk under a folder, whose files move onto it. Needs root; nobody may use the folder meanwhile."""
        aside = folder.with_name(folder.name + ".aside")
        folder.rename(aside)
        folder.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "simpul-test", folder], check=True)
        self.mounts.append(folder)
        subprocess.run(["cp", "-a", "--sparse=always", f"{aside}/.", folder], check=True)
        subprocess.run(["rm", "-r", aside], check=True)

    def wait_settled(self, event_ids):
        return self.door("forwarder-0").wait_settled(event_ids)

    def timelines(self, patients):
        return self.door("timeline-0").timelines(patients)

    def down(self):
        if (self.folder / "ports.json").exists():
            self.call("down", "--kill")
        for folder in self.mounts:
            # What was killed may hold its files for a moment more.
            wait_until(f"{folder} to be unmounted",
                       lambda: subprocess.run(["umount", folder], capture_output=True, check=False).returncode == 0)
        self.mounts.clear()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.down()
