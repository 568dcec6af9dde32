/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/timers.h"

#include <stdbool.h>

static size_t slot_of(int64_t tick)
{
	return (size_t)tick % TIMERS_SLOTS;
}

void timers_init(struct timers *timers, int64_t now_ms)
{
	*timers = (struct timers){.tick = now_ms / TIMERS_TICK_MS};
	for (size_t i = 0; i < TIMERS_SLOTS; i++)
		list_init(&timers->slots[i]);
}

void timer_set(struct timers *timers, struct timer *timer, int64_t due_ms)
{
	int64_t tick = (due_ms + TIMERS_TICK_MS - 1) / TIMERS_TICK_MS;
	size_t slot;

	if (tick < timers->tick)
		tick = timers->tick;
	if (tick >= timers->tick + TIMERS_SLOTS)
		tick = timers->tick + TIMERS_SLOTS - 1;
	slot = slot_of(tick);
	list_remove(&timer->node);
	timer->due_ms = due_ms;
	list_append(&timers->slots[slot], &timer->node);
	timers->used[slot / 64] |= UINT64_C(1) << slot % 64;
}

/* The first tick from the current one on that has a timer; false: none has. */
static bool next_tick(struct timers *timers, int64_t *ret_tick)
{
	for (int64_t tick = timers->tick; tick < timers->tick + TIMERS_SLOTS;) {
		size_t slot = slot_of(tick);
		uint64_t used = timers->used[slot / 64] >> slot % 64;

		if (!used) { /* on to the next word */
			tick += 64 - (int64_t)(slot % 64);
			continue;
		}
		tick += __builtin_ctzll(used);
		slot = slot_of(tick);
		if (!list_is_empty(&timers->slots[slot])) {
			*ret_tick = tick;
			return tick < timers->tick + TIMERS_SLOTS;
		}
		timers->used[slot / 64] &= ~(UINT64_C(1) << slot % 64);
	}
	return false;
}

struct timer *timers_pop(struct timers *timers, int64_t now_ms)
{
	int64_t now = now_ms / TIMERS_TICK_MS, tick;

	while (next_tick(timers, &tick) && tick <= now) {
		struct timer *timer =
			list_entry(timers->slots[slot_of(tick)].next, struct timer, node);

		timers->tick = tick;
		if (timer->due_ms <= now_ms) {
			list_remove(&timer->node);
			return timer;
		}
		timer_set(timers, timer, timer->due_ms); /* it was beyond the far end */
	}
	if (timers->tick < now)
		timers->tick = now;
	return NULL;
}

int64_t timers_next_ms(struct timers *timers)
{
	int64_t tick;

	return next_tick(timers, &tick) ? tick * TIMERS_TICK_MS : INT64_MAX;
}
