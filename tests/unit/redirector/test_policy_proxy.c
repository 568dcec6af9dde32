/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules without their sentences, a chain at a time. Kuma's defects have the letters of issue 3. */
#include <errno.h>

#include "redirector/policy.h"
#include "tests/unit/iptables/plans.h"

static const struct host host = {
	.owners = {1, {{PLAN_MATCH_UID, .value = 5678}}},
	.n_nameservers = 1,
	.nameservers = {{.family = AF_INET, .bytes = {10, 0, 0, 2}}},
};

static struct plan plan;
static struct err err;

static void make(const struct settings *settings)
{
	plan_free(&plan);
	cr_assert_eq(policy_plan(settings, &host, &plan, &err), 0, "%s", err.msg);
}

static void forget(void)
{
	plan_free(&plan);
}

TestSuite(policy_proxy, .fini = forget);

/* The chain of the plan that was made holds these rules; NULL: there is no such chain. */
static void chain_is(const char *name, const char *expected)
{
	const struct plan_chain *chain = plan_find_chain(&plan, name);
	char rule[PLAN_RULE_TEXT_MAX], *text = NULL;
	size_t len;
	FILE *out;

	cr_assert_eq(!chain, !expected, "%s", name);
	if (!chain)
		return;
	out = open_memstream(&text, &len);
	for (size_t i = 0; i < chain->n_rules; i++)
		fprintf(out, "%s\n", plan_rule_format(&chain->rules[i], rule));
	fclose(out);
	cr_expect_str_eq(text, expected, "%s:\n%sexpected:\n%s", name, text, expected);
	free(text);
}

static int32_t priority_of(const char *name)
{
	const struct plan_chain *chain = plan_find_chain(&plan, name);

	cr_assert(chain, "%s", name);
	return chain->priority;
}

static struct settings proxy_settings(void)
{
	struct settings settings = settings_default;

	settings.redirect_inbound = settings.redirect_outbound = true;
	return settings;
}

static struct prefix prefix(const char *addr, uint8_t len)
{
	return (struct prefix){plans_addr(addr), len};
}

#define LINK_LOCAL "tcp ipv6 to fe80::/10 -> return\n"
#define GUARDS4                                            \
	"tcp ipv4 from 127.0.0.6/32 out by lo -> return\n" \
	"tcp of uid 5678 ipv4 not to 127.0.0.0/8 out by lo -> redirect to port 15006\n"
#define GUARDS6                                       \
	"tcp ipv6 from ::6/128 out by lo -> return\n" \
	"tcp of uid 5678 ipv6 not to ::1/128 out by lo -> redirect to port 15006\n"
#define OWN                         \
	"tcp out by lo -> return\n" \
	"tcp of uid 5678 -> return\n"
#define ALL "tcp -> redirect to port 15001\n"

Test(policy_proxy, both_directions_without_dns)
{
	struct settings settings = proxy_settings();

	make(&settings);
	cr_expect_eq(plan.n_chains, 4);
	chain_is("prerouting-nat", "tcp -> go through inbound\n");
	chain_is("inbound", "tcp -> redirect to port 15006\n");
	chain_is("output-nat-late", "tcp -> go through outbound\n");
	chain_is("outbound", LINK_LOCAL GUARDS4 GUARDS6 OWN ALL);
	cr_expect_eq(priority_of("prerouting-nat"), PLAN_PRIORITY_AFTER_DNAT);
	cr_expect_eq(priority_of("output-nat-late"), PLAN_PRIORITY_AFTER_DNAT);
}

Test(policy_proxy, one_family_has_no_rule_for_the_other)
{
	struct settings settings = proxy_settings();

	settings.family_mode = FAMILY_IPV4;
	make(&settings);
	chain_is("prerouting-nat", "tcp ipv4 -> go through inbound\n");
	chain_is("output-nat-late", "tcp ipv4 -> go through outbound\n");
	chain_is("outbound", GUARDS4 OWN ALL);
	settings.family_mode = FAMILY_IPV6;
	make(&settings);
	chain_is("output-nat-late", "tcp ipv6 -> go through outbound\n");
	chain_is("outbound", LINK_LOCAL GUARDS6 OWN ALL);
}

