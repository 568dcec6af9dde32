/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

#include "common/nearest.h"

Test(nearest, distance_counts_edits)
{
	cr_expect_eq(nearest_distance("", ""), 0);
	cr_expect_eq(nearest_distance("same", "same"), 0);
	cr_expect_eq(nearest_distance("", "abc"), 3);
	cr_expect_eq(nearest_distance("abc", ""), 3);
	cr_expect_eq(nearest_distance("abc", "abd"), 1);
	cr_expect_eq(nearest_distance("abc", "xabc"), 1);
	cr_expect_eq(nearest_distance("kitten", "sitting"), 3);
}

Test(nearest, long_words_are_as_far_as_can_be)
{
	char word[65];

	memset(word, 'x', 64);
	word[64] = '\0';
	cr_expect_eq(nearest_distance(word, word), SIZE_MAX);
	cr_expect_eq(nearest_distance("x", word), SIZE_MAX);
	cr_expect_eq(nearest_distance(word + 1, word + 1), 0);
}

Test(nearest, longer_words_may_differ_more)
{
	cr_expect(nearest_is_close("instal", 1));
	cr_expect_not(nearest_is_close("foo", 3));
	cr_expect(nearest_is_close("redirect-all-dns-trafic", 5));
}
