#!/usr/bin/python3
"""charts/simpul: both forms render and are what Kubernetes takes, wrong values are refused in words, the program takes every
command line, and every pod is restricted."""
import json
import re
import shlex
import shutil
import subprocess
import sys

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0])
import yaml  # noqa: E402

from tests.support.chart import (  # noqa: E402
    CHART, KUBERNETES, NEEDED, ON_KAFKA, Pod, container_of, files_of, helm, of_kind, pod_of, render, template, tools, workloads)
from tests.support.simpul import ROOT, Folder, http, run  # noqa: E402

ROLES = ("ingest", "timeline", "forwarder", "records")
PLATFORM = {"platform": {"url": "https://platform.example.org/fhir", "credentials": {"existingSecret": "platform"},
                         "earliestDay": "2020-01-01", "requestLimitSeconds": 20}}
DIRECTORY = {"directory": {"existingConfigMap": "directory"}}


def merged(*values):
    whole = {}
    for one in values:
        for key, value in one.items():
            whole[key] = merged(whole.get(key, {}), value) if isinstance(value, dict) else value
    return whole


EVERYTHING = {
    "image": {"digest": "sha256:" + "a" * 64, "pullPolicy": "Always", "pullSecrets": ["registry"]},
    "stopLimitSeconds": 40, "stopDelaySeconds": 0, "startLimitSeconds": 31,
    "serviceAccount": {"existing": "clinic"},
    "checkpoints": {"existingClaim": "checkpoints", "every": "30m"},
    "spread": {"hosts": "DoNotSchedule", "zones": "DoNotSchedule"},
    "gateway": {"enabled": True, "parentRefs": [{"name": "edge"}], "hostnames": ["simpul.example.org"]},
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
}
PART = {
    "service": {"type": "LoadBalancer", "annotations": {"example.org/internal": "true"}},
    "resources": {"requests": {"cpu": 2}, "limits": {"memory": "1Gi"}},
    "env": [{"name": "SIMPUL_PLATFORM", "value": "https://elsewhere.example.org"}],
    "podAnnotations": {"example.org/note": "1"}, "podLabels": {"team": "north"},
    "nodeSelector": {"disk": "fast"}, "tolerations": [{"operator": "Exists"}],
    "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
        {"matchExpressions": [{"key": "disk", "operator": "Exists"}]}]}}},
    "priorityClassName": "high",
}
STORAGE = {"storage": {"size": "200Gi", "className": "fast", "accessMode": "ReadWriteOncePod"}}
TLS = {"kafka": {"prefix": "kutai.", "acceptSingleCopy": True, "tls": {
    "authority": {"existingSecret": "cluster-ca-cert"},
    "client": {"existingSecret": "simpul-user", "certificate": "user.crt", "key": "user.key"}}}}

# Every form that is asserted below.
FORMS = {
    "one machine": NEEDED,
    "one machine that sends": merged(NEEDED, PLATFORM, DIRECTORY),
    "one machine, everything set": merged(NEEDED, EVERYTHING, PLATFORM, {"directory": {"existingSecret": "directory"}},
                                          {"machine": merged(PART, STORAGE)}),
    "one machine on a cluster that gives users": merged(NEEDED, {"security": {"fixedUser": False}, "listenOn": "[::]"}),
    "on Kafka": ON_KAFKA,
    "on Kafka that sends": merged(ON_KAFKA, PLATFORM, DIRECTORY, {"topics": {"create": True}, "roles": {
        "ingest": {"replicas": 3}, "timeline": {"replicas": 3}, "forwarder": {"replicas": 2}}}),
    "on Kafka, one of each": merged(ON_KAFKA, {"roles": {role: {"replicas": 1} for role in ROLES}}),
    "on Kafka, everything set": merged(ON_KAFKA, EVERYTHING, PLATFORM, DIRECTORY, TLS, {"topics": {"create": True, "partitions": 96}, "roles": {
        role: merged(PART, STORAGE if role in ("timeline", "forwarder") else {}) for role in ROLES}}),
}
RENDERED = {name: render(values) for name, values in FORMS.items()}


def forms_have_their_parts():
    """The one machine is one workload, Kafka's form four; only what keeps a store has a volume that stays."""
    for name, objects in RENDERED.items():
        found = {one["metadata"]["name"]: one["kind"] for one in workloads(objects)}
        if "Kafka" in name:
            assert found == {"simpul-ingest": "Deployment", "simpul-timeline": "StatefulSet", "simpul-forwarder": "StatefulSet",
                             "simpul-records": "Deployment"}, found
        else:
            assert found == {"simpul": "StatefulSet"}, found
        for one in workloads(objects):
            claims = one["spec"].get("volumeClaimTemplates", [])
            data = [volume for volume in pod_of(one).get("volumes", []) if volume["name"] == "data"]
            assert len(claims) + len(data) == 1 and (one["kind"] == "StatefulSet") == bool(claims), (name, one)
            assert len(of_kind(objects, "Service")) == 2 * len(found)
            assert len(of_kind(objects, "PodDisruptionBudget")) == len(found)