/* A gateway: nobody listens where inbound connections would go. */
Test(policy_proxy, without_inbound_self_calls_go_to_the_application)
{
	struct settings settings = proxy_settings();

	settings.redirect_inbound = false;
	settings.family_mode = FAMILY_IPV4;
	make(&settings);
	chain_is("prerouting-nat", NULL);
	chain_is("outbound", "tcp ipv4 from 127.0.0.6/32 out by lo -> return\n" OWN ALL);
}

Test(policy_proxy, exclusions_are_in_every_chain_that_would_do_something)
{
	struct settings settings = proxy_settings();

	settings.family_mode = FAMILY_IPV4;
	settings.redirect_all_dns = true;
	settings.exclude_outbound_ips.list[settings.exclude_outbound_ips.n++] =
		prefix("192.168.0.0", 16);
	settings.exclude_outbound_ips.list[settings.exclude_outbound_ips.n++] = prefix("fd00::", 8);
	settings.uid_exclusions[0] = (struct uid_exclusion){.udp = true, .uids = {33, 33}};
	settings.uid_exclusions[1] = (struct uid_exclusion){
		.tcp = true, .ports = {2, {{50, 60}, {80, 80}}}, .uids = {1000, 2000}};
	settings.n_uid_exclusions = 2;
	settings.exclude_outbound_ports = (struct port_list){2, {{22, 22}, {8000, 9000}}};
	make(&settings);
	chain_is("output-raw",
		 "udp to port 53 of uid 33 -> return\n"
		 "udp to port 53 ipv4 to 192.168.0.0/16 -> return\n"
		 "udp to port 53 of uid 5678 -> conntrack zone 1 (original direction)\n"
		 "udp to port 53 ipv4 -> conntrack zone 2 (original direction)\n");
	chain_is("output-nat", "udp to port 53 of uid 33 -> return\n"
			       "udp to port 53 ipv4 to 192.168.0.0/16 -> return\n"
			       "tcp to port 53 of uids 1000-2000 -> return\n"
			       "tcp to port 53 ipv4 to 192.168.0.0/16 -> return\n"
			       "udp to port 53 of uid 5678 -> return\n"
			       "tcp to port 53 of uid 5678 -> return\n"
			       "udp to port 53 ipv4 -> redirect to port 15053\n"
			       "tcp to port 53 ipv4 -> redirect to port 15053\n");
	chain_is("outbound", "tcp to ports 50-60 of uids 1000-2000 -> return\n"
			     "tcp to port 80 of uids 1000-2000 -> return\n"
			     "tcp ipv4 to 192.168.0.0/16 -> return\n"
			     "tcp to port 53 ipv4 -> return\n"
			     "tcp to port 22 -> return\n"
			     "tcp to ports 8000-9000 -> return\n" GUARDS4 OWN ALL);
}

Test(policy_proxy, included_ports_void_the_excluded_ones)
{
	struct settings settings = proxy_settings();

	settings.family_mode = FAMILY_IPV4;
	settings.exclude_inbound_ports = settings.exclude_outbound_ports =
		(struct port_list){1, {{22, 22}}};
	settings.include_inbound_ports = settings.include_outbound_ports =
		(struct port_list){2, {{80, 80}, {443, 444}}};
	settings.exclude_inbound_ips.list[settings.exclude_inbound_ips.n++] =
		prefix("10.0.0.9", 32);
	make(&settings);
	chain_is("inbound", "tcp ipv4 from 10.0.0.9/32 -> return\n"
			    "tcp to port 80 -> redirect to port 15006\n"
			    "tcp to ports 443-444 -> redirect to port 15006\n");
	chain_is("outbound", GUARDS4 OWN "tcp to port 80 -> redirect to port 15001\n"
					 "tcp to ports 443-444 -> redirect to port 15001\n");
}

