/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The `verify` command: real questions to every nameserver prove that interception works.
 *
 * An ordinary user's must be answered by the resolver, the proxy user's by anybody else or nobody:
 * both ask which resolver they are talking to. A question that only the outside can answer must not
 * go in circles: it ends, and the redirections do not count on and on.
 *
 * Where resolv.conf names systemd-resolved's stub, the questions of its own user to the servers
 * behind it must be captured, too, and what only the outside can answer is also asked of the stub.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/user.h"
#include "redirector/cause.h"
#include "redirector/commands.h"
#include "redirector/policy.h"
#include "redirector/resolved.h"
#include "redirector/verify_parts.h"

#define ORDINARY_USER "65534"

/* --- asking -------------------------------------------------------------------------------------
 */

static struct probe *add_probe(struct verify *v, const struct addr *server, int protocol,
			       const struct plan_match *owner, bool outside)
{
	struct probe *probe = &v->probes[v->n_probes++];

	*probe = (struct probe){.server = *server,
				.protocol = protocol,
				.uid = v->user.uid,
				.gid = v->user.gid,
				.owner = owner,
				.outside = outside};
	return probe;
}

static bool is_captured(const struct settings *settings, const struct addr *server)
{
	return settings->family_mode == FAMILY_DUALSTACK ||
	       (settings->family_mode == FAMILY_IPV4) == (server->family == AF_INET);
}

/* A server that this host has no way to is passed over by programs, and by us. */
static bool has_way(const struct addr *server)
{
	const struct endpoint ep = {.addr = *server, .port = 53};
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&ep, &ss);
	cleanup_fd int fd = socket(server->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd >= 0 && connect(fd, (const struct sockaddr *)&ss, len) == 0;
}

/* Those that are captured and can be reached. */
static void find_servers(struct verify *v)
{
	for (size_t i = 0; i < v->host.n_nameservers; i++) {
		const struct addr *server = &v->host.nameservers[i];

		if (!is_captured(v->settings, server))
			continue;
		if (has_way(server))
			v->servers[v->n_servers++] = *server;
		else
			v->beyond_reach[v->n_beyond_reach++] = *server;
	}
}

static void add_outside_probes(struct verify *v)
{
	const struct plan_match *proxy = &v->host.owners.list[0];
	const struct addr *first = NULL, *stub = NULL, *real = NULL;

	for (size_t i = v->n_servers; i-- > 0;) {
		const struct addr *server = &v->servers[i];

		first = server;
		if (resolvconf_is_stub(server))
			stub = server;
		else
			real = server;
	}
	if (!first)
		return;
	add_probe(v, first, IPPROTO_UDP, NULL, true);
	add_probe(v, real ? real : stub, IPPROTO_UDP, proxy, true);
	v->asks_stub = stub && real && v->host.resolved_conf[0];
	if (v->asks_stub)
		add_probe(v, stub, IPPROTO_UDP, proxy, true);
}

static void add_probes(struct verify *v)
{
	static const int protocols[] = {IPPROTO_UDP, IPPROTO_TCP};

	find_servers(v);
	add_outside_probes(v);
	for (size_t i = 0; i < v->n_servers; i++) {
		const struct addr *server = &v->servers[i];

		for (size_t p = 0; p < ARRAY_SIZE(protocols); p++) {
			add_probe(v, server, protocols[p], NULL, false);
			for (size_t o = 0; o < v->host.owners.n; o++)
				add_probe(v, server, protocols[p], &v->host.owners.list[o], false);
		}
		if (v->asks_stub && v->has_resolved && !resolvconf_is_stub(server) &&
		    !v->settings->n_uid_exclusions) {
			struct probe *probe = add_probe(v, server, IPPROTO_UDP, NULL, false);

			probe->uid = v->resolved.uid;
			probe->gid = v->resolved.gid;
		}
	}
}

