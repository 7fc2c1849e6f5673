"""What is done to a cluster of processes while clinics push.

A fault has a name, `strike`, which does it and holds it as long as it lasts, and `heal`, which ends it. What is down after that
is started by whoever struck. `seen` counts what came of it where more than one thing is right. `allowed` says whether a cluster
has what the fault needs.
"""
import collections
import itertools
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading

from tests.support.kafka import DEPLOY
from tests.support.simpul import http, patient_of, wait_until

_clock = threading.Event()


def pass_time(seconds):
    """A fault lasts; nothing is waited for."""
    _clock.wait(seconds)


class Fault:
    name = ""


    def __init__(self, cluster, rng, is_long):
        self.cluster = cluster
        self.rng = rng
        self.is_long = is_long
        self.seen = collections.Counter()
        self.patients = sorted({patient_of(event) for event in cluster.events})
        self.ids = collections.defaultdict(set)
        for event in cluster.events:
            self.ids[patient_of(event)].add(event["eventId"])

    def allowed(self):
        return True

    def strike(self):
        raise NotImplementedError

    def heal(self):
        pass

    def processes(self, *roles):
        return [name for role in roles or ("ingest", "timeline", "forwarder", "records") for name in self.cluster.names(role)]

    def others_answer(self, victim):
        """While a timeline replica is gone every other answers for every patient."""
        if victim.startswith("timeline"):
            for name in self.cluster.names("timeline"):
                if name != victim:
                    self.cluster.door(name).timelines([self.rng.choice(self.patients)])


class Kill(Fault):
    """kill -9 of any process or broker, often of several at once, and of some again as they start."""
    name = "kill"

    def strike(self):
        victims = self.rng.sample(self.processes() + self.cluster.brokers(), self.rng.choice([1, 1, 2, 3, 4, 5]))
        words = {victim: self.cluster.words(victim) for victim in victims}
        for victim in victims:
            self.kill(victim)
        if sum(victim.startswith("timeline") for victim in victims) == 1:
            self.others_answer(next(victim for victim in victims if victim.startswith("timeline")))
        for victim in victims:
            if not victim.isdigit() and self.rng.random() < 0.5:
                self.cluster.spawn(words[victim], victim)
                pass_time(self.rng.uniform(0, 1))
                self.kill(victim)

    def kill(self, victim):
        if self.cluster.words(victim):
            self.cluster.kill(victim)
            self.seen["broker" if victim.isdigit() else victim.split("-")[0]] += 1


class Freeze(Fault):
    """SIGSTOP of a process for some seconds: it neither answers nor ends, and goes on as if nothing had been."""
    name = "freeze"

    def strike(self):
        self.victim = self.rng.choice(self.processes())
        self.cluster.send(self.victim, signal.SIGSTOP)
        self.others_answer(self.victim)
        pass_time(self.rng.uniform(1, 8))

    def heal(self):
        self.cluster.send(self.victim, signal.SIGCONT)


class FreezeBrokers(Fault):
    """All brokers but one are frozen, where there is one that one, beyond what requests wait for."""
    name = "freeze-brokers"

    def strike(self):
        brokers = self.cluster.brokers()
        self.victims = self.rng.sample(brokers, max(1, len(brokers) - 1))
        for victim in self.victims:
            self.cluster.send(victim, signal.SIGSTOP)
        pass_time(45 if self.is_long else 12)

    def heal(self):
        for victim in self.victims:
            self.cluster.send(victim, signal.SIGCONT)


class MoveLeaders(Fault):
    """Other brokers become leaders of all partitions, twice."""
    name = "move-leaders"

    def allowed(self):
        return len(self.cluster.brokers()) > 1

    def strike(self):
        for _ in range(2):
            brokers = [int(broker) for broker in self.cluster.brokers()]
            self.rng.shuffle(brokers)
            wanted = self.cluster.folder / "leaders.json"
            wanted.write_text(json.dumps({"version": 1, "partitions": [
                {"topic": f"simpul.{topic}.v1", "partition": partition,
                 "replicas": brokers[partition % 3:] + brokers[:partition % 3]}
                for topic in ("events", "entries", "deliveries", "dead-letters", "audit") for partition in range(24)]}))
            self.tool("reassign.ReassignPartitionsCommand", "--reassignment-json-file", wanted, "--execute")
            self.tool("LeaderElectionCommand", "--election-type", "preferred", "--all-topic-partitions")

    def tool(self, name, *words):
        subprocess.run([DEPLOY, "tool", "--dir", self.cluster.folder / "kafka", f"org.apache.kafka.tools.{name}",
                        *map(str, words)], check=True, stdout=subprocess.DEVNULL)


