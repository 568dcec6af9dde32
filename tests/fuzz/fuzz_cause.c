/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any text as what verify reads of a host: lines of /proc/net, nsswitch.conf, resolved.conf. */
#include <stdlib.h>
#include <string.h>

#include "redirector/cause.h"
#include "redirector/resolved.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), value[RESOLVED_VALUE_MAX];
	struct cause_socket socket;

	if (!text)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	if (cause_parse_socket(text, &socket) && socket.remote.addr.family != AF_INET &&
	    socket.remote.addr.family != AF_INET6)
		abort();
	cause_uses_nss_resolve(text);
	if (resolved_setting(text, "DNS", value))
		resolved_has_other_port(value);
	resolved_has_other_port(text);
	free(text);
	return 0;
}
