/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A change in the middle of a text leaves pieces before it where they were, and moves pieces behind
 * it by as much as the text has grown. So each piece has two places where it may be found, and
 * threads can look for theirs without knowing where the change is.
 */
#include "resolver/load_same.h"

#include <pthread.h>
#include <sched.h>

#include "resolver/load_hash.h"

#define SHARE_MIN  ((size_t)4 << 20) /* octets that are worth a thread */
#define CACHE_LINE 64

/* Some pieces of the text, one behind the other, and what is found of them. */
struct share {
	const struct load_piece *pieces;
	size_t n, at; /* where they begin, and began */
	ssize_t moved;
	const char *text; /* size octets */
	size_t size;
	size_t first, last;
	pthread_t thread;
	bool has_thread;
};

static bool is_same(const struct share *s, const struct load_piece *piece, size_t at)
{
	const char *text, *next;

	if (at > s->size || piece->text_len > s->size - at ||
	    (piece->is_open && at + piece->text_len != s->size))
		return false;
	text = s->text + at;
	next = text + piece->text_len;
	/* Memory is slower than the hash: what follows may come meanwhile, if there is any. */
	for (size_t i = 0; i < LOAD_PIECE_MIN; i += CACHE_LINE)
		__builtin_prefetch(next + i);
	return load_hash(text, piece->text_len) == piece->text_hash;
}

static void *find_same(void *arg)
{
	struct share *s = arg;
	size_t at = s->at;

	for (; s->first < s->n && is_same(s, &s->pieces[s->first], at); s->first++)
		at += s->pieces[s->first].text_len;
	if (s->first == s->n)
		return NULL;
	for (size_t i = s->first; i < s->n; i++)
		at += s->pieces[i].text_len;
	at += (size_t)s->moved; /* may wrap, and is no place in the file then */
	for (; s->first + s->last < s->n; s->last++) {
		const struct load_piece *piece = &s->pieces[s->n - s->last - 1];

		at -= piece->text_len;
		if (!is_same(s, piece, at))
			break;
	}
	return NULL;
}

/* All shares but the first get a thread; where there is none to be had, this one does the work. */
static void run_shares(struct share *shares, size_t n)
{
	for (size_t i = 1; i < n; i++)
		shares[i].has_thread =
			pthread_create(&shares[i].thread, NULL, find_same, &shares[i]) == 0;
	for (size_t i = 0; i < n; i++) {
		if (!shares[i].has_thread)
			find_same(&shares[i]);
	}
	for (size_t i = 1; i < n; i++) {
		if (shares[i].has_thread)
			pthread_join(shares[i].thread, NULL);
	}
}

static struct load_same sum_up(const struct share *shares, size_t n_shares, size_t n, size_t size)
{
	const struct load_piece *pieces = shares->pieces;
	struct load_same same = {0};

	for (size_t i = 0; i < n_shares; i++) {
		same.first += shares[i].first;
		if (shares[i].first < shares[i].n)
			break;
	}
	for (size_t i = n_shares; i > 0; i--) {
		const struct share *s = &shares[i - 1];
		size_t last = s->first == s->n && !s->moved ? s->n : s->last;

		same.last += last;
		if (last < s->n)
			break;
	}
	if (same.last > n - same.first)
		same.last = n - same.first;
	for (size_t i = 0; i < same.first; i++)
		same.first_len += pieces[i].text_len;
	for (size_t i = n - same.last; i < n; i++)
		same.last_len += pieces[i].text_len;
	/* Where a text repeats itself, what was found at both ends may overlap. */
	for (; same.first_len + same.last_len > size; same.last--)
		same.last_len -= pieces[n - same.last].text_len;
	return same;
}

static size_t count_shares(size_t size)
{
	size_t n = size / SHARE_MIN;
	cpu_set_t cpus;

	if (n > LOAD_THREADS_MAX)
		n = LOAD_THREADS_MAX;
	if (n > 1 && sched_getaffinity(0, sizeof(cpus), &cpus) == 0 && n > (size_t)CPU_COUNT(&cpus))
		n = (size_t)CPU_COUNT(&cpus);
	return n > 1 ? n : 1;
}

struct load_same load_same_find(const struct load_piece *pieces, size_t n, const char *text,
				size_t size)
{
	struct share shares[LOAD_THREADS_MAX];
	size_t n_shares = count_shares(size), was = 0, at = 0, k = 0;

	for (size_t i = 0; i < n; i++)
		was += pieces[i].text_len;
	for (size_t i = 0; i < n_shares; i++) {
		size_t end = i + 1 < n_shares ? was / n_shares * (i + 1) : was;

		shares[i] = (struct share){.pieces = pieces + k,
					   .at = at,
					   .moved = (ssize_t)size - (ssize_t)was,
					   .text = text,
					   .size = size};
		for (; k < n && at < end; k++, shares[i].n++)
			at += pieces[k].text_len;
	}
	run_shares(shares, n_shares);
	return sum_up(shares, n_shares, n, size);
}
