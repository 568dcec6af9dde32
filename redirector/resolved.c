/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "redirector/resolved.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/cleanup.h"
#include "common/file.h"

#define SIZE_LIMIT ((size_t)64 * 1024)
#define BLANKS     " \t\r\v\f"

/* Those of the distribution first, those of links last. */
static const char *const places[] = {
	"/etc/systemd/resolved.conf",          "/usr/lib/systemd/resolved.conf.d/*.conf",
	"/run/systemd/resolved.conf.d/*.conf", "/etc/systemd/resolved.conf.d/*.conf",
	"/run/systemd/resolve/netif/*",
};

bool resolved_setting(const char *text, const char *key, char ret_value[RESOLVED_VALUE_MAX])
{
	size_t key_len = strlen(key), len, value_len;
	bool found = false;

	for (const char *line = text; *line; line += len + (line[len] == '\n')) {
		const char *value = line + strspn(line, BLANKS);

		len = strcspn(line, "\n");
		if (strncasecmp(value, key, key_len) != 0)
			continue;
		value += key_len;
		value += strspn(value, BLANKS);
		if (*value != '=')
			continue;
		value++;
		value += strspn(value, BLANKS);
		value_len = strcspn(value, "\n");
		while (value_len && strchr(BLANKS, value[value_len - 1]))
			value_len--;
		snprintf(ret_value, RESOLVED_VALUE_MAX, "%.*s", (int)value_len, value);
		found = true;
	}
	return found;
}

/* ":PORT" behind an address: behind its bracket, or behind the only colon. */
static const char *find_port(char *server)
{
	char *bracket = strchr(server, ']'), *colon;

	server[strcspn(server, "%#")] = '\0';
	if (*server == '[')
		return bracket && bracket[1] == ':' ? bracket + 2 : NULL;
	colon = strchr(server, ':');
	return colon && !strchr(colon + 1, ':') ? colon + 1 : NULL;
}

bool resolved_has_other_port(const char *servers)
{
	while (*(servers += strspn(servers, BLANKS))) {
		char server[RESOLVED_VALUE_MAX];
		size_t len = strcspn(servers, BLANKS);
		const char *port;

		snprintf(server, sizeof(server), "%.*s", (int)len, servers);
		if ((port = find_port(server)) && strtoul(port, NULL, 10) != 53)
			return true;
		servers += len;
	}
	return false;
}

static bool is_on(const char *value)
{
	static const char *const off[] = {"", "no", "false", "off", "0", "n", "f"};

	for (size_t i = 0; i < ARRAY_SIZE(off); i++) {
		if (!strcasecmp(value, off[i]))
			return false;
	}
	return true;
}

static void take(const char *file, const char *text, const char *key, bool (*matters)(const char *),
		 struct resolved_fact *fact)
{
	char value[RESOLVED_VALUE_MAX];

	if (!resolved_setting(text, key, value))
		return;
	*fact = (struct resolved_fact){0};
	if (!matters(value))
		return;
	snprintf(fact->file, sizeof(fact->file), "%.*s", RESOLVED_FILE_MAX - 1, file);
	memcpy(fact->value, value, sizeof(value));
}

static void read_file(const char *file, struct resolved *resolved)
{
	cleanup_free char *text = NULL;
	size_t len;

	if (file_read(file, SIZE_LIMIT, &text, &len, NULL) < 0)
		return;
	take(file, text, "DNSOverTLS", is_on, &resolved->tls);
	take(file, text, "DNSSEC", is_on, &resolved->dnssec);
	take(file, text, "DNS", resolved_has_other_port, &resolved->port);
	take(file, text, "SERVERS", resolved_has_other_port, &resolved->port);
}

void resolved_read(struct resolved *ret_resolved)
{
	glob_t files;

	*ret_resolved = (struct resolved){0};
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if (glob(places[i], 0, NULL, &files) != 0)
			continue;
		for (size_t j = 0; j < files.gl_pathc; j++)
			read_file(files.gl_pathv[j], ret_resolved);
		globfree(&files);
	}
}
