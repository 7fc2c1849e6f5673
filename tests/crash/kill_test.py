#!/usr/bin/env python3
"""`serve` is killed with -9 at random moments while four writers push.

Afterwards no acknowledged event is lost, none stands twice on a timeline, and nothing was created twice at the platform,
whose duplicate check is off. The oracle knows only what the commands and the sandbox answer.

  tests/crash/kill_test.py [KILLS [SEED]]
"""
import random
import sys
import threading

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0])
from tests.support.oracle import Writers, judge  # noqa: E402
from tests.support.simpul import Folder, Sandbox, Serve, simulate  # noqa: E402

WRITERS = 4


def main():
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    rng = random.Random(seed)
    with Folder() as folder:
        lines, events, flags, population = simulate(folder, seed, 400, 200)
        rng.shuffle(lines)
        with Sandbox(folder / "sandbox", "--population", population, "--no-duplicate-check") as sandbox:
            flags = (*flags, "--request-limit", "2s")
            serve = Serve(folder / "data", *flags, platform=sandbox.url)
            address = serve.grpc
            writers = Writers(lines, [address], WRITERS, seed)
            moment = threading.Event()
            try:
                for kill in range(kills):
                    moment.wait(rng.uniform(0, 0.8))
                    serve.kill()
                    # Half of the time it may be killed again before it is ready.
                    serve = Serve(folder / "data", *flags, platform=sandbox.url, grpc=address, ready=rng.random() < 0.5)
                    writers.check()
                serve.wait_ready()
            finally:
                writers.stop()
            writers.check()
            with serve:
                acknowledged_under_fire = len(writers.accepted)
                serve.push(lines)  # what was never answered is sent now
                judge(serve, sandbox, events, writers.accepted)
            print(f"{kills} kills, seed {seed}: {acknowledged_under_fire} events acknowledged between them, "
                  f"{len(events)} in all; none lost, none twice")


if __name__ == "__main__":
    main()
