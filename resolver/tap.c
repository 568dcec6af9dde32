/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/tap.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

int tap_init(struct tap *tap, const struct tap_wish *wish)
{
	void *ring =
		mmap(NULL, TAP_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (ring == MAP_FAILED)
		return -ENOMEM;
	tap->wish = wish;
	tap->ring = ring;
	return 0;
}

void tap_free(struct tap *tap)
{
	if (tap->ring)
		munmap(tap->ring, TAP_BYTES);
	tap->ring = NULL;
}

static struct tap_event *event_at(const struct tap *tap, uint64_t position)
{
	return (struct tap_event *)(void *)(tap->ring + position % TAP_BYTES);
}

/* Who wants this one. */
static uint32_t lookers_for(struct tap *tap, const struct tap_event *event)
{
	const struct tap_wish *wish = tap->wish;
	uint32_t lookers = atomic_load_explicit(&wish->lookers, memory_order_relaxed);
	uint32_t sample = atomic_load_explicit(&wish->sample, memory_order_relaxed);

	if (event->client_port != atomic_load_explicit(&wish->lookup_port, memory_order_relaxed))
		lookers &= ~(uint32_t)TAP_LOOKUP;
	if (event->kind == TAP_CLIENT_QUERY)
		return lookers & TAP_DNSTAP;
	if (event->kind == TAP_FORWARDER_FAILED)
		return lookers & TAP_LOOKUP;
	if (event->kind != TAP_CLIENT_RESPONSE)
		return lookers & (TAP_DNSTAP | TAP_LOOKUP);
	if (lookers & TAP_LOG && ++tap->turn < sample)
		lookers &= ~(uint32_t)TAP_LOG;
	else
		tap->turn = 0;
	return lookers;
}

/* `message` of kept - more octets, and `more` behind it. */
static void put(struct tap *tap, const struct tap_event *event, uint32_t lookers, size_t kept,
		const uint8_t *message, const void *text, size_t more)
{
	uint64_t written = atomic_load_explicit(&tap->written, memory_order_relaxed);
	uint64_t used = written - atomic_load_explicit(&tap->read, memory_order_acquire);
	size_t size = (sizeof(*event) + kept + 7) & ~(size_t)7,
	       left = TAP_BYTES - written % TAP_BYTES;
	struct tap_event *at;

	if (used + size + (left < size ? left : 0) > TAP_BYTES) {
		atomic_fetch_add_explicit(&tap->lost, 1, memory_order_relaxed);
		return;
	}
	if (left < size) {
		event_at(tap, written)->size = 0;
		written += left;
	}
	at = event_at(tap, written);
	*at = *event;
	at->size = (uint32_t)size;
	at->lookers = (uint8_t)lookers;
	at->kept = (uint16_t)kept;
	memcpy(at + 1, message, kept - more);
	if (more)
		memcpy((uint8_t *)(at + 1) + kept - more, text, more);
	atomic_store_explicit(&tap->written, written + size, memory_order_release);
}

void tap_put(struct tap *tap, const struct tap_event *event, const uint8_t *message)
{
	uint32_t lookers = lookers_for(tap, event);
	size_t kept = event->len;

	if (!lookers)
		return;
	if (!(lookers & TAP_DNSTAP) && kept > TAP_HEAD_BYTES)
		kept = TAP_HEAD_BYTES;
	put(tap, event, lookers, kept, message, NULL, 0);
}

void tap_put_error(struct tap *tap, const struct tap_event *event, const uint8_t *answer,
		   const char *text)
{
	struct tap_event error = *event;
	size_t more = strlen(text);

	if (error.len > TAP_HEAD_BYTES)
		error.len = TAP_HEAD_BYTES;
	if (more > TAP_ERROR_TEXT)
		more = TAP_ERROR_TEXT;
	error.kind = TAP_ERROR;
	put(tap, &error, 0, error.len + more, answer, text, more);
}

const struct tap_event *tap_peek(struct tap *tap)
{
	uint64_t read = atomic_load_explicit(&tap->read, memory_order_relaxed);

	if (read == atomic_load_explicit(&tap->written, memory_order_acquire))
		return NULL;
	if (event_at(tap, read)->size == 0) { /* the mark: an event follows at the start */
		read += TAP_BYTES - read % TAP_BYTES;
		atomic_store_explicit(&tap->read, read, memory_order_release);
	}
	return event_at(tap, read);
}

void tap_take(struct tap *tap, const struct tap_event *event)
{
	atomic_store_explicit(&tap->read,
			      atomic_load_explicit(&tap->read, memory_order_relaxed) + event->size,
			      memory_order_release);
}
