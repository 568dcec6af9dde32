/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t addr_len(const struct addr *addr)
{
	return addr->family == AF_INET ? 4 : 16;
}

/* "eth0" or "3" to an interface index; 0 when there is no such thing. */
static uint32_t scope_parse(const char *text)
{
	char *end;
	unsigned long index;
	uint32_t by_name = if_nametoindex(text);

	if (by_name)
		return by_name;
	errno = 0;
	index = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || index > UINT32_MAX)
		return 0;
	return (uint32_t)index;
}

bool addr_parse(const char *text, struct addr *ret_addr)
{
	struct addr addr = {.family = AF_INET};
	char host[INET6_ADDRSTRLEN];
	const char *percent = strchr(text, '%');
	size_t len = percent ? (size_t)(percent - text) : strlen(text);

	if (len >= sizeof(host))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';

	if (inet_pton(AF_INET, host, &addr.v4) == 1) {
		if (percent)
			return false;
	} else if (inet_pton(AF_INET6, host, &addr.v6) == 1) {
		addr.family = AF_INET6;
		if (percent && !(addr.scope_id = scope_parse(percent + 1)))
			return false;
	} else {
		return false;
	}
	*ret_addr = addr;
	return true;
}

const char *addr_format(const struct addr *addr, char buf[ADDR_TEXT_MAX])
{
	if (!inet_ntop(addr->family, addr->bytes, buf, ADDR_TEXT_MAX)) {
		snprintf(buf, ADDR_TEXT_MAX, "?");
	} else if (addr->scope_id) {
		char name[IF_NAMESIZE];
		size_t used = strlen(buf);

		if (if_indextoname(addr->scope_id, name))
			snprintf(buf + used, ADDR_TEXT_MAX - used, "%%%s", name);
		else
			snprintf(buf + used, ADDR_TEXT_MAX - used, "%%%u", addr->scope_id);
	}
	return buf;
}

int addr_compare(const struct addr *a, const struct addr *b)
{
	int order;

	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	if ((order = memcmp(a->bytes, b->bytes, addr_len(a))))
		return order;
	return (a->scope_id > b->scope_id) - (a->scope_id < b->scope_id);
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return addr_compare(a, b) == 0;
}

struct addr addr_unmap(const struct addr *addr)
{
	struct addr v4 = {.family = AF_INET};

	if (addr->family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&addr->v6))
		return *addr;
	memcpy(v4.bytes, addr->bytes + 12, 4);
	return v4;
}

bool addr_is_loopback(const struct addr *addr)
{
	if (addr->family == AF_INET)
		return addr->bytes[0] == 127;
	return IN6_IS_ADDR_LOOPBACK(&addr->v6);
}

bool addr_is_unspecified(const struct addr *addr)
{
	static const uint8_t zero[16];

	return !memcmp(addr->bytes, zero, addr_len(addr));
}

static bool number_parse(const char *text, unsigned long max, unsigned long *ret_number)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	*ret_number = strtoul(text, &end, 10);
	return !*end && *ret_number <= max;
}

static bool port_parse(const char *text, uint16_t *ret_port)
{
	unsigned long port;

	if (!number_parse(text, UINT16_MAX, &port) || port == 0)
		return false;
	*ret_port = (uint16_t)port;
	return true;
}

bool endpoint_parse(const char *text, uint16_t default_port, struct endpoint *ret_ep)
{
	struct endpoint ep = {.port = default_port};
	char host[ADDR_TEXT_MAX];
	const char *port = NULL;
	size_t len;

	if (*text == '[') {
		const char *close = strchr(++text, ']');

		if (!close || (close[1] && close[1] != ':'))
			return false;
		len = (size_t)(close - text);
		port = close[1] ? close + 2 : NULL;
	} else {
		const char *colon = strchr(text, ':');

		len = strlen(text);
		if (colon && !strchr(colon + 1, ':')) { /* two colons and more: bare IPv6 */
			len = (size_t)(colon - text);
			port = colon + 1;
		}
	}
	if (len >= sizeof(host))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	if (!addr_parse(host, &ep.addr) || (port && !port_parse(port, &ep.port)))
		return false;
	*ret_ep = ep;
	return true;
}

