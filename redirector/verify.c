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

#include "common/cleanup.h"
#include "common/file.h"
#include "common/user.h"
#include "redirector/cause.h"
#include "redirector/commands.h"
#include "redirector/compare.h"
#include "redirector/host.h"
#include "redirector/policy.h"
#include "redirector/probe.h"
#include "redirector/resolved.h"

#define ORDINARY_USER "65534"
#define PROBES_MAX    (HOST_NAMESERVERS_MAX * (2 * (1 + OWNERS_MAX) + 1) + 3)
#define LOOP_PACKETS                                                                 \
	1000 /* redirected connections while we ask: no host has so many, a loop has \
	      */

/* The first probes: for a name outside, of whom. */
enum {
	OUTSIDE_OF_USER,     /* an ordinary user, of a nameserver of resolv.conf */
	OUTSIDE_OF_PROXY,    /* the proxy user, of a server that is no stub, if there is one */
	OUTSIDE_BEHIND_STUB, /* the proxy user, of systemd-resolved's stub, if it has servers */
};

struct verify {
	const struct settings *settings;
	struct host host;
	struct user user, resolved; /* who asks, and as whom systemd-resolved does */
	bool has_resolved;          /* somebody is that user */
	bool asks_stub;             /* OUTSIDE_BEHIND_STUB is among the probes */
	struct compare compare;
	size_t n_probes;
	struct probe probes[PROBES_MAX];
	uint64_t redirected; /* connections, while we asked */
	bool comes_back;     /* what the resolver asks the stub */
	bool failed;
	json_t *checks, *causes;
};

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

