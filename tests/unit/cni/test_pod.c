/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <string.h>

#include "cni/pod.h"
#include "common/cleanup.h"
#include "common/resolvconf.h"
#include "tests/unit/cni/requests.h"

#define KEY "\"" REQUEST_ANNOTATIONS_KEY "\""

/* A request whose runtime tells these annotations, with more configuration behind. */
#define ANNOTATED(annotations, more) REQUEST(", \"runtimeConfig\": {" KEY ": " annotations "}" more)

static const char *args = "";

static int read_pod(const char *text, struct request *request, struct pod *pod,
		    struct failure *failure)
{
	*request = request_parsed(text);
	request->args = args;
	*failure = (struct failure){0};
	return pod_read(request, pod, failure);
}

static bool wants(const char *text)
{
	cleanup_request struct request request = {0};
	cleanup_pod struct pod pod = {0};
	struct failure failure;

	cr_assert_eq(read_pod(text, &request, &pod, &failure), 0, "%s", failure.err.msg);
	cr_expect_not_null(pod.why);
	cr_expect_eq(pod.wanted, pod.plan.n_chains > 0);
	return pod.wanted;
}

/* 1: it wants rules, 0: none, -1: that is an error. `annotations` NULL: they are not known. */
static int outcome(const char *annotations, const char *inject, const char *more)
{
	cleanup_request struct request request = {0};
	cleanup_free char *text = NULL, *runtime = NULL;
	cleanup_pod struct pod pod = {0};
	struct failure failure;

	cr_assert_gt(asprintf(&runtime, ", \"runtimeConfig\": {" KEY ": %s}", annotations), 0);
	cr_assert_gt(asprintf(&text, REQUEST("%s%s%s"), inject, more, annotations ? runtime : ""),
		     0);
	return read_pod(text, &request, &pod, &failure) < 0 ? -1 : pod.wanted;
}

Test(pod, annotations_decide_where_the_runtime_tells_them)
{
	cr_expect_not(wants(ANNOTATED("null", "")));
	cr_expect_not(wants(ANNOTATED("{}", "")));
	cr_expect_not(wants(ANNOTATED("{\"a\": \"true\"}", "")));
	cr_expect(wants(ANNOTATED("{\"kuma.io/sidecar-injected\": \"true\"}", "")));
	cr_expect(wants(ANNOTATED("{\"meshdns.io/inject\": \"true\"}", "")));
	cr_expect_not(wants(ANNOTATED("{\"meshdns.io/inject\": \"nonsense\"}", "")));
	cr_expect_not(wants(ANNOTATED("{\"kuma.io/sidecar-injected\": \"true\", "
				      "\"meshdns.io/inject\": \"false\"}",
				      "")));
	cr_expect(wants(ANNOTATED("{}", ", \"inject\": \"always\"")));
	cr_expect_not(
		wants(ANNOTATED("{\"meshdns.io/inject\": \"false\"}", ", \"inject\": \"always\"")));
}

Test(pod, is_taken_where_the_runtime_knows_no_annotations)
{
	cr_expect(wants(REQUEST("")));
	cr_expect(wants(REQUEST(", \"cni.dev/new\": 1")), "a key of CNI's own");
	cr_expect(wants(REQUEST(", \"inject\": \"always\"")));
	cr_expect_not(wants(REQUEST(", \"inject\": \"annotated\"")));
	args = "IgnoreUnknown=1;MESHDNS_CONFIG=e30=";
	cr_expect(wants(REQUEST(", \"inject\": \"annotated\"")));
	args = "K8S_POD_NAME=podman-says-this";
	cr_expect(wants(REQUEST("")));
}

Test(pod, of_a_kubelet_that_tells_no_annotations_is_an_error)
{
	cleanup_request struct request request = {0};
	cleanup_pod struct pod pod = {0};
	struct failure failure;

	args = "K8S_POD_INFRA_CONTAINER_ID=x;K8S_POD_NAMESPACE=shop";
	cr_expect_eq(read_pod(REQUEST(""), &request, &pod, &failure), -1);
	cr_expect(strstr(failure.err.msg, "capabilities"));
	request_free(&request);
	cr_expect(wants(REQUEST(", \"inject\": \"always\"")));
}