Test(policy_proxy, vips_alone)
{
	struct settings settings = proxy_settings();

	settings.redirect_vips.list[settings.redirect_vips.n++] = prefix("240.0.0.0", 4);
	settings.redirect_vips.list[settings.redirect_vips.n++] = prefix("fd00:fd00::", 64);
	settings.include_outbound_ports = (struct port_list){1, {{80, 80}}};
	make(&settings);
	chain_is("outbound", LINK_LOCAL GUARDS4 GUARDS6 OWN
		 "tcp ipv4 to 240.0.0.0/4 -> go through outbound-vips\n"
		 "tcp ipv6 to fd00:fd00::/64 -> go through outbound-vips\n");
	chain_is("outbound-vips", "tcp to port 80 -> redirect to port 15001\n");
	settings.redirect_vips.n = 1;
	settings.family_mode = FAMILY_IPV6;
	plan_free(&plan);
	cr_expect_eq(policy_plan(&settings, &host, &plan, &err), -EINVAL);
	cr_expect(strstr(err.msg, "--redirect-vips"), "%s", err.msg);
}

static struct settings vnet_settings(void)
{
	struct settings settings = proxy_settings();

	settings.redirect_inbound = false;
	settings.vnets[0] = (struct vnet){"docker0", prefix("172.17.0.0", 16)};
	settings.vnets[1] = (struct vnet){"br+", prefix("fd17::", 64)};
	settings.n_vnets = 2;
	return settings;
}

Test(policy_proxy, guests_of_virtual_networks)
{
	struct settings settings = vnet_settings();

	settings.redirect_all_dns = true;
	make(&settings);
	cr_expect_eq(priority_of("prerouting-nat"), PLAN_PRIORITY_BEFORE_DNAT);
	chain_is("prerouting-nat",
		 "udp to port 53 ipv4 in by docker0 -> redirect to port 15053\n"
		 "tcp to port 53 ipv4 in by docker0 -> redirect to port 15053\n"
		 "tcp ipv4 not to 172.17.0.0/16 in by docker0 -> redirect to port 15001\n"
		 "udp to port 53 ipv6 in by br* -> redirect to port 15053\n"
		 "tcp to port 53 ipv6 in by br* -> redirect to port 15053\n"
		 "tcp ipv6 not to fd17::/64 in by br* -> redirect to port 15001\n");
	settings.redirect_dns_tcp = false;
	settings.family_mode = FAMILY_IPV4;
	settings.redirect_vips.list[settings.redirect_vips.n++] = prefix("240.0.0.0", 4);
	make(&settings);
	chain_is("prerouting-nat",
		 "udp to port 53 ipv4 in by docker0 -> redirect to port 15053\n"
		 "tcp to port 53 ipv4 in by docker0 -> return\n"
		 "tcp ipv4 to 240.0.0.0/4 in by docker0 -> redirect to port 15001\n");
}

Test(policy_proxy, log_and_drop)
{
	struct settings settings = proxy_settings();

	settings.log = settings.drop_invalid = true;
	settings.log_level = 4;
	make(&settings);
	chain_is("prerouting-mangle", "invalid -> drop\n");
	chain_is("prerouting-nat",
		 "-> log \"PREROUTING:\" at level 4\ntcp -> go through inbound\n");
	chain_is("output-nat", "-> log \"OUTPUT:\" at level 4\n");
	settings.family_mode = FAMILY_IPV4;
	make(&settings);
	chain_is("prerouting-mangle", "ipv4 invalid -> drop\n");
	chain_is("output-nat", "ipv4 -> log \"OUTPUT:\" at level 4\n");
}

/* --- Kuma's defects -----------------------------------------------------------------------------
 */

