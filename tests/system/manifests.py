#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""manifests.py DIR HELP-FILE: whether the manifests agree with one another and with the installer's --help.
manifests.py DIR --entry KIND STATE: a STATUS request with the configuration of DIR/KIND, and STATE for the
state_dir, so that the machine's is left alone; --data KIND: the configuration alone.
"""

import json
import pathlib
import re
import sys

import yaml

TOP = pathlib.Path(sys.argv[1])
problems = []


def check(good, text):
    if not good:
        problems.append(text)


def load(kind):
    """What kustomize would read of a folder, by kind."""
    folder = TOP / kind
    files = yaml.safe_load((folder / "kustomization.yaml").read_text())
    names = [n for n in files["resources"] if n.endswith(".yaml")] + [p["path"] for p in files.get("patches", [])]
    left = {p.name for p in folder.glob("*.yaml")} - set(names) - {"kustomization.yaml"}
    check(not left, f"{kind}: not in kustomization.yaml: {left}")
    docs = {}
    for name in names:
        for doc in yaml.safe_load_all((folder / name).read_text()):
            docs[doc["kind"]] = doc
    return docs


def entry(kind):
    return json.loads(load(kind)["ConfigMap"]["data"]["entry.json"])


def words_of(container):
    return container.get("args", [])[1:] + container.get("readinessProbe", {}).get("exec", {}).get("command", [])[2:]


def check_all(help_text):
    options = set(re.findall(r"--([a-z-]+)", help_text))
    defaults = re.findall(r"\((/[^)]*)\)", help_text)
    node, api = load("node"), load("api")
    spec = node["DaemonSet"]["spec"]["template"]["spec"]
    container, patched = spec["containers"][0], api["DaemonSet"]["spec"]["template"]["spec"]["containers"][0]
    for word in words_of(container):
        check(word.split("=")[0][2:] in options, f"not an option: {word}")
    for variable in patched["env"]:
        name = variable["name"].removeprefix("MESHDNS_CNI_").lower().replace("_", "-")
        check(name in options, f"not an option's variable: {variable['name']}")
    mounts = [m["mountPath"] for m in container["volumeMounts"]]
    for path in defaults:
        if "serviceaccount" not in path:
            check(any(path == m or path.startswith(m + "/") for m in mounts), f"not mounted: {path}")
    volumes = {v["name"]: v for v in spec["volumes"]}
    check(set(volumes) == {m["name"] for m in container["volumeMounts"]}, "volumes are not what is mounted")
    for mount in container["volumeMounts"]:
        host = volumes[mount["name"]].get("hostPath", {}).get("path")
        check(host is None or mount["mountPath"].removeprefix("/var") in (host, host.removeprefix("/var")),
              f"{mount['mountPath']} is {host} on the node")
    names = {docs[kind]["metadata"]["name"] for docs in (node, api) for kind in docs}
    check(names == {"meshdns-cni"}, f"names differ: {names}")
    check(spec["serviceAccountName"] in names and volumes["config"]["configMap"]["name"] in names, "unknown names")
    check(patched["name"] == container["name"], "the patch is of another container")
    labels = node["DaemonSet"]["spec"]["template"]["metadata"]["labels"]
    check(node["DaemonSet"]["spec"]["selector"]["matchLabels"].items() <= labels.items(), "the selector selects nothing")
    # Rights only where the API is used, and no more than it takes.
    check(not [k for k in node if "Role" in k] and node["ServiceAccount"]["automountServiceAccountToken"] is False,
          "node has rights in the cluster")
    check(api["ClusterRole"]["rules"] == [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}], "other rights")
    check(api["DaemonSet"]["spec"]["template"]["spec"]["automountServiceAccountToken"] is True, "no token")
    check(entry("api")["kubeconfig"] == patched["env"][0]["value"], "the plugin reads another kubeconfig")
    check("kubeconfig" not in entry("node"), "node asks the API")
    image = (TOP / "Containerfile").read_text()
    check(f'"{container["readinessProbe"]["exec"]["command"][0]}"' in image, "the probe's program is not in the image")


if sys.argv[2] == "--entry":
    print(json.dumps({"cniVersion": "1.1.0", "name": "pods", "type": "meshdns-cni", "log_file": "", "state_dir": sys.argv[4],
                      "capabilities": {"io.kubernetes.cri.pod-annotations": True, "dns": True}, **entry(sys.argv[3])}))
elif sys.argv[2] == "--data":
    print(json.dumps(entry(sys.argv[3])))
else:
    check_all(pathlib.Path(sys.argv[2]).read_text())
print(*problems, sep="\n", end="\n" if problems else "")
sys.exit(bool(problems))