/* How many questions have been captured; connections that go to the proxy are not meant. */
static uint64_t count_redirected(const struct plan *plan)
{
	uint64_t n = 0;

	for (size_t i = 0; i < plan->n_chains; i++) {
		const struct plan_chain *chain = &plan->chains[i];

		for (size_t j = 0; j < chain->n_rules; j++) {
			const struct plan_rule *rule = &chain->rules[j];
			const struct plan_match *port = plan_rule_match(rule, PLAN_MATCH_DPORT);

			if (rule->action.kind == PLAN_ACTION_REDIRECT && port && port->value == 53)
				n += rule->packets;
		}
	}
	return n;
}

static int ask(struct verify *v, struct err *err)
{
	cleanup_plan struct plan after = {0};
	struct err ignored;
	uint64_t before = count_redirected(&v->compare.found), now;
	int rc;

	add_probes(v);
	if ((rc = probe_ask(v->probes, v->n_probes, err)) < 0)
		return rc;
	if (v->compare.backend &&
	    v->compare.backend->read(&v->settings->backend, &after, &ignored) == 0 &&
	    (now = count_redirected(&after)) > before)
		v->redirected = now - before;
	return 0;
}

/* --- judging ------------------------------------------------------------------------------------
 */

static void check(struct verify *v, bool passed, const char *what, const char *detail)
{
	json_array_append_new(v->checks, json_pack("{s:b, s:s, s:s}", "passed", passed, "check",
						   what, "detail", detail));
	v->failed = v->failed || !passed;
}

/* Of the outside. That it fails is no fault of ours, and who asks it directly is there to tell. */
static bool passes_outside(const struct verify *v, const struct probe *probe)
{
	bool is_there = v->probes[OUTSIDE_OF_PROXY].result == PROBE_ANSWER;

	if (probe->result == PROBE_ANSWER || probe == &v->probes[OUTSIDE_OF_PROXY])
		return true;
	if (probe == &v->probes[OUTSIDE_OF_USER])
		return probe->result == PROBE_SERVFAIL && !is_there;
	return probe->result == PROBE_REFUSED || !is_there; /* systemd-resolved may not run */
}

bool verify_passes(const struct verify *v, const struct probe *probe)
{
	if (probe->outside)
		return passes_outside(v, probe);
	if (!probe->owner)
		return probe->result == PROBE_RESOLVER;
	return probe->result != PROBE_RESOLVER && probe->result != PROBE_FAILED;
}

/*
 * Whether the resolver forwards to the stub what systemd-resolved's captured questions bring back
 * to it. That need not be a loop: with --redirect-dns, what the stub asks for certain domains only
 * goes to servers that are not captured.
 */
static bool comes_back(const struct verify *v)
{
	static const uint32_t stubs[] = {0x7f000035, 0x7f000036};
	const struct plan_match *proxy = &v->host.owners.list[0];
	bool asks_stub = false;

	for (size_t i = 0; i < ARRAY_SIZE(stubs) && proxy->kind == PLAN_MATCH_UID; i++) {
		struct endpoint stub = {{.family = AF_INET, .v4.s_addr = htonl(stubs[i])}, 53};

		asks_stub |= cause_asks("udp", proxy->value, &stub);
	}
	return asks_stub &&
	       (v->settings->redirect_all_dns ||
		(v->host.resolved_conf[0] && v->probes[OUTSIDE_OF_USER].result != PROBE_ANSWER));
}

static void check_all(struct verify *v)
{
	static const char *const states[] = {
		[COMPARE_NOT_INSTALLED] = "not installed",
		[COMPARE_SAME] = "installed as planned",
		[COMPARE_DIFFERS] = "different from what they should be",
	};
	char what[ADDR_TEXT_MAX + PLAN_MATCH_TEXT_MAX + 64], addr[ADDR_TEXT_MAX];
	char owner[PLAN_MATCH_TEXT_MAX];

	check(v, v->compare.state == COMPARE_SAME, "the rules", states[v->compare.state]);
	if (!v->n_servers)
		check(v, false, "the nameservers", "none of them can be reached from here");
	for (size_t i = 0; i < v->n_probes; i++) {
		const struct probe *probe = &v->probes[i];

		snprintf(owner, sizeof(owner), "of uid %u", probe->uid);
		snprintf(what, sizeof(what), "%s %s over %s to %s",
			 probe->outside ? "an outside name" : "a question",
			 probe->owner ? plan_match_format(probe->owner, owner) : owner,
			 probe->protocol == IPPROTO_UDP ? "udp" : "tcp",
			 addr_format(&probe->server, addr));
		check(v, verify_passes(v, probe), what,
		      probe->outside && probe->result == PROBE_ANSWER
			      ? "answered"
			      : probe_result_name(probe->result));
	}
	snprintf(what, sizeof(what), "%ju redirected meanwhile", (uintmax_t)v->redirected);
	check(v, v->redirected < VERIFY_LOOP_PACKETS && !v->comes_back, "no loop",
	      v->comes_back ? "the resolver asks systemd-resolved, whose questions come back"
			    : what);
}

