/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The `verify` command: real questions to every nameserver prove that interception works.
 *
 * An ordinary user's must be answered by the resolver, the proxy user's by anybody else or nobody:
 * both ask which resolver they are talking to. A question that only the outside can answer must not
 * go in circles: it ends, and the redirections do not count on and on.
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

#define ORDINARY_USER "65534"
#define PROBES_MAX    (RESOLVCONF_SERVERS_MAX * 2 * (1 + OWNERS_MAX) + 2)
#define LOOP_PACKETS                                                                 \
	1000 /* redirected connections while we ask: no host has so many, a loop has \
	      */

struct verify {
	const struct settings *settings;
	struct host host;
	struct user user;
	struct compare compare;
	size_t n_probes;
	struct probe
		probes[PROBES_MAX]; /* the first two for an outside name: the user's, an owner's */
	uint64_t redirected;        /* connections, while we asked */
	bool failed;
	json_t *checks, *causes;
};

/* --- asking -------------------------------------------------------------------------------------
 */

static void add_probe(struct verify *v, const struct addr *server, int protocol,
		      const struct plan_match *owner, bool outside)
{
	v->probes[v->n_probes++] = (struct probe){.server = *server,
						  .protocol = protocol,
						  .uid = v->user.uid,
						  .gid = v->user.gid,
						  .owner = owner,
						  .outside = outside};
}

static bool is_captured(const struct settings *settings, const struct addr *server)
{
	return settings->family_mode == FAMILY_DUALSTACK ||
	       (settings->family_mode == FAMILY_IPV4) == (server->family == AF_INET);
}

static void add_probes(struct verify *v)
{
	static const int protocols[] = {IPPROTO_UDP, IPPROTO_TCP};

	for (size_t i = 0; i < v->host.n_nameservers; i++) {
		const struct addr *server = &v->host.nameservers[i];

		if (!is_captured(v->settings, server))
			continue;
		if (!v->n_probes) {
			add_probe(v, server, IPPROTO_UDP, NULL, true);
			add_probe(v, server, IPPROTO_UDP, &v->host.owners.list[0], true);
		}
		for (size_t p = 0; p < ARRAY_SIZE(protocols); p++) {
			add_probe(v, server, protocols[p], NULL, false);
			for (size_t o = 0; o < v->host.owners.n; o++)
				add_probe(v, server, protocols[p], &v->host.owners.list[o], false);
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

static bool passes(const struct verify *v, const struct probe *probe)
{
	if (probe->outside) /* that the outside fails is no fault of ours */
		return probe->result == PROBE_ANSWER || probe->owner ||
		       (probe->result == PROBE_SERVFAIL && v->probes[1].result != PROBE_ANSWER);
	if (!probe->owner)
		return probe->result == PROBE_RESOLVER;
	return probe->result != PROBE_RESOLVER && probe->result != PROBE_FAILED;
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
	check(v, v->redirected < LOOP_PACKETS, "no loop", what);
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

	if (v->redirected >= LOOP_PACKETS || (v->n_probes && v->probes[1].result == PROBE_ANSWER &&
					      v->probes[0].result == PROBE_SERVFAIL))
		explain(v,
			"the resolver cannot reach the outside, which answers the proxy user: if "
			"it "
			"is not %s its own queries come back to it",
			plan_match_format(&v->host.owners.list[0], owner));
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

/* What our questions do not meet, but programs do. */
static void explain_host(struct verify *v)
{
	cleanup_free char *text = NULL;
	size_t len;

	if (file_read("/etc/nsswitch.conf", 65536, &text, &len, NULL) == 0 &&
	    cause_uses_nss_resolve(text))
		explain(v, "programs look names up by nss-resolve (/etc/nsswitch.conf), which does "
			   "not ask port 53 and is not captured");
	for (size_t i = 0; v->settings->redirect_all_dns && i < v->host.n_nameservers; i++) {
		if (v->host.nameservers[i].family == AF_INET &&
		    ntohl(v->host.nameservers[i].v4.s_addr) == 0x7f000035)
			explain(v,
				"systemd-resolved answers at 127.0.0.53, and its own queries are "
				"captured too; --redirect-dns leaves them alone");
	}
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