class Links(Fault):
    """The way from one process to the brokers, which leads through toxiproxy: brokers tell each process the addresses of its own
    way.

    Not network namespaces: brokers advertise addresses of this machine, and cutting one process off by its port would need what not
    every kernel has.
    """

    def allowed(self):
        return "links" in self.cluster.ports

    def api(self, path, **body):
        status, text = http("POST", f"http://127.0.0.1:{self.cluster.ports['links'][0]}/{path}", json.dumps(body))
        assert status < 300, f"toxiproxy: {status} {text}"

    def choose(self):
        """One process, and its ways to all brokers or to one."""
        victim = self.rng.choice(self.processes())
        brokers = self.cluster.brokers()
        self.ways = [f"{victim}.{broker}" for broker in self.rng.choice([brokers, [self.rng.choice(brokers)]])]
        return victim

    def heal(self):
        self.api("reset")


class CutLinks(Links):
    """Connections are closed and no new one is taken, or what is sent one way is swallowed."""
    name = "cut-links"

    def strike(self):
        self.choose()
        how = self.rng.choice(["closed", "upstream", "downstream"])
        for way in self.ways:
            if how == "closed":
                self.api(f"proxies/{way}", enabled=False)
            else:
                self.api(f"proxies/{way}/toxics", type="timeout", stream=how, attributes={"timeout": 0})
        self.seen[how] += 1
        pass_time(self.rng.uniform(2, 20 if self.is_long else 6))


class SlowLinks(Links):
    """Half a second each way, give or take, and little fits through."""
    name = "slow-links"

    def strike(self):
        self.choose()
        for way, stream in itertools.product(self.ways, ("upstream", "downstream")):
            self.api(f"proxies/{way}/toxics", type="latency", stream=stream, attributes={"latency": 500, "jitter": 400})
            self.api(f"proxies/{way}/toxics", type="bandwidth", stream=stream, attributes={"rate": 64})
        pass_time(self.rng.uniform(3, 20 if self.is_long else 6))


class DeleteFolder(Fault):
    """What a replica keeps is gone while it is down."""
    name = "delete-folder"

    def strike(self):
        victim = self.rng.choice(self.processes("timeline", "forwarder"))
        self.cluster.kill(victim)
        delete_store(self.cluster, victim)


def delete_store(cluster, name):
    shutil.rmtree(cluster.data(name) / name.split("-")[0])


class Damage(Fault):
    """Bytes of a replica's files are damaged while it is down. It refuses them or never reads them; deleted, all comes back."""
    name = "damage"

    def strike(self):
        self.victim = self.rng.choice(self.processes("timeline", "forwarder"))
        words = self.cluster.words(self.victim)
        self.cluster.end(self.victim, signal.SIGTERM)  # which writes out what it has
        kinds = collections.defaultdict(list)
        for path in sorted((self.cluster.data(self.victim) / self.victim.split("-")[0]).rglob("*")):
            kind = path.suffix if path.suffix in (".sst", ".log") else path.name.split("-")[0]
            if kind in (".sst", ".log", "MANIFEST", "CURRENT", "OPTIONS") and path.stat().st_size:
                kinds[kind].append(path)
        kind = self.rng.choice(sorted(kinds))
        for path in self.rng.sample(kinds[kind], min(len(kinds[kind]), 3)):
            damage(path, self.rng)
        self.cluster.spawn(words, self.victim)
        became = wait_until(f"{self.victim} to say what it makes of the damage", self.became)
        self.seen[f"{kind}: {became}"] += 1
        if became == "read" and self.victim.startswith("timeline"):
            for patient in self.rng.sample(self.patients, min(len(self.patients), 40)):
                for row in self.cluster.door(self.victim).timelines([patient]):
                    unknown = set(row["event_ids"]) - self.ids[patient]
                    assert not unknown, f"{self.victim} answered from a damaged {kind}: {unknown}"

    def became(self):
        if not self.cluster.words(self.victim):
            return "ended"
        try:
            status, text = http("GET", self.cluster.door(self.victim).admin + "/readyz")
        except OSError:
            return None
        return "read" if status == 200 else "partition stopped" if "delete" in text else None

    def heal(self):
        self.cluster.kill(self.victim)
        delete_store(self.cluster, self.victim)


def damage(path, rng):
    """Some bytes somewhere become others."""
    with open(path, "r+b") as file:
        at = rng.randrange(path.stat().st_size)
        file.seek(at)
        was = file.read(8)
        file.seek(at)
        file.write(bytes(byte ^ rng.randint(1, 255) for byte in was))