/* The first rule in the plan's own order that a chain on output has for TCP to port 53. */
static void tcp_53_is_captured(const struct settings *settings)
{
	make(settings);
	cr_expect_lt(priority_of("output-nat"), PLAN_PRIORITY_DNAT);
	chain_is("output-nat",
		 settings->insert_outbound
			 ? "udp to port 53 of uid 5678 -> return\n"
			   "tcp to port 53 of uid 5678 -> return\n"
			   "udp to port 53 ipv4 to nameservers4 -> redirect to port 15053\n"
			   "tcp to port 53 ipv4 to nameservers4 -> redirect to port 15053\n"
			   "tcp -> go through outbound\n"
			 : "udp to port 53 of uid 5678 -> return\n"
			   "tcp to port 53 of uid 5678 -> return\n"
			   "udp to port 53 ipv4 to nameservers4 -> redirect to port 15053\n"
			   "tcp to port 53 ipv4 to nameservers4 -> redirect to port "
			   "15053\n");
	chain_is("outbound", LINK_LOCAL "tcp to port 53 ipv4 -> return\n" GUARDS4 GUARDS6 OWN ALL);
}

Test(policy_proxy, defect_a_tcp_53_is_captured)
{
	struct settings settings = proxy_settings();

	settings.redirect_dns = true;
	tcp_53_is_captured(&settings);
}

Test(policy_proxy, defect_b_inserting_does_not_give_tcp_53_to_the_proxy)
{
	struct settings settings = proxy_settings();

	settings.redirect_dns = settings.insert_outbound = true;
	tcp_53_is_captured(&settings);
	settings.redirect_dns_tcp = false;
	make(&settings);
	chain_is("output-nat", "udp to port 53 of uid 5678 -> return\n"
			       "udp to port 53 ipv4 to nameservers4 -> redirect to port 15053\n"
			       "tcp -> go through outbound\n");
	chain_is("outbound", LINK_LOCAL "tcp to port 53 ipv4 -> return\n" GUARDS4 GUARDS6 OWN ALL);
}

Test(policy_proxy, defect_c_guests_queries_need_dns_redirection)
{
	struct settings settings = vnet_settings();

	make(&settings);
	chain_is("prerouting-nat",
		 "tcp ipv4 not to 172.17.0.0/16 in by docker0 -> redirect to port 15001\n"
		 "tcp ipv6 not to fd17::/64 in by br* -> redirect to port 15001\n");
	settings.redirect_dns = true; /* of IPv4 alone, as the nameservers are */
	make(&settings);
	chain_is("prerouting-nat",
		 "udp to port 53 ipv4 in by docker0 -> redirect to port 15053\n"
		 "tcp to port 53 ipv4 in by docker0 -> redirect to port 15053\n"
		 "tcp ipv4 not to 172.17.0.0/16 in by docker0 -> redirect to port 15001\n"
		 "tcp ipv6 not to fd17::/64 in by br* -> redirect to port 15001\n");
}

/* There, uids excluded from inbound made a rule that returned everything. */
Test(policy_proxy, defect_d_exclusions_never_return_everything)
{
	struct settings settings = proxy_settings();

	settings.uid_exclusions[0] =
		(struct uid_exclusion){.udp = true, .tcp = true, .uids = {1, 4294967294}};
	settings.n_uid_exclusions = 1;
	make(&settings);
	chain_is("inbound", "tcp -> redirect to port 15006\n");
	for (size_t i = 0; i < plan.n_chains; i++) {
		for (size_t j = 0; j < plan.chains[i].n_rules; j++)
			cr_expect_neq(plan.chains[i].rules[j].matches[0].kind, PLAN_MATCH_END);
	}
}

/* There, the sixteenth port was too many for one rule, and the kernel refused it. */
Test(policy_proxy, defect_j_as_many_ports_as_settings_hold)
{
	struct settings settings = proxy_settings();
	struct port_list *ports = &settings.exclude_inbound_ports;

	for (; ports->n < SETTINGS_PORTS_MAX; ports->n++)
		ports->list[ports->n] =
			(struct port_range){(uint16_t)(ports->n + 1), (uint16_t)(ports->n + 1)};
	make(&settings);
	cr_expect_eq(plan_find_chain(&plan, "inbound")->n_rules, SETTINGS_PORTS_MAX + 1);
}