/* pod.h's table: a row for each "inject", a column for what is known. */
Test(pod, wants_rules_as_the_table_says)
{
	enum { NONE = 0, ALL = 1, ERROR = -1 };
	static const char *const kubelet = "K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web-0";
	static const char yes[] = "{\"meshdns.io/inject\": \"true\"}",
			  no[] = "{\"meshdns.io/inject\": \"false\"}";
	static const struct {
		const char *inject;
		int yes, silent, no, kubelets, anothers;
	} table[] = {
		{"", ALL, NONE, NONE, ERROR, ALL},
		{", \"inject\": \"annotated\"", ALL, NONE, NONE, ERROR, NONE},
		{", \"inject\": \"always\"", ALL, ALL, NONE, ALL, ALL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const char *inject = table[i].inject;

		args = kubelet;
		cr_expect_eq(outcome(yes, inject, ""), table[i].yes, "%zu", i);
		cr_expect_eq(outcome("null", inject, ""), table[i].silent, "%zu", i);
		cr_expect_eq(outcome(no, inject, ""), table[i].no, "%zu", i);
		cr_expect_eq(outcome(NULL, inject, ""), table[i].kubelets, "%zu", i);
		cr_expect_eq(outcome(NULL, inject, ", \"on_api_failure\": \"skip\""),
			     table[i].kubelets == ERROR ? NONE : table[i].kubelets, "%zu", i);
		args = "IgnoreUnknown=1;K8S_POD_NAME=of-podman";
		cr_expect_eq(outcome(NULL, inject, ""), table[i].anothers, "%zu", i);
		args = "MESHDNS_CONFIG=e30=";
		cr_expect_eq(outcome(NULL, inject, ""), ALL, "%zu", i);
	}
}

Test(pod, of_an_excluded_namespace_is_left_alone)
{
	args = "K8S_POD_NAMESPACE=kube-system;K8S_POD_INFRA_CONTAINER_ID=x";
	cr_expect_not(wants(REQUEST(", \"exclude_namespaces\": [\"a\", \"kube-system\"]")));
	cr_expect_not(
		wants(REQUEST(", \"kubernetes\": {\"exclude_namespaces\": [\"kube-system\"]}, "
			      "\"inject\": \"always\"")));
	cr_expect(wants(REQUEST(", \"exclude_namespaces\": [\"kube\", \"kube-system-2\"], "
				"\"inject\": \"always\"")));
}

#define INJECT "\"meshdns.io/inject\": \"true\""

Test(pod, later_places_win)
{
	static const char text[] = ANNOTATED(
		"{" INJECT ", \"traffic.kuma.io/transparent-proxy-config\": "
		"\"redirect: {inbound: {enabled: true, port: 3}, outbound: {port: 3}}\", "
		"\"kuma.io/transparent-proxying-outbound-port\": \"4\", "
		"\"meshdns.io/redirect-outbound-port\": \"5\"}",
		", \"redirect\": {\"dns\": {\"captureAll\": true, \"port\": 2}, \"inbound\": "
		"{\"port\": 2}, \"outbound\": {\"port\": 2}}");
	cleanup_request struct request request = {0};
	cleanup_pod struct pod pod = {0};
	struct failure failure;

	cr_assert_eq(read_pod(text, &request, &pod, &failure), 0, "%s", failure.err.msg);
	cr_expect_eq(pod.settings.dns_port, 2);
	cr_expect_eq(pod.settings.inbound_port, 3);
	cr_expect_eq(pod.settings.outbound_port, 5);
	cr_expect(pod.settings.redirect_all_dns && pod.settings.redirect_inbound);
}

Test(pod, does_as_kumas_annotations_say)
{
	static const char text[] =
		ANNOTATED("{\"kuma.io/sidecar-injected\": \"true\", "
			  "\"traffic.kuma.io/transparent-proxy-config\": "
			  "\"redirect: {inbound: {enabled: true}, outbound: {enabled: true}}\", "
			  "\"traffic.kuma.io/exclude-inbound-ports\": \"1,3\", "
			  "\"traffic.kuma.io/exclude-outbound-ports\": \"1,3,5\", "
			  "\"traffic.kuma.io/exclude-outbound-ports-for-uids\": \"tcp:*:7\", "
			  "\"traffic.kuma.io/exclude-inbound-ips\": \"10.0.0.1\", "
			  "\"traffic.kuma.io/exclude-outbound-ips\": \"10.0.0.1,10.0.0.2\", "
			  "\"traffic.kuma.io/drop-invalid-packets\": \"enabled\", "
			  "\"traffic.kuma.io/iptables-logs\": \"1\", "
			  "\"kuma.io/transparent-proxying-ip-family-mode\": \"ipv4\", "
			  "\"kuma.io/sidecar-uid\": \"1337\", \"kuma.io/gateway\": \"provided\", "
			  "\"kuma.io/transparent-proxying-inbound-port\": \"4\", "
			  "\"kuma.io/transparent-proxying-outbound-port\": \"5\", "
			  "\"kuma.io/builtin-dns\": \"yes\", \"kuma.io/builtin-dns-port\": \"6\"}",
			  "");
	cleanup_request struct request request = {0};
	cleanup_pod struct pod pod = {0};
	const struct settings *is = &pod.settings;
	struct failure failure;

	cr_assert_eq(read_pod(text, &request, &pod, &failure), 0, "%s", failure.err.msg);
	cr_expect_eq(is->exclude_inbound_ports.n, 2);
	cr_expect_eq(is->exclude_outbound_ports.n, 3);
	cr_expect_eq(is->n_uid_exclusions, 1);
	cr_expect_eq(is->exclude_inbound_ips.n, 1);
	cr_expect_eq(is->exclude_outbound_ips.n, 2);
	cr_expect(is->drop_invalid && is->log && is->redirect_all_dns);
	cr_expect_eq(is->family_mode, FAMILY_IPV4);
	cr_expect_str_eq(is->proxy_user, "1337");
	cr_expect(is->redirect_outbound && !is->redirect_inbound, "a gateway's clients");
	cr_expect(is->inbound_port == 4 && is->outbound_port == 5 && is->dns_port == 6);
}

Test(pod, arguments_carry_a_whole_configuration)
{
	cleanup_request struct request request = {0};
	cleanup_pod struct pod pod = {0};
	struct failure failure;

	/* redirect: {inbound: {enabled: true, excludePorts: [22, 80-90]}} */
	args = "MESHDNS_CONFIG=cmVkaXJlY3Q6IHtpbmJvdW5kOiB7ZW5hYmxlZDogdHJ1ZSwgZXhjbHVkZVBvcnRzOi"
	       "BbMjIsIDgwLTkwXX19Cg==;X=1";
	cr_assert_eq(read_pod(REQUEST(""), &request, &pod, &failure), 0, "%s", failure.err.msg);
	cr_expect(pod.settings.redirect_inbound && !pod.settings.redirect_all_dns);
	cr_expect_eq(pod.settings.exclude_inbound_ports.n, 2);
	pod_free(&pod);
	request_free(&request);
	args = "MESHDNS_CONFIG=%%%";
	cr_expect_eq(read_pod(REQUEST(""), &request, &pod, &failure), -1);
}

Test(pod, nameservers_are_its_own)
{
	static const char capability[] = REQUEST(
		", \"redirect\": {\"dns\": {\"enabled\": true}}, \"runtimeConfig\": "
		"{\"dns\": {\"Servers\": [\"10.96.0.10\", \"fd00::a\"], \"Searches\": null}}"
		", \"prevResult\": {\"dns\": {\"nameservers\": [\"10.0.0.1\"]}}");
	static const char result[] =
		REQUEST(", \"redirect\": {\"dns\": {\"enabled\": true}}, \"prevResult\": {\"dns\": "
			"{\"nameservers\": [\"10.0.0.1\"]}}");
	cleanup_request struct request request = {0};
	cleanup_pod struct pod pod = {0};
	struct failure failure;

	cr_assert_eq(read_pod(capability, &request, &pod, &failure), 0, "%s", failure.err.msg);
	cr_assert_eq(pod.plan.n_sets, 2, "one of each family");
	cr_expect_eq(pod.plan.sets[0].n_addrs, 1, "not also the result's");
	pod_free(&pod);
	request_free(&request);
	cr_assert_eq(read_pod(result, &request, &pod, &failure), 0, "%s", failure.err.msg);
	cr_assert_eq(pod.plan.n_sets, 1);
	cr_expect_eq(pod.plan.sets[0].n_addrs, 1);
	pod_free(&pod);
	request_free(&request);
	cr_expect_eq(read_pod(REQUEST(", \"redirect\": {\"dns\": {\"enabled\": true}}"), &request,
			      &pod, &failure),
		     -1);
	cr_expect(strstr(failure.err.msg, "nameservers"));
	cr_expect(wants(REQUEST(
			  ", \"redirect\": {\"dns\": {\"enabled\": true, \"captureAll\": true}}")),
		  "anyone's are meant, as in Kuma's files");
}

Test(pod, has_so_many_nameservers)
{
	char text[1024] =
		REQUEST(", \"redirect\": {\"dns\": {\"enabled\": true}}, \"runtimeConfig\": "
			"{\"dns\": {\"servers\": [\"10.0.0.0\"");
	cleanup_request struct request request = {0};
	cleanup_pod struct pod pod = {0};
	struct failure failure;
	char *end = strrchr(text, '}');

	for (int i = 1; i <= RESOLVCONF_SERVERS_MAX; i++)
		end += sprintf(end, ", \"10.0.0.%d\"", i);
	strcpy(end, "]}}}");
	cr_assert_eq(read_pod(text, &request, &pod, &failure), 0, "%s", failure.err.msg);
	cr_expect_eq(pod.plan.sets[0].n_addrs, RESOLVCONF_SERVERS_MAX);
}

static const char *refusal(const char *text, enum failure_code code)
{
	static struct failure failure;
	struct request request;
	struct pod pod;

	cr_expect_eq(read_pod(text, &request, &pod, &failure), -1, "%s", text);
	cr_expect_eq(failure.code, code, "%s: %s", text, failure.err.msg);
	pod_free(&pod);
	request_free(&request);
	return failure.err.msg;
}

Test(pod, what_makes_no_sense_is_named)
{
	cr_expect(strstr(refusal(REQUEST(", \"bogus\": {\"a\": 1}"), FAILURE_FIELD),
			 "\"bogus\" with value {\"a\":1}"));
	cr_expect(strstr(
		refusal(REQUEST(", \"redirect\": {\"dns\": {\"prot\": 1}}"), FAILURE_CONFIGURATION),
		"redirect.dns.port"));
	cr_expect(strstr(refusal(ANNOTATED("[]", ""), FAILURE_DECODE), "not an object"));
	refusal(REQUEST(", \"redir\": {}"), FAILURE_FIELD);
	cr_expect(strstr(refusal(REQUEST(", \"api_timeout\": 0"), FAILURE_CONFIGURATION),
			 "from 1 to"));
	cr_expect(strstr(refusal(REQUEST(", \"inject\": \"maybe\""), FAILURE_CONFIGURATION),
			 "annotated or always"));
	cr_expect(strstr(
		refusal(REQUEST(", \"kumaDPUser\": \"no-such-user\""), FAILURE_CONFIGURATION),
		"--proxy-user"));
	cr_expect(strstr(
		refusal(ANNOTATED("{" INJECT ", \"meshdns.io/redirect-dns-prot\": \"1\"}", ""),
			FAILURE_CONFIGURATION),
		"--redirect-dns-port"));
	cr_expect(strstr(refusal(ANNOTATED("{" INJECT ", "
					   "\"traffic.kuma.io/exclude-inbound-ports\": \"x\"}",
					   ""),
				 FAILURE_CONFIGURATION),
			 "annotation traffic.kuma.io/exclude-inbound-ports"));
}

/* The runtime runs it wherever that is. */
Test(pod, paths_are_from_the_root)
{
	static const char *const keys[] = {"state_dir", "log_file", "kubeconfig"};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		char text[256];

		snprintf(text, sizeof(text), REQUEST(", \"%s\": \"a/b\""), keys[i]);
		cr_expect(strstr(refusal(text, FAILURE_CONFIGURATION), "from the root"));
	}
	cr_expect(wants(REQUEST(", \"log_file\": \"\"")));
}

