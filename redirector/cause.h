/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a host says of itself that explains why interception does not work. */
#ifndef MESHDNS_REDIRECTOR_CAUSE_H
#define MESHDNS_REDIRECTOR_CAUSE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/addr.h"

struct cause_socket {
	uint16_t port;
	bool listens; /* anybody can reach it */
	uid_t uid;
	struct endpoint remote; /* no v4-mapped IPv6 */
};

/* A line of a /proc/net/{udp,tcp}{,6}; false for one that is not of a socket. */
bool cause_parse_socket(const char *line, struct cause_socket *ret_socket);

/*
 * Whether anybody listens on that port in this network namespace, and who: protocol "udp" or "tcp",
 * either family.
 */
bool cause_listens(const char *protocol, uint16_t port, uid_t *ret_uid);

/* Whether that user has a socket that is connected to the server; AF_UNSPEC: to any, on its port.
 */
bool cause_asks(const char *protocol, uid_t uid, const struct endpoint *server);

/* Whether the text of an nsswitch.conf(5) has names looked up by nss-resolve(8). */
bool cause_uses_nss_resolve(const char *text);

#endif
