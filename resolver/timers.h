/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A worker's deadlines: a hashed wheel. Setting and cancelling touch one list and nothing is
 * ordered, for almost every deadline is cancelled before it comes.
 *
 * One turn of the wheel is TIMERS_SLOTS ticks; a deadline beyond it waits at the far end and is set
 * again when the wheel gets there. Deadlines are never early and at most a tick late.
 */
#ifndef MESHDNS_RESOLVER_TIMERS_H
#define MESHDNS_RESOLVER_TIMERS_H

#include <stdint.h>

#include "common/list.h"

#define TIMERS_TICK_MS 8
#define TIMERS_SLOTS   1024 /* of a tick each: 8 s, longer than any question lasts */

struct timer {
	struct list node; /* in its slot; alone while it is not set */
	int64_t due_ms;
	uint8_t kind; /* whose it is: the owner's to choose */
};

struct timers {
	int64_t tick;                     /* everything before it has been popped */
	uint64_t used[TIMERS_SLOTS / 64]; /* slots that are perhaps not empty */
	struct list slots[TIMERS_SLOTS];
};

void timers_init(struct timers *timers, int64_t now_ms);

/* A timer must be initialised before its first use; it is then not set. */
static inline void timer_init(struct timer *timer, uint8_t kind)
{
	list_init(&timer->node);
	timer->kind = kind;
}

/* Sets it, wherever it was set before. */
void timer_set(struct timers *timers, struct timer *timer, int64_t due_ms);

static inline void timer_cancel(struct timer *timer)
{
	list_remove(&timer->node);
}

/* One that is due, no longer set; NULL when there is none. */
struct timer *timers_pop(struct timers *timers, int64_t now_ms);

/* When to call timers_pop() again, INT64_MAX for never. */
int64_t timers_next_ms(struct timers *timers);

#endif