def kubernetes_takes_them():
    """helm lint --strict, and the schemas of the oldest and newest Kubernetes; a wrong object is refused by them."""
    went_well, said = helm("lint", "--strict", CHART)
    assert went_well, said
    with Folder() as folder:
        paths = []
        for name, values in FORMS.items():
            went_well, said = helm("lint", "--strict", CHART, values=values)
            assert went_well, (name, said)
            paths.append(folder / (name.replace(" ", "-") + ".yaml"))
            paths[-1].write_text(yaml.safe_dump_all(RENDERED[name]))

        def kubeconform(version, *files):
            schemas = tools() / "schemas" / version / "{{.ResourceKind}}{{.KindSuffix}}.json"
            return subprocess.run(
                [tools() / "bin/kubeconform", "-strict", "-kubernetes-version", version, "-schema-location", schemas,
                 "-skip", "GRPCRoute,ServiceMonitor", "-output", "json", "-summary", *files], stdout=subprocess.PIPE, text=True)

        for version in KUBERNETES:
            checked = kubeconform(version, *paths)
            assert checked.returncode == 0, checked.stdout
            counted = json.loads(checked.stdout)["summary"]
            extensions = sum(len(of_kind(objects, "GRPCRoute", "ServiceMonitor")) for objects in RENDERED.values())
            assert counted["valid"] == sum(map(len, RENDERED.values())) - extensions, counted
            for path, wrong in ((("spec", "replicas"), "one"), (("spec", "template", "spec", "volume"), [])):
                spoilt = yaml.safe_load(yaml.safe_dump(workloads(RENDERED["one machine"])[0]))
                place = spoilt
                for key in path[:-1]:
                    place = place[key]
                place[path[-1]] = wrong
                (folder / "spoilt.yaml").write_text(yaml.safe_dump(spoilt))
                refused = kubeconform(version, folder / "spoilt.yaml")
                assert refused.returncode == 1 and path[-1] in refused.stdout, refused.stdout


# Values, and what is said of them.
REFUSALS = [
    ({}, "image.repository: say where your image of Simpul is"),
    ({"image": NEEDED["image"]}, "insecure: Simpul's ports are plain text"),
    ({"insecure": "yes"}, "at '/insecure': got string, want boolean"),
    ({"log": "kafak"}, "at '/log': value must be one of 'embedded', 'kafka'"),
    ({"lgo": "kafka"}, "additional properties 'lgo' not allowed"),
    ({"image": {"digest": "latest"}}, "at '/image/digest': 'latest' does not match"),
    ({"listenOn": "10.0.0.1"}, "at '/listenOn': value must be one of '0.0.0.0', '[::]'"),
    ({"kafka": {"bootstrap": "broker:9092"}}, "kafka.bootstrap: it is given, but log is embedded"),
    ({"installSecret": {"existingSecret": "mine"}}, "with log embedded the secret is made on the volume"),
    ({"machine": {"replicas": 2}}, "at '/machine/replicas': maximum: got 2, want 1"),
    ({"machine": {"storage": {"size": "much"}}}, "at '/machine/storage/size': 'much' does not match"),
    ({"machine": {"resources": {"limits": {"memory": "lots"}}}}, "at '/machine/resources/limits/memory'"),
    ({"stopLimitSeconds": "25s"}, "at '/stopLimitSeconds': got string, want integer"),
    ({"stopLimitSeconds": 0}, "at '/stopLimitSeconds': minimum: got 0, want 1"),
    ({"platform": {"url": "platform.example.org"}}, "platform.url: give a URL such as https://HOST/PATH"),
    ({"platform": {"earliestDay": "1 May"}}, "platform.earliestDay: write a day as YYYY-MM-DD"),
    ({"platform": {"credentials": "c2VjcmV0"}}, "at '/platform/credentials': got string, want object"),
    ({"platform": {"credentials": {"existingSecret": "Not A Name"}}}, "at '/platform/credentials/existingSecret'"),
    ({"directory": {"existingConfigMap": "a", "existingSecret": "b"}}, "existingConfigMap or existingSecret, not both"),
    ({"topics": {"create": True}}, "topics.create: there are topics only with log kafka"),
    ({"log": "kafka", "topics": {"create": True, "replicas": 0}}, "at '/topics/replicas': minimum: got 0, want 1"),
    ({"gateway": {"enabled": True}}, "gateway.parentRefs: name the gateway"),
    ({"security": {"user": 0}}, "at '/security/user': minimum: got 0, want 1"),
    ({"roles": {"timelines": {}}}, "at '/roles': additional properties 'timelines' not allowed"),
    ({"roles": {"ingest": {"storage": {"size": "1Gi"}}}}, "at '/roles/ingest': additional properties 'storage' not allowed"),
    ({"roles": {"ingest": {"replicas": -1}}}, "at '/roles/ingest/replicas': minimum: got -1, want 0"),
    ({"log": "kafka", "kafka": {"bootstrap": ""}}, "kafka.bootstrap: log is kafka; give the brokers"),
    ({"log": "kafka", "kafka": {"bootstrap": "broker"}}, "kafka.bootstrap: write the brokers as HOST:PORT"),
    ({"log": "kafka", "kafka": {"bootstrap": "broker:9092, other:9092"}}, "kafka.bootstrap: write the brokers as HOST:PORT"),
    ({"log": "kafka", "installSecret": {"existingSecret": ""}}, "installSecret.existingSecret: log is kafka"),
    ({"log": "kafka", "kafka": {"tls": {"authority": {"existingSecret": "ca"}}}}, "kafka.tls: give authority.existingSecret and"),
    ({"log": "kafka", "kafka": {"tls": {"client": {"existingSecret": "me"}}}}, "kafka.tls: give authority.existingSecret and"),
    ({"log": "kafka", "roles": {"timeline": {"replicas": 25}}}, "at '/roles/timeline/replicas': maximum: got 25, want 24"),
]