static void add_outside_probes(struct verify *v)
{
	const struct plan_match *proxy = &v->host.owners.list[0];
	const struct addr *first = NULL, *stub = NULL, *real = NULL;

	for (size_t i = v->host.n_nameservers; i-- > 0;) {
		const struct addr *server = &v->host.nameservers[i];

		if (!is_captured(v->settings, server))
			continue;
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

	add_outside_probes(v);
	for (size_t i = 0; i < v->host.n_nameservers; i++) {
		const struct addr *server = &v->host.nameservers[i];

		if (!is_captured(v->settings, server))
			continue;
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

static bool passes(const struct verify *v, const struct probe *probe)
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
	for (size_t i = 0; i < v->n_probes; i++) {
		const struct probe *probe = &v->probes[i];

		snprintf(owner, sizeof(owner), "of uid %u", probe->uid);
		snprintf(what, sizeof(what), "%s %s over %s to %s",
			 probe->outside ? "an outside name" : "a question",
			 probe->owner ? plan_match_format(probe->owner, owner) : owner,
			 probe->protocol == IPPROTO_UDP ? "udp" : "tcp",
			 addr_format(&probe->server, addr));
		check(v, passes(v, probe), what,
		      probe->outside && probe->result == PROBE_ANSWER
			      ? "answered"
			      : probe_result_name(probe->result));
	}
	snprintf(what, sizeof(what), "%ju redirected meanwhile", (uintmax_t)v->redirected);
	check(v, v->redirected < LOOP_PACKETS && !v->comes_back, "no loop",
	      v->comes_back ? "the resolver asks systemd-resolved, whose questions come back"
			    : what);
}

/* --- explaining ---------------------------------------------------------------------------------
 */

static void explain(struct verify *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void explain(struct verify *v, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	json_array_append_new(v->causes, json_vsprintf(fmt, args));
	va_end(args);
}

static void explain_rules(struct verify *v)
{
	if (v->compare.state == COMPARE_NOT_INSTALLED)
		explain(v, "the rules are not installed; meshdns-redirect install does it");
	else if (v->compare.state == COMPARE_DIFFERS)
		explain(v, "the rules are others; meshdns-redirect diff shows which");
}

/* A socket that root made belongs to whom the resolver became later: that is no cause. */
static void explain_listener(struct verify *v)
{
	static const char *const protocols[] = {"udp", "tcp"};
	const struct owners *owners = &v->host.owners;
	bool by_uid = owners->n == 1 && owners->list[0].kind == PLAN_MATCH_UID;
	uid_t uid;
	uint16_t port = v->settings->dns_port;

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		if (!cause_listens(protocols[i], port, &uid))
			explain(v, "nothing listens on %s port %u: is meshdns-resolver running?",
				protocols[i], port);
		else if (by_uid && uid != 0 && !owners_have(owners, PLAN_MATCH_UID, uid))
			explain(v,
				"who listens on %s port %u is uid %u, and its own queries are "
				"redirected to itself: it must run as the proxy user, uid %u",
				protocols[i], port, uid, owners->list[0].value);
	}
}

static void explain_loop(struct verify *v)
{
	char owner[PLAN_MATCH_TEXT_MAX];

	if (v->comes_back)
		explain(v,
			"the resolver forwards to systemd-resolved's stub, and systemd-resolved's "
			"own questions are captured: name other servers with --upstream, or have "
			"it take those of " RESOLVCONF_RESOLVED_PATH " (no --upstream, no "
			"--resolv-conf)");
	else if (v->redirected >= LOOP_PACKETS ||
		 (v->n_probes && v->probes[OUTSIDE_OF_PROXY].result == PROBE_ANSWER &&
		  v->probes[OUTSIDE_OF_USER].result == PROBE_SERVFAIL))
		explain(v,
			"the resolver cannot reach the outside, which answers the proxy user: if "
			"it is not %s, or a server that it forwards to asks it in turn, its own "
			"queries come back to it",
			plan_match_format(&v->host.owners.list[0], owner));
	else if (v->asks_stub && !passes(v, &v->probes[OUTSIDE_BEHIND_STUB]))
		explain(v,
			"systemd-resolved does not answer, though a server that it asks does: "
			"resolvectl status and its log (journalctl -u systemd-resolved) tell more");
}

/* Our rules are there, and packets pass them by. */
static void explain_others(struct verify *v)
{
	for (size_t i = 0; i < v->n_probes; i++) {
		const struct probe *probe = &v->probes[i];

		if (v->compare.state == COMPARE_SAME && !v->redirected && !passes(v, probe)) {
			explain(v, "another tool's rules decide before ours do; "
				   "nft list ruleset shows them");
			return;
		}
	}
}

/* How systemd-resolved's own questions get past the rules, or their answers do not count. */
static void explain_resolved(struct verify *v)
{
	static const struct endpoint tls = {.port = 853};
	struct resolved resolved;

	resolved_read(&resolved);
	if (v->has_resolved && cause_asks("tcp", v->resolved.uid, &tls))
		explain(v, "systemd-resolved asks over TLS, at port 853, which is not captured");
	else if (resolved.tls.file[0])
		explain(v,
			"systemd-resolved is told to ask over TLS, at port 853, which is not "
			"captured: DNSOverTLS=%s in %s",
			resolved.tls.value, resolved.tls.file);
	if (resolved.port.file[0])
		explain(v,
			"systemd-resolved is told of servers with other ports than 53, which are "
			"not "
			"captured: %s in %s",
			resolved.port.value, resolved.port.file);
	if (resolved.dnssec.file[0])
		explain(v,
			"systemd-resolved is told to validate, and may refuse the mesh's names: "
			"DNSSEC=%s in %s; name their domain in "
			"/etc/dnssec-trust-anchors.d/mesh.negative",
			resolved.dnssec.value, resolved.dnssec.file);
	explain(v, "systemd-resolved may remember answers of before the rules were there; "
		   "resolvectl flush-caches makes it forget them");
}

/* What our questions do not meet, but programs do. */
static void explain_host(struct verify *v)
{
	cleanup_free char *text = NULL;
	bool in_turn = v->settings->redirect_all_dns || v->host.resolved_conf[0];
	size_t len;

	if (file_read("/etc/nsswitch.conf", 65536, &text, &len, NULL) == 0 &&
	    cause_uses_nss_resolve(text))
		explain(v,
			"programs look names up by nss-resolve (/etc/nsswitch.conf), which does "
			"not "
			"ask port 53: systemd-resolved asks for them, and is captured %s",
			in_turn ? "in turn" : "only where it asks the same nameservers");
	if (v->host.stub_alone || v->host.resolved_conf[0])
		explain_resolved(v);
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
	if (v->failed) {
		explain_rules(v);
		explain_listener(v);
		explain_loop(v);
		explain_others(v);
	}
	explain_host(v);
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
