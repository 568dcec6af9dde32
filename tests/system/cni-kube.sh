#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# meshdns-cni where the runtime does not tell a pod's annotations: the Kubernetes API does, over TLS.
# shellcheck disable=SC2034 # VARIABLES and the like are read elsewhere

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/lib-cni.sh
. "$SYSTEM/lib-cni.sh"

API=$SYSTEM # of the server, once there is one

setup() {
	need nft python3 openssl
	cni_setup
	API=$LAB/api
	mkdir -p "$API/pods"
	echo secret >"$API/token"
	certificates
	start api "$NODE" 0 kube-api.py "$API" 6443
	wait_for 10 logged api ready
}

# certificates: two authorities, of which the second is nobody's; the server's and a client's.
certificates() {
	local who
	for who in ca other; do
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$who" \
			-keyout "$API/$who.key" -out "$API/$who.crt" 2>/dev/null
	done
	for who in server client; do
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$who" \
			-keyout "$API/$who.key" 2>/dev/null |
			openssl x509 -req -days 2 -CA "$API/ca.crt" -CAkey "$API/ca.key" -CAcreateserial \
				-extfile <(echo 'subjectAltName=IP:127.0.0.1,IP:::1,DNS:localhost,DNS:kubernetes.default') -out "$API/$who.crt" 2>/dev/null
	done
}

