/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names from Kuma's data plane: `GET /dns` over HTTP on the unix socket where Envoy serves the
 * dynamic configuration (kuma-mesh-metric-config.sock in kuma-dp's work folder), as kuma-dp 2.11
 * and later fetches it for the proxy that is embedded in it. Envoy tells nobody of a change, so it
 * is asked every poll_ms, with the ETag of the map that is loaded, and says 304 while that is the
 * newest. The map is load_json.c's format, and `extraLabels`, which belong to its metrics.
 *
 *   200   a map, unless its octets are those of the one that is loaded
 *   304   nothing new
 *   404   no map yet, or no more; the last one stays
 *   else, no socket, nobody at it, not HTTP, too slow, too large: the last one stays
 *
 * A map that cannot be loaded is asked for again, without ETag. Each question has a connection of
 * its own, which costs some microseconds and has no state to go wrong. Nothing here waits: to
 * connect to a unix socket is done or refused at once, and so is to send what fits its buffer.
 */
#ifndef MESHDNS_RESOLVER_KUMA_H
#define MESHDNS_RESOLVER_KUMA_H

#include <poll.h>

#include "common/err.h"
#include "common/log.h"
#include "resolver/http_response.h"
#include "resolver/load.h"

#define KUMA_POLL_MS     1000
#define KUMA_POLL_MIN_MS 100
#define KUMA_POLL_MAX_MS 3600000
#define KUMA_TIMEOUT_MS  5000  /* from asking to the last octet */
#define KUMA_FIRST_MS    1000  /* likewise at the start, when all else waits for it */
#define KUMA_READY_MS    15000 /* without a map: how long that is worth a 503 */
#define KUMA_MAP_MAX     ((size_t)64 << 20)
#define KUMA_PATH_MAX    107 /* as long as a unix socket's can be */
#define KUMA_LABELS_MAX  2048

struct kuma {
	const char *path; /* NULL: there is no such source, and the rest is zero */
	uint32_t poll_ms;
	char source[sizeof("unix:") + KUMA_PATH_MAX]; /* what it is called */
	int fd;                                       /* of the question under way; -1: none */
	int64_t began_ms, asked_ms;
	struct http_response response;
	bool has_map;                 /* one was loaded */
	char etag[HTTP_ETAG_MAX];     /* of the map that is loaded; "": to be sent whatever it is */
	uint64_t hash, found_hash;    /* of the map that is loaded, and of the one just found */
	char labels[KUMA_LABELS_MAX]; /* of the metrics: a="b",c="d" */
	double waited_s;              /* for the first map; negative: it has not come */
	uint64_t polls, errors;
	struct err complaint;      /* what is wrong with it, ""; nothing */
	struct log_limit limit[2]; /* of complaints: before the first map, and since */
};

/* `path`, which is borrowed, may be NULL. */
void kuma_init(struct kuma *kuma, const char *path, uint32_t poll_ms, int64_t now_ms);
void kuma_close(struct kuma *kuma);

/* What to poll for: 0 or 1. */
size_t kuma_poll(const struct kuma *kuma, struct pollfd *fds);

/*
 * Asks when it is time to, and takes in what has come. *ret_given is what is to be loaded, NULL
 * text and all; true: that is a map, and kuma_took() is to be called.
 */
bool kuma_run(struct kuma *kuma, int64_t now_ms, struct load_given *ret_given);
int64_t kuma_next_ms(const struct kuma *kuma);

/* At the start: the first answer, if somebody is there to give it. As kuma_run(). */
bool kuma_run_first(struct kuma *kuma, struct load_given *ret_given);

/* The map was loaded, or could not be. */
void kuma_took(struct kuma *kuma, bool loaded, int64_t now_ms);

/* Is there something worth waiting for before the service is called ready? */
bool kuma_is_awaited(const struct kuma *kuma, int64_t now_ms);

/* Whether that was over before the first map came. */
bool kuma_is_late(const struct kuma *kuma, int64_t now_ms);

/* --- kuma_labels.c ---------------------------------------------------------------------------- */

/*
 * The `extraLabels` of a map, as Prometheus writes labels. Those that are no labels, or are taken
 * by what the metrics say themselves, are left out and counted in *ret_skipped.
 */
void kuma_labels(const char *text, size_t len, char ret_labels[KUMA_LABELS_MAX],
		 size_t *ret_skipped);

#endif
