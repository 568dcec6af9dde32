/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/resolvconf.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"

#define BLANKS                  " \t\r\v\f"
#define STUB                    0x7f000035 /* 127.0.0.53 */
#define STUB_THAT_ONLY_FORWARDS 0x7f000036

static bool parse_server(char *text, struct addr *ret_addr)
{
	char *percent = strchr(text, '%');

	if (addr_parse(text, ret_addr))
		return true;
	if (percent)
		*percent = '\0';
	return percent && addr_parse(text, ret_addr) && ret_addr->family == AF_INET6;
}

static void add_server(struct resolvconf *conf, const struct addr *server)
{
	if (conf->n_servers == RESOLVCONF_SERVERS_MAX)
		return;
	for (size_t i = 0; i < conf->n_servers; i++) {
		if (addr_equal(&conf->servers[i], server))
			return;
	}
	conf->servers[conf->n_servers++] = *server;
}

/* The words that are left, with one blank between. */
static void set_search(struct resolvconf *conf, char **save)
{
	size_t used = 0;
	const char *word;

	conf->search[0] = '\0';
	while ((word = strtok_r(NULL, BLANKS, save)))
		used += (size_t)snprintf(conf->search + used, sizeof(conf->search) - used, "%s%s",
					 used ? " " : "", word);
}

/* The number behind `name`, held between 1 and `max`; false for any other option. */
static bool parse_number(const char *word, const char *name, uint32_t max, uint32_t *ret_number)
{
	size_t len = strlen(name);
	unsigned long number;

	if (strncmp(word, name, len) != 0 || word[len] < '0' || word[len] > '9')
		return false;
	number = strtoul(word + len, NULL, 10);
	*ret_number = number < 1 ? 1 : number > max ? max : (uint32_t)number;
	return true;
}

static void parse_option(struct resolvconf *conf, const char *word)
{
	if (!strcmp(word, "rotate"))
		conf->rotate = true;
	else if (!parse_number(word, "timeout:", 30, &conf->timeout_s))
		parse_number(word, "attempts:", 5, &conf->attempts);
}

void resolvconf_parse(const char *text, struct resolvconf *ret_conf)
{
	memset(ret_conf, 0, sizeof(*ret_conf));
	while (*text) {
		char line[sizeof(ret_conf->search)], *save = NULL, *word;
		size_t len = strcspn(text, "\n");

		snprintf(line, sizeof(line), "%.*s",
			 (int)(len < sizeof(line) ? len : sizeof(line) - 1), text);
		line[strcspn(line, "#;")] = '\0';
		word = strtok_r(line, BLANKS, &save);
		if (word && !strcmp(word, "nameserver")) {
			struct addr server;

			if ((word = strtok_r(NULL, BLANKS, &save)) && parse_server(word, &server))
				add_server(ret_conf, &server);
		} else if (word && (!strcmp(word, "search") || !strcmp(word, "domain"))) {
			set_search(ret_conf, &save);
		} else if (word && !strcmp(word, "options")) {
			while ((word = strtok_r(NULL, BLANKS, &save)))
				parse_option(ret_conf, word);
		}
		text += len + (text[len] == '\n');
	}
}

int resolvconf_read(const char *path, struct resolvconf *ret_conf, struct err *err)
{
	cleanup_free char *text = NULL;
	size_t len;
	int rc;

	if ((rc = file_read(path, RESOLVCONF_SIZE_MAX, &text, &len, err)) < 0)
		return rc;
	resolvconf_parse(text, ret_conf);
	return 0;
}

bool resolvconf_is_stub(const struct addr *server)
{
	struct addr addr = addr_unmap(server);

	return addr.family == AF_INET &&
	       (addr.v4.s_addr == htonl(STUB) || addr.v4.s_addr == htonl(STUB_THAT_ONLY_FORWARDS));
}

bool resolvconf_has_stub(const struct resolvconf *conf)
{
	for (size_t i = 0; i < conf->n_servers; i++) {
		if (resolvconf_is_stub(&conf->servers[i]))
			return true;
	}
	return false;
}

int resolvconf_read_behind_stub(const char *path, const char *resolved_path,
				struct resolvconf *ret_conf, const char **ret_source,
				struct err *err)
{
	struct resolvconf named, behind;
	int rc;

	*ret_source = path;
	if ((rc = resolvconf_read(path, &named, err)) < 0)
		return rc;
	*ret_conf = named;
	if (!resolvconf_has_stub(&named) || resolvconf_read(resolved_path, &behind, NULL) < 0 ||
	    behind.n_servers == 0 || resolvconf_has_stub(&behind))
		return 0;
	*ret_source = resolved_path;
	ret_conf->n_servers = 0;
	for (size_t i = 0; i < named.n_servers; i++) {
		if (!resolvconf_is_stub(&named.servers[i])) {
			add_server(ret_conf, &named.servers[i]);
			continue;
		}
		for (size_t j = 0; j < behind.n_servers; j++)
			add_server(ret_conf, &behind.servers[j]);
	}
	return 0;
}
