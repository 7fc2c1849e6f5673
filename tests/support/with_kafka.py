#!/usr/bin/env python3
"""Runs a command with real brokers, and throws them away: with_kafka.py [START OPTION...] -- COMMAND...

SIMPUL_KAFKA is their address and SIMPUL_KAFKA_DIR their folder. Options are those of `deploy/kafka start`."""
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

KAFKA = pathlib.Path(__file__).resolve().parents[2] / "deploy/kafka"


def main():
    # Ended from outside it ends the brokers too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    at = sys.argv.index("--")
    options, command = sys.argv[1:at], sys.argv[at + 1:]
    with tempfile.TemporaryDirectory(prefix="simpul-kafka-") as folder:
        where = ("--dir", os.path.join(folder, "brokers"))
        try:
            started = subprocess.run([KAFKA, "start", *where, *options], stdout=subprocess.PIPE, text=True, check=True)
            bootstrap = started.stdout.strip().splitlines()[-1]
            return subprocess.run(command, env=os.environ | {"SIMPUL_KAFKA": bootstrap, "SIMPUL_KAFKA_DIR": where[1]}).returncode
        finally:
            subprocess.run([KAFKA, "stop", *where, "--kill"], check=False)


if __name__ == "__main__":
    sys.exit(main())