/* --- the command --------------------------------------------------------------------------------
 */

static void print_words(const struct verify *v)
{
	const json_t *item;
	size_t i;

	json_array_foreach(v->checks, i, item) printf(
		"%-5s%s: %s\n", json_is_true(json_object_get(item, "passed")) ? "ok" : "FAIL",
		json_string_value(json_object_get(item, "check")),
		json_string_value(json_object_get(item, "detail")));
	json_array_foreach(v->causes, i, item)
		printf("%s: %s\n", v->failed ? "likely cause" : "note", json_string_value(item));
}

static int print(const struct verify *v, struct err *err)
{
	cleanup_json json_t *json = json_pack("{s:b, s:O, s:O}", "passed", !v->failed, "checks",
					      v->checks, "causes", v->causes);

	if (v->settings->json || !json)
		return plan_json_print(json, stdout, err);
	print_words(v);
	return 0;
}

/* Programs ask the nameservers of resolv.conf even where questions to anybody are captured. */
static int prepare(struct verify *v, struct plan *ret_wanted, struct err *err)
{
	struct settings asking = *v->settings;
	int rc;

	asking.redirect_dns = true;
	if ((rc = settings_check_install(v->settings, err)) < 0 ||
	    (rc = user_resolve(asking.as ? asking.as : ORDINARY_USER, &v->user, err)) < 0 ||
	    (rc = host_read(&asking, &v->host, err)) < 0)
		return rc;
	v->has_resolved = user_resolve(RESOLVED_USER, &v->resolved, NULL) == 0;
	if (owners_have(&v->host.owners, PLAN_MATCH_UID, v->user.uid) ||
	    owners_have(&v->host.owners, PLAN_MATCH_GID, v->user.gid))
		return err_set(err, EINVAL,
			       "--as must be another user than the proxy user: uid %u, gid %u is "
			       "left alone",
			       v->user.uid, v->user.gid);
	return policy_plan(v->settings, &v->host, ret_wanted, err);
}

static enum exit_code verify(struct verify *v, struct err *err)
{
	cleanup_plan struct plan wanted = {0};

	if (prepare(v, &wanted, err) < 0 ||
	    compare_rules(v->settings, &wanted, &v->compare, err) < 0 || ask(v, err) < 0)
		return EXIT_LACKING;
	v->comes_back = comes_back(v);
	check_all(v);
	verify_explain(v);
	if (print(v, err) < 0)
		return EXIT_LACKING;
	return v->failed ? EXIT_FAILED : EXIT_DONE;
}

static enum exit_code run(struct settings *settings, struct err *err)
{
	struct verify v = {.settings = settings, .checks = json_array(), .causes = json_array()};
	enum exit_code code;

	settings->dry_run = true;
	code = verify(&v, err);
	json_decref(v.checks);
	json_decref(v.causes);
	compare_free(&v.compare);
	return code;
}

const struct command command_verify = {
	.name = "verify",
	.summary = "prove by real questions that interception works; say what breaks it",
	.examples = "  meshdns-redirect verify --redirect-dns\n"
		    "  meshdns-redirect verify --redirect-dns --as www-data --json\n",
	.exit_codes = "0 all is well, 2 could not be found out, 4 something failed",
	.rows = settings_install_rows,
	.run = run,
};
