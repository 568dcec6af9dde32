/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dnstap (dnstap.info): every message of clients and servers, as protocol buffers in Frame Streams,
 * to a unix socket that a collector listens on or to a file.
 *
 * libfstrm does the framing, the hand-shake, reconnecting and the waiting, the latter in a thread
 * of its own; what its queue does not take is lost and counted. It is loaded only where --dnstap is
 * given, for it costs 280 KiB resident, a seventh of all that the resolver takes.
 * The schema is small and does not change: dnstap_encode() is all there is of protocol buffers.
 */
#ifndef MESHDNS_RESOLVER_DNSTAP_H
#define MESHDNS_RESOLVER_DNSTAP_H

#include "common/err.h"
#include "resolver/tap.h"

struct dnstap;

/* Loads the library. To be called before privs_confine(), after which nothing can be loaded. */
int dnstap_load(struct err *err);

/* `where` is "unix:PATH" or "file:PATH". Strings are borrowed. */
int dnstap_open(const char *where, const char *identity, const char *version,
		struct dnstap **ret_dnstap, struct err *err);
/* Writes out what is queued. NULL is fine. */
void dnstap_close(struct dnstap *dnstap);

/* The path in `where`, NULL if it is none. */
const char *dnstap_path(const char *where);

/* `epoch_us` is what the monotonic clock lacks to be the time of day. */
void dnstap_event(struct dnstap *dnstap, const struct tap_event *event, int64_t epoch_us);
uint64_t dnstap_lost(const struct dnstap *dnstap);

/* At most this much around a message. */
#define DNSTAP_OVERHEAD 512

/* A Dnstap message; its length, or 0 if it does not fit. */
size_t dnstap_encode(const struct tap_event *event, int64_t epoch_us, const char *identity,
		     const char *version, uint8_t *ret_bytes, size_t size);

#endif
