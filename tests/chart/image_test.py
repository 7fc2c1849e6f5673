#!/usr/bin/python3
"""The image builds, and runs as the chart runs it: an unknown user, a root file system that cannot be written, no capabilities.

Where no container engine answers, or none that has or finds Debian's image, there is nothing to build with: skipped.
"""
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0])
from tests.support.chart import NEEDED, container_of, pod_of, render, workloads  # noqa: E402
from tests.support.simpul import ROOT, Folder, run, wait_until  # noqa: E402

SKIPPED = 77  # as CMakeLists.txt says
BASES = ("debian:12", "debian:12-slim")
IMAGE = "simpul-image-test"


def skip(why):
    print(f"SKIP: {why}")
    sys.exit(SKIPPED)


def engine():
    for name in ("docker", "podman"):
        if shutil.which(name) and subprocess.run([name, "info"], capture_output=True).returncode == 0:
            return name
    return skip("no container engine answers (docker info, podman info)")


def main():
    name = engine()

    def call(*words, check=True):
        return subprocess.run([name, *map(str, words)], stdout=subprocess.PIPE, text=True, check=check)

    for base in BASES:
        if any(call(*words, base, check=False).returncode == 0 for words in (("image", "inspect"), ("pull",))):
            continue
        skip(f"{name} has no {base} and cannot pull it")
    call("build", "-f", ROOT / "deploy/Dockerfile", "-t", IMAGE, "--build-arg", "REVISION=tested", ROOT)

    about = json.loads(call("image", "inspect", IMAGE).stdout)[0]["Config"]
    version = run("--version").stdout
    assert about["Labels"]["org.opencontainers.image.version"] == version.split()[-1], about
    assert about["Labels"]["org.opencontainers.image.revision"] == "tested", about
    restricted = ("--network", "none", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
    assert call("run", "--rm", *restricted, IMAGE, "--version").stdout == version

    workload, = workloads(render(NEEDED))
    user = pod_of(workload)["securityContext"]["runAsUser"]
    with Folder() as folder:
        data = folder / "data"
        data.mkdir()
        os.chmod(folder.path, 0o755)
        os.chmod(data, 0o777)
        running = call("run", "--detach", "--user", f"{user}:{user}", *restricted, "--volume", f"{data}:/var/lib/simpul", IMAGE,
                       *container_of(workload)["args"]).stdout.strip()
        try:
            wait_until("serve to listen", (data / "ports.json").exists)
            state = json.loads(call("exec", running, "simpul", "state", "--json").stdout.splitlines()[-1])
            assert state["events"] == 0, state
            assert (data / "secret").stat().st_uid == user
            call("stop", "--time", pod_of(workload)["terminationGracePeriodSeconds"], running)
            assert json.loads(call("inspect", running).stdout)[0]["State"]["ExitCode"] == 0
        finally:
            call("rm", "--force", running)
            # What the container's user wrote, only it or root may delete.
            shutil.rmtree(data, ignore_errors=True)


if __name__ == "__main__":
    main()
