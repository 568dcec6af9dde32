// SPDX-License-Identifier: GPL-2.0-or-later

// libcni VERB CONFLIST: CNI's own library, as runtimes use it, with a list of plugins. ADD prints the
// last result; a failure is one line, and status 1.
//
// ID, NETNS, IFNAME, ARGS   of the attachment; ARGS as CNI_ARGS
// RUNTIME                   JSON of the capabilities' values
// CNI_PATH                  where the plugins are
// CACHE                     where it keeps what it did, if not where it always does
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/containernetworking/cni/libcni"
)

func attachment() (*libcni.RuntimeConf, error) {
	runtime := &libcni.RuntimeConf{
		ContainerID: os.Getenv("ID"),
		NetNS:       os.Getenv("NETNS"),
		IfName:      os.Getenv("IFNAME"),
	}
	for _, pair := range strings.Split(os.Getenv("ARGS"), ";") {
		if words := strings.SplitN(pair, "=", 2); len(words) == 2 {
			runtime.Args = append(runtime.Args, [2]string{words[0], words[1]})
		}
	}
	if text := os.Getenv("RUNTIME"); text != "" {
		return runtime, json.Unmarshal([]byte(text), &runtime.CapabilityArgs)
	}
	return runtime, nil
}

func run(verb, path string) error {
	list, err := libcni.ConfListFromFile(path)
	if err != nil {
		return err
	}
	runtime, err := attachment()
	if err != nil {
		return err
	}
	cni := libcni.NewCNIConfigWithCacheDir(strings.Split(os.Getenv("CNI_PATH"), ":"), os.Getenv("CACHE"), nil)
	switch verb {
	case "ADD":
		result, err := cni.AddNetworkList(context.Background(), list, runtime)
		if err != nil {
			return err
		}
		return result.PrintTo(os.Stdout)
	case "CHECK":
		return cni.CheckNetworkList(context.Background(), list, runtime)
	case "DEL":
		return cni.DelNetworkList(context.Background(), list, runtime)
	case "VALIDATE":
		_, err := cni.ValidateNetworkList(context.Background(), list)
		return err
	}
	return fmt.Errorf("no verb %s", verb)
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: libcni VERB CONFLIST")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
