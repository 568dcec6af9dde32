/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "redirector/policy.h"
#include "tests/unit/iptables/plans.h"

/* A host with up to two nameservers of each family. */
static struct host host_with(const char *resolv_conf)
{
	struct host host = {.owners = {1, {{PLAN_MATCH_UID, .value = 5678}}},
			    .resolv_conf = "/etc/resolv.conf"};
	struct resolvconf conf;

	resolvconf_parse(resolv_conf, &conf);
	host_set_nameservers(&host, &conf, NULL);
	return host;
}

static void plans(const struct settings *settings, const struct host *host, const char *expected)
{
	cleanup_plan struct plan plan = {0};
	struct err err = {0};
	char *text;

	cr_assert_eq(policy_plan(settings, host, &plan, &err), 0, "%s", err.msg);
	text = plans_text(&plan, plan_print);
	cr_expect_str_eq(text, expected);
	free(text);
}

#define RAW "chain output-raw (output hook, type filter, priority -300):\n"
#define NAT "chain output-nat (output hook, type nat, priority -110):\n"
#define OWN_RAW                                                                           \
	"  # the resolver's own queries are tracked apart from those that are captured\n" \
	"  udp to port 53 of uid 5678 -> conntrack zone 1 (original direction)\n"
#define OWN_NAT                                                            \
	"  # the resolver's own queries over UDP go where it sends them\n" \
	"  udp to port 53 of uid 5678 -> return\n"                         \
	"  # the resolver's own queries over TCP go where it sends them\n" \
	"  tcp to port 53 of uid 5678 -> return\n"
#define TRACKED(whom, match)                                                  \
	"  # queries to " whom " are tracked apart from the resolver's own\n" \
	"  udp to port 53" match " -> conntrack zone 2 (original direction)\n"
#define CAPTURED(whom, match)                                   \
	"  # queries over UDP to " whom " go to the resolver\n" \
	"  udp to port 53" match " -> redirect to port 15053\n" \
	"  # queries over TCP to " whom " go to the resolver\n" \
	"  tcp to port 53" match " -> redirect to port 15053\n"

Test(policy, nameservers_of_both_families)
{
	struct settings settings = settings_default;
	struct host host = host_with("nameserver fd00::2\nnameserver 10.0.0.3\n"
				     "nameserver 10.0.0.2\n");

	settings.redirect_dns = true;
	plans(&settings, &host,
	      "# nameservers of /etc/resolv.conf\n"
	      "set nameservers4: 10.0.0.2 10.0.0.3\n"
	      "# nameservers of /etc/resolv.conf\n"
	      "set nameservers6: fd00::2\n"
	      "\n" RAW OWN_RAW TRACKED("the IPv4 nameservers", " ipv4 to nameservers4")
		      TRACKED("the IPv6 nameservers", " ipv6 to nameservers6") "\n" NAT OWN_NAT
			      CAPTURED("the IPv4 nameservers", " ipv4 to nameservers4")
				      CAPTURED("the IPv6 nameservers", " ipv6 to nameservers6"));
}

Test(policy, nameservers_of_one_family)
{
	struct settings settings = settings_default;
	struct host host = host_with("nameserver fd00::2\nnameserver 10.0.0.2\n");
	struct host four = host_with("nameserver 10.0.0.2\n");

	settings.redirect_dns = true;
	settings.family_mode = FAMILY_IPV6;
	plans(&settings, &host,
	      "# nameservers of /etc/resolv.conf\n"
	      "set nameservers6: fd00::2\n"
	      "\n" RAW OWN_RAW TRACKED("the IPv6 nameservers",
				       " ipv6 to nameservers6") "\n" NAT OWN_NAT
		      CAPTURED("the IPv6 nameservers", " ipv6 to nameservers6"));
	settings.family_mode = FAMILY_DUALSTACK;
	plans(&settings, &four,
	      "# nameservers of /etc/resolv.conf\n"
	      "set nameservers4: 10.0.0.2\n"
	      "\n" RAW OWN_RAW TRACKED("the IPv4 nameservers",
				       " ipv4 to nameservers4") "\n" NAT OWN_NAT
		      CAPTURED("the IPv4 nameservers", " ipv4 to nameservers4"));
}

#define LINK_LOCAL(protocol)                                                                     \
	"  # link-local destinations are left alone: a redirected packet's source could not be " \
	"answered\n"                                                                             \
	"  " protocol " to port 53 ipv6 to fe80::/10 -> return\n"

