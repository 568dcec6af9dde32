/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "redirector/cause.h"
#include "redirector/resolved.h"
#include "redirector/verify_parts.h"

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
	else if (v->redirected >= VERIFY_LOOP_PACKETS ||
		 (v->n_probes && v->probes[OUTSIDE_OF_PROXY].result == PROBE_ANSWER &&
		  v->probes[OUTSIDE_OF_USER].result == PROBE_SERVFAIL))
		explain(v,
			"the resolver cannot reach the outside, which answers the proxy user: if "
			"it is not %s, or a server that it forwards to asks it in turn, its own "
			"queries come back to it",
			plan_match_format(&v->host.owners.list[0], owner));
	else if (v->asks_stub && !verify_passes(v, &v->probes[OUTSIDE_BEHIND_STUB]))
		explain(v,
			"systemd-resolved does not answer, though a server that it asks does: "
			"resolvectl status and its log (journalctl -u systemd-resolved) tell more");
}

/* Our rules are there, and packets pass them by. */
static void explain_others(struct verify *v)
{
	for (size_t i = 0; i < v->n_probes; i++) {
		const struct probe *probe = &v->probes[i];

		if (v->compare.state == COMPARE_SAME && !v->redirected &&
		    !verify_passes(v, probe)) {
			explain(v, "another tool's rules decide before ours do; "
				   "nft list ruleset shows them");
			return;
		}
	}
}

static void explain_unreachable(struct verify *v)
{
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < v->n_beyond_reach; i++)
		explain(v,
			"there is no way to the nameserver %s from here: neither programs nor the "
			"resolver reach it",
			addr_format(&v->beyond_reach[i], text));
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

void verify_explain(struct verify *v)
{
	if (v->failed) {
		explain_rules(v);
		explain_listener(v);
		explain_loop(v);
		explain_others(v);
	}
	explain_unreachable(v);
	explain_host(v);
}
