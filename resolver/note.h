/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a worker notes down of the questions it handles: numbers in its sheets (stats_book.h), and
 * messages for those who look on (tap.h).
 */
#ifndef MESHDNS_RESOLVER_NOTE_H
#define MESHDNS_RESOLVER_NOTE_H

#include "resolver/worker.h"

/* A message came in; it is a query; it was turned away without being looked at. */
void note_arrival(struct worker *worker, const struct client *client, const uint8_t *packet,
		  size_t len);
void note_query(struct worker *worker, const struct client *client, const struct query *query,
		size_t len);
void note_refusal(struct worker *worker, const struct client *client, const struct query *query,
		  enum dns_rcode rcode, size_t len);

/* Every other answer, on its way out; `upstream` as worker_reply() has it. */
void note_answer(struct worker *worker, const struct client *client, const struct query *query,
		 int upstream, const uint8_t *packet, size_t len);

/* How long the answer took; or that it is one of those of which note_measured() will tell. */
void note_duration(struct worker *worker, const struct query *query, int64_t us);
void note_to_measure(struct worker *worker, const struct query *query);
void note_measured(struct worker *worker, int64_t us);

#endif
