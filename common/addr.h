/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One type for IPv4 and IPv6 addresses, and one for an address with a port.
 * Address bytes are in network order, ports in host order.
 */
#ifndef MESHDNS_COMMON_ADDR_H
#define MESHDNS_COMMON_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct addr {
	sa_family_t family; /* AF_INET or AF_INET6 */
	uint32_t scope_id;  /* interface index of a link-local IPv6 address, else 0 */
	union {
		struct in_addr v4;
		struct in6_addr v6;
		uint8_t bytes[16]; /* addr_len() of them count */
	};
};

struct endpoint {
	struct addr addr;
	uint16_t port;
};

/* "10.0.0.0/8" */
struct prefix {
	struct addr addr; /* without scope; the bits behind `len` are 0 */
	uint8_t len;
};

#define ADDR_TEXT_MAX     (INET6_ADDRSTRLEN + 1 + 16) /* with %scope and NUL */
#define ENDPOINT_TEXT_MAX (ADDR_TEXT_MAX + 8)         /* with [] and :port */
#define PREFIX_TEXT_MAX   (ADDR_TEXT_MAX + 4)         /* with /length */

/* 4 or 16. */
size_t addr_len(const struct addr *addr);

/*
 * Parses dotted IPv4 or IPv6 text, the latter with an optional %interface or %index. A v4-mapped
 * IPv6 address stays what it is. False if the text is anything else, or the interface unknown.
 */
bool addr_parse(const char *text, struct addr *ret_addr);

/* Writes the text form into `buf` and returns it. */
const char *addr_format(const struct addr *addr, char buf[ADDR_TEXT_MAX]);

/* Family, bytes and scope are the same. */
bool addr_equal(const struct addr *a, const struct addr *b);

/* Total order for sorting: family, then bytes, then scope. */
int addr_compare(const struct addr *a, const struct addr *b);

/* The IPv4 address that a v4-mapped one (::ffff:1.2.3.4) stands for; any other as it is. */
struct addr addr_unmap(const struct addr *addr);

bool addr_is_loopback(const struct addr *addr);    /* 127.0.0.0/8, ::1 */
bool addr_is_unspecified(const struct addr *addr); /* 0.0.0.0, :: */

/* "1.2.3.4", "1.2.3.4:53", "::1", "[::1]", "[::1]:53"; without a port `default_port` is taken. */
bool endpoint_parse(const char *text, uint16_t default_port, struct endpoint *ret_ep);

/* "1.2.3.4:53" or "[::1]:53". */
const char *endpoint_format(const struct endpoint *ep, char buf[ENDPOINT_TEXT_MAX]);

/* Fills `ret_ss` and returns the length that bind(2) and connect(2) want. */
socklen_t endpoint_to_sockaddr(const struct endpoint *ep, struct sockaddr_storage *ret_ss);

/* False for a family other than AF_INET and AF_INET6. */
bool endpoint_from_sockaddr(const struct sockaddr_storage *ss, struct endpoint *ret_ep);

/* Where the socket is bound. Likewise, and false when the kernel does not say; then errno says why.
 */
bool endpoint_of_socket(int fd, struct endpoint *ret_ep);

/* An address alone is a prefix of all its bits; bits behind the length are dropped. */
bool prefix_parse(const char *text, struct prefix *ret_prefix);

/* "10.0.0.0/8" */
const char *prefix_format(const struct prefix *prefix, char buf[PREFIX_TEXT_MAX]);

bool prefix_equal(const struct prefix *a, const struct prefix *b);

/* It is what the comments at the struct say; what prefix_parse() returns always is. */
bool prefix_is_sound(const struct prefix *prefix);

/* All of `inner` is in `outer`; they may be the same. */
bool prefix_contains(const struct prefix *outer, const struct prefix *inner);

/* `len` bits that are 1, in network order; the others are 0. */
void prefix_mask(uint8_t len, uint8_t ret_mask[16]);

#endif
