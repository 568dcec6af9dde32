/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/eyes.h"

#include <errno.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "version.h"

void eyes_sum(const struct facts *facts, struct stats *ret_total)
{
	for (unsigned int i = 0; i < facts->n_workers; i++)
		stats_sum(ret_total, &facts->workers[i].stats);
}

uint64_t eyes_lost(const struct facts *facts)
{
	uint64_t lost = dnstap_lost(facts->dnstap);

	for (unsigned int i = 0; i < facts->n_workers; i++)
		lost += atomic_load_explicit(&facts->workers[i].tap.lost, memory_order_relaxed);
	return lost;
}

int eyes_open(struct eyes *eyes, struct facts *facts, struct tap_wish *wish, int control_fd,
	      struct err *err)
{
	const struct settings *s = facts->settings;
	int rc;

	eyes->facts = facts;
	eyes->wish = wish;
	eyes->ctl.facts = facts;
	eyes->ctl.log = &eyes->log;
	eyes->ctl.wish = wish;
	ctl_init(&eyes->ctl, control_fd);
	if (s->log_queries)
		querylog_start(&eyes->log, NULL, 0, facts->now_ms, err);
	if ((rc = web_open(&eyes->web, facts, err)) < 0)
		return rc;
	if (!s->dnstap)
		return 0;
	atomic_fetch_or(&wish->lookers, TAP_DNSTAP);
	if (dnstap_open(s->dnstap, facts->identity, "meshdns " MESHDNS_VERSION, &eyes->dnstap,
			err) < 0)
		return err->code;
	facts->dnstap = eyes->dnstap;
	return 0;
}

size_t eyes_poll(const struct eyes *eyes, struct pollfd *fds)
{
	size_t n = web_poll(&eyes->web, fds);

	n += oneshot_poll(&eyes->ctl.server, fds + n);
	if (eyes->ctl.lookup.fd >= 0)
		fds[n++] = (struct pollfd){.fd = eyes->ctl.lookup.fd, .events = POLLIN};
	return n;
}

/* Who is to look from now on. */
static void wish(struct eyes *eyes)
{
	if (eyes->log.on && eyes->facts->now_ms >= eyes->log.until_ms)
		eyes->log.on = false;
	atomic_store(&eyes->wish->sample, eyes->log.on ? eyes->log.sample : 1);
	atomic_store(&eyes->wish->errors, blocklog_has_errors(&eyes->blocks));
	if (eyes->log.on || blocklog_has_log(&eyes->blocks))
		atomic_fetch_or(&eyes->wish->lookers, TAP_LOG);
	else
		atomic_fetch_and(&eyes->wish->lookers, ~(uint32_t)TAP_LOG);
}

static void take_event(struct eyes *eyes, const struct tap_event *event, int64_t epoch_us,
		       FILE *log)
{
	if (event->lookers & TAP_LOG && eyes->log.on)
		querylog_event(&eyes->log, event, eyes->facts->now_ms, log);
	if (event->lookers & TAP_LOG || event->kind == TAP_ERROR)
		blocklog_event(&eyes->blocks, event, eyes->facts->now_ms, log);
	if (event->lookers & TAP_DNSTAP && eyes->dnstap)
		dnstap_event(eyes->dnstap, event, epoch_us);
	if (event->lookers & TAP_LOOKUP)
		ctl_lookup_event(&eyes->ctl, event);
}

/* What the monotonic clock lacks to be the time of day. */
static int64_t epoch(void)
{
	struct timespec real, mono;

	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_MONOTONIC, &mono);
	return (real.tv_sec - mono.tv_sec) * INT64_C(1000000) +
	       (real.tv_nsec - mono.tv_nsec) / 1000;
}

/* Empties the rings. Not for ever: as much at most as they held when it began, and one more. */
static void drain(struct eyes *eyes)
{
	cleanup_free char *text = NULL;
	const struct tap_event *event;
	int64_t epoch_us = epoch();
	size_t len = 0;
	FILE *log = open_memstream(&text, &len);

	for (unsigned int i = 0; log && i < eyes->facts->n_workers; i++) {
		struct tap *tap = &eyes->facts->workers[i].tap;

		for (size_t done = 0; done <= TAP_BYTES && (event = tap_peek(tap));) {
			done += event->size;
			take_event(eyes, event, epoch_us, log);
			tap_take(tap, event);
		}
	}
	if (log)
		fclose(log);
	if (text && len && write(STDERR_FILENO, text, len) < 0)
		return; /* nowhere left to complain */
}

void eyes_close(struct eyes *eyes)
{
	if (!eyes->facts)
		return;
	if (atomic_load(&eyes->wish->lookers) || atomic_load(&eyes->wish->errors))
		drain(eyes); /* a last time */
	blocklog_reset(&eyes->blocks, eyes->facts->now_ms, stderr);
	dnstap_close(eyes->dnstap);
	eyes->dnstap = NULL;
	eyes->facts->dnstap = NULL;
	atomic_store(&eyes->wish->lookers, 0);
	atomic_store(&eyes->wish->errors, false);
	web_close(&eyes->web);
	ctl_close(&eyes->ctl);
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t eyes_run(struct eyes *eyes)
{
	bool was_on = atomic_load(&eyes->wish->lookers) || atomic_load(&eyes->wish->errors);
	int64_t next_ms;

	if (was_on)
		drain(eyes); /* before the lookup: what there is to say about its answer */
	next_ms = blocklog_run(&eyes->blocks, eyes->facts->now_ms, stderr);
	ctl_lookup_run(&eyes->ctl);
	next_ms = earlier(next_ms, web_run(&eyes->web, eyes->facts->now_ms));
	next_ms = earlier(next_ms, oneshot_run(&eyes->ctl.server, eyes->facts->now_ms));
	wish(eyes);
	if (atomic_load(&eyes->wish->lookers))
		next_ms = earlier(next_ms, eyes->facts->now_ms + TAP_DRAIN_MS);
	else if (atomic_load(&eyes->wish->errors))
		next_ms = earlier(next_ms, eyes->facts->now_ms + BLOCKLOG_ERRORS_MS);
	return next_ms;
}
