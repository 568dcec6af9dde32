#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The manifests in scripts/kubernetes: they agree with one another, and with what the programs take.

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

MANIFESTS=$TOP/scripts/kubernetes

setup() {
	need python3
	python3 -c 'import yaml' || die "not installed: python3-yaml (sudo make deps)"
}

test_manifests_agree_with_the_installer() {
	meshdns-cni-install --help >"$LAB/help"
	manifests.py "$MANIFESTS" "$LAB/help"
	# It does tell what is wrong.
	cp -r "$MANIFESTS" "$LAB/kubernetes"
	sed -i 's|mountPath: /etc/cni/net.d|mountPath: /etc/cni/net|; s/--entry=/--entri=/' "$LAB/kubernetes/node/daemonset.yaml"
	expect_status 1 manifests.py "$LAB/kubernetes" "$LAB/help"
	expect_match 'not an option: --entri' "$OUTPUT"
	expect_match 'not mounted: /etc/cni/net.d' "$OUTPUT"
}

test_the_plugin_takes_their_configuration() {
	local kind
	for kind in node api; do
		manifests.py "$MANIFESTS" --entry $kind "$LAB/state" >"$LAB/entry"
		in_app env -i CNI_COMMAND=STATUS "$LAB/bin/meshdns-cni" <"$LAB/entry"
	done
}

# Everything where it is in the container; the account's folder as Kubernetes lays it.
test_the_installer_starts_as_they_have_it() {
	local node=$LAB/node
	mkdir -p "$node"/{net.d,bin,account/..1,config,results}
	echo '{"cniVersion": "1.0.0", "name": "pods", "plugins": [{"type": "bridge"}]}' >"$node/net.d/10-pods.conflist"
	echo authority >"$node/account/..1/ca.crt"
	echo first >"$node/account/..1/token"
	ln -s ..1 "$node/account/..data"
	ln -s ..data/ca.crt ..data/token "$node/account"
	manifests.py "$MANIFESTS" --data api >"$node/config/entry.json"
	start install "$DNS" 0 env KUBERNETES_SERVICE_HOST=fd00::1 KUBERNETES_SERVICE_PORT=443 \
		MESHDNS_CNI_KUBECONFIG="$node/net.d/meshdns-cni.kubeconfig" meshdns-cni-install watch \
		--entry="$node/config/entry.json" --net-dir "$node/net.d" --bin-dir "$node/bin" --cache-dir "$node/results" \
		--state-dir "$node/state" --service-account "$node/account" --mode insert
	wait_for 10 logged install ': ready'
	expect_eq 600 "$(stat -c %a "$node/net.d/meshdns-cni.kubeconfig")"
	expect_eq "https://[fd00::1]:443 first $(base64 -w0 <<<authority)" "$(said)"
	grep -q '"kubeconfig": "/etc/cni/net.d/meshdns-cni.kubeconfig"' "$node/net.d/10-pods.conflist"
	# The token is replaced before it expires, and the ConfigMap when somebody changes it.
	cp -r "$node/account/..1" "$node/account/..2"
	echo second >"$node/account/..2/token"
	ln -s ..2 "$node/account/..new"
	mv -T "$node/account/..new" "$node/account/..data"
	wait_for 10 says_second
	echo '{"inject": "always"}' >"$node/config/new"
	mv "$node/config/new" "$node/config/entry.json"
	wait_for 10 grep -q '"inject": "always"' "$node/net.d/10-pods.conflist"
	stop install
	expect_status 1 env KUBERNETES_SERVICE_HOST=fd00::1 KUBERNETES_SERVICE_PORT=443 meshdns-cni-install status \
		--entry="$node/config/entry.json" --net-dir "$node/net.d" --bin-dir "$node/bin" --cache-dir "$node/results" \
		--state-dir "$node/state" --service-account "$node/account" --kubeconfig "$node/elsewhere"
	expect_match '^kubeconfig: +missing' "$OUTPUT"
	expect_no_match '^(binary|configuration): +missing' "$OUTPUT"
	meshdns-cni-install remove --net-dir "$node/net.d" --bin-dir "$node/bin" --cache-dir "$node/results" \
		--state-dir "$node/state" --kubeconfig "$node/net.d/meshdns-cni.kubeconfig" 2>/dev/null
	expect_eq 10-pods.conflist "$(ls "$node/net.d")"
}

# said: the server, the token and the authority of the kubeconfig.
said() { python3 -c 'import sys, yaml
config = yaml.safe_load(open(sys.argv[1]))
cluster = config["clusters"][0]["cluster"]
print(cluster["server"], config["users"][0]["user"]["token"], cluster["certificate-authority-data"])' \
	"$LAB/node/net.d/meshdns-cni.kubeconfig"; }
says_second() { [[ $(said) == *' second '* ]]; }

run_tests "$@"