def wrong_values_are_refused():
    """Each in words that name the value."""
    for values, says in REFUSALS:
        base = {} if says.startswith(("image.repository", "insecure:")) else ON_KAFKA if values.get("log") == "kafka" else NEEDED
        went_well, said = template(merged(base, values))
        assert not went_well and says in said, f"{values}: {said}"


def the_program_takes_their_command_lines():
    """Past its flags it fails at a folder that cannot be; with a flag that it does not know, before."""
    for name, objects in RENDERED.items():
        for one in workloads(objects):
            words = [word.replace("/var/lib/simpul", "/dev/null/simpul") for word in container_of(one)["args"]]
            if any(word.startswith("--replicas=") for word in words):
                words.append("--replica=0")  # as a pod's name says it
            tried = run(*words, check=False)
            assert tried.returncode == 1 and "cannot make folder /dev/null" in tried.stderr, (name, words, tried.stderr)
            assert run(*words, "--no-such-flag", check=False).returncode == 2


def they_run_as_restricted():
    """Kubernetes' Pod Security Standard "restricted", a root file system that cannot be written, and no token."""
    for name, objects in RENDERED.items():
        assert not of_kind(objects, "Secret"), name
        pods = [one["spec"]["template"]["spec"] for one in objects if "template" in one.get("spec", {})]
        assert pods
        for pod in pods:
            assert pod["automountServiceAccountToken"] is False
            # Else a service named simpul would set the program's variables.
            assert pod["enableServiceLinks"] is False
            assert not any(pod.get(key) for key in ("hostNetwork", "hostPID", "hostIPC"))
            security = pod["securityContext"]
            assert security["runAsNonRoot"] is True and security["seccompProfile"] == {"type": "RuntimeDefault"}
            fixed = FORMS[name].get("security", {}).get("fixedUser", True)
            assert [security.get(key) for key in ("runAsUser", "runAsGroup", "fsGroup")] == [65532 if fixed else None] * 3
            for container in pod["containers"] + pod.get("initContainers", []):
                assert container["securityContext"] == {
                    "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
                assert container["resources"]["limits"]["memory"]
            for volume in pod.get("volumes", []):
                assert volume.keys() - {"name"} <= {"emptyDir", "secret", "configMap", "projected", "persistentVolumeClaim"}, volume
        for account in of_kind(objects, "ServiceAccount"):
            assert account["automountServiceAccountToken"] is False


def pieces_fit_together():
    """Files are where the command line says, ports and selectors meet, a pod may take as long to stop as the program does."""
    for name, objects in RENDERED.items():
        values = merged(yaml.safe_load((CHART / "values.yaml").read_text()), FORMS[name])
        for one in workloads(objects) + of_kind(objects, "Job"):
            pod, container = pod_of(one), container_of(one)
            mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
            volumes = {volume["name"]: volume for volume in pod.get("volumes", [])}
            volumes |= {claim["metadata"]["name"]: {} for claim in one["spec"].get("volumeClaimTemplates", [])}
            assert mounts.keys() == volumes.keys(), (name, mounts, volumes)
            there = {f"{mounts[volume]}/{path}" for volume in mounts for _, _, _, path in files_of(volumes[volume])}
            said = {word.split("=", 1)[1] for word in container["args"] if "=/" in word}
            there |= {mounts[volume] for volume in mounts if "persistentVolumeClaim" in volumes[volume]}
            assert said - {"/var/lib/simpul"} == there, (name, said, there)
            keeps = one["metadata"]["name"] in ("simpul", "simpul-timeline")
            assert ("checkpoints" in mounts) == (keeps and bool(values["checkpoints"]["existingClaim"])), (name, mounts)
            if one["kind"] == "Job":
                assert not any(service["spec"]["selector"].items() <= one["spec"]["template"]["metadata"]["labels"].items()
                               for service in of_kind(objects, "Service")), "nobody is sent there"
                continue
            assert "/var/lib/simpul" in said
            ports = {port["name"]: port["containerPort"] for port in container["ports"]}
            for port in ("grpc", "admin"):
                assert f"--{port}={values['listenOn']}:{ports[port]}" in container["args"], container["args"]
            for probe in ("startup", "liveness", "readiness"):
                assert container[f"{probe}Probe"]["httpGet"]["port"] == "admin"
            startup = container["startupProbe"]
            assert startup["periodSeconds"] * startup["failureThreshold"] >= values["startLimitSeconds"]
            delay = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
            assert delay == values["stopDelaySeconds"] and f"--stop-limit={values['stopLimitSeconds']}s" in container["args"]
            assert pod["terminationGracePeriodSeconds"] > delay + values["stopLimitSeconds"]

            labels = one["spec"]["template"]["metadata"]["labels"]
            selecting = [one["spec"]["selector"]["matchLabels"]]
            selecting += [spread["labelSelector"]["matchLabels"] for spread in pod["topologySpreadConstraints"]]
            selecting += [budget["spec"]["selector"]["matchLabels"] for budget in of_kind(objects, "PodDisruptionBudget")
                          if budget["metadata"]["name"] == one["metadata"]["name"]]
            services = {service["metadata"]["name"]: service for service in of_kind(objects, "Service")}
            public, headless = (services[one["metadata"]["name"] + end] for end in ("", "-pods"))
            assert [port["name"] for port in public["spec"]["ports"]] == ["grpc"], "the admin port is for nobody outside"
            assert headless["spec"]["clusterIP"] == "None" and len(headless["spec"]["ports"]) == 2
            for service in (public, headless):
                selecting.append(service["spec"]["selector"])
                for port in service["spec"]["ports"]:
                    assert port["port"] == ports[port["targetPort"]]
            if one["kind"] == "StatefulSet":
                assert services[one["spec"]["serviceName"]] is headless
                assert headless["spec"]["publishNotReadyAddresses"], "who catches up is asked and asks too"
            role, many = one["metadata"]["labels"]["app.kubernetes.io/component"], one["spec"]["replicas"] > 1
            shared = [word for word in container["args"] if word.startswith(("--replicas=", "--peers="))]
            assert shared == ([f"--replicas={one['spec']['replicas']}"] if many and one["kind"] == "StatefulSet" else []) + (
                [f"--peers={one['metadata']['name']}-{{}}.{one['spec']['serviceName']}:{ports['grpc']}"]
                if many and role == "timeline" else []), shared
            for selector in selecting:
                assert selector.items() <= labels.items()
                assert selector["app.kubernetes.io/component"] == one["metadata"]["name"].removeprefix("simpul-").replace(
                    "simpul", "machine")
        for monitor in of_kind(objects, "ServiceMonitor"):
            wanted = monitor["spec"]["selector"]["matchLabels"].items()
            seen = [one for one in of_kind(objects, "Service") if wanted <= one["metadata"]["labels"].items()]
            assert len(seen) == len(workloads(objects)), "each pod is seen once"


def the_gateway_knows_every_service():
    """The route has each gRPC service of the contract once, and leads to a port that is there."""
    contract = set()
    for path in (ROOT / "protos").rglob("*.proto"):
        package = re.search(r"^package ([\w.]+);", path.read_text(), re.M)
        contract |= {f"{package[1]}.{name}" for name in re.findall(r"^service (\w+)", path.read_text(), re.M)}
    for name in ("one machine, everything set", "on Kafka, everything set"):
        route, = of_kind(RENDERED[name], "GRPCRoute")
        routed = [match["method"]["service"] for rule in route["spec"]["rules"] for match in rule["matches"]]
        assert sorted(routed) == sorted(contract), (routed, contract)
        ports = {(service["metadata"]["name"], port["port"]) for service in of_kind(RENDERED[name], "Service")
                 for port in service["spec"]["ports"]}
        for rule in route["spec"]["rules"]:
            assert {(end["name"], end["port"]) for end in rule["backendRefs"]} <= ports


def upgrades_change_nothing_that_may_not_change():
    """What a StatefulSet and a selector keep for good is the same in the next version of the chart."""
    def kept(objects):
        for one in workloads(objects):
            spec = one["spec"]
            yield [one["kind"], one["metadata"]["name"], spec["selector"], spec.get("serviceName"),
                   spec.get("podManagementPolicy"), spec.get("volumeClaimTemplates")]

    with Folder() as folder:
        chart = folder / "simpul"
        shutil.copytree(CHART, chart)
        about = (chart / "Chart.yaml").read_text()
        (chart / "Chart.yaml").write_text(re.sub(r"(?m)^(version|appVersion): .*$", r'\1: "9.9.9"', about))
        for values in (NEEDED, ON_KAFKA):
            before, after = render(values), render(values, chart=chart)
            assert before != after and list(kept(before)) == list(kept(after))
    # Names have an end, however long the release's is.
    for one in render({**ON_KAFKA, "topics": {"create": True}}, release="a-very-long-name-of-a-release-of-fifty-characters-x"):
        assert len(one["metadata"]["name"]) <= (52 if one["kind"] == "StatefulSet" else 63), one["metadata"]["name"]


def values_are_all_known():
    """values.yaml has every value of the schema and no other; the chart is of this program's version."""
    schema = json.loads((CHART / "values.schema.json").read_text())

    def compare(values, rule, path):
        rule = schema["definitions"][rule["$ref"].rsplit("/", 1)[1]] if "$ref" in rule else rule
        if "allOf" in rule:
            return compare(values, rule["allOf"][0], path)
        if "properties" not in rule:
            return None
        assert rule["additionalProperties"] is False, path
        # What Kubernetes defines is named by it.
        names = rule["properties"].keys() - ({"global"} if not path else {"requests", "limits"} if path[-1] == "resources" else set())
        assert values.keys() - {"requests", "limits"} == names, (path, values.keys() ^ names)
        for name in names:
            compare(values[name], rule["properties"][name], (*path, name))

    compare(yaml.safe_load((CHART / "values.yaml").read_text()), schema, ())
    about = yaml.safe_load((CHART / "Chart.yaml").read_text())
    version = re.search(r"project\(simpul VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text())[1]
    assert about["appVersion"] == version == run("--version").stdout.split()[-1], about


def documents_say_what_renders():
    """Every `helm install` of README and operating.md."""
    operating = (ROOT / "docs/operating.md").read_text()
    file = re.search(r"here `simpul.yaml`:\n\n```\n(.*?)```", operating, re.S)[1]
    lines = []
    for text in ((ROOT / "README.md").read_text(), operating):
        lines += re.findall(r"^helm install (.*)$", text.replace("\\\n", " "), re.M)
    assert len(lines) == 4, lines
    with Folder() as folder:
        (folder / "simpul.yaml").write_text(file)
        for line in lines:
            release, chart, *flags = (str(folder / word) if word == "simpul.yaml" else word for word in shlex.split(line))
            assert chart == "charts/simpul", line
            went_well, said = helm("template", release, CHART, "--kube-version", KUBERNETES[-1], *flags)
            assert went_well and said.count("kind: StatefulSet") == (2 if "kafka" in said else 1), (line, said)


def the_one_machine_answers_its_probes():
    """The pod's own command line, on a folder in place of its volume."""
    workload, = workloads(RENDERED["one machine"])
    with Folder() as folder, Pod(workload, folder / "pod", {}) as pod:
        for probe, path in pod.probes.items():
            assert http("GET", pod.admin + path)[0] == 200, probe
        assert pod.stop() == 0


CHECKS = (forms_have_their_parts, kubernetes_takes_them, wrong_values_are_refused, the_program_takes_their_command_lines,
          they_run_as_restricted, pieces_fit_together, the_gateway_knows_every_service,
          upgrades_change_nothing_that_may_not_change, values_are_all_known, documents_say_what_renders,
          the_one_machine_answers_its_probes)


def main():
    for check in CHECKS:
        check()
        print("ok", check.__name__)


if __name__ == "__main__":
    main()
