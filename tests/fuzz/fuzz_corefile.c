/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any text as a Corefile: words, blocks, directives, templates, expressions. What is taken can be
 * written down, and what was written is taken again and comes out the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "resolver/corefile/corefile.h"
#include "tests/fuzz/fuzz.h"

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* The effective configuration, NULL: the text is none. */
static char *read_and_print(const char *text, size_t len, size_t *ret_len)
{
	struct corefile *corefile = NULL;
	struct err err = {0};
	char *result = NULL;
	FILE *out;

	if (corefile_read_text("/nowhere/input", text, len, 53, &corefile, &err) < 0) {
		must(!corefile && err.code < 0 && *err.msg);
		return NULL;
	}
	out = open_memstream(&result, ret_len);
	corefile_print(corefile, out);
	fclose(out);
	corefile_free(corefile);
	return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len, again_len;
	char *once, *again;

	log_set_level(LOG_LEVEL_ERROR);
	if (memmem(data, size, "import", 6)) /* no files of this machine */
		return 0;
	if (!(once = read_and_print((const char *)data, size, &len)))
		return 0;
	again = read_and_print(once, len, &again_len);
	must(again && again_len == len && !memcmp(once, again, len));
	free(once);
	free(again);
	return 0;
}
