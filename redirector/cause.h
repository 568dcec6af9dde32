/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a host says of itself that explains why interception does not work. */
#ifndef MESHDNS_REDIRECTOR_CAUSE_H
#define MESHDNS_REDIRECTOR_CAUSE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Whether this line of a /proc/net/{udp,tcp}{,6} is a socket that anybody can reach on that port,
 * and whose. */
bool cause_is_listener(const char *line, uint16_t port, uid_t *ret_uid);

/* The same of this network namespace: protocol "udp" or "tcp", either family. */
bool cause_listens(const char *protocol, uint16_t port, uid_t *ret_uid);

/* Whether the text of an nsswitch.conf(5) has names looked up by nss-resolve(8). */
bool cause_uses_nss_resolve(const char *text);

#endif
