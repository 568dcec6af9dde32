/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/upstream_health.h"

#include <stdlib.h>

void health_answered(struct health *health, uint32_t rtt_us)
{
	int64_t deviation = (int64_t)health->srtt_us - rtt_us;

	if (rtt_us == 0)
		rtt_us = 1;
	if (health->srtt_us == 0) {
		health->srtt_us = rtt_us;
		health->rttvar_us = rtt_us / 2;
	} else {
		health->rttvar_us =
			(uint32_t)((3 * (int64_t)health->rttvar_us + llabs(deviation)) / 4);
		health->srtt_us = (uint32_t)((7 * (int64_t)health->srtt_us + rtt_us + 7) / 8);
	}
	health->state = HEALTH_UP;
	health->fails = 0;
	health->failed_ms = 0;
}

void health_failed(struct health *health, int64_t sent_ms, int64_t now_ms, uint32_t max_fails)
{
	if (sent_ms < health->failed_ms || max_fails == HEALTH_NEVER_DOWN)
		return;
	health->failed_ms = now_ms;
	health->fails++;
	health->state = health->fails > max_fails ? HEALTH_DOWN : HEALTH_SUSPECT;
}

uint32_t health_rto_ms(const struct health *health)
{
	uint64_t rto_ms = ((uint64_t)health->srtt_us + 4 * (uint64_t)health->rttvar_us) / 1000;

	if (health->srtt_us == 0)
		return HEALTH_RTO_FIRST_MS;
	if (rto_ms < HEALTH_RTO_MIN_MS)
		return HEALTH_RTO_MIN_MS;
	return rto_ms > HEALTH_RTO_MAX_MS ? HEALTH_RTO_MAX_MS : (uint32_t)rto_ms;
}
