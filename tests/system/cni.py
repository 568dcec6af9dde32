#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""cni.py VERB CONFLIST: what libcni does with a list of plugins, for the verbs and the wrong requests
that Debian's libcni cannot make. Prints the last result; a failure's JSON and status 1.

ID, NETNS, IFNAME, ARGS      the variables, where they are not those of the container c1
RUNTIME                      JSON of the capabilities' values: a plugin gets those that it declares
PLUGIN=TYPE                  runs that plugin alone, on the result that is kept
RESULT=FILE                  where the result is kept between calls ($LAB/result)
EXTRA                        JSON of keys for every plugin's configuration (cni.dev/valid-attachments)
CNI_PATH                     where the plugins are
"""
import json
import os
import subprocess
import sys


def find(plugin):
    for folder in os.environ["CNI_PATH"].split(":"):
        if os.access(os.path.join(folder, plugin), os.X_OK):
            return os.path.join(folder, plugin)
    sys.exit(f"cni.py: no plugin {plugin}")


def request(network, plugin, previous):
    conf = {**plugin, "cniVersion": network["cniVersion"], "name": network["name"]}
    offered = json.loads(os.environ.get("RUNTIME", "{}"))
    wanted = plugin.get("capabilities", {})
    runtime = {key: value for key, value in offered.items() if wanted.get(key)}
    if runtime:
        conf["runtimeConfig"] = runtime
    if previous is not None:
        conf["prevResult"] = previous
    return {**conf, **json.loads(os.environ.get("EXTRA", "{}"))}


def main():
    verb, path = sys.argv[1:]
    kept = os.environ.get("RESULT", os.path.join(os.environ.get("LAB", "/tmp"), "result"))
    with open(path, encoding="utf-8") as file:
        network = json.load(file)
    previous = None
    if verb not in ("ADD", "STATUS", "GC") or os.environ.get("PLUGIN"):
        try:
            with open(kept, encoding="utf-8") as file:
                previous = json.load(file)
        except OSError:
            pass
    env = {"CNI_COMMAND": verb, "CNI_PATH": os.environ["CNI_PATH"], "PATH": os.environ["PATH"],
           "CNI_CONTAINERID": os.environ.get("ID", "c1"), "CNI_NETNS": os.environ.get("NETNS", ""),
           "CNI_IFNAME": os.environ.get("IFNAME", "eth0"), "CNI_ARGS": os.environ.get("ARGS", "")}
    plugins = network["plugins"]
    for plugin in reversed(plugins) if verb == "DEL" else plugins:
        if os.environ.get("PLUGIN", plugin["type"]) != plugin["type"]:
            continue
        done = subprocess.run([find(plugin["type"])], env=env, stdout=subprocess.PIPE, check=False,
                              input=json.dumps(request(network, plugin, previous)).encode())
        if done.returncode != 0:
            sys.stdout.buffer.write(done.stdout)
            json.loads(done.stdout)
            sys.exit(1)
        if verb == "ADD":
            previous = json.loads(done.stdout)
        elif done.stdout:
            sys.exit(f"cni.py: {plugin['type']} says something at {verb}: {done.stdout}")
    if verb == "ADD":
        with open(kept, "w", encoding="utf-8") as file:
            json.dump(previous, file)
        print(json.dumps(previous))


main()
