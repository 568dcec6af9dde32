/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/limits.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct cell {
	int64_t due_us; /* when a client that keeps to the rate would ask next (GCRA) */
	uint32_t taken[LIMITS_KINDS];
};

struct limits {
	uint32_t max[LIMITS_KINDS];
	int64_t interval_us; /* 0: no rate */
	uint32_t exceeded;
	uint64_t keys[LIMITS_ROWS];
	struct cell cells[LIMITS_ROWS][LIMITS_CELLS];
};

bool limits_new(const struct limits_config *config, struct limits **ret_limits)
{
	struct limits *limits;

	*ret_limits = NULL;
	if (!config->rate && !config->max_inflight && !config->max_tcp)
		return true;
	if (!(limits = calloc(1, sizeof(*limits))))
		return false;
	if (getrandom(limits->keys, sizeof(limits->keys), 0) != sizeof(limits->keys)) {
		free(limits);
		return false;
	}
	limits->max[LIMITS_INFLIGHT] = config->max_inflight;
	limits->max[LIMITS_TCP] = config->max_tcp;
	limits->interval_us = config->rate ? 1000000 / config->rate : 0;
	*ret_limits = limits;
	return true;
}

void limits_free(struct limits *limits)
{
	free(limits);
}

static uint64_t client_of(const struct sockaddr_in6 *peer)
{
	uint64_t client = 0;

	if (peer->sin6_family == AF_INET)
		memcpy(&client, &((const struct sockaddr_in *)(const void *)peer)->sin_addr, 4);
	else
		memcpy(&client, &peer->sin6_addr, 8);
	return client;
}

/* A keyed mix of 64 bits (the finalizer of MurmurHash3, twice), of which a row uses some. */
static struct cell *cell_of(struct limits *limits, int row, uint64_t client)
{
	uint64_t h = client ^ limits->keys[row];

	for (int i = 0; i < 2; i++) {
		h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
		h = (h ^ h >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
		h ^= h >> 33 ^ limits->keys[row];
	}
	return &limits->cells[row][h % LIMITS_CELLS];
}

enum limits_verdict limits_question(struct limits *limits, const struct sockaddr_in6 *peer,
				    int64_t now_us)
{
	uint64_t client;
	bool pass = false;

	if (!limits || !limits->interval_us)
		return LIMITS_PASS;
	client = client_of(peer);
	for (int row = 0; row < LIMITS_ROWS; row++) {
		struct cell *cell = cell_of(limits, row, client);

		if (cell->due_us < now_us)
			cell->due_us = now_us;
		if (cell->due_us - now_us < 1000000) {
			pass = true;
			cell->due_us += limits->interval_us;
		}
	}
	if (pass)
		return LIMITS_PASS;
	return limits->exceeded++ % 2 ? LIMITS_DROP : LIMITS_TRUNCATE;
}

bool limits_take(struct limits *limits, enum limits_kind kind, const struct sockaddr_in6 *peer)
{
	bool room = false;
	uint64_t client;

	if (!limits || !limits->max[kind])
		return true;
	client = client_of(peer);
	for (int row = 0; row < LIMITS_ROWS; row++)
		room |= cell_of(limits, row, client)->taken[kind] < limits->max[kind];
	for (int row = 0; room && row < LIMITS_ROWS; row++)
		cell_of(limits, row, client)->taken[kind]++;
	return room;
}

void limits_release(struct limits *limits, enum limits_kind kind, const struct sockaddr_in6 *peer)
{
	if (!limits || !limits->max[kind])
		return;
	for (int row = 0; row < LIMITS_ROWS; row++)
		cell_of(limits, row, client_of(peer))->taken[kind]--;
}
