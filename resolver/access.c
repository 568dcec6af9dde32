/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/access.h"

#include <errno.h>
#include <ifaddrs.h>
#include <string.h>

#include "common/options.h"

bool access_parse(const char *text, struct access_prefix *ret_prefix)
{
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	char address[ADDR_TEXT_MAX];
	uint64_t bits;

	if (len >= sizeof(address))
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	if (!addr_parse(address, &ret_prefix->addr))
		return false;
	bits = addr_len(&ret_prefix->addr) * 8;
	if (slash && !options_parse_number(slash + 1, 0, bits, &bits))
		return false;
	ret_prefix->bits = (uint8_t)bits;
	return true;
}

int access_add(struct access *access, const struct access_prefix *prefix, struct err *err)
{
	if (access->n == ACCESS_MAX)
		return err_set(err, E2BIG, "more than %d networks are allowed to ask", ACCESS_MAX);
	access->prefixes[access->n++] = *prefix;
	return 0;
}

static bool addr_of(const struct sockaddr *sa, struct addr *ret_addr)
{
	struct sockaddr_storage ss = {0};
	struct endpoint ep;

	if (!sa || (sa->sa_family != AF_INET && sa->sa_family != AF_INET6))
		return false;
	memcpy(&ss, sa,
	       sa->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
	if (!endpoint_from_sockaddr(&ss, &ep))
		return false;
	*ret_addr = ep.addr;
	return true;
}

static uint8_t bits_of(const struct addr *mask)
{
	unsigned int bits = 0;

	for (size_t i = 0; i < addr_len(mask); i++)
		bits += (unsigned int)__builtin_popcount(mask->bytes[i]);
	return (uint8_t)bits;
}

/* Of the interface `name`, or of all (NULL), the networks, or the addresses alone. */
static int add_addresses(struct access *access, const char *name, bool networks, struct err *err)
{
	struct ifaddrs *all, *one;
	int rc = 0;

	if (getifaddrs(&all) < 0)
		return err_set(err, errno, "cannot read this host's addresses: %s",
			       err_text(errno));
	for (one = all; one && rc == 0; one = one->ifa_next) {
		struct access_prefix prefix;
		struct addr mask;

		if ((name && strcmp(one->ifa_name, name) != 0) ||
		    !addr_of(one->ifa_addr, &prefix.addr))
			continue;
		prefix.bits = (uint8_t)(addr_len(&prefix.addr) * 8);
		if (networks && addr_of(one->ifa_netmask, &mask))
			prefix.bits = bits_of(&mask);
		rc = access_add(access, &prefix, err);
	}
	freeifaddrs(all);
	return rc;
}

int access_add_own(struct access *access, struct err *err)
{
	static const char *const loopback[] = {"127.0.0.0/8", "::1"};
	struct access_prefix prefix;
	int rc = 0;

	for (size_t i = 0; i < 2 && rc == 0; i++) {
		access_parse(loopback[i], &prefix);
		rc = access_add(access, &prefix, err);
	}
	return rc < 0 ? rc : add_addresses(access, NULL, false, err);
}

int access_add_interface(struct access *access, const char *name, struct err *err)
{
	size_t before = access->n;
	int rc = add_addresses(access, name, true, err);

	if (rc == 0 && access->n == before)
		return err_set(err, ENODEV, "no interface %s here, or it has no address", name);
	return rc;
}

int access_add_networks(struct access *access, struct err *err)
{
	return add_addresses(access, NULL, true, err);
}

static bool is_in(const struct addr *addr, const struct access_prefix *prefix)
{
	size_t whole = prefix->bits / 8;
	unsigned int rest = prefix->bits % 8;
	uint8_t differs;

	if (addr->family != prefix->addr.family ||
	    memcmp(addr->bytes, prefix->addr.bytes, whole) != 0)
		return false;
	differs = rest ? addr->bytes[whole] ^ prefix->addr.bytes[whole] : 0;
	return differs >> (8 - rest) == 0;
}

bool access_allows(const struct access *access, const struct sockaddr_in6 *peer)
{
	struct addr addr;

	if (!addr_of((const struct sockaddr *)peer, &addr))
		return false;
	addr = addr_unmap(&addr);
	for (size_t i = 0; i < access->n; i++) {
		if (is_in(&addr, &access->prefixes[i]))
			return true;
	}
	return false;
}