const char *endpoint_format(const struct endpoint *ep, char buf[ENDPOINT_TEXT_MAX])
{
	char addr[ADDR_TEXT_MAX];

	addr_format(&ep->addr, addr);
	snprintf(buf, ENDPOINT_TEXT_MAX, ep->addr.family == AF_INET ? "%s:%u" : "[%s]:%u", addr,
		 ep->port);
	return buf;
}

socklen_t endpoint_to_sockaddr(const struct endpoint *ep, struct sockaddr_storage *ret_ss)
{
	memset(ret_ss, 0, sizeof(*ret_ss));
	if (ep->addr.family == AF_INET) {
		struct sockaddr_in *in = (struct sockaddr_in *)ret_ss;

		in->sin_family = AF_INET;
		in->sin_port = htons(ep->port);
		in->sin_addr = ep->addr.v4;
		return sizeof(*in);
	}
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret_ss;

	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(ep->port);
	in6->sin6_addr = ep->addr.v6;
	in6->sin6_scope_id = ep->addr.scope_id;
	return sizeof(*in6);
}

bool endpoint_from_sockaddr(const struct sockaddr_storage *ss, struct endpoint *ret_ep)
{
	struct endpoint ep = {.addr.family = ss->ss_family};

	if (ss->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)ss;

		ep.addr.v4 = in->sin_addr;
		ep.port = ntohs(in->sin_port);
	} else if (ss->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)ss;

		ep.addr.v6 = in6->sin6_addr;
		ep.addr.scope_id = in6->sin6_scope_id;
		ep.port = ntohs(in6->sin6_port);
	} else {
		return false;
	}
	*ret_ep = ep;
	return true;
}

bool endpoint_of_socket(int fd, struct endpoint *ret_ep)
{
	struct sockaddr_storage ss = {0};
	socklen_t len = sizeof(ss);

	return getsockname(fd, (struct sockaddr *)&ss, &len) == 0 &&
	       endpoint_from_sockaddr(&ss, ret_ep);
}

/* --- prefixes --- */

void prefix_mask(uint8_t len, uint8_t ret_mask[16])
{
	memset(ret_mask, 0, 16);
	for (size_t i = 0; i < len; i++)
		ret_mask[i / 8] |= (uint8_t)(0x80 >> i % 8);
}

static void clear_behind(struct addr *addr, uint8_t len)
{
	uint8_t mask[16];

	prefix_mask(len, mask);
	for (size_t i = 0; i < addr_len(addr); i++)
		addr->bytes[i] &= mask[i];
}

bool prefix_parse(const char *text, struct prefix *ret_prefix)
{
	size_t len = strcspn(text, "/");
	struct prefix prefix = {0};
	char address[ADDR_TEXT_MAX];
	unsigned long bits;

	if (len >= sizeof(address) || memchr(text, '%', len))
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	if (!addr_parse(address, &prefix.addr))
		return false;
	bits = 8 * addr_len(&prefix.addr);
	if (text[len] && !number_parse(text + len + 1, bits, &bits))
		return false;
	prefix.len = (uint8_t)bits;
	clear_behind(&prefix.addr, prefix.len);
	*ret_prefix = prefix;
	return true;
}

const char *prefix_format(const struct prefix *prefix, char buf[PREFIX_TEXT_MAX])
{
	char addr[ADDR_TEXT_MAX];

	snprintf(buf, PREFIX_TEXT_MAX, "%s/%u", addr_format(&prefix->addr, addr), prefix->len);
	return buf;
}

bool prefix_equal(const struct prefix *a, const struct prefix *b)
{
	return a->len == b->len && addr_equal(&a->addr, &b->addr);
}

bool prefix_is_sound(const struct prefix *prefix)
{
	struct addr addr = prefix->addr;

	if (prefix->len > 8 * addr_len(&addr) || addr.scope_id)
		return false;
	clear_behind(&addr, prefix->len);
	return addr_equal(&addr, &prefix->addr);
}

bool prefix_contains(const struct prefix *outer, const struct prefix *inner)
{
	struct addr addr = inner->addr;

	if (inner->len < outer->len || addr.family != outer->addr.family)
		return false;
	clear_behind(&addr, outer->len);
	return addr_equal(&addr, &outer->addr);
}