class Double(Fault):
    """Two processes with the same ordinal, each with a folder of its own, as a node that is cut off and its successor are."""
    name = "double"

    def strike(self):
        self.victim = self.rng.choice(self.processes("timeline", "forwarder"))
        words = self.cluster.words(self.victim)
        folder = self.cluster.folder / "double"
        for flag, value in (("--data", folder), ("--grpc", "127.0.0.1:0"), ("--admin", "127.0.0.1:0")):
            words[words.index(flag) + 1] = str(value)
        self.double = self.cluster.spawn(words, "double")
        admin = wait_until("the double to listen", lambda: ended_or_ports(self.double, folder))["admin"]
        wait_until("the double to be ready", lambda: ready(admin))
        if self.victim.startswith("forwarder"):
            # Who claims last sends; the other says that it does not.
            wait_until(f"{self.victim} to say that another sends",
                       lambda: http("GET", self.cluster.door(self.victim).admin + "/readyz")[0] != 200)
        pass_time(self.rng.uniform(1, 5))

    def heal(self):
        self.double.kill()
        self.double.wait()
        shutil.rmtree(self.cluster.folder / "double")
        if self.victim.startswith("forwarder"):
            self.cluster.kill(self.victim)


def ended_or_ports(process, folder):
    assert process.poll() is None, f"it ended with {process.poll()}"
    ports = folder / "ports.json"
    return json.loads(ports.read_text()) if ports.exists() else None


def ready(admin):
    try:
        return http("GET", f"http://{admin}/readyz")[0] == 200
    except OSError:
        return False


class Scale(Fault):
    """Timeline replicas become fewer and more again, told one after the other."""
    name = "scale"

    def strike(self):
        self.cluster.scale(2)
        self.cluster.scale(3)


class SmallDisk(Fault):
    """A small disk of its own under one folder, which fills up. Mounted at the first strike, until the cluster is gone."""

    def allowed(self):
        """Tried, for root in a container may not mount."""
        with tempfile.TemporaryDirectory() as folder:
            mounted = subprocess.run(["mount", "-t", "tmpfs", "simpul-test", folder], capture_output=True, check=False)
            if mounted.returncode == 0:
                subprocess.run(["umount", folder], check=True)
            return mounted.returncode == 0

    def fill(self, victim, room):
        folder = self.cluster.data(victim)
        if folder not in self.cluster.mounts:
            used = sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())
            self.cluster.mount(folder, 2 * used + room)
        self.filler = folder / "filler"

    def eat(self):
        with open(self.filler, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass

    def heal(self):
        self.filler.unlink()


class FullReplicaDisk(SmallDisk):
    """A timeline replica's disk is full as it runs, as it ends, which writes out, and as it starts, which it refuses by name."""
    name = "full-disk"

    def strike(self):
        self.victim = self.processes("timeline")[0]
        words = self.cluster.words(self.victim)
        self.cluster.kill(self.victim)
        self.fill(self.victim, 128 << 20)
        process = self.cluster.spawn(words, self.victim)
        wait_until(f"{self.victim} to be ready", lambda: ready(self.cluster.door(self.victim).admin[len("http://"):]))
        self.eat()
        self.others_answer(self.victim)
        pass_time(self.rng.uniform(1, 4))
        self.seen["served on" if process.poll() is None else f"ended with {process.poll()}"] += 1
        self.cluster.end(self.victim, signal.SIGTERM)
        before = len(self.cluster.said(self.victim))
        process = self.cluster.spawn(words, self.victim)
        wait_until(f"{self.victim} to refuse", lambda: process.poll() is not None)
        assert "is full" in self.cluster.said(self.victim)[before:], self.cluster.said(self.victim)[before:]

    def heal(self):
        super().heal()
        self.cluster.kill(self.victim)


class FullBrokerDisk(SmallDisk):
    """A broker's disk is full: it ends, or takes nothing."""
    name = "full-broker-disk"

    def strike(self):
        self.victim = self.cluster.brokers()[-1]
        if self.cluster.data(self.victim) not in self.cluster.mounts:
            self.cluster.kill(self.victim)
            self.fill(self.victim, 64 << 20)
            self.cluster.up()
        self.fill(self.victim, 0)
        self.eat()
        pass_time(self.rng.uniform(4, 12))
        self.seen["served on" if self.cluster.words(self.victim) else "ended"] += 1

    def heal(self):
        super().heal()
        self.cluster.kill(self.victim)


class OtherProgram(Fault):
    """A process is stopped and started from the other build, there and back: older and newer ones run side by side."""
    name = "other-program"

    def allowed(self):
        return self.cluster.other_binary is not None

    def strike(self):
        victim = self.rng.choice(self.processes())
        self.cluster.others ^= {victim}
        self.seen["other" if victim in self.cluster.others else "own"] += 1
        self.cluster.end(victim, signal.SIGTERM)


FAULTS = {fault.name: fault for fault in (
    Kill, Freeze, FreezeBrokers, MoveLeaders, CutLinks, SlowLinks, DeleteFolder, Damage, Double, Scale, FullReplicaDisk,
    FullBrokerDisk, OtherProgram)}
