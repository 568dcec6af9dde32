/* SPDX-License-Identifier: GPL-2.0-or-later */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "resolver/load_same.h"
#include "tests/unit/resolver/packets.h"

#define PIECE    5000
#define N_PIECES 2000 /* enough for threads */
#define SIZE     ((size_t)PIECE * N_PIECES)

static struct load_piece pieces[N_PIECES];

/* A text without repetition, and its pieces. */
static char *make_text(void)
{
	char *text = malloc(SIZE + PIECE);

	for (size_t i = 0; i < SIZE; i++)
		text[i] = (char)(i * 2654435761u >> 13);
	for (size_t i = 0; i < N_PIECES; i++)
		pieces[i] = (struct load_piece){
			.text_hash = XXH3_64bits(text + i * PIECE, PIECE),
			.text_len = PIECE,
			.is_open = i == N_PIECES - 1,
		};
	return text;
}

static void expect_same(const char *text, size_t size, size_t first, size_t last)
{
	struct load_same same = load_same_find(pieces, N_PIECES, text, size);

	cr_expect_eq(same.first, first, "%zu pieces at the beginning, not %zu", same.first, first);
	cr_expect_eq(same.last, last, "%zu pieces at the end, not %zu", same.last, last);
	cr_expect_eq(same.first_len, first * PIECE);
	cr_expect_eq(same.last_len, last * PIECE);
}

/* Wherever the change is, and to whichever thread what lies around it falls. */
Test(load_same, around_a_change)
{
	static const size_t changed[] = {0, 999, 1000, 1001, 1999};
	char *text = make_text();

	for (size_t i = 0; i < sizeof(changed) / sizeof(changed[0]); i++) {
		size_t piece = changed[i], at = piece * PIECE + 17;

		text[at]++; /* in place */
		expect_same(text, SIZE, piece, N_PIECES - 1 - piece);
		text[at]--;
		memmove(text + at + 9, text + at, SIZE - at); /* put in */
		text[at]++;
		expect_same(text, SIZE + 9, piece, N_PIECES - 1 - piece);
		text[at]--;
		memmove(text + at, text + at + 9, SIZE - at);
		memmove(text + at, text + at + 9, SIZE - at - 9); /* left out */
		expect_same(text, SIZE - 9, piece, N_PIECES - 1 - piece);
		free(text);
		text = make_text();
	}
	free(text);
}

Test(load_same, ends)
{
	char *text = make_text();

	expect_same(text, SIZE, N_PIECES, 0);
	expect_same(text, SIZE + 5, N_PIECES - 1, 0); /* the last piece is no longer the end */
	expect_same(text, 3 * PIECE, 3, 0);
	expect_same(text, 3 * PIECE + 1, 3, 0);
	expect_same(text + 3 * PIECE, SIZE - 3 * PIECE, 0, N_PIECES - 3);
	expect_same(text, 1, 0, 0);
	free(text);
}

/* What both ends find of a text that repeats itself is not counted twice. */
Test(load_same, repetition)
{
	char *text = make_text();

	for (size_t i = 1; i < N_PIECES; i++) {
		memcpy(text + i * PIECE, text, PIECE);
		pieces[i].text_hash = pieces[0].text_hash;
	}
	expect_same(text, SIZE, N_PIECES, 0);
	pieces[N_PIECES - 1].is_open = false;
	expect_same(text, SIZE - PIECE, N_PIECES - 1, 0);
	expect_same(text, SIZE + PIECE / 2, N_PIECES, 0);
	free(text);
}
