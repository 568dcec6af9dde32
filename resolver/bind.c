/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/bind.h"

#include <errno.h>
#include <ifaddrs.h>
#include <stdlib.h>
#include <string.h>

int interfaces_read(struct interfaces *interfaces, struct err *err)
{
	struct ifaddrs *all, *one;

	interfaces->n = 0;
	if (getifaddrs(&all) < 0)
		return err_set(err, errno, "cannot read this host's addresses: %s",
			       err_text(errno));
	for (one = all; one && interfaces->n < INTERFACES_MAX; one = one->ifa_next) {
		struct sockaddr_storage ss = {0};
		struct endpoint ep;

		if (!one->ifa_addr)
			continue;
		if (one->ifa_addr->sa_family == AF_INET)
			memcpy(&ss, one->ifa_addr, sizeof(struct sockaddr_in));
		else if (one->ifa_addr->sa_family == AF_INET6)
			memcpy(&ss, one->ifa_addr, sizeof(struct sockaddr_in6));
		if (!endpoint_from_sockaddr(&ss, &ep))
			continue;
		snprintf(interfaces->list[interfaces->n].name, IF_NAMESIZE, "%s", one->ifa_name);
		interfaces->list[interfaces->n++].addr = ep.addr;
	}
	freeifaddrs(all);
	return 0;
}

struct addresses {
	struct addr *list;
	size_t n;
};

static bool has(const struct addresses *a, const struct addr *addr)
{
	for (size_t i = 0; i < a->n; i++) {
		if (addr_equal(&a->list[i], addr))
			return true;
	}
	return false;
}

static void drop(struct addresses *a, const struct addr *addr)
{
	size_t kept = 0;

	for (size_t i = 0; i < a->n; i++) {
		if (!addr_equal(&a->list[i], addr))
			a->list[kept++] = a->list[i];
	}
	a->n = kept;
}

/* Does it with each address that the word stands for. Returns how many; -E2BIG. */
static int each(const char *word, const struct interfaces *interfaces, struct addresses *a,
		bool is_except)
{
	struct addr addr;
	int n = 0;

	for (size_t i = 0; i <= interfaces->n; i++) {
		if (i < interfaces->n && !strcmp(interfaces->list[i].name, word))
			addr = interfaces->list[i].addr;
		else if (i < interfaces->n || !addr_parse(word, &addr))
			continue;
		n++;
		if (is_except)
			drop(a, &addr);
		else if (!has(a, &addr) && a->n == BIND_MAX)
			return -E2BIG;
		else if (!has(a, &addr))
			a->list[a->n++] = addr;
	}
	return n;
}

static int each_word(const struct corefile_server *server, const struct interfaces *interfaces,
		     struct addresses *a, bool is_except, struct err *err)
{
	for (const struct corefile_bind *bind = server->bind; bind; bind = bind->next) {
		size_t n = is_except ? bind->n_except : bind->n_on;

		for (size_t i = 0; i < n; i++) {
			const char *word = is_except ? bind->except[i] : bind->on[i];
			int rc = each(word, interfaces, a, is_except);

			if (rc < 0)
				return corefile_fail(err, server->place,
						     "bind: more than %d addresses", BIND_MAX);
			if (rc == 0 && !is_except)
				return corefile_fail(err, server->place,
						     "bind: %s is neither an address nor an "
						     "interface of this host that has one",
						     word);
		}
	}
	return 0;
}

int bind_addresses(const struct corefile_server *server, const struct interfaces *interfaces,
		   struct addr ret[BIND_MAX], struct err *err)
{
	struct addresses a = {.list = ret};
	int rc;

	if (!server->bind) {
		ret[0] = (struct addr){.family = AF_INET};
		ret[1] = (struct addr){.family = AF_INET6};
		return 2;
	}
	if ((rc = each_word(server, interfaces, &a, false, err)) < 0 ||
	    (rc = each_word(server, interfaces, &a, true, err)) < 0)
		return rc;
	return (int)a.n;
}

static int add_endpoint(struct endpoint *list, size_t max, size_t *n, const struct endpoint *ep)
{
	for (size_t i = 0; i < *n; i++) {
		if (list[i].port == ep->port && addr_equal(&list[i].addr, &ep->addr))
			return 0;
	}
	if (*n == max)
		return -E2BIG;
	list[(*n)++] = *ep;
	return 0;
}

int bind_endpoints(const struct corefile *corefile, const struct interfaces *interfaces,
		   struct endpoint *list, size_t max, size_t *ret_n, struct err *err)
{
	struct addr addrs[BIND_MAX];

	*ret_n = 0;
	for (const struct corefile_server *s = corefile->servers; s; s = s->next) {
		int n = bind_addresses(s, interfaces, addrs, err);

		if (n < 0)
			return n;
		for (size_t k = 0; k < s->n_keys; k++) {
			for (int i = 0; i < n; i++) {
				struct endpoint ep = {addrs[i], s->keys[k].port};

				if (add_endpoint(list, max, ret_n, &ep) < 0)
					return corefile_fail(err, s->place,
							     "more than %zu addresses and "
							     "ports in all",
							     max);
			}
		}
	}
	return 0;
}
