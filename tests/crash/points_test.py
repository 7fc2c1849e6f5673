#!/usr/bin/env python3
"""`serve` dies at named places in the code, one after another, and nothing is lost or doubled.

Needs a build with crash points (asan, dev).
"""
import sys

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0])
from tests.support.oracle import Writers, judge  # noqa: E402
from tests.support.simpul import Folder, Sandbox, Serve, simulate, wait_until  # noqa: E402

POINTS = [
    "after_append_before_answer",
    "between_state_and_derived_append",
    "between_attempt_and_request",
    "after_platform_answer_before_ledger",
]
PASSES = (1, 3, 6)


def main():
    with Folder() as folder:
        lines, events, flags, population = simulate(folder, 5, 60, 60)
        with Sandbox(folder / "sandbox", "--population", population, "--no-duplicate-check") as sandbox:
            flags = (*flags, "--request-limit", "2s")
            serve = Serve(folder / "data", *flags, platform=sandbox.url)
            address = serve.grpc
            writers = Writers(lines, [address], 2, 0)
            try:
                for point in POINTS:
                    for passes in PASSES:
                        serve.kill()
                        serve = Serve(folder / "data", *flags, platform=sandbox.url, grpc=address, ready=False, doomed=True,
                                      env={"SIMPUL_CRASH_AT": f"{point}:{passes}"})
                        # Most points are passed only while there is something new.
                        rounds = 0
                        while serve.process.poll() is None and not writers.failures:
                            serve.push(fresh(events, f"{point}{passes}round{rounds}"), "--give-up-after", "3", check=False)
                            rounds += 1
                        status = wait_until(f"the crash at {point}, pass {passes}", serve.process.poll)
                        assert status == 137, f"{point}:{passes}: ended with {status}\n{serve.output()[-3000:]}"
                        serve = Serve(folder / "data", *flags, platform=sandbox.url, grpc=address)
                        writers.check()
                        print(f"died at {point}, pass {passes}, and came back")
            finally:
                writers.stop()
            writers.check()
            with serve:
                serve.push(lines)
                judge(serve, sandbox, events, writers.accepted)


def fresh(events, name):
    """New weighings of known children, so that there is something to deliver."""
    from tests.support import events as make
    made = [make.weighing(make.event_id(name, i), event["subject"], minutes=i)
            for i, event in enumerate(events[:20]) if "visit" in event]
    for new, old in zip(made, [event for event in events[:20] if "visit" in event]):
        new["facility"], new["unit"] = old["facility"], old["unit"]
        new["occurredAt"], new["recordedAt"] = old["occurredAt"], old["recordedAt"]
    return made


if __name__ == "__main__":
    main()