Test(policy, everything)
{
	struct settings settings = settings_default;
	struct host host = {.owners = {1, {{PLAN_MATCH_UID, .value = 5678}}}};

	settings.redirect_all_dns = true;
	plans(&settings, &host,
	      RAW LINK_LOCAL("udp") OWN_RAW TRACKED("any server", "") "\n" NAT LINK_LOCAL("udp")
		      LINK_LOCAL("tcp") OWN_NAT CAPTURED("any server", ""));
	settings.family_mode = FAMILY_IPV4;
	plans(&settings, &host,
	      RAW OWN_RAW TRACKED("any IPv4 server",
				  " ipv4") "\n" NAT OWN_NAT CAPTURED("any IPv4 server", " ipv4"));
	settings.family_mode = FAMILY_IPV6;
	settings.skip_zones = true;
	plans(&settings, &host,
	      NAT LINK_LOCAL("udp") LINK_LOCAL("tcp") OWN_NAT CAPTURED("any IPv6 server", " ipv6"));
}

Test(policy, settings_reach_the_rules)
{
	cleanup_plan struct plan plan = {0};
	struct settings settings = settings_default;
	struct host host = {.owners = {1, {{PLAN_MATCH_UID, .value = 4000000000}}}};
	struct err err = {0};
	const struct plan_chain *nat;

	settings.redirect_all_dns = true;
	settings.family_mode = FAMILY_IPV4; /* without the rule for link-local destinations */
	settings.dns_port = 5300;
	cr_assert_eq(policy_plan(&settings, &host, &plan, &err), 0, "%s", err.msg);
	nat = plan_find_chain(&plan, "output-nat");
	cr_assert(nat);
	cr_expect_eq(plan_rule_match(&nat->rules[0], PLAN_MATCH_UID)->value, 4000000000);
	cr_expect_eq(nat->rules[2].action.value, 5300);
}

Test(policy, what_captures_nothing_is_refused)
{
	cleanup_plan struct plan plan = {0};
	struct settings settings = settings_default;
	struct host host = host_with("nameserver 10.0.0.2\n");
	struct err err = {0};

	cr_expect_eq(policy_plan(&settings, &host, &plan, &err), -EINVAL);
	settings.redirect_dns = true;
	settings.family_mode = FAMILY_IPV6;
	cr_expect_eq(policy_plan(&settings, &host, &plan, &err), -ENODATA);
	cr_expect(strstr(err.msg, "/etc/resolv.conf") && strstr(err.msg, "--resolv-conf"), "%s",
		  err.msg);
}

/* systemd-resolved's own questions are captured where they are known to go, and it is said. */
Test(policy, behind_the_stub)
{
	struct settings settings = settings_default;
	struct host host = {.owners = {1, {{PLAN_MATCH_UID, .value = 5678}}},
			    .resolv_conf = "/etc/resolv.conf",
			    .resolved_conf = "/run/systemd/resolve/resolv.conf"};
	cleanup_plan struct plan plan = {0};
	struct resolvconf conf, behind;
	struct err err = {0};

	resolvconf_parse("nameserver 127.0.0.53\n", &conf);
	resolvconf_parse("nameserver 10.0.0.2\nnameserver fd00::2\n", &behind);
	host_set_nameservers(&host, &conf, &behind);
	settings.redirect_dns = true;
	cr_assert_eq(policy_plan(&settings, &host, &plan, &err), 0, "%s", err.msg);
	cr_assert_eq(plan.n_sets, 2);
	cr_expect_eq(plan.sets[0].n_addrs, 2);
	cr_expect_eq(plan.sets[1].n_addrs, 1);
	cr_expect_str_eq(plan.sets[0].sentence, "nameservers of /etc/resolv.conf, and of "
						"/run/systemd/resolve/resolv.conf");
}

Test(policy, a_path_that_is_too_long_is_left_open)
{
	struct settings settings = settings_default;
	struct host host = host_with("nameserver 10.0.0.2\n");
	cleanup_plan struct plan plan = {0};
	struct err err = {0};

	memset(host.resolv_conf, 'a', 200);
	settings.redirect_dns = true;
	cr_assert_eq(policy_plan(&settings, &host, &plan, &err), 0, "%s", err.msg);
	cr_expect_str_eq(plan.sets[0].sentence + PLAN_SENTENCE_MAX - 6, "aa...");
}

/* The most that resolv.conf can say: everything still fits, and every sentence is whole. */
Test(policy, many_nameservers)
{
	char text[2048];
	size_t used = 0;

	for (int i = 0; i < RESOLVCONF_SERVERS_MAX; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "nameserver 10.0.0.%d\n",
					 i + 1);
	struct settings settings = settings_default;
	struct host host = host_with(text);
	cleanup_plan struct plan plan = {0};
	struct err err = {0};

	settings.redirect_dns = true;
	cr_assert_eq(policy_plan(&settings, &host, &plan, &err), 0, "%s", err.msg);
	cr_expect_eq(plan.sets[0].n_addrs, RESOLVCONF_SERVERS_MAX);
}
