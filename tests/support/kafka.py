"""Real brokers, and Simpul's roles as processes on them."""
import pathlib
import subprocess

from tests.support.simpul import Serve, run, wait_until

DEPLOY = pathlib.Path(__file__).resolve().parents[2] / "deploy/kafka"
ROLES = ("ingest", "timeline", "forwarder", "records")


class Kafka:
    """Brokers in a folder of their own, gone with this."""

    def __init__(self, folder, *flags):
        self.folder = pathlib.Path(folder)
        self.bootstrap = self.start(*flags)

    def start(self, *flags):
        """Starts those that are down; where they answer."""
        started = subprocess.run([DEPLOY, "start", "--dir", self.folder, *flags], stdout=subprocess.PIPE, text=True, check=True)
        return started.stdout.strip().splitlines()[-1]

    def stop(self, *flags):
        subprocess.run([DEPLOY, "stop", "--dir", self.folder, *flags], check=True)

    def tool(self, name, *args):
        """Runs a tool of Kafka's own."""
        subprocess.run([DEPLOY, "tool", "--dir", self.folder, f"org.apache.kafka.tools.{name}", *map(str, args)], check=True,
                       stdout=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop("--kill")


class Cluster:
    """One process a role. What a test does with `Serve` goes to the role that answers it."""

    def __init__(self, folder, kafka, *flags, platform=None, replicas=1, secret=None):
        """With the secret of an install whose topics are there, none are made."""
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = ("--log", "kafka", "--kafka", kafka.bootstrap, "--secret", secret or self.folder / "secret",
                    *(() if replicas > 1 else ("--accept-single-copy",)))
        if secret is None:
            run("topics", "--kafka", kafka.bootstrap, "--secret", self.folder / "secret", "--create", "--replicas", replicas)
        self.flags = flags
        self.platform = platform
        self.roles = {}
        for role in ROLES:
            self.start(role)

    def start(self, role, **how):
        self.roles[role] = Serve(self.folder / role, role, *self.log, *self.flags,
                                 platform=self.platform if role == "forwarder" else None, **how)
        return self.roles[role]

    def __getattr__(self, role):
        try:
            return self.__dict__["roles"][role]
        except KeyError:
            raise AttributeError(role) from None

    def wait_on_timeline(self, events):
        wait_until(f"{events} events on timelines", lambda: self.timeline.state()[1]["events"] >= events)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for serve in self.roles.values():
            if serve.process.poll() is None:
                serve.stop()
