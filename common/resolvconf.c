/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/resolvconf.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"

#define BLANKS " \t\r\v\f"

static bool parse_server(char *text, struct addr *ret_addr)
{
	char *percent = strchr(text, '%');

	if (addr_parse(text, ret_addr))
		return true;
	if (percent)
		*percent = '\0';
	return percent && addr_parse(text, ret_addr) && ret_addr->family == AF_INET6;
}

static void add_server(struct resolvconf *conf, char *text)
{
	struct addr addr;

	if (conf->n_servers == RESOLVCONF_SERVERS_MAX || !parse_server(text, &addr))
		return;
	for (size_t i = 0; i < conf->n_servers; i++) {
		if (addr_equal(&conf->servers[i], &addr))
			return;
	}
	conf->servers[conf->n_servers++] = addr;
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
			if ((word = strtok_r(NULL, BLANKS, &save)))
				add_server(ret_conf, word);
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
