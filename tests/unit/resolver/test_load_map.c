/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "resolver/load_map.h"

#define PAGES 5

static size_t page; /* octets */

/* A file of some pages of "x". */
static int make_file(void)
{
	int fd = memfd_create("text", 0);

	page = (size_t)getpagesize();
	for (size_t i = 0; i < PAGES * page; i++)
		cr_assert_eq(write(fd, "x", 1), 1);
	return fd;
}

Test(load_map, what_is_truncated_turns_to_zeros)
{
	int fd = make_file();
	const char *text = load_map(fd, PAGES * page - 1);

	cr_assert_not_null(text);
	cr_expect_eq(text[3 * page], 'x');
	cr_assert_eq(ftruncate(fd, (off_t)(2 * page)), 0);
	cr_expect_eq(text[3 * page + 7], '\0');
	cr_expect_eq(text[2 * page], '\0'); /* which is a second signal */
	cr_expect_eq(text[PAGES * page - 2], '\0');
	cr_expect_eq(text[2 * page - 1], 'x');
	load_unmap(text, PAGES * page - 1);
	close(fd);
}

/* Others' errors are not hidden. */
Test(load_map, other_signals_are_the_end, .signal = SIGBUS)
{
	int fd = make_file();
	const char *text = load_map(fd, PAGES * page);
	const volatile char *other = mmap(NULL, PAGES * page, PROT_READ, MAP_SHARED, fd, 0);

	cr_assert_not_null(text);
	cr_assert_eq(ftruncate(fd, 0), 0);
	cr_expect_eq(*other, '\0');
}