/* Root on the node would run it. */
Test(pod, authors_of_pods_name_no_files_and_programs_of_the_node)
{
	static const char *const flags[] = {"netns",
					    "resolv-conf",
					    "iptables-executables",
					    "backend",
					    "rollback-after",
					    "proxy-cgroup",
					    "wait",
					    "wait-interval",
					    "max-retries",
					    "sleep-between-retries"};
	static const char yaml[] =
		ANNOTATED("{" INJECT ", \"meshdns.io/config\": \"iptablesExecutables: "
			  "{iptables-restore: /evil}\\nbackend: iptables-legacy\"}",
			  "");
	cleanup_request struct request request = {0};
	cleanup_pod struct pod pod = {0};
	struct failure failure;

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		char text[512];

		snprintf(text, sizeof(text),
			 ANNOTATED("{" INJECT ", \"meshdns.io/%s\": \"/etc/passwd\"}", ""),
			 flags[i]);
		cr_expect(strstr(refusal(text, FAILURE_CONFIGURATION), "it concerns the node"));
	}
	refusal(ANNOTATED("{" INJECT ", \"meshdns.io/config\": \"/etc/passwd\"}", ""),
		FAILURE_CONFIGURATION);
	cr_assert_eq(read_pod(yaml, &request, &pod, &failure), 0, "%s", failure.err.msg);
	cr_expect_null(pod.settings.backend.programs[BACKEND_RESTORE][0]);
	cr_expect_str_eq(pod.settings.backend.name, "nftables");
}