# kubeconfig USER [CA [SERVER]]: as Kuma's and Istio's installers write it.
kubeconfig() {
	cat >"$API/kubeconfig" <<-EOT
		# Kubeconfig file for the CNI plugin.
		apiVersion: v1
		kind: Config
		clusters:
		- name: local
		  cluster:
		    server: ${3:-https://127.0.0.1:6443}
		    certificate-authority-data: $(base64 -w0 "$API/${2:-ca}.crt")
		users:
		- name: plugin
		  user: $1
		contexts:
		- name: plugin-context
		  context: {cluster: local, user: plugin}
		current-context: plugin-context
	EOT
	chmod 0600 "$API/kubeconfig"
}
TOKEN='{token: "secret"}'

# api_pod NAME ANNOTATIONS [LINE…]: what the API says of it, and before.
api_pod() {
	local metadata="\"name\": \"$1\", \"namespace\": \"shop\", \"uid\": \"u-1\", \"annotations\": $2"
	{
		(($# < 3)) || printf '%s\n' "${@:3}"
		echo "{\"kind\": \"Pod\", \"apiVersion\": \"v1\", \"metadata\": {$metadata}}"
	} >"$API/pods/$1"
	: >"$API/requests"
}
requests() { wc -l <"$API/requests"; }

# request MORE: of a list that asks for no annotations.
request() {
	printf '{"cniVersion": "1.0.0", "name": "net", "type": "meshdns-cni", "state_dir": "%s", "log_file": "%s", "kubeconfig": "%s",
		"prevResult": {"cniVersion": "1.0.0", "ips": []}%s}' "$STATE" "$LAB/log/cni" "$API/kubeconfig" "${1:+, $1}"
}
variables() {
	VARIABLES=(CNI_CONTAINERID=c CNI_IFNAME=eth0 "CNI_NETNS=$NETNS"
		"CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAMESPACE=${2:-shop};K8S_POD_NAME=$1;K8S_POD_INFRA_CONTAINER_ID=c;K8S_POD_UID=${3:-u-1}")
}
# add NAME [MORE]: the rules that this pod gets.
add() {
	variables "$1"
	plugin ADD "$(request "${2:-}")" "${VARIABLES[@]}" >/dev/null 2>>"$LAB/log/add"
	pod_rules
	plugin DEL "$(request)" "${VARIABLES[@]}"
}
# fails CODE REGEX NAME [MORE]
fails() {
	local status=0 answer
	variables "$3"
	answer=$(plugin ADD "$(request "${4:-}")" "${VARIABLES[@]}" 2>>"$LAB/log/add") || status=$?
	expect_eq 1 $status "status for $3"
	expect_match "$2" "$(member msg <<<"$answer")"
	expect_eq "$1" "$(member code <<<"$answer")" "code of '$answer'"
	expect_eq '' "$(pod_rules)$(remembered)"
}

# status_of MORE: what STATUS says, if anything.
status_of() { plugin STATUS "$(request "${1:+$1, }\"cniVersion\": \"1.1.0\"")" 2>/dev/null || :; }

INJECT='"kuma.io/sidecar-injected": "true"'

# --- asking -------------------------------------------------------------------------------------

test_annotations_decide() {
	pod annotations
	kubeconfig "$TOKEN"
	api_pod web-0 "{$INJECT, \"meshdns.io/redirect-dns-port\": \"15099\"}"
	expect_match 'redirect to :15099' "$(add web-0)"
	expect_match '^/api/v1/namespaces/shop/pods/web-0 application/json;as=PartialObjectMetadata' "$(cat "$API/requests")"
	api_pod web-1 null
	expect_eq '' "$(add web-1)"
	expect_match 'redirect to :15053' "$(add web-1 '"inject": "always"')"
	api_pod web-2 '{"meshdns.io/inject": "false"}'
	expect_eq '' "$(add web-2 '"inject": "always"')"
}

test_it_is_asked_only_where_that_matters() {
	pod needless
	kubeconfig "$TOKEN"
	api_pod web-0 "{$INJECT}"
	variables web-0
	plugin ADD "$(request)" "${VARIABLES[@]}" >/dev/null
	expect_eq 1 "$(requests)"
	plugin CHECK "$(request)" "${VARIABLES[@]}" # what ADD was told is remembered
	plugin DEL "$(request)" "${VARIABLES[@]}"
	expect_eq '' "$(add web-0 '"exclude_namespaces": ["shop"]')"
	expect_eq '' "$(add web-0 '"runtimeConfig": {"io.kubernetes.cri.pod-annotations": null}')"
	VARIABLES=("${VARIABLES[@]:0:3}" 'CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAME=of-podman')
	plugin ADD "$(request)" "${VARIABLES[@]}" >/dev/null
	expect_match 'redirect to :15053' "$(pod_rules)"
	plugin DEL "$(request)" "${VARIABLES[@]}"
	expect_eq 1 "$(requests)"
}

test_ways_to_say_who_we_are() {
	local user
	pod who
	api_pod web-0 "{$INJECT}"
	for user in "$TOKEN" "{tokenFile: $API/token}" "{tokenFile: token}" "{client-certificate: client.crt, client-key: $API/client.key}" \
		"{client-certificate-data: $(base64 -w0 "$API/client.crt"), client-key-data: $(base64 -w0 "$API/client.key")}"; do
		kubeconfig "$user"
		expect_match 'redirect to' "$(add web-0)"
	done
	kubeconfig '{token: wrong}'
	fails 7 'says 401: Unauthorized' web-0
	kubeconfig '{exec: {command: aws}}'
	fails 7 "kubeconfig: the user's exec is not supported" web-0
}

test_servers_by_name_and_ipv6() {
	local server
	pod servers
	api_pod web-0 "{$INJECT}"
	for server in 'https://[::1]:6443/' https://localhost:6443; do
		kubeconfig "$TOKEN" ca "$server"
		expect_match 'redirect to' "$(add web-0)"
	done
}

# The certificate is for whom the kubeconfig says, whatever the server's address is.
test_servers_by_another_name() {
	pod names
	api_pod web-0 "{$INJECT}"
	kubeconfig "$TOKEN" ca $'https://[::1]:6443\n    tls-server-name: kubernetes.default'
	expect_match 'redirect to' "$(add web-0)"
	expect_match ' \[::1\]:6443$' "$(cat "$API/requests")"
	kubeconfig "$TOKEN" ca $'https://127.0.0.1:6443\n    tls-server-name: elsewhere'
	fails 7 'certificate|elsewhere' web-0
	expect_eq 1 "$(requests)"
}

test_a_server_that_is_not_trusted_gets_no_token() {
	pod trust
	api_pod web-0 "{$INJECT}"
	kubeconfig "$TOKEN" other
	fails 7 'cannot ask the Kubernetes API at https://127.0.0.1:6443: .*certificate' web-0
	expect_eq 0 "$(requests)"
}

# --- failing ------------------------------------------------------------------------------------

test_trouble_that_passes_is_waited_for() {
	pod retry
	kubeconfig "$TOKEN"
	api_pod web-0 "{$INJECT}" '500 etcd has no leader' '404 not yet' '429 slowly'
	expect_match 'redirect to' "$(add web-0)"
	expect_eq 4 "$(requests)"
	api_pod web-0 "{$INJECT}" '500 etcd has no leader' '500 etcd has no leader'
	fails 11 'says 500: etcd has no leader' web-0 '"api_retries": 1'
	expect_eq 2 "$(requests)"
	api_pod web-0 "{$INJECT}" '403 pods "web-0" is forbidden'
	fails 7 'is forbidden; the user of the kubeconfig needs the right to get pods' web-0
	expect_eq 1 "$(requests)"
}

test_an_end_to_waiting() {
	local started
	pod slow
	kubeconfig "$TOKEN"
	api_pod web-0 "{$INJECT}" 'sleep 30'
	started=$(now_ms)
	fails 11 'timed out' web-0 '"api_timeout": 1, "api_retries": 0'
	expect_between 900 15000 $(($(now_ms) - started))
	kubeconfig "$TOKEN" ca https://127.0.0.1:1
	fails 11 'refused|connect' web-0 '"api_retries": 0'
}

test_answers_that_are_none() {
	pod nonsense
	kubeconfig "$TOKEN"
	api_pod web-0 "{$INJECT}" garbage
	fails 7 'no JSON' web-0
	api_pod web-0 "{$INJECT}" long
	fails 7 'too long' web-0
	api_pod web-0 '{"a": 1}'
	fails 7 'not all text' web-0
	api_pod web-0 "{$INJECT}"
	sed -i s/u-1/u-2/ "$API/pods/web-0"
	fails 11 'another pod of this name' web-0 '"api_retries": 0'
	api_pod web-0 "{$INJECT, \"kubernetes.io/config.hash\": \"u-1\"}" # a static pod
	sed -i s/u-1/u-2/ "$API/pods/web-0"
	sed -i 's/hash": "u-2/hash": "u-1/' "$API/pods/web-0"
	expect_match 'redirect to' "$(add web-0)"
}

test_failures_can_be_skipped() {
	pod skip
	kubeconfig "$TOKEN" ca https://127.0.0.1:1
	expect_eq '' "$(add web-0 '"api_retries": 0, "on_api_failure": "skip"')"
	expect_match 'as on_api_failure says .*reason=.*127.0.0.1:1' "$(cat "$LAB/log/add")"
	rm "$API/kubeconfig"
	fails 7 'kubeconfig.*No such file' web-0
	expect_match 'cannot read the kubeconfig' "$(status_of '')"
	expect_eq '' "$(status_of '"on_api_failure": "skip"')"
	expect_eq '' "$(status_of '"capabilities": {"io.kubernetes.cri.pod-annotations": true}')"
	expect_eq '' "$(add web-0 '"on_api_failure": "skip"')"
}

test_without_its_program_it_says_so() {
	local BUILD=$LAB/alone
	pod alone
	kubeconfig "$TOKEN"
	api_pod web-0 "{$INJECT}"
	mkdir "$BUILD"
	cp "$LAB/bin/meshdns-cni" "$BUILD"
	fails 7 'alone/meshdns-cni-kube is not there' web-0
}

run_tests "$@"
