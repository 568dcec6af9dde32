/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "redirector/cause.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

#define STATE_UNCONNECTED 0x07 /* UDP: TCP_CLOSE */
#define STATE_LISTEN      0x0A

/* "  0: 0100007F:3ACD 00000000:0000 0A 00000000:00000000 00:00000000 00000000  5678 ..." */
bool cause_is_listener(const char *line, uint16_t port, uid_t *ret_uid)
{
	const char *p = strchr(line, ':'); /* behind the number of the line */
	char *end;

	if (!p || !(p = strchr(p + 1, ':')) || strtoul(p + 1, &end, 16) != port)
		return false;
	if (!(p = strchr(end, ':'))) /* in the other side's address */
		return false;
	if (strtoul(p + 1, &end, 16) != 0)
		return false;
	switch (strtoul(end, &end, 16)) {
	case STATE_UNCONNECTED:
	case STATE_LISTEN: break;
	default: return false;
	}
	for (int i = 0; i < 3; i++) { /* queues, timer, retransmits */
		end += strspn(end, " ");
		end += strcspn(end, " ");
	}
	*ret_uid = (uid_t)strtoul(end, NULL, 10);
	return true;
}

bool cause_listens(const char *protocol, uint16_t port, uid_t *ret_uid)
{
	static const char *const families[] = {"", "6"};

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		cleanup_free char *line = NULL;
		cleanup_file FILE *file = NULL;
		char path[64];
		size_t size = 0;

		snprintf(path, sizeof(path), "/proc/thread-self/net/%s%s", protocol, families[i]);
		file = fopen(path, "re");
		while (file && getline(&line, &size, file) > 0) {
			if (cause_is_listener(line, port, ret_uid))
				return true;
		}
	}
	return false;
}

bool cause_uses_nss_resolve(const char *text)
{
	static const char hosts[] = "hosts:", word[] = "resolve";

	for (const char *line = text; line; line = strchr(line, '\n')) {
		const char *p;

		line += strspn(line, " \t\n");
		if (strncmp(line, hosts, strlen(hosts)) != 0)
			continue;
		p = line + strlen(hosts);
		while (*(p += strspn(p, " \t")) && *p != '\n' && *p != '#') {
			size_t len = strcspn(p, " \t\n#[");

			if (len == strlen(word) && !strncmp(p, word, len))
				return true;
			p += len;
			if (*p == '[') /* an action: [!UNAVAIL=return] */
				p += strcspn(p, "]\n");
			if (*p == ']')
				p++;
		}
	}
	return false;
}
