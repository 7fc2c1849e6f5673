"""Renders charts/simpul as Helm does, and runs what is rendered without a Kubernetes. Needs Debian's python3-yaml."""
import functools
import pathlib
import subprocess
import tempfile

import yaml

from tests.support.simpul import ROOT, Serve

CHART = ROOT / "charts/simpul"
KUBERNETES = ("1.30.0", "1.35.0")
# Without these nothing is rendered.
NEEDED = {"image": {"repository": "registry.example.org/simpul"}, "insecure": True}
ON_KAFKA = {**NEEDED, "log": "kafka", "kafka": {"bootstrap": "broker-1:9092,broker-2:9092"},
            "installSecret": {"existingSecret": "simpul-install"}}


@functools.cache
def tools():
    """The folder with helm, kubeconform and schemas; made once."""
    made = subprocess.run([ROOT / "deploy/test-tools"], check=True, stdout=subprocess.PIPE, text=True)
    return pathlib.Path(made.stdout.strip())


def helm(*words, values=None):
    """Runs helm; (whether it went well, what it printed)."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(values or {}, file)
        file.flush()
        done = subprocess.run([tools() / "bin/helm", *map(str, words), *(("-f", file.name) if values is not None else ())],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    return done.returncode == 0, done.stdout


def template(values, *, release="simpul", chart=CHART, kubernetes=KUBERNETES[-1]):
    """(whether it renders, the YAML or why not)."""
    return helm("template", release, chart, "--kube-version", kubernetes, values=values)


def render(values, **options):
    """The objects."""
    went_well, text = template(values, **options)
    assert went_well, text
    return [one for one in yaml.safe_load_all(text) if one]


def of_kind(objects, *kinds):
    return [one for one in objects if one["kind"] in kinds]


def workloads(objects):
    return of_kind(objects, "StatefulSet", "Deployment")


def pod_of(workload):
    return workload["spec"]["template"]["spec"]


def container_of(workload):
    containers = pod_of(workload)["containers"]
    assert len(containers) == 1, containers
    return containers[0]


def files_of(volume):
    """Kind and name of what a volume's files come from, their keys, and their names on it."""
    sources = volume["projected"]["sources"] if "projected" in volume else [volume]
    for source in sources:
        for kind in ("secret", "configMap"):
            for item in source.get(kind, {}).get("items", ()):
                yield kind, source[kind].get("secretName") or source[kind]["name"], item["key"], item["path"]


def command_line(workload, folder, contents):
    """The words after `simpul` of a rendered container, with folders in place of its volumes, filled as those would be.

    `contents` is {(kind, name): {key: bytes}} of the Secrets and ConfigMaps.
    """
    container = container_of(workload)
    folder.mkdir()
    for volume in pod_of(workload).get("volumes", ()):
        (folder / volume["name"]).mkdir()
        for kind, name, key, path in files_of(volume):
            (folder / volume["name"] / path).write_bytes(contents[kind, name][key])
            (folder / volume["name"] / path).chmod(0o400)
    words = container["args"]
    for mount in container["volumeMounts"]:
        words = [word.replace(mount["mountPath"], str(folder / mount["name"])) for word in words]
    return words


class Pod(Serve):
    """`simpul serve` with a rendered container's own command line, as the pod with this number.

    Only where it and its peers listen is other than in a cluster: `peers` are their addresses.
    """

    def __init__(self, workload, folder, contents, number=0, peers=()):
        container = container_of(workload)
        self.probes = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")}
        command, *words = command_line(workload, folder, contents)
        assert command == "serve", command
        data = next(word for word in words if word.startswith("--data="))
        shared = [word for word in words if word.startswith("--replicas=")]
        words = [word for word in words if not word.startswith(("--data=", "--grpc=", "--admin=", "--peers="))]
        super().__init__(data.removeprefix("--data="), *words, *([f"--replica={number}"] if shared else []),
                         *(["--peers", ",".join(peers)] if peers else []), grpc=peers[number] if peers else "127.0.0.1:0",
                         ready=not shared)
