/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes on the metrics port: exactly one answer, whose length is what it says. */
#include <stdlib.h>
#include <string.h>

#include "resolver/http.h"
#include "tests/fuzz/fuzz.h"

static int print_body(void *context, FILE *body)
{
	(void)context;
	fputs("body", body);
	return 200;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct http_route routes[] = {{"/metrics", "text/plain", print_body}, {0}};
	char *request = malloc(size + 1), *text = NULL, *body;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!request || !out)
		abort();
	memcpy(request, data, size);
	http_is_whole(request, size);
	http_answer(routes, NULL, request, size, out);
	fclose(out);
	body = strstr(text, "\r\n\r\n");
	if (!body || strncmp(text, "HTTP/1.1 ", 9) != 0)
		abort();
	body += 4;
	if (*body && strtol(strstr(text, "Content-Length: ") + 16, NULL, 10) != text + len - body)
		abort();
	free(text);
	free(request);
	return 0;
}
