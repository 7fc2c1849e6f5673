"""Runs the program under test as a person would: by its command line. Only the standard library.

Nothing here knows how the program works inside: what it asserts is what its commands and the sandbox's HTTP answer.
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("SIMPUL_BINARY", str(ROOT / "build/release/bin/simpul"))
# Sanitized builds are several times slower; this bounds waiting, it never decides what is right.
PATIENCE_S = int(os.environ.get("PATIENCE_S", "180"))

_tick = threading.Event()


def wait_until(what, condition, within=PATIENCE_S):
    """Waits for a condition to become true and returns its value; fails loudly, naming `what`."""
    end = time.monotonic() + within
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {within} s in vain for {what}")
        _tick.wait(0.02)


class Folder:
    """A temporary folder, gone at the end unless KEEP is set."""

    def __init__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="simpul-test-"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if not os.environ.get("KEEP"):
            shutil.rmtree(self.path, ignore_errors=True)

    def __truediv__(self, name):
        return self.path / name


def run(*args, input=None, check=True, env=None, timeout=PATIENCE_S * 2):
    """Runs `simpul ARGS`; with check, an exit status other than 0 fails with what it printed."""
    result = subprocess.run([BINARY, *map(str, args)], input=input, capture_output=True, text=True, timeout=timeout,
                            env={**os.environ, **(env or {})})
    if check and result.returncode != 0:
        raise AssertionError(f"simpul {' '.join(map(str, args))}: exit {result.returncode}\n{result.stdout[-2000:]}"
                             f"\n{result.stderr[-4000:]}")
    return result


def rows(*args, input=None, check=True):
    """The JSON lines that `simpul ARGS --json` prints."""
    return [json.loads(line) for line in run(*args, "--json", input=input, check=check).stdout.splitlines() if line]


def http(method, url, body=None):
    """(status, text) of one request."""
    request = urllib.request.Request(url, method=method, data=body.encode() if body is not None else None,
                                     headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


class Program:
    """One long-running `simpul` process in a data folder."""

    def __init__(self, command, data, *flags, env=None, doomed=False):
        """A doomed one may end before it listens."""
        self.data = pathlib.Path(data)
        self.data.mkdir(parents=True, exist_ok=True)
        ports = self.data / "ports.json"
        ports.unlink(missing_ok=True)
        self.log = open(self.data.parent / f"{self.data.name}.log", "ab")
        self.process = subprocess.Popen(
            [BINARY, command, "--data", str(self.data), *map(str, flags)], stdout=self.log, stderr=self.log,
            env={**os.environ, **(env or {})})

        def up():
            if self.process.poll() is not None and not doomed:
                raise AssertionError(f"simpul {command} ended with {self.process.returncode}:\n{self.output()[-4000:]}")
            return ports.exists() or self.process.poll() is not None
        wait_until(f"simpul {command} to listen", up)
        self.ports = json.loads(ports.read_text()) if ports.exists() else {}

    def output(self):
        """What all processes of this folder have printed."""
        return (self.data.parent / f"{self.data.name}.log").read_text(errors="replace")

    def kill(self):
        """kill -9."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.log.close()

    def stop(self):
        """SIGTERM; the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("it did not stop after SIGTERM")
        self.log.close()
        return status

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop()


class Serve(Program):
    """`simpul serve`. With a platform it delivers."""

    def __init__(self, data, *flags, platform=None, grpc="127.0.0.1:0", env=None, ready=True,
                 doomed=False):
        if platform is not None:
            flags = (*flags, "--platform", platform)
        super().__init__("serve", data, "--grpc", grpc, "--admin", "127.0.0.1:0", *flags, env=env,
                         doomed=doomed)
        self.grpc = self.ports.get("grpc", grpc)
        self.admin = "http://" + self.ports.get("admin", "")
        if ready:
            self.wait_ready()

    def wait_ready(self):
        def ready():
            if self.process.poll() is not None:
                return True
            try:
                return http("GET", self.admin + "/readyz")[0] == 200
            except OSError:
                return False
        wait_until("serve to be ready", ready)

    def run(self, command, *args, **kwargs):
        return self.ask(run, command, *args, **kwargs)

    def rows(self, command, *args, **kwargs):
        return self.ask(rows, command, *args, **kwargs)

    def ask(self, how, command, *args, **kwargs):
        """A failure says whether the program still runs."""
        try:
            return how(command, "--to", self.grpc, *args, **kwargs)
        except AssertionError as error:
            status = self.process.poll()
            if status is None:
                raise
            raise AssertionError(f"serve had ended with {status}:\n{self.output()[-4000:]}\n{str(error)[-2000:]}") from None

    def push(self, events, *flags, check=True):
        """Pushes events (dictionaries or lines); the outcome rows."""
        lines = "\n".join(e if isinstance(e, str) else json.dumps(e) for e in events) + "\n"
        return self.rows("push", *flags, "-", input=lines, check=check)

    def trace(self, event_ids):
        """event id -> trace rows."""
        found = {}
        ids = list(event_ids)
        for begin in range(0, len(ids), 500):
            for row in self.rows("trace", *ids[begin:begin + 500]):
                found.setdefault(row["event_id"], []).append(row)
        return found

    def state(self):
        """(rows by partition, the row of all)."""
        all_rows = self.rows("state")
        return all_rows[:-1], all_rows[-1]

    def timelines(self, patients):
        """All timeline rows of the patients, given as the command line writes them."""
        return self.rows("timeline", "--patient", "-", input="\n".join(patients) + "\n")

    def wait_on_timeline(self, events):
        """Waits until so many distinct events are applied."""
        wait_until(f"{events} events on timelines", lambda: self.state()[1]["events"] >= events)

    def wait_settled(self, event_ids, within=PATIENCE_S):
        """Waits until no delivery record of the events is waiting; event id -> trace rows."""
        last = {}

        def settled():
            last.clear()
            try:
                last.update(self.trace(event_ids))
            except AssertionError:
                if self.process is not None:
                    raise
                return False  # of several processes: some broker or replica is just coming back
            return all(record["state"] != "waiting" for rows_ in last.values() for row in rows_
                       for record in row["records"]) and all(rows_ and (row["records"] or row.get("state") in SETTLED)
                                                             for rows_ in last.values() for row in rows_)
        try:
            wait_until("all delivery records to be settled", settled, within)
        except AssertionError:
            left = [row for rows_ in last.values() for row in rows_
                    if not row["records"] or any(r["state"] == "waiting" for r in row["records"])]
            raise AssertionError(f"{len(left)} events are not settled, such as {json.dumps(left[:3])}")
        return last


SETTLED = ("waiting_for_original", "dead_letter")


class Sandbox(Program):
    """`simpul sandbox`."""

    def __init__(self, data, *flags, http="127.0.0.1:0"):
        super().__init__("sandbox", data, "--http", http, *flags)
        self.url = "http://" + self.ports["http"]

    def report(self):
        return json.loads(http("GET", self.url + "/sandbox/v1/report")[1])

    def resources(self, resource_type=None):
        query = f"?type={resource_type}" if resource_type else ""
        return [json.loads(line) for line in http("GET", self.url + "/sandbox/v1/resources" + query)[1].splitlines()]


def patient_of(event):
    """The command line's form of an event's strongest identity."""
    strongest = {}
    for identity in event["subject"]["identities"]:
        for kind, value in identity.items():
            strongest.setdefault(kind, value)
    for kind, form in (
            ("nik", lambda v: f"nik|{v['number']}"),
            ("newborn", lambda v: f"mother|{v['motherNik']}|{v['birthDate']}|{v['birthOrder']}"),
            ("passport", lambda v: f"passport|{v['country']}|{v['number']}"),
            ("card", lambda v: f"card|{v['number']}"),
            ("local", lambda v: f"local|{v['system']}|{v['facility']}|{v['number']}")):
        if kind in strongest:
            return form(strongest[kind])
    raise AssertionError("an event without identity")


def simulate(folder, seed, patients, days):
    """Lines and events of `simpul simulate`, the flags `serve` needs for them, and the population file.

    One id with two contents has no one outcome, so those are left out here.
    """
    directory, population, credentials = (folder / f"{name}.json" for name in ("directory", "population", "credentials"))
    lines = run("simulate", "--seed", seed, "--patients", patients, "--days", days, "--directory", directory,
                "--population", population, "--credentials", credentials, "--conflicts", 0).stdout.splitlines()
    return (lines, [json.loads(line) for line in lines],
            ("--directory", directory, "--credentials", credentials), population)
