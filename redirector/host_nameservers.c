/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "redirector/host.h"

/* The address that a packet to this nameserver carries. */
static struct addr on_the_wire(const struct addr *server)
{
	static const struct in6_addr loopback6 = IN6ADDR_LOOPBACK_INIT;
	struct addr addr = addr_unmap(server);

	addr.scope_id = 0;
	if (!addr_is_unspecified(&addr))
		return addr;
	if (addr.family == AF_INET)
		addr.v4.s_addr = htonl(INADDR_LOOPBACK);
	else
		addr.v6 = loopback6;
	return addr;
}

static void add_nameserver(struct host *host, const struct addr *server)
{
	struct addr addr = on_the_wire(server);

	if (addr.family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&addr.v6)) {
		host->link_local_left_out = true;
		return;
	}
	for (size_t i = 0; i < host->n_nameservers; i++) {
		if (addr_equal(&host->nameservers[i], &addr))
			return;
	}
	host->nameservers[host->n_nameservers++] = addr;
}

void host_set_nameservers(struct host *host, const struct resolvconf *conf,
			  const struct resolvconf *behind_stub)
{
	static const struct addr any4 = {.family = AF_INET}, any6 = {.family = AF_INET6};

	host->n_nameservers = 0;
	for (size_t i = 0; i < conf->n_servers; i++)
		add_nameserver(host, &conf->servers[i]);
	for (size_t i = 0; behind_stub && i < behind_stub->n_servers; i++)
		add_nameserver(host, &behind_stub->servers[i]);
	if (conf->n_servers)
		return;
	host->nameservers_assumed = true; /* as resolv.conf(5) says */
	add_nameserver(host, &any4);
	add_nameserver(host, &any6);
}
