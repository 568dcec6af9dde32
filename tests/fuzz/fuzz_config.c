/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any text as a file of --config. What is taken must be what the contract of the settings says, for
 * rules are made of it without another look.
 */
#include <stdlib.h>

#include "redirector/settings_parse.h"
#include "tests/fuzz/fuzz.h"

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void check_ports(const struct port_list *ports)
{
	must(ports->n <= SETTINGS_PORTS_MAX);
	for (size_t i = 0; i < ports->n; i++) {
		must(ports->list[i].first >= 1 && ports->list[i].first <= ports->list[i].last);
		must(i == 0 || ports->list[i].first > ports->list[i - 1].last + 1);
	}
}

static void check_prefixes(const struct prefix_list *prefixes)
{
	must(prefixes->n <= SETTINGS_PREFIXES_MAX);
	for (size_t i = 0; i < prefixes->n; i++)
		must(prefix_is_sound(&prefixes->list[i]));
}

static void check(const struct settings *s)
{
	must(s->dns_port && s->inbound_port && s->outbound_port && s->log_level <= 7);
	check_ports(&s->exclude_inbound_ports);
	check_ports(&s->exclude_outbound_ports);
	check_ports(&s->include_inbound_ports);
	check_ports(&s->include_outbound_ports);
	check_prefixes(&s->exclude_inbound_ips);
	check_prefixes(&s->exclude_outbound_ips);
	check_prefixes(&s->redirect_vips);
	must(s->n_uid_exclusions <= SETTINGS_EXCLUSIONS_MAX && s->n_vnets <= SETTINGS_VNETS_MAX);
	for (size_t i = 0; i < s->n_uid_exclusions; i++) {
		must(s->uid_exclusions[i].tcp || s->uid_exclusions[i].udp);
		must(s->uid_exclusions[i].uids.first <= s->uid_exclusions[i].uids.last);
		check_ports(&s->uid_exclusions[i].ports);
	}
	for (size_t i = 0; i < s->n_vnets; i++) {
		must(*s->vnets[i].interface && !s->vnets[i].interface[SETTINGS_IFNAME_MAX - 1]);
		must(prefix_is_sound(&s->vnets[i].network));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct settings settings = settings_default;
	struct err err = {0};

	if (settings_parse_text(settings_install_rows, &settings, "input", (const char *)data, size,
				&err) < 0)
		must(*err.msg);
	check(&settings);
	settings_check_install(&settings, &err);
	settings_free(&settings);
	return 0;
}