Test(pod, leaves_its_proxy_alone_whoever_that_is)
{
	static const struct {
		const char *text, *user;
	} cases[] = {
		{REQUEST(""), "5678"},
		{REQUEST(", \"kumaDPUser\": \"7\""), "7"},
		{REQUEST(", \"proxy\": {\"group\": \"7\"}"), NULL},
		{REQUEST(", \"proxy\": {\"mark\": \"7\"}"), NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_request struct request request = {0};
		cleanup_pod struct pod pod = {0};
		struct failure failure;

		cr_assert_eq(read_pod(cases[i].text, &request, &pod, &failure), 0, "%s",
			     failure.err.msg);
		if (cases[i].user)
			cr_expect_str_eq(pod.settings.proxy_user, cases[i].user);
		else
			cr_expect_null(pod.settings.proxy_user);
	}
}

Test(pod, the_nodes_administrator_may)
{
	cleanup_request struct request request = {0};
	cleanup_pod struct pod pod = {0};
	struct failure failure;

	cr_assert_eq(read_pod(REQUEST(", \"backend\": \"iptables-nft\", \"iptablesExecutables\": "
				      "{\"iptables-restore\": \"/x\"}"),
			      &request, &pod, &failure),
		     0, "%s", failure.err.msg);
	cr_expect_str_eq(pod.settings.backend.programs[BACKEND_RESTORE][0], "/x");
	cr_expect_str_eq(pod.settings.backend.name, "iptables-nft");
}

/* What is remembered gives the same plan. */
Test(pod, reduced_it_is_the_same)
{
	static const char text[] = ANNOTATED(
		"{" INJECT ", \"other\": \""
		"x"
		"\", \"kuma.io/gateway\": \"enabled\", "
		"\"meshdns.io/redirect-outbound\": \"true\"}",
		", \"redirect\": {\"dns\": {\"enabled\": true}}, \"prevResult\": {\"ips\": [], "
		"\"dns\": {\"nameservers\": [\"10.0.0.1\"]}}");
	cleanup_request struct request request = {0}, again = {0};
	cleanup_pod struct pod pod = {0}, same = {0};
	struct failure failure = {0};
	json_t *annotations;

	cr_assert_eq(read_pod(text, &request, &pod, &failure), 0, "%s", failure.err.msg);
	again = request;
	again.text = NULL;
	again.conf = pod_reduce(&request);
	annotations = request_capability(&again, REQUEST_ANNOTATIONS_KEY);
	cr_expect_null(json_object_get(annotations, "other"));
	cr_assert_eq(pod_read(&again, &same, &failure), 0, "%s", failure.err.msg);
	cr_expect_eq(plan_diff(&pod.plan, &same.plan, NULL, NULL), 0);
}

Test(pod, example_needs_no_nameservers)
{
	cleanup_request struct request request =
		request_parsed(REQUEST(", \"redirect\": {\"dns\": {\"enabled\": true}}"));
	cleanup_pod struct pod pod = {0};
	struct failure failure = {0};

	cr_expect_eq(pod_read_example(&request, &pod, &failure), 0, "%s", failure.err.msg);
	cr_expect_eq(pod.plan.n_sets, 2);
}
