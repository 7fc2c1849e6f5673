#!/usr/bin/python3
"""deploy/Dockerfile fits what it packs: the libraries that the program is linked with, the chart's user and ports."""
import os
import re
import subprocess
import sys

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0])
from tests.support.chart import NEEDED, ON_KAFKA, container_of, pod_of, render, workloads  # noqa: E402
from tests.support.simpul import BINARY, ROOT, run  # noqa: E402

FILE = (ROOT / "deploy/Dockerfile").read_text()
# Of every Debian, and what is no library.
BASE = {"libc6", "libgcc-s1"}
BESIDES = {"ca-certificates"}


def said(*words):
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout


def libraries():
    """The image has the packages of the libraries that the program names, and no other."""
    needed = re.findall(r"^\s*NEEDED\s+(\S+)", said("objdump", "-p", BINARY), re.M)
    places = dict(re.findall(r"^\s*(\S+) => (/\S+)", said("ldd", BINARY), re.M))
    packages = set()
    for library in needed:
        # Debian's list knows the place of before /lib became a link to /usr/lib, or the one of after.
        place = os.path.realpath(places[library])
        owners = (subprocess.run(["dpkg", "-S", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
                  for path in (place, place.removeprefix("/usr")))
        packages.add(next(filter(None, owners)).split(":")[0])
    assert len(packages) > 8, packages
    installed = re.search(r"--no-install-recommends \\\n(.*?) \\\n && rm", FILE, re.S)[1].replace("\\\n", " ").split()
    assert set(installed) - BESIDES == packages - BASE, set(installed) - BESIDES ^ packages - BASE


def the_chart():
    """User, ports and version are the chart's."""
    pods = [one for values in (NEEDED, ON_KAFKA) for one in workloads(render(values))]
    user = pod_of(pods[0])["securityContext"]["runAsUser"]
    assert re.search(rf"^USER {user}:{user}$", FILE, re.M)
    ports = {port["containerPort"] for one in pods for port in container_of(one)["ports"]}
    assert {int(port) for port in re.search(r"^EXPOSE (.*)$", FILE, re.M)[1].split()} == ports
    assert re.search(r"^ARG VERSION=(\S+)$", FILE, re.M)[1] == run("--version").stdout.split()[-1]


if __name__ == "__main__":
    for check in (libraries, the_chart):
        check()
        print("ok", check.__name__)
